"""Training drawn: how the loss and the scores went, epoch by epoch (a model's training.jsonl)."""

from collections.abc import Sequence

from kexue_cli.pictures.drawing import Cell, Curves, Part, Table, is_number, number
from kexue_cli.records import Record

NOT_CURVES = ("epoch", "stage", "seconds")


def is_drawn(record: Record) -> bool:
    """Say whether a record is an epoch."""
    return is_number(record.get("epoch")) and is_number(record.get("loss"))


def belong_together(record: Record, other: Record) -> bool:
    """Say whether *other*, which came next, is a later epoch of the same training."""
    return all(map(is_number, other.values())) and is_drawn(other) and other["epoch"] > record["epoch"]


def draw(records: Sequence[Record]) -> Part:
    """Return what is drawn of the epochs of a training."""
    names = list(dict.fromkeys(name for record in records for name in record if is_number(record[name])))
    columns = {name: [_value(record.get(name)) for record in records] for name in names}
    curves = [(name, values) for name, values in columns.items() if name not in NOT_CURVES]
    rows: list[Sequence[Cell]] = list(zip(*columns.values(), strict=True))
    blocks = (Curves([float(record["epoch"]) for record in records], curves), Table("Epochs", names, rows))
    return Part(blocks, frozenset(names))


def _value(value: object) -> float | None:
    return number(value, "") if is_number(value) else None
