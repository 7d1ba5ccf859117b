"""DuIE 1.0 and 2.0, the relations of LIC2019 and LIC2020, and what follows their form: DeepKE, bert4keras, CMeIE.

Form: a line ``{"text", "spo_list": [{"subject", "predicate", "object", "subject_type", "object_type"}]}``, without
"spo_list" in a test set. Since 2.0 an object may have several slots, ``{"@value": "某角", "inWork": "某剧"}``, and its
type has the same ones. "@value" is the object itself; any other slot becomes a triple with a predicate of its own,
as in 饰演_inWork (https://kexue.fm/archives/7321 does so too). An empty slot stands for none.
A triple may also be a list, ``[subject, predicate, object]``. DeepKE's "subject_offset" and "object_offset" are kept
where they are right. "postag", the words of the text, and further fields are left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kexue_cli.datasets.refusal import Refuse, converted_lines, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown, within
from kexue_cli.records import Record

VALUE = "@value"  # the slot that holds the object itself
FIELD = re.compile(r'"(spo_list|postag)"\s*:')


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be DuIE."""
    return head.startswith("{") and FIELD.search(head) is not None


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each text.

    Raises KexueError for a line that is not in the form.
    """
    return converted_lines(lines, source, _record, refuse)


def _record(value: Record, place: str) -> Record:
    text = member(value, "text", str, place)
    if "spo_list" not in value:
        return {"text": text}
    triples: list[Record] = []
    for i, triple in enumerate(member(value, "spo_list", list, place)):
        triples += _triples(triple, text, f"{place}spo_list[{i}]")
    return {"text": text, "triples": triples}


def _triples(value: Any, text: str, place: str) -> Iterator[Record]:
    """Yield the triple of each slot that the object has."""
    if isinstance(value, list):
        value = _named(value, place)
    subject = member(value, "subject", str, place).strip()
    predicate = member(value, "predicate", str, place)
    types = _slots(value, "object_type", place) if "object_type" in value else {}
    for slot, object in _slots(value, "object", place).items():
        if not object:
            continue
        name = predicate if slot == VALUE else f"{predicate}_{slot}"
        triple: Record = {"subject": subject, "predicate": name, "object": object}
        if "subject_type" in value:
            triple["subject_type"] = member(value, "subject_type", str, place)
        if slot in types:
            triple["object_type"] = types[slot]
        yield triple | _starts(value, triple, text)


def _named(parts: list[Any], place: str) -> Record:
    names = ("subject", "predicate", "object")
    if len(parts) != len(names):
        raise KexueError(f"{place} must be [subject, predicate, object]; found {shown(parts)}")
    return dict(zip(names, parts, strict=True))


def _slots(value: Record, name: str, place: str) -> dict[str, str]:
    """Return the slots of the object or of its type; a string is the object itself."""
    slots = value.get(name)
    here = within(place, name)
    if isinstance(slots, str):
        return {VALUE: slots.strip()}
    if name in value and not isinstance(slots, dict):
        raise KexueError(f'{here} must be a string or {{"{VALUE}"}}; found {shown(slots)}')
    return {
        slot: expect(part, str, within(here, slot)).strip() for slot, part in member(value, name, dict, place).items()
    }


def _starts(value: Record, triple: Record, text: str) -> Record:
    """Return where the subject and the object begin, as far as DeepKE says so rightly."""
    starts: Record = {}
    for name in ("subject", "object"):
        offset = value.get(f"{name}_offset")
        if isinstance(offset, int) and offset >= 0 and text.startswith(triple[name], offset):
            starts[f"{name}_start"] = offset
    return starts
