"""The 10 million questions of Baidu Zhidao that https://kexue.fm/tag/语料 tells of (2018-01-30).

Form: one JSON list of objects ``{"url", "question", "tags": [str...]}`` over many lines, or such an object a line. Each
question becomes a group of one text, its "url" and "tags" are kept. No more than an object is held at a time.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import member, shown
from kexue_cli.records import Record

FIELDS = tuple(re.compile(rf'"{name}"\s*:') for name in ("url", "question", "tags"))
BETWEEN = " \t,[]"  # around objects
OBJECT_END = re.compile(r"\}[ \t,\]]*$")  # of a line; no string of JSON goes on in the next one


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be these questions: the first object has all three fields."""
    first = head.partition("}")[0]
    return head.startswith(("{", "[")) and all(field.search(first) for field in FIELDS)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the record of each question and the number of the line where its object begins.

    Raises KexueError for what is not in the form.
    """
    for number, text in _pieces(lines, source, refuse):
        place = f"{source}:{number}: "
        try:
            records = [_record(value, place) for value in _objects(text, source, number)]
        except KexueError as error:
            refuse(str(number), error)
        else:
            yield from ((str(number), record) for record in records)


def _record(value: Record, place: str) -> Record:
    texts = [member(value, "question", str, place)]
    return {"texts": texts, **{name: value[name] for name in value if name != "question"}}


def _pieces(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse) -> Iterator[tuple[int, str]]:
    """Yield objects as they stand, mostly one by one, each with the number of its first line."""
    held: list[str] = []
    first = 0
    for number, line in lines:
        if not held:
            line = line.lstrip(BETWEEN)
            if not line:
                continue
            if not line.startswith("{"):
                form = '{"url", "question", "tags"}'
                told = f"expected the beginning of an object {form}; found {shown(line)}"
                refuse(str(number), RecordError(source, number, told))
                continue
            first = number
        held.append(line)
        if OBJECT_END.search(line):
            yield first, "\n".join(held)
            held = []
    if held:
        yield first, "\n".join(held)


def _objects(text: str, source: str, line: int) -> list[Any]:
    """Return the objects of a piece that begins at a line. Raises RecordError if it is not JSON."""
    import orjson

    try:
        objects: list[Any] = orjson.loads(f"[{text.rstrip(BETWEEN)}]")
    except orjson.JSONDecodeError as error:
        found = text.split("\n")[error.lineno - 1]
        raise RecordError(source, line + error.lineno - 1, f"not JSON ({error.msg}); found {shown(found)}") from None
    return objects
