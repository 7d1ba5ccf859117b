"""The records of triple extraction: a text and what it says, as subject, predicate and object.

Training and evaluation: ``{"text", "triples": [{"subject", "predicate", "object"}]}``. A triple may have "subject_type"
and "object_type", and "subject_start", "subject_end", "object_start" and "object_end", places in the text, the end
exclusive. A record may have "labelled", the predicates that it is labelled for; without it that is all of them.
Prediction: ``{"text"}``. Facts, as knowledge bases have them, are triples without a text: ``{"subject", "predicate",
"object"}``. Further fields are of no concern here.
A record for training may have "unrelated", a list of ``{"subject", "object"}``: pairs between which no predicate holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kexue_cli.errors import KexueError
from kexue_cli.fields import Refuse, expect, member, shown, stop, tried, within
from kexue_cli.records import Problem, Record
from kexue_cli.text.normalization import normalize

PARTS = ("subject", "predicate", "object")
UNRELATED = "unrelated"  # field of a record, and the predicate that its pairs are learned as


@dataclass(frozen=True)
class Triple:
    """A subject, a predicate and an object."""

    subject: str
    predicate: str
    object: str
    subject_type: str | None = None
    object_type: str | None = None
    subject_start: int | None = None  # where they begin in the text, if that is known
    object_start: int | None = None


@dataclass(frozen=True)
class LabelledText:
    """A text and the triples found there."""

    text: str
    triples: tuple[Triple, ...]
    labelled: frozenset[str] | None = None  # the predicates that were looked for; None: all
    unrelated: tuple[Triple, ...] = ()  # pairs of names between which none of them holds


def read_labelled_text(record: Record, refuse: Refuse = stop) -> LabelledText:
    """Return the text of a record and its triples, be their subjects and objects in the text or not (is_found).

    refuse: is given what is wrong with triples, of which some are left out then, or their places.
    Raises KexueError that names the field, as in ``triples[2].object must be a string; found 3``.
    """
    text = member(record, "text", str)
    values = enumerate(member(record, "triples", list))
    triples = [tried(refuse, _read_triple, value, text, f"triples[{i}]", refuse) for i, value in values]
    read = tuple(triple for triple in triples if triple is not None)
    return LabelledText(text, read, _read_labelled(record), _read_unrelated(record, text))


def _read_triple(value: object, text: str, place: str, refuse: Refuse = stop) -> Triple:
    subject, predicate, object = (_filled(value, name, place) for name in PARTS)
    assert isinstance(value, dict)  # member has seen to it
    return Triple(
        subject,
        predicate,
        object,
        member(value, "subject_type", str, place) if "subject_type" in value else None,
        member(value, "object_type", str, place) if "object_type" in value else None,
        tried(refuse, _read_start, value, "subject", text, place),
        tried(refuse, _read_start, value, "object", text, place),
    )


def _filled(value: object, name: str, place: str = "") -> str:
    text = member(value, name, str, place)
    if not text.strip():
        raise KexueError(f"{within(place, name)} must not be empty")
    return text


def read_fact(record: Record) -> Triple:
    """Return a triple without a text. Raises KexueError that names the field."""
    if not _is_fact(record):
        raise KexueError(f'a fact is {{"subject", "predicate", "object"}}; found {sorted(record)}')
    subject, predicate, object = (_filled(record, name) for name in PARTS)
    return Triple(subject, predicate, object)


def _read_start(value: Record, name: str, text: str, place: str) -> int | None:
    """Return where the subject or object begins, if the triple says so; it must be right, and so must the end."""
    if f"{name}_start" not in value:
        return None
    part = value[name]
    start = member(value, f"{name}_start", int, place)
    end = start + len(part)
    if start < 0 or normalize(text[start:end]) != normalize(part):
        raise KexueError(f"{place}.{name}_start must be where {shown(part)} begins in the text; found {start}")
    if f"{name}_end" in value and member(value, f"{name}_end", int, place) != end:
        found = value[f"{name}_end"]
        raise KexueError(f"{place}.{name}_end must be {end}, where {shown(part)} ends in the text; found {found}")
    return start


def _read_labelled(record: Record) -> frozenset[str] | None:
    if "labelled" not in record:
        return None
    names = member(record, "labelled", list)
    return frozenset(expect(name, str, f"labelled[{i}]") for i, name in enumerate(names))


def _read_unrelated(record: Record, text: str) -> tuple[Triple, ...]:
    if UNRELATED not in record:
        return ()
    pairs = []
    for i, value in enumerate(member(record, UNRELATED, list)):
        place = f"{UNRELATED}[{i}]"
        pairs.append(_read_triple({**expect(value, dict, place), "predicate": UNRELATED}, text, place))
    return tuple(pairs)


def is_found(part: str, text: str) -> bool:
    """Say whether a subject or object stands in a text; width, case and script make no difference."""
    return normalize(part) in normalize(text)


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record: a labelled text, a text to predict from, or a fact."""
    wrong: list[KexueError] = []
    if _is_fact(record):
        for name in PARTS:
            tried(wrong.append, _filled, record, name)
        return [Problem("unreadable", "", str(error)) for error in wrong]
    try:
        is_labelled = "triples" in record
        read = (
            read_labelled_text(record, wrong.append) if is_labelled else LabelledText(member(record, "text", str), ())
        )
    except KexueError as error:
        wrong.append(error)
    if wrong:
        return [Problem("unreadable", "", str(error)) for error in wrong]
    found = [] if read.text.strip() else [Problem("empty", "text", "is empty")]
    return [*found, *_triple_problems(read)]


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    if _is_fact(record):
        return {"triples": 1}
    triples = record.get("triples")
    if not isinstance(triples, list):
        return {"triples": 0}
    return {"triples": len(triples)} if triples else {"triples": 0, "texts without triples": 1}


def _is_fact(record: Record) -> bool:
    return "object" in record and "text" not in record and "triples" not in record


def _triple_problems(read: LabelledText) -> Iterator[Problem]:
    text = normalize(read.text)
    seen = set()
    for i, triple in enumerate(read.triples + read.unrelated):
        place = f"triples[{i}]" if i < len(read.triples) else f"{UNRELATED}[{i - len(read.triples)}]"
        for name, part in (("subject", triple.subject), ("object", triple.object)):
            if normalize(part) not in text:
                yield Problem(f"{name}s not in the text", f"{place}.{name}", f"{shown(part)} is not in the text")
        if read.labelled is not None and triple.predicate not in (*read.labelled, UNRELATED):
            told = f'{shown(triple.predicate)} is not in "labelled", the predicates that the text is labelled for'
            yield Problem("predicates not labelled", f"{place}.predicate", told)
        # the same words at other places are another finding; other types are not, for scoring takes words alone
        key = (triple.subject, triple.predicate, triple.object, triple.subject_start, triple.object_start)
        if key in seen:
            yield Problem("triples given twice", place, f"{shown(list(key[:3]))} is given twice", is_error=False)
        seen.add(key)
