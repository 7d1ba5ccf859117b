"""kexue train qa: a reader from the sample data, as small as can be, and what a kill leaves of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE, one_error

from kexue_cli.zoo import data_folder

SAMPLE = data_folder() / "qa-sample"
KILL = Path(__file__).parents[2] / "benchmarks" / "kill.py"
FILES = {"README.md", "SHA256SUMS", "config.json", "metrics.json", "network.onnx", "network.weights.h5",
         "training.jsonl", "training.png", "vocabulary.txt"}  # fmt: skip
SETTINGS = {"encoder": '""', "network.width": 8, "network.question_rates": [1], "network.passage_rates": [1, 2],
            "preprocessor.words": '""', "training.epochs": 1, "training.batch_size": 16}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
TOML = """
encoder = ""
network = {width = 8, question_rates = [1], passage_rates = [1, 2]}
preprocessor.words = ""
[training]
epochs = 1
batch_size = 16
"""
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip


def lines(name, first, count):
    return "".join((SAMPLE / name).read_text("utf-8").splitlines(True)[first : first + count])


@pytest.fixture
def data(tmp_path):
    """./train.jsonl and ./dev.jsonl."""
    (tmp_path / "train.jsonl").write_text(lines("train.jsonl", 0, 48), "utf-8")
    (tmp_path / "dev.jsonl").write_text(lines("train.jsonl", 48, 10), "utf-8")
    return ["train", "qa", "train.jsonl", "--dev", "dev.jsonl", "-o", "reader", "--threads", "1"]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of a reader that was trained on all of the sample data, and what was said meanwhile."""
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(SAMPLE, folder / "qa-sample")
    done = subprocess.run([*COMMAND, "train", "qa", "qa-sample/train.jsonl", "-o", "reader", "--threads", "1", *TINY],
                          cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True)  # fmt: skip
    assert done.stdout == ""
    return folder / "reader", done.stderr.splitlines()


def test_a_model_folder_holds_all_it_needs(reader, kexue):
    folder, said = reader

    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.name for path in folder.parent.iterdir()} == {"qa-sample", "reader"}
    assert kexue("models", "verify", folder).returncode == 0
    assert said[0].startswith("train.jsonl: 700 questions")
    assert said[-2].startswith("epoch 1: loss ")
    assert said[-1].startswith("reader: exact_match ")
    assert "kexue train qa qa-sample/train.jsonl -o reader --threads 1" in (folder / "README.md").read_text("utf-8")


def test_the_settings_are_written_out_in_full(reader):
    from dataclasses import asdict

    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.qa.config import ReaderConfig
    from kexue_cli.training.config import TrainingConfig

    config = json.loads((reader[0] / "config.json").read_text("utf-8"))
    assert (config.pop("format"), config.pop("task")) == (1, "qa")
    loop = config.pop("training")

    assert loop == asdict(TrainingConfig(epochs=1, batch_size=16))
    assert config == json.loads(json.dumps(asdict(from_mapping(ReaderConfig, config, "config.json"))))
    assert config["network"]["vocabulary_size"] == len((reader[0] / "vocabulary.txt").read_text("utf-8").splitlines())
    assert len(config["preprocessor"]["digests"]) == 1


def test_the_course_of_the_training_and_its_scores_are_kept(reader):
    course = [json.loads(line) for line in (reader[0] / "training.jsonl").read_text().splitlines()]
    metrics = json.loads((reader[0] / "metrics.json").read_text("utf-8"))

    assert [entry["epoch"] for entry in course] == [1]
    assert metrics["development"]["score"] == round(course[0]["score"], 4)
    assert metrics["data"] == {"files": "train.jsonl", "questions": 630, "development questions": 70}


def test_prediction_and_evaluation_need_neither_keras_nor_tensorflow(reader, kexue):
    question = {"id": 7, "question": "谁写了《呐喊》？", "passages": ["《呐喊》是鲁迅的小说集。"]}
    alone = (sys.executable, "-c", WITHOUT_KERAS)

    answered = kexue("predict", "qa", "-m", reader[0], "--threshold", "0", stdin=json.dumps(question), command=alone)
    scored = kexue("evaluate", "qa", "-m", reader[0], SAMPLE / "dev.jsonl", "--json", command=alone)

    assert (answered.returncode, scored.returncode) == (0, 0), answered.stderr + scored.stderr
    answer = json.loads(answered.stdout)
    assert {**question, **answer} == answer
    if answer["answer"] is not None:
        assert question["passages"][answer["passage"]][answer["start"] : answer["end"]] == answer["answer"]
    scores = json.loads(scored.stdout)
    assert scores["records"] == 236
    assert 0 <= scores["exact_match"] <= scores["score"] <= scores["f1"] <= 1


def test_a_training_goes_on_from_a_reader_and_tells_the_files_apart(reader, kexue, tmp_path):
    (tmp_path / "places.jsonl").write_text(lines("train.jsonl", 0, 20), "utf-8")
    (tmp_path / "people.jsonl").write_text(lines("train.jsonl", 20, 20), "utf-8")
    settings = {"decoding.source": "people", "training.learning_rate": 0.0,
                "training.epochs": 1}  # fmt: skip
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]

    trained = kexue("train", "qa", "places.jsonl", "people.jsonl", "--dev", SAMPLE / "dev.jsonl", "-o", "on",
                    "--from", reader[0], *options)  # fmt: skip

    assert trained.returncode == 0, trained.stderr
    first, config = (json.loads((path / "config.json").read_text("utf-8")) for path in (reader[0], tmp_path / "on"))
    assert config["network"] == {**first["network"], "sources": 2}
    assert config["preprocessor"] == {**first["preprocessor"], "sources": ["places", "people"]}
    assert config["decoding"]["source"] == "people"

    # the learning rate is 0: without a source the answers are those of the reader from which it went on
    def answers(*options):
        done = kexue("predict", "qa", "--threshold", "0", *options, stdin=lines("dev.jsonl", 0, 20))
        assert done.returncode == 0, done.stderr
        return [json.loads(line)["answer"] for line in done.lines]

    assert answers("-m", "./on", "--source", "") == answers("-m", reader[0])
    unknown = kexue("predict", "qa", "-m", "./on", "--source", "peple", stdin=lines("dev.jsonl", 0, 1))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no source named 'peple'; did you mean 'people'?" in one_error(unknown)


def test_a_bad_record_is_named_before_keras_is_looked_for(data, kexue, tmp_path):
    bad = '{"question": "谁？", "passages": [{"text": "鲁迅。", "answers": "鲁迅"}]}\n'
    (tmp_path / "train.jsonl").write_text(lines("train.jsonl", 0, 2) + bad, "utf-8")

    done = kexue(*data, command=(sys.executable, "-c", WITHOUT_KERAS))

    assert done.returncode == 1
    assert one_error(done).startswith("train.jsonl:3: passages[0].answers must be ")
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "dev.jsonl"}


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--set", "trainig.epochs=3"], 1, "settings: no setting named 'trainig'; did you mean 'training'? (known: "),
    (["--set", "epochs=3"], 1, "settings: no setting named 'epochs'; did you mean 'training.epochs'? (known: "),
    (["--set", "network.widht=8"], 1, "settings.network: no setting named 'widht'; did you mean 'width'?"),
    (["--set", "trainig.epochs=8"], 1, "no setting named 'trainig'"),
    (["--set", "training.epoch=8"], 1, "settings.training: no setting named 'epoch'; did you mean 'epochs'?"),
    (["--set", "network.width=wide"], 1, "settings.network.width must be of type int; found 'wide'"),
    (["--set", "training.batch_size=0"], 1, "training.batch_size must be at least 1; found 0"),
    (["--set", "training.epochs"], 2, "must be KEY=VALUE"),
    (["--config", "none.toml"], 1, "cannot read none.toml: No such file or directory"),
    (["--config", "train.jsonl"], 1, "train.jsonl is not TOML"),
    (["--resume"], 1, "there is no training to resume"),
    (["--dev", "none.jsonl"], 1, "none.jsonl"),
    (["--seed", "-1"], 2, "--seed"),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_leaves_nothing(data, kexue, tmp_path, options, status, problem):
    done = kexue(*data, *TINY, "-q", *options, command=(sys.executable, "-c", WITHOUT_KERAS))

    assert done.returncode == status
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "dev.jsonl"}


def test_a_folder_that_is_no_model_is_not_overwritten(data, kexue, tmp_path):
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / "novel.txt").write_text("葡萄", "utf-8")

    done = kexue(*data, *TINY, "-q")

    assert done.returncode == 1
    assert one_error(done).startswith("will not overwrite reader")
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "dev.jsonl", "reader"}


def test_data_without_an_answer_leaves_nothing(data, kexue, tmp_path):
    pytest.importorskip("keras")
    (tmp_path / "train.jsonl").write_text(
        '{"question": "谁？", "passages": [{"text": "葡萄", "answers": []}]}\n', "utf-8"
    )

    done = kexue(*data, *TINY, "-q")

    assert done.returncode == 1
    assert one_error(done).startswith("no question has an answer of at most 20 characters")
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "dev.jsonl"}


def stop_after_a_checkpoint(process, folder, number):
    """Send a signal once the training has written a checkpoint; return the exit status."""
    deadline = time.monotonic() + PATIENCE
    while not (folder / ".reader.training" / "checkpoint.npz").exists():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err, err.decode()
    return process.returncode


def test_a_signal_leaves_a_checkpoint_and_the_user_decides_what_becomes_of_it(data, start, kexue, tmp_path):
    pytest.importorskip("keras")
    (tmp_path / "settings.toml").write_text(TOML, "utf-8")
    by_file = [*data, "--config", "settings.toml"]
    by_option = [*data, *TINY]
    every_batch = ["--set", "training.checkpoint_seconds=0", "--set", "training.epochs=40"]
    before = {"train.jsonl", "dev.jsonl", "settings.toml"}

    terminated = stop_after_a_checkpoint(start(*by_file, *every_batch), tmp_path, signal.SIGTERM)
    undecided = kexue(*by_file, *every_batch)
    other = kexue(*by_option, "--resume")
    assert (terminated, undecided.returncode, other.returncode) == (143, 1, 1)
    assert "go on with --resume, or begin with --no-resume" in undecided.stderr
    assert "a training with other data or settings" in other.stderr.splitlines()[-1]
    assert {path.name for path in tmp_path.iterdir()} == before | {".reader.training"}

    # by file or by option, the settings are the same: one training goes on with the other's checkpoint
    checkpoint = tmp_path / ".reader.training" / "checkpoint.npz"
    os.remove(checkpoint)
    ended = ["--set", "training.checkpoint_seconds=0", "--set", "training.epochs=8"]
    interrupted = stop_after_a_checkpoint(start(*by_file, *ended, "--no-resume"), tmp_path, signal.SIGINT)
    resumed = kexue(*by_option, *ended, "--resume")
    assert interrupted == 130
    assert resumed.returncode == 0, resumed.stderr
    assert {path.name for path in tmp_path.iterdir()} == before | {"reader"}
    assert kexue("models", "verify", "./reader").returncode == 0


@pytest.mark.skipif(not KILL.is_file(), reason="benchmarks are not installed")
def test_a_training_that_is_killed_and_resumed_ends_with_the_same_bytes():
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")

    done = subprocess.run([sys.executable, KILL, "--kills", "5", "--seed", "7"], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills: " in done.stdout
    assert "1 trainings ended, of which 1 with the weights, losses and scores of the undisturbed one and 1 with its " \
        "files byte for byte\n0 broken models" in done.stdout  # fmt: skip


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_and_their_weights_are_exported_all_the_same(backend, data, kexue, tmp_path):
    pytest.importorskip(backend)
    pytest.importorskip("tensorflow")  # exports, whatever backend trained

    done = kexue(*data, *TINY, env={"KERAS_BACKEND": backend})

    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "reader" / "metrics.json").read_text("utf-8"))
    assert metrics["backend"] == backend
    assert kexue("evaluate", "qa", "dev.jsonl", "-m", "./reader", "--json").returncode == 0
