"""Pointers to answers: spans are scored, equal strings vote, the best are the candidates.

Article: https://kexue.fm/archives/5409 (product of the pointers, votes s = sum s^2 / (1 + sum s)). Ours: what counts
against a span, others inside it and punctuation.
Letters: t characters of a window.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kexue_cli.tasks.qa.config import DecodingConfig
from kexue_cli.tasks.qa.metrics import normalize as bare
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    import numpy.typing as npt

POINTERS = 12  # starts, and ends, of a window that are looked at
LARGEST_EXPONENT = 700.0  # e to it is still a float
# An answer with one bracket of a pair is cut.
BRACKETS = (("《", "》"), ("“", "”"), ("「", "」"), ("『", "』"), ("（", "）"), ("(", ")"))
# No answer begins or ends inside an address, a Latin word or a number, which has its sign, its thousands (1,234) and
# what stands behind a point or a colon, unless that is a year (1.2008年 is from a list). A dash is a sign unless it
# stands behind another number (1901-1976) with its unit (8点-17点, 20公里-30公里); two are no range (400-820-8820).
LATIN = "A-Za-zÀ-ÖØ-öø-ɏＡ-Ｚａ-ｚ"
UNIT = r"[^\s至到和或与、，,;；~～]"
YEAR = r"\d{4}年"
ADDRESS = r"https?://[!#-;=?-~]*[A-Za-z0-9/]"
WHOLE = re.compile(
    rf"""
    {ADDRESS} | [A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+
    | [{LATIN}]+(?:['’][{LATIN}]+)*
    | \d+(?:[-－]\d+){{2,}}
    | (?:(?<![\d{LATIN}])(?<!\d{UNIT})(?<!\d{UNIT}{{2}})(?<!\d{UNIT}{{3}})[-−－](?!{YEAR}))?
      (?:\d{{1,3}}(?:[,，]\d{{3}})+(?!\d)|\d+)(?:[.．:：](?!{YEAR})\d+)*
    """,
    re.VERBOSE,
)
# An answer that runs across a mark is rarely right. Lists have 、, numbers a comma or a colon (1,000, 3：1),
# and what 《》 or “” hold is one thing, as an address is.
MARKS = re.compile(
    rf"""
    《[^《》\n]{{1,24}}》 | “[^“”\n]{{1,24}}” | {ADDRESS}
    | (?P<mark>[。！？；!?;…\n]|(?<!\d)[，,：]|[，,：](?!\d))
    """,
    re.VERBOSE,
)
MOST_OCCURRENCES = 5  # of an answer in a passage that count, the surest: what stands there a hundred times is no surer
LARGEST_POINTER = 0.999  # larger ones count as this: ln(1 - 1) is -inf, and the difference of two such sums no number


class Span(NamedTuple):
    """A possible answer: passages[passage][start:end]."""

    passage: int
    start: int
    end: int
    score: float


class Candidate(NamedTuple):
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

    The score of a span is start x end; times config.across_marks if it holds one of MARKS or one of a pair of BRACKETS;
    times the probability that no other answer begins or ends inside it, with config.others_inside as exponent: pointers
    to two answers also point to all that lies from the one to the other. A pointer into one of WHOLE counts as one to
    its edge; alone, such a piece may be longer than config.longest_answer.
    """
    pieces = dict(match.span() for match in WHOLE.finditer(text))
    start, end = _at_edge(start[: len(text)], pieces, 0), _at_edge(end[: len(text)], pieces, -1)
    starts, ends = (_highest(pointers, config.least_pointer) for pointers in (start, end))
    none_starts, none_ends = (_log_none_before(pointers).tolist() for pointers in (start, end))
    marks = [match.start() for match in MARKS.finditer(text) if match["mark"]]
    brackets = [pair for pair in BRACKETS if not set(pair).isdisjoint(text)]
    spans = []
    for first, start_pointer in starts.items():  # plain numbers: there are few, and NumPy's scalars are slow
        for last, end_pointer in ends.items():
            if not first <= last < max(first + config.longest_answer, pieces.get(first, 0)):
                continue
            none_inside = none_starts[last + 1] - none_starts[first + 1] + none_ends[last] - none_ends[first]
            score = start_pointer * end_pointer * math.exp(config.others_inside * none_inside)
            if bisect_left(marks, first) < bisect_right(marks, last) or _is_cut(text[first : last + 1], brackets):
                score *= config.across_marks
            spans.append(Span(passage, offset + first, offset + last + 1, score))
    return spans


def _at_edge(pointers: "npt.NDArray[np.float32]", pieces: dict[int, int], edge: int) -> "npt.NDArray[np.float32]":
    """Return pointers (t,) of which the highest into a piece stands at its edge, and the others of it are 0.

    pieces: where each ends, by where it begins; edge: 0 for its first character, -1 for its last.
    """
    moved = pointers.copy()
    for first, behind in pieces.items():
        inside = moved[first:behind]
        highest = inside.max()
        inside[:] = 0
        inside[edge] = highest
    return moved


def _is_cut(answer: str, brackets: Sequence[tuple[str, str]]) -> bool:
    return any(answer.count(opening) != answer.count(closing) for opening, closing in brackets)


def _highest(pointers: "npt.NDArray[np.float32]", least: float) -> dict[int, float]:
    """Return the highest pointers by their places, at most POINTERS and none that is 0 or below *least*."""
    places = np.flatnonzero((pointers >= least) & (pointers > 0))
    if len(places) > POINTERS:
        places = places[np.argsort(-pointers[places], kind="stable")[:POINTERS]]
    return dict(zip(places.tolist(), pointers[places].tolist(), strict=True))


def _log_none_before(pointers: "npt.NDArray[np.float32]") -> "npt.NDArray[np.float64]":
    """Return (t + 1,) the logarithm of the probability that no answer starts, or ends, before each place.

    As if the places were independent of each other.
    """
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
    for passage, start, end, score in spans:
        place = (passage, start, end)
        places[place] = max(places.get(place, 0.0), score)
    by_answer: dict[str, dict[int, list[tuple[float, int, int]]]] = {}
    for (passage, start, end), score in places.items():
        answer = passages[passage][start:end]
        by_answer.setdefault(answer, {}).setdefault(passage, []).append((score, start, end))
    candidates = []
    asked = bare(normalize(question))
    inside = math.fsum if config.in_passage == "sum" else max  # fsum: whatever the order
    for answer, by_passage in by_answer.items():
        if not (told := bare(normalize(answer))):  # white space
            continue
        factor = config.in_question if told in asked else 1.0
        scores = [factor * inside(_surest(found)) for found in by_passage.values()]
        best = [(-score, passage, start, end) for passage, found in by_passage.items() for score, start, end in found]
        _, passage, start, end = min(best)
        candidates.append(Candidate(answer, probability(_combined(scores, config.voting), config), passage, start, end))
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.passage, candidate.start))


def _surest(found: Iterable[tuple[float, int, int]]) -> list[float]:
    """Return the highest scores of an answer's places in a passage, MOST_OCCURRENCES at most."""
    return sorted((score for score, _, _ in found), reverse=True)[:MOST_OCCURRENCES]


def _combined(scores: Sequence[float], voting: str) -> float:
    if voting == "max":
        return max(scores)
    if voting == "sum":
        return math.fsum(scores)
    return math.fsum(score**2 for score in scores) / (1 + math.fsum(scores))


def probability(votes: float, config: DecodingConfig) -> float:
    """Return the score of an answer with these votes: its chance to be right, as fitted."""
    if votes <= 0:
        return 0.0
    logit = config.slope * math.log(votes) + config.intercept
    return 1 / (1 + math.exp(min(-logit, LARGEST_EXPONENT)))
