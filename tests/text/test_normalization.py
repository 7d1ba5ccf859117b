"""Text as the models read it: one character for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.text.normalization import normalize
from kexue_cli.text.simplification import simplified


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ＡＢＣａｂｃ１２３", "abcabc123"),
        ("（，！？）％￥", "(,!?)%¥"),
        ("一　二", "一 二"),
        ("DNA 的 發現", "dna 的 发现"),
        ("臺灣的魚與麵", "台湾的鱼与面"),
        ("ÄÖ ΑΒΓ ЖЯ", "äö αβγ жя"),
        ("。、《》「」“”……——", "。、《》「」“”……——"),
        ("\r\n\t", "\r\n\t"),
        ("😀👨‍👩‍👧𠀀", "😀👨‍👩‍👧𠀀"),
        ("İ", "İ"),  # in lower case two characters
        ("ﾊﾝｶｸ ①㎞", "ﾊﾝｶｸ ①㎞"),  # half width already, and what would be several characters
        ("乾坤", "干坤"),  # one reading for all: that of the most words
        ("", ""),
    ],
)
def test_phrases(text, read):
    assert normalize(text) == read


@given(st.text())
def test_any_text_keeps_its_length_and_each_character_its_place(text):
    read = normalize(text)

    assert len(read) == len(text)
    assert list(read) == [normalize(character) for character in text]


def test_full_width_letters_digits_and_signs_are_read_in_half_width_and_lower_case():
    signs = [chr(code) for code in range(0x21, 0x7F)]
    full = [chr(ord(sign) + 0xFEE0) for sign in signs]

    assert normalize("".join(full)) == "".join(signs).lower()


@given(st.text())
def test_what_is_read_is_in_lower_case(text):
    letters = [letter for letter in normalize(text) if ord(letter) < 0x588 and len(letter.lower()) == 1]

    assert letters == [letter.lower() for letter in letters]


def test_each_character_of_the_table_is_one_and_another():
    assert all(len(key) == len(value) == 1 and key != value for key, value in simplified().items())
    assert len(simplified()) > 2000


def test_halves_of_surrogate_pairs_pass_through():
    assert normalize("Ａ\ud800") == "a\ud800"
