"""Cosines to a vector of each class: its length says nothing, and only its direction is learned."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.cosine_classes import CosineClasses

GENERATOR = np.random.default_rng(0)


def make_layer(vectors):
    """A layer with these vectors, one a row here."""
    columns = np.transpose(np.asarray(vectors, "float32"))
    layer = CosineClasses(columns.shape[1])
    layer.build((None, len(columns)))
    layer.set_weights([columns])
    return layer


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_by_hand():
    layer = make_layer([[3, 4], [-2, 0], [0, 0.1]])

    found = layer(np.array([[1, 0], [0.6, 0.8]], "float32"))

    np.testing.assert_allclose(found, [[0.6, -1, 0], [1, -0.6, 0.8]], atol=1e-6)


def test_each_of_the_texts_of_a_sample_is_compared_with_all_classes():
    layer = make_layer(GENERATOR.normal(size=(5, 4)))
    x = unit(GENERATOR.normal(size=(3, 2, 4))).astype("float32")

    found = np.asarray(layer(x))

    assert found.shape == (3, 2, 5)
    np.testing.assert_allclose(found[2, 1], np.asarray(layer(x[2, 1:]))[0], atol=1e-6)


def test_the_length_of_a_class_changes_nothing():
    vectors, x = GENERATOR.normal(size=(5, 4)), unit(GENERATOR.normal(size=(3, 4))).astype("float32")

    short, long = (np.asarray(make_layer(vectors * scale)(x)) for scale in (0.01, 100))

    np.testing.assert_allclose(short, long, atol=1e-5)
    assert np.abs(long).max() <= 1 + 1e-6


def test_a_step_turns_a_class_and_does_not_lengthen_it():
    layer = make_layer([[2.0, 0.0]])
    network = keras.Sequential([keras.Input((2,)), layer])
    network.compile(keras.optimizers.SGD(0.1), "mse")

    network.train_on_batch(np.array([[0.6, 0.8]], "float32"), np.array([[1.0]], "float32"))

    [[x], [y]] = layer.get_weights()[0]
    assert x == pytest.approx(2, abs=1e-6)  # the gradient is at a right angle to the class
    assert y > 0.01


def test_new_classes_are_as_many_as_are_told_and_differ():
    layer = CosineClasses(7)
    layer.build((None, 2, 64))

    found = np.asarray(layer(unit(np.transpose(layer.get_weights()[0]))))

    np.testing.assert_allclose(np.diag(found), 1, atol=1e-5)
    assert (found - np.eye(7)).max() < 0.7
