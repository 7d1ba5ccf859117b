"""Groups of texts that mean the same: rows with ids, standard questions and their queries, or lists."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import groups
from kexue_cli.datasets.reader import detect
from kexue_cli.errors import KexueError

ROWS = ["7\t怎么还书", "8\t怎么续借", "7\t书要还到哪里"]
QUESTION = '{"standard": "怎么还书", "queries": ["书要还到哪里", "还书去哪"]}'


def records_of(*lines):
    return list(groups.convert(enumerate(lines, 1), "train.tsv"))


def test_the_rows_of_an_id_become_one_group_wherever_they_stand():
    assert records_of("", *ROWS, " ") == [
        ("2", {"id": "7", "texts": ["怎么还书", "书要还到哪里"]}),
        ("3", {"id": "8", "texts": ["怎么续借"]}),
    ]


def test_a_quote_is_a_part_of_its_text():
    assert records_of('7\t"怎么还书', '7\t"书"要还到哪里') == [
        ("1", {"id": "7", "texts": ['"怎么还书', '"书"要还到哪里']})
    ]


def test_a_standard_question_and_its_queries_are_one_group_and_further_fields_are_kept():
    other = '{"standard": "怎么续借", "queries": [], "id": 8, "topic": "借书"}'

    assert records_of(QUESTION, "", other) == [
        ("1", {"texts": ["怎么还书", "书要还到哪里", "还书去哪"]}),
        ("3", {"id": 8, "topic": "借书", "texts": ["怎么续借"]}),
    ]


def test_a_list_of_texts_is_a_group():
    assert records_of('["怎么还书", "书要还到哪里"]', '["怎么续借"]') == [
        ("1", {"texts": ["怎么还书", "书要还到哪里"]}),
        ("2", {"texts": ["怎么续借"]}),
    ]


def test_a_file_without_lines_has_no_groups():
    assert records_of("", " ") == []


@given(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("借还续查")), min_size=1))
def test_every_text_is_in_the_group_of_its_id_and_groups_stand_in_the_order_of_their_first_lines(rows):
    read = records_of(*("\t".join(row) for row in rows))

    assert [(record["id"], text) for _, record in read for text in record["texts"]] == sorted(
        rows, key=lambda row: [id for id, _ in rows].index(row[0])
    )
    assert [int(place) for place, _ in read] == sorted([id for id, _ in rows].index(id) + 1 for id in set(dict(rows)))


FORM = "a row must be the id of a group and a text with a tab between them"


@pytest.mark.parametrize(
    ("first", "line", "message"),
    [
        (ROWS[0], "怎么还书", f'{FORM}; found 1 fields: "怎么还书"'),
        (ROWS[0], "7\t怎么还书\t1", f'{FORM}; found 3 fields: "7\\t怎么还书\\t1"'),
        (QUESTION, ROWS[0], "not JSON at column 3 (unexpected content after document); found '7\\t怎么还书'"),
        (QUESTION, '{"queries": []}', "missing field 'standard'; found ['queries']"),
        (QUESTION, '{"standard": "怎么还书"}', "missing field 'queries'; found ['standard']"),
        (QUESTION, '{"standard": "怎么还书", "queries": ["", 3]}', "queries[1] must be a string; found 3"),
        ("[]", '["怎么还书", 3]', "[1] must be a string; found 3"),
        ("[]", '["怎么还书"',
         "not JSON at column 8 (unexpected end of data); expected a list of texts; "
         'found "[\\"怎么还书\\""'),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_line(first, line, message):
    with pytest.raises(KexueError) as error:
        records_of(first, line)

    assert str(error.value) == f"train.tsv:2: {message}"


@pytest.mark.parametrize("first", ["0\t怎么还书", "faq-7\t怎么 还书", QUESTION, '["怎么还书"]', '[ "怎么还书", "还书"'])
@pytest.mark.parametrize("end", ["", "\n", "\r\n8\t怎么还书"])
def test_a_file_is_known_by_its_first_row(first, end):
    assert detect(first + end, "train.tsv") == "groups"


@pytest.mark.parametrize(
    "head",
    [
        "怎么\t还书",  # words
        "怎么还书\t书要还到哪里",  # a pair to compare
        "7\t怎么还书\t书要还到哪里",
        "7\t",
        "7 怎么还书",
        "iPhone13\tiPhone 13手机\n苹果手机\tiPhone\n",  # pairs, the first of which begins as an id might
        '{"standard": "怎么还书"}',
        '{"texts": ["怎么还书"]}',
        '[{"question": "怎么还书"}]',
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not groups.looks_like(head)


@pytest.mark.parametrize("lines", [ROWS, [QUESTION, '{"standard": "怎么续借", "queries": []}']])
def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue, lines):
    checked = kexue("data", "check", stdin="\n".join(lines))
    converted = kexue("data", "convert", stdin="\n".join(lines))

    assert checked.lines == ["standard input:2: texts: there is only one (note)"]
    assert checked.stderr.startswith("standard input: read as groups: 2 records, 2 groups, ")
    assert [json.loads(line)["texts"][0] for line in converted.lines] == ["怎么还书", "怎么续借"]
    assert kexue("data", "check", stdin=converted.out).lines == checked.lines
