"""The metric of question answering, on answers short enough to count by hand."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.tasks.qa.metrics import Scores, character_f1, is_exact, normalize, score

TEXTS = st.text(st.sampled_from("鲁迅周ＡaB１2 ，。《》+　"), max_size=8)
ANSWERS = TEXTS.filter(str.strip)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("ＤＮＡ", "dna"),
        ("《呐喊》", "呐喊"),
        (" 珠穆朗玛 峰　", "珠穆朗玛峰"),
        ("1,949年", "1949年"),
        ("37℃", "37"),  # a symbol, as + and $ are
        ("√￣2", "2"),  # in half width the second is two characters
        ("鲁迅（周树人）", "鲁迅周树人"),
        ("+", "+"),  # nothing else: then it is the answer
        ("。 。", "。。"),
        ("", ""),
    ],
)
def test_width_case_punctuation_and_white_space_do_not_count(text, compared):
    assert normalize(text) == compared


@pytest.mark.parametrize(
    ("prediction", "answer"),
    [
        ("鲁迅", "鲁迅"),
        ("《鲁迅》", "鲁迅"),
        ("dna", "ＤＮＡ"),
        ("俄罗斯 巴西", "巴西 俄罗斯"),
        ("巴西　《俄罗斯》", "俄罗斯 巴西"),
    ],
)
def test_an_answer_is_exact_whatever_its_dress_and_the_order_of_its_parts(prediction, answer):
    assert is_exact(prediction, answer)
    assert score(prediction, [answer]) == (1.0, 1.0)


@pytest.mark.parametrize(("prediction", "answer"), [("鲁迅", "周树人"), ("巴西", "巴西 俄罗斯"), ("迅鲁", "鲁迅")])
def test_other_characters_missing_parts_and_other_orders_are_not_exact(prediction, answer):
    assert not is_exact(prediction, answer)


@pytest.mark.parametrize(
    ("prediction", "answer", "f1"),
    [
        ("鲁迅先生", "鲁迅", 2 * (2 / 4) * (2 / 2) / (2 / 4 + 2 / 2)),
        ("迅鲁", "鲁迅", 1.0),  # order does not count
        ("看看", "看", 2 * (1 / 2) * 1 / (1 / 2 + 1)),  # 看 is shared once
        ("1949年10月", "1949年", 2 * (5 / 8) * 1 / (5 / 8 + 1)),
        ("周树人", "鲁迅", 0.0),
    ],
)
def test_f1_counts_shared_characters_as_often_as_both_have_them(prediction, answer, f1):
    assert math.isclose(character_f1(prediction, answer), f1)


def test_the_best_of_several_right_answers_counts():
    assert score("鲁迅先生", ["周树人", "鲁迅"]) == (0.0, pytest.approx(2 / 3))
    assert score("周树人", ["鲁迅", "周树人"]) == (1.0, 1.0)


@pytest.mark.parametrize("prediction", [None, "", " 　"])
def test_no_prediction_is_wrong_unless_there_is_no_answer(prediction):
    assert score(prediction, ["鲁迅"]) == (0.0, 0.0)
    assert score(prediction, []) == (1.0, 1.0)


def test_a_prediction_where_there_is_no_answer_is_wrong():
    assert score("鲁迅", []) == (0.0, 0.0)


@given(TEXTS)
def test_normalizing_twice_changes_nothing_more(text):
    assert normalize(normalize(text)) == normalize(text)


@given(TEXTS, TEXTS)
def test_f1_lies_in_0_to_1_and_is_the_same_both_ways(one, other):
    assert 0 <= character_f1(one, other) <= 1
    assert character_f1(one, other) == character_f1(other, one)


@given(ANSWERS, ANSWERS)
def test_f1_is_1_for_the_same_characters_and_only_for_them(one, other):
    assert (character_f1(one, other) == 1) == (Counter(normalize(one)) == Counter(normalize(other)))


@given(st.lists(ANSWERS, min_size=1, max_size=4), st.randoms())
def test_parts_may_come_in_any_order(parts, random):
    shuffled = random.sample(parts, len(parts))

    assert score(" ".join(shuffled), [" ".join(parts)]) == (1.0, 1.0)


@given(TEXTS, st.lists(ANSWERS))
def test_exact_is_0_or_1_and_exact_answers_have_f1_1(prediction, answers):
    exact_match, f1 = score(prediction, answers)

    assert exact_match in (0, 1)
    assert f1 == 1 if exact_match else 0 <= f1 <= 1


@given(TEXTS, ANSWERS, st.lists(ANSWERS, min_size=1))
def test_one_more_right_answer_never_lowers_a_score(prediction, answer, answers):
    before, after = score(prediction, answers), score(prediction, [*answers, answer])

    assert all(new >= old for new, old in zip(after, before, strict=True))


def test_scores_are_means_over_records_and_the_score_is_the_mean_of_both():
    scores = Scores()
    scores.add("鲁迅", ["鲁迅", "周树人"])  # 1, 1
    scores.add("鲁迅先生", ["鲁迅"])  # 0, 2/3
    scores.add(None, ["绍兴"])  # 0, 0
    scores.add(None, [])  # 1, 1

    results = scores.results()

    assert results["exact_match"] == 2 / 4
    assert results["f1"] == pytest.approx((1 + 2 / 3 + 0 + 1) / 4)
    assert results["score"] == (results["exact_match"] + results["f1"]) / 2
    for name, (low, high) in results["interval"].items():
        assert 0 <= low <= results[name] <= high <= 1


def test_the_interval_of_records_all_alike_is_a_point():
    scores = Scores()
    for _ in range(40):
        scores.add("鲁迅", ["鲁迅"])

    assert scores.results()["interval"] == {name: [1.0, 1.0] for name in ("exact_match", "f1", "score")}


def test_no_records_have_no_score_to_speak_of():
    assert Scores().results() == {"exact_match": 0.0, "f1": 0.0, "score": 0.0, "interval": {}}
