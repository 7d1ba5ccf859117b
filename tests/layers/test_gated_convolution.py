"""x (1 - s) + conv(x) s: by hand, against NumPy, and whatever stands behind the text."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.layers.gated_convolution import GatedConvolution

GENERATOR = np.random.default_rng(0)


def expected(x, mask, weights, bias, rate):
    """The definition, position by position: x (t, d), mask (t,), weights (k, d, 2d)."""
    x = x * mask[:, None]
    length, width = x.shape
    result = np.zeros_like(x)
    for place in range(length):
        total = bias.copy()
        for tap in range(len(weights)):
            neighbour = place + (tap - len(weights) // 2) * rate
            if 0 <= neighbour < length:
                total += x[neighbour] @ weights[tap]
        value, gate = total[:width], 1 / (1 + np.exp(-total[width:]))
        result[place] = (x[place] * (1 - gate) + value * gate) * mask[place]
    return result


def test_by_hand():
    layer = GatedConvolution()
    layer.build((None, None, 1))
    # value = left + right neighbour; gate = sigmoid(0) = 1/2
    layer.set_weights([np.array([[[1, 0]], [[0, 0]], [[1, 0]]]), np.zeros(2), *layer.get_weights()[2:]])

    found = layer(np.array([[[1], [2], [4]]], "float32"), np.ones((1, 3, 1), "float32"))

    # (1 + 2) / 2, (2 + 5) / 2, (4 + 2) / 2
    assert np.asarray(found).ravel().tolist() == [1.5, 3.5, 3]


@pytest.mark.parametrize("rate", [1, 2, 16])
def test_each_position_sees_its_neighbours_at_the_rate(rate):
    layer = GatedConvolution(rate=rate)
    x = GENERATOR.normal(size=(2, 9, 4)).astype("float32")
    mask = np.array([[1] * 9, [1] * 5 + [0] * 4], "float32")

    found = np.asarray(layer(x, mask[..., None]))

    weights, bias = (np.asarray(array) for array in (layer.convolution.kernel, layer.convolution.bias))
    by_definition = [expected(*row, weights, bias, rate) for row in zip(x, mask, strict=True)]
    np.testing.assert_allclose(found, by_definition, atol=1e-6)


def test_what_stands_behind_a_text_changes_nothing_and_becomes_zero():
    layer = GatedConvolution(rate=2)
    x = GENERATOR.normal(size=(1, 5, 4)).astype("float32")
    alone = np.asarray(layer(x, np.ones((1, 5, 1), "float32")))

    padded = np.concatenate([x, np.full((1, 3, 4), 7, "float32")], axis=1)
    mask = np.array([1] * 5 + [0] * 3, "float32").reshape(1, 8, 1)
    found = np.asarray(layer(padded, mask))

    np.testing.assert_allclose(found[:, :5], alone, atol=1e-6)
    assert not found[:, 5:].any()


@pytest.mark.parametrize("settings", [{"gate_noise": 0.5}, {"dropout": 0.5}])
def test_what_disturbs_the_gate_does_so_while_training_only(settings):
    layer = GatedConvolution(**settings)
    x, mask = GENERATOR.normal(size=(1, 6, 8)).astype("float32"), np.ones((1, 6, 1), "float32")

    calm, again = (np.asarray(layer(x, mask)) for _ in range(2))
    disturbed, otherwise = (np.asarray(layer(x, mask, training=True)) for _ in range(2))

    np.testing.assert_array_equal(calm, again)
    assert not np.allclose(calm, disturbed)
    assert not np.allclose(disturbed, otherwise)


def test_the_noise_is_a_share_of_the_gate_s_logit():
    layer = GatedConvolution(gate_noise=0.1)
    layer.build((None, None, 1))
    # value = 0 and the gate's logit = 2 everywhere: x (1 - s) with s between sigmoid(1.8) and sigmoid(2.2)
    layer.set_weights([np.zeros((3, 1, 2)), np.array([0, 2]), *layer.get_weights()[2:]])

    found = np.asarray(layer(np.ones((4, 50, 1), "float32"), np.ones((4, 50, 1), "float32"), training=True))

    logits = np.log(1 / found - 1)
    assert 1.8 - 1e-4 <= logits.min() < 1.82
    assert 2.18 < logits.max() <= 2.2 + 1e-4
