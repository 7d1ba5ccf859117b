"""Small knowledge bases: a JSON object a line, with "name", "base", "desc" and "triples"."""

import json

import pytest

from kexue_cli.datasets import mini_kb
from kexue_cli.errors import KexueError

SHIP = {
    "id": "E1",
    "name": "长江（轮船）",
    "base": "长江",
    "desc": "轮船",
    "triples": [["下水", "1957年"]],
    "sources": [],
}


def line_of(**more):
    return json.dumps({**SHIP, **more}, ensure_ascii=False)


def record_of(**more):
    ((_, record),) = mini_kb.convert([(1, line_of(**more))], "kb.jsonl")
    return record


def test_the_name_without_brackets_is_an_alias_and_what_stands_there_describes_the_entity():
    assert list(mini_kb.convert([(1, ""), (2, line_of())], "kb.jsonl")) == [
        (
            "2",
            {
                "id": "E1",
                "name": "长江（轮船）",
                "aliases": ["长江"],
                "facts": [{"predicate": "下水", "object": "1957年"}],
                "description": "轮船",
            },
        )
    ]


def test_what_is_empty_or_the_name_itself_is_left_out():
    assert record_of(base="长江（轮船）", desc="", triples=[]) == {"id": "E1", "name": "长江（轮船）"}


@pytest.mark.parametrize("line", [line_of(), line_of() + "\n" + line_of()])
def test_a_file_is_known_by_its_beginning(line):
    assert mini_kb.looks_like(line)


@pytest.mark.parametrize(
    "head",
    [
        '{"id": "E1", "name": "长江"}',
        '{"text": "长江", "triples": [], "name": "a"}',
        f"[{line_of()}]",
        "长江 很 长",
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not mini_kb.looks_like(head)


def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue):
    checked = kexue("data", "check", stdin=line_of())
    converted = kexue("data", "convert", stdin=line_of())

    sums = "1 records, 1 aliases, 1 facts; errors: 0\n"
    assert checked.stderr == f"standard input: read as mini-kb: {sums}"
    assert kexue("data", "check", stdin=converted.out).stderr == f"standard input: read as JSON lines: {sums}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "kb.jsonl:7: not a JSON object; found list; allowed: {...}"),
        (line_of(id=3), "kb.jsonl:7: id must be a string; found 3"),
        (line_of(base=None), "kb.jsonl:7: base must be a string; found null"),
        (line_of(desc=[]), "kb.jsonl:7: desc must be a string; found []"),
        (line_of(triples=["下水"]), 'kb.jsonl:7: triples[0] must be a list; found "下水"'),
        (line_of(triples=[["长江", "下水", "1957年"]]),
         'kb.jsonl:7: triples[0] must be [predicate, object]; found ["长江", "下水", "1957年"]'),
        (line_of(triples=[["下水", 1957]]), "kb.jsonl:7: triples[0][1] must be a string; found 1957"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_place(line, message):
    with pytest.raises(KexueError) as error:
        list(mini_kb.convert([(7, line)], "kb.jsonl"))

    assert str(error.value) == message
