"""Texts, mentions and candidates to arrays, each number worked out by hand."""

import math

import numpy as np
import pytest
from characters import CharacterEncoder
from texts import encoded

from kexue_cli.tasks.linking.config import (
    CANDIDATE_FEATURES,
    CONTEXT_WORDS,
    DICTIONARY_FEATURES,
    ENTITY_WORDS,
)
from kexue_cli.tasks.linking.preprocessor import (
    Candidate,
    Context,
    Name,
    candidate_features,
    choice_sample,
    context_of,
    dictionary_features,
    text_sample,
)

LOG = math.log


def rows_of(*rows, size=ENTITY_WORDS):
    """These rows, padded."""
    return np.array([*rows, *[0] * (size - len(rows))], np.int32)


def candidate(count=0, *, is_own=False, is_described=True, rows=(), said=""):
    return Candidate(0, count, is_own, is_described, rows_of(*rows), frozenset(said))


def context(*rows, said=""):
    """Words around a mention, and characters."""
    return Context(rows_of(*rows, size=CONTEXT_WORDS), frozenset(said))


def trimmed(rows):
    """Rows without their padding, which must be at the end."""
    kept = [row for row in rows.tolist() if row]
    assert rows.tolist() == [*kept, *[0] * (len(rows) - len(kept))]
    return kept


# ------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("count", "occurrences", "ratio"),
    [
        (1, 1, 0.75),
        (0, 1, 0.25),  # 1 / 2 to begin with, and half as much for each time
        (0, 9, 0.05),
        (3, 3, 0.875),
        (0, 0, 0.5),
        (4, 0, 0.5),  # who links without counting how often a name is seen has told nothing
        (9, 3, 1),  # counts that cannot be
    ],
)
def test_how_often_a_name_is_a_mention(count, occurrences, ratio):
    assert Name(0, 2, count, occurrences).ratio == pytest.approx(ratio)


def test_the_features_of_overlapping_names():
    # 北京 has the ratio 3.5 / 4, 北京大学 1.5 / 6, 大学 .5 / 4
    names = [Name(0, 2, 3, 3), Name(0, 4, 1, 5), Name(2, 4, 0, 3)]

    features = dictionary_features(names, 6)

    assert features.shape == (6, DICTIONARY_FEATURES)
    assert features.dtype == np.float32
    np.testing.assert_allclose(
        features.T,
        [
            [1, 0, 1, 0, 0, 0],  # a name starts, ends, lies over
            [0, 1, 0, 1, 0, 0],
            [1, 1, 1, 1, 0, 0],
            [0.875, 0, 0.125, 0, 0, 0],  # the highest ratio
            [0, 0.875, 0, 0.25, 0, 0],
            [0.875, 0.875, 0.25, 0.25, 0, 0],
            [0.25, 0, 0.125, 0, 0, 0],  # the ratio of the longest
            [0, 0.875, 0, 0.25, 0, 0],
            [0.25, 0.25, 0.25, 0.25, 0, 0],
            [4 / 8, 0, 2 / 8, 0, 0, 0],  # the length of the longest that starts, that ends
            [0, 2 / 8, 0, 4 / 8, 0, 0],
            [LOG(6) / 4, 0, LOG(4) / 4, 0, 0, 0],  # how often the longest that starts was seen
        ],
        rtol=1e-6,
    )


def test_the_order_of_names_does_not_count():
    names = [Name(0, 2, 3, 3), Name(0, 4, 1, 5), Name(2, 4, 0, 3)]

    np.testing.assert_array_equal(dictionary_features(names[::-1], 4), dictionary_features(names, 4))


def test_a_name_of_one_character_starts_and_ends_there():
    assert dictionary_features([Name(1, 2, 1, 1)], 3)[:, [0, 1, 2, 9, 10]].tolist() == [
        [0, 0, 0, 0, 0], [1, 1, 1, 0.125, 0.125], [0, 0, 0, 0, 0]
    ]  # fmt: skip


def test_a_text_without_names_has_no_features():
    assert not dictionary_features([], 3).any()
    assert dictionary_features([], 0).shape == (0, DICTIONARY_FEATURES)


def test_the_sample_of_a_text():
    encoder = CharacterEncoder("北京")

    sample = text_sample(encoder.encode("在北京"), encoder, [Name(1, 3, 1, 1)])

    assert sample.keys() == {"text", "boundaries", "words", "dictionary"}
    assert sample["words"].ravel().tolist() == [0, 1, 2]
    assert sample["dictionary"][:, 0].tolist() == [0, 1, 0]


# ------------------------------------------------------------- context

STUDENT = encoded("我 在 北京 大学 读 书 的 日 子")  # rows 1 to 9; 北京 is 3, at 2, and 大学 is 4, at 4


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        (4, 6, [3, 5, 2, 6, 1, 7, 8, 9]),  # 大学: in turn before and behind, then what is left behind
        (10, 11, [8, 7, 6, 5, 4, 3, 2, 1]),
        (0, 1, [2, 3, 4, 5, 6, 7, 8, 9]),
        (2, 6, [2, 5, 1, 6, 7, 8, 9]),  # 北京大学
        (3, 5, [2, 5, 1, 6, 7, 8, 9]),  # 京大 is a part of both words
        (0, 11, []),
    ],
)
def test_the_words_around_a_mention_the_nearest_first(start, end, rows):
    assert trimmed(context_of(STUDENT, start, end).rows) == rows


def test_a_word_is_context_once_and_never_without_a_vector():
    encoder = CharacterEncoder("甲乙丙")

    rows = context_of(encoder.encode("丙，乙甲甲【题】甲，乙丙"), 6, 7).rows

    assert rows.shape == (CONTEXT_WORDS,)
    assert encoder.read(rows) == "甲乙丙"


def test_what_else_is_known_comes_behind_the_words_around():
    assert trimmed(context_of(STUDENT, 4, 6, [7, 20, 20, 21]).rows) == [3, 5, 2, 6, 1, 7, 8, 9, 20, 21]
    assert trimmed(context_of(STUDENT, 0, 11, [20]).rows) == [20]


def test_the_characters_around_are_those_that_the_mention_does_not_have_itself():
    text = encoded("小米 和 大米 ， 2斤")

    assert context_of(text, 0, 2).characters == frozenset("和大2斤")


def test_of_a_long_text_the_nearest_words_are_context():
    text = encoded(" ".join(["词"] * 100))

    rows = context_of(text, 50, 51).rows  # the word in row 51

    assert sorted(rows.tolist()) == [row for row in range(51 - 16, 51 + 17) if row != 51]


# ------------------------------------------------------------- candidates


def test_the_features_of_candidates():
    company = candidate(1, rows=[1, 2, 3], said="科技公司")  # prior 1.5
    fruit = candidate(0, is_own=True, rows=[7], said="水果")  # prior .5

    features = candidate_features([company, fruit], context(2, 3, 9, said="公司的水"), 0.4)

    assert features.shape == (2, CANDIDATE_FEATURES)
    np.testing.assert_allclose(
        features,
        [
            [LOG(0.75), LOG(2) / 4, LOG(2) / 4, 0.4, 1, LOG(4) / 4, LOG(3), 0, 0.5, LOG(3) / 4, 1],
            [LOG(0.25), 0, LOG(2) / 4, 0.4, 1, LOG(2) / 4, 0, 1, 0.5, LOG(2) / 4, 0.5],
        ],
        rtol=1e-6,
    )


def test_an_entity_without_a_description_is_less_likely_to_begin_with():
    features = candidate_features([candidate(), candidate(is_described=False)], context(), 0.5)

    np.testing.assert_allclose(np.exp(features[:, 0]), [10 / 11, 1 / 11], rtol=1e-6)
    assert features[:, 4].tolist() == [1, 0]


def test_what_is_alone_is_certain_and_still_no_padding():
    features = candidate_features([candidate(is_described=False)], context(), 0)

    assert features.tolist() == [[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]]


def test_no_candidates_no_features():
    assert candidate_features([], context(), 0.5).shape == (0, CANDIDATE_FEATURES)


def test_the_sample_of_a_mention_holds_the_vectors_of_its_rows():
    encoder = CharacterEncoder("甲乙丙")

    sample = choice_sample([candidate(rows=[2]), candidate(rows=[3, 1])], context(3), 0.5, encoder)

    assert sample.keys() == {"context", "descriptions", "candidates"}
    assert sample["context"].tolist() == [[3], *[[0]] * (CONTEXT_WORDS - 1)]
    assert sample["descriptions"].shape == (2, ENTITY_WORDS, 1)
    assert sample["descriptions"][:, :3, 0].tolist() == [[2, 0, 0], [3, 1, 0]]
    assert sample["candidates"][:, 6].tolist() == pytest.approx([0, LOG(2)])  # the second has 丙 too


def test_the_sample_of_a_mention_that_no_entity_is_called_is_empty():
    sample = choice_sample([], context(), 0.5, CharacterEncoder("甲"))

    assert sample["descriptions"].shape == (0, ENTITY_WORDS, 1)
    assert sample["candidates"].shape == (0, CANDIDATE_FEATURES)
