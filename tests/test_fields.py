"""Strict reading of JSON values."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member


def test_a_member_of_the_right_kind_is_returned():
    assert member({"text": "鲁迅"}, "text", str) == "鲁迅"
    assert member({"answers": []}, "answers", list, "passages[0]") == []


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        ({"text": 3}, "", "text must be a string; found 3"),
        ({"text": True}, "passages[0]", "passages[0].text must be a string; found true"),
        ({"text": {}}, "train.json: ", "train.json: text must be a string; found {}"),
        ({"b": 1, "a": 1}, "train.json: ", "train.json: missing field 'text'; found ['a', 'b']"),
        ({}, "passages[0]", "passages[0]: missing field 'text'; found []"),
        ([], "passages[0]", "passages[0] must be an object; found []"),
        (None, "", "the record must be an object; found null"),
        ({"text": ["鲁" * 99]}, "", f'text must be a string; found ["{"鲁" * 38}…'),
    ],
)
def test_the_error_names_the_place_and_shows_what_was_found(value, place, message):
    with pytest.raises(KexueError) as error:
        member(value, "text", str, place)

    assert str(error.value) == message


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_only_a_whole_number_is_one(value):
    assert expect(1, int, "start") == 1
    with pytest.raises(KexueError, match=r"^start must be a whole number; found "):
        expect(value, int, "start")
