"""Errors: their exit statuses, and texts that say what to do."""

import pytest

from kexue_cli.errors import KexueError, RecordError, Terminated, UsageError, unknown_name
from kexue_cli.fields import tried


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KexueError("the disk is full"), 1),
        (RecordError("poem.jsonl", 17, "not JSON"), 1),
        (UsageError("--conflicts needs --user-dict FILE"), 2),
    ],
)
def test_every_error_has_the_exit_status_of_its_kind(error, status):
    assert error.exit_status == status
    assert isinstance(error, KexueError)  # one except clause catches them all


def test_being_asked_to_end_is_no_error_of_a_record_or_a_file():
    def end():
        raise Terminated("terminated")

    with pytest.raises(Terminated) as ended:
        tried(lambda error: pytest.fail(f"taken for {error!r}"), end)  # as data check reads, and goes on

    assert ended.value.exit_status == 143
    assert not isinstance(ended.value, Exception)


def test_a_bad_record_is_named_by_file_and_line():
    error = RecordError("poem.jsonl", 17, "not JSON")

    assert str(error) == "poem.jsonl:17: not JSON"
    assert (error.line, error.problem) == (17, "not JSON")


def test_an_unknown_name_is_answered_with_the_nearest_known_one():
    message = unknown_name("rule", "digit", ["digits", "latin"])

    assert message == "no rule named 'digit'; did you mean 'digits'? (known: digits, latin)"


def test_a_name_like_none_of_the_known_is_answered_with_all_of_them():
    assert unknown_name("rule", "xyz", ["digits", "latin"]) == "no rule named 'xyz' (known: digits, latin)"


def test_a_hint_stands_for_a_long_list():
    assert unknown_name("model", "xyz", ["a", "b"], "see: kexue models list") == (
        "no model named 'xyz' (see: kexue models list)"
    )
