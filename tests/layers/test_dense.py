"""The dense layer: the same in prediction as in training and as Keras's own."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.dense import Dense


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3)])
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "tanh"}])
def test_it_is_the_product_of_keras(shape, options):
    layer, plain = Dense(4, **options), keras.layers.Dense(4, **options)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    plain(x)
    layer(x)
    layer.set_weights(plain.get_weights())

    for training in (False, True):
        np.testing.assert_allclose(layer(x, training=training), plain(x), atol=1e-6)
