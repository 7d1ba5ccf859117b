"""The losses of similarity, one explicit table: margins over cosines for groups, CoSENT for labelled pairs.

Articles: https://kexue.fm/archives/5743 (softmax, am-softmax, simpler-a-softmax), https://kexue.fm/archives/8847
(CoSENT). Papers: https://arxiv.org/abs/1801.07698 (arcface), https://arxiv.org/abs/2002.10857 (circle).
The margin is put into the logits and an ordinary cross entropy taken, which is safe in half precision; the articles'
sparse form, log(1 - e^x), is not.
Letters: b batch, n classes.
"""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from kexue_cli.tasks.similarity.config import MARGINS, LossConfig

FAR = 1e4  # which half precision holds
NO_GROUP = -1  # of a sample that is a labelled pair
NO_LABEL = -math.inf  # of a sample of a group
NEAR_ONE = 1 - 1e-6  # cosine, so that its sine has a gradient

Logits = Callable[[Any, Any, float], Any]


def _softmax(cosines: Any, is_target: Any, margin: float) -> Any:
    return cosines


def _am_softmax(cosines: Any, is_target: Any, margin: float) -> Any:
    return cosines - margin * is_target


def _simpler_a_softmax(cosines: Any, is_target: Any, margin: float) -> Any:
    squares = ops.square(cosines)
    four_times = 8 * ops.square(squares) - 8 * squares + 1  # cos 4x
    return cosines + is_target * (ops.minimum(four_times, cosines) - cosines)


def _arcface(cosines: Any, is_target: Any, margin: float) -> Any:
    cosines = ops.clip(cosines, -NEAR_ONE, NEAR_ONE)
    turned = cosines * math.cos(margin) - ops.sqrt(1 - ops.square(cosines)) * math.sin(margin)  # cos(x + margin)
    is_past = ops.cast(cosines < math.cos(math.pi - margin), cosines.dtype)  # x + margin would be more than pi
    beyond = cosines - math.sin(math.pi - margin) * margin
    return cosines + is_target * (turned + is_past * (beyond - turned) - cosines)


def _circle(cosines: Any, is_target: Any, margin: float) -> Any:
    target = ops.maximum(1 + margin - ops.stop_gradient(cosines), 0) * (cosines - (1 - margin))
    other = ops.maximum(ops.stop_gradient(cosines) + margin, 0) * (cosines - margin)
    return is_target * target + (1 - is_target) * other


LOGITS: dict[str, Logits] = {  # cosines (..., n), 1 at targets (..., n), margin -> logits before the scale
    "softmax": _softmax,
    "am-softmax": _am_softmax,
    "simpler-a-softmax": _simpler_a_softmax,
    "arcface": _arcface,
    "circle": _circle,
}


def margin_crossentropy(config: LossConfig) -> Callable[..., Any]:
    """Return the cross entropy of cosines (..., n) with one target each, (..., n), as one of LOGITS has it.

    weights (...): of each; the result is their weighted mean. is_out (..., n): 1 at classes that do not count.
    """
    known = MARGINS[config.groups]
    scale = config.scale or known.scale
    margin = known.margin if config.margin is None else config.margin
    logits_of = LOGITS[config.groups]

    def loss(cosines: Any, is_target: Any, weights: Any, is_out: Any = 0.0) -> Any:
        logits = scale * logits_of(cosines, is_target, margin) - FAR * is_out
        each = ops.logsumexp(logits, axis=-1) - ops.sum(logits * is_target, axis=-1)
        return ops.sum(each * weights) / ops.maximum(ops.sum(weights), 1.0)

    return loss


def class_loss(config: LossConfig) -> Callable[[Any, Any], Any]:
    """Return the loss of cosines (b, 2, n) of both texts of a sample to all classes. labels: groups (b,)."""
    crossentropy = margin_crossentropy(config)

    def loss(labels: Any, cosines: Any) -> Any:
        groups = ops.expand_dims(ops.cast(ops.reshape(labels, (-1,)), "int32"), 1)  # (b, 1)
        is_target = ops.one_hot(groups, cosines.shape[-1], dtype=cosines.dtype)  # (b, 1, n); zeros without a group
        weights = ops.sum(is_target, axis=-1) + ops.zeros_like(cosines[..., 0])  # 0 without a group
        return crossentropy(cosines, is_target, weights)

    return loss


def vector_loss(config: LossConfig, *, is_contrast: bool) -> Callable[[Any, Any], Any]:
    """Return the loss of the unit vectors (b, 2, d) of both texts of each sample.

    labels (b, 2): label of the pair, NO_LABEL for none, and group, NO_GROUP for none. is_contrast: whether texts of a
    group are told from the others of the batch.
    """
    crossentropy = margin_crossentropy(config)

    def loss(labels: Any, vectors: Any) -> Any:
        labels = ops.cast(labels, vectors.dtype)
        label, group = labels[:, 0], labels[:, 1]
        one, other = vectors[:, 0], vectors[:, 1]
        total = config.pair_weight * cosent(ops.sum(one * other, axis=-1), label, config.pair_scale)
        if not is_contrast:
            return total
        cosines = ops.matmul(one, ops.transpose(other))  # (b, b)
        is_target = ops.eye(ops.shape(cosines)[0], dtype=cosines.dtype)
        is_same = ops.cast(ops.expand_dims(group, 1) == ops.expand_dims(group, 0), cosines.dtype)
        is_grouped = ops.cast(group != NO_GROUP, cosines.dtype)
        is_out = is_same * ops.expand_dims(is_grouped, 1) * (1 - is_target)
        both = (cosines, ops.transpose(cosines))
        return total + sum(crossentropy(side, is_target, is_grouped, is_out) for side in both) / 2

    return loss


def cosent(cosines: Any, labels: Any, scale: float) -> Any:
    """Return log(1 + sum e^(scale (cos_j - cos_i))) over all i, j with a greater label of i; NO_LABEL is left out."""
    is_labelled = labels != NO_LABEL
    is_greater = ops.expand_dims(labels, 1) > ops.expand_dims(labels, 0)
    counts = ops.logical_and(is_greater, ops.expand_dims(is_labelled, 0))  # the greater one has a label then
    gaps = scale * (ops.expand_dims(cosines, 0) - ops.expand_dims(cosines, 1))
    gaps = ops.where(counts, gaps, -FAR)
    return ops.logaddexp(ops.logsumexp(ops.reshape(gaps, (-1,))), ops.zeros((), cosines.dtype))
