"""Sentence similarity: scores beside those of shared characters, speed, search, losses, and training with many groups.

    python benchmarks/similarity.py --score FILE... [-m MODEL...] [--train FILE...]
    python benchmarks/similarity.py --speed [-m MODEL] [--length 12] [--texts 20000] [--runs 3]
    python benchmarks/similarity.py --search [--vectors 1000000] [--queries 1000] [--dimension 128] [--runs 3]
    python benchmarks/similarity.py --losses TRAIN DEV [--only LOSS...] [--seeds 3] [--epochs 20] [--network default]
    python benchmarks/similarity.py --groups 100000 [--network default]

--score: in percent, with 95 % bootstrap intervals (kexue_cli/tasks/similarity/metrics.py). Of pairs: accuracy with a
threshold that owes nothing to FILE, accuracy with the one that is best for FILE itself, Spearman's correlation. Of
groups: top1, top5, top10. FILE has any form that ``kexue evaluate similarity`` reads. The systems:

majority    all pairs have one label
TF-IDF      the cosine of characters and pairs of neighbours, normalised as for the models, by scikit-learn's
            TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), fitted on the texts of each file
MODEL       kexue_cli.load(MODEL).vectors on one thread of the processor; its own threshold

The first two have the label, or the threshold, that is best for the pairs given with --train; without them there is
none that owes nothing to FILE.

--speed: texts to vectors on one core, in CPU seconds of one process that is warm. The texts are sentences of
data/similarity-sample, joined and cut to one length. Keras is keras.Model.predict on the same network in batches of 32,
from arrays that are ready: segmentation, word vectors and ids, which are in the other figure, cost it nothing. Both
take turns; a ratio is that of one run.

--search: unit vectors are made up as texts give them, ten around each of many centres, and the 10 nearest of each
query are looked for, all on one thread of one core:

scikit-learn       NearestNeighbors(algorithm="brute"), its search alone; by euclidean, which orders unit vectors as the
                   cosine does and is quicker there than cosine
kexue              kexue_cli.tasks.similarity.index.Index
usearch            its graph as open_graph builds it and searches it, with the share of the 10 nearest that it finds

The first two take turns, each beginning every other run, and must find the same; a ratio is that of one run.
Memory: about three times that of the vectors, N x D x 4 bytes.

--losses: the comparison of https://kexue.fm/archives/5743. A network is trained on the groups of TRAIN with each loss
of kexue_cli/tasks/similarity/config.py and its scale and margin there, with other seeds, for so many epochs in which
the learning rate falls to 0; the last weights are scored on the groups of DEV, which nothing is chosen on: mean and
standard deviation over seeds, in percent. The same seed is the same beginning and the same batches for all losses.
The network is the article's, characters and a GRU of 128, or our default; both are told from a vector for each group,
batches of 100, as the article has; the rest are our settings, among them the characters left out. One thread.

--groups: a process each trains for 60 batches of 32 on that many groups of two random texts of 12 characters, its
texts told from a vector for each group or from the others of their batch. One core; the memory is the process's peak,
the checkpoint at the end of an epoch among it, and before the network is built; the CPU seconds are a batch's
median, the first 10 not among them.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from similarity_losses import NETWORKS, compare_losses, compare_memory, train_with_groups
from similarity_speed import search, speed
from threadpoolctl import threadpool_limits

from kexue_cli import loader
from kexue_cli.commands.train_similarity import read_examples
from kexue_cli.errors import KexueError
from kexue_cli.tasks import TASKS
from kexue_cli.tasks.similarity.config import MARGINS
from kexue_cli.tasks.similarity.metrics import SAME, TOPS, GroupScores, PairScores, best_threshold, ranks
from kexue_cli.tasks.similarity.records import Group, Pair
from kexue_cli.text.normalization import normalize

AT_ONCE = 256  # texts that ask at once


@dataclass(frozen=True)
class Data:
    """A file, which holds pairs or groups."""

    name: str
    pairs: list[Pair]
    groups: list[Group]

    @property
    def labels(self) -> list[float]:
        return [pair.label or 0.0 for pair in self.pairs]

    @property
    def is_graded(self) -> bool:
        return not set(self.labels) <= {0, 1}

    @property
    def group_of(self) -> npt.NDArray[np.int64]:
        return np.repeat(np.arange(len(self.groups)), [len(group.texts) for group in self.groups])

    def __str__(self) -> str:
        if self.groups:
            return f"{self.name}: {len(self.groups):,} groups of {len(self.group_of):,} texts"
        same = "graded" if self.is_graded else f"{100 * np.mean(self.labels):.1f} % of them the same"
        return f"{self.name}: {len(self.pairs):,} pairs, {same}"


def read_data(path: str) -> Data:
    examples = read_examples([path], None, "utf-8")
    groups = [example for example in examples if isinstance(example, Group)]
    pairs = [example for example in examples if isinstance(example, Pair)]
    if groups and pairs:
        raise KexueError(f"{path} holds pairs and groups; give each a file of its own")
    return Data(Path(path).name, pairs, groups)


class System(Protocol):
    name: str
    threshold: float | None  # None if there is none yet

    def cosines(self, pairs: Sequence[Pair]) -> list[float]: ...

    def ranks(self, data: Data) -> list[int]:
        """Of the texts of groups, as metrics.ranks has them; none if it cannot tell."""
        ...


class Majority:
    name = "majority"
    threshold: float | None = None

    def cosines(self, pairs: Sequence[Pair]) -> list[float]:
        return [0.0] * len(pairs)

    def ranks(self, data: Data) -> list[int]:
        return []


class SharedCharacters:
    name = "TF-IDF"
    threshold: float | None = None

    def cosines(self, pairs: Sequence[Pair]) -> list[float]:
        vectors = self._vectors([text for pair in pairs for text in (pair.text_a, pair.text_b)])
        return np.asarray(vectors[::2].multiply(vectors[1::2]).sum(axis=1)).ravel().tolist()

    def ranks(self, data: Data) -> list[int]:
        """As metrics.ranks, for vectors that are mostly zeros."""
        group_of, found = data.group_of, []
        vectors = self._vectors([text for group in data.groups for text in group.texts])
        for first in range(0, len(group_of), AT_ONCE):
            rows = np.arange(first, min(first + AT_ONCE, len(group_of)))
            cosines = (vectors[rows] @ vectors.T).toarray()  # (b, n)
            cosines[rows - first, rows] = -np.inf  # the text itself
            is_own = group_of[rows, None] == group_of
            nearest = np.where(is_own, cosines, -np.inf).max(axis=1)
            others = np.count_nonzero((cosines >= nearest[:, None] - SAME) & ~is_own, axis=1)
            found += np.where(np.isfinite(nearest), 1 + others, 0).tolist()
        return found

    def _vectors(self, texts: Sequence[str]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), dtype=np.float32)
        return vectorizer.fit_transform(map(normalize, texts)).tocsr()


class Model:
    def __init__(self, name: str) -> None:
        """Raises KexueError if there is no such model."""
        self.name = name
        self.model: Any = loader.load(name, task="similarity", device="cpu", threads=1)
        self.threshold: float | None = self.model.decoding.threshold

    def cosines(self, pairs: Sequence[Pair]) -> list[float]:
        vectors = self.model.vectors([text for pair in pairs for text in (pair.text_a, pair.text_b)])
        return np.einsum("nd,nd->n", vectors[::2], vectors[1::2]).tolist()

    def ranks(self, data: Data) -> list[int]:
        return ranks(
            self.model.vectors([text for group in data.groups for text in group.texts]), data.group_of
        ).tolist()


def percent(results: dict[str, Any], name: str, *, is_sure: bool = False) -> str:
    """A score, with its interval unless is_sure."""
    if results[name] is None:
        return "–"
    low, high = (100 * end for end in results["interval"][name])
    return f"{100 * results[name]:.1f}" + ("" if is_sure else f" [{low:.1f}, {high:.1f}]")


def cell(system: System, data: Data) -> str:
    """The three scores of a system on a file."""
    if data.groups:
        found = system.ranks(data)
        results: dict[str, Any] = GroupScores(found).results()
        return " · ".join(percent(results, f"top{most}", is_sure=most > 1) for most in TOPS) if found else "–"
    labels, cosines = data.labels, system.cosines(data.pairs)
    best = 0.0 if data.is_graded else best_threshold(cosines, labels)
    results = PairScores(cosines, labels).results(best if system.threshold is None else system.threshold)
    at_best = PairScores(cosines, labels).results(best)
    own = "–" if system.threshold is None else percent(results, "accuracy")
    return " · ".join((own, percent(at_best, "accuracy", is_sure=True), percent(results, "spearman", is_sure=True)))


def score(paths: Sequence[str], training: Sequence[str], models: Sequence[str]) -> None:
    files = [read_data(path) for path in paths]
    learned = [data for data in map(read_data, training) if data.pairs and not data.is_graded]
    systems: list[System] = [Majority(), SharedCharacters()]
    labels = [label for data in learned for label in data.labels]
    for system in systems if learned else ():
        system.threshold = best_threshold([one for data in learned for one in system.cosines(data.pairs)], labels)
    for name in models:
        try:
            systems.append(Model(name))
        except KexueError as error:
            print(f"no row for {name}: {error}", file=sys.stderr)
    print("\n".join(f"- {data}" for data in files), "\n", sep="\n", end="")
    print(f"thresholds of majority and TF-IDF: {f'of {len(labels):,} training pairs' if learned else 'none'}")
    print("pairs: accuracy · with the threshold best for the file itself · Spearman; groups: top1 · top5 · top10\n")
    print(f"| system | {' | '.join(data.name for data in files)} |\n|---{'|---' * len(files)}|", flush=True)
    for system in systems:
        print(f"| {system.name} | {' | '.join(cell(system, data) for data in files)} |", flush=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--score", nargs="+", metavar="FILE")
    what.add_argument("--speed", action="store_true")
    what.add_argument("--search", action="store_true")
    what.add_argument("--losses", nargs=2, metavar=("TRAIN", "DEV"))
    what.add_argument("--groups", type=int, metavar="N")
    parser.add_argument("-m", "--model", nargs="+", default=[TASKS["similarity"].default_model], metavar="MODEL")
    parser.add_argument("--train", nargs="+", default=[], metavar="FILE", help="pairs for the baselines' thresholds")
    parser.add_argument("--length", type=int, default=12, metavar="N", help="characters of a text")
    parser.add_argument("--texts", type=int, default=20_000, metavar="N")
    parser.add_argument("--vectors", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--queries", type=int, default=1000, metavar="N")
    parser.add_argument("--dimension", type=int, default=128, metavar="D")
    parser.add_argument("--runs", type=int, default=3, help="of --speed and --search")
    parser.add_argument("--seeds", type=int, default=3, help="of each loss")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=MARGINS, help="losses to compare; all if left out")
    parser.add_argument("--network", choices=NETWORKS, default="article", help="of --losses and --groups")
    parser.add_argument("--contrast", choices=("classes", "batch"), help="of --groups: only this one, in this process")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> None:
    if options.score:
        score(options.score, options.train, options.model)
    elif options.speed:
        speed(options.model[0], options.length, options.texts, options.runs)
    elif options.search:
        search(options.vectors, options.queries, options.dimension, options.runs)
    elif options.losses:
        compare_losses(
            *options.losses,
            losses=options.only or list(MARGINS),
            seeds=options.seeds,
            epochs=options.epochs,
            network=options.network,
        )
    elif options.contrast:
        train_with_groups(options.groups, options.network, options.contrast)
    else:
        compare_memory(options.groups, options.network, [sys.executable, *sys.argv])


def main() -> None:
    options = read_options()
    try:
        with threadpool_limits(1):
            measure(options)
    except KexueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
