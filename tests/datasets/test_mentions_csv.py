"""Linked mentions as CSV: a row for each, under the names of the columns."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import mentions_csv
from kexue_cli.errors import KexueError
from kexue_cli.records import read_lines

COLUMNS = "kb_id,mention,offset,text,mention_type\n"


def records_of(text):
    return list(mentions_csv.convert(read_lines(io.BytesIO(text.encode("utf-8-sig"))), "mentions.csv"))


def test_the_rows_of_a_text_become_one_record():
    rows = "12,绍兴,1,在绍兴读呐喊,Location\n34,呐喊,4,在绍兴读呐喊,Work\n\n12,绍兴,0,绍兴下雨,Location\n"

    assert records_of(COLUMNS + rows) == [
        (
            "2",
            {
                "text": "在绍兴读呐喊",
                "mentions": [
                    {"mention": "绍兴", "start": 1, "id": "12", "type": "Location"},
                    {"mention": "呐喊", "start": 4, "id": "34", "type": "Work"},
                ],
            },
        ),
        ("5", {"text": "绍兴下雨", "mentions": [{"mention": "绍兴", "start": 0, "id": "12", "type": "Location"}]}),
    ]


def test_rows_of_a_text_that_do_not_stand_together_are_several_records():
    rows = "12,绍兴,0,绍兴下雨,Location\n34,呐喊,1,读呐喊,Work\n56,雨,3,绍兴下雨,\n"

    assert [(place, record["text"]) for place, record in records_of(COLUMNS + rows)] == [
        ("2", "绍兴下雨"),
        ("3", "读呐喊"),
        ("4", "绍兴下雨"),
    ]


def test_columns_may_stand_in_any_order_others_are_left_out_and_types_need_not_be_given():
    text = '"text",source,offset,mention,kb_id\r\n"绍兴,下雨",web,0,绍兴,12\r\n'

    assert records_of(text) == [("2", {"text": "绍兴,下雨", "mentions": [{"mention": "绍兴", "start": 0, "id": "12"}]})]


def test_what_is_not_in_the_base_has_no_id_and_its_type_is_kept():
    (_, record), = records_of(COLUMNS + "NIL,绍兴,0,绍兴的雨,Location\nNIL_Work,雨,3,绍兴的雨,\n")  # fmt: skip

    assert record["mentions"] == [
        {"mention": "绍兴", "start": 0, "id": None, "type": "Location"},
        {"mention": "雨", "start": 3, "id": None, "type": "Work"},
    ]


def test_a_text_in_quotes_may_have_several_lines():
    rows = '12,绍兴,0,"绍兴\n下雨",Location\n34,呐喊,1,读呐喊,Work\n'

    assert [(place, record["text"]) for place, record in records_of(COLUMNS + rows)] == [
        ("2", "绍兴\n下雨"),
        ("4", "读呐喊"),
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(st.lists(TEXT, min_size=1, unique=True))
def test_texts_written_by_the_csv_module_are_read_as_they_were(texts):
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerows(["12", text[0], 0, text, "Work"] for text in texts)

    assert [record["text"] for _, record in records_of(COLUMNS + rows.getvalue())] == texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kb_id,mention,text\n12,绍兴,绍兴\n",
         "mentions.csv:1: the first row must name the columns kb_id, mention, offset, text; "
         'found ["kb_id", "mention", "text"]'),
        (COLUMNS + "12,绍兴,0,绍兴,下雨,Location\n",
         "mentions.csv:2: a row must be kb_id,mention,offset,text,mention_type; found 6 fields: "
         '["12", "绍兴", "0", "绍兴", "下雨", "Location"…; a field with a comma must stand in quotes'),
        (COLUMNS + "12,绍兴,eins,绍兴,Location\n",
         'mentions.csv:2: offset must be a whole number; found "eins"'),
        (COLUMNS + '12,绍兴,0,"绍兴' + "雨" * 200_000,
         "mentions.csv:2: not CSV (field larger than field limit (131072)); a quote may be open there"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_line(text, message):
    with pytest.raises(KexueError) as error:
        records_of(text)

    assert str(error.value) == message


@pytest.mark.parametrize("head", [COLUMNS, "text,mention,offset,kb_id", '"kb_id","mention","offset","text"\r\n1,2'])
def test_a_file_is_known_by_its_first_row(head):
    assert mentions_csv.looks_like(head)


@pytest.mark.parametrize("head", ["kb_id,mention,text\n" + COLUMNS, "实体,属性,值", '{"text": "kb_id,offset"}', ""])
def test_other_files_are_not_taken_for_it(head):
    assert not mentions_csv.looks_like(head)


def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue):
    rows = COLUMNS + "12,绍兴,1,在绍兴读呐喊,Location\n34,呐喊,3,在绍兴读呐喊,Work\n"

    checked = kexue("data", "check", stdin=rows)
    converted = kexue("data", "convert", stdin=rows)

    problem = 'mentions[1].start must be where "呐喊" begins in the text; found 3'
    assert checked.lines == [f"standard input:2: {problem}"]
    assert checked.stderr == "standard input: read as mentions-csv: 1 records, 2 mentions, 1 unreadable; errors: 1\n"
    assert [json.loads(line)["text"] for line in converted.lines] == ["在绍兴读呐喊"]
    assert kexue("data", "check", stdin=converted.out).lines == [f"standard input:1: {problem}"]
