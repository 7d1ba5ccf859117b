"""A sequence of vectors as one: masked pooling."""

import keras
from keras import ops

from kexue_cli.layers.span import SpanVectors

FAR = 1e4  # which half precision holds


class MeanMaxPooling(keras.layers.Layer):
    """Mean and maximum over positions. Called with x (b, t, d) and mask (b, t, 1), returns (b, 2d).

    Of a text without characters both are zero.
    """

    def call(self, x, mask):
        """Return the mean and, behind it, the maximum."""
        count = ops.sum(mask, axis=1)  # (b, 1)
        mean = ops.sum(x * mask, axis=1) / ops.maximum(count, 1.0)
        most = ops.max(ops.where(mask > 0, x, -FAR), axis=1) * ops.minimum(count, 1.0)
        return ops.concatenate([mean, most], axis=-1)


class LastState(SpanVectors):
    """The vector at the last position of the mask. Called with x (b, t, d) and mask (b, t, 1), returns (b, d)."""

    def call(self, x, mask):
        """Return the vector."""
        last = ops.maximum(ops.cast(ops.sum(mask, axis=1), "int32") - 1, 0)  # (b, 1)
        return ops.squeeze(super().call(x, last), 1)
