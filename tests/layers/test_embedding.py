"""Vectors of ids, and the step that Adam makes with them."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.embedding import Embedding


def adam(table, gradients, rate, first=0.9, second=0.999, epsilon=1e-7):
    """The steps of https://arxiv.org/abs/1412.6980, in the form that Keras has."""
    mean, square = np.zeros_like(table), np.zeros_like(table)
    for step, gradient in enumerate(gradients, 1):
        mean = first * mean + (1 - first) * gradient(table)
        square = second * square + (1 - second) * gradient(table) ** 2
        table = table - rate * np.sqrt(1 - second**step) / (1 - first**step) * mean / (np.sqrt(square) + epsilon)
    return table


def test_ids_have_their_vectors():
    layer = Embedding(3, 2)
    layer.build((None, None))
    layer.set_weights([np.array([[0, 0], [1, 2], [3, 4]])])

    assert np.asarray(layer(np.array([[2, 1], [1, 1]]))).tolist() == [[[3, 4], [1, 2]], [[1, 2], [1, 2]]]


def test_an_id_that_is_repeated_steps_as_adam_says():
    table = np.array([[0.5, -1.0], [2.0, 3.0], [-4.0, 5.0]])
    ids = np.array([[1, 1, 1, 2]])
    target = np.array([[[1, 0], [0, 1], [3, -2], [1, 1]]], "float32")
    network = keras.Sequential([keras.Input((4,), dtype="int32"), Embedding(3, 2)])
    network.layers[0].set_weights([table])
    network.compile(keras.optimizers.Adam(0.1), "mse")

    for _ in range(3):
        network.train_on_batch(ids, target)

    def gradient(table):
        result = np.zeros_like(table)
        np.add.at(result, ids[0], 2 * (table[ids[0]] - target[0]) / target.size)  # an id's own places add up
        return result

    np.testing.assert_allclose(network.get_weights()[0], adam(table, [gradient] * 3, 0.1), atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends have dense gradients only")
def test_the_gradient_is_dense():
    import tensorflow

    layer = Embedding(3, 2)
    layer.build((None, None))

    with tensorflow.GradientTape() as tape:
        total = keras.ops.sum(layer(np.array([[1, 1]])))
    [gradient] = tape.gradient(total, layer.trainable_variables)

    assert np.asarray(gradient).tolist() == [[0, 0], [2, 2], [0, 0]]
    assert isinstance(gradient, tensorflow.Tensor)
