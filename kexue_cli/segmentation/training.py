"""Train a segmentation model: raw text to a model folder."""

import dataclasses
import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.provenance import provenance
from kexue_cli.segmentation import nlp_zero, word_discovery
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.dictionary import (
    DictionaryConfig,
    dictionary_lexicon,
    jieba_dictionary,
    read_dictionary,
)
from kexue_cli.segmentation.discovery import EntropyConfig, discover
from kexue_cli.segmentation.lexicon import LEXICON, Lexicon, compile_lexicon, write_compiled, write_lexicon
from kexue_cli.segmentation.ngrams import Ngrams, count_ngrams, ngram_tree
from kexue_cli.segmentation.rules import DIGIT, HAN, LETTER
from kexue_cli.segmentation.segmenter import DecodingConfig
from kexue_cli.segmentation.shards import open_counts
from kexue_cli.segmentation.trie import COMPACT, QUICK
from kexue_cli.zoo import CARD, CONFIG, METRICS, new_folder, write_sums

HAN_ONLY = 1 << HAN
HAN_AND_ALPHANUMERIC = 1 << HAN | 1 << DIGIT | 1 << LETTER  # what nlp-zero and word-discovery call text
ACCEPTED = {"entropy": HAN_ONLY, "nlp-zero": HAN_AND_ALPHANUMERIC, "word-discovery": HAN_AND_ALPHANUMERIC}  # by method
NO_DICTIONARY = "none"


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a model is made from a corpus."""

    method: str = "entropy"  # one of ACCEPTED
    dictionary: str = NO_DICTIONARY  # none, jieba, or a file of words and frequencies
    granularity: float | None = None  # word bonus of the dictionary mode, nats; None for its default
    least: int | None = None  # times an n-gram must occur; None for the method's default
    min_probability: float = 1e-7  # of nlp-zero
    min_pmi: float = 1.0  # of nlp-zero, nats
    is_compact: bool = False  # whether to take minutes to make the compiled trie as small as it gets


@dataclasses.dataclass(frozen=True)
class Progress:
    """What training reports: a stage by name, then bytes of text done."""

    stage: Callable[[str], None] = lambda name: None
    advance: Callable[[int], None] = lambda size: None


def train(
    corpus: Corpus,
    target: Path,
    config: TrainingConfig,
    *,
    command: str,
    memory: int | None = None,
    counts: Path | None = None,
    progress: Progress = Progress(),
) -> dict[str, Any]:
    """Make a model folder from a corpus and return its metrics.

    command: what the user typed, for the card. memory: bytes that may be used for counting; None for as many as
    it takes. counts: a folder with the counts of all shards of the corpus (shards.py); None to count it here.
    Raises KexueError if the corpus or the counts cannot be read or *target* cannot be written.
    """
    start = time.time()
    frequencies = None
    if config.dictionary != NO_DICTIONARY:
        path = str(jieba_dictionary()) if config.dictionary == "jieba" else config.dictionary
        frequencies = read_dictionary(path)
    progress.stage("counting")
    ngrams = _count(corpus, target, config, memory, counts, progress)
    if not ngrams.size:
        raise KexueError("the corpus holds no Han characters; words are discovered in Chinese text")
    progress.stage("discovering")
    lexicon, decoding = _make(corpus, ngrams, config, frequencies, progress)
    if not lexicon.words:
        raise KexueError("no word was found; give more text, or a smaller --min-count")
    with new_folder(target) as folder:
        progress.stage("writing")
        write_lexicon(folder / LEXICON, lexicon)
        trie = compile_lexicon(folder / LEXICON, patience=COMPACT if config.is_compact else QUICK)
        write_compiled(folder, trie)
        write_json(
            folder / CONFIG,
            {
                "format": FORMAT,
                "task": "segmentation",
                "decoding": dataclasses.asdict(decoding),
                "training": dataclasses.asdict(config),
            },
        )
        metrics = {
            "words": len(lexicon.words),
            "corpus_characters": ngrams.size,
            "corpus_ngrams": len(ngrams.totals),
            "seconds": round(time.time() - start, 1),
            **provenance("numpy", "numba", "jieba"),
        }
        write_json(folder / METRICS, metrics)
        (folder / CARD).write_text(_card(target.name, config, command, metrics), "utf-8", newline="\n")
        write_sums(folder)
    return metrics


def _count(
    corpus: Corpus, target: Path, config: TrainingConfig, memory: int | None, counts: Path | None, progress: Progress
) -> Ngrams:
    """Return the n-grams of a corpus that the method asks for."""
    accepted = ACCEPTED[config.method]
    scale = EntropyConfig.scale if config.method == "entropy" and config.least is None else None
    least = _least(config)
    work = target.absolute().parent / f".{target.name}.counts"
    if counts is not None:
        shards = open_counts(counts, corpus, accepted)
        return ngram_tree(shards.size, shards.pieces(work), least=least, scale=scale)
    return count_ngrams(
        corpus, accepted=accepted, least=least, scale=scale, memory=memory, work=work, advance=progress.advance
    )  # fmt: skip


def _least(config: TrainingConfig) -> int:
    return config.least or {"entropy": EntropyConfig.least, "nlp-zero": 1, "word-discovery": 32}[config.method]


def _make(
    corpus: Corpus, ngrams: Ngrams, config: TrainingConfig, frequencies: dict[str, float] | None, progress: Progress
) -> tuple[Lexicon, DecodingConfig]:
    """Return the words of a corpus, and how they are to be used. frequencies: of the words of a dictionary."""
    least, accepted = _least(config), ACCEPTED[config.method]
    if config.method == "entropy":
        discovery = discover(corpus, ngrams, EntropyConfig(least=least), advance=progress.advance)
        if frequencies is None:
            return discovery.lexicon(), discovery.decoding
        settings = DictionaryConfig()
        if config.granularity is not None:
            settings = dataclasses.replace(settings, word_bonus=config.granularity)
        return dictionary_lexicon(frequencies, discovery, settings)
    if config.method == "nlp-zero":
        settings_zero = nlp_zero.NlpZeroConfig(config.min_probability, config.min_pmi)
        words = nlp_zero.find_words(corpus, ngrams, accepted, settings_zero, advance=progress.advance)
    else:
        settings_solid = word_discovery.WordDiscoveryConfig(least=least)
        words = word_discovery.find_words(corpus, ngrams, accepted, settings_solid, advance=progress.advance)
    return _likely(words, ngrams)


def _likely(words: Counter[str], ngrams: Ngrams) -> tuple[Lexicon, DecodingConfig]:
    """Return the lexicon of counted words: the weight of each is ln p, as in a unigram model."""
    from kexue_cli.segmentation import packing

    log_total = math.log(sum(words.values()) or 1)
    names = list(words)
    weights = [math.log(count) - log_total for count in words.values()]
    measures = ngrams.measures(ngrams.find(packing.code_rows(names)))
    lexicon = Lexicon(names, weights, list(words.values()), *measures)
    numeral = -min(20.0, log_total)
    return lexicon, DecodingConfig(-100.0, numeral, 0.0, frequency_slope=1.0, frequency_intercept=-log_total)


def _card(name: str, config: TrainingConfig, command: str, metrics: dict[str, Any]) -> str:
    """Return the card of a model: what it is, the command that made it, its numbers."""
    source = "no dictionary" if config.dictionary == NO_DICTIONARY else f"the dictionary {config.dictionary}"
    return f"""# {name}

A segmentation model for Chinese text, made with the method `{config.method}` and {source} from raw text of
{metrics["corpus_characters"]:,} characters ({metrics["corpus_ngrams"]:,} n-grams). It has {metrics["words"]:,} words.

Made on {metrics["date"]} in {metrics["seconds"]} s by

```sh
{command}
```

Words and weights are in `lexicon.tsv`, which may be edited; `kexue models verify` then says so.
"""
