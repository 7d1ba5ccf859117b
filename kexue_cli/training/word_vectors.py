"""Train word vectors: raw text, cut into words by our own segmentation, to a folder of skip-gram vectors.

Article: https://kexue.fm/archives/6671 (words beside characters in the input of a network), 7695 (their dimension)
Data:    raw text; see the card in models/word-vectors
"""

import dataclasses
import math
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.provenance import provenance
from kexue_cli.records import Block
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.text.normalization import normalize
from kexue_cli.text.word_vectors import UNKNOWN, VECTORS, WORDS, shape
from kexue_cli.zoo import CARD, CONFIG, METRICS, new_folder, write_sums

if TYPE_CHECKING:
    import numpy.typing as npt

    from kexue_cli.segmentation.segmenter import Segmenter

SENTENCES = "sentences.txt"  # the corpus in words, while it is trained on
LARGEST = 65504.0  # of half precision


@dataclasses.dataclass(frozen=True)
class WordVectorsConfig:
    """How word vectors are made from a corpus."""

    vector_size: int | None = None  # None for the least that the number of words asks for
    words: int = 50_000  # the most frequent ones, which have a vector
    min_count: int = 5  # times a word must occur
    epochs: int = 5
    window: int = 5  # words on either side
    negative: int = 8  # words drawn at random for each that is there
    sample: float = 1e-4  # words more frequent than this are passed over now and then
    seed: int = 0
    threads: int = 1  # more than one: faster, and never twice the same


@dataclasses.dataclass(frozen=True)
class Progress:
    """What training reports: bytes of text cut into words, then passes over them."""

    advance: Callable[[int], None] = lambda size: None
    epoch: Callable[[], None] = lambda: None


def check_gensim() -> None:
    """Raise KexueError if gensim is not installed."""
    try:
        import gensim  # noqa: F401
    except ImportError:
        raise KexueError(
            "word vectors are trained by gensim, which is not installed; pip install 'kexue[train]'"
        ) from None


def train(
    corpus: Corpus,
    target: Path,
    segmenter: "Segmenter",
    config: WordVectorsConfig,
    *,
    command: str,
    segmentation: str,
    progress: Progress = Progress(),
) -> dict[str, Any]:
    """Make a folder of word vectors from a corpus, which is read once, and return its metrics.

    command: what the user typed, for the card. segmentation: name of the segmenter's model.
    Raises KexueError if the corpus cannot be read or *target* cannot be written.
    """
    check_gensim()
    start = time.time()
    with new_folder(target) as folder:
        sentences = folder / SENTENCES
        counts, lines = write_sentences(corpus, segmenter, sentences, progress.advance)
        kept = most_frequent(counts, config)
        if not kept:
            raise KexueError(f"no word occurs {config.min_count} times; give more text, or a smaller --min-count")
        if config.vector_size is None:
            config = dataclasses.replace(config, vector_size=least_dimension(len(kept)))
        table = skip_gram(sentences, kept, lines, config, progress.epoch)
        sentences.unlink()
        (folder / WORDS).write_text("".join(f"{word}\n" for word in [UNKNOWN, *kept]), "utf-8", newline="\n")
        np.save(folder / VECTORS, np.vstack([np.zeros_like(table[:1]), table]), allow_pickle=False)
        settings = {**dataclasses.asdict(config), "segmentation": segmentation}
        write_json(folder / CONFIG, {"format": FORMAT, "task": "words", "training": settings})
        total = sum(counts.values())
        metrics = {
            "words": len(kept),
            "corpus_words": total,
            "coverage": round(sum(kept.values()) / total, 4),
            "least_count": min(kept.values()),
            "mean_norm": round(float(np.linalg.norm(table.astype(np.float32), axis=1).mean()), 4),
            "seconds": round(time.time() - start, 1),
            **provenance("numpy", "gensim"),
        }
        write_json(folder / METRICS, metrics)
        (folder / CARD).write_text(_card(target.name, config, command, metrics), "utf-8", newline="\n")
        write_sums(folder)
    return metrics


def write_sentences(
    corpus: Corpus, segmenter: "Segmenter", path: Path, advance: Callable[[int], None]
) -> tuple[Counter[str], int]:
    """Write the corpus in words, a line each sentence; return how often each word occurs, and the sentences."""
    counts: Counter[str] = Counter()
    lines = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for block in corpus.stream():
            text = normalize(block.data.decode())
            cut = segmenter.write(Block(text.encode(), block.first_line, source=block.source), " ")
            for line in shape(cut.decode()).split("\n"):
                words = line.split()
                if words:
                    counts.update(words)
                    file.write(" ".join(words) + "\n")
                    lines += 1
            advance(len(block.data))
    return counts, lines


def most_frequent(counts: Counter[str], config: WordVectorsConfig) -> dict[str, int]:
    """Return the words that get a vector and their counts, most frequent first, equal ones by code point."""
    known = ((word, count) for word, count in counts.items() if count >= config.min_count and word != UNKNOWN)
    return dict(sorted(known, key=lambda pair: (-pair[1], pair[0]))[: config.words])


def least_dimension(words: int) -> int:
    """Return the least dimension n > 8.33 ln N of the vectors of N words, by https://kexue.fm/archives/7695.

    There its estimate of what the vectors leave uncertain of a pair of words, 2 ln N - 0.24 n nats, falls below 0.
    """
    return math.floor(8.33 * math.log(words)) + 1


def skip_gram(
    sentences: Path, counts: dict[str, int], lines: int, config: WordVectorsConfig, epoch: Callable[[], None]
) -> "npt.NDArray[np.float16]":
    """Return the vectors of the words in *counts*, in their order: (words, vector_size).

    With one thread the same sentences always give the same bytes.
    """
    from gensim.models import Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    class Epochs(CallbackAny2Vec):  # type: ignore[misc]
        def on_epoch_end(self, model: Any) -> None:
            epoch()

    model = Word2Vec(
        vector_size=config.vector_size, window=config.window, negative=config.negative, sample=config.sample,
        sg=1, min_count=1, sorted_vocab=0, seed=config.seed, workers=config.threads, hashfxn=_stable_hash,
    )  # fmt: skip
    model.build_vocab_from_freq(counts, corpus_count=lines)
    model.train(
        corpus_file=str(sentences), total_words=sum(counts.values()), epochs=config.epochs, callbacks=[Epochs()]
    )
    assert model.wv.index_to_key == list(counts)
    table: npt.NDArray[np.float32] = model.wv.vectors
    return table.clip(-LARGEST, LARGEST).astype(np.float16)


def _stable_hash(word: str) -> int:
    """Return a number for a word that is the same in every process, unlike that of hash()."""
    return zlib.crc32(word.encode())


def _card(name: str, config: WordVectorsConfig, command: str, metrics: dict[str, Any]) -> str:
    """Return the card of a model: what it is, the command that made it, its numbers."""
    coverage = f"{metrics['coverage']:.1%}"
    return f"""# {name}

Vectors of {metrics["words"]:,} Chinese words, {config.vector_size} numbers each in half precision, by skip-gram with
negative sampling ([gensim](https://radimrehurek.com/gensim/)) on raw text of {metrics["corpus_words"]:,} words.
The text was normalised (half-width, lower case, simplified) and cut into words by kexue's default segmentation model;
every digit counts as 0. The words are those that occur at least {metrics["least_count"]} times: {coverage} of the text.

Made on {metrics["date"]} in {metrics["seconds"]} s with --threads {config.threads} by

```sh
{command}
```

A network that was trained with these vectors works with these only.
"""
