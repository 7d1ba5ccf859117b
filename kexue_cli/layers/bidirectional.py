"""A recurrent layer in both directions that is exported as native nodes: it takes no Keras mask."""

import keras
from keras import ops


class BidirectionalLstm(keras.layers.Layer):
    """An LSTM from the left and one from the right. Padding lies on the right, and is turned over for neither.

    Called with x (b, t, d) and mask (b, t, 1), returns (b, t, 2 * size), zero where the mask is.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.forward = keras.layers.LSTM(size, return_sequences=True, name="forward")
        self.backward = keras.layers.LSTM(size, return_sequences=True, name="backward")

    def build(self, x_shape, mask_shape=None):
        """Make the weights."""
        self.forward.build(x_shape)
        self.backward.build(x_shape)

    def call(self, x, mask):
        """Return the states."""
        places = ops.expand_dims(ops.arange(ops.shape(x)[1]), 0)
        lengths = ops.cast(ops.sum(mask, axis=1), "int32")  # (b, 1)
        turned = ops.expand_dims(ops.where(places < lengths, lengths - 1 - places, places), -1)  # (b, t, 1)
        backward = ops.take_along_axis(self.backward(ops.take_along_axis(x, turned, axis=1)), turned, axis=1)
        return ops.concatenate([self.forward(x), backward], axis=-1) * mask
