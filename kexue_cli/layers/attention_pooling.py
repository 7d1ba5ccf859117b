"""Attention pooling: https://kexue.fm/archives/5409."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense


class AttentionPooling(keras.layers.Layer):
    """Weighted mean over positions; the weights are softmax(v tanh(W x)).

    Called with x (b, t, d) and mask (b, t, 1), returns (b, d). Padded positions weigh exactly 0.
    """

    def build(self, input_shape):
        """Make the two matrices."""
        self.hidden = Dense(input_shape[-1], activation="tanh", use_bias=False)
        self.score = Dense(1, use_bias=False)
        self.hidden.build(input_shape)
        self.score.build(input_shape)

    def call(self, x, mask):
        """Return the mean."""
        logits = self.score(self.hidden(x)) - (1 - mask) * 1e4  # (b, t, 1)
        return ops.sum(x * ops.softmax(logits, axis=1), axis=1)
