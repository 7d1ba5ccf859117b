"""Labelled pairs: text, text and label with tabs between them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import pairs
from kexue_cli.datasets.reader import detect
from kexue_cli.errors import KexueError

SAME = "怎么还书\t书要还到哪里\t1"
DIFFERENT = "怎么还书\t怎么借书\t0"
RETURN = {"text_a": "怎么还书", "text_b": "书要还到哪里"}


def records_of(*lines):
    return list(pairs.convert(enumerate(lines, 1), "train.tsv"))


def test_a_row_is_a_pair_and_its_label():
    assert records_of(SAME, "", DIFFERENT, " ") == [
        ("1", {**RETURN, "label": 1}),
        ("3", {"text_a": "怎么还书", "text_b": "怎么借书", "label": 0}),
    ]


@pytest.mark.parametrize(("label", "number"), [("3", 3), ("2.5", 2.5), ("5.0", 5), (" 0 ", 0), ("-1", -1)])
def test_labels_may_be_grades(label, number):
    assert records_of(f"怎么还书\t书要还到哪里\t{label}") == [("1", {**RETURN, "label": number})]


def test_a_label_that_is_not_told_is_left_out():
    assert records_of("怎么还书\t书要还到哪里\t?") == [("1", RETURN)]


@pytest.mark.parametrize("header", ["sentence1\tsentence2\tlabel", "text_a\ttext_b\tLabel", "s1\ts2\tscore"])
def test_the_names_of_the_columns_are_passed_over(header):
    assert records_of("", header, SAME) == [("3", {**RETURN, "label": 1})]


def test_they_stand_in_the_first_row_only():
    with pytest.raises(KexueError, match=r'^train\.tsv:2: label must be a number, .*; found "label"$'):
        records_of(SAME, "sentence1\tsentence2\tlabel")


def test_json_lines_with_two_sentences_are_read_their_labels_in_quotes_too():
    line = '{"sentence1": "怎么还书", "sentence2": "书要还到哪里", %s}'

    assert pairs.looks_like(line % '"label": "1"')
    assert records_of(line % '"label": "1"', line % '"label": 0.5', line % '"id": 7') == [
        ("1", {**RETURN, "label": 1}),
        ("2", {**RETURN, "label": 0.5}),
        ("3", {**RETURN, "id": 7}),
    ]
    with pytest.raises(KexueError, match=r"^train\.tsv:2: missing field 'sentence2'"):
        records_of(line % '"label": "1"', '{"sentence1": "怎么还书"}')
    assert records_of("{怎么还书\t书要还到哪里\t1")[0][1]["text_a"] == "{怎么还书"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n"))


@given(st.lists(st.tuples(TEXT, TEXT, st.sampled_from([0, 1])), min_size=1))
def test_texts_are_read_as_they_are_quotes_and_spaces_too(rows):
    read = records_of(*(f"{text_a}\t{text_b}\t{label}" for text_a, text_b, label in rows))

    assert [tuple(record.values()) for _, record in read] == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("怎么还书\t怎么借书",
         "a row must be text_a, text_b, label with tabs between them; "
         'found 2 fields: ["怎么还书", "怎么借书"]'),
        ("1\t怎么还书\t怎么借书\t0",
         "a row must be text_a, text_b, label with tabs between them; "
         'found 4 fields: ["1", "怎么还书", "怎么借书", "0"]'),
        ("怎么还书\t怎么借书\t不同", 'label must be a number, or "?" if it is not told; found "不同"'),
        ("怎么还书\t怎么借书\t", 'label must be a number, or "?" if it is not told; found ""'),
        ("怎么还书\t怎么借书\tnan", 'label must be a number, or "?" if it is not told; found "nan"'),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_line(line, message):
    with pytest.raises(KexueError) as error:
        records_of(SAME, line)

    assert str(error.value) == f"train.tsv:2: {message}"


@pytest.mark.parametrize("first", [SAME, "有\t没有\t?", "一\t二\t3.5", "sentence1\tsentence2\tlabel", "一,\t二,\t1"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n怎么还书"])
def test_a_file_is_known_by_its_first_row(first, end):
    assert detect(first + end, "train.tsv") == "pairs"


@pytest.mark.parametrize(
    "head",
    ["怎么\t还\t书", "1\t怎么还书", "怎么还书\t怎么借书\n几点 开门\n", "1\t怎么还书\t怎么借书\t0", "怎么 还书 1", ""],
)
def test_other_files_are_not_taken_for_it(head):
    assert not pairs.looks_like(head)


def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue):
    rows = f"{SAME}\n\n怎么还书\t怎么还书\t0\n怎么还书\t \t?\n"

    checked = kexue("data", "check", stdin=rows)
    converted = kexue("data", "convert", stdin=rows)

    assert checked.lines == [
        "standard input:3: label: is 0, but the two texts are equal (note)",
        "standard input:4: text_b: is empty",
    ]
    assert checked.stderr == (
        "standard input: read as pairs: 3 records, 3 pairs, 1 equal texts labelled 0, 1 pairs without a label, "
        "1 empty; errors: 1\n"
    )
    assert json.loads(converted.lines[0]) == {**RETURN, "label": 1}
    assert kexue("data", "check", stdin=converted.out).lines == [
        "standard input:2: label: is 0, but the two texts are equal (note)",
        "standard input:3: text_b: is empty",
    ]
