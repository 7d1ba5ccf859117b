"""Short texts linked to CN-DBpedia: a JSON object a line, with an "annotation"."""

import json

import pytest

from kexue_cli.datasets import cndbpedia_short
from kexue_cli.errors import KexueError

TEXT = "长江号今天停航"
SHIP = {"begin": 0, "end": 3, "mention": "长江号", "entity": "长江（轮船）", "concept": {"船": 3}}


def line_of(*mentions, **more):
    return json.dumps({"text": TEXT, "annotation": list(mentions), "cndbpedia_api": [], **more}, ensure_ascii=False)


def test_mentions_are_linked_by_the_name_of_their_entity():
    lines = [(1, line_of(SHIP)), (2, " "), (3, line_of())]

    assert list(cndbpedia_short.convert(lines, "train.jsonl")) == [
        ("1", {"text": TEXT, "mentions": [{"mention": "长江号", "start": 0, "name": "长江（轮船）"}]}),
        ("3", {"text": TEXT, "mentions": []}),
    ]


def test_a_file_is_known_by_its_beginning():
    assert cndbpedia_short.looks_like(line_of(SHIP)[:40])


@pytest.mark.parametrize("head", ['{"text": "长江", "mentions": []}', f"[{line_of(SHIP)}]", "长江 很 长", ""])
def test_other_files_are_not_taken_for_it(head):
    assert not cndbpedia_short.looks_like(head)


def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue):
    checked = kexue("data", "check", stdin=line_of(SHIP))
    converted = kexue("data", "convert", stdin=line_of(SHIP))

    sums = "1 records, 1 mentions; errors: 0\n"
    assert checked.stderr == f"standard input: read as cndbpedia-short: {sums}"
    assert kexue("data", "check", stdin=converted.out).stderr == f"standard input: read as JSON lines: {sums}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "train.jsonl:7: not a JSON object; found list; allowed: {...}"),
        ('{"text": "长江"}', "train.jsonl:7: missing field 'annotation'; found ['text']"),
        (line_of(3), "train.jsonl:7: annotation[0] must be an object; found 3"),
        (line_of(SHIP, {**SHIP, "begin": "0"}),
         'train.jsonl:7: annotation[1].begin must be a whole number; found "0"'),
        (line_of({**SHIP, "entity": None}), "train.jsonl:7: annotation[0].entity must be a string; found null"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_place(line, message):
    with pytest.raises(KexueError) as error:
        list(cndbpedia_short.convert([(7, line)], "train.jsonl"))

    assert str(error.value) == message
