"""What a model is asked for, by hand: texts are directions, written as degrees.

Cosines of 0, 30, 60, 90 and 180 degrees are 1, .866025, .5, 0 and -1.
"""

import json

import numpy as np
import pytest
from characters import CharacterEncoder

from kexue_cli.errors import KexueError
from kexue_cli.records import dump
from kexue_cli.tasks import similarity
from kexue_cli.tasks.similarity import Similarity
from kexue_cli.tasks.similarity.config import VECTOR, DecodingConfig
from kexue_cli.tasks.similarity.decoding import Comparison, Representation, Retrieval
from kexue_cli.tasks.similarity.index import Index


def directions(texts):
    """The vectors (n, 2) of texts."""
    angles = np.radians([float(text) for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(-1, 2).astype(np.float32)


# ------------------------------------------------------------- comparison


def compared(*pairs, threshold=0.5):
    records = [{"text_a": one, "text_b": other} for one, other in pairs]
    return [(found["score"], found["similar"]) for found in Comparison(threshold).answer(records, directions)]


def test_two_texts_are_similar_from_the_threshold_on():
    assert compared(("0", "0"), ("10", "40"), ("0", "61"), ("0", "180")) == [
        (1, True), (0.866025, True), (0.48481, False), (-1, False)
    ]  # fmt: skip
    assert compared(("0", "0"), threshold=1) == [(1, True)]
    assert compared(("0", "61"), ("0", "180"), threshold=-1) == [(0.48481, True), (-1, True)]


def test_the_order_of_two_texts_does_not_matter():
    assert compared(("10", "70")) == compared(("70", "10"))


def test_a_record_keeps_its_fields():
    [found] = Comparison(0.5).answer([{"id": 7, "text_a": "0", "text_b": "90", "label": 1}], directions)

    assert found == {"id": 7, "text_a": "0", "text_b": "90", "label": 1, "score": 0, "similar": False}


def test_the_score_of_another_task_stays():
    [found] = Comparison(0.5).answer([{"text_a": "0", "text_b": "90", "score": 0.9}], directions)

    assert (found["score"], found["similarity_score"]) == (0.9, 0)


def test_nothing_to_compare_is_no_error():
    assert compared() == []


@pytest.mark.parametrize("record", [{"text_a": "0"}, {"text_a": "0", "text_b": 1}, {"text": "0"}])
def test_a_record_without_two_texts_is_an_error(record):
    with pytest.raises(KexueError, match="text_"):
        list(Comparison(0.5).answer([record], directions))


# ------------------------------------------------------------- retrieval

TEXTS, LINES = ["0", "30", "60", "90"], [1, 3, 4, 8]  # two lines of the file are blank, or hold more texts


def retrieval(texts=TEXTS, lines=None, **settings):
    return Retrieval(Index(directions(texts)), texts, lines or range(1, len(texts) + 1), **settings)


def found(answers, *asked):
    """The texts and the lines of the matches of each text that is asked."""
    records = [{"text": text} for text in asked]
    return [
        [(match["text"], match["line"]) for match in record["matches"]]
        for record in answers.answer(records, directions)
    ]


def test_the_nearest_texts_are_matches_the_nearest_first():
    [record] = retrieval(lines=LINES, top=2).answer([{"text": "40", "id": 7}], directions)

    assert record == {"text": "40", "id": 7, "matches": [
        {"text": "30", "score": 0.984808, "line": 3}, {"text": "60", "score": 0.939693, "line": 4}
    ]}  # fmt: skip


def test_each_text_has_its_own_matches():
    answers = retrieval(top=1)

    assert found(answers, "85", "1", "85") == [[("90", 4)], [("0", 1)], [("90", 4)]]


def test_there_are_no_more_matches_than_texts():
    assert [line for _, line in found(retrieval(top=9), "91")[0]] == [4, 3, 2, 1]


def test_matches_are_at_least_as_near_as_the_threshold():
    assert found(retrieval(threshold=0.85), "0", "300") == [[("0", 1), ("30", 2)], []]


def test_equal_texts_come_in_the_order_of_their_lines():
    assert found(retrieval(["30", "0", "30", "30"], top=2), "30") == [[("30", 1), ("30", 3)]]


def test_a_text_that_is_asked_may_be_among_the_texts():
    assert found(retrieval(top=1), "30") == [[("30", 2)]]


def test_asked_of_themselves_no_text_matches_itself():
    assert found(retrieval(top=1, is_self=True), *TEXTS[:2], *TEXTS[2:]) == [
        [("30", 2)], [("0", 1)], [("30", 2)], [("60", 3)]
    ]  # fmt: skip


def test_asked_of_themselves_equal_texts_match_each_other():
    texts = ["0", "50", "0", "0"]

    asked = found(retrieval(texts, top=3, is_self=True), *texts)

    assert [[line for _, line in matches] for matches in asked] == [[3, 4, 2], [1, 3, 4], [1, 4, 2], [1, 3, 2]]


def test_asked_of_themselves_batch_after_batch():
    texts = ["0", "50", "0"]
    answers = retrieval(texts, top=1, is_self=True)

    assert [found(answers, text) for text in texts] == [[[("0", 3)]], [[("0", 1)]], [[("0", 1)]]]


def test_a_text_that_is_alone_matches_nothing():
    assert found(retrieval(["0"], is_self=True), "0") == [[]]


def test_matches_of_the_record_become_its_gold():
    [record] = retrieval(top=1).answer([{"text": "0", "matches": []}], directions)

    assert record["gold"] == {"matches": []}
    assert record["matches"][0]["line"] == 1


@pytest.mark.parametrize("record", [{"texts": ["0"]}, {"text": 3}])
@pytest.mark.parametrize("answers", [retrieval(), Representation()])
def test_a_record_without_a_text_is_an_error(answers, record):
    with pytest.raises(KexueError, match="text"):
        list(answers.answer([record], directions))


# ------------------------------------------------------------- representation


def test_a_text_is_told_as_its_vector():
    one, other = Representation().answer([{"text": "90", "id": 7}, {"text": "0"}], directions)

    assert json.loads(dump(other)) == {"text": "0", "vector": [1, 0]}
    assert one["id"] == 7
    np.testing.assert_allclose(one["vector"], [0, 1], atol=1e-6)
    assert one["vector"].dtype == np.float32


# ------------------------------------------------------------- the model


class Counts:
    """A network whose vector of a text counts three characters, at length one. sizes: of its batches."""

    device = "cpu"

    def __init__(self):
        self.sizes = []

    def __call__(self, inputs):
        self.sizes.append(len(inputs["text"]))
        counts = np.stack([(inputs["text"] == character).sum(axis=1) for character in (2, 3, 4)], axis=-1)
        return {VECTOR: (counts / np.maximum(np.linalg.norm(counts, axis=-1, keepdims=True), 1)).astype(np.float32)}


@pytest.fixture
def model():
    return Similarity(CharacterEncoder("甲乙丙"), Counts(), DecodingConfig(0.6), 3)


def test_vectors_come_in_the_order_of_texts_whatever_their_lengths(model, monkeypatch):
    monkeypatch.setattr(similarity, "TEXTS", 2)  # so that several batches are needed

    found = model.vectors(["乙" * 20, "甲", "丙丙", "甲" * 40, "", "乙"])

    assert found.argmax(axis=1).tolist() == [1, 0, 2, 0, 0, 1]
    assert found.sum(axis=1).tolist() == [1, 1, 1, 1, 0, 1]
    assert max(model.runtime.sizes) <= 2


def test_no_texts_have_no_vectors(model):
    assert model.vectors([]).shape == (0, 3)


def test_a_model_compares_unless_told_otherwise(model):
    pair = {"text_a": "甲甲乙", "text_b": "甲乙乙"}  # cosine 4 / 5

    assert [record["similar"] for record in model.predict([pair])] == [True]
    assert [record["score"] for record in model.predict([pair])] == [0.8]
    assert [record["similar"] for record in model.with_settings(threshold=0.9).predict([pair])] == [False]


def test_a_model_may_be_told_what_to_answer(model):
    [found] = model.with_settings(answers=Representation()).predict([{"text": "乙"}])

    assert found["vector"].tolist() == [0, 1, 0]
