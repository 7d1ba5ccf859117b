"""A phrase book: what each rule keeps whole, and where it stops."""

import pytest

from kexue_cli.segmentation.rules import (
    CODE_SHIFT,
    DIGIT,
    HAN,
    LETTER,
    MARK,
    OTHER,
    RULES,
    SPACE,
    character_table,
    kind_of,
)
from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter
from kexue_cli.segmentation.trie import build_trie

TABLE = character_table()


def cut(text: str, rules: tuple[str, ...] = tuple(RULES)) -> list[str]:
    """Cut with a lexicon of the words 分钟 and 年代 alone: all other Han characters stand by themselves."""
    decoding = DecodingConfig(
        unknown_weight=-5.0,
        numeral_weight=0.0,
        unit_weight=0.0,
        frequency_slope=1.0,
        frequency_intercept=0.0,
        rules=rules,
    )
    return Segmenter(build_trie({"分钟": 0, "年代": 0}), decoding).segment(text)


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("中", HAN),
        ("々", HAN),
        ("〇", HAN),
        ("𰻞", HAN),  # extension G
        ("7", DIGIT),
        ("７", DIGIT),
        ("a", LETTER),
        ("Ｚ", LETTER),
        ("é", LETTER),
        ("Ж", LETTER),
        ("ω", LETTER),
        ("の", LETTER),
        ("한", LETTER),
        (" ", SPACE),
        ("\u3000", SPACE),
        ("\t", SPACE),
        ("\u00a0", SPACE),
        ("\u0301", MARK),
        ("\ufe0f", MARK),
        ("\u200d", MARK),
        ("，", OTHER),
        ("。", OTHER),
        ("😀", OTHER),
        ("\0", OTHER),
        ("×", OTHER),
    ],
)
def test_characters_have_kinds(character, kind):
    assert kind_of(ord(character) << CODE_SHIFT | TABLE[ord(character)]) == kind


@pytest.mark.parametrize(
    ("rule", "whole"),
    [
        ("digits", ["3.14", "1,234,567", "50%", "１２．５％", "007"]),
        ("latin", ["iPhone15", "COVID-19", "C++", "C#", "Node.js", "AT&T", "don't", "50mg", "naïve", "Ｗｏｒｄ"]),
        ("date", ["2024-05-01", "2024/5/1", "12:30", "12:30:05", "１５：０６：４８"]),
        ("unit", ["2024年", "5月", "12日", "8时", "30分", "三十一日", "二○○一年", "１９９８年"]),
        ("numeral", ["三百二十", "一九九八", "百分之五", "三分之一", "一百零八"]),
        ("url", ["https://example.com/a?b=1#c", "http://a.cn", "FTP://x.y/z"]),
        ("email", ["name@example.com", "a.b-c+d@mail.example.cn"]),
        ("repeat", ["……", "——", "！！！", "***"]),
    ],
)
def test_a_rule_keeps_its_tokens_whole_and_can_be_switched_off(rule, whole):
    others = tuple(name for name in RULES if name != rule)

    for token in whole:
        assert cut(f"在{token}，") == ["在", token, "，"]
        assert cut(f"在{token}，", others) != ["在", token, "，"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("见https://a.cn/x。好", ["见", "https://a.cn/x", "。", "好"]),  # Chinese ends an address
        ("(https://a.cn/x).", ["(", "https://a.cn/x", ")", "."]),  # and so do marks at its end
        ("写信到a@b.cn.", ["写", "信", "到", "a@b.cn", "."]),
        ("在www.a.cn/x?1，", ["在", "www.a.cn/x?1", "，"]),
        ("2024.5.1", ["2024.5.1"]),
        ("a@b", ["a", "@", "b"]),  # a domain has two labels
        ("1,23", ["1", ",", "23"]),  # a comma stands before three digits
        ("3.", ["3", "."]),
        ("1998年12月", ["1998年", "12月"]),
        ("90年代", ["90", "年代"]),  # a longer word takes the unit
        ("30分钟", ["30", "分钟"]),
        ("九十分钟", ["九十", "分钟"]),
        ("万一", ["万一"]),
        ("5G和4K", ["5G", "和", "4K"]),
        ("第3.5版", ["第", "3.5", "版"]),
        ("C++好", ["C++", "好"]),
        ("a-", ["a", "-"]),  # a hyphen stands inside a word
        ("http://", ["http", ":", "//"]),  # a scheme alone is no address
        ("12:3", ["12", ":", "3"]),
        ("  \t你", ["  \t", "你"]),  # white space is one token
        ("e\u0301a", ["e\u0301a"]),  # an accent stays with its letter
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),  # and a variation selector with its ideograph
        ("👨\u200d👩\u200d👧好", ["👨\u200d👩\u200d👧", "好"]),  # a joiner makes one emoji of several
        ("🇨🇳🇨🇳", ["🇨🇳", "🇨🇳"]),  # two letters are a flag
    ],
)
def test_where_tokens_end(text, words):
    assert cut(text) == words


def test_without_rules_every_character_stands_alone():
    assert cut("a1。。三百", ()) == ["a", "1", "。", "。", "三", "百"]
