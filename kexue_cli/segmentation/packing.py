"""Tries of many words, built with NumPy and compiled loops.

Letters: w words; l characters of the longest word, and one more.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.rules import CODE_POINTS, LABEL_MASK
from kexue_cli.segmentation.trie import QUICK, Trie
from kexue_cli.text.simplification import simplified

Array = npt.NDArray[np.int64]


def code_rows(words: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Return the code points of each word (w, l), 0 beyond its end."""
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    rows = np.zeros((len(words), int(lengths.max(initial=0)) + 1), np.uint32)
    flat = np.frombuffer("".join(words).encode("utf-32-le", errors="surrogatepass"), np.uint32)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = flat
    return rows


def folding_table() -> npt.NDArray[np.uint32]:
    """Return the simplified code point of each code point."""
    table = np.arange(CODE_POINTS, dtype=np.uint32)
    for traditional, simple in simplified().items():
        table[ord(traditional)] = ord(simple)
    return table


def label_characters(rows: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint16]:
    """Return the label of each code point (CODE_POINTS,), the most frequent in *rows* first, 0 where there is none.

    Raises KexueError if there are too many characters.
    """
    codes, counts = np.unique(rows[rows != 0], return_counts=True)
    if len(codes) > LABEL_MASK:
        raise KexueError(f"a lexicon may have {LABEL_MASK} different characters; this one has {len(codes)}")
    labels = np.zeros(CODE_POINTS, np.uint16)
    labels[codes[np.argsort(-counts, kind="stable")]] = np.arange(1, len(codes) + 1)
    return labels


def insert(letters: npt.NDArray[np.uint16], weights: Array, patience: int) -> tuple[Array, npt.NDArray[np.int64], int]:
    """Build the units of a trie from sorted distinct rows of labels (w, l) with a last column of 0.

    Returns the units, the unit at which each word ends (w,) and the number of units before the padding.
    """
    lengths = (letters != 0).sum(axis=1)
    highest = int(letters.max(initial=0))
    total = int(lengths.sum()) + 2
    room = total + 4 * highest + 1024
    while True:
        room *= 2
        units = np.zeros(room + highest + 1, np.int64)  # what lies behind the last base may be looked at, too
        places = np.zeros(len(letters), np.int64)
        ring = np.empty((2, room), np.int32)
        queue = np.empty((4, total), np.int32)
        used = compilation.insert_words(
            letters, lengths, weights, patience, units[:room], places, ring[0], ring[1], np.zeros(room, np.uint8), queue
        )
        if used > 0:
            return units[: used + highest + 1].copy(), places, used


def pack_trie(words: Sequence[str], weights: Sequence[int], *, patience: int = QUICK) -> Trie:
    """Build a trie as trie.build_trie does."""
    folding = folding_table()
    rows = folding[code_rows(words)]
    labels = label_characters(rows)
    letters = labels[rows]
    order = np.lexsort(letters.T[::-1])
    letters = letters[order]
    is_first = np.concatenate([[True], (letters[1:] != letters[:-1]).any(axis=1)])
    heaviest = np.maximum.reduceat(np.asarray(weights, np.int64)[order], np.flatnonzero(is_first))
    units, _, _ = insert(np.ascontiguousarray(letters[is_first]), heaviest, patience)
    labels = labels[folding]  # a traditional form has the label of its simplified one
    codes = np.flatnonzero(labels)
    return Trie(memoryview(units.data), dict(zip(codes.tolist(), labels[codes].tolist(), strict=True)))
