"""A corpus as numbers on disk, a number a word, so that it can be read several times at the speed of the disk."""

from collections.abc import Callable, Iterator
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.templates.template import PLACEHOLDER, is_word

if TYPE_CHECKING:
    from kexue_cli.segmentation.segmenter import Segmenter

ROOM = 1 << 24  # numbers read at a time
PIECE_BYTES = 1 << 16  # of text numbered at a time
LEAST_TOKENS = 1 << 16


class Clauses(NamedTuple):
    """The clauses of a corpus.

    ids (n,): the number of each word, 0 between clauses, at the beginning and at the end; a file that is mapped.
    words: by number; counts: how often each occurs.
    """

    ids: npt.NDArray[np.int32]
    words: list[str]
    counts: npt.NDArray[np.int64]


class _Numbers:
    """Words to numbers from 1; what is no word, and what would read as a placeholder, is 0."""

    def __init__(self) -> None:
        self.words = [""]
        self.known = 1  # tokens; token 0 is white space
        self.keys = np.zeros(4 * LEAST_TOKENS, np.uint64)
        self.places = np.zeros(4 * LEAST_TOKENS, np.int32)
        self.offsets = np.zeros(LEAST_TOKENS + 1, np.int64)
        self.arena = np.empty(1 << 20, np.uint8)
        self.numbers = np.zeros(LEAST_TOKENS, np.int32)  # of each token, that of the word

    def of(self, data: npt.NDArray[np.uint8], is_start: Any) -> Iterator[npt.NDArray[np.int32]]:
        """Yield the numbers of a text in pieces. is_start: where tokens start."""
        for first in range(0, len(data), PIECE_BYTES):
            behind = min(first + PIECE_BYTES, len(data))
            while first < behind and not is_start[first]:
                first += 1
            self._make_room(len(data) - first if behind == len(data) else _end(is_start, behind) - first)
            tokens = np.empty(behind - first, np.int32)
            written, known = compilation.number_tokens(
                data, first, behind, is_start, self.keys, self.places, self.offsets, self.known, self.arena, tokens
            )
            self._add(known)
            yield self.numbers[tokens[:written]]

    def _add(self, known: int) -> None:
        """Number the words among the tokens that became known."""
        first, behind = self.offsets[[self.known, known]]
        tokens = self.arena[first:behind].tobytes().decode().split("\n")[:-1]
        are_words = [is_word(token) and token != PLACEHOLDER for token in tokens]
        last = np.cumsum(are_words) + len(self.words) - 1
        self.numbers[self.known : known] = np.where(are_words, last, 0)
        self.words += compress(tokens, are_words)
        self.known = known

    def _make_room(self, size: int) -> None:
        """Grow what is too small for a text of *size* bytes."""
        if 2 * (self.known + size) > len(self.keys):
            slots = 1 << (2 * (self.known + size)).bit_length()
            keys, places = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
            compilation.move_tokens(keys, places, self.keys, self.places)
            self.keys, self.places = keys, places
        self.offsets = _grown(self.offsets, self.known + size + 1)
        self.numbers = _grown(self.numbers, self.known + size)
        self.arena = _grown(self.arena, int(self.offsets[self.known]) + 2 * size)


def _end(is_start: Any, place: int) -> int:
    """Return where the token ends that a place is in."""
    while place < len(is_start) and not is_start[place]:
        place += 1
    return place


def _grown(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    if size <= len(array):
        return array
    larger = np.zeros(2 * size, array.dtype)
    larger[: len(array)] = array
    return larger


def read_clauses(
    corpus: Corpus, segmenter: "Segmenter | None", path: Path, advance: Callable[[int], None] = lambda size: None
) -> Clauses:
    """Write the clauses of a corpus to a file of numbers and return them. The text is read once.

    segmenter: cuts the text into words; None if white space stands between them.
    """
    numbers = _Numbers()
    zero = np.zeros(1, np.int32)
    with path.open("wb") as file:
        zero.tofile(file)
        for block in corpus.stream():
            text = np.frombuffer(block.data, np.uint8)
            if segmenter is None:
                is_start = np.zeros(len(text), np.uint8)
                compilation.word_starts(text, is_start)
            else:
                is_start = np.frombuffer(segmenter.starts(block), np.uint8)
            for piece in numbers.of(text, is_start):
                piece.tofile(file)
            zero.tofile(file)
            advance(len(block.data))
    ids: npt.NDArray[np.int32] = np.memmap(path, np.int32, "r+")
    counts = np.zeros(len(numbers.words), np.int64)
    for start in range(0, len(ids), ROOM):
        counts += np.bincount(ids[start : start + ROOM], minlength=len(counts))
    counts[0] = 0
    return Clauses(ids, numbers.words, counts)


def pieces(ids: npt.NDArray[np.int32], size: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of pieces of whole clauses with their separators, of *size* numbers or a little more."""
    first = 0
    while first < len(ids):
        behind = min(first + size, len(ids))
        while ids[behind - 1] != 0:
            behind += 1
        yield first, behind
        first = behind
