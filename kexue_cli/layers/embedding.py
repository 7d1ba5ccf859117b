"""Embedding with a dense gradient."""

import keras
from keras import ops


class Embedding(keras.layers.Embedding):
    """keras.layers.Embedding whose gradient is a dense array.

    Called with ids (b, t), returns (b, t, d). Under TensorFlow the gradient of the plain layer is a list of rows, in
    which a row that occurs several times counts several times in Adam's second moment: sum(g^2) in place of (sum g)^2.
    Multiplying the table by one makes the gradient dense; the step is then the same on every backend, and faster.
    """

    def call(self, inputs):
        """Return the vectors of ids."""
        return ops.take(ops.convert_to_tensor(self.embeddings) * 1.0, inputs, axis=0)
