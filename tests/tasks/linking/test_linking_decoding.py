"""Pointers to mentions: a place name by hand, and that no other choice of spans would be surer."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.config import LONGEST_NAME, DecodingConfig
from kexue_cli.tasks.linking.decoding import POINTERS, Span, spans_of, surest

TEXT = "北京大学"
PLAIN = DecodingConfig()  # least pointer .1, least score .3 of mentions both known and unknown


def pointers(starts, ends, length=4):
    """Pointers (t, 2) from {place: probability}."""
    array = np.zeros((length, 2), np.float32)
    for column, found in enumerate((starts, ends)):
        for place, probability in found.items():
            array[place, column] = probability
    return array


def shown(spans):
    """Spans as they stand in TEXT, with their scores."""
    return {TEXT[span.start : span.end]: pytest.approx(span.score, abs=1e-6) for span in spans}


def chosen(*spans, known=(), config=PLAIN):
    """The spans (start, end, score) that are kept, without their scores."""
    return [(span.start, span.end) for span in surest((Span(*span) for span in spans), set(known), config)]


# ------------------------------------------------------------- spans


def test_each_start_goes_with_each_end_behind_it():
    spans = spans_of(pointers({0: 0.9, 2: 0.8}, {1: 0.6, 3: 0.5}), PLAIN)

    assert shown(spans) == {"北京": 0.54, "北京大学": 0.45, "大学": 0.4}


def test_a_mention_may_be_one_character():
    assert shown(spans_of(pointers({1: 0.9}, {1: 0.9}), PLAIN)) == {"京": 0.81}


def test_no_pointer_no_span():
    assert spans_of(pointers({}, {}), PLAIN) == []
    assert spans_of(pointers({2: 0.9}, {1: 0.9}), PLAIN) == []  # an end before the start is none
    assert spans_of(np.zeros((0, 2), np.float32), PLAIN) == []


def test_a_pointer_and_a_span_must_reach_the_least():
    config = DecodingConfig(least_pointer=0.25)

    assert spans_of(pointers({0: 0.24}, {1: 1}), config) == []
    assert spans_of(pointers({0: 1}, {1: 0.24}), config) == []
    assert spans_of(pointers({0: 0.4}, {1: 0.5}), config) == []
    assert shown(spans_of(pointers({0: 0.5}, {1: 0.5}), config)) == {"北京": 0.25}


def test_a_mention_is_no_longer_than_a_name_may_be():
    spans = spans_of(pointers({0: 0.9, 1: 0.9}, {LONGEST_NAME: 0.9}, LONGEST_NAME + 1), PLAIN)

    assert [(span.start, span.end) for span in spans] == [(1, LONGEST_NAME + 1)]


def test_of_very_many_pointers_the_highest_are_looked_at():
    length = 2 * POINTERS
    high = np.full((length, 2), 0.4, np.float32)
    high[::2] = 0.8

    spans = spans_of(high, PLAIN)

    assert {span.start % 2 for span in spans} == {0}
    assert {span.end % 2 for span in spans} == {1}
    assert {span.start for span in spans} == set(range(0, length, 2))


# ------------------------------------------------------------- the surest


def test_of_overlapping_spans_the_surer_is_kept():
    assert chosen((0, 2, 0.8), (0, 4, 0.9)) == [(0, 4)]
    assert chosen((0, 2, 0.9), (0, 4, 0.8)) == [(0, 2)]
    assert chosen((1, 3, 0.9), (2, 4, 0.8)) == [(1, 3)]


def test_two_together_may_be_surer_than_one_across():
    # .2 + .2 above what is asked against .3, then against .5
    assert chosen((0, 2, 0.5), (0, 4, 0.6), (2, 4, 0.5)) == [(0, 2), (2, 4)]
    assert chosen((0, 2, 0.5), (0, 4, 0.8), (2, 4, 0.5)) == [(0, 4)]


def test_spans_that_touch_do_not_overlap_and_come_in_order():
    assert chosen((3, 4, 0.9), (0, 1, 0.9), (1, 3, 0.9)) == [(0, 1), (1, 3), (3, 4)]


def test_known_names_and_others_have_least_scores_of_their_own():
    config = DecodingConfig(mention=0.25, unknown=0.5)
    spans = ((0, 2, 0.4), (2, 4, 0.4))

    assert chosen(*spans, config=config) == []
    assert chosen(*spans, known=[(0, 2)], config=config) == [(0, 2)]
    assert chosen((0, 2, 0.25), known=[(0, 2)], config=config) == [(0, 2)]  # the least is enough
    assert chosen((0, 2, 0.5), config=config) == [(0, 2)]
    # .15 above the least is more than .125 above a higher one
    assert chosen((0, 2, 0.4), (1, 3, 0.625), known=[(0, 2)], config=config) == [(0, 2)]


def test_a_span_that_is_there_twice_counts_once_as_the_surer():
    [span] = surest([Span(0, 2, 0.5), Span(0, 2, 0.7), Span(0, 2, 0.6)], set(), PLAIN)

    assert span.score == 0.7
    assert chosen((0, 2, 0.5), (0, 2, 0.5), (0, 2, 0.5), (1, 3, 0.6)) == [(1, 3)]


def test_nothing_of_nothing():
    assert chosen() == []


def overlap(one, other):
    return one.start < other.end and other.start < one.end


SCORES = st.integers(0, 20).map(lambda number: number / 20)
SPANS = st.lists(
    st.builds(
        lambda start, size, score: Span(start, start + size, score), st.integers(0, 7), st.integers(1, 4), SCORES
    ),
    max_size=8,
)


@given(SPANS, st.sets(st.tuples(st.integers(0, 7), st.integers(1, 11))), SCORES, SCORES)
def test_no_other_choice_is_surer(spans, known, mention, unknown):
    config = DecodingConfig(mention=mention, unknown=unknown)

    def gain(choice):
        asked = (mention if (span.start, span.end) in known else unknown for span in choice)
        return sum(span.score for span in choice) - sum(asked)

    found = surest(spans, known, config)

    assert not any(overlap(*pair) for pair in combinations(found, 2))
    assert found == sorted(found, key=lambda span: span.start)
    assert set(found) <= set(spans)
    assert all(gain([span]) >= -1e-9 for span in found)
    possible = (choice for size in range(len(spans) + 1) for choice in combinations(spans, size))
    apart = (choice for choice in possible if not any(overlap(*pair) for pair in combinations(choice, 2)))
    assert gain(found) == pytest.approx(max(map(gain, apart)), abs=1e-9)


# ------------------------------------------------------------- settings


@pytest.mark.parametrize("name", ["least_pointer", "mention", "unknown", "entity"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_probability_that_is_none_is_refused(name, value):
    with pytest.raises(KexueError, match=rf"^decoding\.{name} must be from 0 to 1; found {value}$"):
        DecodingConfig(**{name: value})
