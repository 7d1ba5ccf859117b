"""Samples of raw text: what is hidden is whole words, and what is to be guessed is what stood there."""

from dataclasses import replace

import numpy as np
import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder.config import LanguageModelConfig, PretrainingConfig
from kexue_cli.tasks.encoder.trainee import LanguageModel
from kexue_cli.tasks.encoding import EncodingConfig
from kexue_cli.text.vocabulary import PADDING, UNKNOWN

TEXTS = ["我爱北京天安门", "天安门在北京"] * 20
PRETRAINING = PretrainingConfig(length=16, hidden=0.3, least_count=2, development=3)
CONFIG = LanguageModelConfig(preprocessor=EncodingConfig(words=""), pretraining=PRETRAINING)


@pytest.fixture(scope="module")
def model():
    return LanguageModel(TEXTS, CONFIG)


def test_texts_follow_each_other_with_padding_between_them(model):
    characters = dict(enumerate("|?" + "".join(model.vocabulary.characters)))

    text = "".join(characters[int(index)] for index in model.ids.ravel())

    assert text == "|".join(TEXTS * 2)[: len(text)]  # 20 x (8 + 7) = 300 characters, 18 samples of 16
    assert model.ids.shape == (18, 16)
    assert len(model) == 17  # a tenth at most is kept for development


def test_a_share_of_the_texts_is_read_without_punctuation():
    def marks(share):
        pretraining = replace(PRETRAINING, strip_punctuation=share)
        model = LanguageModel(["北京，我爱北京。"] * 200, replace(CONFIG, pretraining=pretraining))
        return int((model.ids == model.vocabulary.ids("。")).sum())

    assert marks(1.0) == 0
    assert marks(0.0) == 199  # 8 characters and padding a text: 112 samples of 16 end in the last one
    assert 70 < marks(0.5) < 130


def test_what_is_to_be_guessed_stood_at_the_hidden_places(model):
    for index in range(len(model)):
        inputs, labels = model.sample(index, np.random.default_rng(index))
        whole = model.ids[model.training[index]]
        hidden = inputs["hidden"]
        assert (inputs["text"][hidden] == UNKNOWN).all()
        assert labels["characters"].tolist() == whole[hidden].tolist()
        rest = np.delete(np.arange(16), hidden)
        assert inputs["text"][rest].tolist() == whole[rest].tolist()
        assert PADDING not in labels["characters"] or len(hidden) == 1


def test_words_are_hidden_whole(model):
    beijing = model.vocabulary.ids("北京").tolist()
    cut = 0
    for seed in range(50):
        inputs, _ = model.sample(0, np.random.default_rng(seed))
        whole = model.ids[model.training[0]].tolist()
        start = whole.index(beijing[0])
        first, second = inputs["text"][start : start + 2] == UNKNOWN
        assert first == second
        cut += bool(first)
    assert 5 < cut < 25  # about 0.3 of 50


def test_the_same_generator_gives_the_same_sample(model):
    ones, others = (model.sample(3, np.random.default_rng(7))[0] for _ in range(2))

    assert ones["hidden"].tolist() == others["hidden"].tolist()


def test_too_little_text_is_refused():
    with pytest.raises(KexueError, match="at least 1280 characters"):
        LanguageModel(TEXTS[:4], replace(CONFIG, pretraining=PretrainingConfig(least_count=1)))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_that_hides_nothing_or_all_is_refused(share):
    with pytest.raises(KexueError, match=r"pretraining\.hidden must be above 0 and below 1"):
        PretrainingConfig(hidden=share)
