"""The binary cross entropy of pointers: by hand, with labels that are not known, and its gradient."""

import math

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.losses import LEAST, doubtful_binary_crossentropy

UNKNOWN = -1.0


def loss(labels, probabilities, **settings):
    """The loss of arrays (b, t, n)."""
    arrays = (np.array(array, "float32") for array in (labels, probabilities))
    return float(doubtful_binary_crossentropy(**settings)(*arrays))


def test_by_hand():
    # two texts of two places and two pointers each: the sum over pointers, the mean over four places
    labels = [[[1, 0], [0, 0]], [[0, 1], [0, 0]]]
    probabilities = [[[0.5, 0.2], [0.1, 0]], [[0.4, 0.9], [0, 0]]]

    by_hand = -(math.log(0.5) + math.log(0.8) + math.log(0.9) + math.log(0.6) + math.log(0.9)) / 4

    assert loss(labels, probabilities) == pytest.approx(by_hand, abs=1e-5)


def test_it_is_keras_s_where_all_is_known():
    import keras

    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, (3, 5, 4)).astype("float32")
    probabilities = generator.random((3, 5, 4), np.float32)

    expected = 4 * float(keras.losses.BinaryCrossentropy()(labels, probabilities))  # its mean is over pointers too

    assert loss(labels, probabilities) == pytest.approx(expected, rel=1e-5)


def test_what_is_not_known_costs_nothing():
    known = loss([[[1, 0]]], [[[0.7, 0.2]]])

    for probability in (0, 0.3, 1):
        assert loss([[[1, 0, UNKNOWN]]], [[[0.7, 0.2, probability]]]) == pytest.approx(known, abs=1e-5)


def test_a_doubtful_0_counts_as_much_as_it_is_sure():
    assert loss([[[-0.75]]], [[[0.75]]]) == pytest.approx(-0.25 * math.log(0.25), rel=1e-5)
    assert loss([[[-0.001]]], [[[0.75]]]) == pytest.approx(loss([[[0]]], [[[0.75]]]), rel=0.01)


def test_the_weight_is_of_all():
    assert loss([[[1, 0]]], [[[0.7, 0.2]]], weight=3) == pytest.approx(3 * loss([[[1, 0]]], [[[0.7, 0.2]]]), rel=1e-5)


def test_padding_costs_nothing_but_is_counted_as_a_place():
    assert loss([[[1]], [[0]]], [[[0.5]], [[0]]]) == pytest.approx(-math.log(0.5) / 2, rel=1e-5)


@pytest.mark.parametrize(("label", "probability"), [(1, 0), (0, 1)])
def test_what_is_altogether_wrong_costs_much_and_not_infinitely_much(label, probability):
    assert loss([[[label]]], [[[probability]]]) == pytest.approx(-math.log(LEAST), rel=0.05)


def test_labels_may_be_integers():
    labels = np.array([[[1, 0, -1]]], "int32")

    found = float(doubtful_binary_crossentropy()(labels, np.array([[[0.5, 0.5, 0.5]]], "float32")))

    assert found == pytest.approx(2 * math.log(2), rel=1e-5)
