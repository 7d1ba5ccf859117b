"""Groups of texts that mean the same, in one of three forms.

- rows of a group's id and a text with a tab between them, as tongyiju.csv of https://kexue.fm/archives/5743; the rows
  of a group may stand anywhere, and a quote is a part of its text;
- lines ``{"standard": str, "queries": [str...]}``: a standard question and what people asked instead of it, which
  become the texts of one group; further fields are kept;
- lines ``[str...]``.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import expect, member, shown
from kexue_cli.records import Record, parse_record

JSON = ("{", "[")
QUESTION = tuple(re.compile(rf'"{name}"\s*:') for name in ("standard", "queries"))
TEXTS = re.compile(r'\[[ \t]*"')
ID = re.compile(r"[!-~]+")  # no text of ours, nor a word of a segmented one
FIELDS = 2


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be groups; ids that are not ASCII could as well be texts or words."""
    if head.startswith(JSON):
        return TEXTS.match(head) is not None or (head[0] == "{" and all(name.search(head) for name in QUESTION))
    lines = head.split("\n")
    rows = [line.split("\t") for line in lines[: max(1, len(lines) - 1)] if line.strip()]  # the last may be cut
    return bool(rows) and all(len(row) == FIELDS and ID.fullmatch(row[0]) and row[1].strip() for row in rows)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the record of each group and the number of its first line; the first line of the file tells the form.

    A file of rows is read as a whole first. Raises KexueError for a line that is not in the form.
    """
    filled = ((number, line) for number, line in lines if line.strip())
    for first in filled:
        read = _from_json if first[1].lstrip().startswith(JSON) else _from_rows
        yield from read(chain([first], filled), source, refuse)


def _from_rows(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse) -> Iterator[tuple[str, Record]]:
    texts: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != FIELDS:
            form = "a row must be the id of a group and a text with a tab between them"
            refuse(str(number), RecordError(source, number, f"{form}; found {len(fields)} fields: {shown(line)}"))
            continue
        id = fields[0].strip()
        numbers.setdefault(id, number)
        texts.setdefault(id, []).append(fields[1])
    for id, number in numbers.items():
        yield str(number), {"id": id, "texts": texts[id]}


def _from_json(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse) -> Iterator[tuple[str, Record]]:
    for number, line in lines:
        try:
            record = _record(line, source, number)
        except KexueError as error:
            refuse(str(number), error)
        else:
            yield str(number), record


def _record(line: str, source: str, number: int) -> Record:
    place = f"{source}:{number}: "
    if line.lstrip().startswith("["):
        return {"texts": _strings(_parse_list(line, source, number), place)}
    value = parse_record(line, source, number)
    texts = [member(value, "standard", str, place)]
    texts += _strings(member(value, "queries", list, place), f"{place}queries")
    rest = {name: part for name, part in value.items() if name not in ("standard", "queries")}
    return {**rest, "texts": texts}


def _parse_list(line: str, source: str, number: int) -> list[Any]:
    """Return the list on a line that begins as one. Raises RecordError if there is none."""
    import orjson

    try:
        parts: list[Any] = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        place = f"not JSON at column {error.colno} ({error.msg})"
        raise RecordError(source, number, f"{place}; expected a list of texts; found {shown(line)}") from None
    return parts


def _strings(parts: list[Any], place: str) -> list[str]:
    return [expect(part, str, f"{place}[{i}]") for i, part in enumerate(parts)]
