"""CCKS2019 and CCKS2020: a JSON object a line, with "mention_data"."""

import json

import pytest

from kexue_cli.datasets import ccks2019, ccks2020
from kexue_cli.errors import KexueError

TEXT = "在绍兴读《呐喊》"
CITY = {"kb_id": "12", "mention": "绍兴", "offset": "1"}
BOOK = {"kb_id": "NIL", "mention": "呐喊", "offset": "5"}


def line_of(*mentions, **more):
    return json.dumps({"text_id": "7", "text": TEXT, "mention_data": list(mentions), **more}, ensure_ascii=False)


def mentions_of(*mentions):
    ((_, record),) = ccks2019.convert([(1, line_of(*mentions))], "train.json")
    return record["mentions"]


def test_mentions_get_the_place_as_a_number_and_null_for_nil():
    assert list(ccks2019.convert([(1, line_of(CITY, BOOK)), (2, " "), (3, line_of())], "train.json")) == [
        (
            "1",
            {
                "text_id": "7",
                "text": TEXT,
                "mentions": [
                    {"mention": "绍兴", "start": 1, "id": "12"},
                    {"mention": "呐喊", "start": 5, "id": None},
                ],
            },
        ),
        ("3", {"text_id": "7", "text": TEXT, "mentions": []}),
    ]


def test_the_type_of_a_nil_of_2020_is_kept():
    assert mentions_of({**BOOK, "kb_id": "NIL_Work"}) == [{"mention": "呐喊", "start": 5, "id": None, "type": "Work"}]


def test_an_id_that_only_begins_like_nil_is_an_id():
    assert mentions_of({**CITY, "kb_id": "NILE"}) == [{"mention": "绍兴", "start": 1, "id": "NILE"}]


def test_an_offset_may_be_a_number():
    assert mentions_of({**CITY, "offset": 1}) == mentions_of(CITY)


def test_a_test_set_without_mentions_becomes_records_for_prediction():
    lines = [(1, '{"text_id": "7", "text": "在绍兴"}'), (2, '{"text": "在绍兴"}')]

    assert list(ccks2019.convert(lines, "eval.json")) == [
        ("1", {"text_id": "7", "text": "在绍兴"}),
        ("2", {"text": "在绍兴"}),
    ]


@pytest.mark.parametrize("line", [line_of(CITY), '{"text_id": "7", "text": "在绍', '{"mention_data": [], "text": ""}'])
def test_a_file_is_known_by_its_beginning(line):
    assert ccks2019.looks_like(line)
    assert not ccks2020.looks_like(line)


def test_2020_is_known_by_a_nil_with_a_type_and_read_in_the_same_way():
    line = line_of(CITY, {**BOOK, "kb_id": "NIL_Work"})

    assert ccks2020.looks_like(line)
    assert list(ccks2020.convert([(1, line)], "train.json")) == list(ccks2019.convert([(1, line)], "train.json"))


@pytest.mark.parametrize(
    "head",
    [
        '{"text_id": "7", "text": "在绍兴", "mentions": []}',  # what has been converted
        json.dumps({"text": '他写了"text_id": 7'}, ensure_ascii=False),
        '[{"text_id": "7", "text": "在绍兴"}]',
        "在 绍兴",
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not ccks2019.looks_like(head)
    assert not ccks2020.looks_like(head)


@pytest.mark.parametrize(("name", "nil"), [("ccks2019", "NIL"), ("ccks2020", "NIL_Work")])
def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue, name, nil):
    line = line_of(CITY, {**BOOK, "kb_id": nil})

    checked = kexue("data", "check", stdin=line)
    converted = kexue("data", "convert", stdin=line)

    sums = "1 records, 2 mentions, 1 mentions not in the base; errors: 0\n"
    assert checked.stderr == f"standard input: read as {name}: {sums}"
    assert kexue("data", "convert", "--format", name, stdin=line).out == converted.out
    assert kexue("data", "check", stdin=converted.out).stderr == f"standard input: read as JSON lines: {sums}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "train.json:7: not a JSON object; found list; allowed: {...}"),
        ('{"text_id": "7"}', "train.json:7: missing field 'text'; found ['text_id']"),
        ('{"text": "", "mention_data": {}}', "train.json:7: mention_data must be a list; found {}"),
        (line_of(CITY, 3), "train.json:7: mention_data[1] must be an object; found 3"),
        (line_of({"kb_id": "12"}), "train.json:7: mention_data[0]: missing field 'mention'; found ['kb_id']"),
        (line_of({**CITY, "kb_id": 12}), "train.json:7: mention_data[0].kb_id must be a string; found 12"),
        (line_of({"kb_id": "12", "mention": "绍兴"}),
         "train.json:7: mention_data[0]: missing field 'offset'; found ['kb_id', 'mention']"),
        (line_of({**CITY, "offset": None}),
         "train.json:7: mention_data[0].offset must be a whole number; found null"),
        (line_of({**CITY, "offset": "-1"}),
         'train.json:7: mention_data[0].offset must be a whole number; found "-1"'),
        (line_of({**CITY, "offset": "²"}),
         'train.json:7: mention_data[0].offset must be a whole number; found "²"'),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_place(line, message):
    with pytest.raises(KexueError) as error:
        list(ccks2019.convert([(7, line)], "train.json"))

    assert str(error.value) == message
