"""kexue train similarity: a tiny model that learns a few questions by heart, and what it is told meanwhile.

That a training may be killed and resumed is tested for qa; all have the same loop. The data: sentence_encoders.py.
"""

import json
import sys
from dataclasses import asdict

import pytest
from conftest import one_error
from sentence_encoders import (
    DATA,
    FILES,
    PAIRS,
    TINY,
    groups_of,
    lines_of,
    rows_of,
    train,
    trained_model,
    write_data,
)

WRITTEN = {"README.md", "SHA256SUMS", "config.json", "metrics.json", "network.onnx", "network.weights.h5",
         "training.jsonl", "training.png", "vocabulary.txt"}  # fmt: skip
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip
ALONE = (sys.executable, "-c", WITHOUT_KERAS)


@pytest.fixture
def data(tmp_path):
    """The command, in a folder with its data."""
    write_data(tmp_path)
    return ["train", "similarity", *FILES, "-o", "model"]


@pytest.fixture(scope="module")
def model():
    """The folder of a model that has learned, and what was said meanwhile."""
    _, folder, said = trained_model()
    return folder, said


# ------------------------------------------------------------- what is written


def test_a_model_folder_holds_all_it_needs(model, kexue):
    folder, _ = model

    assert {path.name for path in folder.iterdir()} == WRITTEN
    assert {path.name for path in folder.parent.iterdir()} == {*DATA, "model"}
    assert kexue("models", "verify", folder).returncode == 0
    card = (folder / "README.md").read_text("utf-8")
    assert "kexue train similarity groups.jsonl pairs.tsv --dev dev.jsonl --dev dev.tsv" in card


def test_pairs_and_groups_that_are_read_are_told_and_what_is_left_out(model):
    _, said = model

    assert said[0] == (
        "groups.jsonl, pairs.tsv: 6 labelled pairs, 6 groups of 16 texts, 1 left out (a pair without a label)"
    )
    assert said[1] == "dev.jsonl, dev.tsv: 8 labelled pairs, 3 groups of 6 texts"
    assert said[2].startswith("22 samples, 32 batches at most; ")
    assert said[3].startswith("epoch 1: loss ")
    assert said[-1].startswith("model: top1 1.0, mrr 1.0, accuracy 1.0, spearman 0.")


def test_the_settings_are_written_out_in_full(model):
    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.similarity.config import SimilarityConfig
    from kexue_cli.training.config import TrainingConfig

    folder, _ = model
    config = json.loads((folder / "config.json").read_text("utf-8"))

    assert (config.pop("format"), config.pop("task")) == (1, "similarity")
    loop = TrainingConfig(epochs=8, batch_size=6, learning_rate=0.05, ema_momentum=0.5)
    assert config.pop("training") == asdict(loop)
    assert config == json.loads(json.dumps(asdict(from_mapping(SimilarityConfig, config, "config.json"))))
    assert config["network"]["vocabulary_size"] == len((folder / "vocabulary.txt").read_text("utf-8").splitlines())
    assert len(config["preprocessor"]["digests"]) == 2
    assert config["decoding"]["threshold"] != SimilarityConfig().decoding.threshold  # it is the best for development


def test_the_course_of_the_training_and_its_scores_are_kept(model):
    folder, _ = model
    course = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))

    assert [entry["epoch"] for entry in course] == list(range(1, len(course) + 1))
    assert course[-1]["loss"] < course[0]["loss"]
    spearman = metrics["development"].pop("spearman")  # all of one label are ties, so it cannot be 1
    assert 0.8 < spearman < 1
    assert metrics["development"] == {"top1": 1, "mrr": 1, "accuracy": 1, "score": 1}
    assert metrics["data"] == {"files": "groups.jsonl pairs.tsv", "examples": 12, "development examples": 11}


# ------------------------------------------------------------- what is learned


def test_prediction_and_evaluation_need_neither_keras_nor_tensorflow(model, kexue):
    folder, _ = model
    lines = "".join(f"{one}\t{other}\n" for one, other, _ in PAIRS[:4])

    predicted = kexue("predict", "similarity", "-m", folder, "--text", stdin=lines, command=ALONE)
    of_pairs, of_groups = (
        kexue("evaluate", "similarity", "-m", folder, folder.parent / name, "--json", command=ALONE)
        for name in ("dev.tsv", "dev.jsonl")
    )

    assert [json.loads(line)["similar"] for line in predicted.lines] == [bool(label) for *_, label in PAIRS[:4]]
    assert (of_pairs.returncode, of_pairs.stderr) == (of_groups.returncode, of_groups.stderr) == (0, "")
    assert [json.loads(of_pairs.stdout)[name] for name in ("records", "accuracy", "f1")] == [8, 1, 1]
    assert [json.loads(of_groups.stdout)[name] for name in ("records", "texts", "top1", "mrr")] == [3, 6, 1, 1]


def test_the_network_says_in_keras_what_it_says_in_onnx_runtime(model):
    import numpy as np

    from kexue_cli import loader
    from kexue_cli.tasks.similarity.network import build_networks
    from kexue_cli.training.trainer import NetworkRuntime

    folder, _ = model
    task = loader.load(str(folder)).with_settings()  # one of our own, to be changed
    texts = ["怎么借书", "几点关门", "可以停车吗", "Ａ", "想借一本书" * 9, ""]
    found = task.vectors(texts)
    [network] = build_networks(json.loads((folder / "config.json").read_text("utf-8"))["network"]).values()
    network.load_weights(folder / "network.weights.h5")

    task.runtime = NetworkRuntime(network)

    np.testing.assert_allclose(task.vectors(texts), found, atol=1e-5)


# Each costs a training: pairs alone, of which a tenth is kept, and groups alone, told from vectors of the others.
@pytest.mark.parametrize(("arguments", "data_of_card", "scores"), [
    (["pairs.jsonl"], {"files": "pairs.jsonl", "examples": 18, "development examples": 2}, {"accuracy", "spearman"}),
    (["groups.jsonl", "--dev", "dev.jsonl", "--set", "loss.contrast=classes"],
     {"files": "groups.jsonl", "examples": 6, "development examples": 3}, {"top1", "mrr"}),
], ids=["pairs", "groups"])  # fmt: skip
def test_either_may_be_learned_from_alone(kexue, tmp_path, arguments, data_of_card, scores):
    pytest.importorskip("tensorflow")
    write_data(tmp_path)
    labelled = [{"text_a": one, "text_b": other, "label": label} for one, other, label in PAIRS[:4] * 5]
    (tmp_path / "pairs.jsonl").write_text(lines_of(*labelled), "utf-8")

    train(tmp_path, *arguments)

    assert kexue("models", "verify", "./model").returncode == 0
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text("utf-8"))
    assert metrics["data"] == data_of_card
    assert metrics["development"].keys() == scores | {"score"}
    losses = [json.loads(line)["loss"] for line in (tmp_path / "model" / "training.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]


# ------------------------------------------------------------- what is read


def test_a_published_form_may_be_named(data, kexue, tmp_path):
    (tmp_path / "rows.txt").write_text("1\t怎么借书\n1\t借书要怎么办\n2\t几点开门\n2\t什么时候开门\n", "utf-8")
    command = ("train", "similarity", "rows.txt", "--format", "groups", "--dev", "rows.txt", "-o", "model", "--resume")

    done = kexue(*command, command=ALONE)  # goes no further than that

    assert done.stderr.splitlines()[0] == "rows.txt: 2 groups of 4 texts"


# ------------------------------------------------------------- mistakes


@pytest.mark.parametrize(("lines", "problem"), [
    ('{"colour": "red"}\n', "groups.jsonl:1: a record must be a pair or a group, "),
    (groups_of([["怎么借书"]]) + '{"texts": []}\n', "groups.jsonl:2: texts must hold at least one text; found []"),
    (groups_of([["怎么借书", 3]]), "groups.jsonl:1: texts[1] must be a string; found 3"),
    ('{"text_a": "怎么借书", "text_b": "借书", "label": "1"}\n', 'groups.jsonl:1: label must be a number; found "1"'),
    (groups_of([["怎么借书"]]) + "[]\n", "groups.jsonl:2: not a JSON object; found list; allowed: {...}"),
])  # fmt: skip
def test_a_bad_record_is_named_before_keras_is_looked_for(data, kexue, tmp_path, lines, problem):
    (tmp_path / "groups.jsonl").write_text(lines, "utf-8")

    done = kexue(*data, command=ALONE)

    assert done.returncode == 1
    assert one_error(done).startswith(problem)
    assert {path.name for path in tmp_path.iterdir()} == DATA


def test_pairs_without_labels_alone_are_nothing_to_learn_from(data, kexue, tmp_path):
    (tmp_path / "pairs.tsv").write_text(rows_of([("怎么借书", "借书", "?")]), "utf-8")

    done = kexue("train", "similarity", "pairs.tsv", "-o", "model", "-q", command=ALONE)

    assert (done.returncode, one_error(done)) == (1, "pairs.tsv: there is neither a labelled pair nor a group")


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--set", "loss.groups=am_softmax"], 1, "loss.groups: no loss named 'am_softmax'; did you mean 'am-softmax'?"),
    (["--set", "loss.contrast=all"], 1, "loss.contrast must be one of batch, classes, both; found 'all'"),
    (["--set", "network.widht=8"], 1, "settings.network: no setting named 'widht'; did you mean 'width'?"),
    (["--set", "decoding.threshold=2"], 1, "decoding.threshold must be from -1 to 1; found 2"),
    (["--dev", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--resume"], 1, "there is no training to resume"),
    (["--format", "squad"], 2, "--format squad holds records of qa, not of similarity"),
    (["-o", ""], 2, "--output must name a folder"),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_leaves_nothing(data, kexue, tmp_path, options, status, problem):
    done = kexue(*data, *TINY, "-q", *options, command=ALONE)

    assert done.returncode == status
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == DATA


def test_too_few_records_to_keep_some_for_development(kexue, tmp_path):
    (tmp_path / "few.tsv").write_text(rows_of(PAIRS[:6]), "utf-8")

    done = kexue("train", "similarity", "few.tsv", "-o", "model", "-q", command=ALONE)

    assert done.returncode == 1
    assert one_error(done) == "6 records are too few to keep a tenth for development; give --dev FILE"


def test_groups_of_one_text_cannot_tell_which_epoch_is_best(kexue, tmp_path):
    (tmp_path / "log.jsonl").write_text(groups_of([[text] for text in "甲乙丙丁戊己庚辛壬癸"]), "utf-8")

    done = kexue("train", "similarity", "log.jsonl", "-o", "model", "-q", command=ALONE)

    assert done.returncode == 1
    assert one_error(done) == (
        "all records kept for development are groups of one text, which has no other one to find; "
        "give --dev FILE with labelled pairs, or groups of two and more"
    )
