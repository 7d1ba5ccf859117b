"""Self-attention: https://arxiv.org/abs/1706.03762, without a projection of its output, as at https://kexue.fm/archives/6671."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense


class SelfAttention(keras.layers.Layer):
    """Called with x (b, t, d) and mask (b, t, 1), returns (b, t, heads * size), zero where the mask is.

    Not keras.layers.MultiHeadAttention, which always projects its output and exports its products as ten nodes each.
    """

    def __init__(self, heads, size, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.size = heads, size
        self.projections = [Dense(heads * size, use_bias=False, name=name) for name in ("query", "key", "value")]

    def build(self, x_shape, mask_shape=None):
        """Make the projections."""
        for projection in self.projections:
            projection.build(x_shape)

    def call(self, x, mask):
        """Return the attended vectors."""
        shape = (-1, ops.shape(x)[1], self.heads, self.size)
        query, key, value = (ops.transpose(ops.reshape(p(x), shape), (0, 2, 1, 3)) for p in self.projections)
        logits = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / self.size**0.5  # (b, h, t, t)
        weights = ops.softmax(logits - ops.expand_dims(ops.transpose(1 - mask, (0, 2, 1)), 1) * 1e4, axis=-1)
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return ops.reshape(attended, (-1, ops.shape(x)[1], self.heads * self.size)) * mask
