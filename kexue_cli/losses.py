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
