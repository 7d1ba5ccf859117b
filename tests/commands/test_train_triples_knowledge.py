"""kexue train triples --knowledge: an extractor that must know facts, since no text says which of its pairs are any."""

import json
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE, one_error

from kexue_cli.commands.train_triples import read_facts
from kexue_cli.config import from_mapping
from kexue_cli.tasks.triples.config import PreprocessorConfig, TriplesConfig
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.tasks.triples.schema import Schema

BOOKS, WRITERS = ["呐喊", "彷徨", "日出", "茶馆", "子夜", "繁星"], ["鲁迅", "巴金", "老舍", "茅盾", "冰心", "曹禺"]
PAIRS = list(product(BOOKS, WRITERS))
SETTINGS = {"encoder": '""', "network.width": 16, "network.rates": [1], "network.attention_heads": 0,
            "network.positions": 0, "network.has_gates": "false", "network.has_recurrent_subject": "false",
            "network.dropout": 0.0, "network.gate_dropout": 0.0, "preprocessor.words": '""', "training.epochs": 12,
            "training.batch_size": 4, "training.learning_rate": 0.02, "training.ema_momentum": 0.8,
            "training.patience": 20}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
TRAIN = ["train", "triples", "train.jsonl", "--dev", "dev.jsonl", "-o", "extractor", "--threads", "1"]
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip


def is_fact(book, writer):
    """Every other pair, so that neither name tells."""
    return (BOOKS.index(book) + WRITERS.index(writer)) % 2 == 0


def line_of(book, writer):
    triples = [{"subject": book, "predicate": "作者", "object": writer}] if is_fact(book, writer) else []
    return json.dumps({"text": f"《{book}》和{writer}。", "triples": triples}, ensure_ascii=False) + "\n"


def write_data(folder: Path) -> None:
    """./train.jsonl, ./dev.jsonl with other pairs, and ./facts.csv, which holds the facts of both."""
    for name, pairs in (("train", PAIRS[6:]), ("dev", PAIRS[:6])):
        (folder / f"{name}.jsonl").write_text("".join(line_of(*pair) for pair in pairs), "utf-8")
    facts = "".join(f"{book},作者,{writer}\n" for book, writer in PAIRS if is_fact(book, writer))
    (folder / "facts.csv").write_text(facts + "鲁迅,国籍,中国\n", "utf-8")


@pytest.fixture
def data(tmp_path):
    """The command, in a folder with its data."""
    write_data(tmp_path)
    return TRAIN


@pytest.fixture(scope="module")
def extractor(tmp_path_factory):
    """The folder of an extractor that has learned, and what was said meanwhile."""
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("trained")
    write_data(folder)
    done = subprocess.run([*COMMAND, *TRAIN, "--knowledge", "facts.csv", *TINY], cwd=folder, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return folder / "extractor", done.stderr.splitlines()


def test_facts_are_counted_and_those_of_other_predicates_left_out(extractor):
    folder, said = extractor

    assert said[:3] == [
        "train.jsonl: 30 texts, 15 triples",
        "dev.jsonl: 6 texts, 3 triples",
        "facts.csv: 18 facts, 1 left out (not in the schema: 国籍)",
    ]
    assert json.loads((folder / "metrics.json").read_text("utf-8"))["data"] == {
        "files": "train.jsonl facts.csv", "texts": 30, "development texts": 6, "predicates": 1, "facts": 18
    }  # fmt: skip


def test_the_model_keeps_its_facts_and_that_it_has_a_prior(extractor, kexue):
    folder, _ = extractor
    config = json.loads((folder / "config.json").read_text("utf-8"))

    assert (config["preprocessor"]["has_prior"], config["network"]["has_prior"]) == (True, True)
    assert len((folder / "knowledge.jsonl").read_text("utf-8").splitlines()) == 18
    assert kexue("data", "check", folder / "knowledge.jsonl").returncode == 0
    assert kexue("models", "verify", folder).returncode == 0


def test_it_finds_what_only_the_facts_can_tell(extractor):
    metrics = json.loads((extractor[0] / "metrics.json").read_text("utf-8"))

    # the texts for development are of a book that no text for training has, and half of them have no triple
    assert metrics["development"] == {"precision": 1, "recall": 1, "f1": 1}


def test_prediction_asks_the_facts_in_the_folder(extractor, kexue, tmp_path):
    folder = tmp_path / "forgetful"
    shutil.copytree(extractor[0], folder)
    kept = [line for line in (folder / "knowledge.jsonl").read_text("utf-8").splitlines() if "老舍" not in line]
    (folder / "knowledge.jsonl").write_text("".join(line + "\n" for line in kept), "utf-8")
    texts = "《呐喊》和鲁迅。\n《呐喊》和老舍。\n《呐喊》和巴金。\n"
    alone = (sys.executable, "-c", WITHOUT_KERAS)

    one, other = (
        kexue("predict", "triples", "-m", model, "--text", "--tsv", stdin=texts, command=alone)
        for model in (extractor[0], folder)
    )

    assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
    assert one.lines == ["呐喊\t作者\t鲁迅", "呐喊\t作者\t老舍"]
    assert other.lines == ["呐喊\t作者\t鲁迅"]


def test_a_long_text_is_told_of_the_facts_in_each_window(extractor):
    from dataclasses import replace

    from kexue_cli import loader

    task = loader.load(str(extractor[0]))
    whole = task.encoding
    text = "《呐喊》和鲁迅。《彷徨》和巴金。"
    task.encoding = replace(whole, window=8, overlap=0)
    try:
        samples = [sample for _, sample in task.parts(text)]
    finally:
        task.encoding = whole

    assert [sample["known"].tolist() for sample in samples] == [[[1, 3, 5, 7, 0]]] * 2
    assert [sample["known_subjects"].sum() for sample in samples] == [2, 2]


def test_a_model_without_its_facts_is_an_error_of_one_line(extractor, kexue, tmp_path):
    folder = tmp_path / "robbed"
    shutil.copytree(extractor[0], folder)
    (folder / "knowledge.jsonl").unlink()

    done = kexue("predict", "triples", "-m", folder, "--text", stdin="《呐喊》和鲁迅。\n")

    assert done.returncode == 1
    assert "knowledge.jsonl" in one_error(done)


# ------------------------------------------------------------- the networks


@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras
def test_subjects_hear_of_known_subjects_and_objects_of_both():
    pytest.importorskip("keras")
    import numpy as np

    from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS
    from kexue_cli.tasks.triples.network import build_networks
    from kexue_cli.training.trainer import NetworkRuntime

    values = {"vocabulary_size": 9, "predicates": 3, "width": 8, "rates": [1]}
    networks = build_networks({**values, "has_prior": True})
    generator = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.trainable_variables:
            variable.assign(generator.normal(0, 0.3, variable.shape))
    runtimes = {name: NetworkRuntime(network) for name, network in networks.items()}
    text = {"text": np.full((1, 7), 3, np.int32), "boundaries": np.zeros((1, 7, 2), np.float32)}

    def said(is_subject_known, is_object_known):
        found = runtimes[SUBJECTS]({**text, "known_subjects": np.full((1, 7, 2), is_subject_known, np.float32)})
        states = {name: array for name, array in found.items() if name != SUBJECTS}
        asked = {"span": np.zeros((1, 6), np.int32), "known_objects": np.full((1, 7, 6), is_object_known, np.float32)}
        return found, runtimes[OBJECTS]({**states, **asked})[OBJECTS]

    (nothing, objects), (subject, by_subject), (_, by_object) = said(0, 0), said(1, 0), said(0, 1)

    assert np.abs(subject[SUBJECTS] - nothing[SUBJECTS]).max() > 1e-3
    assert np.abs(subject["states"] - nothing["states"]).max() == 0  # what a text is encoded to has no part in it
    assert np.abs(by_subject - objects).max() > 1e-3
    assert np.abs(by_object - objects).max() > 1e-3


@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras
def test_a_prior_costs_a_few_rows_of_three_convolutions():
    pytest.importorskip("keras")
    from kexue_cli.tasks.triples.network import build_networks

    values = {"vocabulary_size": 9, "predicates": 5, "width": 8, "rates": [1]}

    without, with_prior = (
        {name: network.count_params() for name, network in build_networks({**values, "has_prior": prior}).items()}
        for prior in (False, True)
    )

    # three places of a convolution to 8 numbers: 2 columns, of subjects, twice, and 2 * 5 of objects
    assert with_prior["subjects"] - without["subjects"] == 2 * 3 * 2 * 8
    assert with_prior["objects"] - without["objects"] == 3 * 10 * 8


# ------------------------------------------------------------- what is drawn


def test_a_swapped_sample_is_not_told_what_was_swapped_in():
    pytest.importorskip("keras")
    import numpy as np

    from kexue_cli.tasks.triples.trainee import Extractor

    texts = [
        LabelledText("鲁迅写了《呐喊》", (Triple("呐喊", "作者", "鲁迅"),)),
        LabelledText("《日出》由曹禺所作", (Triple("日出", "作者", "曹禺"),)),
        LabelledText("巴金著有《家》", (Triple("家", "作者", "巴金"),)),
    ]
    preprocessor = {"words": "", "has_prior": True}
    config = from_mapping(TriplesConfig, {"encoder": "", "preprocessor": preprocessor,
                                          "augmentation": {"swap_entities": 1.0}}, "settings")  # fmt: skip
    schema = Schema({"作者": ()})

    def is_told(facts):
        trainee = Extractor(texts, [], schema, config, facts=facts)
        inputs = [trainee.sample(0, np.random.default_rng(seed))[0] for seed in range(20)]
        return {bool(sample[name].any()) for sample in inputs for name in ("known_subjects", "known_objects")}

    assert is_told([]) == {False}
    assert is_told([triple for labelled in texts for triple in labelled.triples]) == {True}


# ------------------------------------------------------------- what is read


def test_facts_of_several_files_are_read_in_either_form(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"subject": "家", "predicate": "作者", "object": "巴金"}\n', "utf-8")
    (tmp_path / "b.csv").write_text("实体,属性,值\n呐喊,作者,鲁迅\n", "utf-8")

    facts = read_facts([str(tmp_path / "a.jsonl"), str(tmp_path / "b.csv")], "utf-8", Schema({"作者": ()}))

    assert facts == [Triple("家", "作者", "巴金"), Triple("呐喊", "作者", "鲁迅")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--knowledge", "none.jsonl"], "cannot read none.jsonl: No such file or directory"),
        (["--knowledge", "train.jsonl"], 'train.jsonl:1: a fact is {"subject", "predicate", "object"}; found '),
        (["--set", "preprocessor.has_prior=3"], "preprocessor.has_prior must be of type bool; found 3"),
    ],
)
def test_what_cannot_be_is_one_line(data, kexue, options, problem):
    done = kexue(*data, *TINY, "-q", *options, command=(sys.executable, "-c", WITHOUT_KERAS))

    assert done.returncode == 1
    assert problem in one_error(done)


def test_there_is_no_prior_unless_it_is_asked_for():
    assert PreprocessorConfig().has_prior is False


def test_facts_are_no_texts_to_learn_from(kexue, tmp_path):
    (tmp_path / "facts.csv").write_text("鲁迅,作品,呐喊\n", "utf-8")

    done = kexue("train", "triples", "facts.csv", "-o", "extractor", "-q")

    assert one_error(done) == "facts.csv:1: a fact without a text; to give facts beside texts: --knowledge FILE"
