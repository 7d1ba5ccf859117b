"""Facts without a text: CSV rows of entity, attribute and value."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import triples_csv
from kexue_cli.errors import KexueError
from kexue_cli.records import read_lines


def records_of(text):
    return list(triples_csv.convert(read_lines(io.BytesIO(text.encode("utf-8-sig"))), "facts.csv"))


def fact(subject, predicate, object):
    return {"subject": subject, "predicate": predicate, "object": object}


def test_each_row_becomes_a_fact():
    assert records_of("鲁迅,原名,周树人\n\n鲁迅,出生地,绍兴\n") == [
        ("1", fact("鲁迅", "原名", "周树人")),
        ("3", fact("鲁迅", "出生地", "绍兴")),
    ]


def test_quotes_hold_commas_quotes_and_line_breaks():
    text = '"春,秋",作者,"他说""是""的\n那个人"\n鲁迅,原名,周树人\n'

    assert records_of(text) == [
        ("1", fact("春,秋", "作者", '他说"是"的\n那个人')),
        ("3", fact("鲁迅", "原名", "周树人")),
    ]


FIELD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
FACTS = st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1)


@given(FACTS)
def test_facts_written_by_the_csv_module_are_read_as_they_were(facts):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(facts)

    assert [record for _, record in records_of(text.getvalue())] == [fact(*row) for row in facts]


def test_names_of_columns_in_the_first_row_are_no_fact():
    assert records_of("实体,属性,值\n实体,属性,值\n") == [("2", fact("实体", "属性", "值"))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "鲁迅,原名,周树人\n鲁迅,著有,呐喊,彷徨\n",
            'facts.csv:2: a row must be entity,attribute,value; found 4 fields: ["鲁迅", "著有", "呐喊", "彷徨"]; '
            "a field with a comma must stand in quotes",
        ),
        (
            '鲁迅,原名,周树人\n鲁迅,著有,"呐喊' + "彷徨" * 100_000,
            "facts.csv:2: not CSV (field larger than field limit (131072)); a quote may be open there",
        ),
    ],
)
def test_a_row_that_is_no_fact_is_named_by_its_line(text, message):
    with pytest.raises(KexueError) as error:
        records_of(text)

    assert str(error.value) == message


@pytest.mark.parametrize(
    "head",
    [
        "鲁迅,原名, 周树人 ",
        "鲁迅,又\u2028名,",
        "实体,属性,值\n鲁迅,简介,一位作家\n鲁",
        '鲁迅,原名,周树人\n鲁迅,简介,"呐喊,\n彷徨',
    ],
)
def test_a_file_is_known_by_its_beginning(head):
    assert triples_csv.looks_like(head)


@pytest.mark.parametrize(
    "head",
    [
        '{"text": "鲁迅", "triples": [],"id": 3}',
        "[1,2,3]",
        "我 爱 , 北京 , 天安门",
        "鲁迅,原名,周树人\n鲁迅\n鲁迅,原名,周树人",
        "x,y," + "z" * 200_000,
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not triples_csv.looks_like(head)


def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue):
    rows = "鲁迅,简介,a writer\n鲁迅,原名,\n"

    converted = kexue("data", "convert", stdin=rows)
    assert [json.loads(line) for line in converted.lines] == [
        fact("鲁迅", "简介", "a writer"),
        fact("鲁迅", "原名", ""),
    ]
    checked = kexue("data", "check", stdin=rows)
    assert checked.lines == ["standard input:2: object must not be empty"]
    assert checked.stderr == "standard input: read as triples-csv: 2 records, 2 triples, 1 unreadable; errors: 1\n"
    assert kexue("data", "check", stdin=converted.out).lines == checked.lines
