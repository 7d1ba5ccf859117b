"""kexue train triples: a tiny extractor that learns two kinds of sentence by heart, and what it is told meanwhile.

That a training may be killed and resumed is tested for qa; both have the same loop.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE, one_error

from kexue_cli.commands.train_triples import labelled_in_part, read_texts
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.tasks.triples.schema import Schema
from kexue_cli.zoo import data_folder

SAMPLE = data_folder() / "triples-sample"
BOOKS, WRITERS = ["呐喊", "彷徨", "日出", "茶馆", "子夜", "繁星"], ["鲁迅", "巴金", "老舍", "茅盾", "冰心"]
CITIES = ["绍兴", "成都", "北京", "乌镇", "福州"]
SCHEMA = {"作者": ("图书作品", "人物"), "作品": ("人物", "图书作品"), "出生地": ("人物", "地点")}
RULES = '[[inverse]]\npredicate = "作者"\ninverse = "作品"\n'
FILES = {"README.md", "SHA256SUMS", "config.json", "metrics.json", "objects.onnx", "objects.weights.h5",
         "schema.jsonl", "subjects.onnx", "subjects.weights.h5", "training.jsonl", "training.png",
         "vocabulary.txt"}  # fmt: skip
SETTINGS = {"network.width": 16, "network.rates": [1, 2], "network.attention_heads": 2, "network.head_size": 4,
            "network.has_gates": "true", "network.dropout": 0.0, "preprocessor.words": '""', "encoder": '""',
            "training.epochs": 10, "training.batch_size": 12, "training.learning_rate": 0.02,
            "training.ema_momentum": 0.8, "training.patience": 20}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip


def line_of(text, *triples, **others):
    """A record; triples as "subject predicate object"."""
    written = [dict(zip(("subject", "predicate", "object"), parts.split(), strict=True)) for parts in triples]
    return json.dumps({"text": text, "triples": written, **others}, ensure_ascii=False) + "\n"


def of_book(book, writer):
    return line_of(f"《{book}》的作者是{writer}。", f"{book} 作者 {writer}")


def of_writer(writer, city):
    return line_of(f"{writer}生于{city}。", f"{writer} 出生地 {city}")


def write_data(folder: Path) -> None:
    """./train.jsonl, most of it about books; ./births.jsonl; ./dev.jsonl; ./schema.jsonl and ./rules.toml."""
    books = [of_book(*pair) for pair in product(BOOKS, WRITERS)]
    births = [of_writer(*pair) for pair in product(WRITERS, CITIES)]
    not_learned = line_of(
        "《日出》的作者是巴金，不是曹禺。", "日出 作者 巴金", "日出 出版社 开明书店", "巴金 国籍 中国"
    )
    to_be_left_out = line_of("《日出》的作者是巴金，中国人。", "巴金 国籍 中国")
    (folder / "train.jsonl").write_text("".join([*books, *births[::4], not_learned, to_be_left_out]), "utf-8")
    development = [
        line_of("《日出》的作者是鲁迅。", "日出 作者 鲁迅", "鲁迅 作品 日出"),  # the second follows from the first
        line_of("《子夜》的作者是巴金。", "子夜 作者 巴金", "巴金 作品 子夜"),
        births[9],
    ]
    (folder / "births.jsonl").write_text("".join(births), "utf-8")
    (folder / "dev.jsonl").write_text("".join(development), "utf-8")
    Schema({predicate: (types,) for predicate, types in SCHEMA.items()}).write(folder / "schema.jsonl")
    (folder / "rules.toml").write_text(RULES, "utf-8")


TRAIN = ["train", "triples", "train.jsonl", "--dev", "dev.jsonl", "-o", "extractor", "--threads", "1"]
MORE = ["--partial", "births.jsonl", "--schema", "schema.jsonl", "--rules", "rules.toml"]
DATA = {"train.jsonl", "births.jsonl", "dev.jsonl", "schema.jsonl", "rules.toml"}


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
    done = subprocess.run([*COMMAND, *TRAIN, *MORE, *TINY], cwd=folder, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return folder / "extractor", done.stderr.splitlines()


# ------------------------------------------------------------- what is written


def test_a_model_folder_holds_all_it_needs(extractor, kexue):
    folder, _ = extractor

    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.name for path in folder.parent.iterdir()} == {*DATA, "extractor"}
    assert kexue("models", "verify", folder).returncode == 0
    assert "kexue train triples train.jsonl --dev dev.jsonl" in (folder / "README.md").read_text("utf-8")


def test_what_is_read_and_what_is_left_out_is_told(extractor):
    _, said = extractor

    assert said[:4] == [
        "train.jsonl: 39 texts, 38 triples, 2 triples left out (subject or object not in the text), "
        "1 left out (not in the schema: 国籍)",
        "dev.jsonl: 3 texts, 5 triples",
        "births.jsonl: 25 texts, 25 triples",
        "births.jsonl: 1 left out (also in the development data)",
    ]
    assert said[4].startswith("63 samples, 60 batches at most; ")
    assert said[5].startswith("epoch 1: loss ")
    assert said[-1].startswith("extractor: precision ")


def test_the_settings_are_written_out_in_full(extractor):
    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.triples.config import TriplesConfig
    from kexue_cli.tasks.triples.rules import Rules
    from kexue_cli.training.config import TrainingConfig

    folder, _ = extractor
    config = json.loads((folder / "config.json").read_text("utf-8"))

    assert (config.pop("format"), config.pop("task")) == (1, "triples")
    loop = TrainingConfig(epochs=10, batch_size=12, learning_rate=0.02, ema_momentum=0.8, patience=20)
    assert config.pop("training") == asdict(loop)
    rules = json.loads(json.dumps(asdict(Rules.read(folder.parent / "rules.toml"))))
    assert config.pop("rules") == rules
    assert config == json.loads(json.dumps(asdict(from_mapping(TriplesConfig, config, "config.json"))))
    assert config["network"]["vocabulary_size"] == len((folder / "vocabulary.txt").read_text("utf-8").splitlines())
    assert (config["network"]["word_dimension"], config["network"]["predicates"]) == (0, 3)
    assert len(config["preprocessor"]["digests"]) == 1
    assert Schema.read(folder / "schema.jsonl") == Schema.read(folder.parent / "schema.jsonl")


def test_the_course_of_the_training_and_its_scores_are_kept(extractor):
    folder, _ = extractor
    course = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))

    assert [entry["epoch"] for entry in course] == [*range(1, 11)]
    assert course[-1]["loss"] < course[0]["loss"] / 10
    assert metrics["development"].keys() == {"precision", "recall", "f1"}
    assert metrics["data"] == {
        "files": "train.jsonl births.jsonl", "texts": 63, "development texts": 3, "predicates": 3
    }  # fmt: skip


# ------------------------------------------------------------- what is learned


def test_it_learns_and_rules_add_what_follows(extractor):
    metrics = json.loads((extractor[0] / "metrics.json").read_text("utf-8"))

    # no text for training has a 作品: without the rules 3 of 5 triples would be the most
    assert metrics["development"] == {"precision": 1, "recall": 1, "f1": 1}


def test_prediction_and_evaluation_need_neither_keras_nor_tensorflow(extractor, kexue):
    folder, _ = extractor
    texts = "《日出》的作者是鲁迅。\n巴金生于福州。\n"
    alone = (sys.executable, "-c", WITHOUT_KERAS)

    predicted = kexue("predict", "triples", "-m", folder, "--text", "--tsv", stdin=texts, command=alone)
    scored = kexue("evaluate", "triples", "-m", folder, folder.parent / "dev.jsonl", "--json", command=alone)

    assert (predicted.returncode, scored.returncode) == (0, 0), predicted.stderr + scored.stderr
    assert set(predicted.lines) == {"日出\t作者\t鲁迅", "鲁迅\t作品\t日出", "巴金\t出生地\t福州"}
    scores = json.loads(scored.stdout)
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert {name: round(scores[name], 4) for name in metrics["development"]} == metrics["development"]


def test_the_networks_say_in_keras_what_they_say_in_onnx_runtime(extractor):
    import numpy as np

    from kexue_cli import loader
    from kexue_cli.tasks.triples.network import build_networks
    from kexue_cli.training.trainer import NetworkRuntime

    folder, _ = extractor
    task = loader.load(str(folder))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    networks = {}
    for name, network in build_networks(config["network"]).items():
        network.load_weights(folder / f"{name}.weights.h5")
        networks[name] = NetworkRuntime(network)
    texts = ["《日出》的作者是鲁迅。", "巴金生于福州。"]
    found = task.extract(texts)

    task.networks = networks

    assert [[triple.predicate for triple in triples] for triples in found] == [["作者", "作品"], ["出生地"]]
    for one, other in zip(found, task.extract(texts), strict=True):
        np.testing.assert_allclose([t.score for t in one], [t.score for t in other], atol=1e-4)
        assert [asdict(t) | {"score": 0} for t in one] == [asdict(t) | {"score": 0} for t in other]


# ------------------------------------------------------------- what it begins from, and what is not told

MEETINGS = ["鲁迅在绍兴见到巴金。", "老舍在北京见到冰心。", "茅盾在乌镇见到巴金。", "冰心在福州见到老舍。"]


@pytest.fixture(scope="module")
def next_extractor(extractor):
    """The folder of an extractor that began from the first one, to learn who is met, and of whom nothing is said."""
    folder = extractor[0].parent
    records = [line_of(text, f"{text[:2]} 见到 {text[-3:-1]}", unrelated=[{"subject": text[:2], "object": text[3:5]}])
               for text in MEETINGS]  # fmt: skip
    (folder / "meetings.jsonl").write_text("".join(records), "utf-8")
    settings = [*TINY, "--set", "training.epochs=20"]
    train = ["train", "triples", "meetings.jsonl", "--dev", "meetings.jsonl", "-o", "next", "--from", "./extractor"]
    done = subprocess.run([*COMMAND, *train, "--threads", "1", *settings], cwd=folder, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "next"


def test_it_begins_with_the_shape_and_the_characters_of_another(extractor, next_extractor):
    first, then = (json.loads((folder / "config.json").read_text("utf-8")) for folder in (extractor[0], next_extractor))

    assert then["start"] == "./extractor"
    assert then["network"] == first["network"] | {"predicates": 2}
    assert (next_extractor / "vocabulary.txt").read_bytes() == (extractor[0] / "vocabulary.txt").read_bytes()


def test_pairs_without_a_triple_are_learned_and_not_told(next_extractor, kexue):
    assert Schema.read(next_extractor / "schema.jsonl").predicates == ("见到", "unrelated")

    predicted = kexue("predict", "triples", "-m", next_extractor, "--text", "--tsv", stdin="\n".join(MEETINGS))

    assert predicted.lines == [f"{text[:2]}\t见到\t{text[-3:-1]}" for text in MEETINGS]


# ------------------------------------------------------------- what is read


def test_texts_keep_the_triples_that_stand_in_them(tmp_path):
    write_data(tmp_path)

    texts = read_texts([str(tmp_path / "train.jsonl")], None, "utf-8")

    assert len(texts) == 39
    assert texts[-2].triples == (Triple("日出", "作者", "巴金"),)
    assert texts[-1].triples == (Triple("巴金", "国籍", "中国"),)  # no schema, no bounds


def test_what_a_file_is_labelled_for_are_the_predicates_that_occur_in_it():
    one, other, none = (LabelledText("甲乙", triples) for triples in ((Triple("甲", "作者", "乙"),),
                        (Triple("甲", "主演", "乙"), Triple("乙", "作者", "甲")), ()))  # fmt: skip
    known = LabelledText("甲乙", (Triple("甲", "作者", "乙"),), frozenset(["作者", "导演"]))

    read = labelled_in_part([one, other, none, known])

    assert [labelled.labelled for labelled in read[:3]] == [{"作者", "主演"}] * 3
    assert read[3] == known
    assert [labelled.triples for labelled in read] == [one.triples, other.triples, (), known.triples]


@pytest.mark.parametrize("name", ["train.jsonl", "dev.jsonl"])
def test_the_sample_data_is_read(name):
    schema = Schema.read(SAMPLE / "schema.jsonl")

    texts = read_texts([str(SAMPLE / name)], None, "utf-8", schema)

    assert len(texts) == len((SAMPLE / name).read_text("utf-8").splitlines())
    assert {triple.predicate for labelled in texts for triple in labelled.triples} == set(schema.predicates)


# ------------------------------------------------------------- mistakes


def test_a_bad_record_is_named_before_keras_is_looked_for(data, kexue, tmp_path):
    bad = '{"text": "鲁迅", "triples": [{"subject": "鲁迅", "predicate": 3, "object": "鲁迅"}]}\n'
    (tmp_path / "train.jsonl").write_text(of_book("日出", "巴金") + bad, "utf-8")

    done = kexue(*data, command=(sys.executable, "-c", WITHOUT_KERAS))

    assert done.returncode == 1
    assert one_error(done) == "train.jsonl:2: triples[0].predicate must be a string; found 3"
    assert {path.name for path in tmp_path.iterdir()} == DATA


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--set", "network.widht=8"], 1, "settings.network: no setting named 'widht'; did you mean 'width'?"),
    (["--set", "decoding.threshold=2"], 1, "decoding.threshold must be from 0 to 1; found 2"),
    (["--set", "preprocessor.overlap=512"], 1, "preprocessor.overlap must be at least 0 and less than "),
    (["--schema", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--schema", "train.jsonl"], 1, "train.jsonl:1: missing field 'predicate'"),
    (["--schema", "other.jsonl"], 1, "train.jsonl: there is no triple whose subject and object stand in the text"),
    (["--rules", "none.toml"], 1, "cannot read none.toml: No such file or directory"),
    (["--rules", "train.jsonl"], 1, "train.jsonl is not TOML"),
    (["--rules", "rules.toml"], 1, "no predicate named '作品'"),  # none of the data, and there is no schema
    (["--partial", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--dev", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--resume"], 1, "there is no training to resume"),
    (["--format", "squad"], 2, "--format squad holds records of qa, not of triples"),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_leaves_nothing(data, kexue, tmp_path, options, status, problem):
    (tmp_path / "other.jsonl").write_text('{"predicate": "海拔"}\n', "utf-8")

    done = kexue(*data, *TINY, "-q", *options, command=(sys.executable, "-c", WITHOUT_KERAS))

    assert done.returncode == status
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == {*DATA, "other.jsonl"}


def test_too_few_texts_to_keep_some_for_development(kexue, tmp_path):
    (tmp_path / "few.jsonl").write_text("".join(of_book(book, "鲁迅") for book in BOOKS), "utf-8")

    done = kexue("train", "triples", "few.jsonl", "-o", "extractor", "-q")

    assert done.returncode == 1
    assert one_error(done) == "6 records are too few to keep a tenth for development; give --dev FILE"


def test_predicates_of_the_development_data_that_are_not_learned_are_told(data, kexue):
    done = kexue(*data, "--resume", command=(sys.executable, "-c", WITHOUT_KERAS))  # goes no further than that

    assert "the development data has predicates that are not learned: 作品" in done.stderr


def test_a_folder_that_is_no_model_is_not_overwritten(data, kexue, tmp_path):
    (tmp_path / "extractor").mkdir()
    (tmp_path / "extractor" / "novel.txt").write_text("彷徨", "utf-8")

    done = kexue(*data, *TINY, "-q")

    assert done.returncode == 1
    assert one_error(done).startswith("will not overwrite extractor")
    assert {path.name for path in (tmp_path / "extractor").iterdir()} == {"novel.txt"}
