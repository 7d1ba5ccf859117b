"""Generation drawn: the texts that were written, beside the condition that they were written under."""

import json
from collections.abc import Sequence

from kexue_cli.fields import expect, member
from kexue_cli.pictures.drawing import Block, Cell, Facts, Part, Role, Table, Text, gold_of, own_score
from kexue_cli.records import Record

FIELDS = frozenset(("condition", "prefix", "text", "sample", "score", "generation_score", "found"))
OWN = frozenset(("text", "sample", "score", "generation_score"))  # what differs between the samples of a record
SHORT = 200  # characters of a value of a condition, such as a vector


def is_drawn(record: Record) -> bool:
    """Say whether a record is a text, or a place for one, under a condition."""
    is_text = isinstance(record.get("text"), str)
    return isinstance(record.get("condition"), dict) or (is_text and isinstance(record.get("sample"), int))


def belong_together(record: Record, other: Record) -> bool:
    """Say whether *other*, which came next, is the next sample of the same record."""
    sample, next_sample = record.get("sample"), other.get("sample")
    if not isinstance(sample, int) or next_sample != sample + 1:
        return False
    rest = [{name: value for name, value in one.items() if name not in OWN} for one in (record, other)]
    return rest[0] == rest[1]


def draw(records: Sequence[Record]) -> Part:
    """Return what is drawn of the samples of a record. Raises KexueError that names the field."""
    first = records[0]
    condition = expect(first.get("condition", {}), dict, "condition")
    facts: list[tuple[str, Cell]] = [(name, _short(value)) for name, value in condition.items()]
    if "prefix" in first:
        facts.append(("prefix", member(first, "prefix", str)))
    blocks: list[Block] = [Facts("Condition", facts)] if facts else []
    rows = [_row(record, i) for i, record in enumerate(records) if "text" in record]
    found = expect(first.get("found", {}), dict, "found")
    kept: list[Role] = ["right" if condition.get(name) == value else "wrong" for name, value in found.items()]
    roles: list[Role] = ["wrong"] * len(rows) if "wrong" in kept else []
    if rows:
        has_score = any(row[2] is not None for row in rows)
        columns = ("", "text", "score")
        blocks.append(
            Table("Texts, and the mean log-probability of a character as score", columns, rows, roles)
            if has_score
            else Table("Text", columns[:2], [row[:2] for row in rows], roles)
        )
    if found:
        values = [(name, _short(value), _short(condition.get(name))) for name, value in found.items()]
        blocks.append(Table("What the text sounds like", ("field", "found", "condition"), values, kept))
    gold = gold_of(first)
    if "text" in gold:
        blocks.append(Text("Real text", member(gold, "text", str, "gold")))
    return Part(blocks, FIELDS, "wrong" if "wrong" in kept else "", frozenset(("text",)))


def _row(record: Record, index: int) -> tuple[Cell, Cell, Cell]:
    sample = member(record, "sample", int) if "sample" in record else index + 1
    return float(sample), member(record, "text", str), own_score(record, "generation")


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHORT or isinstance(value, str) else text[:SHORT] + "…"
