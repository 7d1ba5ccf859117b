"""The metrics of similarity, on pairs and groups few enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.tasks.similarity import metrics
from kexue_cli.tasks.similarity.metrics import GroupScores, PairScores, best_threshold, ranks

SCORES = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0])
PAIRS = st.lists(st.tuples(SCORES, st.sampled_from([0, 1])), min_size=1, max_size=12)
GRADED = st.lists(st.tuples(SCORES, st.sampled_from([0, 1, 2.5, 4, 5])), min_size=1, max_size=12)


def results(pairs: list[tuple[float, float]], threshold: float = 0.5, seed: int = 0) -> dict:
    """The scores of pairs, each a cosine and a label."""
    scores = PairScores()
    for score, label in pairs:
        scores.add(score, label)
    return scores.results(threshold, seed=seed)


def accuracy(pairs: list[tuple[float, float]], threshold: float) -> float:
    return sum((score >= threshold) == bool(label) for score, label in pairs) / len(pairs)


def unit(*angles: float) -> np.ndarray:
    """Vectors of length 1 at these degrees: (n, 2)."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


# Pairs


def test_accuracy_and_f1_by_hand():
    # similar from 0.5 on: the first two and the last; of them the first and the last are
    pairs = [(0.9, 1), (0.8, 0), (0.3, 1), (0.1, 0), (0.5, 1)]

    result = results(pairs, threshold=0.5)

    assert (result["accuracy"], result["f1"], result["threshold"]) == (3 / 5, 2 * 2 / (3 + 3), 0.5)


def test_where_nothing_is_similar_and_nothing_found_f1_is_0():
    result = results([(0.1, 0), (0.2, 0)])

    assert (result["accuracy"], result["f1"]) == (1, 0)


def test_spearman_is_the_correlation_of_ranks():
    # the ranks of the scores are 1 2 3 4, of the labels 1 3 2 4: 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
    assert results([(0.1, 0), (0.2, 4), (0.3, 1), (0.9, 5)])["spearman"] == pytest.approx(0.8)


def test_equal_values_share_the_mean_of_their_ranks():
    # ranks of the scores 1 2 3, of the labels 1.5 1.5 3: deviations -1 0 1 and -0.5 -0.5 1
    assert results([(0.1, 0), (0.2, 0), (0.3, 1)])["spearman"] == pytest.approx(1.5 / (2 * 1.5) ** 0.5)


def test_only_the_order_of_scores_and_labels_counts_for_spearman():
    assert results([(-0.9, 0), (0.1, 0.5), (0.2, 5)])["spearman"] == 1
    assert results([(0.3, 0), (0.2, 1), (0.1, 2)])["spearman"] == -1


def test_graded_labels_have_no_accuracy():
    for label in (0.5, 2, -1):
        result = results([(0.1, 0), (0.9, label), (0.5, 1)])

        assert (result["accuracy"], result["f1"]) == (None, None)
        assert list(result["interval"]) == ["spearman"]


@pytest.mark.parametrize("pairs", [[(0.1, 1), (0.9, 1)], [(0.5, 0), (0.5, 1)], []])
def test_spearman_is_none_where_labels_or_scores_are_all_equal(pairs):
    result = results(pairs)

    assert result["spearman"] is None
    assert "spearman" not in result["interval"]


def test_the_interval_lies_around_the_score_and_depends_on_the_seed():
    pairs = [(0.9, 1), (0.8, 0), (0.3, 1), (0.1, 0), (0.7, 1)] * 20

    result = results(pairs)

    for name in ("accuracy", "f1", "spearman"):
        low, high = result["interval"][name]
        assert low < result[name] < high
    assert results(pairs, seed=0) == result
    assert results(pairs, seed=1)["interval"] != result["interval"]


def test_an_interval_of_few_pairs_is_told_though_draws_may_hold_one_label_only():
    assert results([(0.9, 1), (0.1, 0)])["interval"]["spearman"] == [1, 1]


@given(GRADED)
def test_spearman_is_pearson_of_ranks_that_are_counted_one_by_one(pairs):
    def rank(values):
        return [sum(one < value for one in values) + (sum(one == value for one in values) + 1) / 2 for value in values]

    columns = [rank([pair[i] for pair in pairs]) for i in (0, 1)]
    spearman = results(pairs)["spearman"]

    if any(len(set(column)) == 1 for column in columns):
        assert spearman is None
    else:
        assert spearman == pytest.approx(np.corrcoef(*columns)[0, 1])


# The threshold


def test_the_best_threshold_lies_midway_between_what_it_parts():
    assert best_threshold([0.1, 0.4, 0.8, 0.9], [0, 0, 1, 1]) == pytest.approx(0.6)


def test_of_equally_good_thresholds_the_middle_one_is_taken():
    # one of the two in the middle is wrong wherever they are parted: at 0.35, not at 0.5, and at 0.65
    assert best_threshold([0.3, 0.4, 0.6, 0.7], [0, 1, 0, 1]) == pytest.approx(0.35)
    # 0.15, 0.5 and 0.85 leave two wrong each
    assert best_threshold([0.1, 0.2, 0.4, 0.6, 0.8, 0.9], [0, 1, 0, 1, 0, 1]) == pytest.approx(0.5)


def test_where_all_labels_are_equal_the_threshold_is_beyond_all_scores():
    assert best_threshold([0.2, 0.6], [1, 1]) == pytest.approx((-1 + 0.2) / 2)
    assert best_threshold([0.2, 0.6], [0, 0]) == pytest.approx((0.6 + 1) / 2)


def test_scores_that_rounding_left_above_1_are_1():
    # two equal scores cannot be parted: midway between -1 and 1
    assert best_threshold([1.0000001, 1.0000002], [0, 1]) == 0


def test_no_threshold_is_beyond_a_score_of_1():
    # to call all similar is wrong twice, but any other threshold three times
    assert best_threshold([0.5, 1, 1], [1, 0, 0]) == pytest.approx((-1 + 0.5) / 2)


def test_without_scores_the_threshold_is_0():
    assert best_threshold([], []) == 0


@given(PAIRS)
def test_no_threshold_is_better_than_the_best(pairs):
    best = best_threshold(*zip(*pairs, strict=True))

    assert -1 <= best <= 1
    assert accuracy(pairs, best) == max(accuracy(pairs, step / 100) for step in range(-100, 101))


# Groups


def test_the_rank_of_the_nearest_of_ones_own_group():
    # 怎么还书 0°, 如何还书 40° and 还书的办法 90° are one group; 怎么借书 10° and 如何借书 30° another
    vectors = unit(0, 40, 90, 10, 30)

    # 0°: 10° and 30° are nearer than 40°; 40°: 30° and 10° are nearer than 0°; 90°: 40° comes first;
    # 10°: 0° is nearer than 30°; 30°: 40° is nearer than 10°
    assert ranks(vectors, np.array([0, 0, 0, 1, 1])).tolist() == [3, 3, 1, 2, 2]


def test_texts_of_a_group_need_not_stand_together():
    assert ranks(unit(0, 10, 40, 30, 90), np.array([7, 3, 7, 3, 7])).tolist() == [3, 2, 3, 2, 1]


def test_a_text_alone_in_its_group_does_not_ask_but_is_found():
    assert ranks(unit(0, 20, 10), np.array([0, 0, 1])).tolist() == [2, 2, 0]


def test_a_tie_counts_against_the_model():
    # 如何还书 and 怎么借书 are both 20° from 怎么还书
    assert ranks(unit(0, 20, -20), np.array([0, 0, 1])).tolist() == [2, 1, 0]
    assert ranks(unit(0, 0, 0, 0, 0), np.array([0, 0, 1, 1, 1])).tolist() == [4, 4, 3, 3, 3]


def test_the_same_text_in_two_groups_is_a_tie_for_the_other_copies():
    assert ranks(unit(0, 0, 0, 50), np.array([0, 0, 1, 1])).tolist() == [2, 2, 3, 3]


def test_where_nobody_asks_all_ranks_are_0():
    assert ranks(unit(0, 10), np.array([0, 1])).tolist() == [0, 0]
    assert ranks(np.zeros((0, 2), np.float32), np.array([], int)).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 35), st.integers(0, 3)), max_size=12), st.integers(1, 40))
def test_ranks_do_not_depend_on_blocks_and_are_those_counted_one_by_one(texts, block):
    def rank(i):
        cosines = [np.cos(np.radians(10 * (angle - texts[i][0]))) for angle, _ in texts]
        is_own = [group == texts[i][1] for _, group in texts]
        own = [cosines[j] for j in range(len(texts)) if is_own[j] and j != i]
        others = [cosine for cosine, mine in zip(cosines, is_own, strict=True) if not mine]
        return 1 + sum(cosine > max(own) - 1e-3 for cosine in others) if own else 0

    vectors, groups = unit(*(10 * angle for angle, _ in texts)), np.array([group for _, group in texts], int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "BLOCK", block)
        assert ranks(vectors, groups).tolist() == [rank(i) for i in range(len(texts))]


def test_top_n_and_mrr_by_hand():
    result = GroupScores([1, 2, 0, 6, 10, 11]).results()  # 0: does not ask

    assert (result["top1"], result["top5"], result["top10"]) == (1 / 5, 2 / 5, 4 / 5)
    assert result["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 6 + 1 / 10 + 1 / 11) / 5)
    assert list(result) == ["top1", "top5", "top10", "mrr", "interval"]


def test_the_interval_of_ranks_lies_around_the_score():
    result = GroupScores([1, 2, 0, 6, 10, 11] * 10).results()

    assert list(result["interval"]) == ["top1", "top5", "top10", "mrr"]
    assert all(low < result[name] < high for name, (low, high) in result["interval"].items())
    assert GroupScores([1, 2, 0, 6, 10, 11] * 10).results(seed=1)["interval"] != result["interval"]


def test_no_ranks_score_0_and_have_no_interval():
    assert GroupScores([0]).results() == {"top1": 0, "top5": 0, "top10": 0, "mrr": 0, "interval": {}}
