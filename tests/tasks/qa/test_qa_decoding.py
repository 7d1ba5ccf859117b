"""Pointers to spans, spans to votes, votes to answers: each by hand, and what holds whatever the pointers are."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.qa.config import DecodingConfig
from kexue_cli.tasks.qa.decoding import POINTERS, WHOLE, Span, spans_of, vote

PLAIN = DecodingConfig()


def found(start, end, text, *, offset=0, passage=0, **settings):
    """The spans of a window, as (text, score); start, end: tenths. What is inside a span counts only if it is set."""
    settings = {"others_inside": 0.0, **settings}
    pointers = [np.array(values, np.float32) / 10 for values in (start, end)]
    spans = spans_of(*pointers, text, passage=passage, offset=offset, config=DecodingConfig(**settings))
    return [(text[span.start - offset : span.end - offset], round(span.score, 4)) for span in spans]


def chance(votes):
    """The score that a reader without calibration gives."""
    return pytest.approx(votes / (1 + votes))


# ------------------------------------------------------------- spans


def test_the_score_of_a_span_is_the_product_of_its_pointers():
    assert found([9, 0, 0, 0], [0, 8, 0, 0], "鲁迅写的") == [("鲁迅", 0.72)]


def test_each_start_goes_with_each_end_at_or_behind_it():
    spans = found([5, 0, 8], [0, 6, 9], "周树人")

    assert spans == [("周树", 0.3), ("周树人", 0.45), ("人", 0.72)]


def test_an_end_before_the_start_makes_no_span():
    assert found([0, 9], [9, 0], "鲁迅") == []


def test_spans_have_their_places_in_the_passage():
    [span] = spans_of(
        np.array([0, 0.5], np.float32), np.array([0, 0.5], np.float32), "鲁迅", passage=3, offset=128, config=PLAIN
    )

    assert (span.passage, span.start, span.end) == (3, 129, 130)


def test_answers_have_a_longest():
    assert found([9, 0, 0], [3, 6, 9], "周树人", longest_answer=2) == [("周", 0.27), ("周树", 0.54)]


def test_pointers_that_are_too_low_are_not_looked_at():
    assert found([9, 2, 0], [0, 3, 9], "周树人", least_pointer=0.25) == [("周树", 0.27), ("周树人", 0.81)]


@pytest.mark.parametrize("mark", "，。！？；：,!?;…\n")
def test_a_span_across_punctuation_is_worth_less(mark):
    assert found([9, 0, 0], [0, 0, 8], f"鲁{mark}迅", across_marks=0.5) == [(f"鲁{mark}迅", 0.36)]


@pytest.mark.parametrize("sign", "·-.—、")
def test_what_stands_in_names_numbers_and_lists_is_no_such_mark(sign):
    assert found([9, 0, 0], [0, 0, 8], f"鲁{sign}迅", across_marks=0.5) == [(f"鲁{sign}迅", 0.72)]


@pytest.mark.parametrize("number", ["1,000", "1，000", "１，０００", "12：30", "3.14"])
def test_a_number_is_not_parted(number):
    start, end = [9] + [0] * len(number), [0] * (len(number) - 1) + [8, 0]

    assert found(start, end, f"{number}年", across_marks=0.5) == [(number, 0.72)]


def test_a_mark_next_to_a_span_does_not_count_against_it():
    assert found([0, 9, 0, 0], [0, 0, 8, 0], "，鲁迅。", across_marks=0.5) == [("鲁迅", 0.72)]


@pytest.mark.parametrize("title", ["《你好，李焕英》", "“自强不息，厚德载物”"])
def test_a_title_or_a_quotation_is_one_thing(title):
    size = len(title)

    assert found([9] + [0] * size, [0] * (size - 1) + [8], title, across_marks=0.5) == [(title, 0.72)]
    assert found([0, 9] + [0] * size, [0] * (size - 2) + [8, 0], title, across_marks=0.5) == [(title[1:-1], 0.72)]
    behind = [0] * (size + 1) + [8]
    assert found([9] + [0] * (size + 1), behind, f"{title}，好", across_marks=0.5) == [(f"{title}，好", 0.36)]


@pytest.mark.parametrize("brackets", ["《》", "“”", "「」", "『』", "（）", "()"])
def test_one_bracket_without_the_other_is_worth_less(brackets):
    text = f"{brackets[0]}呐喊{brackets[1]}"

    spans = dict(found([8, 8, 0, 0], [0, 0, 5, 5], text, across_marks=0.5))

    assert spans == {text: 0.4, "呐喊": 0.4, text[:-1]: 0.2, text[1:]: 0.2}


@pytest.mark.parametrize(
    "word",
    ["museum", "O'Neil", "ＤＮＡ", "1949", "１９４９", "3.14", "1,234.5", "12：30", "-12", "−12", "400-820-8820",
     "wang_li@163.com", "https://a.cn/b-c?d=1"],
)  # fmt: skip
def test_an_answer_holds_a_latin_word_a_number_or_an_address_whole(word):
    text = f"在{word}年"
    everywhere = [9] * len(text)

    answers = {answer for answer, _ in found(everywhere, everywhere, text)}

    assert answers == {"在", word, "年", f"在{word}", f"{word}年", text}


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("1901-1976", ["1901", "1976"]),
        ("8点-17点", ["8", "17"]),
        ("20公里-30公里", ["20", "30"]),
        ("3个月-6个月", ["3", "6"]),
        ("-5至-3度", ["-5", "-3"]),
        ("百科-2008年", ["2008"]),
        ("1,2", ["1", "2"]),
        ("1，1766年", ["1", "1766"]),
        ("1,234,567年", ["1,234,567"]),
        ("1.2008年", ["1", "2008"]),
        ("3.5年", ["3.5"]),
        ("Beyoncé", ["Beyoncé"]),
        ("（https://kexue.fm）", ["https://kexue.fm"]),
        ("(https://kexue.fm),", ["https://kexue.fm"]),
        ("见https://a.cn/b/,谢", ["https://a.cn/b/"]),
    ],
)
def test_where_numbers_and_addresses_end(text, pieces):
    assert [match[0] for match in WHOLE.finditer(text)] == pieces


def test_a_pointer_into_a_number_counts_for_all_of_it():
    # 共1,949人 begins at the first 9, they say, less surely at the 1, and ends at the 4
    assert found([0, 1, 0, 9, 0, 0, 0], [0, 0, 0, 0, 8, 1, 0], "共1,949人") == [("1,949", 0.72)]


def test_an_address_may_be_longer_than_an_answer():
    address = "https://kexue.fm/archives/5409?a;b"  # whose marks do not part it
    size = len(address)

    spans = found([9] + [0] * (size - 1) + [9], [0] * (size - 1) + [8, 8], f"{address}页", longest_answer=4)

    assert spans == [(address, 0.72), ("页", 0.72)]


@pytest.mark.parametrize(("exponent", "across"), [(0, 0.4), (1, 0.04), (0.5, 0.1265)])
def test_from_one_answer_to_the_next_is_no_answer(exponent, across):
    # 赣 .8 x .8; 南昌 .5 x .5; 赣省会南昌 .8 x .5, but inside it an answer ends at 赣 (.8) and one begins at 南 (.5):
    # that none does has the probability (1 - .8) x (1 - .5) = .1
    spans = dict(found([8, 0, 0, 5, 0], [8, 0, 0, 0, 5], "赣省会南昌", others_inside=exponent))

    assert spans == {"赣": 0.64, "赣省会南昌": across, "南昌": 0.25}


def test_both_count_unless_they_are_turned_off():
    # .8 x .5 x .2 x .1 ** .1
    start, end = ([tenths / 10 for tenths in pointers] for pointers in ([8, 0, 0, 5, 0], [8, 0, 0, 0, 5]))
    arrays = [np.array(pointers, np.float32) for pointers in (start, end)]

    spans = spans_of(*arrays, "赣，即南昌", passage=0, offset=0, config=PLAIN)

    assert {(span.start, span.end): round(span.score, 4) for span in spans}[0, 5] == 0.0635


def test_what_lies_outside_a_span_does_not_count_against_it():
    assert dict(found([10, 9, 0, 9], [10, 0, 9, 9], "在赣南住", others_inside=1))["赣南"] == 0.81


def test_a_sure_pointer_inside_a_span_leaves_a_chance():
    assert dict(found([10, 0], [10, 10], "赣南", others_inside=1))["赣南"] == 0.001


def test_padding_is_not_looked_at():
    assert found([9, 0, 9], [0, 8, 9], "鲁迅") == [("鲁迅", 0.72)]
    assert found([5, 0] + [9] * POINTERS, [0, 5] + [9] * POINTERS, "鲁迅") == [("鲁迅", 0.25)]


def test_an_empty_passage_has_no_spans():
    assert found([9], [9], "") == []
    assert found([], [], "") == []


def test_the_highest_pointers_are_looked_at():
    text = "一二三四五六七八九十" * 3
    start = np.linspace(0.1, 0.5, len(text), dtype=np.float32)

    spans = spans_of(start, start, text, passage=0, offset=0, config=PLAIN)

    assert {span.start for span in spans} == set(range(len(text) - POINTERS, len(text)))


def test_of_equal_pointers_the_first_are_looked_at():
    flat = np.full(30, 0.5, np.float32)

    spans = spans_of(flat, flat, "一二三四五六七八九十" * 3, passage=0, offset=0, config=PLAIN)

    assert {span.start for span in spans} == {span.end - 1 for span in spans} == set(range(POINTERS))


POINTER = st.lists(st.floats(0, 1, width=32), max_size=40)


@given(POINTER, POINTER, st.integers(1, 30), st.floats(0, 1), st.floats(0, 1))
def test_spans_lie_in_the_window(start, end, longest, least, power):
    text = "我，爱" * (min(len(start), len(end)) // 3)
    config = DecodingConfig(longest_answer=longest, least_pointer=least, others_inside=power)

    spans = spans_of(np.array(start, np.float32), np.array(end, np.float32), text, passage=1, offset=100, config=config)

    assert all(100 <= span.start < span.end <= 100 + len(text) for span in spans)
    assert all(span.end - span.start <= longest and 0 <= span.score <= 1 for span in spans)
    assert len({(span.start, span.end) for span in spans}) == len(spans)


@given(POINTER, POINTER, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_exponent_never_raises_a_score(start, end, exponent, other):
    text = "鲁" * min(len(start), len(end))

    def scores(exponent):
        config = DecodingConfig(others_inside=exponent)
        pointers = [np.array(values, np.float32) for values in (start, end)]
        return [span.score for span in spans_of(*pointers, text, passage=0, offset=0, config=config)]

    low, high = sorted((exponent, other))

    assert all(more <= less for less, more in zip(scores(low), scores(high), strict=True))


# ------------------------------------------------------------- votes

TEXTS = ["鲁迅写了呐喊", "呐喊是鲁迅写的", "周树人写了呐喊"]


def test_two_passages_win_over_one_that_is_surer():
    # The article: s = sum s^2 / (1 + sum s). 鲁迅: (.25 + .25) / 2 = .25; 周树人: .36 / 1.6 = .225
    spans = [Span(0, 0, 2, 0.5), Span(1, 3, 5, 0.5), Span(2, 0, 3, 0.6)]

    first, second = vote(spans, TEXTS, PLAIN)

    assert (first.answer, first.score) == ("鲁迅", chance(0.25))
    assert (second.answer, second.score) == ("周树人", chance(0.225))


@pytest.mark.parametrize(("voting", "votes"), [("squares", 0.34 / 1.8), ("sum", 0.8), ("max", 0.5)])
def test_ways_to_vote(voting, votes):
    [first] = vote([Span(0, 0, 2, 0.3), Span(1, 3, 5, 0.5)], TEXTS, DecodingConfig(voting=voting))

    assert first.score == chance(votes)


@pytest.mark.parametrize(("in_passage", "votes"), [("sum", 0.7), ("max", 0.4)])
def test_ways_to_count_the_same_answer_in_one_passage(in_passage, votes):
    config = DecodingConfig(voting="max", in_passage=in_passage)

    [first] = vote([Span(0, 0, 2, 0.3), Span(0, 3, 5, 0.4)], ["鲁迅，鲁迅"], config)

    assert (first.score, first.start, first.end) == (chance(votes), 3, 5)


def test_the_same_answer_counts_five_times_in_a_passage_at_most():
    spans = [Span(0, place, place + 1, score) for place, score in enumerate([0.1, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1])]

    [first] = vote(spans, ["鲁" * len(spans)], DecodingConfig(voting="sum"))

    assert first.score == chance(0.3 + 4 * 0.1)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_that_is_no_score_is_refused(threshold):
    with pytest.raises(KexueError, match="threshold must be from 0 to 1"):
        DecodingConfig(threshold=threshold)


@pytest.mark.parametrize("settings", [{"voting": "square"}, {"in_passage": "squares"}])
def test_other_ways_are_refused(settings):
    [(name, value)] = settings.items()

    with pytest.raises(KexueError, match=f"decoding.{name} must be one of .*; found '{value}'"):
        DecodingConfig(**settings)


def test_a_span_that_two_windows_show_counts_once_with_the_higher_score():
    spans = [Span(0, 0, 2, 0.5), Span(0, 0, 2, 0.6)]

    [once] = vote(spans, TEXTS, PLAIN)

    assert once.score == chance(0.36 / 1.6)


def test_the_answer_is_what_the_user_wrote():
    # Windows are read normalised; 魯迅 and 鲁迅 stay two answers, each as it stands in its passage.
    found = vote([Span(0, 0, 2, 0.6), Span(1, 0, 2, 0.5)], ["魯迅寫的", "鲁迅写的"], PLAIN)

    assert [candidate.answer for candidate in found] == ["魯迅", "鲁迅"]


def test_an_answer_is_shown_where_it_scores_highest():
    [first] = vote([Span(0, 0, 2, 0.3), Span(1, 3, 5, 0.5)], TEXTS, PLAIN)

    assert (first.passage, first.start, first.end) == (1, 3, 5)


def test_of_places_that_score_the_same_the_first_is_shown():
    texts = ["鲁迅和鲁迅", "鲁迅"]
    spans = [Span(1, 0, 2, 0.5), Span(0, 3, 5, 0.5), Span(0, 0, 2, 0.5)]

    [first] = vote(spans, texts, PLAIN)

    assert (first.passage, first.start, first.end) == (0, 0, 2)


def test_of_answers_that_score_the_same_the_one_that_stands_first_is_first():
    spans = [Span(1, 3, 5, 0.5), Span(0, 3, 4, 0.5), Span(0, 2, 3, 0.5)]

    assert [candidate.answer for candidate in vote(spans, TEXTS, PLAIN)] == ["写", "了", "鲁迅"]


def test_white_space_is_no_answer():
    assert [candidate.answer for candidate in vote([Span(0, 0, 2, 0.9), Span(0, 2, 4, 0.1)], [" \n鲁迅"], PLAIN)] == [
        "鲁迅"
    ]


def test_no_spans_are_no_answers():
    assert vote([], TEXTS, PLAIN) == []


def test_scores_are_calibrated():
    # sigmoid(2 ln .25 + 1) = 1 / (1 + 16 / e)
    spans = [Span(0, 0, 2, 0.5), Span(1, 3, 5, 0.5)]

    [first] = vote(spans, TEXTS, DecodingConfig(slope=2.0, intercept=1.0))

    assert first.score == pytest.approx(1 / (1 + 16 / np.e))


@pytest.mark.parametrize("intercept", [-1e300, 1e300])
def test_no_calibration_is_too_steep(intercept):
    # A fit to questions that can be told apart without a mistake has no bounds.
    [low] = vote([Span(0, 0, 2, 1e-9)], TEXTS, DecodingConfig(slope=1e6))
    [any_score] = vote([Span(0, 0, 2, 0.5)], TEXTS, DecodingConfig(intercept=intercept))

    assert low.score == pytest.approx(0)
    assert any_score.score == pytest.approx(float(intercept > 0))


@pytest.mark.parametrize("score", [0.0, 1e-200])
def test_a_span_of_no_probability_scores_nothing(score):
    assert [candidate.score for candidate in vote([Span(0, 0, 2, score)], TEXTS, PLAIN)] == [0]


def test_a_weak_vote_of_another_passage_counts_against_an_answer():
    # .81 / 1.9 = .426 alone, and .8101 / 1.91 = .424 with it: so the article's formula has it
    [alone] = vote([Span(0, 0, 2, 0.9)], TEXTS, PLAIN)
    [doubted] = vote([Span(0, 0, 2, 0.9), Span(1, 3, 5, 0.01)], TEXTS, PLAIN)

    assert doubted.score < alone.score


# ------------------------------------------------------------- laws

PASSAGES = ["鲁迅鲁迅", "迅鲁迅鲁", "鲁鲁鲁鲁"]
SCORE = st.floats(0, 1)


@st.composite
def any_span(draw):
    start = draw(st.integers(0, 3))
    return Span(draw(st.integers(0, 2)), start, draw(st.integers(start + 1, 4)), draw(SCORE))


SPANS = st.lists(any_span(), max_size=12)
SETTINGS = st.builds(
    DecodingConfig,
    voting=st.sampled_from(["squares", "sum", "max"]),
    in_passage=st.sampled_from(["sum", "max"]),
    slope=st.floats(0.1, 10),
    intercept=st.floats(-5, 5),
)


@given(SPANS, SETTINGS)
def test_candidates_are_distinct_stand_in_their_passages_and_fall_in_score(spans, config):
    candidates = vote(spans, PASSAGES, config)

    assert {candidate.answer for candidate in candidates} == {
        PASSAGES[span.passage][span.start : span.end] for span in spans
    }
    assert len({candidate.answer for candidate in candidates}) == len(candidates)
    assert all(PASSAGES[item.passage][item.start : item.end] == item.answer for item in candidates)
    scores = [candidate.score for candidate in candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(SPANS, SETTINGS, st.permutations(range(3)), st.randoms(use_true_random=False))
def test_answers_do_not_depend_on_the_order_of_passages_and_spans(spans, config, order, random):
    moved = [span._replace(passage=order.index(span.passage)) for span in spans]
    random.shuffle(moved)

    one, other = vote(spans, PASSAGES, config), vote(moved, [PASSAGES[index] for index in order], config)

    assert {item.answer: item.score for item in one} == {item.answer: item.score for item in other}


@pytest.mark.parametrize("places", [[(0, 0), (0, 1), (0, 2)], [(0, 0), (1, 1), (2, 0)]], ids=["one", "several"])
def test_sums_are_the_same_to_the_last_bit_in_any_order(places):
    # .1 + .2 + .3 is not .3 + .2 + .1 in floating point, and a tie must stay a tie
    texts = ["鲁鲁鲁", "迅鲁", "鲁"]
    spans = [
        Span(passage, start, start + 1, score) for (passage, start), score in zip(places, [0.1, 0.2, 0.3], strict=True)
    ]

    found = {vote(order, texts, DecodingConfig(voting="sum"))[0].score for order in itertools.permutations(spans)}

    assert len(found) == 1


@given(SPANS, SETTINGS)
def test_the_same_spans_again_change_nothing(spans, config):
    assert vote([*spans, *spans], PASSAGES, config) == vote(spans, PASSAGES, config)


@given(SPANS.filter(len), SCORE, st.sampled_from(["sum", "max"]), st.sampled_from(["sum", "max"]))
def test_a_surer_pointer_never_lowers_its_answer_when_votes_add_up(spans, score, voting, in_passage):
    config = DecodingConfig(voting=voting, in_passage=in_passage)
    first = spans[0]
    surer = first._replace(score=max(score, first.score))
    answer = PASSAGES[first.passage][first.start : first.end]

    before, after = (
        {item.answer: item.score for item in vote(given_spans, PASSAGES, config)}
        for given_spans in (spans, [surer, *spans])
    )

    assert after[answer] >= before[answer]
    assert all(after[other] == before[other] for other in before if other != answer)


@given(st.lists(SCORE, min_size=1, max_size=4), SCORE)
def test_in_one_passage_a_surer_pointer_never_lowers_its_answer(scores, score):
    spans = [Span(0, index, index + 1, value) for index, value in enumerate(scores)]

    [before] = vote(spans, ["鲁鲁鲁鲁"], PLAIN)
    [after] = vote([Span(0, 0, 1, score), *spans], ["鲁鲁鲁鲁"], PLAIN)

    assert after.score >= before.score
