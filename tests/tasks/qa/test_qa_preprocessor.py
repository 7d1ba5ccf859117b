"""Questions, places of answers, and training samples whose labels point to the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import encoded

from kexue_cli.errors import KexueError
from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder, is_punctuation
from kexue_cli.tasks.qa.config import AugmentationConfig, DecodingConfig, PreprocessorConfig
from kexue_cli.tasks.qa.preprocessor import Augmentation, Example, Preprocessor, find_spans
from kexue_cli.text.vocabulary import UNKNOWN, Vocabulary
from kexue_cli.text.word_vectors import WordVectors

SEEDS = range(100)


def make_preprocessor(**settings: object) -> Preprocessor:
    config = PreprocessorConfig(**{"words": "", "features": (), "window": 16, "overlap": 4, **settings})  # type: ignore[arg-type]
    return Preprocessor(Encoder(Vocabulary(""), segmenter(), None), config)


# ------------------------------------------------------------- questions


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("《吶喊》的作者是誰？", "呐喊的作者是谁"),
        ("３．５％ 是多少？", "3.5%是多少"),
        ("-5 和 +5 哪个大", "-5和+5哪个大"),
        ("？？？", "???"),  # nothing would be left
        ("", ""),
    ],
)
def test_a_question_is_read_without_its_punctuation(question, read):
    assert make_preprocessor().question(question).text == read


def test_marks_and_space_are_punctuation_and_signs_of_numbers_are_not():
    text = encoded("我 ， 《 》 …… + 3.14 % 😀")

    assert is_punctuation(text).tolist() == [False, True, True, True, True, False, False, False, True]


def test_a_group_of_features_that_is_not_known_is_refused():
    with pytest.raises(KexueError, match="no group of features named 'boundry'; did you mean 'boundary'"):
        make_preprocessor(features=("match", "boundry"))


# ------------------------------------------------------------- samples


def test_a_sample_holds_ids_and_what_the_settings_ask_for():
    question, passage = encoded("谁 写 了"), encoded("鲁迅 写 了 。")

    assert make_preprocessor().sample(question, passage, []).keys() == {"question", "passage"}
    sample = make_preprocessor(features=("boundary",)).sample(question, passage, [])
    assert "".join(map(chr, sample["passage"])) == "鲁迅写了。"
    assert sample["features"].shape == (5, 2)


def test_the_vector_of_a_word_stands_at_each_of_its_characters(tmp_path):
    table = np.array([[0, 0], [1, 2], [3, 4]], np.float16)
    vectors = WordVectors(["<unknown>", "鲁迅", "写"], table, tmp_path)
    preprocessor = make_preprocessor()
    preprocessor.encoder.vectors = vectors
    question, passage = encoded("鲁迅 写"), encoded("鲁迅 写")  # the rows of these words are 1 and 2

    sample = preprocessor.sample(question, passage[1:], [])

    assert sample["question_words"].tolist() == [[1, 2], [1, 2], [3, 4]]
    assert sample["passage_words"].tolist() == [[1, 2], [3, 4]]


def test_a_sample_says_which_training_file_its_question_is_from():
    preprocessor = make_preprocessor(sources=("webqa_train", "my-questions"))
    question, passage = encoded("谁 写 了"), encoded("鲁迅 写 了 。")

    numbers = [int(preprocessor.sample(question, passage, [], source)["source"])
               for source in ("", "webqa_train", "my-questions")]  # fmt: skip

    assert numbers == [0, 1, 2]


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        (("webqa_train",), "no source named 'webqa_tain'; did you mean 'webqa_train'? (known: webqa_train)"),
        ((), "no source named 'webqa_tain' (the reader does not tell training files apart)"),
    ],
)
def test_a_source_that_is_not_known_is_refused(sources, problem):
    with pytest.raises(KexueError) as error:
        make_preprocessor(sources=sources).number_of("webqa_tain")

    assert str(error.value) == problem


# ------------------------------------------------------------- places of answers


@pytest.mark.parametrize(
    ("answers", "starts", "spans"),
    [
        (["鲁迅"], [], ((0, 2), (6, 8))),  # wherever it stands
        (["鲁迅"], [6], ((6, 8),)),  # unless it is known where
        (["鲁迅", "周树人"], [], ((0, 2), (3, 6), (6, 8))),
        (["周树人", "鲁迅"], [3, 0], ((0, 2), (3, 6))),
        (["鲁迅周树人先生"], [], ()),
        (["巴金"], [], ()),
        ([""], [], ()),
        ([], [], ()),
    ],
)
def test_the_places_of_answers(answers, starts, spans):
    assert find_spans("鲁迅（周树人鲁迅）", answers, starts, longest=3) == spans


def test_places_that_overlap_are_all_found():
    assert find_spans("哈哈哈", ["哈哈"], [], longest=20) == ((0, 2), (1, 3))


def test_answers_that_are_too_long_are_not_learned():
    assert find_spans("鲁迅是周树人", ["鲁迅", "周树人"], [0, 3], longest=2) == ((0, 2),)
    assert find_spans("鲁迅是周树人", ["鲁迅", "周树人"], [], longest=2) == ((0, 2),)


# ------------------------------------------------------------- training samples

PASSAGE = encoded("1936 年 ， 鲁迅 在 上海 逝世 。 人们 说 ： “ 鲁迅 是 民族 魂 。 ” 文集 有 许多 卷 。")
ANSWER = "鲁迅"
EXAMPLE = Example(
    encoded("谁 写 了 《 呐喊 》 ？"),
    (PASSAGE, encoded("巴金 写 了 《 家 》 。")),
    (find_spans(PASSAGE.text, [ANSWER], [], longest=20), ()),
)
AUGMENTATIONS = {
    "nothing": {},
    "cut": {"least_window": 5},
    "repeated": {"repeat_passage": 1.0, "window": 64},
    "repeated and cut": {"repeat_passage": 1.0, "window": 64, "least_window": 5},
    "without punctuation": {"strip_punctuation": 1.0, "window": 64},
    "all": {"repeat_passage": 0.5, "strip_punctuation": 0.5, "least_window": 4, "unanswered": 0.3, "window": 50},
}


def make_augmentation(*, window: int = 16, overlap: int = 4, **settings: object) -> Augmentation:
    none = {"least_window": window, "longest_window": window, "strip_punctuation": 0.0, "drop_words": 0.0,
            "unanswered": 0.0}  # fmt: skip
    preprocessor = make_preprocessor(window=window, overlap=overlap)
    return Augmentation(preprocessor, AugmentationConfig(**{**none, **settings}))  # type: ignore[arg-type]


def drawn(augmentation: Augmentation, seed: int, example: Example = EXAMPLE) -> tuple[str, list[str]]:
    """Return the text of a sample and what its labels point to: from each start to the next end."""
    sample, labels = augmentation.sample(example, np.random.default_rng(seed))
    text = "".join(map(chr, sample["passage"]))
    assert len(labels["start"]) == len(labels["end"]) == len(text)
    ends = np.flatnonzero(labels["end"])
    starts = np.flatnonzero(labels["start"])
    assert len(starts) == len(ends)
    return text, [text[start : end + 1] for start, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("settings", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_labels_point_to_the_answer_wherever_it_stands(settings):
    augmentation = make_augmentation(**settings)

    for seed in SEEDS:
        text, answers = drawn(augmentation, seed)

        assert answers == [ANSWER] * text.count(ANSWER)


@pytest.mark.parametrize("settings", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_a_sample_is_no_longer_than_a_window(settings):
    augmentation = make_augmentation(**settings)

    assert all(len(drawn(augmentation, seed)[0]) <= augmentation.config.longest_window for seed in SEEDS)


def test_samples_that_are_to_have_the_answer_have_it():
    augmentation = make_augmentation(least_window=4, unanswered=0.0)

    assert all(ANSWER in drawn(augmentation, seed)[0] for seed in SEEDS)


def test_samples_that_are_to_have_no_answer_come_from_passages_without_one():
    augmentation = make_augmentation(unanswered=1.0)

    assert all(drawn(augmentation, seed) == ("巴金写了《家》。", []) for seed in SEEDS)


def test_windows_begin_at_many_places():
    augmentation = make_augmentation(least_window=8)

    assert len({drawn(augmentation, seed)[0] for seed in SEEDS}) > 50


def test_a_passage_that_is_read_twice_has_its_answers_twice():
    example = Example(EXAMPLE.question, (encoded("鲁迅 ， 绍兴 人 。"),), (((0, 2),),))

    text, answers = drawn(make_augmentation(repeat_passage=1.0), 0, example)

    assert (text, answers) == ("鲁迅，绍兴人。鲁迅，绍兴人。", ["鲁迅", "鲁迅"])


def test_marks_around_an_answer_go_with_the_punctuation():
    passage = encoded("小说 集 《 呐喊 》 1923 年 出版 。")
    example = Example(EXAMPLE.question, (passage,), (find_spans(passage.text, ["《呐喊》"], [], longest=20),))

    found = drawn(make_augmentation(strip_punctuation=1.0, window=64), 0, example)

    assert found == ("小说集呐喊1923年出版", ["呐喊"])


def test_an_answer_that_is_punctuation_goes_with_it():
    example = Example(EXAMPLE.question, (encoded("好 ！ ？"),), (((1, 3),),))

    assert drawn(make_augmentation(strip_punctuation=1.0), 0, example) == ("好", [])


def test_a_passage_of_punctuation_may_become_empty():
    example = Example(EXAMPLE.question, (encoded("。 。 。"),), ((),))

    assert drawn(make_augmentation(strip_punctuation=1.0), 0, example) == ("", [])


def test_hidden_words_have_no_id_and_no_vector_and_the_labels_stay():
    plain, hiding = (make_augmentation(least_window=5, drop_words=share) for share in (0.0, 0.5))
    for seed in SEEDS:
        (whole, whole_labels), (sample, labels) = (
            augmentation.sample(EXAMPLE, np.random.default_rng(seed)) for augmentation in (plain, hiding)
        )

        is_hidden = sample["passage"] == UNKNOWN
        np.testing.assert_array_equal(sample["passage"], np.where(is_hidden, UNKNOWN, whole["passage"]))
        np.testing.assert_array_equal(labels["start"], whole_labels["start"])
        np.testing.assert_array_equal(labels["end"], whole_labels["end"])


def test_a_word_is_hidden_whole_and_in_the_question_too():
    augmentation = make_augmentation(drop_words=1.0)

    sample, _ = augmentation.sample(EXAMPLE, np.random.default_rng(0))

    assert set(sample["passage"]) == set(sample["question"]) == {UNKNOWN}
    for seed in SEEDS:
        hidden = PASSAGE.hide(0.0, np.random.default_rng(seed))
        assert not (hidden.ids == UNKNOWN).any()
        part = PASSAGE.hide(0.3, np.random.default_rng(seed))
        by_word = np.bincount(part.word_of, part.ids == UNKNOWN) / np.bincount(part.word_of)
        assert set(by_word) <= {0, 1}
        np.testing.assert_array_equal(part.rows, np.where(by_word == 1, 0, PASSAGE.rows))


def test_a_sample_depends_on_the_generator_and_nothing_else():
    augmentation = make_augmentation(**AUGMENTATIONS["all"], drop_words=0.2)
    example = Example(EXAMPLE.question, (*EXAMPLE.passages, encoded("鲁迅 。")), (*EXAMPLE.spans, ((0, 2),)))
    first = [augmentation.sample(example, np.random.default_rng(seed)) for seed in SEEDS]

    again = [augmentation.sample(example, np.random.default_rng(seed)) for seed in reversed(SEEDS)]

    for one, other in zip(first, reversed(again), strict=True):
        for arrays, others in zip(one, other, strict=True):
            assert arrays.keys() == others.keys()
            assert all(np.array_equal(arrays[name], others[name]) for name in arrays)


def test_drawing_samples_leaves_the_example_as_it_is():
    before = "".join(map(chr, PASSAGE.ids)), PASSAGE.rows.copy()

    for seed in SEEDS:
        make_augmentation(**AUGMENTATIONS["all"], drop_words=0.5).sample(EXAMPLE, np.random.default_rng(seed))

    assert "".join(map(chr, PASSAGE.ids)) == before[0] == PASSAGE.text
    np.testing.assert_array_equal(PASSAGE.rows, before[1])


@given(st.text(st.sampled_from("鲁迅，。写"), min_size=1), st.integers(0, 2**32), st.integers(2, 20))
def test_labels_point_to_the_answer_in_any_passage(text, seed, window):
    passage = encoded(" ".join(text))  # each character a word
    example = Example(encoded("谁"), (passage,), (find_spans(text, ["鲁迅"], [], longest=20),))
    settings = {"least_window": 2, "strip_punctuation": 0.5, "repeat_passage": 0.5, "unanswered": 0.2}

    _, answers = drawn(make_augmentation(window=window, overlap=1, **settings), seed, example)

    assert set(answers) <= {"鲁迅"}


def test_the_least_window_is_at_most_the_longest():
    with pytest.raises(KexueError, match=r"least_window must be at least 1 and at most .*, 16; found 17"):
        make_augmentation(window=16, least_window=17)


def test_the_settings_as_they_come_fit_together():
    preprocessor, augmentation, decoding = PreprocessorConfig(), AugmentationConfig(), DecodingConfig()

    assert augmentation.longest_window <= preprocessor.window  # what is learned on is no longer than what is read
    assert decoding.longest_answer <= preprocessor.overlap  # no answer is lost between two windows
    assert augmentation.longest_answer <= decoding.longest_answer  # what is learned can be answered


def test_an_answer_of_several_parts_stands_where_its_parts_stand():
    text = "金砖国家有巴西、俄罗斯和印度。"

    assert find_spans(text, ["巴西 俄罗斯"], [], longest=20) == ((5, 7), (8, 11))


def test_a_share_of_the_samples_does_not_say_what_file_they_are_from():
    config = AugmentationConfig(hide_source=0.3)
    augmentation = Augmentation(make_preprocessor(sources=("a", "b")), config)
    example = Example(encoded("谁 ？"), (encoded("鲁迅 。"),), (((0, 2),),), source="b")

    numbers = [int(augmentation.sample(example, np.random.default_rng(seed))[0]["source"]) for seed in range(300)]

    assert set(numbers) == {0, 2}
    assert 60 < numbers.count(0) < 120  # of 300; 90 are to be expected
