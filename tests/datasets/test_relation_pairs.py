"""relation-pairs: rows of relations, with the pairs that have none."""

import json

from kexue_cli.datasets import relation_pairs

RAIN = "母亲在院子里听雨"


def records_of(*rows):
    return list(relation_pairs.convert(enumerate(("\t".join(row) for row in rows), 1), "train.tsv"))


def test_pairs_without_a_relation_stay_beside_the_triples():
    assert records_of(("母亲", "院子", "Located", RAIN), ("母亲", "雨", "unknown", RAIN)) == [
        (
            "1",
            {
                "text": RAIN,
                "triples": [{"subject": "母亲", "predicate": "Located", "object": "院子"}],
                "unrelated": [{"subject": "母亲", "object": "雨"}],
            },
        )
    ]


def test_a_pair_with_a_relation_in_another_row_has_one():
    ((_, record),) = records_of(("母亲", "院子", "NA", RAIN), ("母亲", "院子", "Located", RAIN))

    assert record["unrelated"] == []
    assert len(record["triples"]) == 1


def test_it_is_read_only_if_it_is_named(kexue):
    rows = f"母亲\t院子\tLocated\t{RAIN}\n母亲\t雨\tunknown\t{RAIN}\n"

    named = kexue("data", "convert", "--format", "relation-pairs", stdin=rows)
    assert [set(json.loads(line)) for line in named.lines] == [{"text", "triples", "unrelated"}]
    assert (
        kexue("data", "check", stdin=named.out).stderr
        == "standard input: read as JSON lines: 1 records, 1 triples; errors: 0\n"
    )
