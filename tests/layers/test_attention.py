"""Self-attention: by hand, by its formula in NumPy, and as Keras's own with a projection that changes nothing."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.attention import SelfAttention

GENERATOR = np.random.default_rng(0)
HEADS, SIZE, WIDTH = 2, 3, 4
LENGTHS = (5, 3, 1)  # of the texts of a batch


def make_batch():
    """x (3, 5, 4) and its mask (3, 5, 1); behind a text stands what must not be seen."""
    x = GENERATOR.normal(size=(len(LENGTHS), max(LENGTHS), WIDTH)).astype("float32")
    mask = (np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]).astype("float32")[..., None]
    return x, mask


def make_layer():
    layer = SelfAttention(HEADS, SIZE)
    layer(*make_batch())
    layer.set_weights([GENERATOR.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def test_by_hand():
    layer = SelfAttention(1, 1)
    layer.build((None, None, 1))
    layer.set_weights([np.array([[value]]) for value in (1, 2, 3)])  # query, key, value

    found = np.asarray(layer(np.array([[[0], [1]]], "float32"), np.ones((1, 2, 1), "float32")))

    # the first asks nothing and sees both alike: (0 + 3) / 2; the second sees the second with the logit 1 * 2
    second = 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(found, [[[1.5], [3 * second]]], rtol=1e-5)


def test_the_formula():
    layer, (x, mask) = make_layer(), make_batch()
    query, key, value = (np.asarray(projection.kernel) for projection in layer.projections)

    found = np.asarray(layer(x, mask))

    assert found.shape == (3, 5, HEADS * SIZE)
    for row, length in enumerate(LENGTHS):
        text = x[row, :length]
        for head in range(HEADS):
            columns = slice(head * SIZE, (head + 1) * SIZE)
            logits = (text @ query[:, columns]) @ (text @ key[:, columns]).T / np.sqrt(SIZE)
            weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(found[row, :length, columns], weights @ (text @ value[:, columns]), atol=1e-5)


def test_it_is_keras_s_without_the_last_projection():
    layer, (x, mask) = make_layer(), make_batch()
    plain = keras.layers.MultiHeadAttention(HEADS, SIZE, use_bias=False, output_shape=HEADS * SIZE)
    seen = mask[..., 0][:, None, :] == 1
    plain(x, x)
    heads = [weight.reshape(WIDTH, HEADS, SIZE) for weight in layer.get_weights()]
    by_name = dict(zip(("query", "key", "value"), heads, strict=True))
    by_name["attention_output"] = np.eye(HEADS * SIZE).reshape(HEADS, SIZE, HEADS * SIZE)
    plain.set_weights([by_name[weight.path.split("/")[-2]] for weight in plain.weights])

    np.testing.assert_allclose(layer(x, mask), np.asarray(plain(x, x, attention_mask=seen)) * mask, atol=1e-5)


def test_what_stands_behind_a_text_changes_nothing_and_becomes_zero():
    layer = make_layer()
    x = GENERATOR.normal(size=(1, 3, WIDTH)).astype("float32")
    alone = np.asarray(layer(x, np.ones((1, 3, 1), "float32")))

    padded = np.concatenate([x, np.full((1, 4, WIDTH), 1e3, "float32")], axis=1)
    found = np.asarray(layer(padded, np.array([1, 1, 1, 0, 0, 0, 0], "float32").reshape(1, 7, 1)))

    np.testing.assert_allclose(found[:, :3], alone, atol=1e-5)
    assert not found[:, 3:].any()


def test_an_empty_text_is_zero():
    found = np.asarray(make_layer()(np.ones((1, 3, WIDTH), "float32"), np.zeros((1, 3, 1), "float32")))

    assert not found.any()


def test_positions_alone_are_not_told_apart():
    layer = make_layer()
    x = GENERATOR.normal(size=(1, 5, WIDTH)).astype("float32")
    order = [3, 1, 4, 0, 2]
    mask = np.ones((1, 5, 1), "float32")

    np.testing.assert_allclose(layer(x[:, order], mask), np.asarray(layer(x, mask))[:, order], atol=1e-5)
