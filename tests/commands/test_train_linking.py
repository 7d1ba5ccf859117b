"""kexue train linking: a tiny linker that learns a few sentences by heart, and what it is told meanwhile.

That a training may be killed and resumed is tested for qa; both have the same loop. The data: linkers.py.
"""

import json
import shutil
import sys
from dataclasses import asdict

import pytest
from conftest import one_error
from linkers import BASE, DATA, ENTITIES, NAMES, TINY, TRAIN, line_of, lines_of, trained_linker, write_data

from kexue_cli.commands.train_linking import read_texts
from kexue_cli.tasks.linking.entities import read_entity
from kexue_cli.tasks.linking.records import Mention

COMPILED = {"names.marisa", "ids.marisa", "entities.jsonl", "index.json"}  # and arrays
FILES = {"README.md", "SHA256SUMS", "config.json", "entities.onnx", "entities.weights.h5", "mentions.onnx",
         "mentions.weights.h5", "metrics.json", "training.jsonl", "training.png", "vocabulary.txt"}  # fmt: skip
OTHERS = [
    {"id": "Q1", "name": "小米集团", "aliases": ["小米"], "description": "生产手机的公司。"},
    {"id": "Q2", "name": "谷子", "aliases": ["小米"], "description": "一种粮食，可以煮粥。"},
    {"id": "Q3", "name": "王芳", "description": "一个人。"},
]
WITHOUT_KERAS = "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = None; " \
                "from kexue_cli.main import main; main()"  # fmt: skip
ALONE = (sys.executable, "-c", WITHOUT_KERAS)


@pytest.fixture
def data(tmp_path):
    """The command, in a folder with its data."""
    write_data(tmp_path)
    return TRAIN


@pytest.fixture(scope="module")
def linker():
    """The folder of a linker that has learned, and what was said meanwhile."""
    _, folder, said = trained_linker()
    return folder, said


def ids_of(done):
    """The mentions of each answer with their ids."""
    assert done.returncode == 0, done.stderr
    return [{one["mention"]: one["id"] for one in json.loads(line)["mentions"]} for line in done.lines]


# ------------------------------------------------------------- what is written


def test_a_model_folder_holds_all_it_needs(linker, kexue):
    folder, _ = linker
    files = {path.name for path in folder.iterdir() if path.suffix != ".npy"}

    assert files == FILES | COMPILED
    assert {path.name for path in folder.parent.iterdir()} >= {*DATA, "linker"}
    assert not (folder.parent / ".linker.training").exists()
    assert kexue("models", "verify", folder).returncode == 0
    assert "kexue train linking train.jsonl --dev dev.jsonl" in (folder / "README.md").read_text("utf-8")


def test_what_is_read_and_what_the_base_does_not_have_is_told(linker):
    _, said = linker

    assert said[0].startswith("train.jsonl: 220 texts, 280 mentions, 10 of them with an id that the base does not have")
    assert said[1:3] == ["dev.jsonl: 4 texts, 5 mentions", "spans.jsonl: 2 texts, 4 mentions"]
    assert said[3].startswith("221 samples, 74 batches at most; ")  # one of the spans' texts is for development
    assert said[4].startswith("epoch 1: loss ")
    assert said[-1].startswith("linker: mention_f1 1.0, f1 1.0, score 1.0 on the development data")


def test_the_settings_are_written_out_in_full(linker):
    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.linking.config import LinkingConfig
    from kexue_cli.training.config import TrainingConfig

    folder, _ = linker
    config = json.loads((folder / "config.json").read_text("utf-8"))

    assert (config.pop("format"), config.pop("task")) == (1, "linking")
    loop = TrainingConfig(epochs=2, batch_size=6, learning_rate=0.02, ema_momentum=0.8, patience=20)
    assert config.pop("training") == asdict(loop)
    assert config == json.loads(json.dumps(asdict(from_mapping(LinkingConfig, config, "config.json"))))
    assert config["network"]["vocabulary_size"] == len((folder / "vocabulary.txt").read_text("utf-8").splitlines())
    assert config["network"]["word_dimension"] > 0
    assert len(config["preprocessor"]["digests"]) == 2


def test_the_course_of_the_training_and_its_scores_are_kept(linker):
    folder, _ = linker
    course = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))

    assert [entry["epoch"] for entry in course] == [1, 2]
    assert course[-1]["loss"] < course[0]["loss"]
    assert metrics["development"] == {"mention_f1": 1, "f1": 1, "score": 1}
    assert metrics["data"] == {
        "files": "train.jsonl spans.jsonl entities.jsonl", "texts": 220, "texts without links": 1,
        "development texts": 4, "entities": 6,
    }  # fmt: skip


def test_the_model_keeps_the_base_with_what_the_texts_told_of_it(linker):
    lines = (linker[0] / "entities.jsonl").read_text("utf-8").splitlines()
    kept = {entity.id: entity for entity in map(read_entity, map(json.loads, lines))}

    assert {id: entity.name for id, entity in kept.items()} == NAMES
    told = {alias.name: (alias.count, alias.occurrences) for alias in kept["E1"].aliases}
    assert told["苹果"] == (4, 9)  # 4 texts of the company of 9 with the name; each is given ten times and counted once
    assert told["Apple"] == (0, 0)


# ------------------------------------------------------------- what is learned


def test_prediction_and_evaluation_need_neither_keras_nor_tensorflow(linker, kexue):
    folder, _ = linker
    texts = "苹果发布了新的手机。\n多吃苹果对身体好。\n《呐喊》是鲁迅的小说。\n王芳今天吃了苹果。\n"

    predicted = kexue("predict", "linking", "-m", folder, "--text", stdin=texts, command=ALONE)
    scored = kexue("evaluate", "linking", "-m", folder, folder.parent / "dev.jsonl", "--json", command=ALONE)

    assert ids_of(predicted) == [
        {"苹果": "E1"}, {"苹果": "E2"}, {"呐喊": "E5", "鲁迅": "E6"}, {"王芳": None, "苹果": "E2"}
    ]  # fmt: skip
    assert (scored.returncode, scored.stderr) == (0, "")
    scores = json.loads(scored.stdout)
    assert [scores[name] for name in ("mention_f1", "f1", "nil_accuracy", "ceiling_f1")] == [1, 1, 1, 1]


def test_the_networks_say_in_keras_what_they_say_in_onnx_runtime(linker):
    import numpy as np

    from kexue_cli import loader
    from kexue_cli.tasks.linking.network import build_networks
    from kexue_cli.training.trainer import NetworkRuntime

    folder, _ = linker
    task = loader.load(str(folder))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    networks = {}
    for name, network in build_networks(config["network"]).items():
        network.load_weights(folder / f"{name}.weights.h5")
        networks[name] = NetworkRuntime(network)
    texts = ["苹果发布了新的手机。", "王芳喜欢鲁迅的《呐喊》。", "今天"]
    found = task.link(texts)

    task.networks = networks

    assert [len(links) > 0 for links in found] == [True, True, False]
    for one, other in zip(found, task.link(texts), strict=True):
        assert [(link.start, link.end) for link in one] == [(link.start, link.end) for link in other]
        for link, same in zip(one, other, strict=True):
            np.testing.assert_allclose(link.score, same.score, atol=1e-4)
            assert [place for place, _ in link.entities] == [place for place, _ in same.entities]
            np.testing.assert_allclose([p for _, p in link.entities], [p for _, p in same.entities], atol=1e-4)


# ------------------------------------------------------------- another base for a model


def test_without_data_a_copy_of_a_model_takes_the_base_in(linker, kexue, tmp_path):
    folder, _ = linker
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")

    done = kexue("train", "linking", "--kb", "others.jsonl", "-m", folder, "-o", "taken", command=ALONE)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "others.jsonl: 3 entities" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"others.jsonl", "taken"}
    assert {path.name for path in (tmp_path / "taken").iterdir()} == {path.name for path in folder.iterdir()}
    assert kexue("models", "verify", "./taken").returncode == 0
    assert "kexue train linking --kb others.jsonl" in (tmp_path / "taken" / "README.md").read_text("utf-8")
    for name in ("mentions.onnx", "entities.onnx", "vocabulary.txt", "config.json"):
        assert (tmp_path / "taken" / name).read_bytes() == (folder / name).read_bytes()
    predicted = kexue(
        "predict", "linking", "-m", "./taken", "--text", stdin="小米发布了新的手机。\n鲁迅写了《呐喊》这本书。\n"
    )
    found = ids_of(predicted)
    assert found[0]["小米"] in ("Q1", "Q2")
    assert set(found[1].values()) <= {None}
    assert kexue("models", "verify", folder).returncode == 0  # it is what it was


def test_a_model_may_take_a_base_in_itself(linker, kexue, tmp_path):
    shutil.copytree(linker[0], tmp_path / "own")
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")

    done = kexue("train", "linking", "--kb", "others.jsonl", "-m", "./own", "-o", "own", "-q")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "own" / "index.json").read_text("utf-8"))["entities"] == 3
    assert kexue("models", "verify", "./own").returncode == 0


@pytest.mark.parametrize(("lines", "problem"), [
    (lines_of(OTHERS) + '{"id": 3, "name": "x"}\n', "others.jsonl:4: id must be a string; found 3"),
    (lines_of([*OTHERS, OTHERS[0]]), "two entities with the id 'Q1'"),
    ("", "must have at least one entity"),
    (None, "cannot read others.jsonl: No such file or directory"),
])  # fmt: skip
def test_a_base_that_is_wrong_is_one_line_and_leaves_nothing(linker, kexue, tmp_path, lines, problem):
    if lines is not None:
        (tmp_path / "others.jsonl").write_text(lines, "utf-8")

    done = kexue("train", "linking", "--kb", "others.jsonl", "-m", linker[0], "-o", "taken", "-q")

    assert done.returncode == 1
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} <= {"others.jsonl"}


def test_a_base_is_not_taken_into_a_model_for_another_task(kexue, little_model, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")

    done = kexue("train", "linking", "--kb", "others.jsonl", "-m", little_model, "-o", "taken", "-q")

    assert one_error(done) == f"{little_model} is a model for segmentation, not for linking"


# ------------------------------------------------------------- what is read


def test_texts_may_be_linked_by_name(tmp_path):
    named = [
        {"mention": "苹果", "start": 0, "name": "苹果公司"},
        {"mention": "鲁迅", "start": 3, "name": "周树人"},
        {"mention": "王芳", "start": 6},
    ]
    line = json.dumps({"text": "苹果、鲁迅、王芳", "mentions": named}, ensure_ascii=False)
    (tmp_path / "named.jsonl").write_text(line + "\n", "utf-8")
    paths = [str(tmp_path / "named.jsonl")]

    [with_base] = read_texts(paths, None, "utf-8", [read_entity(record) for record in ENTITIES])
    [without] = read_texts(paths, None, "utf-8", [])

    unlinked = Mention("王芳", 6, is_linked=False)
    assert with_base.mentions == (Mention("苹果", 0, "E1"), Mention("鲁迅", 3), unlinked)  # no 周树人 in the base
    assert without.mentions == (Mention("苹果", 0, "苹果公司"), Mention("鲁迅", 3, "周树人"), unlinked)


def test_ids_that_the_base_does_not_have_are_told(data, kexue):
    done = kexue(*data, *BASE, "--resume", command=ALONE)  # goes no further than that

    line = done.stderr.splitlines()[0]
    assert line.startswith("train.jsonl: 220 texts, 280 mentions, 10 of them with an id that the base does not have")


def test_without_a_base_there_is_none_to_compare_with(data, kexue):
    done = kexue(*data, "--resume", command=ALONE)

    assert done.stderr.splitlines()[0] == "train.jsonl: 220 texts, 280 mentions"


# ------------------------------------------------------------- mistakes


@pytest.mark.parametrize(("lines", "problem"), [
    (line_of("鲁迅", {"鲁迅": "E6"}) + '{"text": "鲁迅", "mentions": [{"mention": "鲁迅", "start": 1, "id": "E6"}]}\n',
     "train.jsonl:2: mentions[0].start must be where \"鲁迅\" begins in the text; found 1"),
    (line_of("鲁迅", {"鲁迅": 6}), "train.jsonl:1: mentions[0].id must be a string; found 6"),
    ('{"text": "鲁迅"}\n', "train.jsonl:1: missing field 'mentions'; found ['text']"),
    (line_of("鲁迅", {"鲁迅": "E6"}) + "[]\n", "train.jsonl:2: not a JSON object; found list; allowed: {...}"),
    (line_of("今天", {}), "train.jsonl: there is no labelled mention"),
])  # fmt: skip
def test_a_bad_record_is_named_before_keras_is_looked_for(data, kexue, tmp_path, lines, problem):
    (tmp_path / "train.jsonl").write_text(lines, "utf-8")

    done = kexue(*data, command=ALONE)

    assert done.returncode == 1
    assert one_error(done) == problem
    assert {path.name for path in tmp_path.iterdir()} == DATA


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--set", "network.widht=8"], 1, "settings.network: no setting named 'widht'; did you mean 'width'?"),
    (["--set", "decoding.mention=2"], 1, "decoding.mention must be from 0 to 1; found 2"),
    (["--set", "preprocessor.overlap=512"], 1, "preprocessor.overlap must be at least 0 and less than "),
    (["--kb", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--kb", "train.jsonl"], 1, "train.jsonl:1: "),
    (["--mentions", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--dev", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
    (["--resume"], 1, "there is no training to resume"),
    (["--format", "squad"], 2, "--format squad holds records of qa, not of linking"),
    (["--model", "./linker"], 2, "--model is for taking a base into a model, without DATA"),
    (["-o", ""], 2, "--output must name a folder"),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_leaves_nothing(data, kexue, tmp_path, options, status, problem):
    done = kexue(*data, *TINY, "-q", *options, command=ALONE)

    assert done.returncode == status
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == DATA


@pytest.mark.parametrize(("options", "problem"), [
    ([], "without DATA give --kb, the base that a model is to have"),
    (["-m", "./linker"], "without DATA give --kb, the base that a model is to have"),
    (["--dev", "dev.jsonl", *BASE], "without DATA nothing is trained; leave out --mentions and --dev"),
    (["--mentions", "spans.jsonl", *BASE], "without DATA nothing is trained; leave out --mentions and --dev"),
])  # fmt: skip
def test_without_data_only_a_base_can_be_taken(kexue, tmp_path, options, problem):
    write_data(tmp_path)

    done = kexue("train", "linking", "-o", "taken", *options, command=ALONE)

    assert done.returncode == 2
    assert one_error(done).startswith(problem)
    assert {path.name for path in tmp_path.iterdir()} == DATA


def test_too_few_texts_to_keep_some_for_development(kexue, tmp_path):
    (tmp_path / "few.jsonl").write_text(line_of("鲁迅", {"鲁迅": "E6"}) * 6, "utf-8")

    done = kexue("train", "linking", "few.jsonl", "-o", "linker", "-q")

    assert done.returncode == 1
    assert one_error(done) == "6 records are too few to keep a tenth for development; give --dev FILE"


def test_a_training_that_did_not_end_is_not_forgotten_unasked(data, kexue, tmp_path):
    work = tmp_path / ".linker.training"
    work.mkdir()
    (work / "checkpoint.npz").write_bytes(b"")

    done = kexue(*data, *TINY, "-q", command=ALONE)

    assert done.returncode == 1
    assert one_error(done).endswith("; go on with --resume, or begin with --no-resume")


def test_a_folder_that_is_no_model_is_not_overwritten(data, kexue, tmp_path):
    (tmp_path / "linker").mkdir()
    (tmp_path / "linker" / "novel.txt").write_text("彷徨", "utf-8")

    done = kexue(*data, *TINY, "-q")

    assert done.returncode == 1
    assert one_error(done).startswith("will not overwrite linker")
    assert {path.name for path in (tmp_path / "linker").iterdir()} == {"novel.txt"}
