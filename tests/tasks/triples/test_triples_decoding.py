"""Pointers to names, names to triples: a phrase book by hand, and what holds whatever the pointers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.triples.config import SPAN_POINTS, DecodingConfig
from kexue_cli.tasks.triples.decoding import (
    Found,
    Name,
    as_triple,
    names,
    points_of,
    subjects_of,
    triples_of,
    without_repeats,
)
from kexue_cli.tasks.triples.records import Triple

PLAIN = DecodingConfig()  # starts above .5, ends above .4


def pointers(text, *columns):
    """Pointers (t, n): for each column what is not 0, as {place or first place of a string: probability}."""
    array = np.zeros((len(text), len(columns)), np.float32)
    for number, column in enumerate(columns):
        for place, probability in column.items():
            array[text.index(place) if isinstance(place, str) else place, number] = probability
    return array


def shown(text, found):
    """Names, as they stand in the text."""
    return [text[name.start : name.end] for name in found]


def told(text, found):
    """Triples, as (subject, predicate, object, score)."""
    return [
        (text[one.subject_start : one.subject_end], one.predicate, text[one.object_start : one.object_end],
         pytest.approx(one.score, abs=1e-4))
        for one in found
    ]  # fmt: skip


# ------------------------------------------------------------- names


def test_a_name_has_the_geometric_mean_of_its_pointers():
    [name] = subjects_of(pointers("《呐喊》", {"呐": 0.9}, {"喊": 0.4001}), PLAIN)

    assert (name.start, name.end) == (1, 3)
    assert name.probability == pytest.approx((0.9 * 0.4001) ** 0.5)


def test_no_pointer_no_name():
    assert subjects_of(pointers("今天天气很好", {}, {}), PLAIN) == []
    assert subjects_of(np.zeros((0, 2), np.float32), PLAIN) == []


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        ({"北": 0.9}, {"京": 0.9}, ["北京"]),
        ({"北": 0.9}, {"京": 0.9, "学": 0.9}, ["北京"]),  # the nearest end, be another one as likely
        ({"北": 0.9, "大": 0.9}, {"京": 0.9, "学": 0.9}, ["北京", "大学"]),
        ({"北": 0.9, "大": 0.9}, {"学": 0.9}, ["北京大学", "大学"]),  # nested names that share their end
        ({"大": 0.9}, {"京": 0.9}, []),  # an end before the start is none
        ({"京": 0.9}, {"京": 0.9}, ["京"]),  # one character
        ({"北": 0.5}, {"京": 0.9}, []),  # thresholds must be passed
        ({"北": 0.9}, {"京": 0.4}, []),
        ({"北": 0.501}, {"京": 0.401}, ["北京"]),
        ({"北": 0.9}, {"京": 0.4, "学": 0.9}, ["北京大学"]),
    ],
)
def test_a_start_goes_with_the_nearest_end_behind_it(starts, ends, found):
    text = "北京大学"

    assert shown(text, subjects_of(pointers(text, starts, ends), PLAIN)) == found


def test_subjects_have_thresholds_of_their_own():
    pointed = pointers("呐喊", {"呐": 0.3}, {"喊": 0.7})

    assert shown("呐喊", subjects_of(pointed, DecodingConfig(subject_start=0.2, subject_end=0.6))) == ["呐喊"]
    assert subjects_of(pointed, DecodingConfig(subject_start=0.2, subject_end=0.8)) == []
    assert subjects_of(pointed, DecodingConfig(object_start=0.2, object_end=0.2)) == []


@pytest.mark.parametrize(("longest", "found"), [(4, ["北京大学", "大学"]), (3, ["大学"]), (1, [])])
def test_names_have_a_longest(longest, found):
    text = "北京大学"
    pointed = pointers(text, {"北": 0.9, "大": 0.9}, {"学": 0.9})

    assert shown(text, subjects_of(pointed, DecodingConfig(longest_name=longest))) == found


def test_a_name_that_is_too_long_does_not_go_on_to_another_end():
    text = "北京大学"

    assert names(*pointers(text, {"北": 0.9}, {"大": 0.9, "学": 0.9}).T, start=0.5, end=0.4, longest=2) == []


def test_the_likeliest_end_is_the_one_that_is_most_probably_the_first():
    text = "北京大学"
    pointed = pointers(text, {"北": 0.8}, {"京": 0.25, "学": 0.6})

    (nearest,) = subjects_of(pointed, DecodingConfig(subject_end=0.2))
    (likeliest,) = subjects_of(pointed, DecodingConfig(subject_end=0.2, ends="likeliest"))

    assert shown(text, [nearest, likeliest]) == ["北京", "北京大学"]
    assert nearest.probability == pytest.approx((0.8 * 0.25) ** 0.5)
    assert likeliest.probability == pytest.approx((0.8 * (1 - 0.25) * 0.6) ** 0.5)


@pytest.mark.parametrize(("longest", "found"), [(4, "北京大学"), (3, "北京")])
def test_of_ends_that_would_make_a_name_too_long_none_is_the_likeliest(longest, found):
    text = "北京大学"
    pointed = pointers(text, {"北": 0.8}, {"京": 0.25, "学": 0.6})

    assert shown(
        text, subjects_of(pointed, DecodingConfig(subject_end=0.2, ends="likeliest", longest_name=longest))
    ) == [found]


def test_ends_that_are_not_known_are_refused():
    with pytest.raises(KexueError, match=r"decoding\.ends must be nearest or likeliest; found 'last'"):
        DecodingConfig(ends="last")


TENTHS = st.integers(0, 10)
POINTERS = st.lists(st.tuples(TENTHS, TENTHS), max_size=12)


@given(POINTERS, TENTHS, TENTHS, st.integers(1, 12))
def test_names_by_definition(pairs, start, end, longest):
    starts, ends = (np.array([pair[column] for pair in pairs], np.float32) for column in (0, 1))

    found = names(starts, ends, start=start, end=end, longest=longest)

    expected = []
    for first in range(len(pairs)):
        behind = [last for last in range(first, len(pairs)) if ends[last] > end]
        if starts[first] > start and behind and behind[0] - first + 1 <= longest:
            expected.append((first, behind[0] + 1, pytest.approx((starts[first] * ends[behind[0]]) ** 0.5)))
    assert [(name.start, name.end, name.probability) for name in found] == expected


# ------------------------------------------------------------- triples: the phrase book

PREDICATES = ("作者", "主演", "出版社")


def triples_in(text, subject, objects, **settings):
    """The triples of a subject (sure to .8) for objects {predicate: {name: probability}}, each where it first stands.

    An object's pointers have its probability at both of its ends.
    """
    columns = [{} for _ in range(2 * len(PREDICATES))]
    for predicate, found in objects.items():
        number = PREDICATES.index(predicate)
        for name, probability in found.items():
            start = text.index(name)
            columns[number][start] = columns[len(PREDICATES) + number][start + len(name) - 1] = probability
    start = text.index(subject)
    name = Name(start, start + len(subject), 0.8)
    return told(text, triples_of(name, pointers(text, *columns), PREDICATES, DecodingConfig(**settings)))


def test_a_subject_with_one_object():
    text = "鲁迅写了《呐喊》"

    assert triples_in(text, "呐喊", {"作者": {"鲁迅": 0.9}}) == [("呐喊", "作者", "鲁迅", 0.72)]


def test_a_triple_has_the_places_of_its_names():
    text = "鲁迅写了《呐喊》"
    columns = [{"鲁": 0.9}, {}, {}, {"迅": 0.9}, {}, {}]

    [found] = triples_of(Name(5, 7, 1.0), pointers(text, *columns), PREDICATES, PLAIN)

    assert (found.subject_start, found.subject_end, found.object_start, found.object_end) == (5, 7, 0, 2)
    assert as_triple(text, found) == Triple("呐喊", "作者", "鲁迅")


def test_a_subject_with_many_objects():
    text = "《倩女幽魂》由张国荣、王祖贤和午马主演"

    assert triples_in(text, "倩女幽魂", {"主演": {"张国荣": 0.9, "王祖贤": 0.8, "午马": 0.6}}) == [
        ("倩女幽魂", "主演", "张国荣", 0.72),
        ("倩女幽魂", "主演", "王祖贤", 0.64),
        ("倩女幽魂", "主演", "午马", 0.48),
    ]


def test_many_predicates_for_a_pair():
    text = "周星驰自编自演《喜剧之王》"

    found = triples_in(text, "喜剧之王", {"作者": {"周星驰": 0.9}, "主演": {"周星驰": 0.7}})

    assert found == [("喜剧之王", "作者", "周星驰", 0.72), ("喜剧之王", "主演", "周星驰", 0.56)]


def test_many_predicates_with_an_object_each():
    text = "鲁迅的《呐喊》由新潮社出版"

    found = triples_in(text, "呐喊", {"出版社": {"新潮社": 0.7}, "作者": {"鲁迅": 0.9}})

    assert found == [("呐喊", "作者", "鲁迅", 0.72), ("呐喊", "出版社", "新潮社", 0.56)]


def test_objects_of_one_predicate_do_not_end_those_of_another():
    text = "北京大学出版社"
    columns = [{"北": 0.9}, {}, {}, {}, {"京": 0.9}, {"社": 0.9}]  # 作者 starts, 主演 and 出版社 end

    assert triples_of(Name(0, 1, 1.0), pointers(text, *columns), PREDICATES, PLAIN) == []


def test_nested_names():
    text = "《北京大学史》由北京大学出版社出版"
    columns = [{}, {}, {"北": 0.9, 8: 0.9}, {}, {}, {11: 0.9, 14: 0.8}]

    found = triples_of(Name(1, 6, 1.0), pointers(text, *columns), PREDICATES, PLAIN)

    # the object's end is the nearest one: 北京大学 and not 北京大学出版社; the start at 0 reaches across
    assert told(text, found) == [
        ("北京大学史", "出版社", "北京大学史》由北京大学", 0.9),
        ("北京大学史", "出版社", "北京大学", 0.9),
    ]


def test_a_subject_may_be_its_own_object():
    text = "巴金演巴金"

    assert triples_in(text, "巴金", {"主演": {"巴金": 0.9}}) == [("巴金", "主演", "巴金", 0.72)]


def test_no_triple():
    assert triples_in("今天天气很好", "今天", {}) == []


def test_the_score_has_a_least():
    text = "鲁迅和巴金"
    objects = {"作者": {"鲁迅": 0.9, "巴金": 0.6}}  # .72 and .48

    assert len(triples_in(text, "和", objects, threshold=0.479)) == 2
    assert triples_in(text, "和", objects, threshold=0.481) == [("和", "作者", "鲁迅", 0.72)]


def test_objects_have_thresholds_of_their_own():
    text = "鲁迅"
    objects = {"作者": {"鲁迅": 0.45}}

    assert triples_in(text, "迅", objects) == []
    assert triples_in(text, "迅", objects, object_start=0.4) == [("迅", "作者", "鲁迅", 0.36)]
    assert triples_in(text, "迅", objects, object_start=0.4, object_end=0.45 + 1e-6) == []
    assert triples_in(text, "迅", objects, subject_start=0.1, subject_end=0.1) == []


@given(st.lists(st.lists(TENTHS, min_size=4, max_size=4), max_size=8), st.floats(0, 1))
def test_the_triples_of_a_subject_are_the_names_of_each_predicate(rows, threshold):
    array = np.array(rows, np.float32).reshape(-1, 4) / 10
    config = DecodingConfig(threshold=threshold)

    found = triples_of(Name(0, 1, 0.9), array, ("作者", "主演"), config)

    expected = [
        Found(0, 1, predicate, name.start, name.end, 0.9 * name.probability)
        for column, predicate in enumerate(("作者", "主演"))
        for name in names(array[:, column], array[:, column + 2], start=0.5, end=0.4, longest=config.longest_name)
    ]
    assert found == [one for one in expected if one.score >= threshold]


# ------------------------------------------------------------- places of a subject


@pytest.mark.parametrize(
    ("start", "end", "places"),
    [
        (4, 5, [4, 4, 4, 4, 4, 4]),
        (4, 6, [5, 5, 5, 4, 4, 4]),
        (0, 6, [5, 4, 3, 2, 1, 0]),
        (10, 21, [20, 18, 16, 14, 12, 10]),
    ],
)
def test_the_places_of_a_subject_go_from_its_last_character_to_its_first(start, end, places):
    assert points_of(start, end).tolist() == places


@given(st.integers(0, 500), st.integers(1, 100))
def test_the_places_of_any_subject_lie_in_it_evenly(start, size):
    places = points_of(start, start + size)

    assert len(places) == SPAN_POINTS
    assert (places[0], places[-1]) == (start + size - 1, start)
    steps = -np.diff(places)
    assert steps.min() >= 0
    assert np.ptp(steps) <= 1


# ------------------------------------------------------------- repeats

SENTENCE = "李白生于碎叶，李白字太白"


def found_at(subject, predicate, object, score):
    """A triple, its names by their first places; of two characters each."""
    return Found(subject, subject + 2, predicate, object, object + 2, score)


def test_the_same_names_twice_are_one_triple_the_surest():
    first, second = found_at(0, "出生地", 4, 0.6), found_at(7, "出生地", 4, 0.8)

    assert without_repeats([first, second], SENTENCE) == [second]
    assert without_repeats([second, first], SENTENCE) == [second]


def test_of_two_as_sure_the_first_stays():
    first, second = found_at(0, "出生地", 4, 0.6), found_at(7, "出生地", 4, 0.6)

    assert without_repeats([first, second], SENTENCE) == [first]


def test_another_predicate_or_object_is_another_triple():
    triples = [found_at(0, "出生地", 4, 0.6), found_at(0, "字", 4, 0.6), found_at(0, "字", 10, 0.6)]

    assert without_repeats(triples, SENTENCE) == triples


def test_triples_come_in_the_order_of_their_subjects_then_of_their_objects():
    late, early, far = found_at(7, "字", 10, 0.9), found_at(0, "出生地", 4, 0.1), found_at(0, "国籍", 10, 0.8)

    assert without_repeats([late, far, early], SENTENCE) == [early, far, late]


FOUND = st.builds(found_at, st.integers(0, 10), st.sampled_from(PREDICATES), st.integers(0, 10), st.floats(0, 1))


@given(st.lists(FOUND), st.randoms())
def test_repeats_go_whatever_the_order_they_come_in(found, random):
    text = "甲乙" * 6  # there are two names of two characters only

    kept = without_repeats(found, text)

    best = {key: max(one.score for one in found if as_triple(text, one) == key)
            for key in {as_triple(text, one) for one in found}}  # fmt: skip
    assert {as_triple(text, one): one.score for one in kept} == best
    assert len(kept) == len(best)
    assert without_repeats(kept, text) == kept
    random.shuffle(found)
    assert [one.score for one in sorted(without_repeats(found, text), key=lambda one: one.score)] == sorted(
        best.values()
    )


# ------------------------------------------------------------- settings


@pytest.mark.parametrize("name", ["subject_start", "subject_end", "object_start", "object_end", "threshold"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_threshold_that_is_no_probability_is_refused(name, value):
    with pytest.raises(KexueError, match=rf"decoding.{name} must be from 0 to 1; found {value}"):
        DecodingConfig(**{name: value})
