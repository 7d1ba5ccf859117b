"""Conditional layer normalization: https://kexue.fm/archives/7124."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense


class ConditionalLayerNormalization(keras.layers.Layer):
    """(x - mean) / sqrt(variance + epsilon) * (gamma + W c) + (beta + W' c); W and W' begin as zero and have no bias.

    Called with x (b, t, d) and the condition c (b, n), returns (b, t, d). At the first step it is a plain layer
    normalization, whatever the condition. hidden: numbers that the condition is first projected to, with swish and
    without a bias, which saves weights where d is large; 0 for none. Not keras.layers.LayerNormalization, whose scale
    is the same for all samples.
    """

    def __init__(self, hidden=0, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.epsilon = hidden, epsilon

    def build(self, x_shape, condition_shape):
        """Make scale and shift, and their projections."""
        width, numbers = x_shape[-1], condition_shape[-1]
        self.gamma = self.add_weight(shape=(width,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(width,), initializer="zeros", name="beta")
        if self.hidden:
            self.project = Dense(self.hidden, use_bias=False, activation="swish", name="hidden")
            self.project.build(condition_shape)
            numbers = self.hidden
        self.scale, self.shift = (
            Dense(width, use_bias=False, kernel_initializer="zeros", name=name) for name in ("scale", "shift")
        )
        for projection in (self.scale, self.shift):
            projection.build((None, numbers))

    def call(self, x, condition):
        """Return the normalised vectors."""
        condition = ops.expand_dims(condition, 1)  # (b, 1, n), the same for all positions
        if self.hidden:
            condition = self.project(condition)
        width, kind = x.shape[-1], x.dtype
        x = ops.cast(x, "float32")  # squares would be too large for half precision
        x = x - ops.sum(x, axis=-1, keepdims=True) / width  # a mean would be exported as four nodes
        variance = ops.sum(ops.square(x), axis=-1, keepdims=True) / width
        scale, shift = self.gamma + self.scale(condition), self.beta + self.shift(condition)
        return ops.cast(x / ops.sqrt(variance + self.epsilon), kind) * scale + shift
