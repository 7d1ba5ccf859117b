"""Pairs of texts, labelled by whether or how much they mean the same: LCQMC, BQ, AFQMC, PAWS-X, STS-B and many others.

Form: text, text and label with tabs between them; a quote is a part of its text. A label is a number, or "?" where it
is not told, as in OPPO's questions; a file whose rows all lack it has two texts a row. The first row may hold the names
of the columns, the last being "label" or "score". Or JSON lines with sentence1, sentence2 and label, a number or one in
quotes, as CLUE publishes AFQMC; without a label in its test file. Further fields are kept.
"""

import math
from collections.abc import Iterable, Iterator

from kexue_cli.datasets import groups
from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import member, shown
from kexue_cli.records import Record, parse_record

FIELDS = ("text_a", "text_b", "label")
NOT_TOLD = "?"
UNLABELLED = 2  # fields of a row in a file without labels
SENTENCES = ("sentence1", "sentence2")  # fields of JSON lines
HEADERS = ("label", "score")  # of the last column, in any case


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be pairs: three fields, the last a label or the name of its column."""
    first = head.partition("\n")[0]
    if _is_json(first):
        return True
    fields = first.split("\t")
    label = fields[-1].strip()
    if len(fields) == UNLABELLED:
        return _has_two_texts(head) and not groups.looks_like(head)
    return len(fields) == len(FIELDS) and (_is_header(fields) or label == NOT_TOLD or _number(label) is not None)


def _has_two_texts(head: str) -> bool:
    """Say whether each line has two texts with a tab between them, and so is neither segmented text nor a question."""
    lines = head.split("\n")
    rows = [line.split("\t") for line in lines[: max(1, len(lines) - 1)] if line.strip()]  # the last may be cut
    return all(len(row) == UNLABELLED and row[0].strip() and row[1].strip() for row in rows)


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each pair; without "label" if that is not told.

    Raises RecordError for a row without three fields, or whose label is no number.
    """
    is_first, is_json, width = True, False, len(FIELDS)
    for number, line in lines:
        if not line.strip():
            continue
        fields = line.split("\t")
        is_json = _is_json(line) if is_first else is_json
        width = len(fields) if is_first and len(fields) == UNLABELLED else width
        if is_json or not (is_first and _is_header(fields)):
            try:
                record = _from_json(line, source, number) if is_json else _record(fields, source, number, width)
            except KexueError as error:
                refuse(str(number), error)
            else:
                yield str(number), record
        is_first = False


def _is_json(first: str) -> bool:
    """Say whether a file that begins with this line holds JSON lines."""
    return first.startswith("{") and all(f'"{name}"' in first for name in SENTENCES)


def _from_json(line: str, source: str, number: int) -> Record:
    record = parse_record(line, source, number)
    text_a, text_b = (member(record, name, str, f"{source}:{number}: ") for name in SENTENCES)
    rest = {name: value for name, value in record.items() if name not in (*SENTENCES, "label")}
    label = record.get("label")
    if isinstance(label, str):
        return _record([text_a, text_b, label], source, number) | rest
    return {"text_a": text_a, "text_b": text_b} | ({} if label is None else {"label": label}) | rest


def _record(fields: list[str], source: str, line: int, width: int = len(FIELDS)) -> Record:
    if len(fields) != width:
        form = f"a row must be {', '.join(FIELDS[:width])} with tabs between them"
        raise RecordError(source, line, f"{form}; found {len(fields)} fields: {shown(fields)}")
    text_a, text_b, *labels = fields
    record: Record = {"text_a": text_a, "text_b": text_b}
    label = labels[0] if labels else NOT_TOLD
    if label.strip() == NOT_TOLD:
        return record
    number = _number(label)
    if number is None:
        raise RecordError(
            source, line, f'label must be a number, or "{NOT_TOLD}" if it is not told; found {shown(label)}'
        )
    return record | {"label": number}


def _is_header(fields: list[str]) -> bool:
    return len(fields) == len(FIELDS) and fields[-1].strip().lower() in HEADERS


def _number(text: str) -> float | None:
    """Return the number that a text is, a whole one as int; None if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number
