"""What a network knows of a span: the vectors inside it, and how far it is from each position."""

import keras
from keras import ops


class SpanVectors(keras.layers.Layer):
    """The vectors at some places. Called with x (b, t, d) and places (b, n), returns (b, n, d)."""

    def call(self, x, places):
        """Return the vectors."""
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        flat = ops.reshape(x, (-1, x.shape[-1]))  # one take over all rows: take_along_axis is exported as a slower node
        rows = ops.minimum(places, length - 1) + ops.expand_dims(ops.arange(batch) * length, 1)
        return ops.take(flat, rows, axis=0)


class Distance(keras.layers.Layer):
    """Vectors of the distance of each position to both ends of a span, of one table, which begins as zero.

    Called with x (b, t, d) and places (b, n) from the span's end to its start, returns (b, t, 2 * width).
    """

    def __init__(self, longest, width, **kwargs):
        super().__init__(**kwargs)
        self.longest, self.width = longest, width

    def build(self, x_shape, places_shape):
        """Make the table."""
        self.table = self.add_weight(shape=(2 * self.longest + 1, self.width), initializer="zeros", name="table")

    def call(self, x, places):
        """Return the vectors."""
        positions = ops.expand_dims(ops.arange(ops.shape(x)[1]), 0)
        parts = []
        for place in (places[:, :1], places[:, -1:]):
            away = ops.clip(positions - place, -self.longest, self.longest) + self.longest
            parts.append(ops.take(ops.convert_to_tensor(self.table) * 1.0, away, axis=0))
        return ops.concatenate(parts, axis=-1)
