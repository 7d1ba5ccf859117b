"""Words of raw text by minimum entropy: no dictionary, no segmented text.

A word is a string whose neighbours are free on both sides while its inside is bound. The weight of a string x is

    S(x) = |x| * a(x) + frequency * (ln count(x) - 4) + pmi_penalty * min(pmi(x) - pmi_threshold, 0)

(|x| * a(x) + bias for a single character) with a(x) = nVBE(left) + nVBE(right), the rise of the neighbours'
entropy from x without its last (first) character to x, less the mean over all strings of that length. Lines are
cut for the greatest sum of weights; then, twice, what was cut changes the weights. Characters that mostly stand
alone (的, 了, 是 turn out so by themselves) make words that begin or end with them lighter; so do parts that are
mostly words themselves the long words made of them; and strings that are seldom cut out get lighter, too.

Sources: Magistry & Sagot 2012 (nVBE); https://kexue.fm/archives/5476 (information per character falls where
bound strings are joined); the feedback of free-standing characters is ours.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import compilation, packing
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.counting import DEPTH
from kexue_cli.segmentation.double_array import WEIGHT_SCALE
from kexue_cli.segmentation.lexicon import Lexicon
from kexue_cli.segmentation.ngrams import Floats, Integers, Ngrams
from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter
from kexue_cli.segmentation.trie import QUICK, Trie
from kexue_cli.segmentation.viterbi import FORCED_WEIGHT, NO_WEIGHT

LONGEST = DEPTH - 1  # characters of a discovered word
COUNTING_UNIT_WEIGHT = 60.0  # while words are counted, a number always keeps its unit, or 年 and 月 join what follows


@dataclass(frozen=True)
class EntropyConfig:
    """Settings of the entropy method; the values were chosen on 500 lines of the PKU training text."""

    least: int = 2  # times an n-gram must occur ...
    scale: int = 6_000_000  # ... and once in every so many characters, in a corpus larger than that
    bias: float = -3.1  # weight of a single character
    frequency: float = 0.138  # weight of the logarithm of the count, for strings of two or more characters
    pmi_threshold: float = 1.965  # nats; a string bound less at its weakest cut ...
    pmi_penalty: float = 1.078  # ... loses this much for each nat
    length_offsets: tuple[float, ...] = (0.0, -1.35, 0.88, -0.79, -0.53)  # taken from a(x), by length
    passes: int = 2  # of segmentation and feedback
    free_share: float = 0.294  # a character that stands alone in more than this share of its places is free
    free_frequency: float = 5.3e-5  # share of the text a free character must make up
    free_penalty: float = 9.6  # on a word for a wholly free first character, and for the last
    parts_share: float = 0.164  # both parts of a long word must be words in more than this share of their places
    parts_penalty: float = 15.3  # on a word of four or more characters whose parts always are
    share: float = 1.3  # weight of the logarithm of the share of its places in which a string was cut out
    least_share: float = 0.02  # a smaller share counts as this


def string_weights(ngrams: Ngrams, config: EntropyConfig) -> Floats:
    """Return S of each n-gram (g,), before any feedback."""
    left, right = ngrams.entropies()
    weights = np.zeros(len(left))
    for length in range(1, LONGEST + 1):
        part = ngrams.of_length(length)
        rise_left, rise_right = left[part], right[part]
        if length > 1:
            rise_left = rise_left - left[ngrams.suffixes[part]]
            rise_right = rise_right - right[ngrams.parents[part]]
        autonomy = rise_left - rise_left.mean() + rise_right - rise_right.mean() if rise_left.size else rise_left
        weights[part] = length * (autonomy - config.length_offsets[length - 1])
        if length > 1:
            weights[part] += config.frequency * (np.log(ngrams.totals[part]) - 4)
            weights[part] += config.pmi_penalty * np.minimum(ngrams.pmi[part] - config.pmi_threshold, 0)
    weights[ngrams.of_length(1)] += config.bias
    return weights


def feedback(ngrams: Ngrams, shares: Floats, config: EntropyConfig) -> Floats:
    """Return what is added to the weight of each n-gram (g,). shares (g,): of its places where it was cut out."""
    singles = ngrams.of_length(1)
    is_frequent = ngrams.totals[singles] > config.free_frequency * ngrams.size
    freedom = np.where(is_frequent, _excess(shares[singles], config.free_share), 0)
    gain = np.zeros(len(shares))
    for length in range(2, LONGEST + 1):
        part = ngrams.of_length(length)
        splits = list(ngrams.splits(length))
        first, last = splits[0][0], splits[-1][1]
        gain[part] = config.share * np.log(np.maximum(shares[part], config.least_share))
        gain[part] -= config.free_penalty * (freedom[first] + freedom[last])
        if length >= 4:
            inner = np.zeros(part.stop - part.start)
            for one, other in splits[1:-1]:
                np.maximum(inner, _excess(np.minimum(shares[one], shares[other]), config.parts_share), out=inner)
            gain[part] -= config.parts_penalty * inner
    return gain


def _excess(share: Floats, threshold: float) -> Floats:
    """Return by how much a share is above a threshold, 1 for all of it."""
    return np.maximum(share - threshold, 0) / (1 - threshold)


def useful(ngrams: Ngrams, weights: Floats) -> npt.NDArray[np.intp]:
    """Return the n-grams of up to LONGEST characters that weigh more than every way to cut them, and all single ones.

    No best cut of any text uses another, so leaving them out changes nothing.
    """
    best = weights.copy()
    is_useful = np.zeros(len(weights), bool)
    is_useful[ngrams.of_length(1)] = True
    for length in range(2, LONGEST + 1):
        part = ngrams.of_length(length)
        cut = np.full(part.stop - part.start, -np.inf)
        for first, second in ngrams.splits(length):
            np.maximum(cut, best[first] + weights[second], out=cut)
        is_useful[part] = weights[part] > cut
        best[part] = np.maximum(weights[part], cut)
    return np.flatnonzero(is_useful)


class _Counter:
    """Segments the corpus with a set of n-grams as words and counts them."""

    def __init__(self, ngrams: Ngrams, corpus: Corpus, decoding: DecodingConfig) -> None:
        self.ngrams, self.corpus, self.decoding = ngrams, corpus, decoding

    def count(self, nodes: npt.NDArray[np.intp], weights: Floats, advance: Callable[[int], None]) -> Integers:
        """Return how often each n-gram (g,) is a word of the best cut."""
        trie, places = _ngram_trie(self.ngrams, nodes, weights)
        segmenter = Segmenter(trie, self.decoding)
        units, table = np.frombuffer(trie.units, np.int64), np.frombuffer(segmenter.table, np.int32)
        totals = np.zeros(len(units), np.int64)
        for block in self.corpus.blocks():
            is_start = np.frombuffer(segmenter.starts(block), np.uint8)
            data = np.frombuffer(block.data, np.uint8)
            compilation.count_tokens(data, len(data), is_start, units, table, totals)
            advance(len(data))
        counts = np.zeros(len(self.ngrams.totals), np.int64)
        counts[nodes] = totals[places]
        return counts


def _ngram_trie(ngrams: Ngrams, nodes: npt.NDArray[np.intp], weights: Floats) -> tuple[Trie, npt.NDArray[np.int64]]:
    """Return the trie of some n-grams and the unit at which each ends; characters are not folded."""
    rows = ngrams.code_rows(nodes)
    labels = packing.label_characters(rows)
    letters = labels[rows]
    order = np.lexsort(letters.T[::-1])
    whole = np.clip(np.rint(weights[nodes] * WEIGHT_SCALE), NO_WEIGHT + 1, FORCED_WEIGHT - 1).astype(np.int64)
    units, sorted_places, _ = packing.insert(np.ascontiguousarray(letters[order]), whole[order], QUICK)
    places = np.empty_like(sorted_places)
    places[order] = sorted_places
    codes = np.flatnonzero(labels)
    return Trie(memoryview(units.data), dict(zip(codes.tolist(), labels[codes].tolist(), strict=True))), places


@dataclass(frozen=True)
class Discovery:
    """What was found: words with weights (nats), and how they are to be used."""

    ngrams: Ngrams
    nodes: npt.NDArray[np.intp]  # the words, as n-grams
    weights: Floats  # of all n-grams (g,)
    shares: Floats  # of the places of each n-gram (g,) in which it was a word
    decoding: DecodingConfig

    def lexicon(self) -> Lexicon:
        """Return the words that the last pass used, and all single characters."""
        is_single = self.nodes < self.ngrams.starts[1]
        nodes = self.nodes[is_single | (self.shares[self.nodes] > 0)]
        counts = np.rint(self.shares[nodes] * self.ngrams.totals[nodes]).astype(np.int64)
        measures = self.ngrams.measures(nodes)
        return Lexicon(self.ngrams.words(nodes), self.weights[nodes].tolist(), counts.tolist(), *measures)


def discover(
    corpus: Corpus, ngrams: Ngrams, config: EntropyConfig, *, advance: Callable[[int], None] = lambda _: None
) -> Discovery:
    """Find the words of a corpus whose n-grams have been counted. advance: is told of text read, in bytes.

    Raises KexueError if the corpus holds no Chinese text to speak of.
    """
    if not ngrams.size:
        raise KexueError("the corpus holds no Han characters; words are discovered in Chinese text")
    base = string_weights(ngrams, config)
    decoding = DecodingConfig(
        unknown_weight=-30.0, numeral_weight=40.0, unit_weight=14.0, frequency_slope=0.0, frequency_intercept=0.0
    )
    counter = _Counter(ngrams, corpus, dataclasses.replace(decoding, unit_weight=COUNTING_UNIT_WEIGHT))
    weights = base
    for _ in range(config.passes):
        shares = counter.count(useful(ngrams, weights), weights, advance) / ngrams.totals
        weights = base + feedback(ngrams, shares, config)
    nodes = useful(ngrams, weights)
    shares = counter.count(nodes, weights, advance) / ngrams.totals
    return Discovery(ngrams, nodes, weights, shares, _with_frequency_line(decoding, ngrams, nodes, weights, shares))


def _with_frequency_line(
    decoding: DecodingConfig, ngrams: Ngrams, nodes: npt.NDArray[np.intp], weights: Floats, shares: Floats
) -> DecodingConfig:
    """Fit weight = slope * ln(frequency) + intercept on the longer words, for the user's own words."""
    words = nodes[(nodes >= ngrams.starts[1]) & (shares[nodes] > 0)]
    if len(words) < 10:
        return dataclasses.replace(decoding, frequency_slope=1.0, frequency_intercept=0.0)
    slope, intercept = np.polyfit(np.log(shares[words] * ngrams.totals[words]), weights[words], 1)
    return dataclasses.replace(
        decoding, frequency_slope=round(float(slope), 4), frequency_intercept=round(float(intercept), 4)
    )
