"""Classes as directions: https://kexue.fm/archives/5743."""

import keras
from keras import ops


class CosineClasses(keras.layers.Layer):
    """Called with unit vectors (..., d), returns their cosines (..., n) to a trained vector for each of n classes."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        """Make the vectors."""
        self.vectors = self.add_weight(
            shape=(input_shape[-1], self.classes), initializer="glorot_normal", name="vectors"
        )

    def call(self, x):
        """Return the cosines."""
        return ops.matmul(x, ops.normalize(ops.convert_to_tensor(self.vectors), axis=0))
