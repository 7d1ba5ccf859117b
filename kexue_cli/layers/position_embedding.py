"""Sinusoidal positions: https://arxiv.org/abs/1706.03762."""

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
