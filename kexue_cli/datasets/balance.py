"""How labels are spread over the records of a file: one that nearly all have teaches nothing, and flatters a score."""

from collections import Counter
from collections.abc import Iterator

from kexue_cli.fields import shown
from kexue_cli.records import Problem, Record

GREATEST_SHARE = 0.9  # of the most frequent label; above it, it is told
LEAST_LABELS = 50  # of fewer, no share is told
MOST_VALUES = 1000  # of a field; one with more is no label


class Balance:
    """The labels seen so far, by what they are of."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    def add(self, task: str, record: Record) -> None:
        """Count the labels of a record."""
        for name, label in labels(task, record):
            counts = self.counts.setdefault(name, Counter())
            if len(counts) <= MOST_VALUES:
                counts[label] += 1

    def problems(self) -> Iterator[Problem]:
        """Yield a note for each kind of label of which one has nearly all."""
        for name, counts in self.counts.items():
            label, most = (counts.most_common(1) or [("", 0)])[0]
            total = counts.total()
            if total >= LEAST_LABELS and len(counts) <= MOST_VALUES and most / total > GREATEST_SHARE:
                told = f"{label} in {most} of {total} ({most / total:.1%})"
                yield Problem("label imbalance", name, told, is_error=False)


def labels(task: str, record: Record) -> Iterator[tuple[str, str]]:
    """Yield the kind of each label of a record, and the label; none for what has one label only by its nature."""
    if task == "similarity" and isinstance(record.get("label"), int | float):
        yield "label", f"{record['label']:g}"
    elif task == "generation" and isinstance(record.get("condition"), dict):
        for name, value in record["condition"].items():
            if isinstance(value, str | bool | int):
                yield f"condition.{name}", shown(value)
    elif task == "triples" and isinstance(record.get("triples"), list):
        for triple in record["triples"]:
            if isinstance(triple, dict) and isinstance(triple.get("predicate"), str):
                yield "predicate", shown(triple["predicate"])
