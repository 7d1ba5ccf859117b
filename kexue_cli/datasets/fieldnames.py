"""The fields of records: which are read, and which are written almost like one that is."""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from kexue_cli.records import Record

ALIKE = 0.75  # 2 * letters in common / letters of both: "nmae" and "name" 0.75, "lable" and "label" 0.8
PASSED = frozenset({"id", "gold", "score", "text_id"})  # pass through every task

MENTION = ("mention", "start", "end", "id", "name")
TRIPLE = ("subject", "predicate", "object", "subject_type", "object_type", "subject_start", "subject_end",
          "object_start", "object_end")  # fmt: skip
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {  # of each task's records, and of the objects in their lists
    "qa": {"": ("question", "passages"), "passages": ("text", "answers", "starts")},
    "triples": {"": ("text", "triples", "labelled", "unrelated"), "triples": TRIPLE},
    "schema": {"": ("predicate", "subject_type", "object_type")},
    "linking": {"": ("text", "mentions"), "mentions": MENTION},
    "similarity": {"": ("text_a", "text_b", "label", "texts")},
    "generation": {"": ("condition", "text", "prefix")},
    "segmentation": {"": ("text", "words"), "words": ("word", "start", "end")},
    "knowledge-base": {
        "": ("id", "name", "aliases", "types", "facts", "description"),
        "aliases": ("name", "count", "occurrences"),
        "facts": ("predicate", "object"),
    },
}


class Misspelt(NamedTuple):
    """A field that is not read. holder: the object that has it; place: of that; meant: the field that is like it."""

    holder: Record
    place: str
    name: str
    meant: str


def misspelt(task: str, record: Record) -> Iterator[Misspelt]:
    """Yield the fields that are written almost like one that is read and is not there."""
    for holder, place, known in _objects(task, record):
        missing = [name for name in known if name not in holder]
        for name in holder:
            if name in known or (not place and name in PASSED):
                continue
            for meant in difflib.get_close_matches(name, missing, n=1, cutoff=ALIKE):
                missing.remove(meant)
                yield Misspelt(holder, place, name, meant)


def unknown(task: str, record: Record) -> Iterator[str]:
    """Yield the record's own fields that the task does not read."""
    known = FIELDS[task][""]
    near = {one.name for one in misspelt(task, record) if not one.place}
    if task == "triples" and "text" not in record:
        known = TRIPLE
    yield from (name for name in record if name not in known and name not in PASSED and name not in near)


def _objects(task: str, record: Record) -> Iterator[tuple[dict[str, Any], str, tuple[str, ...]]]:
    for part, known in FIELDS[task].items():
        if not part:
            yield record, "", known
            continue
        values = record.get(part)
        for i, value in enumerate(values if isinstance(values, list) else []):
            if isinstance(value, dict):
                yield value, f"{part}[{i}]", known
