"""What is known before a text is read: where its names stand, and what a training text must not be told of itself."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets.checks import CHECKS
from kexue_cli.errors import KexueError
from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder
from kexue_cli.tasks.triples import KNOWN, inputs_of, object_sample
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, AugmentationConfig
from kexue_cli.tasks.triples.decoding import Name
from kexue_cli.tasks.triples.knowledge import (
    LONGEST_NAME,
    Knowledge,
    facts_of,
    known_objects,
    known_subjects,
    told,
)
from kexue_cli.tasks.triples.preprocessor import Sampler, make_examples
from kexue_cli.tasks.triples.records import LabelledText, Triple, problems, read_fact
from kexue_cli.text.vocabulary import Vocabulary

PREDICATES = ("作者", "出版社", "出生地")
FACTS = {("呐喊", "作者", "鲁迅"): 1, ("彷徨", "作者", "鲁迅"): 2, ("鲁迅", "出生地", "绍兴"): 2}
TEXT = "鲁迅写了呐喊。鲁迅生于绍兴"  # 鲁迅 at 0 and 7, 呐喊 at 4, 绍兴 at 11
ENCODER = Encoder(Vocabulary(sorted(set(TEXT))), segmenter(), None)


def named(knowledge, text, own=frozenset()):
    """The facts that are found in a text, by their names and where subject and object start."""
    return {
        (text[start:end], knowledge.predicates[number], text[first:behind], start, first)
        for start, end, first, behind, number in knowledge.find(text, own).tolist()
    }


def ends(column):
    """Where a column is 1."""
    return np.flatnonzero(column == 1).tolist()


# ------------------------------------------------------------- what is found


def test_a_fact_is_found_wherever_its_subject_and_its_object_stand():
    assert named(Knowledge(FACTS, PREDICATES), TEXT) == {
        ("呐喊", "作者", "鲁迅", 4, 0),
        ("呐喊", "作者", "鲁迅", 4, 7),
        ("鲁迅", "出生地", "绍兴", 0, 11),
        ("鲁迅", "出生地", "绍兴", 7, 11),
    }


@pytest.mark.parametrize("text", ["", "呐喊", "鲁迅写了呐", "喊呐鲁迅", "今天天气很好"])
def test_a_text_without_both_names_of_a_fact_has_none(text):
    assert Knowledge(FACTS, PREDICATES).find(text).shape == (0, 5)


def test_several_predicates_of_the_same_names_and_names_inside_names():
    knowledge = Knowledge(
        {("京", "出生地", "北京"): 1, ("京", "作者", "北京"): 1, ("北京", "作者", "京"): 1}, PREDICATES
    )

    assert knowledge.find("北京").tolist() == [[0, 2, 1, 2, 0], [1, 2, 0, 2, 0], [1, 2, 0, 2, 2]]


def test_predicates_that_are_not_learned_and_endless_names_are_not_looked_for():
    longest = "长" * LONGEST_NAME
    facts = {("甲", "国籍", "中国"): 1, ("甲", "作者", longest): 1, ("甲", "作者", longest + "短"): 1}

    assert Knowledge(facts, PREDICATES).sources == {("甲", "作者", longest): 1}


NAMES = st.text("甲乙丙", min_size=1, max_size=3)
TRIPLES = st.lists(st.builds(Triple, NAMES, st.sampled_from(PREDICATES), NAMES), max_size=5)
TEXTS = st.text("甲乙丙。", max_size=8)
LABELLED = st.builds(LabelledText, TEXTS, TRIPLES.map(tuple))


@given(TEXTS, TRIPLES)
def test_looking_up_names_finds_what_trying_all_places_finds(text, triples):
    knowledge = Knowledge.of([], PREDICATES, triples)

    def starts(name):
        return [start for start in range(len(text)) if text.startswith(name, start)]

    assert named(knowledge, text) == {
        (*fact, start, first) for fact in facts_of(triples) for start in starts(fact[0]) for first in starts(fact[2])
    }


# ------------------------------------------------------------- what a text tells of itself


def test_a_training_text_is_told_only_what_another_source_says_too():
    texts = [
        LabelledText("《呐喊》是鲁迅写的", (Triple("呐喊", "作者", "鲁迅"),)),
        LabelledText("鲁迅生于绍兴", (Triple("鲁迅", "出生地", "绍兴"),)),
        LabelledText("绍兴人鲁迅写《呐喊》", (Triple("鲁迅", "出生地", "绍兴"),)),
    ]
    own = told(texts)

    def of(text, *facts):
        return {found[:3] for found in named(Knowledge.of(texts, PREDICATES, facts), text, own[text])}

    assert of("《呐喊》是鲁迅写的") == set()
    assert of("鲁迅生于绍兴") == {("鲁迅", "出生地", "绍兴")}  # the third text says so
    assert of("绍兴人鲁迅写《呐喊》") == {("鲁迅", "出生地", "绍兴"), ("呐喊", "作者", "鲁迅")}
    assert of("《呐喊》是鲁迅写的", Triple("呐喊", "作者", "鲁迅")) == {("呐喊", "作者", "鲁迅")}


def test_a_text_that_is_there_twice_is_one_source_whatever_either_is_labelled_for():
    written, born = Triple("呐喊", "作者", "鲁迅"), Triple("鲁迅", "出生地", "绍兴")
    texts = [LabelledText(TEXT, (written,)), LabelledText(TEXT, (written, born)), LabelledText(TEXT, ())]

    assert told(texts) == {TEXT: facts_of([written, born])}
    assert named(Knowledge.of(texts, PREDICATES), TEXT, told(texts)[TEXT]) == set()


def test_names_and_texts_are_compared_without_width_case_and_script():
    texts = [LabelledText("ＢＢＣ由魯迅所寫", (Triple("ＢＢＣ", "作者", "魯迅"),))]

    assert told(texts) == {"bbc由鲁迅所写": {("bbc", "作者", "鲁迅")}}
    assert Knowledge.of(texts, PREDICATES, [Triple("bbc", "作者", "鲁迅")]).sources == {("bbc", "作者", "鲁迅"): 2}


@given(st.lists(LABELLED, min_size=1, max_size=4), TRIPLES)
def test_what_is_found_without_a_text_s_own_facts_is_what_all_the_others_say(texts, elsewhere):
    text = texts[0].text
    others = [labelled for labelled in texts if labelled.text != text]

    found = Knowledge.of(texts, PREDICATES, elsewhere).find(text, told(texts)[text])

    assert found.tolist() == Knowledge.of(others, PREDICATES, elsewhere).find(text).tolist()


# ------------------------------------------------------------- what the networks are told


def test_pointers_to_known_subjects_and_to_the_known_objects_of_one():
    known = Knowledge(FACTS, PREDICATES).find(TEXT)

    subjects = known_subjects(known, len(TEXT))
    of_book = known_objects(known, 4, 6, len(TEXT), 3)
    of_writer = known_objects(known, 7, 9, len(TEXT), 3)

    assert [ends(column) for column in subjects.T] == [[0, 4, 7], [1, 5, 8]]
    assert [ends(column) for column in of_book.T] == [[0, 7], [], [], [1, 8], [], []]
    assert [ends(column) for column in of_writer.T] == [[], [], [11], [], [], [12]]
    assert known_objects(known, 4, 5, len(TEXT), 3).sum() == 0  # 呐 is no known subject
    assert (subjects.dtype, of_book.dtype, of_book.shape) == (np.float32, np.float32, (len(TEXT), 6))


def samples(knowledge, own=frozenset(), **settings):
    """Samples of TEXT, labelled with what is known of it."""
    triples = tuple(Triple(*fact) for fact in FACTS)
    [example] = make_examples(ENCODER, [LabelledText(TEXT, triples)], PREDICATES, {})
    sampler = Sampler(ENCODER, AugmentationConfig(**{"drop_words": 0.0, **settings}), len(PREDICATES), knowledge)
    return [sampler.sample(example, np.random.default_rng(seed), own) for seed in range(30)]


def test_a_sample_tells_what_is_known_in_the_form_of_its_labels():
    for inputs, labels in samples(Knowledge(FACTS, PREDICATES)):
        assert inputs.keys() == {"text", "boundaries", "span", "known_subjects", "known_objects"}
        assert inputs["known_subjects"].tolist() == labels[SUBJECTS].tolist()
        assert inputs["known_objects"].tolist() == labels[OBJECTS].tolist()


def test_a_sample_does_not_tell_what_only_its_text_says():
    own = facts_of(Triple(*fact) for fact in FACTS)  # only 鲁迅 出生地 绍兴, of those here, has another source

    found = samples(Knowledge(FACTS, PREDICATES), own, pair_ends_freely=False)

    assert [ends(column) for column in found[0][0]["known_subjects"].T] == [[0, 7], [1, 8]]
    for inputs, labels in found:
        is_writer = inputs["span"][-1] != 4
        assert inputs["known_objects"].any() == is_writer
        assert labels[OBJECTS].any()


def test_a_text_that_is_cut_is_told_of_what_is_left():
    for inputs, labels in samples(Knowledge(FACTS, PREDICATES), longest_text=6, pair_ends_freely=False):
        assert inputs["known_subjects"].tolist() == labels[SUBJECTS].tolist()
        assert inputs["known_objects"].tolist() == labels[OBJECTS].tolist()


def test_without_a_prior_nothing_is_told():
    for inputs, _ in samples(None):
        assert inputs.keys() == {"text", "boundaries", "span"}


def test_prediction_tells_the_known_objects_of_the_subject_as_long_as_the_batch():
    known = Knowledge(FACTS, PREDICATES).find(TEXT)
    encoded = {SUBJECTS: np.zeros((20, 2)), "states": np.zeros((20, 8)), KNOWN: known}

    sample = object_sample(encoded, Name(4, 6, 0.9), 3)

    assert sample.keys() == {"states", "span", "known_objects"}
    assert [ends(column) for column in sample["known_objects"].T] == [[0, 7], [], [], [1, 8], [], []]
    assert sample["known_objects"].shape == (20, 6)
    assert inputs_of({"text": known, KNOWN: known}).keys() == {"text"}


# ------------------------------------------------------------- the file


def test_what_is_written_is_read_and_checked_as_facts(tmp_path: Path):
    knowledge, path = Knowledge(FACTS, PREDICATES), tmp_path / "knowledge.jsonl"

    knowledge.write(path)
    read = Knowledge.read(path, PREDICATES)

    first, *others = path.read_text("utf-8").splitlines()
    assert first == '{"subject":"呐喊","predicate":"作者","object":"鲁迅"}'
    assert [first, *others] == sorted([first, *others])
    assert read.sources == dict.fromkeys(FACTS, 1)
    assert named(read, TEXT) == named(knowledge, TEXT)
    assert CHECKS["triples"].module == problems.__module__
    assert problems({"subject": "呐喊", "predicate": "作者", "object": "鲁迅"}) == []


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"text": "鲁迅", "triples": []}, "a fact is"),
        ({"subject": "鲁迅", "predicate": "作者"}, "a fact is"),
        ({"subject": "鲁迅", "predicate": "作者", "object": 3}, "object must be a string; found 3"),
        ({"subject": " ", "predicate": "作者", "object": "呐喊"}, "subject must not be empty"),
        ({"predicate": "作者", "object": "呐喊"}, "missing field 'subject'"),
    ],
)
def test_what_is_no_fact_is_said(record, problem):
    with pytest.raises(KexueError, match=problem):
        read_fact(record)


def test_a_damaged_file_is_named_with_the_line(tmp_path: Path):
    (tmp_path / "knowledge.jsonl").write_text('{"subject":"鲁迅","predicate":"作者","object":3}\n', "utf-8")

    with pytest.raises(KexueError, match=r"knowledge\.jsonl:1: object must be a string"):
        Knowledge.read(tmp_path / "knowledge.jsonl", PREDICATES)
    with pytest.raises(KexueError, match="cannot read"):
        Knowledge.read(tmp_path / "none.jsonl", PREDICATES)


@given(st.lists(st.tuples(NAMES, st.sampled_from(PREDICATES), NAMES), max_size=9), TEXTS)
def test_facts_are_found_in_one_order_whatever_theirs_is(facts, text):
    rows = Knowledge(dict.fromkeys(facts, 1), PREDICATES).find(text).tolist()

    assert all(one < other for one, other in pairwise(rows))
    assert rows == Knowledge(dict.fromkeys(reversed(facts), 1), PREDICATES).find(text).tolist()
