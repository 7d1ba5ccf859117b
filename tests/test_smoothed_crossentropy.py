"""The cross entropy of the next character: by hand, with padding that costs nothing, and smoothed."""

import math

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.losses import smoothed_crossentropy

PADDING = 0
LOGITS = np.log([0.1, 0.2, 0.3, 0.4])  # of padding and three characters


def loss(labels, logits, *smoothing):
    """The loss of labels (b, t) and logits (b, t, n)."""
    return float(smoothed_crossentropy(*smoothing)(np.array(labels), np.array(logits, "float32")))


def test_by_hand():
    assert loss([[1, 3]], [[LOGITS, LOGITS]]) == pytest.approx(-(math.log(0.2) + math.log(0.4)) / 2, rel=1e-5)


def test_logits_need_not_be_normalised():
    assert loss([[1, 3]], [[LOGITS + 7, LOGITS - 5]]) == pytest.approx(loss([[1, 3]], [[LOGITS, LOGITS]]), rel=1e-5)


def test_the_mean_is_over_labels_and_not_over_rows():
    # the first text has three characters, the second one
    labels = [[1, 1, 1], [3, PADDING, PADDING]]

    assert loss(labels, [[LOGITS] * 3] * 2) == pytest.approx(-(3 * math.log(0.2) + math.log(0.4)) / 4, rel=1e-5)


def test_what_is_said_of_padding_costs_nothing():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 5, 4))
    labels = np.array([[1, 2, 3, 1, 2], [3, 1, PADDING, PADDING, PADDING]])
    other = np.where(labels[..., None] == PADDING, 100 * generator.normal(size=logits.shape), logits)

    assert loss(labels, logits, 0.1) == pytest.approx(loss(labels, other, 0.1), rel=1e-6)


@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_nothing_but_padding_costs_nothing(smoothing):
    assert loss([[PADDING, PADDING]], [[LOGITS, LOGITS]], smoothing) == 0


def test_smoothing_spreads_a_share_of_the_label_over_all():
    # 0.8 of the label and 0.2 / 4 of each of the four
    shares = [0.05, 0.85, 0.05, 0.05]
    by_hand = -sum(share * logit for share, logit in zip(shares, LOGITS, strict=True))

    assert loss([[1]], [[LOGITS]], 0.2) == pytest.approx(by_hand, rel=1e-5)


def test_it_is_keras_s_where_nothing_is_padding():
    generator = np.random.default_rng(0)
    labels, logits = generator.integers(1, 6, (3, 5)), generator.normal(size=(3, 5, 6))
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)

    assert loss(labels, logits, 0.1) == pytest.approx(float(theirs(np.eye(6)[labels], logits)), rel=1e-5)


def test_smoothed_the_best_is_not_to_be_altogether_sure():
    def sure(logit):
        return loss([[1]], [[[0, logit, 0, 0]]], 0.1)

    best = math.log(0.925 / 0.025)  # where the probabilities are 0.025, 0.925, 0.025, 0.025

    assert sure(best) < min(sure(best - 0.5), sure(best + 0.5))


def test_labels_may_be_numbers_of_any_type():
    logits = np.array([[LOGITS, LOGITS]], "float32")

    for kind in ("int32", "int64", "float32"):
        found = float(smoothed_crossentropy()(np.array([[1, PADDING]], kind), logits))
        assert found == pytest.approx(-math.log(0.2), rel=1e-5)
