"""Frozen dataclasses to JSON and back, strictly."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.config import Share, from_mapping, read_json, write_json
from kexue_cli.errors import KexueError


@dataclasses.dataclass(frozen=True)
class Tea:
    """A setting of each type that occurs."""

    name: str
    grams: float
    cups: int = 2
    is_green: bool = True
    places: tuple[str, ...] = ()
    year: int | None = None
    leaves: Share = 0.02


def test_a_mapping_becomes_a_dataclass():
    tea = from_mapping(Tea, {"name": "龙井", "grams": 3.5, "places": ["杭州"], "year": 2024}, "tea")

    assert tea == Tea("龙井", 3.5, places=("杭州",), year=2024)


@pytest.mark.parametrize("leaves", [0, 0.02, 1])
def test_a_share_is_none_all_or_between(leaves):
    assert from_mapping(Tea, {"name": "龙井", "grams": 3, "leaves": leaves}, "tea").leaves == leaves


def test_a_whole_number_will_do_where_a_fraction_is_asked():
    tea = from_mapping(Tea, {"name": "龙井", "grams": 3}, "tea")

    assert isinstance(tea.grams, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "龙井", "gram": 3.5}, "tea: no setting named 'gram'; did you mean 'grams'?"),
        ({"name": "龙井"}, "tea: missing setting 'grams'"),
        ({"name": 7, "grams": 3.5}, "tea.name must be of type str; found 7"),
        ({"name": "龙井", "grams": "3.5"}, "tea.grams must be of type float; found '3.5'"),
        ({"name": "龙井", "grams": True}, "tea.grams must be of type float; found True"),
        ({"name": "龙井", "grams": 3.5, "cups": True}, "tea.cups must be of type int; found True"),
        ({"name": "龙井", "grams": 3.5, "cups": 2.0}, "tea.cups must be of type int; found 2.0"),
        ({"name": "龙井", "grams": 3.5, "is_green": 1}, "tea.is_green must be of type bool; found 1"),
        ({"name": "龙井", "grams": 3.5, "places": ["杭州", 7]}, "tea.places[1] must be of type str; found 7"),
        ({"name": "龙井", "grams": 3.5, "year": "2024"}, "tea.year must be of type int; found '2024'"),
        ({"name": "龙井", "grams": 3.5, "leaves": 1.5}, "tea.leaves must be from 0 to 1; found 1.5"),
        ({"name": "龙井", "grams": 3.5, "leaves": -1}, "tea.leaves must be from 0 to 1; found -1.0"),
        ({"name": "龙井", "grams": 3.5, "leaves": "all"}, "tea.leaves must be of type float; found 'all'"),
        (["龙井"], "tea must be an object; found list"),
        (None, "tea must be an object; found NoneType"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_found(values, message):
    with pytest.raises(KexueError) as caught:
        from_mapping(Tea, values, "tea")

    assert str(caught.value).startswith(message)


@given(
    st.builds(
        Tea,
        name=st.text(st.characters(exclude_categories=["Cs"])),
        grams=st.floats(allow_nan=False, allow_infinity=False),
        places=st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map(tuple),
        year=st.none() | st.integers(),
    )
)
def test_a_dataclass_written_and_read_is_the_same(tmp_path_factory, tea):
    path = tmp_path_factory.mktemp("config") / "tea.json"

    write_json(path, dataclasses.asdict(tea))

    assert from_mapping(Tea, read_json(path), "tea") == tea


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400], ids=lambda text: text[:9]
)
def test_a_number_that_is_none_or_too_large_is_an_error(tmp_path, number):
    path = tmp_path / "tea.json"
    path.write_text('{"name": "龙井", "grams": %s}' % number, "utf-8")  # noqa: UP031

    with pytest.raises(KexueError, match="tea"):
        from_mapping(Tea, read_json(path), "tea")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", "{'name': '龙井'}".encode(), b"[" * 100_000],
    ids=["empty", "cut off", "binary", "Python", "deep"],
)
def test_a_file_that_is_not_json_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "tea.json"
    path.write_bytes(content)

    with pytest.raises(KexueError, match=r"tea\.json is not JSON: "):
        read_json(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(KexueError, match=r"cannot read .*tea\.json: No such file"):
        read_json(tmp_path / "tea.json")


def test_a_json_file_can_be_read_by_people(tmp_path):
    path = tmp_path / "tea.json"

    write_json(path, {"name": "龙井", "cups": 2})

    assert path.read_text("utf-8") == '{\n  "name": "龙井",\n  "cups": 2\n}\n'
    assert json.loads(path.read_bytes()) == {"name": "龙井", "cups": 2}
