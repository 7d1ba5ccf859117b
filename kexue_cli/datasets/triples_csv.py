"""Facts of a knowledge base without a text, as in the 25 million triples of https://kexue.fm/archives/4359.

Form: CSV rows ``entity,attribute,value``, where a field with a comma, a quote or a line break stands in quotes; the
first row may hold the names of the columns.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import RecordError
from kexue_cli.fields import shown
from kexue_cli.records import Record

HEADERS = (["实体", "属性", "值"], ["entity", "attribute", "value"], ["subject", "predicate", "object"])
FIELDS = 3


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be facts: rows of three fields, no space around the first two."""
    if head.startswith(("{", "[")):
        return False
    try:
        rows = [row for row in csv.reader(io.StringIO(head, newline="")) if row]
    except csv.Error:
        return False
    rows = rows[:-1] or rows  # the last may be cut off
    return bool(rows) and all(len(row) == FIELDS and row[:2] == [field.strip() for field in row[:2]] for row in rows)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the number of the first line of each row and its record: a subject, a predicate and an object.

    Raises RecordError for a row without three fields.
    """
    reader = csv.reader(line + "\n" for _, line in lines)
    first = 1  # line of the row
    try:
        for row in reader:
            if row and not (first == 1 and row in HEADERS):
                try:
                    record = _record(row, source, first)
                except RecordError as error:
                    refuse(str(first), error)
                else:
                    yield str(first), record
            first = reader.line_num + 1
    except csv.Error as error:  # where the next row begins cannot be told
        refuse(str(first), RecordError(source, first, f"not CSV ({error}); a quote may be open there"))


def _record(row: list[str], source: str, line: int) -> Record:
    if len(row) != FIELDS:
        hint = "a field with a comma must stand in quotes"
        raise RecordError(
            source, line, f"a row must be entity,attribute,value; found {len(row)} fields: {shown(row)}; {hint}"
        )
    subject, predicate, object = row
    return {"subject": subject, "predicate": predicate, "object": object}
