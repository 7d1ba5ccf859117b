"""Losses that Keras does not have."""

from collections.abc import Callable
from typing import Any

from keras import ops

LEAST = 1e-7  # probability, so that its logarithm is finite


def doubtful_binary_crossentropy(*, weight: float = 1.0) -> Callable[[Any, Any], Any]:
    """Return the binary cross entropy of probabilities (b, t, n): its sum over n, mean over b and t.

    A label below 0 is a doubtful 0 and weighs 1 + label: at -1 nothing is known. Padding is 0 in labels and outputs,
    and costs nothing.
    """

    def loss(labels: Any, probabilities: Any) -> Any:
        labels = ops.cast(labels, probabilities.dtype)
        doubt = ops.maximum(-labels, 0)
        labels = ops.maximum(labels, 0)
        probabilities = ops.clip(probabilities, LEAST, 1 - LEAST)
        entropy = -labels * ops.log(probabilities) - (1 - labels) * ops.log(1 - probabilities)
        return weight * ops.mean(ops.sum(entropy * (1 - doubt), axis=-1))

    return loss


def smoothed_crossentropy(smoothing: float = 0.0) -> Callable[[Any, Any], Any]:
    """Return the cross entropy of logits (b, t, n): its mean over the labels (b, t) that are not 0, which is padding.

    smoothing: share of each label that is spread over all n, https://arxiv.org/abs/1512.00567.
    """

    def loss(labels: Any, logits: Any) -> Any:
        labels = ops.cast(labels, "int32")
        counts = ops.cast(labels != 0, logits.dtype)
        total = ops.logsumexp(logits, axis=-1)
        target = ops.squeeze(ops.take_along_axis(logits, ops.expand_dims(labels, -1), axis=-1), -1)
        entropy = total - (1 - smoothing) * target - smoothing * ops.mean(logits, axis=-1)
        return ops.sum(entropy * counts) / ops.maximum(ops.sum(counts), 1.0)

    return loss
