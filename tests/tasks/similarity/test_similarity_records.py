"""The records of similarity: what is read, what is refused, what a check tells."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity.records import Group, Pair, problems, read_example, read_group, read_pair, sizes

RETURN, GIVE_BACK, RENEW = "怎么还书", "书要还到哪里", "怎么续借"


def pair_of(*label, text_a=RETURN, text_b=GIVE_BACK, **more):
    return {"text_a": text_a, "text_b": text_b, **({"label": label[0]} if label else {}), **more}


def group_of(*texts, **more):
    return {"texts": list(texts), **more}


@pytest.mark.parametrize("label", [0, 1, 0.5, 5, -1])
def test_a_pair_has_two_texts_and_a_number_as_its_label(label):
    assert read_pair(pair_of(label, source="library")) == Pair(RETURN, GIVE_BACK, label)


def test_a_pair_to_compare_has_no_label():
    assert read_pair(pair_of()) == Pair(RETURN, GIVE_BACK)
    assert read_pair(pair_of()).label is None


def test_a_group_has_one_text_or_more():
    assert read_group(group_of(RETURN, GIVE_BACK, id="7")) == Group((RETURN, GIVE_BACK))
    assert read_group(group_of(RETURN)) == Group((RETURN,))


def test_an_example_is_a_group_or_a_pair_by_its_fields():
    assert read_example(group_of(RETURN, GIVE_BACK)) == Group((RETURN, GIVE_BACK))
    assert read_example(pair_of(1)) == Pair(RETURN, GIVE_BACK, 1)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text_a": RETURN}, "missing field 'text_b'; found ['text_a']"),
        (pair_of(text_a=3), "text_a must be a string; found 3"),
        (pair_of(text_b=None), "text_b must be a string; found null"),
        (pair_of("1"), 'label must be a number; found "1"'),
        (pair_of(None), "label must be a number; found null"),
        (pair_of(True), "label must be a number; found true"),
        (pair_of(float("nan")), "label must be a number; found NaN"),
        (pair_of(float("-inf")), "label must be a number; found -Infinity"),
        (pair_of(10**309), "label must be a number; found 1" + "0" * 39 + "…"),
        ({"texts": RETURN}, 'texts must be a list; found "怎么还书"'),
        (group_of(), "texts must hold at least one text; found []"),
        (group_of(RETURN, 3), "texts[1] must be a string; found 3"),
        ({"text": RETURN, "id": 1},
         'a record must be a pair or a group, {"text_a", "text_b", "label"} or {"texts": [...]}; '
         "found ['id', 'text']"),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_by_the_name_of_the_field_and_one_error_of_a_check(record, message):
    with pytest.raises(KexueError) as error:
        read_example(record)

    assert str(error.value) == message
    assert found(record) == [("", message, True)]


def found(record):
    return [(problem.field, problem.text, problem.is_error) for problem in problems(record)]


@pytest.mark.parametrize(
    "record", [pair_of(0), pair_of(1, text_b=RETURN), pair_of(text_b=RETURN), group_of(RETURN, GIVE_BACK)]
)
def test_pairs_with_and_without_a_label_and_groups_have_no_problems(record):
    assert found(record) == []


@pytest.mark.parametrize("blank", ["", " \t", "\u3000"])
def test_an_empty_text_is_an_error(blank):
    assert found(pair_of(text_a=blank)) == [("text_a", "is empty", True)]
    assert found(pair_of(text_b=blank)) == [("text_b", "is empty", True)]
    assert found(group_of(RETURN, blank, blank)) == [
        ("texts[1]", "is empty", True),
        ("texts[2]", "is empty", True),
    ]


def test_equal_texts_that_are_labelled_as_different_are_worth_a_note():
    assert found(pair_of(0.0, text_b=RETURN)) == [("label", "is 0, but the two texts are equal", False)]


def test_a_text_given_twice_is_worth_a_note():
    assert found(group_of(RETURN, RENEW, RETURN)) == [("texts[2]", '"怎么还书" is given twice', False)]


def test_a_group_of_one_text_is_worth_a_note():
    assert found(group_of(RETURN)) == [("texts", "there is only one", False)]


def test_pairs_groups_and_texts_are_counted():
    assert sizes(pair_of(1)) == {"pairs": 1}
    assert sizes(pair_of()) == {"pairs": 1, "pairs without a label": 1}
    assert sizes(group_of(RETURN, GIVE_BACK)) == {"groups": 1, "texts": 2}
    assert sizes({"texts": RETURN}) == {"groups": 1, "texts": 0}


def test_records_are_known_for_similarity_by_their_texts(kexue):
    pairs = kexue("data", "check", stdin='{"text_a": "怎么还书", "text_b": "怎么还书", "label": 0, "id": "7"}\n')
    groups = kexue("data", "check", stdin='{"texts": ["怎么还书", "书要还到哪里"], "id": "7"}\n{"texts": [""]}\n')

    assert (pairs.returncode, pairs.lines) == (
        0,
        ["standard input:1: label: is 0, but the two texts are equal (note)"],
    )
    assert groups.returncode == 1
    assert groups.lines == [
        "standard input:2: texts[0]: is empty",
        "standard input:2: texts: there is only one (note)",
    ]
    assert groups.stderr == (
        "standard input: read as JSON lines: 2 records, 2 groups, 3 texts, 1 empty, 1 groups of one text; errors: 1\n"
    )
