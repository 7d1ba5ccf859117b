"""Clauses are parsed into the best nested blocks: the article's examples, and a search through all parses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.segmentation.segmenter import Span
from kexue_cli.segmentation.templates.parser import LONGEST, Parser
from kexue_cli.segmentation.templates.structure import bracketed, structure
from kexue_cli.segmentation.templates.template import Template


def templates(**counts: int) -> list[Template]:
    """Templates from their words with _ between, X for a placeholder."""
    return [
        Template(tuple(None if word == "X" else word for word in name.split("_")), count)
        for name, count in counts.items()
    ]


def spans(text: str) -> list[Span]:
    found, place = [], 0
    for word in text.split():
        found.append(Span(word, place, place + len(word)))
        place += len(word)
    return found


def parsed(text: str, **counts: int) -> str:
    return bracketed(structure(Parser(templates(**counts)), spans(text)))


def test_the_article_s_first_example():
    tree = structure(Parser(templates(X_可以_X_吗=9)), spans("鸡蛋 可以 吃 吗"))

    assert tree["template"] == [None, "可以", None, "吗"]
    assert [child["word"] for child in tree["children"]] == ["鸡蛋", "可以", "吃", "吗"]


def test_of_equal_parses_the_one_with_the_longer_first_block_is_taken():
    assert parsed("雪梨 和 苹果 和 香蕉", X_和_X=9) == "((雪梨 和 苹果) 和 香蕉)"


def test_the_other_reading_is_taken_where_templates_ask_for_it():
    assert parsed("雪梨 和 苹果 和 香蕉", X_和_X=9, 苹果_和_香蕉=9) == "(雪梨 和 (苹果 和 香蕉))"
    assert parsed("雪梨 和 苹果 和 香蕉", X_和_X=9, X_和_X_和_X=9) == "(雪梨 和 苹果 和 香蕉)"


def test_possessives_are_nested_from_the_left():
    assert parsed("我 的 妈妈 的 朋友 的 狗", X_的_X=9) == "(((我 的 妈妈) 的 朋友) 的 狗)"


def test_a_block_that_no_template_fits_keeps_its_words_together():
    assert parsed("白 雪梨 和 苹果", X_和_X=9) == "((白 雪梨) 和 苹果)"
    assert parsed("我 爱 你", X_和_X=9) == "(我 爱 你)"


def test_marks_stand_between_clauses_and_keep_their_places():
    tree = structure(Parser(templates(X_和_X=9)), spans("雪梨 和 苹果 ， 好吃 ！"))

    assert bracketed(tree) == "(雪梨 和 苹果) ， 好吃 ！"
    assert tree["template"] is None
    assert [(child["start"], child["end"]) for child in tree["children"]] == [(0, 5), (5, 6), (6, 8), (8, 9)]


@pytest.mark.parametrize("text", ["", "好", "， ，"])
def test_lines_without_a_clause_of_several_words_have_no_brackets(text):
    assert parsed(text, X_和_X=9) == text


def test_a_long_clause_is_parsed_in_parts_and_loses_nothing():
    words = ["天", "和"] * LONGEST

    tree = structure(Parser(templates(X_和_X=9, 天_X=3)), spans(" ".join(words)))

    assert [child["end"] - child["start"] for child in tree["children"]] == [LONGEST, LONGEST]
    assert bracketed(tree).replace("(", "").replace(")", "").split() == words


def score(node, parser_templates):
    """The score of a tree by its definition, and the words in templates."""
    if "word" in node:
        return 0.0, 0
    if node["template"] is None:
        return -20.0 * (len(node["children"]) - 1), 0
    import math

    total = sum(template.count for template in parser_templates)
    count = next(each.count for each in parser_templates if list(each.words) == node["template"])
    own = round(math.log(count) - math.log(total), 4), sum(map(bool, node["template"]))
    parts = [score(c, parser_templates) for w, c in zip(node["template"], node["children"], strict=True) if w is None]
    return own[0] + sum(part[0] for part in parts), own[1] + sum(part[1] for part in parts)


def best_score(words, parser_templates):
    """The best score by trying every template at every place, without memory."""
    if len(words) == 1:
        return 0.0, 0
    import math

    total = sum(template.count for template in parser_templates)

    def fills(template, rest):
        if not template:
            return [] if rest else [(0.0, 0)]
        if template[0] is not None:
            found = fills(template[1:], rest[1:]) if rest and rest[0] == template[0] else []
            return [(value, count + 1) for value, count in found]
        found = []
        for size in range(1, len(rest) + 1):
            later = fills(template[1:], rest[size:])
            if later:
                value, count = best_score(rest[:size], parser_templates)
                found += [(value + other, count + more) for other, more in later]
        return found

    own = [
        (round(round(math.log(template.count) - math.log(total), 4) + value, 4), count)
        for template in parser_templates
        for value, count in fills(template.words, words)
    ]
    return max(own, default=(-20.0 * (len(words) - 1), 0))


SETS = st.lists(
    st.tuples(
        st.sampled_from([(None, "和", None), (None, "的", None), ("天", None), ("天", None, "地"), (None, "和"),
                         (None, "和", None, "和", None), ("天", "地"), ("的", None), (None, "地")]),
        st.integers(1, 5),
    ),
    min_size=1, max_size=5, unique_by=lambda pair: pair[0],
)  # fmt: skip


@given(words=st.lists(st.sampled_from("天地和的"), min_size=2, max_size=7), pairs=SETS)
def test_no_parse_is_better(words, pairs):
    chosen = [Template(*pair) for pair in pairs]

    tree = structure(Parser(chosen), spans(" ".join(words)))

    value, count = score(tree, chosen)
    assert (round(value, 4), count) == best_score(words, chosen)
