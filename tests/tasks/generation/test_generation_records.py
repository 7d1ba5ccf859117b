"""The records of generation: what is read, what is refused, what a check tells."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.records import Request, Text, checked, problems, read_request, read_text, sizes

REVIEW = "字很清楚，翻着不累。"


def text_of(text=REVIEW, **condition):
    return {"condition": condition, "text": text}


def test_a_text_and_the_condition_it_was_written_under_are_read():
    assert read_text({**text_of(cat="书", label=1), "id": 7}) == Text({"cat": "书", "label": 1}, REVIEW)
    assert read_text(text_of()) == Text({}, REVIEW)


def test_a_text_without_a_condition_was_written_under_none():
    assert read_text({"text": REVIEW}) == Text({}, REVIEW)


@pytest.mark.parametrize("value", ["书", "", 1, -2, 4.5, True, False, None, [0.5], [1, 2.5, -3]])
def test_a_field_of_a_condition_holds_a_string_a_number_a_truth_value_a_vector_or_nothing(value):
    condition = {"cat": "书", "x": value}

    assert checked(condition, "condition.") == condition
    assert read_text(text_of(**condition)).condition == condition


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"name": "书"}, '{"name": "书"}'),
        ([], "[]"),
        (["书", "报"], '["书", "报"]'),
        ([1, None], "[1, null]"),
        ([1, True], "[1, true]"),
        ([[1, 2]], "[[1, 2]]"),
    ],
)
def test_a_field_that_holds_something_else_is_named(value, shown):
    message = f"x must be a string, a number or a list of numbers; found {shown}"

    for read in (read_text, read_request):
        with pytest.raises(KexueError) as error:
            read(text_of(cat="书", x=value))
        assert str(error.value) == f"condition.{message}"
    with pytest.raises(KexueError) as error:
        read_request({"cat": "书", "x": value}, ["cat", "x"])
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"condition": {}}, "missing field 'text'; found ['condition']"),
        ({"condition": {}, "text": 3}, "text must be a string; found 3"),
        ({"condition": {}, "text": None}, "text must be a string; found null"),
        ({"condition": "书", "text": REVIEW}, 'condition must be an object; found "书"'),
        ({"condition": None, "text": REVIEW}, "condition must be an object; found null"),
        ({"condition": ["书"], "text": REVIEW}, 'condition must be an object; found ["书"]'),
    ],
)
def test_a_bad_record_is_refused_by_the_name_of_the_field_and_one_error_of_a_check(record, message):
    with pytest.raises(KexueError) as error:
        read_text(record)

    assert str(error.value) == message
    assert found(record) == [("", message, True)]


# ------------------------------------------------------------- requests


def test_a_request_has_a_condition_and_maybe_the_beginning_of_its_text():
    assert read_request({"condition": {"cat": "书"}, "id": 7}) == Request({"cat": "书"}, "")
    assert read_request({"condition": {"cat": "书"}, "prefix": "字"}) == Request({"cat": "书"}, "字")
    assert read_request({"condition": {}}) == Request({}, "")


def test_without_condition_the_fields_that_the_model_knows_are_the_condition():
    record = {"cat": "书", "label": 1, "id": 7, "prefix": "字"}

    assert read_request(record, ["cat", "label", "price"]) == Request({"cat": "书", "label": 1}, "字")


@pytest.mark.parametrize("names", [[], ["cat"]])
def test_a_record_without_any_of_them_must_have_a_condition(names):
    with pytest.raises(KexueError) as error:
        read_request({"label": 1, "prefix": "字"}, names)

    assert str(error.value) == "missing field 'condition'; found ['label', 'prefix']"


def test_condition_goes_before_the_fields_beside_it():
    assert read_request({"condition": {"label": 0}, "cat": "书"}, ["cat", "label"]) == Request({"label": 0})


def test_a_prefix_of_all_records_is_that_of_those_without_their_own():
    assert read_request({"condition": {}}, prefix="总的来说") == Request({}, "总的来说")
    assert read_request({"condition": {}, "prefix": "字"}, prefix="总的来说") == Request({}, "字")
    assert read_request({"condition": {}, "prefix": ""}, prefix="总的来说") == Request({}, "")


def test_a_text_in_a_request_is_not_looked_at():
    assert read_request({"condition": {"cat": "书"}, "text": 3}) == Request({"cat": "书"})


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"condition": {}, "prefix": 3}, "prefix must be a string; found 3"),
        ({"condition": {}, "prefix": None}, "prefix must be a string; found null"),
        ({"condition": ["书"]}, 'condition must be an object; found ["书"]'),
    ],
)
def test_a_bad_request_is_refused_by_the_name_of_the_field(record, message):
    with pytest.raises(KexueError) as error:
        read_request(record, ["cat"], "总的来说")

    assert str(error.value) == message


# ------------------------------------------------------------- the check


def found(record):
    return [(problem.field, problem.text, problem.is_error) for problem in problems(record)]


@pytest.mark.parametrize("condition", [{"cat": "书"}, {"label": 0}, {"mood": [0.5, 1]}])
def test_a_text_with_a_condition_has_no_problems(condition):
    assert found(text_of(**condition)) == []


@pytest.mark.parametrize("blank", ["", " \t", "\u3000"])
def test_an_empty_text_is_an_error(blank):
    assert found(text_of(blank, cat="书")) == [("text", "is empty", True)]


@pytest.mark.parametrize("record", [text_of(), text_of(cat=None), {"text": REVIEW}])
def test_a_text_without_a_condition_is_worth_a_note(record):
    assert found(record) == [("condition", "tells nothing", False)]


def test_texts_and_their_characters_are_counted():
    assert sizes(text_of("字清楚", cat="书")) == {"texts": 1, "characters": 3}
    assert sizes(text_of("")) == {"texts": 1, "characters": 0}
    assert sizes({"condition": {}, "text": 3}) == {"texts": 1, "characters": 0}
    assert sizes({"condition": {}}) == {"texts": 1, "characters": 0}


def test_records_are_known_for_generation_by_their_condition(kexue):
    lines = [
        '{"condition": {"cat": "书"}, "text": "字很清楚。", "id": 7}',
        "",
        '{"condition": {"cat": "书"}, "text": " "}',
        '{"condition": {}, "text": "翻着不累。"}',
        '{"condition": {"cat": {}}, "text": "纸张很薄。"}',
        '{"text": "没有条件"}',
    ]

    done = kexue("data", "check", stdin="\n".join(lines))

    assert done.returncode == 1
    assert done.lines == [
        "standard input:3: text: is empty",
        "standard input:4: condition: tells nothing (note)",
        "standard input:5: condition.cat must be a string, a number or a list of numbers; found {}",
        "standard input:6: condition: tells nothing (note)",
    ]
    assert done.stderr == (  # 5 + 1 + 5 + 5 + 4 characters
        "standard input: read as JSON lines: 5 records, 5 texts, 20 characters, 1 empty, 2 without a condition, "
        "1 unreadable; errors: 2\n"
    )


def test_notes_are_no_errors_of_a_check(kexue):
    done = kexue("data", "check", stdin='{"condition": {}, "text": "字很清楚。"}\n')

    assert (done.returncode, done.lines) == (0, ["standard input:1: condition: tells nothing (note)"])
