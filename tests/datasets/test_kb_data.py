"""kb_data, the knowledge base of CCKS2019 and CCKS2020: a JSON object a line, with a "subject_id"."""

import json

import pytest

from kexue_cli.datasets import kb_data
from kexue_cli.errors import KexueError

BOOK = {
    "alias": ["呐喊", "《呐喊》", "吶喊", "《呐喊》", ""],
    "subject_id": "12",
    "subject": "呐喊",
    "type": ["Thing", "CreativeWork"],
    "data": [{"predicate": "摘要", "object": "鲁迅的小说集。"}, {"predicate": "作者", "object": "鲁迅"}],
}


def line_of(**more):
    return json.dumps({**BOOK, **more}, ensure_ascii=False)


def record_of(**more):
    ((_, record),) = kb_data.convert([(1, line_of(**more))], "kb_data")
    return record


def test_an_entity_keeps_its_other_names_its_types_and_facts_and_the_summary_describes_it():
    assert list(kb_data.convert([(1, ""), (2, line_of())], "kb_data")) == [
        (
            "2",
            {
                "id": "12",
                "name": "呐喊",
                "aliases": ["《呐喊》", "吶喊"],
                "types": ["Thing", "CreativeWork"],
                "facts": [{"predicate": "作者", "object": "鲁迅"}],
                "description": "鲁迅的小说集。",
            },
        )
    ]


def test_the_types_of_2020_stand_in_a_string():
    assert record_of(type="Work|Culture")["types"] == ["Work", "Culture"]
    assert record_of(type="Work")["types"] == ["Work"]


def test_what_is_empty_is_left_out():
    assert record_of(alias=["呐喊"], type=[], data=[]) == {"id": "12", "name": "呐喊"}
    assert list(kb_data.convert([(1, '{"subject_id": "1", "subject": "雨", "data": []}')], "kb_data")) == [
        ("1", {"id": "1", "name": "雨"})
    ]


def test_several_summaries_are_several_lines():
    facts = [{"predicate": "摘要", "object": "小说集。"}, {"predicate": "摘要", "object": "1923年出版。"}]

    assert record_of(data=facts)["description"] == "小说集。\n1923年出版。"


@pytest.mark.parametrize("line", [line_of(), '{"subject_id": "12", "subject": "呐喊", "data": [{"predicate'])
def test_a_file_is_known_by_its_beginning(line):
    assert kb_data.looks_like(line)


@pytest.mark.parametrize(
    "head", ['{"id": "12", "name": "呐喊"}', '{"text": "呐喊"}', '[{"subject_id": "12"}]', "呐喊 小说", ""]
)
def test_other_files_are_not_taken_for_it(head):
    assert not kb_data.looks_like(head)


def test_the_commands_tell_the_format_even_where_its_data_come_first_and_convert_what_checks_as_ours(kexue):
    line = json.dumps({"subject_id": BOOK["subject_id"], "data": BOOK["data"], **BOOK}, ensure_ascii=False)

    checked = kexue("data", "check", stdin=line)
    converted = kexue("data", "convert", stdin=line)

    sums = "1 records, 2 aliases, 1 facts; errors: 0\n"
    assert checked.stderr == f"standard input: read as kb_data: {sums}"
    assert json.loads(converted.stdout) == record_of()
    assert kexue("data", "check", stdin=converted.out).stderr == f"standard input: read as JSON lines: {sums}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "kb_data:7: not a JSON object; found list; allowed: {...}"),
        ('{"subject": "雨", "data": []}', "kb_data:7: missing field 'subject_id'; found ['data', 'subject']"),
        (line_of(subject_id=12), "kb_data:7: subject_id must be a string; found 12"),
        (line_of(alias="呐喊"), 'kb_data:7: alias must be a list; found "呐喊"'),
        (line_of(alias=["呐喊", 3]), "kb_data:7: alias[1] must be a string; found 3"),
        (line_of(type=3), "kb_data:7: type must be a list; found 3"),
        (line_of(data={}), "kb_data:7: data must be a list; found {}"),
        (line_of(data=[{"predicate": "作者"}]), "kb_data:7: data[0]: missing field 'object'; found ['predicate']"),
    ],
)
def test_what_is_not_in_the_form_is_named_by_its_place(line, message):
    with pytest.raises(KexueError) as error:
        list(kb_data.convert([(7, line)], "kb_data"))

    assert str(error.value) == message
