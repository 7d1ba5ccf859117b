"""Pointers to answers: spans are scored, equal strings vote, the best are the candidates.

Article: https://kexue.fm/archives/5409 (product of the pointers, votes s = sum s^2 / (1 + sum s)). Ours: what counts
against a span, others inside it and punctuation.
Letters: t characters of a window.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.tasks.qa.config import DecodingConfig
from kexue_cli.tasks.qa.metrics import normalize as bare
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    import numpy.typing as npt

POINTERS = 12  # starts, and ends, of a window that are looked at
LARGEST_EXPONENT = 700.0  # e to it is still a float
MARKS = "，。！？；：!?;…"  # an answer that runs across one is rarely right; lists have 、 and numbers a comma
LARGEST_POINTER = 0.999  # that a span may hold: even then its score is not quite 0


@dataclass(frozen=True)
class Span:
    """A possible answer: passages[passage][start:end]."""

    passage: int
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Candidate:
    """An answer with the place where it scores highest. score: between 0 and 1, about the chance to be right."""

    answer: str
    score: float
    passage: int
    start: int
    end: int


def spans_of(
    start: "npt.NDArray[np.float32]",
    end: "npt.NDArray[np.float32]",
    text: str,
    *,
    passage: int,
    offset: int,
    config: DecodingConfig,
) -> list[Span]:
    """Return the spans of one window with pointers (t,) and its text; offset: where the window begins.

    The score of a span is start x end, times the chance that no other answer begins or ends inside it to the power
    config.others_inside: pointers to two answers also point to all that lies from the one to the other.
    """
    start, end = start[: len(text)], end[: len(text)]
    starts, ends = (_highest(pointers, config.least_pointer) for pointers in (start, end))
    unstarted, unended = (_log_chances_of_none(pointers) for pointers in (start, end))
    spans = []
    for first in starts:
        for last in ends[(ends >= first) & (ends < first + config.longest_answer)]:
            none_inside = unstarted[last + 1] - unstarted[first + 1] + unended[last] - unended[first]
            score = float(start[first] * end[last]) * math.exp(config.others_inside * none_inside)
            if any(mark in MARKS for mark in text[first : last + 1]):
                score *= config.across_marks
            spans.append(Span(passage, offset + int(first), offset + int(last) + 1, score))
    return spans


def _highest(pointers: "npt.NDArray[np.float32]", least: float) -> "npt.NDArray[np.intp]":
    """Return the places of the highest pointers, at most POINTERS and none below *least*."""
    places = np.flatnonzero(pointers >= least)
    if len(places) > POINTERS:
        places = places[np.argsort(-pointers[places], kind="stable")[:POINTERS]]
    return places


def _log_chances_of_none(pointers: "npt.NDArray[np.float32]") -> "npt.NDArray[np.float64]":
    """Return, for each place and behind the last (t + 1,), the logarithm of the chance of no pointer in front of it."""
    logarithms = np.log1p(-np.minimum(pointers.astype(np.float64), LARGEST_POINTER))
    return np.concatenate(([0.0], np.cumsum(logarithms)))


def vote(
    spans: Iterable[Span], passages: Sequence[str], config: DecodingConfig, *, question: str = ""
) -> list[Candidate]:
    """Return the distinct answers of all passages, the best first.

    passages and question: the texts as the user wrote them. Equal strings of one passage count as config.in_passage
    says, those of several passages as config.voting says. A span that two windows show counts once, with the higher
    score; what the question holds already is rarely what it asks for, and counts config.in_question times as much.
    """
    places: dict[tuple[int, int, int], float] = {}
    for span in spans:
        place = (span.passage, span.start, span.end)
        places[place] = max(places.get(place, 0.0), span.score)
    by_answer: dict[str, dict[int, list[tuple[float, int, int]]]] = {}
    for (passage, start, end), score in places.items():
        answer = passages[passage][start:end]
        by_answer.setdefault(answer, {}).setdefault(passage, []).append((score, start, end))
    candidates = []
    asked = bare(normalize(question))
    for answer, by_passage in by_answer.items():
        inside = math.fsum if config.in_passage == "sum" else max  # fsum: whatever the order
        factor = config.in_question if bare(normalize(answer)) in asked else 1.0
        scores = [factor * inside(score for score, _, _ in found) for found in by_passage.values()]
        best = [(-score, passage, start, end) for passage, found in by_passage.items() for score, start, end in found]
        _, passage, start, end = min(best)
        candidates.append(
            Candidate(answer, _probability(_combined(scores, config.voting), config), passage, start, end)
        )
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.passage, candidate.start))


def _combined(scores: Sequence[float], voting: str) -> float:
    if voting == "max":
        return max(scores)
    if voting == "sum":
        return math.fsum(scores)
    return math.fsum(score**2 for score in scores) / (1 + math.fsum(scores))


def _probability(votes: float, config: DecodingConfig) -> float:
    if votes <= 0:
        return 0.0
    logit = config.slope * math.log(votes) + config.intercept
    return 1 / (1 + math.exp(min(-logit, LARGEST_EXPONENT)))
