"""Triples drawn: as arcs over the text, and as a table."""

from collections.abc import Iterator
from typing import Any

from kexue_cli.fields import expect, member
from kexue_cli.pictures.drawing import (
    Arc,
    Arcs,
    Block,
    Cell,
    Part,
    Role,
    Table,
    first_span,
    gold_of,
    score_of,
    span_of,
    verdict_of,
)
from kexue_cli.records import Record
from kexue_cli.text.normalization import normalize

FIELDS = frozenset(("text", "triples"))
Key = tuple[str, str, str]


def is_drawn(record: Record) -> bool:
    """Say whether a record is a text with triples."""
    return isinstance(record.get("text"), str) and isinstance(record.get("triples"), list)


def draw(record: Record) -> Part:
    """Return what is drawn. Raises KexueError that names the field, as in ``triples[2].object must be a string``."""
    text = record["text"]
    found = [(_key(value, f"triples[{i}]"), value, f"triples[{i}]") for i, value in enumerate(record["triples"])]
    gold = gold_of(record)
    has_gold = "triples" in gold
    right = {
        _key(value, f"gold.triples[{i}]"): value
        for i, value in enumerate(member(gold, "triples", list, "gold") if has_gold else [])
    }
    drawn: list[tuple[Any, Role, str]] = []
    for key, value, place in found:
        drawn.append((value, ("right" if key in right else "wrong") if has_gold else "found", place))
    keys = {key for key, _, _ in found}
    drawn += [(value, "missed", "gold.triples") for key, value in right.items() if key not in keys]
    arcs = [arc for value, role, place in drawn for arc in _arcs(value, role, text, place)]
    blocks: list[Block] = [Arcs(text, arcs)]
    if drawn:
        rows = [_row(value, place) for value, _, place in drawn]
        columns = ("subject", "predicate", "object", "score")
        blocks.append(Table("Triples", columns, rows, [role for _, role, _ in drawn], scores=(3,)))
    verdict = verdict_of((role for _, role, _ in drawn), has_gold=has_gold)
    return Part(blocks, FIELDS, verdict, frozenset(("triples",)))


def _key(value: object, place: str) -> Key:
    """Return what of a triple the metric compares."""
    subject, predicate, object = (member(value, name, str, place) for name in ("subject", "predicate", "object"))
    return normalize(subject), predicate, normalize(object)


def _row(value: Record, place: str) -> tuple[Cell, ...]:
    names = [value[name] for name in ("subject", "predicate", "object")]
    return *names, score_of(value, place)


def _arcs(value: Record, role: Role, text: str, place: str) -> Iterator[Arc]:
    """Yield the arc of a triple, unless its subject or its object is not in the text."""
    subject, object = (_span(value, name, text, place) for name in ("subject", "object"))
    if subject and object:
        yield Arc(subject, object, value["predicate"], role)


def _span(value: Record, name: str, text: str, place: str) -> tuple[int, int] | None:
    """Return where a subject or object stands: as the triple says, or else where it stands first."""
    if f"{name}_start" not in value:
        return first_span(value[name], text) or first_span(normalize(value[name]), normalize(text))
    start = expect(value[f"{name}_start"], int, f"{place}.{name}_start")
    return span_of({f"{name}_end": start + len(value[name]), **value}, text, place, f"{name}_")
