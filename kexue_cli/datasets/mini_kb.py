"""Small knowledge bases whose names tell things of one name apart, as in 龙晶（游戏）; KgCLUE and CN-DBpedia name so.

Form: a line ``{"id", "name", "base", "desc", "triples": [[predicate, object]...]}``: "base" is the name without what
stands in brackets, which is "desc". Further fields are left out.
"""

import re
from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, converted_lines, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.records import Record

FIELDS = tuple(re.compile(rf'"{name}"\s*:') for name in ("name", "base", "triples"))


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be a base in this form."""
    return head.startswith("{") and all(field.search(head) for field in FIELDS)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each entity.

    Raises KexueError for a line that is not in the form.
    """
    return converted_lines(lines, source, _record, refuse)


def _record(value: Record, place: str) -> Record:
    name, base = member(value, "name", str, place), member(value, "base", str, place)
    triples = member(value, "triples", list, place)
    parts = {
        "aliases": [base] if base.strip() and base != name else [],
        "facts": [_fact(triple, f"{place}triples[{i}]") for i, triple in enumerate(triples)],
        "description": member(value, "desc", str, place) if "desc" in value else "",
    }
    record = {"id": member(value, "id", str, place), "name": name}
    return record | {name: part for name, part in parts.items() if part}


def _fact(value: object, place: str) -> Record:
    parts = expect(value, list, place)
    if len(parts) != 2:
        raise KexueError(f"{place} must be [predicate, object]; found {shown(parts)}")
    predicate, object = (expect(part, str, f"{place}[{i}]") for i, part in enumerate(parts))
    return {"predicate": predicate, "object": object}
