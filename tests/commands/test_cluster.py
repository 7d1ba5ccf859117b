"""kexue predict --engine: files in, a folder out, with the bytes that the command writes without an engine.

Here the engine is replaced by one that does in this process what Ray does on others: it pickles whatever it moves.
Ray itself is in test_engine.py.
"""

import contextlib
import hashlib
import json
import pickle
import sys
from pathlib import Path

import pytest
from conftest import one_error

from kexue_cli import engine
from kexue_cli.commands import cluster
from kexue_cli.errors import KexueError, UsageError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def pickling(monkeypatch):
    cloudpickle = pytest.importorskip("ray.cloudpickle")

    def moved(value):
        return pickle.loads(cloudpickle.dumps(value))

    def map_in_order(read, make, items, **_):
        work = moved(make)()
        for item in items:
            for part in moved(read)(item):
                yield moved(work(moved(part)))

    monkeypatch.setattr(engine, "map_in_order", map_in_order)
    monkeypatch.setattr(engine, "connected", lambda address: contextlib.nullcontext(1))


def run(*arguments: object) -> int:
    from kexue_cli.commands.app import app_for

    return app_for()(list(map(str, arguments)), standalone_mode=False) or 0


def head(path: Path, lines: int, target: Path) -> None:
    target.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:lines]), "utf-8")


TASKS = [
    ("segmentation", DATA / "segmentation-sample/raw.txt", ["--text"]),
    ("qa", DATA / "qa-sample/dev.jsonl", ["-b", 2, "--threshold", "0.3"]),
    ("triples", DATA / "triples-sample/dev.jsonl", ["--tsv", "--schema", DATA / "triples-sample/schema.jsonl"]),
    ("linking", DATA / "linking-sample/dev.jsonl", ["--threshold", "0.2"]),
    ("similarity", DATA / "similarity-sample/dev-pairs.tsv", ["--text", "--on-error", "skip"]),
    ("similarity", DATA / "similarity-sample/queries.txt", ["--text", "--against", DATA / "similarity-sample/faq.txt"]),
    ("generation", DATA / "generation-sample/dev.jsonl", ["-n", 2, "--max-length", 5, "--on-error", "skip"]),
]  # fmt: skip


@pytest.mark.usefixtures("pickling")
@pytest.mark.parametrize(("task", "data", "options"), TASKS, ids=[task for task, _, _ in TASKS])
def test_every_task_writes_what_it_writes_without_an_engine(tmp_path, monkeypatch, task, data, options):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "in").mkdir()
    head(data, 5, tmp_path / "in" / "b")
    head(data, 3, tmp_path / "in" / "a")

    here = [run("predict", task, tmp_path / "in" / name, "-o", tmp_path / name, *options) for name in "ab"]
    there = run("predict", task, tmp_path / "in", "-o", tmp_path / "out", "--engine", "ray", *options)

    files = [path for path in sorted((tmp_path / "out").iterdir()) if path.name != "manifest.json"]
    assert b"".join(path.read_bytes() for path in files) == b"".join((tmp_path / name).read_bytes() for name in "ab")
    assert there == max(here)
    assert {path.suffix for path in files} == {".tsv" if "--tsv" in options else ".jsonl"}


@pytest.mark.usefixtures("pickling")
def test_the_manifest_has_the_size_the_hash_and_the_records_of_each_file(tmp_path, monkeypatch, little_model):
    monkeypatch.setattr(cluster, "FILE_BYTES", 200)
    monkeypatch.setattr(cluster, "PART_GROUPS", 1)
    (tmp_path / "text").write_text("我爱北京\n" * 70, "utf-8")

    run("predict", "segmentation", tmp_path / "text", "--text", "-m", little_model, "--engine", "ray",
        "-o", tmp_path / "out")  # fmt: skip

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert [file["name"] for file in manifest["files"]] == ["00000.jsonl", "00001.jsonl", "00002.jsonl"]
    assert [file["records"] for file in manifest["files"]] == [32, 32, 6]
    for file in manifest["files"]:
        data = (tmp_path / "out" / file["name"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert {name: manifest[name] for name in ("format", "task", "model", "inputs", "records")} == {
        "format": 1, "task": "segmentation", "model": str(little_model), "inputs": [str(tmp_path / "text")],
        "records": 70,
    }  # fmt: skip


@pytest.mark.usefixtures("pickling")
def test_a_bad_record_stops_all_and_leaves_no_folder(tmp_path, little_model):
    (tmp_path / "records").write_text('{"text": "我"}\n{"text": 7}\n', "utf-8")
    arguments = ["predict", "segmentation", tmp_path / "records", "-m", little_model, "--engine", "ray"]

    with pytest.raises(KexueError, match=r"records:2: field 'text' must be a string; found int"):
        run(*arguments, "-o", tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["records"]
    assert run(*arguments, "-o", tmp_path / "out", "--on-error", "skip") == 1
    assert json.loads((tmp_path / "out" / "00000.jsonl").read_text("utf-8").splitlines()[1])["line"] == 2


@pytest.mark.usefixtures("pickling")
def test_without_an_output_answers_go_to_standard_output(tmp_path, little_model, capfdbinary):
    (tmp_path / "text").write_text("我爱北京\n", "utf-8")

    run("predict", "segmentation", tmp_path / "text", "--text", "-m", little_model, "--engine", "ray")

    assert [word["word"] for word in json.loads(capfdbinary.readouterr().out)["words"]] == ["我", "爱", "北京"]


def test_inputs_are_a_file_a_folder_or_a_pattern(tmp_path):
    for name in ("b.txt", "a.txt", "c.md", ".hidden"):
        (tmp_path / name).write_text("我\n", "utf-8")
    (tmp_path / "deeper").mkdir()

    def names(pattern: str) -> list[str]:
        return [Path(path).name for path in cluster.input_files(str(tmp_path / pattern))]

    assert names("b.txt") == ["b.txt"]
    assert names("") == ["a.txt", "b.txt", "c.md"]
    assert names("*.txt") == ["a.txt", "b.txt"]
    with pytest.raises(KexueError, match=r"cannot read .*\*\.jsonl: no file there"):
        names("*.jsonl")
    with pytest.raises(KexueError, match=r"cannot read .*nothing: No such file"):
        names("nothing")
    with pytest.raises(UsageError, match="--engine reads files"):
        cluster.input_files("-")


@pytest.mark.parametrize(
    ("task", "options", "problem"),
    [
        ("similarity", ["--self", "--text"], "--self must ask a text that comes twice in its order"),
        ("similarity", ["--vectors", "-o", "vectors.npy"], "not a .npy file"),
        ("generation", ["--stream"], "leave out --engine"),
        ("qa", ["--device", "gpu:1"], "say --device gpu, not gpu:1"),
    ],
)
def test_what_an_engine_cannot_do_is_misuse(tmp_path, task, options, problem):
    pytest.importorskip("ray")
    (tmp_path / "texts").write_text("我\n", "utf-8")

    with pytest.raises(UsageError, match=problem):
        run("predict", task, tmp_path / "texts", "--engine", "ray", *options)


@pytest.mark.parametrize(
    "arguments",
    [["predict", "segmentation", "corpus.txt", "--text"], ["train", "segmentation", "corpus.txt", "-o", "model"]],
    ids=["predict", "train"],
)
def test_an_engine_that_is_not_installed_is_one_line_with_the_extra(kexue, tmp_path, arguments):
    (tmp_path / "corpus.txt").write_text("我爱北京\n", "utf-8")
    without_ray = "import sys; sys.modules['ray'] = None; from kexue_cli.main import main; main()"

    done = kexue(*arguments, "--engine", "ray", command=(sys.executable, "-c", without_ray))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done) == "--engine ray needs Ray; pip install 'kexue[ray]'"
