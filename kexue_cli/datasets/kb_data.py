"""kb_data, the knowledge base of CCKS2019 task 2 and of CCKS2020 task 3.

Form: a line ``{"alias": [str...], "subject_id", "subject", "type": [str...], "data": [{"predicate", "object"}]}``; the
type of 2020 is a string, with | between several. The predicate 摘要 has the description as its object. An alias that is
the subject itself is left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kexue_cli.datasets.refusal import Refuse, converted_lines, stop
from kexue_cli.fields import expect, member
from kexue_cli.records import Record

FIELD = re.compile(r'"subject_id"\s*:')
DESCRIPTION = "摘要"


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be kb_data."""
    return head.startswith("{") and FIELD.search(head) is not None


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each entity.

    Raises KexueError for a line that is not in the form.
    """
    return converted_lines(lines, source, _record, refuse)


def _record(value: Record, place: str) -> Record:
    name = member(value, "subject", str, place)
    aliases = _strings(value, "alias", place) if "alias" in value else []
    facts = [_fact(fact, f"{place}data[{i}]") for i, fact in enumerate(member(value, "data", list, place))]
    parts = {
        "aliases": [alias for alias in dict.fromkeys(aliases) if alias.strip() and alias != name],
        "types": _types(value, place) if "type" in value else [],
        "facts": [fact for fact in facts if fact["predicate"] != DESCRIPTION],
        "description": "\n".join(fact["object"] for fact in facts if fact["predicate"] == DESCRIPTION),
    }
    record = {"id": member(value, "subject_id", str, place), "name": name}
    return record | {name: part for name, part in parts.items() if part}


def _fact(value: Any, place: str) -> Record:
    return {name: member(value, name, str, place) for name in ("predicate", "object")}


def _types(value: Record, place: str) -> list[str]:
    types = value["type"]
    return types.split("|") if isinstance(types, str) else _strings(value, "type", place)


def _strings(value: Record, name: str, place: str) -> list[str]:
    return [expect(part, str, f"{place}{name}[{i}]") for i, part in enumerate(member(value, name, list, place))]
