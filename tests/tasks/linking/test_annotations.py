"""What texts tell of a base, and what a training text must not be told of itself."""

import tempfile
from pathlib import Path

import pytest
from characters import CharacterEncoder
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.annotations import Annotations, merged
from kexue_cli.tasks.linking.entities import Alias, Entity, Fact
from kexue_cli.tasks.linking.records import LabelledText, Mention

COMPANY, GRAIN = Entity("K1", "小米公司"), Entity("K2", "小米", description="一种谷子")
ENCODER = CharacterEncoder("小米手机雷军大豆谷子公司")


def text_of(written, *mentions):
    """A text whose mentions are given as "小米=K1", "大豆=" for what is in no base, "谷子" for what is not linked."""
    found, place = [], 0
    for mention in mentions:
        name, equals, id = mention.partition("=")
        place = written.index(name, place)
        found.append(Mention(name, place, id=id or None, is_linked=bool(equals)))
        place += len(name)
    return LabelledText(written, tuple(found))


PHONE = text_of("小米发布手机", "小米=K1")
FIELD = text_of("小米和大豆", "小米=K2", "大豆=K3")
FOUNDER = text_of("雷军创办小米", "雷军=K4", "小米=K1")
TEXTS = (PHONE, FIELD, FOUNDER)


@pytest.fixture
def annotations(tmp_path):
    """The annotations of texts, with entities that are given or without any."""

    def make(texts, entities=()):
        return Annotations(entities, texts, tmp_path, ENCODER)

    return make


def names_of(example):
    """The names in an example: (linked, seen) by the name and its place."""
    return {
        (example.text.text[name.start : name.end], name.start): (name.count, name.occurrences) for name in example.names
    }


def candidates_of(annotations, gold):
    """The candidates of a mention: how often each was meant, by its id."""
    return {annotations.base.entity(one.place).id: one.count for one in gold.candidates}


def entity_of(annotations, gold):
    """The id of the entity that a mention has among its candidates."""
    return None if gold.entity is None else annotations.base.entity(gold.candidates[gold.entity].place).id


def said(annotations, gold):
    """The words of what is said of each candidate, by its id."""
    return {annotations.base.entity(one.place).id: ENCODER.read(one.rows) for one in gold.candidates}


# ------------------------------------------------------------- merged


def test_texts_add_counts_occurrences_and_names():
    company, grain = merged([COMPANY, GRAIN], TEXTS)

    assert set(company.aliases) == {Alias("小米", 2, 3)}  # nobody writes 小米公司
    assert grain.aliases == (Alias("小米", 1, 3),)
    assert (company.id, company.name) == ("K1", "小米公司")


def test_what_was_counted_before_is_counted_too():
    company = Entity("K1", "小米公司", (Alias("小米", 10, 30), Alias("MI", 4, 5)))

    [found] = merged([company], TEXTS)

    assert found.aliases == (Alias("小米", 12, 33), Alias("MI", 4, 5))


def test_counts_without_occurrences_stay():
    apple = Entity("K9", "苹果", (Alias("苹果", 3), Alias("Apple", 2)))

    assert merged([apple], TEXTS) == [apple]


def test_names_are_counted_without_width_case_script_and_title_marks():
    novel = Entity("K1", "《吶喊》", (Alias("Nahan"),))
    texts = [text_of("《呐喊》即NAHAN", "《呐喊》=K1", "NAHAN=K1"), text_of("呐喊")]

    [found] = merged([novel], texts)

    assert set(found.aliases) == {Alias("《吶喊》", 1, 2), Alias("Nahan", 1, 1)}


def test_a_name_counts_wherever_it_stands_and_whoever_is_meant():
    texts = [text_of("玉米，小米，小米", "玉米=", "小米="), text_of("小米粥", "小米粥")]

    [found] = merged([Entity("K1", "米")], texts)

    assert found.aliases == (Alias("米", 0, 4),)


def test_who_is_not_described_is_described_by_what_is_mentioned_beside_it():
    company, grain, founder = merged([COMPANY, GRAIN, Entity("K4", "雷军")], TEXTS)

    assert company.description == "雷军"
    assert grain.description == "一种谷子"
    assert founder.description == "小米"


def test_entities_that_no_text_tells_of_stay_as_they_are():
    apple = Entity("K9", "苹果", (Alias("Apple"),), ("公司",), (Fact("产品", "电脑"),))

    assert merged([apple], TEXTS) == [apple]
    assert merged([apple], []) == [apple]


def test_texts_make_no_entities_where_some_are_given():
    assert [entity.id for entity in merged([COMPANY], TEXTS)] == ["K1"]


# ------------------------------------------------------------- a text's own counts


def test_a_text_is_shown_what_the_others_counted(annotations):
    known = annotations(TEXTS)

    example = known.example(FOUNDER)

    # of three times 小米 and three links one is its own; 雷军 stands nowhere else, so that no other text knows him
    assert names_of(example) == {("小米", 4): (2, 2)}
    founder, company = example.mentions
    assert candidates_of(known, company) == {"K1": 1, "K2": 1}
    assert entity_of(known, company) == "K1"
    assert company.ratio == pytest.approx((2 + 0.5) / (2 + 1))
    assert (founder.entity, founder.candidates, founder.ratio) == (None, (), 0)


def test_an_entity_that_only_the_text_itself_links_is_none_of_its_candidates(annotations):
    known = annotations(TEXTS)

    grain, bean = known.example(FIELD).mentions

    assert candidates_of(known, grain) == {"K1": 2}
    assert grain.entity is None
    assert (grain.is_linked, bean.is_linked) == (True, True)


def test_a_mention_that_is_given_twice_is_left_out_once(annotations):
    twice = LabelledText(PHONE.text, PHONE.mentions * 2)
    known = annotations([twice, FOUNDER])

    first, again = known.example(twice).mentions

    assert candidates_of(known, first) == candidates_of(known, again) == {"K1": 1}


def test_a_name_that_the_text_has_without_a_link_is_only_seen(annotations):
    other = text_of("小米和小米", "小米=K2")
    known = annotations([*TEXTS, other])

    assert names_of(known.example(other)) == {("小米", 0): (3, 3), ("小米", 3): (3, 3)}
    [mention] = known.example(other).mentions
    assert mention.ratio == pytest.approx((3 + 0.5) / (3 + 1))


def test_entities_that_were_given_stay_and_lose_the_text_s_counts_only(annotations):
    known = annotations(TEXTS, [COMPANY, GRAIN])

    grain, bean = known.example(FIELD).mentions
    _, company = known.example(FOUNDER).mentions

    assert candidates_of(known, grain) == {"K1": 2, "K2": 0}
    assert entity_of(known, grain) == "K2"
    assert candidates_of(known, company) == {"K1": 1, "K2": 1}
    assert (bean.is_linked, bean.entity, bean.candidates) == (True, None, ())  # K3 was not given


def test_what_was_counted_before_the_texts_stays(annotations):
    known = annotations(TEXTS, [Entity("K1", "小米公司", (Alias("小米", 10, 30),)), GRAIN])

    example = known.example(PHONE)

    assert candidates_of(known, example.mentions[0]) == {"K1": 11, "K2": 1}
    assert names_of(example) == {("小米", 0): (12, 32)}


def test_a_name_that_a_given_entity_has_in_one_text_only_vanishes_there(annotations):
    texts = [text_of("米家的手机", "米家=K1"), PHONE]
    known = annotations(texts, [COMPANY])

    assert names_of(known.example(texts[0])) == {}
    assert names_of(known.example(text_of("米家"), is_counted=False)) == {("米家", 0): (1, 1)}


def test_an_entity_is_not_described_by_its_companions_in_the_text_itself(annotations):
    texts = [FOUNDER, text_of("小米与大豆", "小米=K1", "大豆=K3"), PHONE]
    known = annotations(texts)

    def told(labelled):
        [mention] = [one for one in known.example(labelled).mentions if one.candidates]
        return said(known, mention)["K1"], mention.candidates[0].is_described

    assert told(texts[0]) == ("大豆", True)
    assert told(texts[1]) == ("雷军", True)
    assert told(PHONE) == ("雷军大豆", True)
    known = annotations([FOUNDER, PHONE])
    assert told(FOUNDER) == ("", False)


def test_what_was_given_of_an_entity_is_said_in_any_text(annotations):
    company = Entity("K1", "小米公司", types=("公司",), facts=(Fact("产品", "手机"),))
    known = annotations(TEXTS, [company, GRAIN])

    _, mention = known.example(FOUNDER).mentions

    # its facts stay, 雷军 beside it does not tell; GRAIN was described, so that 大豆 says nothing of it
    assert said(known, mention) == {"K1": "公司手机", "K2": "谷子"}
    assert [one.is_described for one in mention.candidates] == [False, True]
    assert said(known, known.example(PHONE).mentions[0])["K1"] == "公司雷军手机"


def test_texts_that_were_not_counted_are_shown_the_base_as_it_is(annotations):
    known = annotations(TEXTS)

    example = known.example(text_of("雷军谈小米", "雷军", "小米"), is_counted=False)

    assert names_of(example) == {("雷军", 0): (1, 1), ("小米", 3): (3, 3)}
    assert [(one.start, one.end, one.is_linked) for one in example.mentions] == [(0, 2, False), (3, 5, False)]


def test_mentions_in_no_base_and_mentions_without_a_link(annotations):
    text = text_of("小米和谷子", "小米=", "谷子")
    known = annotations([*TEXTS, text])

    grain, other = known.example(text).mentions

    assert (grain.is_linked, grain.entity, candidates_of(known, grain)) == (True, None, {"K1": 2, "K2": 1})
    assert (other.is_linked, other.entity, other.candidates) == (False, None, ())


def test_the_text_is_encoded(annotations):
    example = annotations([PHONE]).example(PHONE)

    assert example.text.text == "小米发布手机"
    assert ENCODER.read(example.text.rows) == "小米手机"


def test_without_links_and_without_entities_there_is_no_base(annotations):
    with pytest.raises(KexueError, match=r"^no training text has a mention with an id, and no base is given$"):
        annotations([text_of("小米", "小米=")])


def test_a_base_without_links_is_a_base(annotations):
    known = annotations([text_of("小米", "小米")], [COMPANY, GRAIN])

    assert len(known.base) == 2
    assert names_of(known.example(text_of("小米", "小米"))) == {("小米", 0): (0, 0)}


# ------------------------------------------------------------- as if it had not been there


@st.composite
def labelled_texts(draw):
    """A short text made of names, some of them mentions: of A, of B, of what is in no base, or not linked."""
    names, links = st.sampled_from(["小", "米", "小米", "豆"]), st.sampled_from(["=A", "=B", "=", "", None])
    parts = draw(st.lists(st.tuples(names, links), min_size=1, max_size=4))
    mentions, place = [], 0
    for name, link in parts:
        if link is not None:
            mentions.append(Mention(name, place, id=link[1:] or None, is_linked=bool(link)))
        place += len(name)
    return LabelledText("".join(name for name, _ in parts), tuple(mentions))


GIVEN = (Entity("A", "小米"), Entity("B", "豆", (Alias("米", 1, 2),)))


def has_links(texts):
    return any(mention.id for text in texts for mention in text.mentions)


@settings(max_examples=60)
@given(st.lists(labelled_texts(), min_size=2, max_size=4), st.sampled_from([(), GIVEN]))
def test_a_text_is_shown_what_a_base_without_it_would_show(texts, entities):
    first, *others = texts
    others = [text for text in others if text != first]  # what is given twice tells no more than once
    assume(entities or has_links(others))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as another:
        whole = Annotations(entities, texts, Path(one), ENCODER)
        without = Annotations(entities, others, Path(another), ENCODER)

        example = whole.example(first)

        assert names_of(example) == names_of(without.example(first, is_counted=False))
        for mention, gold in zip(first.mentions, example.mentions, strict=True):
            if mention.is_linked:
                number = without.base.number(mention.mention)
                expected = [] if number is None else without.candidates(number, None)
                assert candidates_of(whole, gold) == {without.base.entity(one.place).id: one.count for one in expected}
