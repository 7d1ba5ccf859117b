"""Encoded texts without a vocabulary and a segmenter, so that one can see what is in them."""

import numpy as np

from kexue_cli.tasks.encoding import EncodedText


def encoded(words: str) -> EncodedText:
    """The text with these words, parted by spaces here: ids are code points, the row of a word is its number from 1."""
    parts = tuple(words.split())
    text = "".join(parts)
    word_of = np.repeat(np.arange(len(parts)), [len(word) for word in parts])
    ids = np.array([ord(character) for character in text], np.int32)
    return EncodedText(text, parts, word_of, ids, np.arange(1, len(parts) + 1, dtype=np.int32))
