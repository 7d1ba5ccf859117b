"""What of a record can be put right without a guess about what was meant: places, spelling of fields, white space."""

import copy
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from kexue_cli.datasets.fieldnames import misspelt
from kexue_cli.fields import shown, within
from kexue_cli.records import Problem, Record
from kexue_cli.text.normalization import normalize

MOVED, RENAMED, CLEANED, NUMBERED = "spans moved", "fields renamed", "ids cleaned", "labels made numbers"


def repaired(task: str, record: Record) -> tuple[Record, list[Problem]]:
    """Return a record as it should be, and what was changed; the record itself stays as it is.

    What cannot be put right is left as it was.
    """
    record = copy.deepcopy(record)
    changes = []
    for one in list(misspelt(task, record)):
        one.holder[one.meant] = one.holder.pop(one.name)
        changes.append(Problem(RENAMED, within(one.place, one.name), f"renamed to {one.meant!r}"))
    repair = REPAIRS.get(task)
    return record, [*changes, *(repair(record) if repair else ())]


def nearest(part: str, text: str, start: int) -> int | None:
    """Return where a part begins in a text, of several places the nearest to *start*, of two so the first.

    Width, case and script make no difference. None if it is not there.

    >>> nearest("鲁迅", "鲁迅是谁？鲁迅是作家。", 4)
    5
    """
    part, text = normalize(part), normalize(text)
    places = []
    found = text.find(part) if part else -1
    while found >= 0:
        places.append(found)
        found = text.find(part, found + 1)
    return min(places, key=lambda place: (abs(place - start), place), default=None)


def clean_id(id: str) -> str:
    """Return an id in half width, without white space around it."""
    wide = "".join(
        unicodedata.normalize("NFKC", one) if unicodedata.east_asian_width(one) == "F" else one for one in id
    )
    return wide.strip()


def _moved(holder: Record, start_name: str, end_name: str, part: Any, text: Any, place: str) -> Iterator[Problem]:
    """Put the start of a part, and its end if it is there, where the part stands."""
    if not (isinstance(part, str) and part.strip() and isinstance(text, str)) or start_name not in holder:
        return
    given = holder[start_name]
    number = _whole(given)
    if number is None:
        return
    is_right = number >= 0 and normalize(text[number : number + len(part)]) == normalize(part)
    start = number if is_right else nearest(part, text, number)
    if start is None:
        return
    if given != start or type(given) is not int:
        yield Problem(MOVED, within(place, start_name), f"{shown(part)}: {shown(given)} made {start}")
        holder[start_name] = start
    end = start + len(part)
    if end_name in holder and (holder[end_name] != end or type(holder[end_name]) is not int):
        yield Problem(MOVED, within(place, end_name), f"{shown(part)}: {shown(holder[end_name])} made {end}")
        holder[end_name] = end


def _whole(value: object) -> int | None:
    """Return a whole number, also from its digits; None for anything else."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _objects(record: Record, name: str) -> Iterator[tuple[Record, str]]:
    values = record.get(name)
    for i, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield value, f"{name}[{i}]"


def _repair_qa(record: Record) -> Iterator[Problem]:
    for passage, place in _objects(record, "passages"):
        answers, starts, text = passage.get("answers"), passage.get("starts"), passage.get("text")
        if not (isinstance(answers, list) and isinstance(starts, list) and isinstance(text, str)):
            continue
        if len(answers) != len(starts):
            del passage["starts"]
            yield Problem(MOVED, f"{place}.starts", f"left out: {len(starts)} for {len(answers)} answers")
            continue
        for i, answer in enumerate(answers):
            number = _whole(starts[i])
            if not (isinstance(answer, str) and answer) or number is None:
                continue
            if type(starts[i]) is int and number >= 0 and text.startswith(answer, number):
                continue
            exact = [at for at in range(len(text)) if text.startswith(answer, at)]
            if not exact:  # written otherwise, in width or script: it has no place of its own
                del passage["starts"]
                yield Problem(MOVED, f"{place}.starts", f"left out: {shown(answer)} is not in the passage as it is")
                break
            start = min(exact, key=lambda at: (abs(at - number), at))
            yield Problem(MOVED, f"{place}.starts[{i}]", f"{shown(answer)}: {shown(starts[i])} made {start}")
            starts[i] = start


def _repair_triples(record: Record) -> Iterator[Problem]:
    for triple, place in _objects(record, "triples"):
        for name in ("subject", "object"):
            yield from _moved(triple, f"{name}_start", f"{name}_end", triple.get(name), record.get("text"), place)


def _repair_linking(record: Record) -> Iterator[Problem]:
    for mention, place in _objects(record, "mentions"):
        yield from _moved(mention, "start", "end", mention.get("mention"), record.get("text"), place)
        yield from _cleaned(mention, place)


def _repair_base(record: Record) -> Iterator[Problem]:
    yield from _cleaned(record, "")


def _cleaned(holder: Record, place: str) -> Iterator[Problem]:
    id = holder.get("id")
    if isinstance(id, str) and clean_id(id) != id:
        yield Problem(CLEANED, within(place, "id"), f"{shown(id)} made {shown(clean_id(id))}")
        holder["id"] = clean_id(id)


def _repair_similarity(record: Record) -> Iterator[Problem]:
    label = record.get("label")
    if not isinstance(label, str):
        return
    try:
        number = float(label)
    except ValueError:
        return
    if number == number and abs(number) != float("inf"):
        record["label"] = int(number) if number.is_integer() else number
        yield Problem(NUMBERED, "label", f"{shown(label)} made {record['label']}")


def _repair_segmentation(record: Record) -> Iterator[Problem]:
    words = [value for value, _ in _objects(record, "words")]
    texts = [value.get("word") for value in words]
    text = record.get("text")
    if not all(isinstance(word, str) and word for word in texts) or not isinstance(text, str):
        return
    start = 0
    for i, (value, word) in enumerate(zip(words, map(str, texts), strict=True)):
        start = text.find(word, start)
        if start < 0:
            return
        end = start + len(word)
        if {"start", "end"} <= value.keys() and (value["start"], value["end"]) != (start, end):
            told = f"{shown(word)}: {shown([value['start'], value['end']])} made {[start, end]}"
            yield Problem(MOVED, f"words[{i}]", told)
            value["start"], value["end"] = start, end
        start = end


REPAIRS: dict[str, Callable[[Record], Iterator[Problem]]] = {
    "qa": _repair_qa,
    "triples": _repair_triples,
    "linking": _repair_linking,
    "similarity": _repair_similarity,
    "segmentation": _repair_segmentation,
    "knowledge-base": _repair_base,
}
