"""Characters and their ids."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.errors import KexueError, cut
from kexue_cli.streams import read_whole

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_BYTES = 16 << 20  # of a file of a character a line
PADDING, UNKNOWN = 0, 1  # ids
SPACE = "▁"  # what whitespace is read as where it counts: a vocabulary has no line for it
RESERVED = ("<padding>", "<unknown>")  # their entries; no character is that long


class Vocabulary:
    """The characters a model knows; id 0 is padding, 1 any other character."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        self.numbers = {  # the id of each
            character: index for index, character in enumerate(self.characters, len(RESERVED))
        }

    @classmethod
    def count(cls, texts: Iterable[str], least: int) -> "Vocabulary":
        """Return the characters that occur at least *least* times, the most frequent first."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        kept = [character for character, count in counts.items() if count >= least and not character.isspace()]
        return cls(sorted(kept, key=lambda character: (-counts[character], character)))

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Return the vocabulary in a file: an entry a line, the line number (from 0) is the id.

        Raises KexueError if the file cannot be read, an entry is no single character or is there twice.
        """
        data = read_whole(path, MOST_BYTES)
        try:
            entries = data.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
        except UnicodeDecodeError:
            raise KexueError(f"{path} is not valid UTF-8; see: kexue models verify") from None
        if tuple(entries[: len(RESERVED)]) != RESERVED:
            raise KexueError(f"{path} must begin with the entries {' and '.join(RESERVED)}")
        characters = entries[len(RESERVED) :]
        vocabulary = cls(characters)
        for index, character in enumerate(characters, len(RESERVED)):
            if len(character) != 1:
                raise KexueError(f"{path}:{index + 1}: an entry must be one character; found {cut(character)}")
            if vocabulary.numbers[character] != index:
                raise KexueError(f"{path}:{index + 1}: an entry must be there once; found another {cut(character)}")
        return vocabulary

    def write(self, path: Path) -> None:
        """Write the vocabulary as read reads it."""
        path.write_text("\n".join((*RESERVED, *self.characters)) + "\n", "utf-8", newline="\n")

    def __len__(self) -> int:
        return len(RESERVED) + len(self.characters)

    def ids(self, text: str) -> "npt.NDArray[np.int32]":
        """Return the ids (t,) of the characters of a text."""
        get = self.numbers.get
        return np.fromiter((get(character, UNKNOWN) for character in text), np.int32, len(text))


def spaced(text: str) -> str:
    """Return a text with SPACE for each run of whitespace.

    >>> spaced("very  good ")
    'very▁good▁'
    """
    return re.sub(r"\s+", SPACE, text)
