"""How well a model does on examples that it was not trained on, and the threshold that is best for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kexue_cli.tasks.similarity.decoding import cosines
from kexue_cli.tasks.similarity.index import Index
from kexue_cli.tasks.similarity.metrics import GroupScores, PairScores, best_threshold, ranks
from kexue_cli.tasks.similarity.records import Example, Group, Pair

if TYPE_CHECKING:
    from kexue_cli.tasks.similarity import Similarity


class Calibration(NamedTuple):
    """The scores of a model on examples, and the least cosine of texts that mean the same."""

    scores: dict[str, float]
    threshold: float


def calibrate(model: "Similarity", examples: Sequence[Example]) -> Calibration:
    """Return accuracy and spearman of pairs, top1 and mrr of groups, and "score", the mean of accuracy and top1.

    The threshold is where most pairs fall on the side of their label; graded labels are cut in the middle. Without
    pairs they are each text of a group and its nearest.
    """
    pairs = [one for one in examples if isinstance(one, Pair) and one.label is not None]
    groups = [one for one in examples if isinstance(one, Group)]
    scores: dict[str, float] = {}
    threshold = model.decoding.threshold
    if any(len(group.texts) > 1 for group in groups):
        top, threshold = _calibrate_groups(model, groups)
        scores |= top
    if pairs:
        agreement, threshold = _calibrate_pairs(model, pairs)
        scores |= agreement
    means = [scores[name] for name in ("accuracy", "top1") if name in scores]
    return Calibration({**scores, "score": float(np.mean(means)) if means else 0.0}, threshold)


def _calibrate_pairs(model: "Similarity", pairs: Sequence[Pair]) -> tuple[dict[str, float], float]:
    vectors = model.vectors([text for pair in pairs for text in (pair.text_a, pair.text_b)])
    scores = cosines(vectors)
    labels = [pair.label or 0.0 for pair in pairs]
    middle = 0.5 if set(labels) <= {0, 1} else (min(labels) + max(labels)) / 2
    is_same = [float(label > middle) for label in labels]
    threshold = best_threshold(scores, is_same)
    accuracy = np.mean([(score >= threshold) == same for score, same in zip(scores, is_same, strict=True)])
    correlation = PairScores(scores, labels).results(threshold)["spearman"]
    return {"accuracy": float(accuracy), "spearman": float(correlation or 0)}, threshold  # type: ignore[arg-type]


def _calibrate_groups(model: "Similarity", groups: Sequence[Group]) -> tuple[dict[str, float], float]:
    texts = [text for group in groups for text in group.texts]
    group_of = np.repeat(np.arange(len(groups)), [len(group.texts) for group in groups])
    vectors = model.vectors(texts)
    found = GroupScores(ranks(vectors, group_of).tolist()).results()
    nearest, rows = Index(vectors).search(vectors, 1, without=np.arange(len(texts)))
    threshold = best_threshold(nearest[:, 0].tolist(), (group_of[rows[:, 0]] == group_of).astype(float).tolist())
    return {name: float(found[name]) for name in ("top1", "mrr")}, threshold  # type: ignore[arg-type]
