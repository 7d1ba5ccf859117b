"""The vectors inside a span, and of the distance from its ends."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.span import Distance, SpanVectors

GENERATOR = np.random.default_rng(0)


def vectors_of(x, places):
    return np.asarray(SpanVectors()(np.array(x, "float32"), np.array(places, "int32")))


def make_distance(longest, table):
    layer = Distance(longest, len(table[0]))
    layer.build((None, None, 5), (None, 6))
    layer.set_weights([np.array(table)])
    return layer


def distances_of(layer, length, *places):
    return np.asarray(layer(np.zeros((len(places), length, 5), "float32"), np.array(places, "int32")))


# ------------------------------------------------------------- vectors


def test_each_row_of_the_batch_has_its_own_places():
    x = [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]]

    assert vectors_of(x, [[2, 0], [1, 1]]).tolist() == [[[5, 6], [1, 2]], [[9, 10], [9, 10]]]


def test_any_places():
    x, places = GENERATOR.normal(size=(4, 9, 3)), GENERATOR.integers(0, 9, (4, 6))

    found = vectors_of(x, places)

    for row in range(4):
        np.testing.assert_allclose(found[row], x[row, places[row]], rtol=1e-6)


def test_a_place_behind_the_text_is_its_last_and_not_the_next_text_s():
    assert vectors_of([[[1], [2]], [[3], [4]]], [[5, 1], [2, 0]]).tolist() == [[[2], [2]], [[4], [3]]]


# ------------------------------------------------------------- distances


def test_each_position_has_the_vectors_of_how_far_it_is_from_the_start_and_from_the_end():
    layer = make_distance(2, [[-2], [-1], [0], [1], [2]])

    found = distances_of(layer, 6, [3, 3, 3, 2, 2, 2])  # from the span's last character to its first

    # from 3 on the left, from 2 on the right; beyond 2 all is as far
    assert found[0].T.tolist() == [[-2, -2, -1, 0, 1, 2], [-2, -1, 0, 1, 2, 2]]


def test_each_row_of_the_batch_has_its_own_span():
    layer = make_distance(3, [[-3], [-2], [-1], [0], [1], [2], [3]])

    found = distances_of(layer, 3, [0, 0], [2, 1])

    assert found.transpose(0, 2, 1).tolist() == [[[0, 1, 2], [0, 1, 2]], [[-2, -1, 0], [-1, 0, 1]]]


def test_vectors_are_as_wide_as_was_asked_for_each_end():
    table = GENERATOR.normal(size=(5, 3))

    found = distances_of(make_distance(2, table), 4, [2, 1])

    expected = [[*table[max(0, 2 + place - 2)], *table[min(4, 2 + place - 1)]] for place in range(4)]
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


def test_they_begin_as_zero_and_are_one_table_to_be_trained():
    layer = Distance(2, 3)

    assert distances_of(layer, 4, [1, 1]).tolist() == [[[0] * 6] * 4]
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(5, 3)]
