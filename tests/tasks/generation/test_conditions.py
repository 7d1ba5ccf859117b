"""What conditions hold follows from the texts, and each condition is numbers that one can work out by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.conditions import MOST_VALUES, Conditioner, Fields, written
from kexue_cli.tasks.generation.config import FieldsConfig, NetworkConfig
from kexue_cli.tasks.generation.records import Text
from kexue_cli.text.vocabulary import SPACE, UNKNOWN, Vocabulary

VOCABULARY = Vocabulary(["好", "书", SPACE])  # ids 2, 3 and 4


def fields_of(*conditions, **config):
    return Fields.of([Text(condition, "好书") for condition in conditions], FieldsConfig(**config))


def sample_of(fields, **condition):
    """What the network is given for a condition, as lists."""
    sample = Conditioner(fields, VOCABULARY).sample(condition)
    return {name: array.tolist() for name, array in sample.items()}


def refusal(function, *arguments, **more):
    """What is said when a call is refused."""
    with pytest.raises(KexueError) as error:
        function(*arguments, **more)
    return str(error.value)


# ------------------------------------------------------------- what the fields hold


def test_strings_whole_numbers_and_truth_values_are_categories_their_values_in_order():
    fields = fields_of({"cat": "书", "label": 1}, {"cat": "报", "label": 0, "new": True}, {"cat": "书"})

    assert fields.names == fields.config.categories == ("cat", "label", "new")
    assert fields.values == {"cat": ("书", "报"), "label": ("0", "1"), "new": ("true",)}
    assert fields.config == FieldsConfig(categories=("cat", "label", "new"))


@pytest.mark.parametrize(
    ("value", "kept"), [("书", "书"), ("1", "1"), (1, "1"), (1.0, "1"), (-2.0, "-2"), (True, "true"), (False, "false")]
)
def test_a_value_is_kept_as_its_json_and_a_number_as_the_same_string(value, kept):
    assert written(value) == kept
    assert fields_of({"x": value}).values == {"x": (kept,)}


def test_a_field_of_numbers_must_be_told_and_has_a_mean_and_a_deviation():
    fields = fields_of({"price": 2}, {"price": 4.5}, {"price": None}, {}, {"price": 5.5}, numbers=("price",))

    assert fields.names == ("price",)
    assert (fields.values, fields.config.categories) == ({}, ())
    assert fields.config.means == (4.0,)
    assert fields.config.deviations == pytest.approx([(6.5 / 3) ** 0.5])  # of -2, 0.5 and 1.5: 4 + 0.25 + 2.25


def test_a_number_that_is_always_the_same_is_divided_by_1():
    assert fields_of({"price": 3}, {"price": 3}, numbers=("price",)).config.deviations == (1.0,)


def test_a_list_of_numbers_is_the_vector():
    fields = fields_of({"mood": [0.5, 1]}, {}, {"mood": None}, {"mood": [3, 4]})

    assert fields.names == ("mood",)
    assert (fields.config.vector, fields.config.vector_size) == ("mood", 2)


def test_a_field_of_text_must_be_told_and_has_no_values():
    fields = fields_of({"first": "好书", "cat": "书"}, {"first": "好"}, text="first")

    assert fields.names == ("cat", "first")
    assert fields.values == {"cat": ("书",)}


def test_all_kinds_of_fields_at_once():
    condition = {"first": "好", "mood": [1, 2, 3], "price": 2.5, "label": 1, "cat": "书"}
    fields = fields_of(condition, numbers=("price",), text="first")

    assert fields.names == ("label", "cat", "price", "mood", "first")
    assert fields.shape(NetworkConfig(width=8)) == NetworkConfig(
        width=8, values=(2, 2), numbers=1, vector_size=3, has_text=True
    )  # of each category one value, and one for "not told"


def test_the_shape_of_the_network_has_only_what_there_is():
    assert fields_of({"cat": "书"}, {"cat": "报"}).shape(NetworkConfig()) == NetworkConfig(values=(3,))


@pytest.mark.parametrize(
    ("conditions", "config", "message"),
    [
        ([{"price": 2}, {"price": 2.5}], {}, "condition.price holds 2.5; numbers go with --condition-number price"),
        ([{"mood": [1, 2]}, {"mood": [1]}], {}, "condition.mood must be one vector of 2 numbers; found [1]"),
        ([{"mood": [1]}, {"tone": [1]}], {}, "condition.tone must be one vector of 1 numbers; found [1]"),
        ([{"x": [1]}, {"x": "书"}], {}, "condition.x holds a vector in one record and a value in another"),
        ([{"x": "书"}, {"x": [1]}], {}, "condition.x holds a vector in one record and a value in another"),
        ([{"price": "贵"}], {"numbers": ("price",)}, 'condition.price must be a number; found "贵"'),
        ([{"price": True}], {"numbers": ("price",)}, "condition.price must be a number; found true"),
        ([{"price": [1]}], {"numbers": ("price",)}, "condition.price must be a number; found [1]"),
        ([{"price": None}, {"cat": "书"}], {"numbers": ("price",)}, "condition.price holds no number in any record"),
        ([{}, {"cat": None}], {}, "no record has a condition; name its fields with --condition FIELD[,FIELD]"),
        ([], {}, "no record has a condition; name its fields with --condition FIELD[,FIELD]"),
    ],
)
def test_fields_that_cannot_be_are_refused_by_their_names(conditions, config, message):
    assert refusal(fields_of, *conditions, **config) == message


def test_a_field_may_have_a_thousand_values_and_no_more():
    values = [{"title": f"第{number}回"} for number in range(MOST_VALUES + 1)]

    assert len(fields_of(*values[:-1]).values["title"]) == MOST_VALUES == 1000
    assert refusal(fields_of, *values) == (
        "condition.title has more than 1,000 values; "
        "a text goes with --condition-text title, numbers with --condition-number title"
    )


NAMES = st.sampled_from(["cat", "label", "new"])
VALUES = st.text(max_size=3) | st.integers() | st.booleans() | st.none()


@given(st.lists(st.dictionaries(NAMES, VALUES), min_size=1))
def test_each_condition_that_was_seen_is_known_and_others_have_other_places(conditions):
    conditions = [{**condition, "kind": "诗"} for condition in conditions]
    conditions = [{name: value for name, value in one.items() if value is not None} for one in conditions]
    fields = fields_of(*conditions)

    found = {}
    for condition in conditions:
        places = tuple(sample_of(fields, **condition)["categories"])
        kept = tuple(written(condition[name]) if name in condition else None for name in fields.names)
        assert found.setdefault(kept, places) == places
    assert len(set(found.values())) == len(found)
    assert max(place for places in found.values() for place in places) < sum(fields.shape(NetworkConfig()).values)


def test_fields_are_written_to_a_model_folder_and_read_again(tmp_path):
    fields = fields_of({"cat": "书", "label": 1, "mood": [1]}, {"cat": "报"})
    fields.write(tmp_path)

    assert Fields.read(tmp_path, fields.config) == fields
    assert json.loads((tmp_path / "values.json").read_text("utf-8")) == {"cat": ["书", "报"], "label": ["1"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"label": ["1"]}', "missing field 'cat'; found ['label']"),
        ('{"cat": "书"}', 'cat must be a list; found "书"'),
        ('{"cat": ["书", 1]}', "cat must be a string; found 1"),
        ("[]", "must be an object; found []"),
        ("{", "is not JSON"),
    ],
)
def test_damaged_values_are_an_error_that_names_the_file(tmp_path, content, message):
    (tmp_path / "values.json").write_text(content, "utf-8")

    said = refusal(Fields.read, tmp_path, FieldsConfig(categories=("cat",)))

    assert said.startswith(str(tmp_path / "values.json"))
    assert message in said


# ------------------------------------------------------------- conditions as arrays


def test_places_of_categories_are_counted_through_all_fields_the_first_of_each_is_not_told():
    fields = fields_of({"cat": "书", "label": 0}, {"cat": "报", "label": 1})  # 0 to 2 and 3 to 5

    assert fields.values == {"cat": ("书", "报"), "label": ("0", "1")}
    assert sample_of(fields, cat="报", label=0) == {"categories": [2, 4]}
    assert sample_of(fields, label=1) == {"categories": [0, 5]}
    assert sample_of(fields, cat="书", label=None) == {"categories": [1, 3]}
    assert sample_of(fields) == {"categories": [0, 3]}


@pytest.mark.parametrize("one", [1, 1.0, "1"])
def test_a_number_and_its_string_are_the_same_value(one):
    assert sample_of(fields_of({"label": 0}, {"label": 1}), label=one) == {"categories": [2]}


def test_true_is_not_1():
    assert refusal(sample_of, fields_of({"label": 1}), label=True).endswith("label true is not known; known are 1")


def test_numbers_are_told_in_deviations_from_their_mean_and_whether_they_are_told():
    fields = fields_of({"price": 2, "year": 1}, {"price": 6, "year": 1}, numbers=("price", "year"))  # 4 ± 2, 1

    assert sample_of(fields, price=7, year=3.0) == {"numbers": [1.5, 2, 1, 1]}
    assert sample_of(fields, price=4, year=None) == {"numbers": [0, 0, 1, 0]}
    assert sample_of(fields, year=0) == {"numbers": [0, -1, 0, 1]}


def test_a_vector_is_itself_and_whether_it_is_told():
    fields = fields_of({"mood": [3, 4]})

    assert sample_of(fields, mood=[0.5, -1]) == {"vector": [0.5, -1, 1]}
    assert sample_of(fields, mood=[0, 0]) == {"vector": [0, 0, 1]}
    assert sample_of(fields) == sample_of(fields, mood=None) == {"vector": [0, 0, 0]}


def test_another_text_is_ids_with_one_space_for_each_run_of_whitespace():
    fields = fields_of({"first": "好书"}, text="first")

    assert sample_of(fields, first="好 \n书人") == {"source": [2, 4, 3, UNKNOWN]}
    assert sample_of(fields) == sample_of(fields, first=None) == sample_of(fields, first="") == {"source": []}


def test_the_source_of_a_condition_is_its_text():
    assert fields_of({"first": "好"}, text="first").source({"first": "好\n\n书"}) == f"好{SPACE}书"
    assert fields_of({"first": "好"}, text="first").source({}) == ""
    assert fields_of({"cat": "好"}).source({"cat": "好"}) == ""


def test_arrays_are_of_the_types_that_the_network_takes():
    condition = {"first": "好", "mood": [1, 2], "price": 2.5, "cat": "书"}
    sample = Conditioner(fields_of(condition, numbers=("price",), text="first"), VOCABULARY).sample(condition)

    assert {name: array.dtype for name, array in sample.items()} == {
        "categories": np.int32, "numbers": np.float32, "vector": np.float32, "source": np.int32
    }  # fmt: skip


def test_a_field_that_no_text_ever_told_may_be_there_as_long_as_it_is_empty():
    fields = fields_of({"cat": "书", "label": None})

    assert sample_of(fields, cat="书", label=None) == {"categories": [1]}


EVERY_KIND = fields_of({"cat": "书", "price": 1, "mood": [1, 2], "first": "好"}, numbers=("price",), text="first")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"kind": "书"}, "condition.kind is not known; known are cat, price, mood, first"),
        ({"cat": "报"}, 'condition.cat "报" is not known; known are 书'),
        ({"cat": [1]}, "condition.cat [1] is not known; known are 书"),
        ({"price": "1"}, 'condition.price must be a number; found "1"'),
        ({"price": True}, "condition.price must be a number; found true"),
        ({"mood": [1, 2, 3]}, "condition.mood must be a list of 2 numbers; found [1, 2, 3]"),
        ({"mood": "好"}, 'condition.mood must be a list of 2 numbers; found "好"'),
        ({"first": 1}, "condition.first must be a text; found 1"),
    ],
)
def test_what_the_model_does_not_know_is_refused_with_what_it_knows(condition, message):
    assert refusal(sample_of, EVERY_KIND, **condition) == message


def test_of_many_values_a_message_names_the_first_20():
    fields = fields_of(*({"month": f"{number:02}"} for number in range(1, 31)))

    said = refusal(sample_of, fields, month="31")

    assert said.startswith('condition.month "31" is not known; known are 01, 02, ')
    assert said.endswith("19, 20 and 10 more")


@pytest.mark.parametrize("field", ["price", "mood"])
def test_a_number_that_no_float_can_hold_is_refused_and_no_crash(field):
    huge = 10**400  # JSON allows it

    assert f"condition.{field}" in refusal(sample_of, EVERY_KIND, **{field: [1, huge] if field == "mood" else huge})
