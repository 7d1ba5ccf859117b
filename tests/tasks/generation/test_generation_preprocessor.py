"""Texts as ids behind what leads to them, and ids as texts; the windows that long texts are read in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.tasks.generation.conditions import Fields
from kexue_cli.tasks.generation.config import FieldsConfig, NetworkConfig
from kexue_cli.tasks.generation.preprocessor import UNREADABLE, Preprocessor, texts_of, windows
from kexue_cli.tasks.generation.records import Text
from kexue_cli.text.vocabulary import PADDING, SPACE, UNKNOWN, Vocabulary

VOCABULARY = Vocabulary(["春", "眠", "不", "晓", SPACE])  # ids 2 to 6
BEGIN, END = 7, 8
COUPLET = Text({"first": "春眠"}, "不晓")


def make_preprocessor(*, longest=20, **network):
    fields = Fields.of([COUPLET], FieldsConfig(text="first"))
    return Preprocessor(VOCABULARY, fields, NetworkConfig(vocabulary_size=9, longest=longest, **network))


def test_a_text_stands_behind_the_one_it_is_conditioned_on_between_two_marks():
    ids, lead = make_preprocessor().ids(COUPLET)

    assert ids.tolist() == [2, 3, BEGIN, 4, 5, END]
    assert (lead, ids.dtype) == (3, "int32")


def test_a_network_without_a_prefix_sees_the_other_text_in_its_condition_only():
    preprocessor = make_preprocessor(has_prefix=False)
    ids, lead = preprocessor.ids(COUPLET)

    assert ids.tolist() == [BEGIN, 4, 5, END]
    assert lead == 1
    assert preprocessor.condition(COUPLET.condition)["source"].tolist() == [2, 3]


def test_an_empty_text_behind_nothing_is_its_marks():
    ids, lead = make_preprocessor().ids(Text({}, ""))

    assert (ids.tolist(), lead) == ([BEGIN, END], 1)


@pytest.mark.parametrize(
    ("longest", "kept"), [(20, "春眠不晓春眠不晓"), (16, "春眠不晓春眠不晓"), (9, "春眠不晓"), (6, "春眠不")]
)
def test_of_a_long_other_text_half_a_window_is_kept(longest, kept):
    preprocessor = make_preprocessor(longest=longest)

    assert preprocessor.lead({"first": "春眠不晓" * 2}) == [*VOCABULARY.ids(kept), BEGIN]


def test_a_prefix_is_the_ids_of_its_characters():
    assert make_preprocessor().prefix("春 \n眠觉") == [2, 6, 3, UNKNOWN]
    assert make_preprocessor().prefix("") == []


def test_ids_are_a_text_again_and_what_is_no_character_can_be_seen():
    text = make_preprocessor().text

    assert text([2, 3, 6, 4]) == "春眠 不"
    assert text([]) == ""
    assert text([2, PADDING, UNKNOWN, BEGIN, END, 5]) == f"春{UNREADABLE * 4}晓"


@given(st.text(st.sampled_from("春眠不晓 ")).map(lambda text: " ".join(text.split(" "))))
def test_a_text_of_known_characters_comes_back(text):
    preprocessor = make_preprocessor()
    once = preprocessor.text(preprocessor.prefix(text))

    assert once.split() == text.split()  # runs of spaces are one
    assert preprocessor.text(preprocessor.prefix(once)) == once
    assert "  " not in once


def test_characters_are_counted_in_texts_and_in_what_they_are_conditioned_on():
    fields = make_preprocessor().fields

    assert list(texts_of([COUPLET, Text({}, "晓 \n春")], fields)) == ["不晓", "春眠", f"晓{SPACE}春", ""]


def test_windows_by_hand():
    assert list(windows(4, 4, 2)) == [(0, 0)]
    assert list(windows(5, 4, 2)) == [(0, 0), (2, 4)]
    assert list(windows(9, 4, 4)) == [(0, 0), (4, 4), (8, 8)]
    assert list(windows(0, 4, 2)) == []


@given(st.integers(0, 60), st.integers(2, 12), st.data())
def test_each_place_is_read_once_behind_at_least_what_windows_share(length, size, data):
    step = data.draw(st.integers(1, size))
    seen = []
    for start, first in windows(length, size, step):
        assert start == 0 or first - start >= size - step
        seen += range(first, min(start + size, length))

    assert seen == list(range(length))
