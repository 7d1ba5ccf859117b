"""Each position of one text beside what is most like it in another."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.alignment import Alignment

GENERATOR = np.random.default_rng(0)
ALIKE = 40 * np.eye(2, dtype="float32")  # makes the weights all but 0 and 1


def aligned(layer, x, other, mask):
    return np.asarray(
        layer(*(np.array(array, "float32")[None] for array in (x, other)), np.array(mask, "float32").reshape(1, -1, 1))
    )[0]


@pytest.fixture
def layer():
    layer = Alignment()
    layer.build((None, None, 2))
    layer.set_weights([ALIKE])
    return layer


def test_each_position_finds_its_like(layer):
    found = aligned(layer, [[1, 0], [0, 1], [1, 0]], [[0, 2], [3, 0]], [1, 1])

    np.testing.assert_allclose(found, [[3, 0], [0, 2], [3, 0]], atol=1e-5)


def test_a_position_without_its_like_gets_the_mean(layer):
    found = aligned(layer, [[0, 0]], [[0, 2], [4, 0]], [1, 1])

    np.testing.assert_allclose(found, [[2, 1]], atol=1e-6)


def test_padding_of_the_other_text_is_never_found(layer):
    found = aligned(layer, [[1, 0]], [[0, 2], [9, 0]], [1, 0])

    np.testing.assert_allclose(found, [[0, 2]], atol=1e-6)


def test_the_definition():
    layer = Alignment()
    x, other = GENERATOR.normal(size=(5, 4)), GENERATOR.normal(size=(3, 4))

    found = aligned(layer, x, other, [1, 1, 1])

    weights = np.asarray(layer.projection.kernel)
    logits = np.maximum(x @ weights, 0) @ np.maximum(other @ weights, 0).T / np.sqrt(4)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, shares @ other, atol=1e-5)


def test_an_empty_other_text_gives_nothing(layer):
    assert not aligned(layer, [[1, 0]], [[0, 0], [0, 0]], [0, 0]).any()
