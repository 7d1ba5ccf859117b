"""Vectors of positions, fixed (https://arxiv.org/abs/1706.03762) or trained."""

import keras
from keras import ops


class PositionEmbedding(keras.layers.Layer):
    """Adds to x (b, t, d), d even, the vector of each position: sin(p / 10000^(2i/d)) and the same cosines."""

    def call(self, x):
        """Return x with positions."""
        half = x.shape[-1] // 2
        rates = ops.exp(ops.arange(half, dtype="float32") * (-9.210340 / half))  # 10000^(-i/half)
        angles = ops.expand_dims(ops.arange(ops.shape(x)[1], dtype="float32"), -1) * rates  # (t, d/2)
        return x + ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


class TrainedPositions(keras.layers.Layer):
    """Adds to x (b, t, d) a trained vector for each position, zero at first, as at https://kexue.fm/archives/6671.

    Positions from *longest* on share the last vector.
    """

    def __init__(self, longest, **kwargs):
        super().__init__(**kwargs)
        self.longest = longest

    def build(self, input_shape):
        """Make the table."""
        self.table = self.add_weight(shape=(self.longest, input_shape[-1]), initializer="zeros", name="table")

    def call(self, x):
        """Return x with positions."""
        places = ops.minimum(ops.arange(ops.shape(x)[1]), self.longest - 1)
        return x + ops.take(ops.convert_to_tensor(self.table) * 1.0, places, axis=0)
