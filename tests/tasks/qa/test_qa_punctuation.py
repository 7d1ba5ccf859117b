"""Punctuation for passages that have none: where other passages have it, and never inside an answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import encoded

from kexue_cli.errors import KexueError
from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder
from kexue_cli.tasks.qa.config import AugmentationConfig, PreprocessorConfig, ReaderConfig
from kexue_cli.tasks.qa.preprocessor import Augmentation, Example, Preprocessor
from kexue_cli.tasks.qa.punctuation import Punctuation, has_marks
from kexue_cli.tasks.qa.records import Passage, Question
from kexue_cli.tasks.qa.trainee import Reader
from kexue_cli.text.vocabulary import Vocabulary

ENCODER = Encoder(Vocabulary("。"), segmenter(), None)
# A mark stands behind 北京 and in front of 但 nine times of ten, and never elsewhere.
PASSAGES = [encoded("我 爱 北京 。 但 他 爱 上海")] * 9 + [encoded("我 爱 北京 但 他 爱 上海 。 好")]
WORDS = st.lists(st.sampled_from(["我", "爱", "北京", "但", "他", "上海", "葡萄"]), max_size=12)


@pytest.fixture(scope="module")
def punctuation():
    return Punctuation(ENCODER, PASSAGES)


def without(text):
    return text.replace("。", "")


def test_a_mark_is_likely_where_it_stood_between_the_same_words(punctuation):
    assert punctuation.chance("北京", "但") > 0.8
    assert punctuation.chance("我", "爱") < 0.05
    # of neighbours that were never seen, by what each of them alone is like
    assert punctuation.chance("北京", "葡萄") > 10 * punctuation.chance("我", "葡萄")


def test_marks_are_put_where_other_passages_have_them(punctuation):
    passage = encoded("我 爱 北京 但 他 爱 上海")
    found = [punctuation.insert(passage, [], np.random.default_rng(seed))[0].text for seed in range(100)]

    assert found.count("我爱北京。但他爱上海") > 80
    assert set(map(without, found)) == {passage.text}


@given(words=WORDS, seed=st.integers(0, 1000), data=st.data())
def test_answers_stay_what_they_are_and_words_too(punctuation, words, seed, data):
    passage = encoded(" ".join(words))
    places = st.integers(0, len(passage.text))
    pairs = data.draw(st.lists(st.tuples(places, places).filter(lambda pair: pair[0] < pair[1]), max_size=3))

    marked, spans = punctuation.insert(passage, pairs, np.random.default_rng(seed))

    assert [marked.text[start:end] for start, end in spans] == [passage.text[start:end] for start, end in pairs]
    assert "".join(marked.words) == marked.text
    assert [word for word in marked.words if word != "。"] == words
    assert [marked.words[index] for index in dict.fromkeys(marked.word_of.tolist())] == list(marked.words)
    kept = [character != "。" for character in marked.text]
    assert marked.ids[kept].tolist() == passage.ids.tolist()


def test_only_passages_without_marks_are_given_some(punctuation):
    preprocessor = Preprocessor(ENCODER, PreprocessorConfig(words="", features=()))
    settings = {"strip_punctuation": 0.0, "drop_words": 0.0, "unanswered": 0.0, "add_punctuation": 1.0}
    augmentation = Augmentation(preprocessor, AugmentationConfig(**settings), punctuation)

    def size(words):
        example = Example(encoded("谁"), (encoded(words),), (((0, 1),),))
        return {len(augmentation.sample(example, np.random.default_rng(seed))[0]["passage"]) for seed in range(30)}

    assert size("我 爱 北京 但 他 爱 上海") == {9, 10}  # characters, and mostly one mark
    assert size("我 。 爱 北京 但 他 爱 上海") == {10}
    assert has_marks(encoded("我 , 爱"))  # in normal form a comma is half as wide
    assert not has_marks(encoded("我 《 爱 》"))


def test_without_any_punctuation_to_learn_from_there_is_one_error():
    question = Question("谁写了《呐喊》？", (Passage("呐喊是鲁迅写的", ("鲁迅",)),))
    config = ReaderConfig(
        encoder="", preprocessor=PreprocessorConfig(words=""), augmentation=AugmentationConfig(add_punctuation=0.5)
    )

    with pytest.raises(KexueError, match=r"no passage has punctuation .*; leave out augmentation\.add_punctuation"):
        Reader([question] * 3, [], config)
