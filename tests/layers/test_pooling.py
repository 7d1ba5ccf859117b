"""A sequence as one vector: its mean and maximum, or its last state; padding is neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("keras")

from kexue_cli.layers.pooling import LastState, MeanMaxPooling

LAYERS = {"mean and maximum": MeanMaxPooling, "last": LastState}


def pooled(layer, rows, lengths):
    """The vectors (b, n) of rows (b, t, d), of which only so many positions are no padding."""
    x = np.asarray(rows, "float32")
    mask = (np.arange(x.shape[1]) < np.asarray(lengths)[:, None]).astype("float32")[..., None]
    return np.asarray(layer()(x, mask))


def test_mean_and_maximum_by_hand():
    text = [[1, -4], [3, -2], [5, -9]]

    assert pooled(MeanMaxPooling, [text], [3]).tolist() == [[3, -5, 5, -2]]
    assert pooled(MeanMaxPooling, [text], [2]).tolist() == [[2, -3, 3, -2]]  # behind it is padding
    assert pooled(MeanMaxPooling, [text], [1]).tolist() == [[1, -4, 1, -4]]


def test_the_maximum_of_a_text_below_zero_is_not_that_of_its_padding():
    assert pooled(MeanMaxPooling, [[[-3], [-2], [0]]], [2]).tolist() == [[-2.5, -2]]


def test_the_last_state_by_hand():
    text = [[1, 2], [3, 4], [5, 6]]

    assert [pooled(LastState, [text], [length]).tolist() for length in (1, 2, 3)] == [[[1, 2]], [[3, 4]], [[5, 6]]]


def test_each_row_of_a_batch_has_its_own_length():
    rows = np.arange(24).reshape(3, 4, 2)

    assert pooled(LastState, rows, [4, 1, 2]).tolist() == [[6, 7], [8, 9], [18, 19]]


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_an_empty_text_is_a_finite_vector(layer):
    assert np.isfinite(pooled(layer, np.zeros((2, 3, 2)), [0, 3])).all()


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_padding_changes_nothing_whatever_it_holds(layer, length, more, seed):
    x = np.random.default_rng(seed).normal(size=(1, length, 3))

    padded = np.concatenate([x, np.full((1, more, 3), 50)], axis=1)

    np.testing.assert_allclose(pooled(layer, padded, [length]), pooled(layer, x, [length]), atol=1e-5)
