"""A lexicon from a dictionary with frequencies, informed by raw text.

weight(w) = ln p(w) + word_bonus - length_penalty * max(|w| - 2, 0) + entropy * S(w), where p is the dictionary's
frequency and S the weight that discovery.py gives the string in raw text. Without the bonus the likeliest cut
prefers few long words; the penalty brings lexicalised phrases (中央人民广播电台) back to words.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import read_lines
from kexue_cli.segmentation import packing
from kexue_cli.segmentation.discovery import Discovery
from kexue_cli.segmentation.lexicon import Lexicon
from kexue_cli.segmentation.segmenter import DecodingConfig
from kexue_cli.streams import open_input

LEAST_ENTROPY_WEIGHT = -40.0  # nats; S of a string is cut off there


@dataclass(frozen=True)
class DictionaryConfig:
    """Settings of the dictionary mode, chosen on 500 lines of the PKU training text. Weights in nats."""

    word_bonus: float = 1.56  # of each word: more of it, finer words
    single_bias: float = -0.71  # of a single character besides
    length_penalty: float = 2.1  # for each character beyond the second
    entropy: float = 0.014  # weight of S for words of two or more characters
    unseen: float = 3.2  # S of a word that the raw text does not have
    numeral_weight: float = -7.3  # of a run of Han numerals
    unit_weight: float = -1.5  # of a unit of time behind a number


def jieba_dictionary() -> Path:
    """Return the dictionary of the installed jieba (MIT licence)."""
    import importlib.util

    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        raise KexueError("jieba is not installed; its dictionary comes with: pip install jieba")
    return Path(spec.origin).with_name("dict.txt")


def read_dictionary(path: str, *, encoding: str = "utf-8") -> dict[str, float]:
    """Read a dictionary, ``WORD FREQUENCY [TAG]`` a line as jieba's; a frequency below 1 counts as 1.

    Raises RecordError for a line without a word and a frequency.
    """
    frequencies: dict[str, float] = {}
    with open_input(path) as stream:
        for number, line in read_lines(stream, path, encoding=encoding):
            cells = line.split()
            if not cells:
                continue
            try:
                frequency = float(cells[1])
            except (IndexError, ValueError):
                frequency = math.nan
            if not 0 <= frequency < math.inf:
                raise RecordError(path, number, f"expected WORD FREQUENCY; found {line[:40]!r}")
            frequencies[cells[0]] = max(frequency, 1.0)
    if not frequencies:
        raise KexueError(f"{path} holds no word")
    return frequencies


def dictionary_lexicon(
    frequencies: dict[str, float], discovery: Discovery, config: DictionaryConfig
) -> tuple[Lexicon, DecodingConfig]:
    """Return the lexicon of a dictionary and how it is to be used."""
    ngrams = discovery.ngrams
    words = list(frequencies)
    log_total = math.log(sum(frequencies.values()))
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    nodes = ngrams.find(packing.code_rows(words))
    is_seen = (nodes >= 0) & (nodes < ngrams.starts[5])
    strings = np.maximum(discovery.weights[nodes], LEAST_ENTROPY_WEIGHT)
    weights = np.log(np.fromiter(frequencies.values(), np.float64, len(words))) - log_total + config.word_bonus
    weights -= config.length_penalty * np.maximum(lengths - 2, 0)
    weights += np.where(lengths == 1, config.single_bias, config.entropy * np.where(is_seen, strings, config.unseen))
    counts = np.where(nodes >= 0, ngrams.totals[nodes], 0).tolist()
    lexicon = Lexicon(words, weights.tolist(), counts, *ngrams.measures(nodes))
    decoding = DecodingConfig(
        unknown_weight=round(-log_total - 4, 3),
        numeral_weight=config.numeral_weight,
        unit_weight=config.unit_weight,
        frequency_slope=1.0,
        frequency_intercept=round(config.word_bonus - log_total, 4),
    )
    return lexicon, decoding
