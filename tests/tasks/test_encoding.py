"""A text as the networks see it is the user's text, position by position; windows show all of it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from texts import encoded

from kexue_cli.errors import KexueError
from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder, EncodingConfig, windows
from kexue_cli.text.vocabulary import UNKNOWN, Vocabulary

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MIXED = st.text(st.sampled_from("我愛北京天安門ＡＢａ１２。，！　 \r\n\t👨‍👩𠀀e\u0301"))
ENCODER = Encoder(Vocabulary("我爱北京"), segmenter(), None)


def test_a_text_is_its_words_and_the_ids_of_its_characters():
    found = ENCODER.encode("我爱北京天安门")

    assert found.words == ("我", "爱", "北京", "天安门")
    assert found.word_of.tolist() == [0, 1, 2, 2, 3, 3, 3]
    assert found.ids.tolist() == [2, 3, 4, 5, UNKNOWN, UNKNOWN, UNKNOWN]
    assert found.rows.tolist() == [0, 0, 0, 0]  # there are no word vectors


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("我愛北京", "我爱北京"),
        ("ＤＮＡ　１９５３年", "dna 1953年"),
        ("我爱\r\n北京\n", "我爱\r\n北京\n"),
        ("北京😀👨‍👩‍👧", "北京😀👨‍👩‍👧"),
        ("𠀀𰻝麵", "𠀀𰻝面"),
        ("\ufeff我", "\ufeff我"),
        ("", ""),
    ],
)
def test_a_text_is_read_normalised_each_character_in_its_place(text, read):
    found = ENCODER.encode(text)

    assert found.text == "".join(found.words) == read
    assert len(found.text) == len(text)


@given(TEXT | MIXED)
def test_the_places_of_any_text_stay(text):
    found = ENCODER.encode(text)

    assert len(found.text) == len(found.ids) == len(found.word_of) == len(text)
    assert "".join(found.words) == found.text
    assert [word for word, size in zip(found.words, np.bincount(found.word_of), strict=True) if len(word) != size] == []
    assert len(found.rows) == len(found.words)


def test_half_a_surrogate_pair_is_an_error_and_not_a_crash():
    with pytest.raises(KexueError, match="character 2 is a lone surrogate"):
        ENCODER.encode("北京\ud83d")


@given(MIXED, st.integers(0, 20), st.integers(0, 20))
def test_a_window_is_a_part_of_the_text_with_the_words_it_touches(text, start, size):
    whole = ENCODER.encode(text)

    part = whole[start : start + size]

    assert part.text == whole.text[start : start + size]
    assert part.ids.tolist() == whole.ids[start : start + size].tolist()
    words = [whole.words[word] for word in whole.word_of[start : start + size]]
    assert [part.words[word] for word in part.word_of] == words
    assert set(part.words) == set(words)
    assert len(part.rows) == len(part.words)


def test_a_word_that_a_window_cuts_stays_what_it_is():
    part = encoded("我 爱 天安门 。")[3:5]

    assert (part.text, part.words, part.word_of.tolist(), part.rows.tolist()) == ("安门", ("天安门",), [0, 0], [3])


def test_words_can_be_left_out():
    text = encoded("我 ， 爱 北京 。")

    kept = text.keep(np.array([True, False, True, True, False]))

    assert (kept.text, kept.words) == ("我爱北京", ("我", "爱", "北京"))
    assert kept.word_of.tolist() == [0, 1, 2, 2]
    assert (kept.rows.tolist(), "".join(map(chr, kept.ids))) == ([1, 3, 4], "我爱北京")


@given(MIXED, st.randoms(use_true_random=False))
def test_what_is_kept_is_the_words_that_are_kept(text, random):
    whole = ENCODER.encode(text)
    is_kept = np.array([random.random() < 0.5 for _ in whole.words], bool)

    kept = whole.keep(is_kept)

    assert kept.words == tuple(word for word, keep in zip(whole.words, is_kept, strict=True) if keep)
    assert kept.text == "".join(kept.words)
    assert [kept.words[word] for word in kept.word_of] == [word for word in kept.words for _ in word]
    assert len(kept.ids) == len(kept.text)


# ------------------------------------------------------------- windows


def test_windows_by_hand():
    found = windows(40, EncodingConfig(window=16, overlap=4))

    assert [(window.start, window.stop) for window in found] == [(0, 16), (12, 28), (24, 40)]


@pytest.mark.parametrize("length", [0, 1, 15, 16])
def test_a_short_passage_has_one_window(length):
    assert list(windows(length, EncodingConfig(window=16, overlap=4))) == [slice(0, 16)]


@given(st.integers(0, 300), st.integers(1, 40), st.integers(0, 39))
def test_windows_show_every_span_that_is_no_longer_than_their_overlap(length, size, overlap):
    assume(overlap < size)

    config = EncodingConfig(window=size, overlap=overlap)
    parts = [range(length)[window] for window in windows(length, config)]

    spans = [range(start, start + max(overlap, 1)) for start in range(length - max(overlap, 1) + 1)]
    assert all(any(span[0] in window and span[-1] in window for window in parts) for span in spans)
    assert {place for window in parts for place in window} == set(range(length))
    assert all(one.stop - other.start == overlap for one, other in pairwise(parts))
    assert all(len(window) <= size for window in parts)
    assert len(parts) == 1 or len(parts[-1]) > overlap  # the last one shows something new


@pytest.mark.parametrize("settings", [{"window": 4, "overlap": 4}, {"window": 0, "overlap": 0}, {"overlap": -1}])
def test_windows_that_would_not_move_on_are_refused(settings):
    with pytest.raises(KexueError, match="overlap must be at least 0 and less than"):
        EncodingConfig(**settings)
