"""A GRU that is exported as one native node."""

import keras
from keras import ops


class Gru(keras.layers.GRU):
    """keras.layers.GRU for sequences that are padded on the right and have no Keras mask.

    TensorFlow exports the plain layer as a loop of small nodes, five times as slow, for it reads the bias inside the
    loop; the same step with the bias outside becomes one GRU node. Outputs are equal; on other backends it is the
    plain layer.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output, all outputs and the states."""
        if keras.backend.backend() != "tensorflow":
            return super().inner_loop(sequences, initial_state, mask, training=training)
        cell, bias = self.cell, ops.convert_to_tensor(self.cell.bias)
        input_bias, recurrent_bias = bias[0], bias[1]

        def step(x, states):
            (state,) = states
            x_update, x_reset, x_new = ops.split(ops.add(ops.matmul(x, cell.kernel), input_bias), 3, axis=-1)
            h = ops.add(ops.matmul(state, cell.recurrent_kernel), recurrent_bias)
            h_update, h_reset, h_new = ops.split(h, 3, axis=-1)
            update = ops.sigmoid(x_update + h_update)
            new = ops.tanh(x_new + ops.sigmoid(x_reset + h_reset) * h_new)
            state = update * state + (1 - update) * new
            return state, [state]

        object.__setattr__(self, "cell", step)  # Keras would track it as a layer's part
        try:
            return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training=training)
        finally:
            object.__setattr__(self, "cell", cell)
