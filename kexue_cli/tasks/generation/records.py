"""The records of generation: a condition, and for training and evaluation the text that was written under it.

``{"condition": {...}, "text": str}``: the fields of the condition are categories (strings or whole numbers), numbers,
one vector (a list of numbers) or one other text; which is which follows from the data, or from options. For prediction
``{"condition": {...}}``, or the fields of the condition themselves, with an optional "prefix", how the text begins.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.fields import member, shown
from kexue_cli.records import Problem, Record

Condition = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A text and the condition it was written under."""

    condition: Condition
    text: str


@dataclass(frozen=True)
class Request:
    """The condition of a text that is to be written; prefix: how it begins."""

    condition: Condition
    prefix: str = ""


def read_text(record: Record) -> Text:
    """Return the text of a record with its condition.

    Raises KexueError that names the field.
    """
    condition = member(record, "condition", dict) if "condition" in record else {}
    return Text(checked(condition, "condition."), member(record, "text", str))


def read_request(record: Record, names: Iterable[str] = (), prefix: str = "") -> Request:
    """Return what is to be written. names: fields that are the condition of a record without "condition".

    prefix: of a record without one. Raises KexueError that names the field.
    """
    prefix = member(record, "prefix", str) if "prefix" in record else prefix
    if "condition" in record:
        return Request(checked(member(record, "condition", dict), "condition."), prefix)
    condition = {name: record[name] for name in names if name in record}
    if not condition:
        raise KexueError(f"missing field 'condition'; found {sorted(record)}")
    return Request(checked(condition, ""), prefix)


def checked(condition: Condition, place: str) -> Condition:
    """Return a condition whose fields hold strings, numbers, truth values or vectors; raise KexueError otherwise."""
    for name, value in condition.items():
        is_vector = isinstance(value, list) and value and all(is_number(one) for one in value)
        if not (is_vector or isinstance(value, str | bool) or is_number(value) or value is None):
            raise KexueError(f"{place}{name} must be a string, a number or a list of numbers; found {shown(value)}")
    return condition


def is_number(value: object) -> bool:
    """Say whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record."""
    try:
        text = read_text(record)
    except KexueError as error:
        return [Problem("unreadable", "", str(error))]
    found = []
    if not text.text.strip():
        found.append(Problem("empty", "text", "is empty"))
    if all(value is None for value in text.condition.values()):
        found.append(Problem("without a condition", "condition", "tells nothing", is_error=False))
    return found


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    text = record.get("text")
    return {"texts": 1, "characters": len(text) if isinstance(text, str) else 0}
