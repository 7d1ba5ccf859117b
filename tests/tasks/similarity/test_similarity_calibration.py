"""The scores of a model on examples, and the best threshold, by hand: texts are directions, written as degrees.

Cosines of 0, 30, 60 and 90 degrees are 1, .87, .5 and 0.
"""

import math

import numpy as np
import pytest

from kexue_cli.tasks.similarity.calibration import calibrate
from kexue_cli.tasks.similarity.config import DecodingConfig
from kexue_cli.tasks.similarity.records import Group, Pair


class Directions:
    """A model for which a text is the angle that it tells."""

    decoding = DecodingConfig(threshold=0.4)

    def vectors(self, texts):
        angles = np.radians([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def pair(angle, label):
    """Two texts so many degrees apart."""
    return Pair("10", str(10 + angle), label)


def group(*angles):
    return Group(tuple(map(str, angles)))


def cosine(angle):
    return math.cos(math.radians(angle))


def calibrated(*examples):
    return calibrate(Directions(), examples)


def between(one, other):
    """The threshold midway between the cosines of two angles."""
    return pytest.approx((cosine(one) + cosine(other)) / 2, abs=1e-6)


# ------------------------------------------------------------- pairs


def test_the_threshold_is_between_what_is_the_same_and_what_is_not():
    scores, threshold = calibrated(pair(10, 1.0), pair(30, 1.0), pair(60, 0.0), pair(90, 0.0))

    assert threshold == between(30, 60)
    assert scores == {"accuracy": 1, "spearman": pytest.approx(0.894427), "score": 1}  # 2 / sqrt(5): labels are tied


def test_where_labels_disagree_most_are_right():
    scores, threshold = calibrated(pair(10, 1.0), pair(20, 0.0), pair(30, 1.0), pair(60, 0.0), pair(90, 0.0))

    assert threshold == between(30, 60)
    assert scores["accuracy"] == scores["score"] == pytest.approx(4 / 5)


def test_graded_labels_are_cut_in_the_middle():
    scores, threshold = calibrated(*(pair(10 * (5 - label) + 5, float(label)) for label in range(6)))

    assert threshold == between(25, 35)  # between 3, at 25 degrees, and 2
    assert scores == {"accuracy": 1, "spearman": 1, "score": 1}


def test_a_label_of_the_middle_itself_is_not_the_same():
    _, threshold = calibrated(pair(10, 2.0), pair(30, 1.0), pair(60, 0.0))

    assert threshold == between(10, 30)


def test_where_labels_never_vary_there_is_no_correlation():
    assert calibrated(pair(10, 0.0), pair(60, 0.0)).scores["spearman"] == 0


# ------------------------------------------------------------- groups


def test_top1_and_mrr_by_hand():
    # of 0 and 60 the other one is third, behind 20 and 30, or 30 and 20; those find each other first
    scores, _ = calibrated(group(0, 60), group(20, 30))

    assert scores == {"top1": 0.5, "mrr": pytest.approx((1 / 3 + 1 / 3 + 1 + 1) / 4), "score": 0.5}


def test_without_pairs_the_threshold_parts_the_nearest_of_its_own_group_from_others():
    # 10 degrees from 0 to 10; 20 from 100 to 120; 50, alone in its group, has 10 at 40 degrees
    scores, threshold = calibrated(group(0, 10), group(50), group(100, 120))

    assert threshold == between(20, 40)
    assert scores["top1"] == 1


def test_a_text_is_not_its_own_nearest():
    assert calibrated(group(0, 90), group(10)).threshold > cosine(10)


def test_groups_of_one_text_alone_tell_nothing():
    assert calibrated(group(0)).scores == {"score": 0}


def test_labels_that_are_all_1_are_right_where_they_are_found_similar():
    scores, threshold = calibrated(pair(10, 1.0), pair(40, 1.0))

    assert (scores["accuracy"], threshold < cosine(40)) == (1, True)


# ------------------------------------------------------------- both, and neither


def test_with_both_the_threshold_is_that_of_pairs_and_the_score_the_mean():
    scores, threshold = calibrated(group(0, 60), pair(30, 1.0), group(20, 30), pair(90, 0.0))

    assert threshold == between(30, 90)
    assert (scores["accuracy"], scores["top1"], scores["score"]) == (1, 0.5, 0.75)


def test_pairs_without_a_label_do_not_count():
    assert calibrated(pair(10, 1.0), pair(20, None), pair(60, 0.0)).threshold == between(10, 60)


@pytest.mark.parametrize("examples", [[], [pair(20, None)]])
def test_without_anything_to_go_by_the_threshold_stays(examples):
    assert calibrated(*examples) == ({"score": 0}, 0.4)
