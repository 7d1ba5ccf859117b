"""What follows from the triples found in a text, and which of them go: rules that a file of each schema declares.

Article: https://kexue.fm/archives/6671 (inverse relations, and triples that its author repaired or dropped by code)

The file is TOML; [[split]], [[drop]], [[nested]], [[inverse]], [[exclusive]] and [[one_pair]] begin a rule each. They
apply in this order, whatever that of the file: parts that were split off can be dropped, inverses follow only from what
is left, and predicates that exclude each other are told apart when all that speak of a pair are there.
Strings are compared in normal form (text.normalization): a rule in simplified script holds for the traditional one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kexue_cli.config import from_mapping, read_toml
from kexue_cli.errors import KexueError
from kexue_cli.tasks.triples.decoding import Found
from kexue_cli.text.normalization import normalize

OTHER = {"subject": "object", "object": "subject"}
KEEPS = ("surest", "first")


@dataclass(frozen=True)
class Scope:
    """The predicates that a rule is about."""

    predicates: tuple[str, ...] = ()  # empty for all
    except_for: tuple[str, ...] = ()

    def covers(self, predicate: str) -> bool:
        """Say whether the rule is about a predicate."""
        return predicate not in self.except_for and (not self.predicates or predicate in self.predicates)

    @property
    def names(self) -> tuple[str, ...]:
        """The predicates that the rule names."""
        return (*self.predicates, *self.except_for)


@dataclass(frozen=True)
class Split(Scope):
    """A list in the place of an object is several objects: 甲、乙 is 甲 and 乙."""

    slot: str = "object"  # or "subject"
    at: str = "、"  # the characters between the parts

    def __post_init__(self) -> None:
        """Raises KexueError for a slot that is not known, and for nothing to split at."""
        _check("split.slot", self.slot, OTHER)
        if not self.at:
            raise KexueError('split.at must hold the characters to split at, as in "、"')

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return the parts in place of what is split, each with the score of the whole; of two the same the surer."""
        best: dict[Found, Found] = {}
        for one in (part for whole in found for part in self._parts(text, whole)):
            place = replace(one, score=0.0)
            best[place] = max(best.get(place, one), one, key=lambda part: part.score)
        return list(best.values())

    def _parts(self, text: str, one: Found) -> Iterator[Found]:
        start, end = _span(one, self.slot)
        marks = re.escape(normalize(self.at))
        if not self.covers(one.predicate) or not re.search(f"[{marks}]", text[start:end]):
            yield one
            return
        for part in re.finditer(rf"[^\s{marks}](?:[^{marks}]*[^\s{marks}])?", text[start:end]):
            yield _moved(one, self.slot, start + part.start(), start + part.end())


@dataclass(frozen=True)
class Drop(Scope):
    """A triple goes if all that the rule says is true of it."""

    subject_ends: tuple[str, ...] = ()  # the subject ends with one of these
    object_ends: tuple[str, ...] = ()
    is_self: bool = False  # subject and object are the same string

    def __post_init__(self) -> None:
        """Raises KexueError for a rule that would drop every triple."""
        if not (self.subject_ends or self.object_ends or self.is_self):
            raise KexueError("drop must say of which triples: give subject_ends, object_ends or is_self")

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what is not dropped."""
        return [one for one in found if not (self.covers(one.predicate) and self._is_met(*_pair(text, one)))]

    def _is_met(self, subject: str, object: str) -> bool:
        return (
            (not self.subject_ends or subject.endswith(tuple(map(normalize, self.subject_ends))))
            and (not self.object_ends or object.endswith(tuple(map(normalize, self.object_ends))))
            and (not self.is_self or subject == object)
        )


@dataclass(frozen=True)
class Nested(Scope):
    """Of two names of which one lies inside the other, where all else is the same, the shorter goes."""

    slot: str = "object"  # or "subject": where the names stand
    unless_beside: str = ""  # the shorter stays if it touches one of these in the longer: 和 in 甲和乙 joins two names

    def __post_init__(self) -> None:
        """Raises KexueError for a slot that is not known."""
        _check("nested.slot", self.slot, OTHER)

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what lies in no longer one."""
        return [one for one in found if not any(self._hides(text, longer, one) for longer in found)]

    def _hides(self, text: str, longer: Found, one: Found) -> bool:
        if longer.predicate != one.predicate or not self.covers(one.predicate):
            return False
        rest = OTHER[self.slot]
        (left, right), (start, end) = _span(longer, self.slot), _span(one, self.slot)
        is_inside = left <= start and end <= right and (left, right) != (start, end)
        if not is_inside or _string(text, longer, rest) != _string(text, one, rest):
            return False
        beside = text[max(left, start - 1) : start] + text[end : min(right, end + 1)]
        return not set(beside) & set(normalize(self.unless_beside))


@dataclass(frozen=True)
class Inverse:
    """If a predicate holds from 甲 to 乙, its inverse holds from 乙 to 甲, and the other way round."""

    predicate: str
    inverse: str  # the same one for a predicate that is symmetric

    @property
    def names(self) -> tuple[str, ...]:
        """The predicates that the rule names."""
        return (self.predicate, self.inverse)

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what was found and then the inverses that were not, each with the score of what it follows from."""
        inverse = {self.predicate: self.inverse, self.inverse: self.predicate}
        known = {(one.predicate, _pair(text, one)) for one in found}
        turned = [_turned(one, inverse[one.predicate]) for one in found if one.predicate in inverse]
        return [*found, *(one for one in turned if (one.predicate, _pair(text, one)) not in known)]


@dataclass(frozen=True)
class Exclusive:
    """Of some predicates at most one holds of a subject and an object."""

    predicates: tuple[str, ...]
    keep: str = "surest"  # of KEEPS; first: the one that the rule names first, however sure the others are

    def __post_init__(self) -> None:
        """Raises KexueError for a way to choose that is not known, and for less than two predicates."""
        _check("exclusive.keep", self.keep, KEEPS)
        if len(self.predicates) < 2:
            raise KexueError(f"exclusive.predicates must name two or more; found {list(self.predicates)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The predicates that the rule names."""
        return self.predicates

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what is not excluded."""
        rivals = [one for one in found if one.predicate in self.predicates]
        kept: dict[tuple[str, str], str] = {}
        for one in sorted(rivals, key=self._rank):
            kept.setdefault(_pair(text, one), one.predicate)
        return [one for one in found if one not in rivals or kept[_pair(text, one)] == one.predicate]

    def _rank(self, one: Found) -> tuple[float, int]:
        return (-one.score if self.keep == "surest" else 0.0, self.predicates.index(one.predicate))


@dataclass(frozen=True)
class OnePair(Scope):
    """A text tells of one pair of names, in either direction: that of its surest triple, of equals the first."""

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what is of this pair, and what the rule is not about."""
        rivals = [one for one in found if self.covers(one.predicate)]
        if not rivals:
            return list(found)
        pair = set(_pair(text, max(rivals, key=lambda one: one.score)))
        return [one for one in found if not self.covers(one.predicate) or set(_pair(text, one)) == pair]


@dataclass(frozen=True)
class Rules:
    """The rules of a schema by kind, in the order in which they apply."""

    split: tuple[Split, ...] = ()
    drop: tuple[Drop, ...] = ()
    nested: tuple[Nested, ...] = ()
    inverse: tuple[Inverse, ...] = ()
    exclusive: tuple[Exclusive, ...] = ()
    one_pair: tuple[OnePair, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> "Rules":
        """Return the rules in a file.

        Raises KexueError if it cannot be read, is not TOML, or has a rule that is not one of these.
        """
        values = read_toml(path)
        try:
            return from_mapping(cls, values, "rules")
        except KexueError as error:
            raise KexueError(f"{path}: {error}") from None

    @property
    def all(self) -> tuple[Split | Drop | Nested | Inverse | Exclusive | OnePair, ...]:
        """The rules of all kinds, in the order in which they apply."""
        return (*self.split, *self.drop, *self.nested, *self.inverse, *self.exclusive, *self.one_pair)

    @property
    def names(self) -> tuple[str, ...]:
        """The predicates that rules name, each once: a schema can check them."""
        return tuple(dict.fromkeys(name for rule in self.all for name in rule.names))

    def apply(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return the triples that a text holds by the rules, from those found in it; what stays keeps its order."""
        text = normalize(text)
        kept = list(found)
        for rule in self.all:
            kept = rule.apply(text, kept)
        return kept


def _check(name: str, value: str, known: Sequence[str] | dict[str, str]) -> None:
    if value not in known:
        raise KexueError(f"{name} must be one of {', '.join(known)}; found {value!r}")


def _span(one: Found, slot: str) -> tuple[int, int]:
    """Return where the subject or the object begins and ends."""
    return (one.subject_start, one.subject_end) if slot == "subject" else (one.object_start, one.object_end)


def _moved(one: Found, slot: str, start: int, end: int) -> Found:
    """Return the same with the subject or the object at another place."""
    if slot == "subject":
        return replace(one, subject_start=start, subject_end=end)
    return replace(one, object_start=start, object_end=end)


def _string(text: str, one: Found, slot: str) -> str:
    start, end = _span(one, slot)
    return text[start:end]


def _pair(text: str, one: Found) -> tuple[str, str]:
    """Return the strings of subject and object."""
    return _string(text, one, "subject"), _string(text, one, "object")


def _turned(one: Found, predicate: str) -> Found:
    """Return the same with subject and object exchanged, and another predicate."""
    return Found(one.object_start, one.object_end, predicate, one.subject_start, one.subject_end, one.score)
