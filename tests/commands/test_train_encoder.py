"""kexue train encoder: layers from raw text, and a reader that begins from them."""

import json
import subprocess

import numpy as np
import pytest
from conftest import COMMAND, PATIENCE, one_error

from kexue_cli.zoo import data_folder, read_config

TEXT = data_folder() / "segmentation-sample" / "raw.txt"
QUESTIONS = data_folder() / "qa-sample" / "train.jsonl"
TINY = ["--set", "network.width=8", "--set", "network.rates=[1]", "--set", "training.epochs=1",
        "--set", 'preprocessor.words=""', "--set", "pretraining.length=32", "--threads", "1"]  # fmt: skip
READER = ["--set", 'preprocessor.words=""', "--set", "training.epochs=1", "--set", "network.passage_rates=[1]",
          "--set", "training.learning_rate=0", "--threads", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("encoders") / "little-encoder"
    done = subprocess.run([*COMMAND, "train", "encoder", TEXT, "-o", folder, *TINY], capture_output=True,
                          timeout=PATIENCE, check=True)  # fmt: skip
    assert done.stdout == b""
    return folder


def test_a_model_folder_holds_the_layers_and_their_vocabulary(encoder, kexue):
    names = {path.name for path in encoder.iterdir()}

    assert {"encoder.weights.h5", "vocabulary.txt", "config.json", "README.md", "SHA256SUMS"} <= names
    assert not [name for name in names if name.endswith((".onnx", ".npz"))]
    assert kexue("models", "verify", encoder).returncode == 0
    assert json.loads((encoder / "metrics.json").read_text())["development"].keys() == {"accuracy"}


def test_a_reader_begins_from_its_weights(encoder, kexue, tmp_path):
    import h5py

    questions = "".join(QUESTIONS.read_text("utf-8").splitlines(True)[:40])
    (tmp_path / "questions.jsonl").write_text(questions, "utf-8")
    done = kexue("train", "qa", "questions.jsonl", "-o", "reader", "--set", f'encoder="{encoder}"', *READER)
    assert done.returncode == 0, done.stderr

    reader = tmp_path / "reader"
    network = read_config(reader)["network"]
    assert (network["width"], network["encoder_rates"]) == (8, [1])
    assert (reader / "vocabulary.txt").read_bytes() == (encoder / "vocabulary.txt").read_bytes()
    tables = []
    for path in (encoder / "encoder.weights.h5", reader / "network.weights.h5"):
        with h5py.File(path) as file:
            tables.append(np.array(file["layers/text_encoder/characters/vars/0"]))
    np.testing.assert_allclose(*tables, atol=1e-6)  # the learning rate was 0; averaging rounds


@pytest.mark.parametrize(
    ("setting", "own"), [("width=16", "width is 8"), ("encoder_rates=[2]", "encoder_rates is [1]")]
)
def test_a_shape_that_is_not_the_encoders_is_refused(encoder, kexue, setting, own):
    done = kexue("train", "qa", QUESTIONS, "-o", "reader", "--quiet", "--set", f'encoder="{encoder}"',
                 "--set", f"network.{setting}", *READER)  # fmt: skip

    assert done.returncode == 1
    assert one_error(done) == (
        f'network.{own} in the encoder little-encoder; leave it out, or set encoder="" to begin without one'
    )


def test_an_encoder_with_other_words_is_refused(encoder, kexue, tmp_path):
    (tmp_path / "questions.jsonl").write_text(QUESTIONS.read_text("utf-8"), "utf-8")

    done = kexue("train", "qa", "questions.jsonl", "-o", "reader", "-q", "--set", f'encoder="{encoder}"')

    assert one_error(done).startswith(f"encoder {encoder} was trained with preprocessor.words '', not 'word-vectors'")


def test_too_little_text_is_refused(kexue):
    pytest.importorskip("keras")

    done = kexue("train", "encoder", "-", "-o", "encoder", "-q", stdin="我爱北京天安门\n")

    assert one_error(done).startswith("the text is too short: at least 1280 characters are needed")
