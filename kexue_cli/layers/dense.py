"""Dense layer over sequences that is one node when exported."""

import keras
from keras import ops


class Dense(keras.layers.Dense):
    """keras.layers.Dense for x (b, t, d) or (b, d).

    TensorFlow exports the product of (b, t, d) and (d, n) as ten nodes, which gather and restore the shape; that of
    (b, t, d) and (1, d, n) as one. ONNX Runtime takes the longer to load a network, the more nodes it has.
    """

    def call(self, inputs, training=None):
        """Return the product."""
        if training or len(inputs.shape) == 2:
            return super().call(inputs)
        x = ops.matmul(inputs, ops.expand_dims(self.kernel, 0))
        if self.use_bias:
            x = x + self.bias
        return x if self.activation is None else self.activation(x)
