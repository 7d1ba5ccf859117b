"""The records of similarity: two texts, or several that mean the same.

A pair is ``{"text_a", "text_b"}``, for training and evaluation with "label", a number: 0 for different and 1 for same,
or more grades, as 0 to 5. A group is ``{"texts": [str...]}``, at least one: one alone is learned from by its own noisy
copies. Further fields are of no concern here.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.records import Problem, Record


@dataclass(frozen=True)
class Pair:
    """Two texts; label: how much the same they mean, the more the higher, None if that is not told."""

    text_a: str
    text_b: str
    label: float | None = None


@dataclass(frozen=True)
class Group:
    """Texts that mean the same, at least one."""

    texts: tuple[str, ...]


Example = Pair | Group


def read_example(record: Record) -> Example:
    """Return what a record holds: a group if it has "texts", a pair if it has "text_a".

    Raises KexueError if it has neither, or as read_group and read_pair.
    """
    if "texts" in record:
        return read_group(record)
    if "text_a" in record:
        return read_pair(record)
    forms = '{"text_a", "text_b", "label"} or {"texts": [...]}'
    raise KexueError(f"a record must be a pair or a group, {forms}; found {sorted(record)}")


def read_pair(record: Record) -> Pair:
    """Return the two texts of a record and its label, if it has one.

    Raises KexueError that names the field, as in ``label must be a number; found "1"``.
    """
    text_a, text_b = member(record, "text_a", str), member(record, "text_b", str)
    return Pair(text_a, text_b, _read_label(record["label"]) if "label" in record else None)


def _read_label(label: object) -> float:
    is_number = isinstance(label, int | float) and not isinstance(label, bool)  # to Python a bool is an int
    if not is_number or not abs(label) <= sys.float_info.max:  # type: ignore[arg-type]  # NaN is not, either
        raise KexueError(f"label must be a number; found {shown(label)}")
    return float(label)  # type: ignore[arg-type]


def read_group(record: Record) -> Group:
    """Return the texts of a record.

    Raises KexueError that names the field, as in ``texts[2] must be a string; found 3``.
    """
    texts = member(record, "texts", list)
    if not texts:
        raise KexueError("texts must hold at least one text; found []")
    return Group(tuple(expect(text, str, f"texts[{i}]") for i, text in enumerate(texts)))


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record of either form."""
    try:
        example = read_example(record)
    except KexueError as error:
        return [Problem("unreadable", "", str(error))]
    return list(_pair_problems(example) if isinstance(example, Pair) else _group_problems(example))


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    if "texts" in record:
        texts = record["texts"]
        return {"groups": 1, "texts": len(texts) if isinstance(texts, list) else 0}
    return {"pairs": 1} if "label" in record else {"pairs": 1, "pairs without a label": 1}


def _pair_problems(pair: Pair) -> Iterator[Problem]:
    for field, text in (("text_a", pair.text_a), ("text_b", pair.text_b)):
        if not text.strip():
            yield Problem("empty", field, "is empty")
    if pair.text_a == pair.text_b and pair.label == 0:
        yield Problem("equal texts labelled 0", "label", "is 0, but the two texts are equal", is_error=False)


def _group_problems(group: Group) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, text in enumerate(group.texts):
        if not text.strip():
            yield Problem("empty", f"texts[{i}]", "is empty")
        elif text in seen:
            yield Problem("texts given twice", f"texts[{i}]", f"{shown(text)} is given twice", is_error=False)
        seen.add(text)
    if len(group.texts) == 1:
        yield Problem("groups of one text", "texts", "there is only one", is_error=False)
