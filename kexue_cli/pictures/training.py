"""Training drawn: how the loss and the scores went, epoch by epoch (a model's training.jsonl)."""

from collections.abc import Sequence

from kexue_cli.pictures.drawing import Cell, Curves, Part, Table
from kexue_cli.records import Record

NOT_CURVES = ("epoch", "stage", "seconds")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_drawn(record: Record) -> bool:
    """Say whether a record is an epoch."""
    return _is_number(record.get("epoch")) and _is_number(record.get("loss"))


def belong_together(record: Record, other: Record) -> bool:
    """Say whether *other*, which came next, is a later epoch of the same training."""
    return all(map(_is_number, other.values())) and is_drawn(other) and other["epoch"] > record["epoch"]


def draw(records: Sequence[Record]) -> Part:
    """Return what is drawn of the epochs of a training."""
    names = list(dict.fromkeys(name for record in records for name in record if _is_number(record[name])))
    curves = [(name, [record.get(name) for record in records]) for name in names if name not in NOT_CURVES]
    rows: list[list[Cell]] = [[record.get(name) for name in names] for record in records]
    blocks = (Curves([record["epoch"] for record in records], curves), Table("Epochs", names, rows))
    return Part(blocks, frozenset(names))
