"""What is to be drawn of a record: blocks, the same for every task. All places are code points into the block's text.

As JSON a block is an object with its "type" and the fields below; web/*.js and terminal.py draw each type.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown, within

Role = Literal["found", "right", "wrong", "missed", "gold", "other"]
Verdict = Literal["right", "wrong", ""]
Cell = str | float | None

ROLES: dict[Role, tuple[str, str]] = {  # the sign behind what is marked, and what it means
    "found": ("", "found; what is right is not told"),
    "right": ("✓", "found, and right"),
    "wrong": ("✗", "found, but wrong"),
    "missed": ("○", "right, but not found"),
    "gold": ("◆", "labelled as right"),
    "other": ("", "found, but another was thought better"),
}


@dataclass(frozen=True)
class Mark:
    """A piece of a text, text[start:end]. label: stands behind it; card: rows that are told of it, name and value."""

    start: int
    end: int
    role: Role
    label: str = ""
    card: Sequence[tuple[str, Cell]] = ()


@dataclass(frozen=True)
class Text:
    """A text with marks, which may overlap. is_aside: folded away until somebody asks for it."""

    heading: str
    text: str
    marks: Sequence[Mark] = ()
    is_aside: bool = False
    type: str = "text"


@dataclass(frozen=True)
class Table:
    """Rows of cells. roles: of each row, or none at all; scores: the columns that hold scores in 0..1."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    roles: Sequence[Role] = ()
    scores: Sequence[int] = ()
    type: str = "table"


@dataclass(frozen=True)
class Arc:
    """A relation from one piece of a text to another; each is a place (start, end)."""

    subject: tuple[int, int]
    object: tuple[int, int]
    label: str
    role: Role


@dataclass(frozen=True)
class Arcs:
    """Relations over a text."""

    text: str
    arcs: Sequence[Arc]
    type: str = "arcs"


@dataclass(frozen=True)
class Words:
    """The words of a text, one after the other."""

    heading: str
    words: Sequence[str]
    roles: Sequence[Role] = ()
    type: str = "words"


@dataclass(frozen=True)
class Edge:
    """A possible word of a lattice. weight: nats; None: it is always kept."""

    start: int
    end: int
    word: str
    weight: float | None
    source: str
    is_chosen: bool


@dataclass(frozen=True)
class Lattice:
    """Every way to cut a text."""

    text: str
    edges: Sequence[Edge]
    type: str = "lattice"


@dataclass(frozen=True)
class Node:
    """A part of a sentence. label: its template, or the word itself; a word has no children.

    is_fixed: a word of the template around it, not of what fills the template.
    """

    label: str
    children: "Sequence[Node]" = ()
    is_fixed: bool = False


@dataclass(frozen=True)
class Structure:
    """How a sentence is made of parts."""

    root: Node
    type: str = "structure"


@dataclass(frozen=True)
class Curves:
    """Values by epoch, a curve for each name; None where there is none."""

    epochs: Sequence[float]
    curves: Sequence[tuple[str, Sequence[float | None]]]
    type: str = "curves"


@dataclass(frozen=True)
class Facts:
    """Names and values, one below the other. is_code: the values are JSON."""

    heading: str
    rows: Sequence[tuple[str, Cell]]
    is_code: bool = False
    type: str = "facts"


Block = Text | Table | Arcs | Words | Lattice | Structure | Curves | Facts


@dataclass(frozen=True)
class Drawing:
    """What is drawn of a record, or of some that belong together. line: of the first of them, from 1."""

    line: int
    tasks: Sequence[str]
    verdict: Verdict
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Part:
    """What a task draws of a record. fields: those that are drawn by it; gold_fields: those of "gold"."""

    blocks: Sequence[Block]
    fields: frozenset[str]
    verdict: Verdict = ""
    gold_fields: frozenset[str] = frozenset()


def is_number(value: object) -> bool:
    """Say whether a JSON value is a number that fits into 64 bits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def number(value: object, place: str) -> float:
    """Return a JSON number. Raises KexueError for anything else."""
    if not is_number(value):
        raise KexueError(f"{place} must be a number; found {shown(value)}")
    return float(value)  # type: ignore[arg-type]


def score_of(record: object, place: str = "", name: str = "score") -> float | None:
    """Return a score that may be left out, or null. Raises KexueError if it is something else."""
    value = expect(record, dict, place).get(name)
    return None if value is None else number(value, within(place, name))


def own_score(record: dict[str, Any], task: str) -> float | None:
    """Return the score of a task in a record, which is called TASK_score where another task answered before."""
    return score_of(record, name=f"{task}_score" if f"{task}_score" in record else "score")


def span_of(record: object, text: str, place: str = "", prefix: str = "") -> tuple[int, int]:
    """Return the start and end that an object has, which must lie in the text. Raises KexueError otherwise."""
    start = member(record, f"{prefix}start", int, place)
    end = member(record, f"{prefix}end", int, place)
    if not 0 <= start <= end <= len(text):
        where = f"{within(place, prefix + 'start')} and {prefix}end"
        raise KexueError(f"{where} must be places in the text, 0 to {len(text)}; found {start} and {end}")
    return start, end


def verdict_of(roles: Iterable[Role], *, has_gold: bool) -> Verdict:
    """Return whether all that was found is right, and all that is right was found."""
    if not has_gold:
        return ""
    return "right" if all(role == "right" for role in roles) else "wrong"


def gold_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return what is right, as far as the record says it. Raises KexueError if that is no object."""
    return expect(record.get("gold", {}), dict, "gold")


def first_span(part: str, text: str) -> tuple[int, int] | None:
    """Return where a piece of text stands first, or None."""
    start = text.find(part) if part else -1
    return None if start < 0 else (start, start + len(part))
