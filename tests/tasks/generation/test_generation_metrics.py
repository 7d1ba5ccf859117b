"""The metrics of generation, on texts short enough to count by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.metrics import Judge, bleus, copies, kept, n_grams, perplexity, scores, sheets, variety
from kexue_cli.tasks.generation.records import Text

TEXTS = st.lists(st.text("好书很", max_size=6), max_size=8)


# ------------------------------------------------------------- perplexity


def test_perplexity_is_the_inverse_of_the_mean_probability_of_a_character():
    # a text of two characters of 1/4 and 1/2, and one of a single character of 1/8: the cube root of 64
    likelihoods = np.array([[math.log(1 / 4) + math.log(1 / 2), 2], [math.log(1 / 8), 1]])

    assert perplexity(likelihoods) == pytest.approx(4)


def test_where_all_is_as_likely_it_is_the_number_of_characters():
    assert perplexity(np.array([[5 * math.log(1 / 7), 5], [2 * math.log(1 / 7), 2]])) == pytest.approx(7)


# ------------------------------------------------------------- variety


def test_n_grams_overlap():
    assert list(n_grams("好书好", 2)) == ["好书", "书好"]
    assert list(n_grams("好书好", 3)) == ["好书好"]
    assert list(n_grams("好", 2)) == list(n_grams("", 1)) == []


def distinct(texts, n, most=1000):
    return variety("share", texts, n, most).scores()["share"]


def test_distinct_by_hand():
    texts = ["很好很好", "好书"]  # 很 3, 好 2 + 1, 书: three of six; 很好 twice, 好很, 好书: three of four

    assert distinct(texts, 1) == 3 / 6
    assert distinct(texts, 2) == 3 / 4
    assert distinct(texts, 4) == 1


def test_distinct_of_as_many_n_grams_looks_at_the_first():
    texts = ["很好很好", "好书"]  # 很好, 好很, 很好, 好书

    assert [distinct(texts, 2, most) for most in (1, 2, 3, 4, 5)] == [1, 1, 2 / 3, 3 / 4, 3 / 4]


@pytest.mark.parametrize("most", [1000, 0])
def test_where_there_are_no_n_grams_none_are_different(most):
    assert distinct([], 1, most) == distinct(["", "好"], 2, most) == 0


def test_of_no_n_grams_none_are_different():
    assert distinct(["很好"], 2, 0) == 0


@given(TEXTS, st.integers(1, 3))
def test_texts_twice_have_half_the_share(texts, n):
    assert distinct(texts * 2, n) == pytest.approx(distinct(texts, n) / 2)


def test_bleu_by_hand():
    # 4 of 5 characters, 3 of 4 pairs, 2 of 3 triples and 1 of 2 quadruples are in the other: the fourth root of 1/5
    assert bleus(["一二三四五", "一二三四六"]) == pytest.approx([0.2**0.25] * 2)


def test_equal_texts_have_bleu_1():
    assert bleus(["一二三四五", "一二三四五", "六七八九"])[:2] == pytest.approx([1, 1])


def test_an_n_gram_matches_no_more_often_than_one_other_text_has_it():
    # 一 stands twice in one reference, once in the other: two of four; 一一 once: one of three; 1/2 for the rest
    expected = (2 / 4 * 1 / 3 * (1 / 2) / 2 * (1 / 2) / 1) ** 0.25

    assert bleus(["一一一一", "一一二三", "一二三四"])[0] == pytest.approx(expected)


def test_a_short_text_is_punished_by_the_reference_that_is_nearest_in_length():
    # all of the first is in the second: only its length counts, 4 against 5 and not against 9
    found = bleus(["一二三四", "一二三四五", "一二三四五六七八九"])[0]

    assert found == pytest.approx(math.exp(1 - 5 / 4))
    assert bleus(["一二三四五", "一二三四五六"])[0] == pytest.approx(math.exp(1 - 6 / 5))


def test_a_long_text_is_not_punished():
    # 4 of 5, 3 of 4, 2 of 3, 1 of 2
    assert bleus(["一二三四五", "一二三四"])[0] == pytest.approx(0.2**0.25)


def test_texts_that_have_nothing_in_common_count_half_a_match_of_each_order():
    expected = (0.5 / 4 * 0.5 / 3 * 0.5 / 2 * 0.5 / 1) ** 0.25

    assert bleus(["一二三四", "五六七八"]) == pytest.approx([expected] * 2)


def test_short_texts_that_are_the_same_are_as_alike_as_can_be():
    assert bleus(["一二三", "一二三"]) == pytest.approx([1, 1])
    assert bleus(["好"] * 3) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("texts", [[], ["一二三四"], ["一二三四", ""], ["", ""]])
def test_a_text_without_another_has_no_bleu(texts):
    assert bleus(texts) == [None] * len(texts)


def test_of_many_texts_200_are_compared_spread_evenly():
    # every second one is used; these are all alike, and the others are not
    texts = [f"一二三四五{'六' if number % 2 == 0 else number}" for number in range(400)]

    found = bleus(texts)

    assert len(found) == 200
    assert found == pytest.approx([1] * 200)


# ------------------------------------------------------------- copies

TRAINED = "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少"  # twenty characters


def test_a_run_of_twenty_characters_is_a_copy():
    assert len(TRAINED) == 20
    texts = [TRAINED, f"，{TRAINED}。", TRAINED[1:], TRAINED[:10] + "，" + TRAINED[10:], ""]

    assert copies(texts, [f"题：{TRAINED}。"]) == [True, True, False, False, False]


def test_any_training_text_may_be_copied_and_by_several():
    texts = [TRAINED, "好书", TRAINED + "了"]

    assert copies(texts, iter(["好书", TRAINED])) == [True, False, True]
    assert copies(texts, []) == [False] * 3


def test_a_copy_need_not_begin_with_the_text():
    texts = ["我说" + TRAINED[3:] + "好书啊", TRAINED[3:] + "坏书啊"]

    assert copies(texts, ["他" + TRAINED + "好书啊呀"]) == [True, False]  # 17 characters and 好书啊


# ------------------------------------------------------------- control

TRAINING = [
    Text({"cat": cat, "label": label, "price": 1}, f"这{thing}{said}")
    for cat, thing in (("书", "本书纸好"), ("酒店", "间房床大"))
    for label, said in ((1, "很喜欢"), (0, "真失望"))
    for _ in range(4)
]


@pytest.fixture(scope="module")
def judge():
    pytest.importorskip("sklearn")
    return Judge(TRAINING, ["cat", "label", "price"])


def test_a_judge_tells_the_values_of_each_field_that_has_several(judge):
    assert judge.found(["这本书纸好真失望", "这间房床大很喜欢"]) == [
        {"cat": "书", "label": "0"}, {"cat": "酒店", "label": "1"}
    ]  # fmt: skip
    assert list(judge.classifiers) == ["cat", "label"]


def test_a_judge_of_no_field_finds_nothing_in_each_text():
    pytest.importorskip("sklearn")

    assert Judge(TRAINING, ["price"]).found(["这本书", "这间房"]) == [{}, {}]


def test_a_judge_needs_something_to_learn_from():
    pytest.importorskip("sklearn")
    with pytest.raises(KexueError, match=r"^the texts of --train are too few to learn from$"):
        Judge([Text({"label": 0}, "好"), Text({"label": 1}, "坏")], ["label"])


def test_a_condition_is_kept_where_its_value_is_found():
    assert kept({"cat": "书", "label": "1"}, {"cat": "书", "label": 0, "price": 3}) == {"cat": True, "label": False}
    assert kept({"label": "1"}, {"label": 1.0}) == {"label": True}
    assert kept({}, {"label": 1}) == {}


# ------------------------------------------------------------- all of them

REAL = [Text({"cat": "书", "label": 1, "price": 1}, "这本书纸好很喜欢"),
        Text({"cat": "酒店", "label": 0, "price": 1}, "这间房床大真失望")]  # fmt: skip
LIKELIHOODS = np.array([[9 * math.log(1 / 4), 9], [9 * math.log(1 / 16), 9]])


def scored(likelihoods, texts, real, judge, training, seed=0):
    return scores(sheets(likelihoods, texts, real, judge, training, seed=seed), judge, seed=seed)


def test_scores_without_training_data():
    found = scored(LIKELIHOODS, ["很好很好", "好书"], REAL, None, [])

    assert found["perplexity"] == pytest.approx(8)  # half of the characters cost 4, half 16
    assert found["distinct_1"] == 3 / 6
    assert found["distinct_2"] == 3 / 4
    assert found["distinct_2_real"] == 1  # of the first four pairs of the real texts
    assert found["self_bleu"] == pytest.approx(sum(bleus(["很好很好", "好书"])) / 2)
    assert list(found) == ["perplexity", "distinct_1", "distinct_2", "distinct_2_real", "self_bleu",
                           "self_bleu_real", "interval"]  # fmt: skip
    assert list(found["interval"]) == list(found)[:-1]


def test_scores_with_training_data(judge):
    texts = ["这本书纸好真失望", "这间房床大真失望"]  # the first keeps to one of two fields, the second to both

    found = scored(LIKELIHOODS, texts, REAL, judge, [TRAINED])

    assert found["control_accuracy"] == 3 / 4
    assert found["control_accuracy_by_field"] == {"cat": 1, "label": 1 / 2}
    assert found["control_accuracy_real"] == 1
    assert found["copied"] == 0
    assert found["interval"].keys() == found.keys() - {"interval"}
    assert found["interval"]["control_accuracy_by_field"].keys() == {"cat", "label"}


def test_copies_are_counted(judge):
    found = scored(LIKELIHOODS, [TRAINED, "好书"], REAL, judge, [TRAINED])

    assert (found["copied"], found["copied_real"]) == (1 / 2, 0)


def test_an_empty_text_keeps_to_no_condition(judge):
    assert scored(LIKELIHOODS, ["", ""], REAL, judge, [TRAINED])["control_accuracy"] == 0


def test_shares_of_different_n_grams_are_taken_of_as_many_of_both():
    # written: 好好, 好好: one of two; of the real texts only the first two pairs are looked at, one of two as well
    real = [Text({"cat": "书"}, "坏坏坏一二三四五"), Text({"cat": "书"}, "六七八九")]

    found = scored(LIKELIHOODS, ["好好好", ""], real, None, [])

    assert (found["distinct_2"], found["distinct_2_real"]) == (1 / 2, 1 / 2)


def test_intervals_lie_around_the_scores_and_follow_the_seed():
    generator = np.random.default_rng(0)
    likelihoods = np.stack([-generator.uniform(10, 30, 40), np.full(40, 10)], axis=1)
    texts = ["".join(generator.choice(list("一二三四五"), 8)) for _ in range(40)]

    found, again, other = (scored(likelihoods, texts, REAL * 20, None, [], seed=seed) for seed in (0, 0, 1))

    for name, (low, high) in found["interval"].items():
        assert low <= found[name] <= high
    assert found == again
    assert found["interval"] != other["interval"]
    assert {**found, "interval": {}} == {**other, "interval": {}}


@pytest.mark.parametrize("texts", [["", ""], ["好", "书"]])
def test_texts_of_a_character_or_none_have_scores(texts):
    found = scored(LIKELIHOODS, texts, REAL, None, [])

    assert (found["distinct_2"], found["distinct_2_real"]) == (0, 0)


def test_without_a_field_to_judge_control_is_not_told_but_copies_are():
    pytest.importorskip("sklearn")
    judge = Judge(TRAINING, ["price"])

    found = scored(LIKELIHOODS, [TRAINED, "好书"], REAL, judge, [TRAINED])

    assert found["copied"] == 1 / 2
    assert found["control_accuracy"] is None
