"""The first layers of every task: a character is its own vector and its word's, then what stands around it."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.text_encoder import TextEncoder, mask_of

IDS = np.array([[5, 3, 5, 0]], np.int32)  # the last position is padding
WORDS = np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [7.0, 7.0]]], np.float32)


def encode(layer, ids=IDS, words=WORDS):
    return np.asarray(layer(ids, mask_of(ids), words))


def test_without_convolutions_it_is_the_sum_of_both_vectors():
    layer = TextEncoder(6, 4, rates=())

    x = encode(layer)

    table, projection = (np.asarray(weight) for weight in layer.get_weights())
    np.testing.assert_allclose(x[0, 0], table[5] + projection[0], atol=1e-6)
    np.testing.assert_allclose(x[0, 1], table[3] + projection[1], atol=1e-6)
    np.testing.assert_array_equal(x[0, 3], 0)


def test_words_may_be_left_out():
    layer = TextEncoder(6, 4, rates=())

    x = np.asarray(layer(IDS, mask_of(IDS)))

    (table,) = layer.get_weights()
    np.testing.assert_allclose(x[0, :3], table[[5, 3, 5]], atol=1e-6)


def test_convolutions_let_a_character_see_as_far_as_their_rates_add_up_to():
    layer = TextEncoder(6, 4, rates=(1, 2))
    ids = np.full((1, 9), 2, np.int32)
    words = np.zeros((1, 9, 2), np.float32)
    changed = ids.copy()
    changed[0, 4] = 3

    difference = np.abs(encode(layer, ids, words) - encode(layer, changed, words)).max(axis=-1)[0]

    assert (difference > 0).tolist() == [False, True, True, True, True, True, True, True, False]


def test_padding_changes_nothing():
    layer = TextEncoder(6, 4, rates=(1, 2))

    np.testing.assert_allclose(encode(layer)[:, :3], encode(layer, IDS[:, :3], WORDS[:, :3]), atol=1e-6)
