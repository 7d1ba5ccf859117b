"""What a language model learns from: each character of a text from those before it, with its condition or without.

That a training goes on where it stopped is tested for qa; all have the same loop.
"""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation import load
from kexue_cli.tasks.generation.config import (
    CONDITION,
    DECODER,
    AugmentationConfig,
    FieldsConfig,
    GenerationConfig,
    NetworkConfig,
)
from kexue_cli.tasks.generation.records import Text
from kexue_cli.tasks.generation.trainee import LanguageModel
from kexue_cli.training.config import TrainingConfig
from kexue_cli.training.trainer import Reports, Trainer
from kexue_cli.zoo import CONFIG

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

APPLE = Text({"cat": "水果", "label": 1}, "苹果很甜")
PHONE = Text({"cat": "手机", "label": 0}, "屏幕很暗")
TEXTS = [APPLE, PHONE] * 2  # a character is known that occurs twice
LINES = [Text({"first": "天高"}, "地厚"), Text({"first": "春风来"}, "秋雨去")] * 2
OF_LINES = {"fields": FieldsConfig(text="first")}


def make(training=TEXTS, development=(), *, drop=0.0, network=None, **more):
    """What is trained, always with its condition unless it is to be dropped."""
    shape = {"width": 8, "depth": 1, "heads": 2, "condition": 4, "longest": 16, "runs": (2,), "buckets": 16,
             "run_size": 2, "dropout": 0.0, **(network or {})}  # fmt: skip
    config = GenerationConfig(network=NetworkConfig(**shape), augmentation=AugmentationConfig(drop), **more)
    return LanguageModel(training, development, config)


def readable(model, ids):
    """Ids as a text: | for padding, ? for unknown, ^ and $ for the marks of beginning and end."""
    characters = "|?" + "".join(model.preprocessor.vocabulary.characters) + "^$"
    return "".join(characters[one] for one in ids)


def sample_of(model, index=0, seed=0):
    """What is seen and what is to be told of it, readable, and all inputs."""
    inputs, labels = model.sample(index, np.random.default_rng(seed))
    return readable(model, inputs["ids"]), readable(model, labels["characters"]), inputs


# ------------------------------------------------------------- samples


def test_each_character_is_learned_from_those_before_it_and_the_end_from_all():
    model = make()

    assert len(model) == 4
    assert sample_of(model, 0)[:2] == ("^苹果很甜", "苹果很甜$")
    assert sample_of(model, 1)[:2] == ("^屏幕很暗", "屏幕很暗$")


def test_a_condition_is_the_numbers_of_its_values():
    # cat: 0 not told, 1 手机, 2 水果; label: 3 not told, 4 for 0, 5 for 1
    model = make([*TEXTS, Text({"label": 1}, "很甜")])

    assert [sample_of(model, index)[2]["categories"].tolist() for index in (0, 1, 4)] == [[2, 5], [1, 4], [0, 5]]


def test_without_its_condition_a_text_is_learned_as_well():
    model = make(drop=1.0)

    samples = [sample_of(model, 0, seed) for seed in range(20)]

    assert {sample[:2] for sample in samples} == {("^苹果很甜", "苹果很甜$")}
    # cat: 0 not told, 2 水果; label: 3 not told, 5 for 1; both are never told
    assert {tuple(inputs["categories"].tolist()) for _, _, inputs in samples} == {(0, 3), (2, 3), (0, 5)}


def test_the_condition_is_dropped_as_often_as_told():
    model = make(drop=0.25)

    told = [sum(place not in (0, 3) for place in sample_of(model, 0, seed)[2]["categories"]) for seed in range(800)]

    # of the two fields both are told in three quarters; one or none of them in half of the rest each
    assert told.count(2) / 800 == pytest.approx(0.75, abs=0.07)
    assert told.count(1) / 800 == pytest.approx(0.125, abs=0.05)


def test_the_text_that_a_text_follows_is_seen_and_not_learned():
    seen, told, inputs = sample_of(make(LINES, **OF_LINES), 1)

    assert (seen, told) == ("春风来^秋雨去", "|||秋雨去$")
    assert len(inputs["source"]) == 3


def test_it_may_be_in_the_condition_alone():
    seen, told, inputs = sample_of(make(LINES, network={"has_prefix": False}, **OF_LINES), 1)

    assert (seen, told) == ("^秋雨去", "秋雨去$")
    assert len(inputs["source"]) == 3


def test_without_its_condition_a_text_follows_none():
    seen, told, inputs = sample_of(make(LINES, drop=1.0, **OF_LINES), 1)

    assert (seen, told) == ("^秋雨去", "秋雨去$")
    assert len(inputs["source"]) == 0


def test_a_long_text_is_learned_in_windows_each_character_once():
    model = make([Text({"cat": "水果"}, "苹果很甜，很好吃。再来一斤。")] * 2, network={"longest": 6})

    samples = [sample_of(model, index)[:2] for index in range(len(model) // 2)]

    assert samples == [("^苹果很甜，", "苹果很甜，很"), ("很好吃。再来", "好吃。再来一"), ("一斤。", "斤。$")]


def test_only_the_first_part_of_a_long_text_leaves_half_of_the_window_for_the_other():
    seen, told, _ = sample_of(make([Text({"first": "春风来" * 9}, "秋雨去")] * 2, **OF_LINES))

    assert (seen, told) == ("春风来春风来春风^秋雨去", "||||||||秋雨去$")  # 8 of 16


def test_runs_of_characters_that_are_the_same_share_a_vector():
    model = make([Text({"cat": "水果"}, "很甜很甜很")] * 2)

    _, _, inputs = sample_of(model)

    runs = inputs["runs"][:, 0]  # that end at ^ 很 甜 很 甜 很
    assert runs.shape == (6,)
    assert (runs[2], runs[3]) == (runs[4], runs[5])


# ------------------------------------------------------------- what is known


def test_characters_and_values_are_those_of_the_texts():
    development = [Text({"cat": "图书"}, "好看好看")]
    model = make([*TEXTS, Text({}, "脆")], development)

    assert set(model.preprocessor.vocabulary.characters) == set("苹果很甜屏幕暗")  # 脆 occurs once
    assert model.preprocessor.fields.values["cat"] == ("图书", "手机", "水果")
    assert model.config.network.vocabulary_size == 2 + 7 + 2
    assert model.config.network.values == (4, 3)
    assert sample_of(model, 4)[1] == "?$"


def test_runs_of_spaces_are_one_character():
    assert sample_of(make([Text({"cat": "水果"}, "很甜 \n很甜")] * 2))[0] == "^很甜▁很甜"


def test_without_a_text_there_is_nothing_to_learn():
    with pytest.raises(KexueError, match=r"^there is no text to learn from$"):
        make([])


def test_without_a_condition_there_is_nothing_to_write_under():
    with pytest.raises(KexueError, match=r"^no record has a condition; name its fields with --condition FIELD"):
        make([Text({}, "苹果很甜")])


# ------------------------------------------------------------- scores


def test_where_all_characters_are_as_likely_the_perplexity_is_their_number():
    model = make(TEXTS, TEXTS)
    size = 2 + 7 + 2

    def open_network(name):
        def run(inputs):
            if name == CONDITION:
                return {CONDITION: np.zeros((len(inputs["categories"]), 4), np.float32)}
            rows, length = inputs["ids"].shape
            state = np.zeros((rows, 2, length, 4), np.float32)
            return {"characters": np.zeros((rows, length, size)), "key_0": state, "value_0": state}

        return run

    assert model.evaluate(open_network) == {"perplexity": pytest.approx(size), "likelihood": pytest.approx(1 / size)}


def test_texts_for_development_are_compared_before_and_after_export():
    model = make(TEXTS, [APPLE, PHONE])
    networks = model.networks(model.build())

    samples = model.compared_samples(lambda name: lambda inputs: {CONDITION: np.zeros((2, 4), np.float32)})

    assert samples.keys() == networks.keys() == {CONDITION, DECODER}
    for name, network in networks.items():
        assert [sample.keys() for sample in samples[name]] == [{tensor.name for tensor in network.inputs}] * 2
    assert [readable(model, sample["ids"]) for sample in samples[DECODER]] == ["^苹果很甜$", "^屏幕很暗$"]


# ------------------------------------------------------------- training


def test_it_learns_its_texts_by_heart_and_can_be_loaded(tmp_path):
    config = TrainingConfig(epochs=12, batch_size=2, learning_rate=0.05, ema_momentum=0.5)
    trainer = Trainer(make(TEXTS * 2, TEXTS, drop=0.1), config, tmp_path, "mark")
    before = trainer.trainee.evaluate(trainer.open_network)

    trainer.train(Reports())

    after = trainer.trainee.evaluate(trainer.open_network)
    assert before["perplexity"] == pytest.approx(11, rel=0.3)  # nothing is known yet of 11 characters
    assert after["perplexity"] < 1.5
    folder = tmp_path / "model"
    folder.mkdir()
    settings = trainer.trainee.save(folder, trainer.open_network)
    write_json(folder / CONFIG, {"format": FORMAT, "task": "generation", **settings})
    model = load(folder, open_network=trainer.open_network).with_settings(temperature=0.0)
    answers = model.predict([{"condition": text.condition} for text in (APPLE, PHONE)])
    assert [answer["text"] for answer in answers] == [APPLE.text, PHONE.text]
