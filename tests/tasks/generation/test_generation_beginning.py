"""What a model takes from the one that its training begins from."""

import json

import numpy as np
import pytest
from language_models import trained_reviews

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation import beginning
from kexue_cli.tasks.generation.conditions import Fields
from kexue_cli.tasks.generation.config import CONDITION, DECODER, FieldsConfig, GenerationConfig, NetworkConfig
from kexue_cli.tasks.generation.records import Text
from kexue_cli.tasks.generation.trainee import LanguageModel

PHONE = Text({"cat": "手机", "label": 1}, "屏幕很亮")
SAD = Text({"mood": "难过"}, "下雨了")


@pytest.fixture(scope="module")
def folder():
    """A model of reviews of 手机 and 水果, with labels 0 and 1."""
    return trained_reviews()[1]


def begun(folder, *texts, dropout=0.1):
    config = GenerationConfig(start=str(folder), network=NetworkConfig(dropout=dropout))
    return LanguageModel(texts, texts, config)


def weights_of(network):
    return {weight.path: np.asarray(weight) for weight in network.weights}


def test_characters_and_shape_are_those_of_the_model_and_dropout_is_ones_own(folder):
    model = begun(folder, PHONE, dropout=0.3)

    assert model.preprocessor.vocabulary.characters == beginning.load(str(folder)).preprocessor.vocabulary.characters
    its = json.loads((folder / "config.json").read_text("utf-8"))["network"]
    assert (model.config.network.width, model.config.network.depth) == (its["width"], its["depth"])
    assert model.config.network.dropout == 0.3


def test_another_shape_is_refused(folder):
    config = GenerationConfig(start=str(folder), network=NetworkConfig(depth=7))

    with pytest.raises(KexueError, match=r"network.depth is \d in .*; leave it out, or begin without --from"):
        LanguageModel([PHONE], [PHONE], config)


def test_values_that_the_new_texts_do_not_show_stay_known(folder):
    model = begun(folder, PHONE)

    assert model.preprocessor.fields.values == {"cat": ("手机", "水果"), "label": ("0", "1")}
    model.preprocessor.condition({"cat": "水果", "label": 0})


def test_of_the_same_fields_all_weights_are_taken(folder):
    model = begun(folder, PHONE)
    networks = model.networks(model.build())
    own = beginning.load(str(folder))
    again = begun(folder, PHONE)
    other = again.networks(again.build())

    assert own.preprocessor.fields.hold(model.preprocessor.fields)
    for name in (CONDITION, DECODER):
        ours, theirs = weights_of(networks[name]), weights_of(other[name])
        assert all(np.array_equal(ours[path], theirs[path]) for path in ours)
    values = weights_of(networks[CONDITION])["values/embeddings"]
    assert np.linalg.norm(values[1] - values[2]) > 1  # 手机 and 水果 are far apart
    assert any(weights_of(networks[DECODER])["last_normalization/scale/kernel"].ravel())


def test_of_other_fields_what_reads_the_condition_begins_anew(folder):
    same, other = begun(folder, PHONE), begun(folder, SAD)
    known, unknown = (weights_of(model.networks(model.build())[DECODER]) for model in (same, other))

    assert other.preprocessor.fields.values == {"mood": ("难过",)}
    assert np.array_equal(known["table/embeddings"], unknown["table/embeddings"])
    assert not unknown["last_normalization/scale/kernel"].any()
    assert not unknown["hidden_0_normalization/shift/kernel"].any()


@pytest.mark.parametrize(
    ("text", "is_held"),
    [
        (PHONE, True),
        (Text({"cat": "水果"}, ""), True),  # a field less
        (Text({"cat": "衣服"}, ""), False),  # a value more
        (Text({"cat": "手机", "price": 3}, ""), False),  # a field more
        (Text({"cat": [0.5, 1.0]}, ""), False),  # of another kind
    ],
)
def test_fields_hold_others_with_no_more_values(folder, text, is_held):
    own = beginning.load(str(folder)).preprocessor.fields

    assert own.hold(Fields.of([text], FieldsConfig())) is is_held


def test_fields_of_texts_and_numbers_are_held_by_their_names():
    lines = Fields.of([Text({"first": "天高", "year": 3}, "地厚")], FieldsConfig(text="first", numbers=("year",)))

    assert lines.hold(Fields.of([Text({"first": "春", "year": 1}, "")], FieldsConfig(text="first", numbers=("year",))))
    assert not lines.hold(
        Fields.of([Text({"line": "春", "year": 1}, "")], FieldsConfig(text="line", numbers=("year",)))
    )
    assert not lines.hold(
        Fields.of([Text({"first": "春", "age": 1}, "")], FieldsConfig(text="first", numbers=("age",)))
    )


def test_there_must_be_such_a_model():
    with pytest.raises(KexueError, match=r"no model folder \./none"):
        beginning.load("./none")
