"""Pointers to mentions: of all spans that may be one, those that do not overlap and are the surest together.

Article: https://kexue.fm/archives/6919 (product of the pointers). NumPy only.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.tasks.linking.config import LONGEST_NAME, DecodingConfig

if TYPE_CHECKING:
    import numpy.typing as npt

POINTERS = 64  # starts, and ends, of a window that are looked at


@dataclass(frozen=True)
class Span:
    """A possible mention: text[start:end]. score: the probability that it starts times that it ends there."""

    start: int
    end: int
    score: float


def spans_of(pointers: "npt.NDArray[np.float32]", config: DecodingConfig) -> list[Span]:
    """Return the possible mentions of pointers (t, 2)."""
    starts, ends = (_highest(pointers[:, column], config.least_pointer) for column in (0, 1))
    spans = (
        Span(int(start), int(end) + 1, float(pointers[start, 0] * pointers[end, 1]))
        for start in starts
        for end in ends[(ends >= start) & (ends < start + LONGEST_NAME)]
    )
    return [span for span in spans if span.score >= config.least_pointer]


def _highest(pointers: "npt.NDArray[np.float32]", least: float) -> "npt.NDArray[np.intp]":
    """Return the places of the highest pointers, at most POINTERS and none below *least*, in order."""
    places = np.flatnonzero(pointers >= least)
    if len(places) > POINTERS:
        places = np.sort(places[np.argsort(-pointers[places], kind="stable")[:POINTERS]])
    return places


def surest(spans: Iterable[Span], known: "set[tuple[int, int]]", config: DecodingConfig) -> list[Span]:
    """Return the spans that do not overlap whose scores are, in sum, farthest above what is asked of each.

    known: the places of names that the base has; of others more may be asked.
    """
    likely: dict[tuple[int, int], tuple[float, Span]] = {}
    for span in spans:
        place = (span.start, span.end)
        gain = span.score - (config.mention if place in known else config.unknown)
        if gain >= 0 and gain >= likely.get(place, (0.0, span))[0]:
            likely[place] = (gain, span)
    ordered = sorted(likely.values(), key=lambda item: (item[1].end, item[1].start))
    return _scheduled([span for _, span in ordered], [gain for gain, _ in ordered])


def _scheduled(spans: Sequence[Span], gains: Sequence[float]) -> list[Span]:
    """Return the spans, ordered by their ends, that do not overlap and have the largest sum of gains."""
    ends = [span.end for span in spans]
    best = [0.0]
    before = []  # how many spans end where this one starts, or earlier
    for index, (span, gain) in enumerate(zip(spans, gains, strict=True)):
        before.append(bisect_right(ends, span.start, 0, index))
        best.append(max(best[-1], best[before[-1]] + gain))
    chosen = []
    index = len(spans)
    while index:
        if best[before[index - 1]] + gains[index - 1] >= best[index]:
            chosen.append(spans[index - 1])
            index = before[index - 1]
        else:
            index -= 1
    return chosen[::-1]
