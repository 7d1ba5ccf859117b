"""Texts, mentions and candidates to the networks' arrays, for prediction and for training.

Letters: t characters of a text, m words of it, c candidates, w words of an entity, v numbers of a word vector.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.tasks.encoding import EncodedText, Encoder
from kexue_cli.tasks.linking.config import CANDIDATE_FEATURES, CONTEXT_WORDS, DICTIONARY_FEATURES, ENTITY_WORDS

if TYPE_CHECKING:
    import numpy.typing as npt

FEW = 0.5  # times that a name is taken to be linked once more, and seen once: the ratio of one seen once is 0.25
UNDESCRIBED = 0.1  # times that an entity without a description counts in the prior, beside one with it
AROUND = 64  # characters before and behind a mention whose characters are compared with those of an entity
MANY, LONG = 4.0, 8.0  # logarithm of counts, characters of a name: such features are then about 1


@dataclass(frozen=True)
class Name:
    """A name of the base that stands in a text: text[start:end], and how annotators behaved towards it."""

    start: int
    end: int
    count: int  # times it was linked
    occurrences: int  # times it was seen in text, 0 if that was never counted

    @property
    def ratio(self) -> float:
        """How often the name, where it is seen, is a mention; about."""
        return min(1.0, (self.count + FEW) / (self.occurrences + 2 * FEW)) if self.occurrences else FEW


@dataclass(frozen=True, eq=False)
class Candidate:
    """An entity that a mention may mean."""

    place: int  # in the base
    count: int  # times that the name was linked to it
    is_own: bool  # whether the mention is the entity's own name
    is_described: bool
    rows: "npt.NDArray[np.int32]"  # (32,) of the vectors of what is said of it, padded with 0
    characters: frozenset[str] = frozenset()  # of what is said of it


@dataclass(frozen=True, eq=False)
class Context:
    """What stands around a mention."""

    rows: "npt.NDArray[np.int32]"  # (32,) of word vectors, those nearest to it first, padded with 0
    characters: frozenset[str] = frozenset()  # those of the mention left out


def dictionary_features(names: Sequence[Name], length: int) -> "npt.NDArray[np.float32]":
    """Return what the base says of each character (t, 12): of the names that start there, end there, or lie over it.

    Of each of the three: whether there is one, the highest ratio, the ratio of the longest; then the length of the
    longest that starts and that ends there, and how often it was seen.
    """
    columns = np.zeros((length, DICTIONARY_FEATURES), np.float32)
    for name in sorted(names, key=lambda name: name.end - name.start):  # the longest comes last
        ratio, long = name.ratio, (name.end - name.start) / LONG
        seen = math.log1p(name.occurrences) / MANY
        for offset, place in ((0, slice(name.start, name.start + 1)), (1, slice(name.end - 1, name.end)),
                              (2, slice(name.start, name.end))):  # fmt: skip
            columns[place, offset] = 1
            columns[place, 3 + offset] = np.maximum(columns[place, 3 + offset], ratio)
            columns[place, 6 + offset] = ratio
        columns[name.start, 9] = columns[name.end - 1, 10] = long
        columns[name.start, 11] = seen
    return columns


def text_sample(text: EncodedText, encoder: Encoder, names: Sequence[Name]) -> Sample:
    """Return the arrays of a text: text, boundaries, words (tasks/encoding.py), and dictionary (t, 12)."""
    return {**encoder.sample(text), "dictionary": dictionary_features(names, len(text.text))}


def characters_of(text: str) -> frozenset[str]:
    """Return the letters, digits and Chinese characters of a normalised text."""
    return frozenset(filter(str.isalnum, text))


def context_of(text: EncodedText, start: int, end: int, more: Sequence[int] = ()) -> Context:
    """Return what stands around text[start:end]; more: rows of word vectors that come after those of the text."""
    rows = np.zeros(CONTEXT_WORDS, np.int32)
    first, last = int(text.word_of[start]), int(text.word_of[end - 1])
    around = [row for row in _outward(text.rows.tolist(), first, last) if row]
    distinct = list(dict.fromkeys([*around, *more]))[:CONTEXT_WORDS]
    rows[: len(distinct)] = distinct
    outside = text.text[max(0, start - AROUND) : start] + text.text[end : end + AROUND]
    return Context(rows, characters_of(outside) - characters_of(text.text[start:end]))


def _outward(rows: list[int], first: int, last: int) -> list[int]:
    """Return the rows before *first* and behind *last*, those nearest to them first."""
    before, behind = rows[:first][::-1], rows[last + 1 :]
    paired = [row for pair in zip(before, behind, strict=False) for row in pair]
    shorter = min(len(before), len(behind))
    return paired + before[shorter:] + behind[shorter:]


def candidate_features(candidates: Sequence[Candidate], context: Context, ratio: float) -> "npt.NDArray[np.float32]":
    """Return what is known of each candidate (c, 11) before anything is read.

    Logarithm of its share among the candidates, of how often it and how often all were linked; ratio of the name;
    whether it is described, logarithm of its words, and of those that the context has too; whether the mention is its
    own name; the share that each would have if all were alike; logarithm of the characters that the context has too,
    and their share of the most that the context has of any.
    """
    around = set(context.rows[context.rows > 0].tolist())
    common = [len(context.characters & one.characters) for one in candidates]
    most = max(common, default=0) or 1
    priors = [one.count + (FEW if one.is_described else FEW * UNDESCRIBED) for one in candidates]
    total, counted = sum(priors), sum(one.count for one in candidates)
    features = np.zeros((len(candidates), CANDIDATE_FEATURES), np.float32)
    for row, one, prior, shared in zip(features, candidates, priors, common, strict=True):
        words = one.rows[one.rows > 0].tolist()
        row[:] = (
            math.log(prior / total),
            math.log1p(one.count) / MANY,
            math.log1p(counted) / MANY,
            ratio,
            one.is_described,
            math.log1p(len(words)) / MANY,
            math.log1p(len(around.intersection(words))),
            one.is_own,
            1 / len(candidates),
            math.log1p(shared) / MANY,
            shared / most,
        )
    return features


def choice_sample(candidates: Sequence[Candidate], context: Context, ratio: float, encoder: Encoder) -> Sample:
    """Return the arrays of a mention's candidates: context (m, v), descriptions (c, w, v), candidates (c, 11)."""
    rows = np.stack([one.rows for one in candidates]) if candidates else np.zeros((0, ENTITY_WORDS), np.int32)
    return {
        "context": encoder.row_vectors(context.rows),
        "descriptions": encoder.row_vectors(rows),
        "candidates": candidate_features(candidates, context, ratio),
    }
