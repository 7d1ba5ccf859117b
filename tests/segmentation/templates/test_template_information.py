"""What a text costs when its templates are told as one, checked by hand."""

import math
from collections import Counter

import pytest

from kexue_cli.segmentation.metrics import information_per_character
from kexue_cli.segmentation.segmenter import Span
from kexue_cli.segmentation.templates.information import information
from kexue_cli.segmentation.templates.parser import Parser
from kexue_cli.segmentation.templates.structure import structure
from kexue_cli.segmentation.templates.template import Template

PARSER = Parser([Template(("如何", "评价", None), 4)])


def trees(*lines: str):
    found = []
    for line in lines:
        place, spans = 0, []
        for word in line.split():
            spans.append(Span(word, place, place + len(word)))
            place += len(word)
        found.append(structure(PARSER, spans))
    return found


def words_of(*lines: str) -> Counter[str]:
    return Counter(word for line in lines for word in line.split())


def test_a_template_is_one_unit_where_that_is_shorter():
    lines = ["如何 评价 天", "如何 评价 地", "如何 评价 玄", "如何 评价 黄"]

    # 8 units: the template 4 times (1 bit each), four words once (3 bits each): 16 bits for 20 characters;
    # as words: 如何 and 评价 4 of 12 each, the others 1 of 12
    assert information(trees(*lines)) == pytest.approx(16 / 20)
    assert information_per_character(words_of(*lines)) == pytest.approx((8 * math.log2(3) + 4 * math.log2(12)) / 20)


def test_a_placeholder_with_several_words_costs_a_list():
    lines = ["如何 评价 天 天"] * 4

    # 16 units: the template, a list of two, and 天 twice, in each line: entropy 1.5 bits; 24 characters
    assert information(trees(*lines)) == pytest.approx(1.5 * 16 / 24)
    # as words the same number of units, but 如何 and 评价 are two: also 1.5 bits
    assert information_per_character(words_of(*lines)) == pytest.approx(1.5 * 16 / 24)


def test_templates_that_do_not_help_are_taken_apart():
    lines = ["如何 评价 天 地 玄 黄", "如何 如何 评价 评价"]

    assert information(trees(*lines)) == pytest.approx(information_per_character(words_of(*lines)))


def test_no_text_has_no_information():
    assert information([]) == 0.0
    assert information(trees("")) == 0.0
