"""Normalised as a condition says: at first as any layer normalization, later by the formula, here in NumPy."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.conditional_normalization import ConditionalLayerNormalization

GENERATOR = np.random.default_rng(0)
WIDTH, NUMBERS, HIDDEN = 4, 3, 2


def make_inputs():
    """x (2, 5, 4), far from normalised, and the conditions (2, 3) of two texts."""
    x = 3 * GENERATOR.normal(size=(2, 5, WIDTH)) + 7
    return x.astype("float32"), GENERATOR.normal(size=(2, NUMBERS)).astype("float32")


def make_layer(*, weights=None, **settings):
    """A layer with these weights, or with any."""
    layer = ConditionalLayerNormalization(**settings)
    layer.build((None, None, WIDTH), (None, NUMBERS))
    for weight in layer.weights:
        found = GENERATOR.normal(size=weight.shape) if weights is None else weights[name_of(weight)]
        weight.assign(np.asarray(found).reshape(weight.shape))
    return layer


def name_of(weight):
    """gamma, beta, or the projection whose only weight this is."""
    return weight.name if weight.name in ("gamma", "beta") else weight.path.split("/")[-2]


def weights_of(layer):
    return {name_of(weight): np.asarray(weight, "float64") for weight in layer.weights}


def normalized(x, epsilon=1e-6):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def swish(x):
    return x / (1 + np.exp(-x))


def test_by_hand():
    # 3, 5, 3, 5 lie 1 around 4; the condition 2 makes the scales 1 + 2, 1 + 0, 1 - 2, 1 + 4 and the shifts 0, 2, 0, 4
    layer = ConditionalLayerNormalization()
    layer.build((None, None, 4), (None, 1))
    layer.scale.kernel.assign([[1, 0, -1, 2]])
    layer.shift.kernel.assign([[0, 1, 0, 2]])

    found = layer(np.array([[[3, 5, 3, 5]]], "float32"), np.array([[2]], "float32"))

    np.testing.assert_allclose(found, [[[-3, 1 + 2, 1, 5 + 4]]], atol=1e-4)


@pytest.mark.parametrize("hidden", [0, HIDDEN])
def test_a_new_layer_is_a_plain_normalization_whatever_the_condition(hidden):
    x, condition = make_inputs()
    layer, plain = ConditionalLayerNormalization(hidden), keras.layers.LayerNormalization(epsilon=1e-6)

    expected = np.asarray(plain(x))

    for scale in (0, 1, 1000):
        np.testing.assert_array_equal(layer(x, scale * condition), layer(x, condition))
        np.testing.assert_allclose(layer(x, scale * condition), expected, atol=1e-4)


def test_the_formula():
    layer, (x, condition) = make_layer(), make_inputs()
    weights = weights_of(layer)

    scale = weights["gamma"] + condition @ weights["scale"]
    shift = weights["beta"] + condition @ weights["shift"]

    np.testing.assert_allclose(
        layer(x, condition), normalized(x) * scale[:, None] + shift[:, None], rtol=1e-4, atol=1e-4
    )


def test_the_formula_with_a_hidden_projection():
    layer, (x, condition) = make_layer(hidden=HIDDEN), make_inputs()
    weights = weights_of(layer)

    hidden = swish(condition @ weights["hidden"])  # without a bias
    scale = weights["gamma"] + hidden @ weights["scale"]
    shift = weights["beta"] + hidden @ weights["shift"]

    np.testing.assert_allclose(
        layer(x, condition), normalized(x) * scale[:, None] + shift[:, None], rtol=1e-4, atol=1e-4
    )


def test_no_projection_has_a_bias():
    plain, projected = make_layer(), make_layer(hidden=HIDDEN)

    assert {name: array.shape for name, array in weights_of(plain).items()} == {
        "gamma": (WIDTH,), "beta": (WIDTH,), "scale": (NUMBERS, WIDTH), "shift": (NUMBERS, WIDTH)
    }  # fmt: skip
    assert {name: array.shape for name, array in weights_of(projected).items()} == {
        "gamma": (WIDTH,), "beta": (WIDTH,), "hidden": (NUMBERS, HIDDEN),
        "scale": (HIDDEN, WIDTH), "shift": (HIDDEN, WIDTH),
    }  # fmt: skip
    assert len(plain.weights) == 4
    assert len(projected.weights) == 5


@pytest.mark.parametrize("hidden", [0, HIDDEN])
def test_nothing_in_the_condition_leaves_scale_and_shift_as_they_are(hidden):
    layer, (x, condition) = make_layer(hidden=hidden), make_inputs()
    weights = weights_of(layer)

    found = layer(x, 0 * condition)

    np.testing.assert_allclose(found, normalized(x) * weights["gamma"] + weights["beta"], rtol=1e-4, atol=1e-4)


def test_all_positions_of_a_text_have_its_condition_and_no_other_text_has_it():
    layer, (x, condition) = make_layer(), make_inputs()
    together = np.asarray(layer(x, condition))

    for row in range(2):
        for place in range(5):
            alone = np.asarray(layer(x[row : row + 1, place : place + 1], condition[row : row + 1]))
            np.testing.assert_allclose(together[row, place], alone[0, 0], atol=1e-5)
    assert np.abs(np.asarray(layer(x, condition[::-1].copy())) - together).max() > 0.1


def test_epsilon_keeps_what_does_not_vary_finite():
    x = np.full((1, 1, WIDTH), 7, "float32")
    x[0, 0, 0] += 2e-3  # a variance of 0.75e-6
    layer = ConditionalLayerNormalization()

    found = layer(x, np.zeros((1, NUMBERS), "float32"))

    np.testing.assert_allclose(found, normalized(x.astype("float64")), rtol=0.01, atol=1e-6)
    assert not np.asarray(layer(np.full((1, 1, WIDTH), 7, "float32"), np.zeros((1, NUMBERS), "float32"))).any()


def test_it_is_learned_that_the_condition_matters():
    x, condition = keras.Input((None, WIDTH)), keras.Input((NUMBERS,))
    layer = ConditionalLayerNormalization()
    network = keras.Model([x, condition], layer(x, condition))
    network.compile(keras.optimizers.SGD(0.1), "mse")

    inputs = make_inputs()
    network.train_on_batch(inputs, np.zeros_like(inputs[0]) + inputs[1][:, None, :1])

    assert all(np.abs(array).max() > 0 for array in weights_of(layer).values())
