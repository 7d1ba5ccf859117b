"""Punctuation put into passages that have none, about where other passages have it.

WebQA's passages have lost theirs, and the pages that readers are asked of have it: a reader that meets punctuation in
other sets only takes it for their manner, and ends its answers as they do.

Letters: m words, t characters.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from kexue_cli.tasks.encoding import EncodedText, Encoder
from kexue_cli.text.normalization import normalize

MARKS = tuple(map(normalize, "，。、；："))
SHARPNESS = 1.5  # power of the odds of a mark: fewer marks at doubtful places, more at the others
WEIGHT = 4.0  # pairs of neighbours that what is known of each word alone counts as

Span = tuple[int, int]


class Punctuation:
    """How often a mark stands between two words, as counted in passages that have marks."""

    def __init__(self, encoder: Encoder, passages: Iterable[EncodedText]) -> None:
        self._marks = [encoder.encode(mark) for mark in MARKS]
        self._pairs: Counter[tuple[str, str]] = Counter()  # neighbours, marks between them left out
        self._parted: Counter[tuple[str, str]] = Counter()  # ... that have one of MARKS between them
        kinds: Counter[str] = Counter()
        for passage in passages:
            if not has_marks(passage):
                continue
            before, mark = "", ""
            for word in passage.words:
                if word in MARKS:
                    mark = word
                    continue
                self._pairs[before, word] += 1
                if mark:
                    self._parted[before, word] += 1
                    kinds[mark] += 1
                before, mark = word, ""
        self._left, self._right = ([_sums(pairs, side) for pairs in (self._pairs, self._parted)] for side in (0, 1))
        self._share = self._parted.total() / max(self._pairs.total(), 1)
        self._kinds = np.array([kinds[mark] for mark in MARKS], float) / max(kinds.total(), 1)

    @property
    def is_known(self) -> bool:
        """Whether any passage had marks."""
        return 0 < self._share < 1

    def chance(self, before: str, behind: str) -> float:
        """Return the probability that a mark stands between two words.

        That of the pair, with what is known of both words alone counted as WEIGHT pairs; these are independent.
        """
        left, right = (self._alone(sums, word) for sums, word in ((self._left, before), (self._right, behind)))
        odds = _odds(left) * _odds(right) / _odds(self._share)
        seen = self._pairs[before, behind]
        return (self._parted[before, behind] + WEIGHT * odds / (1 + odds)) / (seen + WEIGHT)

    def _alone(self, sums: "Sequence[Counter[str]]", word: str) -> float:
        seen, parted = (counts[word] for counts in sums)
        return (parted + WEIGHT * self._share) / (seen + WEIGHT)

    def insert(
        self, passage: EncodedText, spans: Sequence[Span], generator: np.random.Generator
    ) -> tuple[EncodedText, list[Span]]:
        """Return the passage with marks between some of its words, none inside an answer, and where the answers are."""
        is_inside = np.zeros(len(passage.text) + 1, bool)
        for start, end in spans:
            is_inside[start + 1 : end] = True
        ends = np.flatnonzero(np.diff(passage.word_of)) + 1  # characters in front of which a word begins, but the first
        draws = generator.random(len(ends))
        chances = [_sharpened(self.chance(*pair)) for pair in pairwise(passage.words)]
        chosen = {
            int(end): self._marks[int(generator.choice(len(MARKS), p=self._kinds))]
            for end, draw, chance in zip(ends, draws, chances, strict=True)
            if draw < chance and not is_inside[end]
        }
        parts, first = [], 0
        for end, mark in chosen.items():
            parts += [passage[first:end], mark]
            first = end
        moved = np.zeros(len(passage.text) + 1, np.int64)
        for end in chosen:
            moved[end:] += 1
        # an answer that begins behind a mark moves by it, one that ends in front of it does not
        spans = [(start + int(moved[start]), end + int(moved[end - 1])) for start, end in spans]
        return _joined([*parts, passage[first : len(passage.text)]]), spans


def has_marks(passage: EncodedText) -> bool:
    """Say whether a passage has any of MARKS."""
    return not set(MARKS).isdisjoint(passage.words)


def _sums(pairs: Counter[tuple[str, str]], side: int) -> Counter[str]:
    sums: Counter[str] = Counter()
    for pair, count in pairs.items():
        sums[pair[side]] += count
    return sums


def _odds(share: float) -> float:
    return share / (1 - share)


def _sharpened(chance: float) -> float:
    odds: float = _odds(chance) ** SHARPNESS
    return odds / (1 + odds)


def _joined(parts: Sequence[EncodedText]) -> EncodedText:
    """Return texts one behind the other."""
    first = np.cumsum([0, *(len(part.words) for part in parts)])
    return EncodedText(
        "".join(part.text for part in parts),
        tuple(word for part in parts for word in part.words),
        np.concatenate([part.word_of + start for part, start in zip(parts, first, strict=False)]),
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.rows for part in parts]),
    )
