"""Texts with their triples to training samples: what is labelled, what is drawn, what is cut and what is swapped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import encoded

from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, AugmentationConfig
from kexue_cli.tasks.triples.decoding import points_of
from kexue_cli.tasks.triples.preprocessor import (
    UNLABELLED,
    Example,
    Sampler,
    make_examples,
    places,
    predicate_shares,
    swapped,
    text_sample,
)
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.text.vocabulary import UNKNOWN, Vocabulary
from kexue_cli.text.word_vectors import WordVectors

PREDICATES = ("作者", "出版社", "出生地")
SHARES = {"作者": 0.25, "出版社": 0.5, "出生地": 0.25}  # of all triples
BOOKS = "鲁迅写了《呐喊》和《彷徨》，鲁迅生于绍兴"
BOOK_TRIPLES = (Triple("呐喊", "作者", "鲁迅"), Triple("彷徨", "作者", "鲁迅"), Triple("鲁迅", "出生地", "绍兴"))
ENCODER = Encoder(Vocabulary(sorted(set(BOOKS))), segmenter(), None)
SEEDS = range(60)


def example_of(text, *triples, labelled=None) -> Example:
    labelled = None if labelled is None else frozenset(labelled)
    [example] = make_examples(ENCODER, [LabelledText(text, triples, labelled)], PREDICATES, SHARES)
    return example


def drawn(example, seed=0, **settings):
    """The inputs and the labels of a sample."""
    sampler = Sampler(ENCODER, AugmentationConfig(**{"drop_words": 0.0, **settings}), len(PREDICATES))
    return sampler.sample(example, np.random.default_rng(seed))


def named(text, example):
    """The subjects of an example with their places, and what they are subjects of."""
    return {
        (text[start:end], start): {(PREDICATES[number], text[first:behind], first) for (first, behind), number in found}
        for (start, end), found in example.subjects.items()
    }


def ends(column):
    """Where a column of labels is 1."""
    return np.flatnonzero(column == 1).tolist()


def shown(inputs):
    """The text that a sample shows."""
    return "".join(ENCODER.vocabulary.characters[number - 2] for number in inputs["text"])  # 0 and 1 are no characters


def subject_of(inputs):
    """The place of the subject that was drawn."""
    return int(inputs["span"][-1]), int(inputs["span"][0]) + 1


# ------------------------------------------------------------- arrays of a text


def test_a_sample_holds_the_ids_and_where_words_begin_and_end():
    text = encoded("鲁迅 写 了 呐喊")

    sample = text_sample(text, ENCODER)

    assert sample.keys() == {"text", "boundaries"}
    assert "".join(map(chr, sample["text"])) == "鲁迅写了呐喊"
    assert sample["boundaries"].T.tolist() == [[1, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 1]]


def test_the_vector_of_a_word_stands_at_each_of_its_characters(tmp_path):
    vectors = WordVectors(["<unknown>", "鲁迅", "写"], np.array([[0, 0], [1, 2], [3, 4]], np.float16), tmp_path)

    sample = text_sample(encoded("鲁迅 写"), Encoder(Vocabulary(""), segmenter(), vectors))

    assert sample["words"].tolist() == [[1, 2], [1, 2], [3, 4]]


# ------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("part", "start", "spans"),
    [
        ("鲁迅", None, [(0, 2), (15, 17)]),
        ("鲁迅", 15, [(15, 17)]),
        ("巴金", None, []),
        ("兴", None, [(20, 21)]),
    ],
)
def test_a_name_stands_wherever_it_is_unless_its_place_is_known(part, start, spans):
    assert places("鲁迅写了《呐喊》和《彷徨》，，鲁迅生于绍兴", part, start) == spans


def test_places_that_overlap_are_all_found():
    assert places("哈哈哈", "哈哈", None) == [(0, 2), (1, 3)]


# ------------------------------------------------------------- examples


def test_all_occurrences_of_subjects_and_objects_are_labelled():
    assert named(BOOKS, example_of(BOOKS, *BOOK_TRIPLES)) == {
        ("呐喊", 5): {("作者", "鲁迅", 0), ("作者", "鲁迅", 14)},
        ("彷徨", 10): {("作者", "鲁迅", 0), ("作者", "鲁迅", 14)},
        ("鲁迅", 0): {("出生地", "绍兴", 18)},
        ("鲁迅", 14): {("出生地", "绍兴", 18)},
    }


def test_where_a_triple_says_its_places_only_they_are_labelled():
    placed = Triple("鲁迅", "出生地", "绍兴", subject_start=14)

    assert named(BOOKS, example_of(BOOKS, placed)) == {("鲁迅", 14): {("出生地", "绍兴", 18)}}


def test_names_are_found_whatever_their_width_case_and_script():
    text = "ＢＢＣ的《吶喊》由魯迅所寫"

    found = named(text, example_of(text, Triple("呐喊", "作者", "鲁迅"), Triple("bbc", "出版社", "Bbc")))

    assert found == {("吶喊", 5): {("作者", "魯迅", 9)}, ("ＢＢＣ", 0): {("出版社", "ＢＢＣ", 0)}}


def test_a_triple_of_which_a_name_is_not_there_is_no_label():
    assert example_of(BOOKS, Triple("呐喊", "作者", "巴金"), Triple("家", "作者", "鲁迅")).subjects == {}


def test_a_record_that_is_labelled_in_part_leaves_the_other_predicates_open():
    triple = Triple("呐喊", "作者", "鲁迅")

    assert example_of(BOOKS, triple).unlabelled.tolist() == []
    assert example_of(BOOKS, triple, labelled=PREDICATES).unlabelled.tolist() == []
    assert example_of(BOOKS, triple, labelled=["作者"]).unlabelled.tolist() == [1, 2]
    assert example_of(BOOKS, triple, labelled=["作者", "国籍"]).unlabelled.tolist() == [1, 2]  # 国籍 is not learned
    assert example_of(BOOKS, triple, labelled=[]).unlabelled.tolist() == [0, 1, 2]


# ------------------------------------------------------------- labels


def test_the_labels_of_all_subjects_and_of_the_objects_of_one():
    example = example_of(BOOKS, *BOOK_TRIPLES)

    for seed in SEEDS:
        inputs, labels = drawn(example, seed, pair_ends_freely=False)
        start, end = subject_of(inputs)
        objects = labels[OBJECTS]

        assert [ends(labels[SUBJECTS][:, column]) for column in (0, 1)] == [[0, 5, 10, 14], [1, 6, 11, 15]]
        assert objects.shape == (len(BOOKS), 6)
        assert ((objects == 0) | (objects == 1)).all()
        if BOOKS[start:end] == "鲁迅":
            assert [ends(column) for column in objects.T] == [[], [], [18], [], [], [19]]
        else:
            assert BOOKS[start:end] in ("呐喊", "彷徨")
            assert [ends(column) for column in objects.T] == [[0, 14], [], [], [1, 15], [], []]


def test_each_subject_is_drawn():
    example = example_of(BOOKS, *BOOK_TRIPLES)

    spans = {subject_of(drawn(example, seed, pair_ends_freely=False)[0]) for seed in SEEDS}

    assert spans == set(example.subjects)


def test_the_inputs_are_those_of_the_text_and_the_places_of_the_subject():
    example = example_of(BOOKS, *BOOK_TRIPLES)

    inputs, _ = drawn(example)

    assert inputs.keys() == {"text", "boundaries", "span"}
    assert shown(inputs) == BOOKS
    assert inputs["span"].tolist() == points_of(*subject_of(inputs)).tolist()


def test_ends_that_are_paired_freely_meet_wrong_subjects_which_have_no_objects():
    example = example_of(BOOKS, *BOOK_TRIPLES)

    samples = [drawn(example, seed) for seed in range(200)]
    wrong = [labels for inputs, labels in samples if subject_of(inputs) not in example.subjects]
    spans = {subject_of(inputs) for inputs, _ in samples}

    assert 0 < len(wrong) < len(samples)
    assert not any(labels[OBJECTS].any() for labels in wrong)
    assert all(labels[SUBJECTS].any() for labels in wrong)  # the true ones are subjects all the same
    starts, behind = {0, 5, 10, 14}, {2, 7, 12, 16}
    assert spans == {(start, end) for start in starts for end in behind if start < end}


def test_a_text_without_triples_has_a_character_for_a_subject_and_no_objects():
    example = example_of("今天天气很好")

    samples = [drawn(example, seed) for seed in SEEDS]

    assert {subject_of(inputs) for inputs, _ in samples} == {(place, place + 1) for place in range(6)}
    assert not any(labels[name].any() for _, labels in samples for name in (SUBJECTS, OBJECTS))


def test_an_empty_text_has_empty_arrays():
    inputs, labels = drawn(example_of(""))

    assert (inputs["text"].shape, labels[SUBJECTS].shape, labels[OBJECTS].shape) == ((0,), (0, 2), (0, 6))
    assert inputs["span"].tolist() == [0] * 6


def test_what_a_record_says_nothing_of_is_ignored():
    example = example_of(BOOKS, Triple("呐喊", "作者", "鲁迅"), labelled=["作者"])

    inputs, labels = drawn(example)

    subjects, objects = labels[SUBJECTS], labels[OBJECTS]
    assert subject_of(inputs) == (5, 7)
    assert [ends(column) for column in subjects.T] == [[5], [6]]
    assert np.allclose(subjects[subjects != 1], -0.75)  # three quarters of all triples are of the other predicates
    assert [ends(column) for column in objects.T] == [[0, 14], [], [], [1, 15], [], []]
    assert (objects[:, [1, 2, 4, 5]] == UNLABELLED).all()
    assert ((objects[:, [0, 3]] == 0) | (objects[:, [0, 3]] == 1)).all()  # of 作者 all is known
    assert UNLABELLED not in (0, 1)


def test_shares_are_counted_where_all_predicates_were_looked_for():
    one, two = Triple("呐喊", "作者", "鲁迅"), Triple("鲁迅", "出生地", "绍兴")
    texts = [
        LabelledText("", (one, two)),
        LabelledText("", (one, one)),
        LabelledText("", (two,), frozenset(["出生地"])),
    ]

    assert predicate_shares(texts) == {"作者": 0.75, "出生地": 0.25}
    assert predicate_shares(texts[2:]) == {"出生地": 1.0}  # there is no better to go by


def test_hidden_words_are_hidden_from_the_network_and_labelled_all_the_same():
    inputs, labels = drawn(example_of(BOOKS, *BOOK_TRIPLES), drop_words=1.0)

    assert (inputs["text"] == UNKNOWN).all()
    assert labels[SUBJECTS].any()


# ------------------------------------------------------------- cutting


@pytest.mark.parametrize("size", [8, 12])
def test_long_texts_are_cut_at_random_and_what_is_not_whole_is_no_label(size):
    example = example_of(BOOKS, *BOOK_TRIPLES)
    firsts = set()

    for seed in SEEDS:
        inputs, labels = drawn(example, seed, longest_text=size, pair_ends_freely=False)
        text = shown(inputs)
        firsts.add(BOOKS.index(text))

        # a subject is one as long as one of its objects is there too
        subjects = [(triple.subject, triple.predicate, triple.object) for triple in BOOK_TRIPLES]
        expected = sorted(text.index(subject) for subject, _, object in subjects if subject in text and object in text)
        assert [ends(column) for column in labels[SUBJECTS].T] == [expected, [start + 1 for start in expected]]
        assert labels[OBJECTS].shape == (size, 6)
        if expected:
            start, end = subject_of(inputs)
            assert start in expected
            [(predicate, object)] = {found[1:] for found in subjects if found[0] == text[start:end]}
            column = PREDICATES.index(predicate)
            assert ends(labels[OBJECTS][:, column]) == [text.index(object)]
            assert ends(labels[OBJECTS][:, column + 3]) == [text.index(object) + 1]
            assert labels[OBJECTS].sum() == 2
        else:
            assert not labels[OBJECTS].any()

    assert firsts == set(range(len(BOOKS) - size + 1))


@pytest.mark.parametrize("longest", [len(BOOKS), 1000])
def test_a_text_that_is_short_enough_is_not_cut(longest):
    assert len(drawn(example_of(BOOKS), longest_text=longest)[0]["text"]) == len(BOOKS)


NAMES = st.sampled_from(["甲", "乙", "甲乙", "乙丙", "丙丁"])
TRIPLES = st.lists(st.builds(Triple, NAMES, st.sampled_from(PREDICATES), NAMES), max_size=4)


LABELLED = st.sets(st.sampled_from(PREDICATES)) | st.none()


@given(st.text("甲乙丙丁，", max_size=12), TRIPLES, LABELLED, st.integers(0, 99), st.integers(1, 12))
def test_whatever_the_text_labels_fit_it(text, triples, labelled, seed, longest):
    example = example_of(text, *triples, labelled=labelled)

    inputs, labels = drawn(example, seed, longest_text=longest)

    size = min(len(text), longest)
    assert {len(array) for array in (inputs["text"], inputs["boundaries"], *labels.values())} == {size}
    assert 0 <= inputs["span"].min() <= inputs["span"].max() < max(size, 1)
    for array in labels.values():
        assert ((array == 1) | ((array >= UNLABELLED) & (array <= 0))).all()
        half = array.shape[1] // 2
        if (array >= 0).all():  # of each name a start and an end, though two may share one
            assert ((array[:, :half] == 1).any(axis=0) == (array[:, half:] == 1).any(axis=0)).all()


# ------------------------------------------------------------- swapping


def swap(text, triples, others, seed=0, labelled=None):
    """The text and the triples, as strings, when names are swapped for those of others (all of one predicate)."""
    by_predicate = {"作者": others}
    found = swapped(LabelledText(text, triples, labelled), by_predicate, np.random.default_rng(seed))
    return found.text, [(one.subject, one.predicate, one.object) for one in found.triples]


def test_the_names_of_a_triple_are_replaced_in_the_text_and_in_all_triples():
    triples = (Triple("呐喊", "作者", "鲁迅"),)

    assert swap("鲁迅写《呐喊》。鲁迅是作家", triples, [Triple("家", "作者", "巴金")]) == (
        "巴金写《家》。巴金是作家", [("家", "作者", "巴金")]
    )  # fmt: skip


def test_a_name_in_another_script_than_in_its_triple_is_replaced_too():
    triples = (Triple("呐喊", "作者", "鲁迅"),)

    assert swap("魯迅寫《呐喊》", triples, [Triple("家", "作者", "巴金")])[0] == "巴金写《家》"


def test_other_triples_go_with_the_text():
    triples = (Triple("呐喊", "作者", "鲁迅"), Triple("鲁迅", "出生地", "绍兴"))
    by_predicate = {"作者": [Triple("茶馆", "作者", "老舍")], "出生地": [Triple("老舍", "出生地", "北京")]}
    labelled = LabelledText("绍兴人鲁迅写《呐喊》", triples)

    found = {
        (one.text, *((triple.subject, triple.object) for triple in one.triples))
        for one in (swapped(labelled, by_predicate, np.random.default_rng(seed)) for seed in SEEDS)
    }

    assert found == {
        ("绍兴人老舍写《茶馆》", ("茶馆", "老舍"), ("老舍", "绍兴")),  # the names of the first triple
        ("北京人老舍写《呐喊》", ("呐喊", "老舍"), ("老舍", "北京")),  # those of the second
    }


def test_the_other_triple_is_drawn():
    others = [Triple("家", "作者", "巴金"), Triple("茶馆", "作者", "老舍"), Triple("呐喊", "作者", "鲁迅")]

    texts = {swap("鲁迅写《呐喊》", (Triple("呐喊", "作者", "鲁迅"),), others, seed)[0] for seed in SEEDS}

    assert texts == {"巴金写《家》", "老舍写《茶馆》", "鲁迅写《呐喊》"}


def test_places_are_not_kept_for_they_move_and_what_is_labelled_is():
    triple = Triple("呐喊", "作者", "鲁迅", "图书作品", "人物", 4, 0)
    labelled = frozenset(["作者"])

    found = swapped(
        LabelledText("鲁迅写《呐喊》", (triple,), labelled),
        {"作者": [Triple("激流三部曲", "作者", "巴金", subject_start=9)]},
        np.random.default_rng(0),
    )

    assert (found.text, found.labelled) == ("巴金写《激流三部曲》", labelled)
    assert [(one.subject_start, one.object_start) for one in found.triples] == [(None, None)]


def test_what_was_swapped_is_labelled_again():
    triples = (Triple("呐喊", "作者", "鲁迅"),)
    found = swapped(LabelledText("鲁迅写《呐喊》", triples), {"作者": [Triple("家", "作者", "曹雪芹")]},
                    np.random.default_rng(0))  # fmt: skip

    assert named(found.text, example_of(found.text, *found.triples)) == {("家", 5): {("作者", "曹雪芹", 0)}}
