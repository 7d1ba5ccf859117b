"""Texts as arrays, each behind what leads to it. Letters: t characters."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.tasks.generation.conditions import Conditioner, Fields
from kexue_cli.tasks.generation.config import NetworkConfig
from kexue_cli.tasks.generation.records import Condition, Text
from kexue_cli.text.vocabulary import SPACE, UNKNOWN, Vocabulary, spaced

HASH_FACTOR, HASH_SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)  # a multiplicative hash, golden ratio
UNREADABLE = "\ufffd"  # what an unknown character is written as


class Preprocessor:
    """Makes arrays of texts and of their conditions, and texts of ids."""

    def __init__(self, vocabulary: Vocabulary, fields: Fields, network: NetworkConfig) -> None:
        self.vocabulary = vocabulary
        self.fields = fields
        self.network = network
        self.condition = Conditioner(fields, vocabulary).sample

    def lead(self, condition: Condition) -> list[int]:
        """Return the ids of what stands before a text: the one it is conditioned on, if any, and the mark.

        Of a long one only the first part, so that half of the window is left for the text.
        """
        source = self.prefix(self.fields.source(condition)) if self.network.has_prefix else []
        return [*source[: self.network.longest // 2], self.network.begin]

    def ids(self, text: Text) -> tuple["np.ndarray", int]:
        """Return the ids (t,) of a text behind its lead, with the mark that ends it, and the length of the lead."""
        lead = self.lead(text.condition)
        return np.array([*lead, *self.prefix(text.text), self.network.end], np.int32), len(lead)

    def prefix(self, text: str) -> list[int]:
        """Return the ids of how a text begins."""
        ids: list[int] = self.vocabulary.ids(spaced(text)).tolist()
        return ids

    def seen(self, ids: np.ndarray) -> Sample:
        """Return what the decoder sees of ids (..., t): ids, and runs (..., t, lengths) if it reads them."""
        network = self.network
        sample = {"ids": ids}
        if network.runs:
            sample["runs"] = hashed_runs(ids, network.runs, network.buckets)
        return sample

    def text(self, ids: Iterable[int]) -> str:
        """Return the text of ids."""
        characters = self.vocabulary.characters
        first = UNKNOWN + 1
        known = range(first, first + len(characters))
        return "".join(characters[one - first] if one in known else UNREADABLE for one in ids).replace(SPACE, " ")


def hashed_runs(ids: np.ndarray, lengths: Sequence[int], buckets: int) -> np.ndarray:
    """Return the buckets (..., t, lengths) of the runs of characters that end at each place of ids (..., t).

    What is before the first place counts as padding. A run of many characters has no number of its own, as there would
    be too many; its hash decides which vector it shares: https://arxiv.org/abs/1607.01759.
    """
    columns = []
    for length in lengths:
        hashes = np.full(ids.shape, length, np.uint64)
        for back in range(length):
            earlier = np.zeros(ids.shape, np.uint64)
            earlier[..., back:] = ids[..., : ids.shape[-1] - back]
            hashes = (hashes + earlier) * HASH_FACTOR
            hashes ^= hashes >> HASH_SHIFT
        columns.append(hashes % np.uint64(buckets))
    return np.stack(columns, axis=-1).astype(np.int32)


def texts_of(texts: Iterable[Text], fields: Fields) -> Iterator[str]:
    """Yield all texts that characters are counted in."""
    for text in texts:
        yield spaced(text.text)
        yield fields.source(text.condition)


def windows(length: int, size: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield where each window of *size* over *length* places begins, and the first place that none before it had.

    >>> list(windows(10, 4, 2))
    [(0, 0), (2, 4), (4, 6), (6, 8)]
    """
    start = first = 0
    while first < length:
        yield start, first
        start, first = start + step, start + size
