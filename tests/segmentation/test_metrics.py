"""Scores that can be computed by hand."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.segmentation.metrics import Scores, information_per_character, spans

SENTENCE = st.lists(st.text(alphabet="天地人", min_size=1, max_size=3), min_size=1, max_size=8)


def test_words_count_by_their_spans():
    scores = Scores()

    scores.add(["我", "爱", "北京"], ["我", "爱北京"])
    results = scores.results()

    assert results["precision"] == 1 / 2  # 我 of 我, 爱北京
    assert results["recall"] == 1 / 3
    assert results["f1"] == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))


def test_the_same_word_in_another_place_is_wrong():
    scores = Scores()

    scores.add(["天", "地天"], ["天地", "天"])

    assert scores.results()["f1"] == 0


def test_out_of_vocabulary_words_have_their_own_recall():
    scores = Scores()

    scores.add(["我", "爱", "北京"], ["我爱", "北京"], frozenset({"我", "爱"}))
    results = scores.results(has_known=True)

    assert results["oov_rate"] == pytest.approx(1 / 3)
    assert results["oov_recall"] == 1
    assert results["iv_recall"] == 0


@given(SENTENCE)
def test_a_perfect_answer_scores_one(words):
    scores = Scores()

    scores.add(words, words)
    results = scores.results()

    assert (results["precision"], results["recall"], results["f1"]) == (1, 1, 1)
    assert results["interval"]["f1"] == [1, 1]


@given(st.lists(st.tuples(SENTENCE, st.integers(0, 2**8 - 1)), min_size=1, max_size=5))
def test_the_interval_holds_the_score(cases):
    scores = Scores()
    for words, cuts in cases:
        text = "".join(words)
        places = [0, *(i for i in range(1, len(text)) if cuts >> i % 8 & 1), len(text)]
        scores.add(words, [text[a:b] for a, b in pairwise(places)])
    results = scores.results()

    low, high = results["interval"]["precision"]

    assert 0 <= low <= high <= 1
    assert low <= results["precision"] + 0.5


@given(SENTENCE)
def test_spans_cover_the_text(words):
    assert sum(end - start for start, end in spans(words)) == len("".join(words))


def test_information_per_character_is_entropy_over_mean_length():
    words = Counter({"天": 1, "地人": 1})  # one bit a word, 1.5 characters a word

    assert information_per_character(words) == pytest.approx(1 / 1.5)


def test_cutting_into_words_that_repeat_lowers_the_information():
    characters = Counter("葡萄葡萄葡萄")
    words = Counter({"葡萄": 3})

    assert information_per_character(characters) == 1
    assert information_per_character(words) == 0
    assert math.isclose(information_per_character(Counter()), 0)
