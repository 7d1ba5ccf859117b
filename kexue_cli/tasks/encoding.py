"""A text as the networks see it: normalised, with its words, ids of characters and rows of word vectors.

Letters: t characters, m words.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError
from kexue_cli.segmentation import task as segmentation
from kexue_cli.segmentation.segmenter import Segmenter
from kexue_cli.text.normalization import normalize
from kexue_cli.text.vocabulary import UNKNOWN, Vocabulary
from kexue_cli.text.word_vectors import VECTORS, WordVectors
from kexue_cli.zoo import find_model, read_sums

if TYPE_CHECKING:
    import numpy.typing as npt

VOCABULARY = "vocabulary.txt"
LEAST_COUNT = 2  # of a character in the training data, to be in the vocabulary


@dataclass(frozen=True)
class EncodingConfig:
    """What a text is encoded with, and how long ones are parted."""

    segmentation: str = "entropy-segmentation-jieba"  # model whose words are used
    words: str = "word-vectors"  # vectors of words; empty for none
    digests: tuple[str, ...] = ()  # SHA-256 of their main files, as the network was trained with
    window: int = 512  # characters of a text that are read at once
    overlap: int = 64  # characters that two windows share; nothing longer is found at a seam

    def __post_init__(self) -> None:
        """Raises KexueError for windows that would not move on."""
        if not 0 <= self.overlap < self.window:
            limits = f"at least 0 and less than preprocessor.window, {self.window}"
            raise KexueError(f"preprocessor.overlap must be {limits}; found {self.overlap}")


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

    def hide(self, share: float, generator: np.random.Generator) -> "EncodedText":
        """Return the text with a share of its words unknown, in characters and vector."""
        is_hidden = generator.random(len(self.words)) < share
        rows = np.where(is_hidden, 0, self.rows).astype(np.int32)
        ids = np.where(is_hidden[self.word_of], UNKNOWN, self.ids).astype(np.int32)
        return EncodedText(self.text, self.words, self.word_of, ids, rows)

    def boundaries(self) -> "npt.NDArray[np.float32]":
        """Return whether a word begins, and whether one ends, at each character (t, 2)."""
        changes = np.flatnonzero(np.diff(self.word_of)) if len(self.text) else np.zeros(0, np.int64)
        columns = np.zeros((len(self.text), 2), np.float32)
        columns[:1, 0] = 1
        columns[changes + 1, 0] = 1
        columns[changes, 1] = 1
        columns[-1:, 1] = 1
        return columns


@cache
def _is_mark(character: str) -> bool:
    return character.isspace() or (unicodedata.category(character)[0] in "PSZ" and character not in "%.+-")


def is_punctuation(text: EncodedText) -> "npt.NDArray[np.bool_]":
    """Return which words (m,) are punctuation or white space; the signs of numbers are not."""
    return np.fromiter((all(map(_is_mark, word)) for word in text.words), np.bool_, len(text.words))


class Encoder:
    """Makes encoded texts."""

    def __init__(self, vocabulary: Vocabulary, segmenter: Segmenter, vectors: WordVectors | None) -> None:
        self.vocabulary = vocabulary
        self.segmenter = segmenter
        self.vectors = vectors

    @property
    def dimension(self) -> int:
        """Numbers of a word vector, v; 0 without word vectors."""
        return self.vectors.dimension if self.vectors else 0

    def encode(self, text: str) -> EncodedText:
        """Return a text, position by position the same, as the networks see it."""
        text = normalize(text)
        words = tuple(self.segmenter.segment(text))
        word_of = np.repeat(np.arange(len(words)), [len(word) for word in words])
        rows = np.zeros(len(words), np.int32) if self.vectors is None else self.vectors.rows(words)
        return EncodedText(text, words, word_of, self.vocabulary.ids(text), rows)

    def word_vectors(self, text: EncodedText) -> "npt.NDArray[np.float32]":
        """Return the vector (t, v) of each character's word; where a word has none, zeros."""
        return self.row_vectors(text.rows)[text.word_of]

    def row_vectors(self, rows: "npt.NDArray[np.int32]") -> "npt.NDArray[np.float32]":
        """Return the vectors (..., v) of rows (...)."""
        if self.vectors is None:
            return np.zeros((*rows.shape, 0), np.float32)
        return self.vectors.vectors(rows)

    def sample(self, text: EncodedText) -> Sample:
        """Return the arrays of a text: text, its ids (t,); boundaries (t, 2) of words; words (t, v), their vectors."""
        sample: Sample = {"text": text.ids, "boundaries": text.boundaries()}
        if self.dimension:
            sample["words"] = self.word_vectors(text)
        return sample


def make_encoder(vocabulary: Vocabulary, config: EncodingConfig) -> Encoder:
    """Return the encoder with the segmentation model and the word vectors that the configuration names."""
    segmenter = segmentation.load(find_model(config.segmentation)).segmenter
    vectors = WordVectors.load(find_model(config.words)) if config.words else None
    return Encoder(vocabulary, segmenter, vectors)


def digests(config: EncodingConfig) -> tuple[str, ...]:
    """Return the SHA-256 of the main file of each model that an encoder refers to, as their folders list them."""
    files = [(config.segmentation, "lexicon.tsv"), (config.words, VECTORS)]
    return tuple(read_sums(find_model(name)).get(file, "") for name, file in files if name)


def load_vocabulary(folder: Path, config: EncodingConfig, size: int) -> Vocabulary:
    """Return the vocabulary of a model folder. size: what its network knows.

    Raises KexueError if it has another size, or a model that it is used with is not the one of the training.
    """
    if digests(config) != config.digests:
        names = " or ".join(filter(None, (config.segmentation, config.words)))
        raise KexueError(f"{folder} was trained with another {names} than the one installed; train it again")
    vocabulary = Vocabulary.read(folder / VOCABULARY)
    if len(vocabulary) != size:
        found = f"{len(vocabulary):,} entries; the network knows {size:,}"
        raise KexueError(f"{folder / VOCABULARY} has {found}; see: kexue models verify")
    return vocabulary


def windows(length: int, config: EncodingConfig) -> Iterator[slice]:
    """Yield windows over a text of *length* characters; two neighbours share config.overlap characters."""
    step = config.window - config.overlap
    for start in range(0, max(length - config.overlap, 1), step):
        yield slice(start, start + config.window)
