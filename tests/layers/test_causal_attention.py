"""Attention that looks back only: by hand, by its formula in NumPy, and step by step as at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("keras")

from kexue_cli.layers.causal_attention import CausalAttention, rotated

GENERATOR = np.random.default_rng(0)
HEADS, WIDTH, LENGTH = 2, 8, 6
SIZE = WIDTH // HEADS
ROTARY = pytest.mark.parametrize("is_rotary", [True, False])


def make_layer(is_rotary=True, heads=HEADS, width=WIDTH, **settings):
    layer = CausalAttention(heads, is_rotary, **settings)
    layer.build((None, None, width))
    for weight in layer.weights:
        weight.assign(GENERATOR.normal(size=weight.shape))
    return layer


def make_x(batch=2, length=LENGTH):
    return GENERATOR.normal(size=(batch, length, WIDTH)).astype("float32")


def arrays(layer, x, *past, **more):
    """What a layer returns for x behind keys and values, if any: attended vectors, keys and values."""
    past = past or [np.zeros((len(x), layer.heads, 0, x.shape[2] // layer.heads), "float32")] * 2
    places = past[0].shape[2] + np.arange(x.shape[1], dtype="int32")
    return tuple(np.asarray(array) for array in layer(x, places, *past, **more))


def turned(x, place):
    """A vector (s,) turned by its place, plane by plane: the numbers i and i + s / 2 are the sides of plane i."""
    half = len(x) // 2
    found = np.zeros_like(x)
    for i in range(half):
        angle = place * 10000 ** (-i / half)
        found[i] = x[i] * np.cos(angle) - x[half + i] * np.sin(angle)
        found[half + i] = x[i] * np.sin(angle) + x[half + i] * np.cos(angle)
    return found


def test_by_hand():
    layer = CausalAttention(1, is_rotary=False)
    layer.build((None, None, 1))
    for projection, value in zip((*layer.projections, layer.output_projection), (1, 2, 3, 1), strict=True):
        projection.kernel.assign([[value]])  # query, key, value, output

    attended, key, value = arrays(layer, np.array([[[4], [1], [0]]], "float32"))

    # the first sees itself; the second sees logits of 1 * 8 and 1 * 2; the third asks nothing and sees all alike
    first = 1 / (1 + np.exp(-6))
    np.testing.assert_allclose(attended, [[[12], [12 * first + 3 * (1 - first)], [(12 + 3 + 0) / 3]]], rtol=1e-5)
    assert key.tolist() == [[[[8], [2], [0]]]]
    assert value.tolist() == [[[[12], [3], [0]]]]


@ROTARY
def test_the_formula(is_rotary):
    layer, x = make_layer(is_rotary), make_x()
    query, key, value = (x @ np.asarray(p.kernel) + np.asarray(p.bias) for p in layer.projections)

    attended, keys, values = arrays(layer, x)

    expected = np.zeros_like(x)
    for row in range(len(x)):
        for head in range(HEADS):
            columns = slice(head * SIZE, (head + 1) * SIZE)
            q, k, v = query[row, :, columns], key[row, :, columns], value[row, :, columns]
            if is_rotary:
                q, k = (np.stack([turned(one, place) for place, one in enumerate(part)]) for part in (q, k))
            np.testing.assert_allclose(keys[row, head], k, atol=1e-4)
            np.testing.assert_allclose(values[row, head], v, atol=1e-4)
            for place in range(LENGTH):
                logits = k[: place + 1] @ q[place] / np.sqrt(SIZE)
                weights = np.exp(logits - logits.max())
                expected[row, place, columns] = weights / weights.sum() @ v[: place + 1]
    output = layer.output_projection
    expected = expected @ np.asarray(output.kernel) + np.asarray(output.bias)
    np.testing.assert_allclose(attended, expected, rtol=1e-3, atol=1e-3)


@ROTARY
def test_no_position_sees_a_later_one(is_rotary):
    layer, x = make_layer(is_rotary), make_x()
    attended = arrays(layer, x)[0]

    for place in range(LENGTH - 1):
        other = x.copy()
        other[:, place + 1 :] = 100 * GENERATOR.normal(size=other[:, place + 1 :].shape)
        changed = arrays(layer, other)[0]
        np.testing.assert_allclose(changed[:, : place + 1], attended[:, : place + 1], atol=1e-4)
        assert np.abs(changed[:, place + 1 :] - attended[:, place + 1 :]).max(axis=-1).min() > 1e-3


@ROTARY
def test_each_position_sees_all_earlier_ones(is_rotary):
    layer, x = make_layer(is_rotary), 0.1 * make_x(1)
    attended = arrays(layer, x)[0]

    for place in range(LENGTH):
        other = x.copy()
        other[:, place] += 0.1
        change = np.abs(arrays(layer, other)[0] - attended).max(axis=-1)[0]
        assert (change[place:] > 1e-4).all()


@pytest.mark.parametrize("parts", [[1] * LENGTH, [2, 4], [3, 1, 2], [5, 1]])
@ROTARY
def test_behind_a_past_the_result_is_that_of_the_whole_at_once(is_rotary, parts):
    layer, x = make_layer(is_rotary), make_x()
    whole, *states = arrays(layer, x)

    found, past = [], []
    for part in np.split(x, np.cumsum(parts)[:-1], axis=1):
        attended, *past = arrays(layer, part, *past)
        found.append(attended)

    np.testing.assert_allclose(np.concatenate(found, axis=1), whole, atol=1e-4)
    for array, state in zip(past, states, strict=True):
        assert array.shape == (2, HEADS, LENGTH, SIZE)
        np.testing.assert_allclose(array, state, atol=1e-4)


def test_each_row_has_its_own_past():
    layer, x = make_layer(), make_x()
    whole = arrays(layer, x)[0]
    past = arrays(layer, x[:, :4])[1:]

    swapped = arrays(layer, x[::-1, 4:].copy(), *(array[::-1].copy() for array in past))[0]

    np.testing.assert_allclose(swapped[::-1], whole[:, 4:], atol=1e-4)


def test_without_positions_of_its_own_it_does_not_tell_the_order_of_what_it_sees():
    layer, x = make_layer(is_rotary=False), make_x(1)
    order = [3, 0, 4, 2, 1, 5]  # the last stays where it is

    last, shuffled = (arrays(layer, array)[0][:, -1] for array in (x, x[:, order]))

    np.testing.assert_allclose(shuffled, last, atol=1e-4)


def test_rotary_positions_tell_the_order():
    layer, x = make_layer(), make_x(1)

    last, shuffled = (arrays(layer, array)[0][:, -1] for array in (x, x[:, [3, 0, 4, 2, 1, 5]]))

    assert np.abs(shuffled - last).max() > 1e-2


# ------------------------------------------------------------- rotary positions


def test_rotated_by_hand():
    # two planes: (1, 0) turned by its place, (0, 1) by a hundredth of it, since 10000 ** (-1 / 2) is 1 / 100
    x = np.array([[[[1, 0, 0, 1]]]], "float32")

    found = np.asarray(rotated(x, np.array([2])))

    np.testing.assert_allclose(found[0, 0, 0], [np.cos(2), -np.sin(0.02), np.sin(2), np.cos(0.02)], atol=1e-6)


def test_the_first_place_is_not_turned():
    x = GENERATOR.normal(size=(1, HEADS, 1, SIZE)).astype("float32")

    np.testing.assert_allclose(rotated(x, np.array([0])), x, atol=1e-6)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_only_differences_of_places_count(first, second, shift, seed):
    query, key = np.random.default_rng(seed).normal(size=(2, SIZE)).astype("float32")

    def product(one, other):
        places = np.array([one, other])
        x = np.stack([query, key])[None, None]
        turned_query, turned_key = np.asarray(rotated(x, places))[0, 0]
        return turned_query @ turned_key

    assert product(first + shift, second + shift) == pytest.approx(product(first, second), abs=2e-3)


def test_lengths_stay_as_they_are():
    x = GENERATOR.normal(size=(2, HEADS, LENGTH, SIZE)).astype("float32")

    found = np.asarray(rotated(x, np.arange(LENGTH) * 37))

    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-5)


def test_a_text_that_begins_at_another_place_has_the_same_result():
    layer, x = make_layer(), make_x(1)
    query, key = (np.asarray(p(x)).reshape(1, LENGTH, HEADS, SIZE).swapaxes(1, 2) for p in layer.projections[:2])

    logits = [
        np.asarray(rotated(query, places)) @ np.asarray(rotated(key, places)).swapaxes(2, 3)
        for places in (np.arange(LENGTH), np.arange(LENGTH) + 50)
    ]

    np.testing.assert_allclose(logits[0], logits[1], rtol=1e-3, atol=1e-2)


# ------------------------------------------------------------- training


def test_dropout_is_for_training_only():
    layer, x = make_layer(dropout=0.5), make_x()

    once, again = (arrays(layer, x)[0] for _ in range(2))
    trained = arrays(layer, x, training=True)[0]

    np.testing.assert_array_equal(once, again)
    assert np.abs(trained - once).max() > 1e-2
