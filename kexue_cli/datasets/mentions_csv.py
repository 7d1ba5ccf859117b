"""Linked mentions as rows of a table, those of a text one below the other, as CCKS2020's were published again.

Form: CSV rows under the names of their columns: kb_id, mention, offset and text, perhaps mention_type, in any order;
others are left out. A kb_id of NIL is read as in ccks2019.py.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby

from kexue_cli.datasets.ccks2019 import linked_mention
from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import shown
from kexue_cli.records import Record

COLUMNS = frozenset({"kb_id", "mention", "offset", "text"})
TYPE = "mention_type"


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be such rows."""
    columns = head.partition("\n")[0].strip().split(",")
    return COLUMNS.issubset(name.strip('"') for name in columns)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the record of each text and the number of its first line.

    Raises KexueError for a row that is not in the form, or if there are no names of columns.
    """
    for text, rows in groupby(_rows(lines, source, refuse), lambda row: str(row[1]["text"])):
        numbered = list(rows)
        first_line, _ = numbered[0]
        try:
            mentions = [_mention(line, row, source) for line, row in numbered]
        except KexueError as error:
            refuse(str(first_line), error)
        else:
            yield str(first_line), {"text": text, "mentions": mentions}


def _rows(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse) -> Iterator[tuple[int, Record]]:
    """Yield the number of the first line of each row, and its fields by the names of their columns."""
    reader = csv.reader(line + "\n" for _, line in lines)
    columns: list[str] = []
    first = 1  # line of the row
    try:
        for row in reader:
            if not columns:
                columns = _columns(row, source)
            elif row:
                if len(row) == len(columns):
                    yield first, dict(zip(columns, row, strict=True))
                else:
                    told = f"a row must be {','.join(columns)}; found {len(row)} fields: {shown(row)}"
                    told += "; a field with a comma must stand in quotes"
                    refuse(str(first), RecordError(source, first, told))
            first = reader.line_num + 1
    except csv.Error as error:
        refuse(str(first), RecordError(source, first, f"not CSV ({error}); a quote may be open there"))


def _columns(row: list[str], source: str) -> list[str]:
    if not set(row) >= COLUMNS:
        needed = ", ".join(sorted(COLUMNS))
        raise RecordError(source, 1, f"the first row must name the columns {needed}; found {shown(row)}")
    return row


def _mention(line: int, row: Record, source: str) -> Record:
    mention = linked_mention(row, f"{source}:{line}: ")
    return mention | {"type": row[TYPE]} if row.get(TYPE) else mention
