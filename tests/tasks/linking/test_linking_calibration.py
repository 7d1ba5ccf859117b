"""Thresholds that are best for texts read by a linker that one can follow."""

import math

import numpy as np
import pytest
from characters import CharacterEncoder

from kexue_cli.tasks.linking import EntityLinking
from kexue_cli.tasks.linking.calibration import calibrated, gold_links, score
from kexue_cli.tasks.linking.config import CHOICE, ENTITIES, MENTIONS, DecodingConfig, PreprocessorConfig
from kexue_cli.tasks.linking.entities import Alias, Entity
from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase, compile_base
from kexue_cli.tasks.linking.metrics import Link
from kexue_cli.tasks.linking.records import LabelledText, Mention

BASE = (Entity("K1", "小米", (Alias("小米", 3),)), Entity("K2", "大豆"), Entity("K3", "小米公司", (Alias("小米", 1),)))
FOUND = {  # the two pointers of a name, and the probability that it is in the base, if it has candidates
    "小米": (0.8, 0.8, 0.9),  # score .64; .64 * .9 * 3 / 4, or a little more, is K1: .4315
    "大豆": (0.9, 0.9, 0.9),  # .81, and K2 .729
    "张三": (0.6, 0.55, 0.9),  # .33; the base does not have it
    "李四": (0.5, 0.5, 0.9),  # .25; nor this
}


class Follow:
    """A network that is a function."""

    device = "cpu"

    def __init__(self, answer) -> None:
        self.answer = answer

    def __call__(self, inputs):
        return self.answer(inputs)


def point(vocabulary):
    """Return the network that looks pointers and states up by character."""
    pointers, states = (np.zeros((len(vocabulary), width), np.float32) for width in (2, 1))
    for name, (start, end, known) in FOUND.items():
        first, last = vocabulary.ids(name)
        pointers[first, 0], pointers[last, 1] = start, end
        states[[first, last]] = known
    return Follow(lambda inputs: {MENTIONS: pointers[inputs["text"]], "states": states[inputs["text"]]})


def choose(inputs):
    """Share out what is known of a mention, its state, among the candidates by their priors."""
    features = inputs["candidates"]
    shares = np.exp(features[..., 0]) * np.any(features != 0, axis=-1)
    return {CHOICE: np.concatenate([1 - inputs["mention"], shares * inputs["mention"]], axis=-1)}


@pytest.fixture
def linker(tmp_path):
    encoder = CharacterEncoder("".join(FOUND))
    compile_base(BASE, tmp_path, encoder, {})
    networks = {MENTIONS: point(encoder.vocabulary), ENTITIES: Follow(choose)}
    return EntityLinking(encoder, networks, KnowledgeBase(tmp_path), PreprocessorConfig(), DecodingConfig())


def text_of(written, **ids):
    """A text in which each of these names is mentioned once, with its id or None."""
    return LabelledText(written, tuple(Mention(name, written.index(name), id=id) for name, id in ids.items()))


def thresholds(decoding):
    return decoding.mention, decoding.unknown, decoding.entity


def best_of(linker, *texts):
    """The thresholds that are best, and their score."""
    decoding = calibrated(linker, texts)
    return thresholds(decoding), score(linker.with_settings(**vars(decoding)), texts)["score"]


# ------------------------------------------------------------- score


def test_the_linker_can_be_followed(linker):
    [links] = linker.link(["小米，大豆，张三"])

    likeliest = [(link.start, *link.entity(0.0)) for link in links]

    prior = 3.05 / (3.05 + 1.05)  # neither is described
    assert likeliest == [
        (0, 0, pytest.approx(0.64 * 0.9 * prior)), (3, 1, pytest.approx(0.729)), (6, None, pytest.approx(0.33))
    ]  # fmt: skip


def test_the_score_is_the_mean_of_both_f1(linker):
    texts = [text_of("小米，大豆", 小米="K3", 大豆="K2"), text_of("张三", 张三=None)]

    # both places are right, one link of two; 张三 is in no base, wherever it is found
    assert score(linker, texts) == {"mention_f1": 1, "f1": 0.5, "score": 0.75}


def test_nothing_found_and_nothing_labelled_is_no_score(linker):
    assert score(linker, [text_of("今天")]) == {"mention_f1": 0, "f1": 0, "score": 0}


def test_names_in_place_of_ids_are_looked_up(linker):
    named = [Mention("小米", 0, name="小米公司"), Mention("大豆", 3, name="玉米"), Mention("张三", 6)]

    assert gold_links(linker, LabelledText("小米，大豆，张三", tuple(named))) == [
        Link(0, 2, "K3"), Link(3, 5, None), Link(6, 8, None)
    ]  # fmt: skip


# ------------------------------------------------------------- calibration


def test_where_all_is_right_the_first_thresholds_stay(linker):
    assert best_of(linker, text_of("小米，大豆", 小米="K1", 大豆="K2")) == ((0.1, 0.1, 0), 1)


def test_mentions_that_are_wrong_are_shut_out(linker):
    assert best_of(linker, text_of("小米，李四", 小米="K1")) == ((0.1, 0.3, 0), 1)  # 李四 has .25
    assert best_of(linker, text_of("小米，张三，李四", 小米="K1")) == ((0.1, 0.35, 0), 1)  # 张三 has .33


def test_names_of_the_base_have_a_threshold_of_their_own(linker, monkeypatch):
    monkeypatch.setitem(FOUND, "小米", (0.5, 0.5, 0.9))
    linker.networks[MENTIONS] = point(linker.encoder.vocabulary)
    texts = [text_of("大豆，小米", 大豆="K2"), text_of("张三，大豆", 张三="K9", 大豆="K2")]

    # 小米, now .25 and in the base, is wrong; 张三, .33 and not in the base, is right, though nobody knows who it is
    (mention, unknown, entity), found = best_of(linker, *texts)

    assert (mention, unknown, entity) == (0.3, 0.1, 0)
    assert found == pytest.approx((1 + 4 / 5) / 2)


def test_names_of_the_base_that_mean_something_else_get_no_entity(linker):
    texts = [text_of("小米", 小米=None), text_of("大豆", 大豆="K2")]

    # as a mention 小米 is neither right nor wrong; linked, with .64 * .9 = .58 for any entity, it would be wrong
    assert best_of(linker, *texts) == ((0.1, 0.1, 0.6), 1)


def test_where_texts_disagree_the_most_decide(linker):
    right, wrong = text_of("小米", 小米="K1"), text_of("小米", 小米=None)

    # f1 is 6 / 7 with one wrong link; without any it is 0
    assert best_of(linker, right, right, right, wrong) == ((0.1, 0.1, 0), pytest.approx((1 + 6 / 7) / 2))


def test_the_score_never_falls(linker):
    texts = [text_of("小米，张三，李四", 小米="K3", 李四="K8"), text_of("大豆，小米", 大豆=None, 小米="K1")]

    assert best_of(linker, *texts)[1] >= score(linker, texts)["score"]


# ------------------------------------------------------------- what stays


def test_the_other_settings_stay(linker):
    decoding = calibrated(linker.with_settings(candidates=3, least_pointer=0.2), [text_of("小米", 小米="K1")])

    assert decoding == DecodingConfig(candidates=3, least_pointer=0.2, mention=0.1, unknown=0.1, entity=0)


@pytest.mark.parametrize("texts", [[], [text_of("今天")], [text_of("今天，明天", 明天="K1")]])
def test_where_nothing_can_be_right_all_stays(linker, texts):
    own = linker.with_settings(mention=0.4, unknown=0.35, entity=0.15)

    assert thresholds(calibrated(own, texts)) == (0.4, 0.35, 0.15)


def test_the_thresholds_are_of_those_that_are_tried(linker):
    for value in thresholds(calibrated(linker, [text_of("小米，张三", 小米="K1")])):
        assert math.isclose(value * 20, round(value * 20))
