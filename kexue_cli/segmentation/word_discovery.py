"""Word discovery by the solidity of n-grams.

Articles: https://kexue.fm/archives/4256 and 6920; the original is bojone/word-discovery, which calls a compiled
KenLM. An n-gram is solid if it is much more frequent than any cut of it would make it; a text is cut only where
no solid n-gram stands, and what results must be frequent and solid throughout.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.ngrams import Ngrams
from kexue_cli.segmentation.rules import character_table
from kexue_cli.segmentation.trie import Trie, build_trie

ORDER = 4  # characters of the longest n-gram


@dataclass(frozen=True)
class WordDiscoveryConfig:
    """Settings of word-discovery; the defaults are those of the rewrite of archives/6920."""

    least: int = 32  # times an n-gram, and a word, must occur
    min_pmi: tuple[float, ...] = (0.0, 2.0, 4.0, 6.0)  # nats, of the weakest cut of an n-gram of 1, 2, 3, 4 characters


def solid_ngrams(ngrams: Ngrams, config: WordDiscoveryConfig) -> set[str]:
    """Return the n-grams of 2 to ORDER characters whose weakest cut still holds."""
    floors = np.array([0.0, *config.min_pmi])
    end = int(ngrams.starts[ORDER])
    start = int(ngrams.starts[1])
    nodes = np.arange(start, end)
    solid = (ngrams.pmi[start:end] >= floors[ngrams.lengths[start:end]]) & (ngrams.totals[start:end] >= config.least)
    return set(ngrams.words(nodes[solid]))


def count_pieces(corpus: Corpus, solid: Trie, accepted: int, advance: Callable[[int], None]) -> Counter[str]:
    """Count the pieces of a corpus that is cut wherever no solid n-gram stands across."""
    kinds = np.frombuffer(character_table(), np.int32)
    units, table = np.frombuffer(solid.units, np.int64), np.frombuffer(solid.table(), np.int32)
    pieces: Counter[str] = Counter()
    for block in corpus.blocks():
        data = np.frombuffer(block.data, np.uint8)
        codes = np.empty(len(data) + 1, np.uint16)
        codes = codes[: compilation.encode_block(data, len(data), kinds, accepted, codes)]
        output = np.empty(2 * len(codes), np.uint16)
        written = compilation.cut_outside(codes, units, table, output)
        text = output[:written].astype("<u2").tobytes().decode("utf-16-le")
        pieces.update(piece for piece in text.split("\0") if piece)
        advance(len(data))
    return pieces


def is_solid(word: str, solid: set[str]) -> bool:
    """Say whether a word is made of solid n-grams only."""
    if len(word) < 3:
        return True
    if len(word) <= ORDER:
        return word in solid
    return all(word[start : start + ORDER] in solid for start in range(len(word) - ORDER + 1))


def find_words(
    corpus: Corpus,
    ngrams: Ngrams,
    accepted: int,
    config: WordDiscoveryConfig,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Counter[str]:
    """Return the words that word-discovery finds, with their counts."""
    solid = solid_ngrams(ngrams, config)
    pieces = count_pieces(corpus, build_trie(dict.fromkeys(solid, 0)), accepted, advance)
    return Counter({word: count for word, count in pieces.items() if count >= config.least and is_solid(word, solid)})
