"""Sines and cosines of the place in the text, or a trained vector of it."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.position_embedding import PositionEmbedding, TrainedPositions


def test_by_hand():
    found = np.asarray(PositionEmbedding()(np.zeros((1, 3, 4), "float32")))[0]

    # the angles of place p are p and p / 100
    expected = [[np.sin(p), np.sin(p / 100), np.cos(p), np.cos(p / 100)] for p in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_places_are_added_to_what_is_there_in_each_row_of_the_batch():
    x = np.random.default_rng(0).normal(size=(2, 7, 6)).astype("float32")

    found = np.asarray(PositionEmbedding()(x)) - x

    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert len({tuple(row) for row in found[0].round(4)}) == 7


def test_a_place_does_not_depend_on_what_follows():
    short, long = (np.asarray(PositionEmbedding()(np.zeros((1, length, 6), "float32"))) for length in (3, 200))

    np.testing.assert_array_equal(short, long[:, :3])


# ------------------------------------------------------------- trained


def test_trained_positions_begin_as_zero():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    layer = TrainedPositions(8)

    np.testing.assert_array_equal(layer(x), x)
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(8, 4)]


def test_each_place_has_its_trained_vector_and_those_behind_the_table_the_last():
    layer = TrainedPositions(3)
    layer.build((None, None, 2))
    layer.set_weights([np.array([[1, 2], [3, 4], [5, 6]])])
    x = np.array([[[0, 0]] * 5, [[10, 20]] * 5], "float32")

    found = np.asarray(layer(x))

    assert found.tolist() == [
        [[1, 2], [3, 4], [5, 6], [5, 6], [5, 6]],
        [[11, 22], [13, 24], [15, 26], [15, 26], [15, 26]],
    ]
    np.testing.assert_array_equal(np.asarray(layer(x[:, :2])), found[:, :2])
