"""What tells where in a passage a question is answered, beside the characters themselves.

Article: https://kexue.fm/archives/5409 (the eight features of "hand"); those of "match" and "boundary" are ours.
Letters: m words of the passage, t characters of the passage, n words or characters of the question.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.tasks.encoding import EncodedText

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = npt.NDArray[np.float32]

LONGEST_PATTERN = 63  # tokens of a question that the edit distance looks at: bits of a word, less the carry


def window_jaccard(question: Sequence[str], passage: Sequence[str]) -> "Features":
    """Return, for each token of the passage, the Jaccard similarity of the question and the window around it (m,).

    The window of token i holds the n tokens from i - n // 2 on; places outside the passage are left out.
    """
    known = {token: index for index, token in enumerate(dict.fromkeys(question))}
    tokens = dict(known)
    codes = [tokens.setdefault(token, len(tokens)) for token in passage]
    size, half = len(question), len(question) // 2
    is_there = np.zeros((len(passage) + 1, len(tokens)), np.int32)
    is_there[np.arange(1, len(passage) + 1), codes] = 1
    sums = is_there.cumsum(axis=0)
    starts = np.arange(len(passage)) - half
    counts = sums[np.clip(starts + size, 0, len(passage))] - sums[np.clip(starts, 0, len(passage))]
    present = counts > 0
    shared = present[:, : len(known)].sum(axis=1)
    jaccard = shared / np.maximum(present.sum(axis=1) + len(known) - shared, 1)
    return np.asarray(jaccard, np.float32)


def window_edit_distance(question: Sequence[str], passage: Sequence[str]) -> "Features":
    """Return, for each token of the passage, the edit distance of question and window, as a share of n (m,).

    Windows as for window_jaccard; all windows at once, a bit for each token of the question (Hyyrö 2003).
    """
    question = question[:LONGEST_PATTERN]
    size, half, length = len(question), len(question) // 2, len(passage)
    places: dict[str, int] = {}
    for index, token in enumerate(question):
        places[token] = places.get(token, 0) | 1 << index
    padding = [0] * size
    equal = np.array(padding + [places.get(token, 0) for token in passage] + padding, np.uint64)
    is_inside = np.array(padding + [1] * length + padding, bool)
    one, last = np.uint64(1), np.uint64(max(size - 1, 0))
    positive = np.full(length, (1 << size) - 1, np.uint64)
    negative = np.zeros(length, np.uint64)
    distance = np.full(length, size, np.int64)
    for step in range(size):
        window = slice(size - half + step, size - half + step + length)
        inside = is_inside[window]
        either = equal[window] | negative
        diagonal = (((either & positive) + positive) ^ positive) | either
        up = negative | ~(positive | diagonal)
        down = positive & diagonal
        distance += np.where(inside, (up >> last & one).astype(np.int64) - (down >> last & one).astype(np.int64), 0)
        up = up << one | one
        positive = np.where(inside, down << one | ~(diagonal | up), positive)
        negative = np.where(inside, diagonal & up, negative)
    return np.asarray(distance / max(size, 1), np.float32)


def cooccurrence(passage: Sequence[str], others: Sequence[frozenset[str]]) -> "Features":
    """Return, for each token, in how many other passages it is, as a share of all passages (m,)."""
    counts = [sum(token in other for other in others) for token in passage]
    return np.array(counts, np.float32) / np.float32(len(others) + 1)


def _four(question: Sequence[str], passage: Sequence[str], others: Sequence[frozenset[str]]) -> "Features":
    known = set(question)
    exact = np.fromiter((token in known for token in passage), np.float32, len(passage))
    columns = (exact, cooccurrence(passage, others), window_jaccard(question, passage))
    return np.stack((*columns, window_edit_distance(question, passage)), axis=1)


def hand(question: EncodedText, passage: EncodedText, others: Sequence[EncodedText]) -> "Features":
    """Return the article's eight features (t, 8).

    Exact match, co-occurrence in the other passages, Jaccard similarity and relative edit distance, over words; then
    the same over characters, averaged over the characters of each word.
    """
    if not passage.words:
        return np.zeros((0, 8), np.float32)
    by_word = _four(question.words, passage.words, [frozenset(other.words) for other in others])
    by_character = _four(question.text, passage.text, [frozenset(other.text) for other in others])
    sizes = np.bincount(passage.word_of)
    means = np.stack([np.bincount(passage.word_of, column) / sizes for column in by_character.T], axis=1)
    return np.concatenate((by_word, means.astype(np.float32)), axis=1)[passage.word_of]


def match(question: EncodedText, passage: EncodedText, others: Sequence[EncodedText]) -> "Features":
    """Return what a passage shares with the question (t, 5).

    Whether the character, the word and a pair of neighbours are in the question; the share of the question's distinct
    characters that stand within half a question length to either side, and within a whole one.
    """
    characters = set(question.text)
    words = set(question.words)
    length = len(passage.text)
    in_question = np.fromiter((character in characters for character in passage.text), np.float32, length)
    word_in_question = np.fromiter((word in words for word in passage.words), np.float32, len(passage.words))
    pairs = set(zip(question.text, question.text[1:], strict=False))
    is_pair = [pair in pairs for pair in zip(passage.text, passage.text[1:], strict=False)]
    pair_in_question = np.zeros(length + 1, np.float32)
    pair_in_question[1:-1] = is_pair
    pair_in_question = np.maximum(pair_in_question[:-1], pair_in_question[1:])
    shares = [_nearby_share(sorted(characters), passage.text, reach) for reach in _reaches(question)]
    return np.stack((in_question, word_in_question[passage.word_of], pair_in_question, *shares), axis=1)


def _reaches(question: EncodedText) -> tuple[int, int]:
    return max(len(question.text) // 2, 1), max(len(question.text), 1)


def _nearby_share(characters: Sequence[str], passage: str, reach: int) -> "Features":
    length = len(passage)
    codes = np.frombuffer(passage.encode("utf-32-le", "surrogatepass"), np.uint32)
    wanted = np.array([ord(character) for character in characters], np.uint32)
    sums = np.zeros((len(wanted), length + 1), np.int32)
    np.cumsum(codes[None] == wanted[:, None], axis=1, out=sums[:, 1:])
    places = np.arange(length)
    counts = sums[:, np.minimum(places + reach + 1, length)] - sums[:, np.maximum(places - reach, 0)]
    return np.asarray((counts > 0).sum(axis=0) / max(len(wanted), 1), np.float32)


def boundary(question: EncodedText, passage: EncodedText, others: Sequence[EncodedText]) -> "Features":
    """Return whether a word begins, and whether one ends, at each character (t, 2)."""
    return passage.boundaries()


Feature = Callable[[EncodedText, EncodedText, Sequence[EncodedText]], "Features"]

FEATURES: dict[str, tuple[Feature, int]] = {"match": (match, 5), "boundary": (boundary, 2), "hand": (hand, 8)}


def width(names: Sequence[str]) -> int:
    """Return how many columns these groups of features have."""
    return sum(FEATURES[name][1] for name in names)


def columns(
    names: Sequence[str], question: EncodedText, passage: EncodedText, others: Sequence[EncodedText]
) -> "Features":
    """Return the features (t, width(names)) of a passage, the groups in the order of their names."""
    groups = [FEATURES[name][0](question, passage, others) for name in names]
    return np.concatenate(groups, axis=1) if groups else np.zeros((len(passage.text), 0), np.float32)
