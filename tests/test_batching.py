"""Samples into batches: sorted by length, padded as little as can be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.batching import by_length, collate

LENGTHS = st.lists(st.integers(0, 300), max_size=60)
BUDGET = st.integers(1, 1000)


def test_sequences_are_padded_on_the_right_to_the_longest():
    samples = [{"ids": np.array([5, 6, 7])}, {"ids": np.array([8])}]

    assert collate(samples)["ids"].tolist() == [[5, 6, 7], [8, 0, 0]]


def test_each_array_has_its_own_longest():
    samples = [
        {"passage": np.array([1, 2, 3]), "question": np.array([4])},
        {"passage": np.array([5]), "question": np.array([6, 7])},
    ]

    batch = collate(samples)

    assert batch["passage"].tolist() == [[1, 2, 3], [5, 0, 0]]
    assert batch["question"].tolist() == [[4, 0], [6, 7]]


def test_vectors_at_each_position_are_padded_with_vectors_of_zeros():
    samples = [{"vectors": np.ones((2, 3), "float32")}, {"vectors": np.ones((1, 3), "float32")}]

    vectors = collate(samples)["vectors"]

    assert vectors.shape == (2, 2, 3)
    assert vectors.dtype == np.float32
    assert vectors[1].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_scalars_are_stacked():
    assert collate([{"label": np.float32(1)}, {"label": np.float32(0)}])["label"].tolist() == [1, 0]


def test_an_empty_sequence_gets_one_position_of_padding():
    assert collate([{"ids": np.array([], "int32")}])["ids"].tolist() == [[0]]


def test_batches_go_from_short_to_long_within_the_budget():
    assert by_length([9, 2, 3, 4], budget=8) == [[1, 2], [3], [0]]  # 2 x 3 tokens, then 4, then 9: more than allowed


def test_no_samples_are_no_batches():
    assert by_length([], budget=8) == []


def test_lengths_of_a_batch_are_alike():
    assert by_length([200, 10, 11, 20, 160], budget=4096) == [
        [1, 2, 3],
        [4, 0],
    ]  # 20 is below 1.25 * 10 + 8, 160 is not


@given(LENGTHS, BUDGET)
def test_every_sample_is_in_one_batch(lengths, budget):
    batches = by_length(lengths, budget)

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))


@given(LENGTHS, BUDGET)
def test_the_budget_holds_unless_a_sample_is_alone(lengths, budget):
    for batch in by_length(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(1, *(lengths[index] for index in batch)) <= budget


@given(LENGTHS, BUDGET)
def test_batches_are_sorted_by_length_and_equal_ones_keep_their_order(lengths, budget):
    flat = [index for batch in by_length(lengths, budget) for index in batch]

    assert flat == sorted(flat, key=lambda index: (lengths[index], index))
