"""An encoder whose words are single characters, so that one can see which words of a text its arrays hold."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kexue_cli.tasks.encoding import Encoder
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.text.word_vectors import WordVectors


class Characters:
    """A segmenter that takes each character for a word."""

    def segment(self, text: str) -> list[str]:
        return list(text)


class CharacterEncoder(Encoder):
    """Knows the characters of a text; the row of a word is its number there, from 1, and its vector holds just that."""

    def __init__(self, known: str) -> None:
        self.known = known
        table = np.arange(len(known) + 1, dtype=np.float16)[:, None]
        super().__init__(Vocabulary(known), Characters(), WordVectors(["", *known], table, Path()))

    def read(self, rows: Iterable[int]) -> str:
        """Return the words of rows, those of padding left out."""
        return "".join(self.known[row - 1] for row in rows if row)
