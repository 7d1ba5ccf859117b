"""Word vectors: a folder with a word a line, and a row of half precision numbers for each.

The rows stay on disk and are read as they are needed. Row 0 is zero: it is the row of every word that is not known.
"""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.arrays import read_in_place
from kexue_cli.errors import KexueError
from kexue_cli.streams import read_whole
from kexue_cli.text.normalization import normalize
from kexue_cli.zoo import file_digest, read_config

if TYPE_CHECKING:
    import numpy.typing as npt

WORDS = "vocabulary.txt"  # line number = row
VECTORS = "vectors.npy"
MOST_BYTES = 1 << 30  # of the words
UNKNOWN = "<unknown>"  # what stands for row 0
DIGITS = {ord(digit): "0" for digit in "123456789"}


def shape(text: str) -> str:
    """Return a text with 0 for each ASCII digit: 1998年 and 2026年 are one word, 0000年."""
    return text.translate(DIGITS)


class WordVectors:
    """The vectors of words. Safe to use from several threads."""

    def __init__(self, words: list[str], table: "npt.NDArray[np.float16]", folder: Path) -> None:
        self.words = words
        self.table = table  # (words, dimension)
        self.folder = folder
        self._row = {word: row for row, word in enumerate(words) if row}

    @classmethod
    def load(cls, folder: str | Path) -> "WordVectors":
        """Return the word vectors in a model folder. Raises KexueError if there are none, or they are damaged."""
        path = Path(folder)
        task = read_config(path)["task"]
        if task != "words":
            raise KexueError(f"{path} is a model for {task}, not word vectors")
        data = read_whole(path / WORDS, MOST_BYTES)
        try:
            words = data.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
            table = read_in_place(path / VECTORS, np.float16, 2)
        except OSError as error:
            raise KexueError(f"cannot read {path / VECTORS}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise KexueError(f"the words in {path} are damaged; see: kexue models verify") from None
        if len(table) != len(words):
            found = f"{len(table)} for {len(words)} words"
            raise KexueError(f"{path / VECTORS} must have a row for each word; found {found}")
        return cls(words, table, path)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.table.shape[1])

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the vectors' file: a network that was trained with these vectors works with these only."""
        return file_digest(self.folder / VECTORS)

    def rows(self, words: Iterable[str]) -> "npt.NDArray[np.int32]":
        """Return the row of each word, 0 where it is not known. Words are normalised as in training."""
        find = self._row.get
        return np.fromiter((find(shape(normalize(word)), 0) for word in words), np.int32)

    def vectors(self, rows: "npt.NDArray[np.int32]") -> "npt.NDArray[np.float32]":
        """Return the vectors of rows (n,) as an array (n, dimension). Raises KexueError for a row that is not there."""
        try:
            return self.table[rows].astype(np.float32)
        except IndexError:
            problem = f"{self.folder / VECTORS} has {len(self.table)} rows; one that is not there is asked"
            raise KexueError(problem) from None

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """Return the words nearest to a word, with their cosines. Raises KexueError if the word has no vector."""
        row = int(self.rows([word])[0])
        if not row:
            raise KexueError(f"{word!r} has no vector in {self.folder}; {len(self.words) - 1:,} words have one")
        table = self.table.astype(np.float32)
        lengths = np.linalg.norm(table, axis=1)
        cosines = table @ table[row] / np.maximum(lengths * lengths[row], 1e-12)
        cosines[[0, row]] = -2
        return [(self.words[index], float(cosines[index])) for index in np.argsort(-cosines, kind="stable")[:count]]


def load(folder: str | Path, *, threads: int = 1) -> WordVectors:
    """Return the word vectors in a folder; for the loader. They need no threads."""
    return WordVectors.load(folder)
