"""A text as one vector: the mean of its positions with softmax weights; padding has none."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.attention_pooling import AttentionPooling

GENERATOR = np.random.default_rng(0)


def test_by_hand():
    layer = AttentionPooling()
    layer.build((None, None, 1))
    layer.set_weights([np.array([[1]]), np.array([[2]])])  # scores 2 tanh(x)

    found = layer(np.array([[[0], [1]]], "float32"), np.ones((1, 2, 1), "float32"))

    weight = 1 / (1 + np.exp(-2 * np.tanh(1)))  # of the second position
    assert np.asarray(found).item() == pytest.approx(weight, abs=1e-6)


def test_positions_that_are_alike_weigh_the_same():
    x = np.array([[[1, 2], [1, 2], [1, 2]]], "float32")

    np.testing.assert_allclose(AttentionPooling()(x, np.ones((1, 3, 1), "float32")), [[1, 2]], atol=1e-6)


def test_padding_weighs_exactly_nothing():
    layer = AttentionPooling()
    x = GENERATOR.normal(size=(1, 4, 8)).astype("float32")
    alone = np.asarray(layer(x, np.ones((1, 4, 1), "float32")))

    padded = np.concatenate([x, np.full((1, 3, 8), 1e6, "float32")], axis=1)  # a weight of 1e-9 would be seen
    found = np.asarray(layer(padded, np.array([1, 1, 1, 1, 0, 0, 0], "float32").reshape(1, 7, 1)))

    np.testing.assert_allclose(found, alone, atol=1e-6)


def test_an_empty_text_that_is_zero_is_zero():
    found = AttentionPooling()(np.zeros((1, 3, 8), "float32"), np.zeros((1, 3, 1), "float32"))

    assert np.asarray(found).tolist() == [[0] * 8]
