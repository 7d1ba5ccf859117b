"""Relations between given entities: head, tail, relation and sentence, a row a pair."""

import json

import pytest

from kexue_cli.datasets import relation_tsv
from kexue_cli.errors import KexueError

MERGER = "东山公司将收购西河公司"
RAIN = "母亲在院子里听雨"


def rows_of(*rows):
    return list(enumerate(("\t".join(row) for row in rows), 1))


def records_of(*rows):
    return list(relation_tsv.convert(rows_of(*rows), "train.tsv"))


def test_the_rows_of_a_sentence_become_one_record_wherever_they_stand():
    assert records_of(
        ("东山公司", "西河公司", "收购", MERGER),
        ("母亲", "院子", "Located", RAIN),
        ("西河公司", "东山公司", "被收购", MERGER),
    ) == [
        (
            "1",
            {
                "text": MERGER,
                "triples": [
                    {"subject": "东山公司", "predicate": "收购", "object": "西河公司"},
                    {"subject": "西河公司", "predicate": "被收购", "object": "东山公司"},
                ],
            },
        ),
        ("2", {"text": RAIN, "triples": [{"subject": "母亲", "predicate": "Located", "object": "院子"}]}),
    ]


@pytest.mark.parametrize("relation", ["unknown", "Unknown", "NA"])
def test_a_pair_without_a_relation_leaves_its_sentence_without_triples(relation):
    assert records_of(("母亲", "雨", relation, RAIN)) == [("1", {"text": RAIN, "triples": []})]


def test_empty_lines_and_spaces_around_fields_do_not_count_and_quotes_are_text():
    lines = [(1, ""), (2, f'"东山\t西河公司 \t收购\t"{MERGER}\t完 '), (3, " ")]

    triple = {"subject": '"东山', "predicate": "收购", "object": "西河公司"}
    assert list(relation_tsv.convert(lines, "train.tsv")) == [
        ("2", {"text": f'"{MERGER}\t完', "triples": [triple]}),
    ]


def test_a_row_without_four_fields_is_named_by_its_line():
    with pytest.raises(KexueError) as error:
        records_of(("母亲", "院子", "Located", RAIN), ("母亲", RAIN))

    assert str(error.value) == (
        "train.tsv:2: a row must be head, tail, relation, sentence with tabs between them; "
        'found 2 fields: "母亲\\t母亲在院子里听雨"'
    )


@pytest.mark.parametrize("end", ["", "\n", "\r\n母亲\t院子\tLoc"])
def test_a_file_is_known_by_its_first_row_where_both_entities_stand_in_the_sentence(end):
    assert relation_tsv.looks_like(f"母亲\t院子\tLocated\t{RAIN}{end}")


@pytest.mark.parametrize(
    "head",
    [f"母亲\t院子\t{RAIN}", f"母亲\t父亲\tFamily\t{RAIN}", f"\t院子\tLocated\t{RAIN}", "我\t爱\t北京\t天安门", ""],
)
def test_other_files_are_not_taken_for_it(head):
    assert not relation_tsv.looks_like(head)


def test_the_commands_tell_it_from_segmented_text(kexue):
    rows = f"母亲\t院子\tLocated\t{RAIN}\n母亲\t雨\tunknown\t{RAIN}\n"

    assert [json.loads(line) for line in kexue("data", "convert", stdin=rows).lines] == [
        {"text": RAIN, "triples": [{"subject": "母亲", "predicate": "Located", "object": "院子"}]}
    ]
    assert kexue("data", "check", stdin=rows).stderr == (
        "standard input: read as relation-tsv: 1 records, 1 triples; errors: 0\n"
    )


def test_a_problem_is_told_by_the_line_where_its_sentence_first_stands(kexue):
    rows = f"母亲\t院子\tLocated\t{RAIN}\n母亲\t花园\tLocated\t{RAIN}\n"

    done = kexue("data", "check", stdin=rows)

    assert done.returncode == 1
    assert done.lines == ['standard input:1: triples[1].object: "花园" is not in the text']
