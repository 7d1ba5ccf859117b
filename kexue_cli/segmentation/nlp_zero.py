"""The word finder of nlp-zero: bound neighbours are glued, then redundant words are taken apart.

Article: https://kexue.fm/archives/5476; the original is the class Word_Finder of the PyPI package nlp-zero 0.1.6,
which does not import on Python 3.10 and later. Here runs of Han characters, digits and Latin letters are
text, and everything else separates, as there.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.ngrams import Ngrams
from kexue_cli.segmentation.rules import character_table

NULL_WEIGHT = -100.0  # nats, of a character that is no word


@dataclass(frozen=True)
class NlpZeroConfig:
    """Settings of nlp-zero; the defaults are the article's."""

    min_probability: float = 1e-7  # of a pair of neighbours among all pairs, and of a word among all words
    min_pmi: float = 1.0  # nats, of a pair that is glued


def glued_pairs(ngrams: Ngrams, config: NlpZeroConfig) -> npt.NDArray[np.uint32]:
    """Return the pairs of characters that are never cut apart, as sorted keys first << 16 | second."""
    singles, pairs = ngrams.of_length(1), ngrams.of_length(2)
    log_single = np.log(ngrams.totals[singles]) - np.log(ngrams.totals[singles].sum())
    log_pair = np.log(ngrams.totals[pairs]) - np.log(ngrams.totals[pairs].sum())
    first, second = ngrams.parents[pairs], ngrams.suffixes[pairs]
    pmi = log_pair - log_single[first] - log_single[second]
    kept = (log_pair > math.log(config.min_probability)) & (pmi > config.min_pmi)
    keys = ngrams.characters[first].astype(np.uint32) << 16 | ngrams.characters[pairs]
    return np.sort(keys[kept])


def count_pieces(
    corpus: Corpus, pairs: npt.NDArray[np.uint32], accepted: int, advance: Callable[[int], None]
) -> Counter[str]:
    """Count the pieces between the cuts of a corpus."""
    table = np.frombuffer(character_table(), np.int32)
    pieces: Counter[str] = Counter()
    for block in corpus.blocks():
        data = np.frombuffer(block.data, np.uint8)
        codes = np.empty(len(data) + 1, np.uint16)
        codes = codes[: compilation.encode_block(data, len(data), table, accepted, codes)]
        keys = codes[:-1].astype(np.uint32) << 16 | codes[1:]
        place = np.minimum(np.searchsorted(pairs, keys), max(len(pairs) - 1, 0))
        is_glued = pairs[place] == keys if len(pairs) else np.zeros(len(keys), bool)
        cuts = np.flatnonzero(~is_glued) + 1
        text = np.insert(codes, cuts, 0).astype("<u2").tobytes().decode("utf-16-le")
        pieces.update(piece for piece in text.split("\0") if piece)
        advance(len(data))
    return pieces


def best_cut(text: str, log_counts: dict[str, float], log_total: float, longest: int) -> list[str]:
    """Return the words of the likeliest cut of a text under a unigram model."""
    best = [0.0] + [-math.inf] * len(text)
    back = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - longest), end):
            count = log_counts.get(text[start:end])
            if count is None:
                if end - start > 1:
                    continue
                weight = NULL_WEIGHT
            else:
                weight = count - log_total
            if best[start] + weight > best[end]:
                best[end], back[end] = best[start] + weight, start
    words = []
    end = len(text)
    while end:
        words.append(text[back[end] : end])
        end = back[end]
    return words[::-1]


def without_redundant(words: Counter[str]) -> Counter[str]:
    """Take apart each word w that is hardly more likely than its parts, longest first.

    w goes, and its parts get its count, if ln p(w) - sum of ln p(part) < |w| - 1.
    """
    left = Counter(words)
    log_counts = {word: math.log(count) for word, count in left.items()}
    total = sum(left.values())
    for word in sorted(words, key=lambda word: (-len(word), word)):
        if len(word) == 1:
            break
        log_total = math.log(total)
        own = log_counts.pop(word)
        parts = best_cut(word, log_counts, log_total, len(word))
        together = sum(log_counts.get(part, NULL_WEIGHT + log_total) - log_total for part in parts)
        if own - log_total - together >= len(word) - 1:
            log_counts[word] = own
            continue
        count = left.pop(word)
        total += count * (len(parts) - 1)
        for part in parts:
            left[part] += count
            log_counts[part] = math.log(left[part])
    return left


def find_words(
    corpus: Corpus,
    ngrams: Ngrams,
    accepted: int,
    config: NlpZeroConfig,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Counter[str]:
    """Return the words that nlp-zero finds, with its counts."""
    pieces = count_pieces(corpus, glued_pairs(ngrams, config), accepted, advance)
    floor = math.log(config.min_probability) + math.log(max(sum(pieces.values()), 1))
    likely = Counter({word: count for word, count in pieces.items() if math.log(count) > floor})
    return without_redundant(likely)
