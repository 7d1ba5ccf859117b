"""What of a record may stand elsewhere too: the same record, the same question, the same text with another label.

Texts are compared without width, case, script (text.normalization) and white space at their ends. Of each record some
hashes are kept, and where it stands, in as few bytes as a dictionary takes.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from kexue_cli.records import Problem, Record
from kexue_cli.text.normalization import normalize

ID = "id"
DUPLICATES = "duplicates"
PLACE = struct.Struct("=QQ?")  # answer, content, is_other; behind them where it is
IDS = frozenset({"id", "text_id", "url", "gold", "score"})  # fields that differ between records that are the same


class Said(NamedTuple):
    """Something that a record says. kind: of thing; asked: what it is of; answer: its label, None if it has none.

    is_whole: whether another record that says it is the same record; is_error: whether another answer is a mistake.
    """

    kind: str
    asked: str
    answer: str | None = None
    is_whole: bool = False
    is_error: bool = True


class Place(NamedTuple):
    """Where something was said first. answer, content: hashes of the label and of the record; 0 for no label."""

    where: str
    answer: int
    content: int
    is_other: bool  # whether it stands in a file that the checked ones must have nothing in common with

    def packed(self) -> bytes:
        """Return it as bytes, which take a third of the memory of the parts."""
        return PLACE.pack(self.answer, self.content, self.is_other) + self.where.encode(errors="surrogateescape")

    @classmethod
    def unpacked(cls, data: bytes) -> "Place":
        """Return what packed made bytes of."""
        where = data[PLACE.size :].decode(errors="surrogateescape")
        return cls(where, *PLACE.unpack_from(data))


class Memory:
    """What was said so far, and where."""

    def __init__(self) -> None:
        self.places: dict[int, bytes] = {}

    def problems(self, task: str, record: Record) -> Iterator[Problem]:
        """Yield what of a record was said before, or said otherwise."""
        content = _content(record)
        for said in sayings(task, record):
            packed = self.places.get(_hash(task, said.kind, said.asked))
            if packed is None:
                continue
            problem = _problem(said, Place.unpacked(packed), content)
            if problem is not None:
                yield problem
                if said.is_whole:  # its parts are told with it
                    return

    def add(self, task: str, record: Record, where: str, *, is_other: bool = False) -> None:
        """Take in a record; what was said before stays with the place where it was."""
        content = _content(record)
        for said in sayings(task, record):
            answer = 0 if said.answer is None else _hash(said.answer)
            place = Place(where, answer, content, is_other)
            self.places.setdefault(_hash(task, said.kind, said.asked), place.packed())


def _problem(said: Said, first: Place, content: int) -> Problem | None:
    answer = 0 if said.answer is None else _hash(said.answer)
    if answer and first.answer and answer != first.answer:
        if said.kind == ID:
            return Problem("ids given twice", "id", f"is that of another entity too, at {first.where}")
        if not said.is_error:
            told = f"the same {said.kind} is under another condition at {first.where}"
            return Problem("texts under several conditions", "", told, is_error=False)
        return Problem("contradictory labels", "", f"the same {said.kind} is labelled otherwise at {first.where}")
    if first.is_other:
        return Problem("leaks" if said.is_whole else f"repeated {said.kind}s", "", f"the same {said.kind} is at "
                       f"{first.where}", is_error=said.is_whole)  # fmt: skip
    if said.is_whole:
        is_exact = content == first.content
        told = (
            f"is the same as {first.where}"
            if is_exact
            else f"says the same as {first.where}, written otherwise or with other fields"
        )
        return Problem(DUPLICATES if is_exact else "near duplicates", "", told, is_error=False)
    return Problem(f"repeated {said.kind}s", "", f"the same {said.kind} is at {first.where}", is_error=False)


def sayings(task: str, record: Record) -> list[Said]:
    """Return what a record says, the whole first; nothing for one that is not in its form."""
    try:
        return list(SAYINGS[task](record))
    except (KeyError, TypeError, AttributeError, ValueError):
        return []


def _qa(record: Record) -> Iterator[Said]:
    passages = [value if isinstance(value, dict) else {"text": value} for value in record["passages"]]
    question = _bare(record["question"])
    answers = [sorted(map(_bare, value["answers"])) for value in passages if "answers" in value]
    asked = _joined([question, *(_bare(value["text"]) for value in passages)])
    yield Said("question with its passages", asked, _joined(answers) if answers else None, is_whole=True)
    if question:
        yield Said("question", question)


def _triples(record: Record) -> Iterator[Said]:
    if "text" not in record:
        yield Said("triple", _joined([_bare(record[name]) for name in ("subject", "predicate", "object")]), None, True)
        return
    answer = None
    if "triples" in record:
        parts = ("subject", "predicate", "object", "subject_start", "object_start")
        answer = _joined([sorted({_joined([value.get(name) for name in parts]) for value in record["triples"]}),
                          sorted(record.get("labelled", []))])  # fmt: skip
    yield Said("text", _bare(record["text"]), answer, is_whole=True)


def _schema(record: Record) -> Iterator[Said]:
    said = _joined([record["predicate"], record["subject_type"], record["object_type"]])
    yield Said("predicate with these types", said, None, is_whole=True)


def _linking(record: Record) -> Iterator[Said]:
    parts = ("start", "mention", "id", "name")
    answer = None
    if "mentions" in record:
        answer = _joined(sorted({_joined([value.get(name) for name in parts]) for value in record["mentions"]}))
    yield Said("text", _bare(record["text"]), answer, is_whole=True)


def _similarity(record: Record) -> Iterator[Said]:
    if "texts" in record:
        texts = sorted(set(map(_bare, record["texts"])))
        yield Said("group", _joined(texts), None, is_whole=True)
        if len(texts) > 1:  # texts alone are in no group
            for text in texts:
                yield Said("text", text, _joined(texts))
        return
    label = record.get("label")
    asked = _joined(sorted([_bare(record["text_a"]), _bare(record["text_b"])]))
    yield Said("pair", asked, None if label is None else str(float(label)), is_whole=True)


def _generation(record: Record) -> Iterator[Said]:
    condition = json.dumps(record["condition"], ensure_ascii=False, sort_keys=True)
    if "text" in record:
        yield Said("text and condition", _joined([_bare(record["text"]), condition]), None, is_whole=True)
        yield Said("text", _bare(record["text"]), condition, is_error=False)


def _segmentation(record: Record) -> Iterator[Said]:
    words = [value["word"] for value in record["words"]] if "words" in record else None
    text = record["text"] if "text" in record else "".join(words or [])
    yield Said("text", _bare(text), None if words is None else _joined(words), is_whole=True)


def _base(record: Record) -> Iterator[Said]:
    yield Said(ID, record["id"].strip(), _joined([_content(record)]), is_whole=True)


SAYINGS = {
    "qa": _qa,
    "triples": _triples,
    "schema": _schema,
    "linking": _linking,
    "similarity": _similarity,
    "generation": _generation,
    "segmentation": _segmentation,
    "knowledge-base": _base,
}


def _bare(text: str) -> str:
    return normalize(text).strip()


def _joined(parts: Iterable[Any]) -> str:
    """Return values as one text in which they can still be told apart, compared as texts are."""
    return normalize(json.dumps(list(parts), ensure_ascii=False))


def _hash(*parts: str) -> int:
    return int.from_bytes(blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=8).digest(), "big") or 1


def _content(record: Record) -> int:
    """Return a hash of what a record holds, without what only names it."""
    content = {name: value for name, value in record.items() if name not in IDS}
    return _hash(json.dumps(content, ensure_ascii=False, sort_keys=True, default=str))
