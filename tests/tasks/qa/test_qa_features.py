"""What a passage shares with the question, place by place: the article's worked example, and small ones by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import encoded

from kexue_cli.tasks.qa import features
from kexue_cli.tasks.qa.features import (
    FEATURES,
    LONGEST_PATTERN,
    boundary,
    columns,
    cooccurrence,
    hand,
    match,
    width,
    window_edit_distance,
    window_jaccard,
)

TOKENS = st.lists(st.sampled_from("海拔多少米山"), max_size=12)


def windows(size: int, passage: list[str]) -> list[list[str]]:
    """For each token i of the passage: the *size* tokens from i - size // 2 on, as far as there are any."""
    starts = [index - size // 2 for index in range(len(passage))]
    return [passage[max(start, 0) : max(start + size, 0)] for start in starts]


def jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


def levenshtein(one: list[str], other: list[str]) -> int:
    """The textbook's table, row by row."""
    above = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        line = [row]
        for column, right in enumerate(other, 1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (left != right)))
        above = line
    return above[-1]


def assert_rounds_to(found, printed):
    """The article prints two digits, 1/8 as .13."""
    np.testing.assert_allclose(found, printed, atol=0.005 + 1e-6)


# ------------------------------------------------------------- https://kexue.fm/archives/5409

QUESTION = encoded("白云山 的 海拔 是 多少 ？").words
PASSAGE = encoded("白云山 坐落 在 广州 ， 主峰 海拔 3 8 2 米").words


def test_the_article_s_jaccard_similarities():
    assert_rounds_to(window_jaccard(QUESTION, PASSAGE), [0.13, 0.11, 0.10, *[0.09] * 6, 0.10, 0])


def test_the_article_s_edit_distances():
    assert_rounds_to(window_edit_distance(QUESTION, PASSAGE), [0.83, 0.83, 0.83, 0.83, 1, 1, 1, 0.83, 1, 1, 1])


def test_the_first_window_of_the_article_by_hand():
    # Three of its six places lie before the passage: 白云山 坐落 在 remain. Shared: 白云山; together: 6 + 3 - 1 = 8.
    assert window_jaccard(QUESTION, PASSAGE)[0] == 1 / 8
    # To make the question of them: keep 白云山, change two words, add three.
    assert window_edit_distance(QUESTION, PASSAGE)[0] == np.float32(5 / 6)


def test_a_word_in_four_of_nine_other_passages_of_ten_is_in_four_tenths():
    others = [frozenset({"白云山"})] * 4 + [frozenset({"广州"})] * 5

    assert cooccurrence(["白云山", "海拔"], others).tolist() == [np.float32(0.4), 0]


def test_a_passage_without_others_shares_no_word_with_them():
    assert cooccurrence(["白云山"], []).tolist() == [0]


# ------------------------------------------------------------- laws


@given(TOKENS, TOKENS)
def test_the_similarity_is_that_of_two_sets(question, passage):
    expected = [jaccard(set(question), set(window)) for window in windows(len(question), passage)]

    np.testing.assert_allclose(window_jaccard(question, passage), expected, rtol=1e-6)


@given(TOKENS.filter(len), TOKENS)
def test_the_distance_is_the_textbook_s(question, passage):
    expected = [levenshtein(question, window) / len(question) for window in windows(len(question), passage)]

    np.testing.assert_allclose(window_edit_distance(question, passage), expected, rtol=1e-6)


@pytest.mark.parametrize("size", [LONGEST_PATTERN - 1, LONGEST_PATTERN, LONGEST_PATTERN + 1, 200])
def test_of_a_long_question_the_distance_looks_at_the_beginning(size):
    generator = np.random.default_rng(0)
    question, passage = (list(generator.choice(list("海拔多少"), length)) for length in (size, 150))
    start = question[:LONGEST_PATTERN]

    found = window_edit_distance(question, passage)

    expected = [levenshtein(start, window) / len(start) for window in windows(len(start), passage)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_of_a_long_question_the_similarity_looks_at_all():
    question = [*"一二三四五六七八九十" * 7, "海"]  # 海 is token 71

    assert window_jaccard(question, ["海"]).tolist() == [np.float32(1 / 11)]


# ------------------------------------------------------------- the groups, by hand


def test_the_eight_features_of_a_passage():
    question, passage, other = encoded("海拔 多少"), encoded("海拔 3 8 米"), encoded("主峰 海拔")

    found = hand(question, passage, [other])

    by_word = [  # exact, in others, Jaccard and distance for windows of the word before and the word itself
        [1, 1 / 2, 1 / 2, 1 / 2],
        [0, 0, 1 / 3, 1 / 2],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
    ]
    by_character = [  # for windows of two characters before, the character itself and one behind
        [1, 1 / 2, (2 / 4 + 2 / 5) / 2, (2 / 4 + 2 / 4) / 2],  # 海拔 and 海拔3, the mean of both
        [0, 0, 2 / 6, 2 / 4],  # 海拔38
        [0, 0, 1 / 7, 4 / 4],  # 拔38米
        [0, 0, 0, 4 / 4],  # 38米
    ]
    expected = np.hstack([by_word, by_character])[[0, 0, 1, 2, 3]]  # 海拔 has two characters
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_a_passage_shares_with_the_question():
    found = match(encoded("白云山 海拔"), encoded("主峰 海拔 3 米"), []).T

    in_question, word, pair, near, nearer_than_a_question = found.tolist()
    assert in_question == [0, 0, 1, 1, 0, 0]
    assert word == [0, 0, 1, 1, 0, 0]
    assert pair == [0, 0, 1, 1, 0, 0]
    np.testing.assert_allclose(near, np.array([1, 2, 2, 2, 2, 1]) / 5, rtol=1e-6)  # of 白云山海拔, two to either side
    np.testing.assert_allclose(nearer_than_a_question, np.full(6, 2 / 5), rtol=1e-6)  # five to either side


def test_characters_of_the_question_in_another_order_are_no_pair_and_no_word():
    in_question, word, pair, *_ = match(encoded("白云 山"), encoded("云白 山"), []).T.tolist()

    assert (in_question, word, pair) == ([1, 1, 1], [0, 0, 1], [0, 0, 0])


def test_words_begin_and_end():
    begins, ends = boundary(encoded("多少"), encoded("主峰 海拔 3 米"), []).T.tolist()

    assert (begins, ends) == ([1, 0, 1, 0, 1, 1], [0, 1, 0, 1, 1, 1])


def test_groups_stand_side_by_side_in_the_order_of_their_names():
    question, passage = encoded("海拔 多少"), encoded("海拔 3 米")

    found = columns(("boundary", "match"), question, passage, [])

    assert found.shape == (4, width(("boundary", "match"))) == (4, 7)
    np.testing.assert_array_equal(found[:, :2], boundary(question, passage, []))
    np.testing.assert_array_equal(found[:, 2:], match(question, passage, []))


def test_no_groups_are_no_columns():
    assert columns((), encoded("海拔"), encoded("3 米"), []).shape == (2, 0)


# ------------------------------------------------------------- odd texts

ODD = ["", "海拔", "😀 👨‍👩‍👧 🏔️", "𠀀 𰻝", "\ud800 海", "x " * 80]


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("question", ODD)
@pytest.mark.parametrize("passage", ODD)
def test_any_text_has_features_between_0_and_1(name, question, passage):
    passage = encoded(passage)

    found = columns((name,), encoded(question), passage, [encoded("海拔"), encoded("")])

    assert (found.dtype, found.shape) == (np.float32, (len(passage.text), width((name,))))
    assert ((found >= 0) & (found <= 1)).all()


@given(TOKENS, TOKENS, TOKENS)
def test_features_depend_on_other_passages_as_a_set(question, passage, other):
    question, passage, *others = (encoded(" ".join(words)) for words in (question, passage, other, other[:3]))

    one = columns(tuple(FEATURES), question, passage, others)

    np.testing.assert_array_equal(one, features.columns(tuple(FEATURES), question, passage, others[::-1]))


def test_astral_characters_are_compared_whole():
    # 𠀀 and 𠀁 have their first UTF-16 half in common
    in_question, *_ = match(encoded("𠀀"), encoded("𠀁 𠀀"), []).T.tolist()

    assert in_question == [0, 1]
