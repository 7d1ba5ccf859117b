"""What a reader is before its training: settings that follow from the data, and those that do not go with it."""

from dataclasses import replace

import numpy as np
import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.qa.config import DecodingConfig, NetworkConfig, PreprocessorConfig, ReaderConfig
from kexue_cli.tasks.qa.records import Passage, Question
from kexue_cli.tasks.qa.trainee import Reader

QUESTIONS = [
    Question("谁写了《呐喊》？", (Passage("《呐喊》是鲁迅的小说集。", ("鲁迅",)),), source=source)
    for source in ("webqa", "webqa", "my-questions", "webqa")
]


def make_reader(**settings: object) -> Reader:
    config = {"encoder": "", "preprocessor": PreprocessorConfig(words=""), **settings}
    return Reader(QUESTIONS, QUESTIONS, ReaderConfig(**config))  # type: ignore[arg-type]


def test_training_files_have_vectors_if_one_of_them_is_followed():
    reader = make_reader(decoding=DecodingConfig(source="webqa"))

    assert reader.config.preprocessor.sources == ("webqa", "my-questions")  # each once, in their order
    assert reader.config.network.sources == 2
    assert [example.source for example in reader.examples] == ["webqa", "webqa", "my-questions", "webqa"]


def test_else_training_files_are_all_the_same():
    reader = make_reader()

    assert (reader.config.preprocessor.sources, reader.config.network.sources) == ((), 0)


def test_a_source_must_be_one_of_the_training_files():
    with pytest.raises(KexueError, match=r"no source named 'webqa2'; did you mean 'webqa'\? .known: webqa, my-quest"):
        make_reader(decoding=DecodingConfig(source="webqa2"))


@pytest.mark.parametrize(
    "settings",
    [
        {"preprocessor": PreprocessorConfig(), "network": NetworkConfig(width=8)},
        {"preprocessor": PreprocessorConfig(window=64, overlap=8)},
    ],
)
def test_a_training_that_goes_on_from_a_reader_has_its_network_and_reads_as_it_does(settings, little_reader):
    with pytest.raises(KexueError, match=r"(network|preprocessor) is that of .*; leave its settings out"):
        make_reader(start=(str(little_reader),), encoder="text-encoder", **settings)


def test_an_answer_below_the_threshold_scores_as_none_as_it_does_in_evaluation():
    reader = make_reader()
    first, last = reader.preprocessor.encoder.vocabulary.ids("鲁迅")

    class Pointing:
        """A network that is sure of 鲁迅, whose score is then 1 / 2."""

        device = "training"

        def __call__(self, inputs):
            return {
                name: (inputs["passage"] == end)[..., None].astype(np.float32)
                for name, end in (("start", first), ("end", last))
            }

    def f1(threshold):
        reader.config = replace(reader.config, decoding=DecodingConfig(threshold=threshold))
        return reader.evaluate(lambda name: Pointing())["f1"]

    assert (f1(0.0), f1(0.6)) == (1.0, 0.0)
