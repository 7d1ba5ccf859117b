"""A text as the reader sees it: normalised, with its words, ids of characters and rows of word vectors.

Letters: t characters, m words.
"""

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.segmentation.segmenter import Segmenter
from kexue_cli.text.normalization import normalize
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class EncodedText:
    """A normalised text of t characters."""

    text: str
    words: tuple[str, ...]  # joined they are the text
    word_of: "npt.NDArray[np.int64]"  # (t,) index of the word of each character
    ids: "npt.NDArray[np.int32]"  # (t,) of the characters
    rows: "npt.NDArray[np.int32]"  # (m,) of the word vectors; 0 where there is none

    def __getitem__(self, window: slice) -> "EncodedText":
        """Return the characters of a window; a word that is cut stays what it is."""
        word_of = self.word_of[window]
        if not len(word_of):
            return EncodedText("", (), word_of, self.ids[:0], self.rows[:0])
        first, behind = int(word_of[0]), int(word_of[-1]) + 1
        words, rows = self.words[first:behind], self.rows[first:behind]
        return EncodedText(self.text[window], words, word_of - first, self.ids[window], rows)

    def keep(self, is_kept: "npt.NDArray[np.bool_]") -> "EncodedText":
        """Return the text without the words (m,) that are not kept."""
        characters = is_kept[self.word_of]
        text = "".join(compress(self.text, characters))
        words = tuple(compress(self.words, is_kept))
        word_of = (np.cumsum(is_kept) - 1)[self.word_of[characters]]
        return EncodedText(text, words, word_of, self.ids[characters], self.rows[is_kept])


class Encoder:
    """Makes encoded texts."""

    def __init__(self, vocabulary: Vocabulary, segmenter: Segmenter, vectors: WordVectors | None) -> None:
        self.vocabulary = vocabulary
        self.segmenter = segmenter
        self.vectors = vectors

    def encode(self, text: str) -> EncodedText:
        """Return a text, position by position the same, as the reader sees it."""
        text = normalize(text)
        words = tuple(self.segmenter.segment(text))
        word_of = np.repeat(np.arange(len(words)), [len(word) for word in words])
        rows = np.zeros(len(words), np.int32) if self.vectors is None else self.vectors.rows(words)
        return EncodedText(text, words, word_of, self.vocabulary.ids(text), rows)
