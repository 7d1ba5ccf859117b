"""Records of a task from files, be they our own JSON lines or in a published format, which is told by its beginning."""

import importlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from kexue_cli.datasets import DATASETS, LeftOut
from kexue_cli.datasets.mixture import Told, mixed_lines, mixed_text, without_mark
from kexue_cli.errors import KexueError, RecordError, UsageError, unknown_name
from kexue_cli.fields import shown
from kexue_cli.records import Block, Problem, Record, invalid_utf8, parse_record, read_lines, read_text, try_lines
from kexue_cli.streams import open_input, peek, source_name

HEAD_BYTES = 8192  # of a file's text, enough to tell its format


def read_records(
    paths: Iterable[str],
    task: str,
    format: str | None = None,
    encoding: str = "utf-8",
    left_out: Counter[str] | None = None,
) -> Iterator[tuple[str, Record]]:
    """Yield where each record stands (``FILE:LINE``, or ``FILE:ID`` in a JSON document) and the record in our form.

    paths: read in this order, ``-`` being standard input; format: of all of them, told from each one's beginning if
    None; left_out: is given the number of published records that have no counterpart among ours, by reason.
    Only the form of a published format is checked; what a record of ours must hold is the task's business.
    Raises KexueError for what cannot be read, UsageError for a format that is unknown or another task's.
    """
    check_format(format, task)
    for path in paths:
        with open_input(path) as stream:
            _, records = open_records(stream, path, task=task, format=format, encoding=encoding, left_out=left_out)
            yield from without_errors(records)


def without_errors(records: Iterable[tuple[str, Record | RecordError]]) -> Iterator[tuple[str, Record]]:
    """Yield what open_records gave; raise the first error instead of it."""
    for where, record in records:
        if isinstance(record, RecordError):
            raise record
        yield where, record


def check_format(format: str | None, task: str | None = None) -> None:
    """Raise UsageError if there is no such format, or if it does not hold records of the task; None is any."""
    if format is None:
        return
    if format not in DATASETS:
        raise UsageError(unknown_name("format", format, DATASETS))
    if task is not None and DATASETS[format].task != task:
        raise UsageError(f"--format {format} holds records of {DATASETS[format].task}, not of {task}")


def open_records(
    stream: BinaryIO,
    path: str | None,
    *,
    task: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    left_out: Counter[str] | None = None,
    told: Told | None = None,
) -> tuple[str | None, Iterator[tuple[str, Record | RecordError]]]:
    """Return the format of an open input, None for our own JSON lines, and its records as read_records yields them.

    Instead of a line of ours that is no record stands the error. task: whose formats come into question, all if None.
    told: if given, reading goes on where it can behind what is not in the form, and lines in another encoding are read;
    it is given the place and the problem of each, before the record behind it is yielded. Raises as read_records.
    """
    source = source_name(path)
    check_format(format, task)
    if told:
        stream = without_mark(stream, source, told)
    if format is None:
        data, stream = peek(stream, HEAD_BYTES, source)
        head = data.decode(encoding, errors="ignore").removeprefix("\ufeff").lstrip()
        format = detect(head, source, task)
    if format is None:
        lines = mixed_lines(stream, path, encoding, told) if told else try_lines(stream, path, encoding=encoding)
        return None, _own_records(lines, source)
    entry = DATASETS[format]
    module = importlib.import_module(entry.module)
    content: Any
    if entry.is_document:
        text = mixed_text(stream, path, encoding, told) if told else read_text(stream, path, encoding=encoding)
        content = parse_document(text, source, f"{format}: {module.EXPECTED}")
    elif told:
        content = _readable(mixed_lines(stream, path, encoding, told), told)
    else:
        content = read_lines(stream, path, encoding=encoding)

    def refuse(place: str, error: KexueError) -> None:
        if told is None:
            raise error
        text = str(error).removeprefix(f"{source}:").removeprefix(f"{place}:").lstrip()
        told(place, Problem("unreadable", "", text.removeprefix(f"{place}: ").removeprefix(f"{place}.")))

    return format, _kept(module.convert(content, source, refuse), source, left_out)


def _readable(lines: Iterable[tuple[int, str | RecordError]], told: Told) -> Iterator[tuple[int, str]]:
    """Yield the lines that could be read, and tell of the others."""
    for number, line in lines:
        if isinstance(line, RecordError):
            told(str(number), Problem("unreadable", "", line.problem))
        else:
            yield number, line


def detect(head: str, source: str, task: str | None = None) -> str | None:
    """Return the format of a file that begins with *head*; None if that is our own JSON lines, or empty.

    task: whose formats come into question, all if None. Raises KexueError if it can be neither.
    """
    candidates = [name for name, entry in DATASETS.items() if task in (None, entry.task)]
    for name in candidates:
        if importlib.import_module(DATASETS[name].module).looks_like(head):
            return name
    if head.startswith("{") or not head:
        return None
    hint = f"name it with --format {'|'.join(candidates)}" if candidates else "records are JSON objects, one a line"
    raise KexueError(f"{source} is in no format known here; it begins {shown(head.splitlines()[0])}; {hint}")


def parse_document(data: bytearray, source: str, expected: str) -> Any:
    """Return the JSON document in *data*; expected: what it should be, for messages.

    Raises RecordError with the line if there is none.
    """
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        problem = error
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise invalid_utf8(Block(bytes(data), 1, source=source), error.start) from None
    place = f"not JSON at column {problem.colno} ({problem.msg})"
    raise RecordError(source, problem.lineno, f"{place}; expected one document of {expected}") from None


def _own_records(
    lines: Iterable[tuple[int, str | RecordError]], source: str
) -> Iterator[tuple[str, Record | RecordError]]:
    for number, line in lines:
        where = f"{source}:{number}"
        if isinstance(line, RecordError):
            yield where, line
        elif line.strip():
            try:
                yield where, parse_record(line, source, number)
            except RecordError as error:
                yield where, error


def _kept(
    converted: Iterable[tuple[str, Record | LeftOut]], source: str, left_out: Counter[str] | None
) -> Iterator[tuple[str, Record]]:
    for place, record in converted:
        if not isinstance(record, LeftOut):
            yield f"{source}:{place}", record
        elif left_out is not None:
            left_out[record.reason] += 1
