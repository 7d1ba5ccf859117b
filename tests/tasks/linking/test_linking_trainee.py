"""What a linker learns from: the labels of a text, and the candidates that one of its mentions is shown with.

Columns of a candidate, see preprocessor.candidate_features: 1 times that the mention was linked to it, 7 whether the
mention is its own name. E2's own name is 苹果, E1 has it as an alias.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linkers import ENTITIES
from texts import encoded

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.annotations import Example, Gold
from kexue_cli.tasks.linking.config import CHOICE, MENTIONS, AugmentationConfig, LinkingConfig
from kexue_cli.tasks.linking.entities import Alias, Entity, read_entity
from kexue_cli.tasks.linking.preprocessor import MANY, Name
from kexue_cli.tasks.linking.records import LabelledText, Mention
from kexue_cli.tasks.linking.trainee import Linker, cut

LINKED, IS_OWN, LIKE_ALL = 1, 7, 8  # columns
NONE, UNKNOWN = 0, -1  # labels
EATEN = "多吃苹果对身体好。"
SOLD = ["苹果的手机。", "苹果的电脑。"]
BASE = [read_entity(record) for record in ENTITIES]


def text_of(text: str, **ids: str | None) -> LabelledText:
    """A text in which each name stands once, linked to these ids."""
    return LabelledText(text, tuple(Mention(name, text.index(name), id) for name, id in ids.items()))


TEXTS = [text_of(EATEN, 苹果="E2"), *(text_of(text, 苹果="E1") for text in SOLD)]


def make_linker(texts, *, entities=BASE, mentions=(), **augmentation) -> Linker:
    """A linker whose samples are varied as is told, and not at all without it."""
    settings = {"drop_words": 0.0, "drop_entity": 0.0, "hide_counts": 0.0, "hide_base": 0.0, **augmentation}
    config = LinkingConfig(encoder="", augmentation=AugmentationConfig(**settings))
    return Linker(texts, texts[:1], config, entities=entities, mentions=mentions)


def sample_of(linker: Linker, index: int = 0, seed: int = 0):
    """The inputs, and the labels of mentions and choice."""
    inputs, labels = linker.sample(index, np.random.default_rng(seed))
    return inputs, labels[MENTIONS], int(labels[CHOICE])


# ------------------------------------------------------------- mentions


def test_the_labels_are_where_mentions_start_and_end():
    linker = make_linker([text_of("《呐喊》是鲁迅的小说。", 呐喊="E5", 鲁迅="E6")])

    inputs, labels, _ = sample_of(linker)

    assert labels.shape == (11, 2)
    assert np.flatnonzero(labels[:, 0]).tolist() == [1, 5]
    assert np.flatnonzero(labels[:, 1]).tolist() == [2, 6]
    assert len(inputs["text"]) == len(inputs["words"]) == len(inputs["dictionary"]) == len(inputs["span"]) == 11


def test_a_mention_of_each_text_is_asked_for_and_its_span_takes_the_mean_of_its_states():
    linker = make_linker([text_of("《呐喊》是鲁迅的小说集。", 呐喊="E5", 小说集=None)])

    spans = {tuple(sample_of(linker, seed=seed)[0]["span"].round(3)) for seed in range(20)}

    third = round(np.float32(1 / 3), 3)
    assert spans == {(0, 0.5, 0.5, *[0] * 9), (*[0] * 8, third, third, third, 0)}


def test_mentions_that_are_not_linked_are_labelled_and_nothing_is_asked():
    text = LabelledText("王芳吃了苹果。", (Mention("王芳", 0, is_linked=False),))
    linker = make_linker([text])

    inputs, labels, choice = sample_of(linker)

    assert labels.sum() == 2
    assert choice == UNKNOWN
    assert not inputs["span"].any()
    assert len(inputs["candidates"]) == 0


def test_texts_without_links_are_learned_from_too():
    more = LabelledText("王芳在北京。", (Mention("王芳", 0, is_linked=False), Mention("北京", 3, is_linked=False)))
    linker = make_linker(TEXTS, mentions=[more])

    _, labels, choice = sample_of(linker, 3)

    assert len(linker) == 4
    assert labels[:, 0].tolist() == [1, 0, 0, 1, 0, 0]
    assert choice == UNKNOWN


def test_names_of_the_base_are_marked():
    linker = make_linker([text_of("ＡＰＰＬＥ和《呐喊》", 呐喊="E5")])

    inputs, _, _ = sample_of(linker)

    assert np.flatnonzero(inputs["dictionary"][:, 0]).tolist() == [0, 7]  # where one starts
    assert np.flatnonzero(inputs["dictionary"][:, 1]).tolist() == [4, 8]  # where one ends


def test_the_base_may_be_hidden():
    linker = make_linker(TEXTS, hide_base=1.0)

    inputs, labels, choice = sample_of(linker)

    assert not inputs["dictionary"].any()
    assert labels.sum() == 2
    assert choice > 0  # that a mention is told does not hide what it may be


# ------------------------------------------------------------- candidates


def test_the_label_is_the_place_of_the_entity_among_the_candidates():
    linker = make_linker(TEXTS)

    for index, is_own in ((0, 1), (1, 0), (2, 0)):
        inputs, _, choice = sample_of(linker, index)

        assert len(inputs["candidates"]) == len(inputs["descriptions"]) == 2
        assert inputs["candidates"][choice - 1, IS_OWN] == is_own


def test_a_text_does_not_count_itself():
    linker = make_linker(TEXTS)

    told = [sample_of(linker, index)[0]["candidates"] for index in range(2)]

    linked = [{int(row[IS_OWN]): row[LINKED] * MANY for row in rows} for rows in told]
    assert linked[0] == pytest.approx({1: 0, 0: math.log1p(2)})  # eaten in no other text; sold in two others
    assert linked[1] == pytest.approx({1: math.log1p(1), 0: math.log1p(1)})


def test_an_entity_that_only_this_text_mentions_is_in_no_base():
    linker = make_linker(TEXTS, entities=())

    assert sample_of(linker, 0)[2] == NONE  # E2 without this text
    assert sample_of(linker, 1)[2] > 0


@pytest.mark.parametrize("id", [None, "E6"])
def test_what_the_base_does_not_have_by_that_name_is_none_of_the_candidates(id):
    linker = make_linker([text_of(EATEN, 苹果=id), text_of("鲁迅", 鲁迅="E6"), *TEXTS])

    inputs, _, choice = sample_of(linker)

    assert choice == NONE
    assert len(inputs["candidates"]) == 2


def test_an_entity_may_be_kept_from_the_candidates():
    linker = make_linker(TEXTS, drop_entity=1.0)

    inputs, _, choice = sample_of(linker)

    assert choice == NONE
    assert inputs["candidates"][:, IS_OWN].tolist() == [0]  # E1 is left


def test_shown_as_if_nothing_had_been_counted_others_are_candidates_too():
    linker = make_linker(TEXTS, hide_counts=1.0, candidates=6)
    of_food = linker.encoder.row_vectors(linker.base.words[linker.base.place("E2")])

    for seed in range(20):
        inputs, _, choice = sample_of(linker, seed=seed)

        assert len(inputs["candidates"]) <= 6
        assert not inputs["candidates"][:, LINKED].any()
        assert len(set(inputs["candidates"][:, IS_OWN])) == 1  # which would tell those of the name
        same = [number for number, said in enumerate(inputs["descriptions"], 1) if np.array_equal(said, of_food)]
        assert same == [choice]  # the entity is not among the others


def test_an_entity_that_is_kept_away_is_not_among_the_others():
    linker = make_linker(TEXTS, hide_counts=1.0, drop_entity=1.0)
    of_food = linker.encoder.row_vectors(linker.base.words[linker.base.place("E2")])

    for seed in range(20):
        inputs, _, choice = sample_of(linker, seed=seed)

        assert choice == NONE
        assert not any(np.array_equal(said, of_food) for said in inputs["descriptions"])


def test_of_many_candidates_some_are_shown_and_the_right_one_always():
    entities = [Entity(f"K{n}", f"长安{n}", (Alias("长安", n, 50),), description="古城。") for n in range(1, 10)]
    linker = make_linker([text_of("古都长安。", 长安="K5"), text_of("长安汽车。", 长安="K7")], entities=entities)

    places = set()
    for seed in range(30):
        inputs, _, choice = sample_of(linker, seed=seed)

        assert len(inputs["candidates"]) in (6, 7)
        assert inputs["candidates"][choice - 1, LINKED] * MANY == pytest.approx(math.log1p(5))
        places.add(choice)
    assert len(places) > 1


def test_a_sample_depends_on_the_generator_only():
    linker = make_linker(TEXTS, drop_words=0.3, hide_counts=0.5, drop_entity=0.5, hide_base=0.5)

    for seed in range(5):
        (one, one_labels), (other, other_labels) = (linker.sample(0, np.random.default_rng(seed)) for _ in range(2))
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert one_labels[CHOICE] == other_labels[CHOICE]


def test_a_long_text_is_cut_around_its_mention():
    linker = make_linker([text_of("一" * 40 + EATEN + "一" * 40, 苹果="E2")], longest_text=8)

    for seed in range(10):
        inputs, labels, choice = sample_of(linker, seed=seed)

        assert len(inputs["text"]) == len(labels) == 8
        np.testing.assert_array_equal(np.flatnonzero(inputs["span"])[[0, -1]], labels.argmax(axis=0))
        assert choice > 0


def test_nothing_to_link_to_is_an_error():
    with pytest.raises(KexueError, match="no training text has a mention with an id"):
        make_linker([text_of("王芳", 王芳=None)], entities=())


# ------------------------------------------------------------- cutting


@given(st.data(), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_a_cut_keeps_a_mention_where_its_characters_are(data, length, size, seed):
    spans = st.integers(0, length - 1).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, length)))
    places = data.draw(st.lists(spans, min_size=1, max_size=4))
    text = encoded(" ".join(map(chr, range(ord("一"), ord("一") + length))))  # no character twice
    golds = tuple(Gold(*place, True) for place in places)
    names = tuple(Name(*place, 0, 0) for place in places)

    parted, gold = cut(Example(text, names, golds), golds[0], size, np.random.default_rng(seed))

    original, kept = text.text, parted.text.text
    assert len(kept) == min(length, size)
    assert kept in original
    begin = original.index(kept)
    inside = [(start - begin, end - begin) for start, end in places if begin <= start and end <= begin + len(kept)]
    assert [(one.start, one.end) for one in parted.mentions] == inside
    assert [(one.start, one.end) for one in parted.names] == inside
    if golds[0].end - golds[0].start > size:
        assert gold is None
    else:
        assert gold is not None
        assert kept[gold.start : gold.end] == original[golds[0].start : golds[0].end]


def test_a_cut_without_a_mention_may_be_anywhere():
    text = encoded("甲 乙 丙 丁")

    cuts = {cut(Example(text, (), ()), None, 2, np.random.default_rng(seed))[0].text.text for seed in range(30)}

    assert cuts == {"甲乙", "乙丙", "丙丁"}
