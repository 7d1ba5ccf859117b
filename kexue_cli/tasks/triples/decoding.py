"""From pointers to triples. NumPy only.

Letters: t positions, p predicates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.tasks.triples.config import LIKELIEST, SPAN_POINTS, DecodingConfig
from kexue_cli.tasks.triples.records import Triple

if TYPE_CHECKING:
    import numpy.typing as npt

    Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """A triple in a text: text[start:end] are its subject and its object. score: 0..1."""

    subject_start: int
    subject_end: int
    predicate: str
    object_start: int
    object_end: int
    score: float


@dataclass(frozen=True)
class Name:
    """A span that may be a subject or an object."""

    start: int
    end: int  # exclusive
    probability: float


def names(
    starts: "Probabilities",
    ends: "Probabilities",
    *,
    start: float,
    end: float,
    longest: int,
    is_likeliest: bool = False,
) -> list[Name]:
    """Return spans: each start (t,) above *start* with the nearest end (t,) above *end* at it or behind it.

    The probability of a span is the geometric mean of both. longest: characters of a span.
    is_likeliest: in place of the nearest end, that which is most probably the first one.

    >>> names(np.array([.9, .1, .8]), np.array([.1, .9, .7]), start=.5, end=.5, longest=9)
    [Name(start=0, end=2, probability=0.9), Name(start=2, end=3, probability=0.7483314773547883)]
    """
    found = []
    places = np.flatnonzero(ends > end)
    for first in np.flatnonzero(starts > start).tolist():
        nearest = int(np.searchsorted(places, first))
        if nearest < len(places) and (last := int(places[nearest])) - first < longest:
            chance = float(ends[last])
            if is_likeliest:
                last, chance = _likeliest(ends, places[nearest : np.searchsorted(places, first + longest)])
            found.append(Name(first, last + 1, float(np.sqrt(starts[first] * chance))))
    return found


def _likeliest(ends: "Probabilities", places: "npt.NDArray[np.int64]") -> tuple[int, float]:
    """Return which of some places (k,) is most probably the first end, and that it is: an end, and none before it."""
    chances = ends[places] * np.cumprod(np.append(1.0, 1 - ends[places][:-1]))
    best = int(np.argmax(chances))
    return int(places[best]), float(chances[best])


def subjects_of(pointers: "Probabilities", config: DecodingConfig) -> list[Name]:
    """Return the subjects that the pointers (t, 2) show."""
    limits = {"start": config.subject_start, "end": config.subject_end, **_limits(config)}
    return names(pointers[:, 0], pointers[:, 1], **limits)  # type: ignore[arg-type]


def _limits(config: DecodingConfig) -> dict[str, int | bool]:
    return {"longest": config.longest_name, "is_likeliest": config.ends == LIKELIEST}


def triples_of(
    subject: Name, pointers: "Probabilities", predicates: Sequence[str], config: DecodingConfig
) -> list[Found]:
    """Return the triples of a subject that the pointers (t, 2p) show; the score is P(s) P(o, p | s)."""
    count = len(predicates)
    found = []
    for index in np.flatnonzero((pointers[:, :count] > config.object_start).any(axis=0)).tolist():
        starts, ends = pointers[:, index], pointers[:, count + index]
        limits = {"start": config.object_start, "end": config.object_end, **_limits(config)}
        for name in names(starts, ends, **limits):  # type: ignore[arg-type]
            score = subject.probability * name.probability
            if score >= config.threshold:
                found.append(Found(subject.start, subject.end, predicates[index], name.start, name.end, score))
    return found


def points_of(start: int, end: int) -> "npt.NDArray[np.int32]":
    """Return SPAN_POINTS places of a span, evenly spread from its last character to its first.

    >>> points_of(3, 6).tolist()
    [5, 5, 4, 4, 3, 3]
    """
    return np.rint(np.linspace(end - 1, start, SPAN_POINTS)).astype(np.int32)


def without_repeats(found: Sequence[Found], text: str) -> list[Found]:
    """Return the triples in their order in the text, each once: the same names elsewhere count as the same."""
    best: dict[Triple, Found] = {}
    for triple in found:
        key = as_triple(text, triple)
        if key not in best or triple.score > best[key].score:
            best[key] = triple
    return sorted(best.values(), key=lambda triple: (triple.subject_start, triple.object_start, triple.predicate))


def as_triple(text: str, found: Found) -> Triple:
    """Return a triple by its names."""
    return Triple(
        text[found.subject_start : found.subject_end], found.predicate, text[found.object_start : found.object_end]
    )
