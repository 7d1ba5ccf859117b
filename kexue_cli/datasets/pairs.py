"""Pairs of texts, labelled by whether or how much they mean the same: LCQMC, BQ, AFQMC, PAWS-X, STS-B and many others.

Form: text, text and label with tabs between them; a quote is a part of its text. A label is a number, or "?" where it
is not told, as in OPPO's questions. The first row may hold the names of the columns, the last being "label" or "score".
Or JSON lines with sentence1, sentence2 and label, a number or one in quotes, as CLUE publishes AFQMC; without a label
in its test file. Further fields are kept.
"""

import math
from collections.abc import Iterable, Iterator

from kexue_cli.errors import RecordError
from kexue_cli.fields import member, shown
from kexue_cli.records import Record, parse_record

FIELDS = ("text_a", "text_b", "label")
NOT_TOLD = "?"
SENTENCES = ("sentence1", "sentence2")  # fields of JSON lines
HEADERS = ("label", "score")  # of the last column, in any case


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be pairs: three fields, the last a label or the name of its column."""
    first = head.partition("\n")[0]
    if _is_json(first):
        return True
    fields = first.split("\t")
    label = fields[-1].strip()
    return len(fields) == len(FIELDS) and (_is_header(fields) or label == NOT_TOLD or _number(label) is not None)


def convert(lines: Iterable[tuple[int, str]], source: str) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each pair; without "label" if that is not told.

    Raises RecordError for a row without three fields, or whose label is no number.
    """
    is_first, is_json = True, False
    for number, line in lines:
        if not line.strip():
            continue
        fields = line.split("\t")
        is_json = _is_json(line) if is_first else is_json
        if is_json:
            yield str(number), _from_json(line, source, number)
        elif not (is_first and _is_header(fields)):
            yield str(number), _record(fields, source, number)
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


def _record(fields: list[str], source: str, line: int) -> Record:
    if len(fields) != len(FIELDS):
        form = f"a row must be {', '.join(FIELDS)} with tabs between them"
        raise RecordError(source, line, f"{form}; found {len(fields)} fields: {shown(fields)}")
    text_a, text_b, label = fields
    record: Record = {"text_a": text_a, "text_b": text_b}
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
