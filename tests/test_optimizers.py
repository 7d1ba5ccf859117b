"""The optimizers: Adam, or Muon for the matrices between hidden vectors."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from kexue_cli.optimizers import optimizer  # noqa: E402 - it imports Keras

SETTINGS = {"learning_rate": 0.1, "weight_decay": None}


def matrix_and_table():
    """A matrix between hidden vectors, one that reads a condition, and a vector."""
    network = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(4, name="condition")]
    )
    return network.trainable_variables


def steps(muon):
    """How far each variable goes in the first step, for a gradient whose numbers differ a hundredfold."""
    variables = matrix_and_table()
    before = [np.array(variable) for variable in variables]
    generator = np.random.default_rng(0)
    gradients = [
        generator.normal(size=variable.shape) * np.geomspace(1, 100, variable.shape[-1]) for variable in variables
    ]
    optimizer(muon, **SETTINGS).apply([keras.ops.cast(gradient, "float32") for gradient in gradients], variables)
    return [np.array(variable) - old for variable, old in zip(variables, before, strict=True)]


def test_adam_moves_every_number_by_the_learning_rate_in_the_first_step():
    for step in steps(0.0):
        np.testing.assert_allclose(np.abs(step), 0.1, rtol=1e-3)


def test_muon_moves_hidden_matrices_evenly_in_all_directions_and_the_rest_as_adam():
    hidden, bias, condition, _ = steps(0.5)

    # a step is near an orthogonal matrix times a number: all singular values alike, though the gradient's are far apart
    values = np.linalg.svd(hidden, compute_uv=False)
    assert values.max() / values.min() < 2.5
    # its size: 0.5 learning rates as root mean square; Newton and Schulz come near it only
    assert np.sqrt(np.mean(hidden**2)) == pytest.approx(0.5 * 0.1, rel=0.35)
    for step in (bias, condition):
        np.testing.assert_allclose(np.abs(step), 0.1, rtol=1e-3)
