"""Self-attention that looks back only, over what was seen before too: https://arxiv.org/abs/1706.03762."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense

FAR = 1e9
BASE = 10_000.0  # of the wave lengths of rotary positions


class CausalAttention(keras.layers.Layer):
    """Called with x (b, t, d), places and the past; returns attended vectors (b, t, d), keys and values.

    places (t,): of x in its text, p, p + 1, ...; past: keys and values (b, h, p, s) of the p positions before x. The
    keys and values that are returned are those of all p + t positions. A position of x attends to the past and to x up
    to itself. is_rotary: places turn queries and keys, https://kexue.fm/archives/8265; else they are the business of
    whoever makes x.
    """

    def __init__(self, heads, is_rotary=True, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.is_rotary = heads, is_rotary
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, x_shape, *more_shapes):
        """Make the projections."""
        width = x_shape[-1]
        self.size = width // self.heads
        self.projections = [Dense(width, name=name) for name in ("query", "key", "value")]
        self.output_projection = Dense(width, name="output")
        for projection in (*self.projections, self.output_projection):
            projection.build(x_shape)

    def call(self, x, places, past_key, past_value, training=False):
        """Return the attended vectors, the keys and the values (b, h, p + t, s)."""
        length = ops.shape(x)[1]
        shape = (-1, length, self.heads, self.size)
        query, key, value = (ops.transpose(ops.reshape(p(x), shape), (0, 2, 1, 3)) for p in self.projections)
        if self.is_rotary:
            query, key = rotated(query, places), rotated(key, places)
        key = ops.concatenate([past_key, key], axis=2)
        value = ops.concatenate([past_value, value], axis=2)
        logits = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / self.size**0.5  # (b, h, t, p + t)
        logits = ops.cast(logits, "float32")  # FAR is no number in half precision
        is_ahead = ops.expand_dims(ops.arange(places[-1] + 1), 0) > ops.expand_dims(places, 1)  # (t, p + t)
        weights = ops.cast(ops.softmax(logits - ops.cast(is_ahead, "float32") * FAR, axis=-1), value.dtype)
        attended = ops.matmul(self.dropout(weights, training=training), value)
        attended = ops.reshape(ops.transpose(attended, (0, 2, 1, 3)), (-1, length, self.heads * self.size))
        return self.output_projection(attended), key, value


def rotated(x, places):
    """Return vectors (b, h, t, s) turned by their places (t,): halves of s are the two sides of s / 2 planes."""
    half = x.shape[-1] // 2
    rates = BASE ** (-ops.arange(half, dtype="float32") / half)
    angles = ops.expand_dims(ops.cast(places, "float32"), 1) * rates  # (t, s / 2)
    cosines, sines = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    first, second = x[..., :half], x[..., half:]
    return ops.concatenate([first * cosines - second * sines, first * sines + second * cosines], axis=-1)
