"""The metrics of similarity: of pairs accuracy, F1 and Spearman's correlation, of groups top-n.

Top-n is that of https://kexue.fm/archives/5743.

Pairs: a pair is found to mean the same where its score reaches the threshold; accuracy and F1, of the label 1, are told
where all labels are 0 or 1. Spearman's correlation, that of the ranks of scores and labels, needs neither a threshold
nor such labels; equal values share the mean of their ranks.

Groups: each text asks for the others of its group among all texts, and its rank is the place of the nearest of them.
top1, top5 and top10 are the shares of texts whose rank is no higher, mrr is the mean of 1 / rank. A text alone in its
group does not ask, but is there to be found.

Letters: n texts, d numbers of a vector, b texts that ask at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kexue_cli.bootstrap import Sums, intervals, results

TOPS = (1, 5, 10)
BLOCK = 1 << 24  # cosines at once, 64 MiB
SAME = 1e-6  # cosines no further apart are equal: float32 rounds the same product in more than one way

Rates = dict[str, float | None]


@dataclass
class PairScores:
    """The scores and labels of pairs, and what follows from them."""

    scores: list[float] = field(default_factory=list)  # cosines
    labels: list[float] = field(default_factory=list)

    def add(self, score: float, label: float) -> None:
        """Take in the score of a pair and its label."""
        self.scores.append(score)
        self.labels.append(label)

    def sheet(self, threshold: float) -> Sums:
        """Return the scores that are drawn over pairs; each pair keeps the ranks that it has among all of them."""
        columns = self._columns(threshold)
        known = {name: rate for name, rate in self._rates(_summed(columns)).items() if rate is not None}

        def drawn(sums: Mapping[str, float]) -> dict[str, float]:
            # where all labels of a draw are equal, it takes the correlation of all pairs
            return known | {name: rate for name, rate in self._rates(sums).items() if rate is not None}

        return Sums(columns, drawn)

    def results(self, threshold: float, seed: int = 0) -> dict[str, object]:
        """Return accuracy, f1, spearman and the threshold, with 95 % bootstrap intervals over pairs.

        accuracy and f1 are None unless all labels are 0 or 1, spearman if all labels or all scores are equal.
        """
        sheet = self.sheet(threshold)
        rates = self._rates(_summed(sheet.columns))
        return {**rates, "threshold": threshold, "interval": intervals(sheet, seed=seed)}

    def _rates(self, sums: Mapping[str, float]) -> Rates:
        are_graded = sums["graded"] > 0
        scores: Rates = dict.fromkeys(("accuracy", "f1")) if are_graded else _agreement(sums)
        return {**scores, "spearman": _correlation(sums)}

    def _columns(self, threshold: float) -> dict[str, list[int]]:
        """Return for each pair what it adds to the sums; whole numbers, whose sums are exact."""
        found = [int(score >= threshold) for score in self.scores]
        same = [int(label == 1) for label in self.labels]
        a, b = _ranks(self.scores), _ranks(self.labels)
        return {
            "pairs": [1] * len(found),
            "graded": [int(not set(self.labels) <= {0, 1})] * len(found),
            "right": [int(one == other) for one, other in zip(found, same, strict=True)],
            "found": found,
            "same": same,
            "both": [one * other for one, other in zip(found, same, strict=True)],
            "a": a.tolist(),
            "b": b.tolist(),
            "aa": (a * a).tolist(),
            "bb": (b * b).tolist(),
            "ab": (a * b).tolist(),
        }


def _summed(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: sum(column) for name, column in columns.items()}


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Return the ranks of values, (n,) whole numbers: twice the rank, counted from the middle of all."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return (2 * below + counts - len(values))[places]


def _agreement(sums: Mapping[str, float]) -> Rates:
    """Return accuracy and f1, from sums over pairs; 0 for nothing."""
    f1 = 2 * sums["both"] / (sums["found"] + sums["same"] or 1)
    return {"accuracy": sums["right"] / (sums["pairs"] or 1), "f1": f1}


def _correlation(sums: Mapping[str, float]) -> float | None:
    """Return the correlation of a and b, from sums over pairs; None if one of them never varies."""
    n, a, b = sums["pairs"], sums["a"], sums["b"]
    spreads = n * sums["aa"] - a * a, n * sums["bb"] - b * b
    if not all(spreads):
        return None
    first, second = map(float, spreads)
    return float(n * sums["ab"] - a * b) / math.sqrt(first * second)


def best_threshold(scores: Sequence[float], labels: Sequence[float]) -> float:
    """Return the threshold with the highest accuracy: midway between two neighbouring scores, -1 and 1 beside them.

    scores: cosines; labels: 0 or 1, one a score. Of thresholds that are equally good it is the middle one, of two in
    the middle the lower.
    """
    values, places = np.unique(np.clip(scores, -1, 1), return_inverse=True)
    same = np.bincount(places, weights=labels, minlength=len(values))
    different = np.bincount(places, minlength=len(values)) - same
    edges = np.concatenate([[-1.0], values, [1.0]])
    thresholds = (edges[:-1] + edges[1:]) / 2
    right = same.sum() + np.concatenate([[0.0], np.cumsum(different - same)])
    right[1:][thresholds[1:] <= values] = -1  # a highest score of 1 reaches any threshold
    best = np.flatnonzero(right == right.max())
    return float(thresholds[best[(len(best) - 1) // 2]])


@dataclass
class GroupScores:
    """The ranks of texts, as ranks gives them, and what follows from them."""

    ranks: Sequence[int]

    def sheet(self) -> Sums:
        """Return the scores that are drawn over the texts that ask."""
        ranks = [rank for rank in self.ranks if rank]
        columns: dict[str, list[float]] = {f"top{most}": [float(rank <= most) for rank in ranks] for most in TOPS}
        return Sums(columns | {"mrr": [1 / rank for rank in ranks], "texts": [1.0] * len(ranks)}, _means)

    def results(self, seed: int = 0) -> dict[str, object]:
        """Return top1, top5, top10 and mrr, each in 0..1, with 95 % bootstrap intervals over the texts that ask."""
        return results([self.sheet()], seed=seed)


def _means(sums: Mapping[str, float]) -> dict[str, float]:
    """Return the scores, from sums over texts; 0 for nothing."""
    return {name: value / (sums["texts"] or 1) for name, value in sums.items() if name != "texts"}


def ranks(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the rank of the nearest other text of each text's group, (n,) int64 from 1; 0 for a text alone in its own.

    It is 1 and the number of texts of other groups that are as near or nearer: who cannot tell texts apart has the
    worst rank. vectors: (n, d) float32, of length 1; groups: (n,) the number of each text's group.
    """
    order = np.argsort(groups, kind="stable")  # a group is a slice
    vectors, groups = vectors[order], groups[order]
    starts, ends = np.searchsorted(groups, groups, "left"), np.searchsorted(groups, groups, "right")
    found = np.zeros(len(groups), np.int64)
    asked = np.flatnonzero(ends - starts > 1)
    size = max(1, BLOCK // max(1, len(groups)))
    for first in range(0, len(asked), size):
        rows = asked[first : first + size]
        for row, cosines in zip(rows, vectors[rows] @ vectors.T, strict=True):  # cosines: (n,) of (b, n)
            own = cosines[starts[row] : ends[row]]
            own[row - starts[row]] = -np.inf  # the text itself
            nearest = own.max()
            own[:] = -np.inf
            found[order[row]] = 1 + np.count_nonzero(cosines >= nearest - SAME)
    return found
