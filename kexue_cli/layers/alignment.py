"""Soft alignment of one text to another."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense


class Alignment(keras.layers.Layer):
    """For each position of a text the part of another text that it is most like.

    Called with x (b, t, d), other (b, u, d) and the other's mask (b, u, 1), returns (b, t, d): means of *other* with
    weights softmax(f(x) f(other) / sqrt(d)), f = ReLU(W .), as in DrQA (https://arxiv.org/abs/1704.00051).
    """

    def build(self, input_shape, *others):
        """Make the shared projection."""
        self.projection = Dense(input_shape[-1], activation="relu", use_bias=False)
        self.projection.build(input_shape)

    def call(self, x, other, mask):
        """Return the aligned vectors."""
        logits = ops.matmul(self.projection(x), ops.transpose(self.projection(other), (0, 2, 1)))  # (b, t, u)
        logits = logits / x.shape[-1] ** 0.5 - ops.transpose(1 - mask, (0, 2, 1)) * 1e9
        return ops.matmul(ops.softmax(logits, axis=-1), other)
