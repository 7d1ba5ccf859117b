"""kexue train generation: tiny models that learn reviews and couplets by heart, and what is told meanwhile.

That a training may be killed and resumed is tested for qa; all have the same loop. The data: language_models.py.
"""

import json
import sys
from dataclasses import asdict

import pytest
from conftest import one_error
from language_models import (
    DATA,
    OF_REVIEWS,
    SETTINGS,
    TINY,
    condition_of,
    lines_of,
    reviews,
    train,
    trained_couplets,
    trained_reviews,
    write_data,
)

WRITTEN = {"README.md", "SHA256SUMS", "condition.onnx", "condition.weights.h5", "config.json", "decoder.onnx",
           "decoder.weights.h5", "metrics.json", "training.jsonl", "training.png", "values.json",
           "vocabulary.txt"}  # fmt: skip
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip
ALONE = (sys.executable, "-c", WITHOUT_KERAS)


@pytest.fixture
def data(tmp_path):
    """The command, in a folder with its data."""
    write_data(tmp_path)
    return ["train", "generation", *OF_REVIEWS, "-o", "model"]


@pytest.fixture(scope="module")
def model():
    """The folder of a model of reviews, and what was said meanwhile."""
    _, folder, said = trained_reviews()
    return folder, said


def config_of(folder) -> dict:
    return json.loads((folder / "config.json").read_text("utf-8"))


# ------------------------------------------------------------- what is written


def test_a_model_folder_holds_all_it_needs(model, kexue):
    folder, _ = model

    assert {path.name for path in folder.iterdir()} == WRITTEN
    assert {path.name for path in folder.parent.iterdir()} == {*DATA, "model"}
    assert kexue("models", "verify", folder).returncode == 0
    assert "kexue train generation reviews.jsonl --dev dev.jsonl -o model" in (folder / "README.md").read_text("utf-8")


def test_texts_that_are_read_are_told(model):
    _, said = model

    assert said[0] == "reviews.jsonl: 64 texts of 576 characters"
    assert said[1] == "dev.jsonl: 8 texts of 72 characters"
    assert said[2].startswith("64 samples, 160 batches at most; ")
    assert said[3].startswith("epoch 1: loss ")
    assert said[-1].startswith("model: likelihood 0.9")


def test_the_settings_are_written_out_in_full(model):
    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.generation.config import GenerationConfig
    from kexue_cli.training.config import TrainingConfig

    folder, _ = model
    config = config_of(folder)

    assert (config.pop("format"), config.pop("task")) == (1, "generation")
    loop = {name.removeprefix("training."): value for name, value in SETTINGS.items() if name.startswith("training.")}
    assert config.pop("training") == asdict(TrainingConfig(**loop))
    assert config == json.loads(json.dumps(asdict(from_mapping(GenerationConfig, config, "config.json"))))
    characters = len((folder / "vocabulary.txt").read_text("utf-8").splitlines())
    assert config["network"]["vocabulary_size"] == characters + 2  # the marks of beginning and end
    assert config["network"]["values"] == [3, 3]  # two each, and what is not told


def test_the_values_of_categories_are_those_that_were_seen(model):
    folder, _ = model

    assert json.loads((folder / "values.json").read_text("utf-8")) == {"cat": ["手机", "水果"], "label": ["0", "1"]}
    assert config_of(folder)["fields"]["categories"] == ["cat", "label"]


def test_the_course_of_the_training_and_its_scores_are_kept(model):
    folder, _ = model
    course = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))

    assert [entry["epoch"] for entry in course] == list(range(1, len(course) + 1))
    assert course[-1]["loss"] < course[0]["loss"]
    likelihood, perplexity = (metrics["development"][name] for name in ("likelihood", "perplexity"))
    assert likelihood == pytest.approx(1 / perplexity, abs=1e-3)
    assert metrics["data"] == {
        "files": "reviews.jsonl", "texts": 64, "characters": 576, "development texts": 8
    }  # fmt: skip


def test_the_networks_say_in_keras_what_they_say_in_onnx_runtime(model):
    import numpy as np

    from kexue_cli import loader
    from kexue_cli.tasks.generation.network import build_networks
    from kexue_cli.tasks.generation.records import Text
    from kexue_cli.training.trainer import NetworkRuntime

    folder, _ = model
    task = loader.load(str(folder)).with_settings()  # one of our own, to be changed
    texts = [Text(one["condition"], one["text"]) for one in reviews()] + [Text({}, "很" * 50), Text({}, "")]
    found = task.log_likelihoods(texts)
    networks = build_networks(config_of(folder)["network"])
    for name, network in networks.items():
        network.load_weights(folder / f"{name}.weights.h5")

    task.networks = {name: NetworkRuntime(network) for name, network in networks.items()}

    np.testing.assert_allclose(task.log_likelihoods(texts), found, atol=1e-3)


def test_fields_of_other_names_and_a_conditioning_text():
    _, folder, said = trained_couplets()

    fields = config_of(folder)["fields"]
    assert (fields["text"], fields["target"], fields["categories"]) == ("first", "second", [])
    assert config_of(folder)["decoding"]["mirror"]
    assert said[0] == "couplets.jsonl: 64 texts of 192 characters"  # of second lines: 2 + 2 + 3 + 5 sixteen times


# Costs a training, of which a tenth is kept.
def test_numbers_and_a_vector_may_be_the_condition(kexue, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    records = [
        {"stars": stars, "picture": [one, 1 - one, 0.5], "cat": "手机", "review": "很" * stars}
        for stars in (1, 2, 3) for one in (0, 1)
    ] * 5  # fmt: skip
    untold = {"stars": None, "picture": None, "cat": None, "review": "很很"}
    empty = {**records[0], "review": " "}
    (tmp_path / "stars.jsonl").write_text(lines_of(*records, untold, empty), "utf-8")

    said = train(tmp_path, "stars.jsonl", "--condition", "cat,picture", "--condition-number", "stars", "--target",
                 "review", "--set", "training.epochs=1")  # fmt: skip

    assert said[0] == "stars.jsonl: 31 texts of 62 characters, 1 left out (empty)"
    fields = config_of(tmp_path / "model")["fields"]
    assert (fields["categories"], fields["numbers"]) == (["cat"], ["stars"])
    assert (fields["vector"], fields["vector_size"], fields["target"]) == ("picture", 3, "review")
    assert fields["means"] == [pytest.approx(2, abs=0.3)]
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text("utf-8"))
    assert (metrics["data"]["texts"], metrics["data"]["development texts"]) == (28, 3)
    asked = lines_of({"stars": 2.5, "picture": [0, 1, 0]}, {"condition": {"stars": None}}, {"picture": [1, 0]})
    done = kexue("predict", "generation", "-m", "./model", stdin=asked)
    assert (done.returncode, len(done.lines)) == (1, 2)
    assert one_error(done).startswith("standard input:3: condition.picture must be a list of 3 numbers; found [1, 0]")


def test_prediction_and_evaluation_need_neither_keras_nor_tensorflow(model, kexue):
    folder, _ = model

    predicted = kexue("predict", "generation", "-m", folder, stdin=lines_of(*reviews()), command=ALONE)
    evaluated = kexue("evaluate", "generation", "-m", folder, "--json", stdin=lines_of(*reviews()), command=ALONE)

    assert (predicted.returncode, predicted.stderr, len(predicted.lines)) == (0, "", 8)
    assert (evaluated.returncode, evaluated.stderr) == (0, "")


# ------------------------------------------------------------- mistakes


@pytest.mark.parametrize(("lines", "problem"), [
    ("{\n", "reviews.jsonl:1: not JSON at column 2"),
    (lines_of(reviews()[0], {"condition": {"cat": "手机"}}), "reviews.jsonl:2: missing field 'text'; found ['cond"),
    (lines_of({"cat": "手机", "text": "很好"}), "reviews.jsonl:1: missing field 'condition'; found ['cat', 'text']"),
    (lines_of({"condition": [], "text": "很好"}), "reviews.jsonl:1: condition must be an object; found []"),
    (lines_of({"condition": {"cat": {}}, "text": "好"}), "reviews.jsonl:1: condition.cat must be a string, a "),
    (lines_of(reviews()[0], {"condition": {}, "text": 3}), "reviews.jsonl:2: text must be a string; found 3"),
    (lines_of({"condition": condition_of(("手机", 1)), "text": " \n"}), "reviews.jsonl: there is no text"),
])  # fmt: skip
def test_a_bad_record_is_named_before_keras_is_looked_for(data, kexue, tmp_path, lines, problem):
    (tmp_path / "reviews.jsonl").write_text(lines, "utf-8")

    done = kexue(*data, command=ALONE)

    assert done.returncode == 1
    assert one_error(done).startswith(problem)
    assert {path.name for path in tmp_path.iterdir()} == DATA


def test_a_field_that_is_named_must_be_there(data, kexue):
    done = kexue("train", "generation", "couplets.jsonl", "--condition", "first,third", "-o", "model", command=ALONE)

    assert done.returncode == 1
    assert one_error(done) == "couplets.jsonl:1: missing field 'third'; found ['first', 'second']"


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--condition", "cat,,label"], 2, "fields must be named as in cat,label; found 'cat,,label'"),
    (["--condition-text", "first,second"], 2, "--condition-text takes one field"),
    (["--set", "network.widht=8"], 1, "settings.network: no setting named 'widht'; did you mean 'width'?"),
    (["--set", "decoding.top_p=0"], 1, "decoding.top_p must be above 0 and at most 1; found 0"),
    (["--dev", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--resume"], 1, "there is no training to resume"),
    (["-o", ""], 2, "--output must name a folder"),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_leaves_nothing(data, kexue, tmp_path, options, status, problem):
    done = kexue(*data, *TINY, "-q", *options, command=ALONE)

    assert done.returncode == status
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == DATA


def test_too_few_texts_to_keep_some_for_development(data, kexue):
    done = kexue("train", "generation", "dev.jsonl", "-o", "model", "-q", command=ALONE)

    assert (done.returncode, one_error(done)) == (
        1, "8 records are too few to keep a tenth for development; give --dev FILE"
    )  # fmt: skip


# Costs an import of TensorFlow.
def test_a_field_that_holds_something_of_another_kind_is_named(data, kexue):
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")

    done = kexue(*data, *TINY, "-q", "--condition-number", "cat")

    assert done.returncode == 1
    assert 'condition.cat must be a number; found "手机"' in one_error(done)


# ------------------------------------------------------------- beginning from another model


def test_a_training_goes_on_from_the_weights_of_another_model(model, kexue, data, tmp_path):
    """An epoch with a learning rate of almost 0 keeps what a model knows by heart."""
    folder, _ = model
    once = [*TINY, "--set", "training.epochs=1", "--set", "training.learning_rate=1e-9"]

    done = kexue(*data[:-2], "-o", "begun", "--threads", "1", "--from", folder, *once)

    assert done.returncode == 0, done.stderr
    before, after = (
        json.loads((one / "metrics.json").read_text("utf-8"))["development"]["likelihood"]
        for one in (folder, tmp_path / "begun")
    )
    assert before > 0.9
    assert after == pytest.approx(before, abs=1e-3)
    assert config_of(tmp_path / "begun")["network"] == config_of(folder)["network"]


def test_a_model_to_begin_from_must_write_texts(kexue, data, little_model):
    done = kexue(*data, "--from", little_model)

    assert done.returncode == 1
    assert one_error(done) == (
        f"{little_model} is a model for segmentation, not for generation; see: kexue models list"
    )
