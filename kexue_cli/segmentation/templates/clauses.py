"""A corpus as numbers on disk, a number a word, so that it can be read several times at the speed of the disk."""

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kexue_cli.records import Block
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.templates.template import PLACEHOLDER, is_word

if TYPE_CHECKING:
    from kexue_cli.segmentation.segmenter import Segmenter

SEPARATOR, BOUNDARY = (
    "\x00",
    "\x01",
)  # between words and between clauses while they are numbered; no letters, in texts too
ROOM = 1 << 24  # numbers read at a time


class _Numbers(dict[str, int]):
    """Words to numbers from 1; what is no word, and what would read as a placeholder, is 0."""

    def __missing__(self, token: str) -> int:
        number = len(self.words) if is_word(token) and token != PLACEHOLDER else 0
        if number:
            self.words.append(token)
        self[token] = number
        return number

    def __init__(self) -> None:
        self.words: list[str] = [""]


class Clauses(NamedTuple):
    """The clauses of a corpus.

    ids (n,): the number of each word, 0 between clauses, at the beginning and at the end; a file that is mapped.
    words: by number; counts: how often each occurs.
    """

    ids: npt.NDArray[np.int32]
    words: list[str]
    counts: npt.NDArray[np.int64]


def read_clauses(
    corpus: Corpus, segmenter: "Segmenter | None", path: Path, advance: Callable[[int], None] = lambda size: None
) -> Clauses:
    """Write the clauses of a corpus to a file of numbers and return them. The text is read once.

    segmenter: cuts the text into words; None if white space stands between them.
    """
    numbers = _Numbers()
    with path.open("wb") as file:
        array("i", [0]).tofile(file)
        for block in corpus.stream():
            tokens = _tokens(block, segmenter)
            array("i", map(numbers.__getitem__, tokens)).tofile(file)
            array("i", [0]).tofile(file)
            advance(len(block.data))
    ids: npt.NDArray[np.int32] = np.memmap(path, np.int32, "r+")
    counts = np.zeros(len(numbers.words), np.int64)
    for start in range(0, len(ids), ROOM):
        counts += np.bincount(ids[start : start + ROOM], minlength=len(counts))
    counts[0] = 0
    return Clauses(ids, numbers.words, counts)


def _tokens(block: Block, segmenter: Any) -> list[str]:
    """Return the words of a block; between lines, and where white space stands in a line, a token that is no word."""
    if segmenter is None:
        return block.data.decode().replace("\n", f" {BOUNDARY} ").split()
    text = segmenter.write(block, SEPARATOR).decode()
    return f"{SEPARATOR}{BOUNDARY}{SEPARATOR}".join(text.split()).split(SEPARATOR)


def pieces(ids: npt.NDArray[np.int32], size: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of pieces of whole clauses with their separators, of *size* numbers or a little more."""
    first = 0
    while first < len(ids):
        behind = min(first + size, len(ids))
        while ids[behind - 1] != 0:
            behind += 1
        yield first, behind
        first = behind
