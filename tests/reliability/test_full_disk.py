"""A disk that is full in the middle of a write: every command that writes says so in one line and leaves no half.

The limit on the size of a file (ulimit -f) stands for the disk: a write beyond it fails as one on a full disk does.
"""

import os
from pathlib import Path

import pytest
from conftest import COMMAND, one_error
from linkers import ENTITIES, lines_of

SAMPLES = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def full(bash, tmp_path):
    """Run a line of bash in which no file may grow above some KiB; what is written before is not limited."""
    (tmp_path / "lines.txt").write_text("我爱北京天安门，天安门在北京。\n" * 2_000, "utf-8")
    (tmp_path / "words.txt").write_text("我 爱 北京\n" * 2_000, "utf-8")
    question = '{"question": "谁写了《呐喊》？", "passages": [{"text": "《呐喊》是鲁迅写的。", "answers": ["巴金"]}]}\n'
    (tmp_path / "questions.jsonl").write_text(question * 100, "utf-8")
    (tmp_path / "entities.jsonl").write_text(lines_of(ENTITIES), "utf-8")

    def run(line: str, kibibytes: int = 2):
        before = set(os.listdir(tmp_path))
        done = bash(f"ulimit -f {kibibytes}; {line}")
        return done, set(os.listdir(tmp_path)) - before

    return run


@pytest.mark.parametrize(
    "line",
    [
        "kexue segment lines.txt -o out.txt",
        "kexue segment lines.txt > out.txt",
        "kexue segment lines.txt --json -o out.jsonl",
        "kexue predict segmentation lines.txt --text -o out.jsonl",
        "kexue predict qa questions.jsonl -m {reader} -o out.jsonl",
        "kexue evaluate qa questions.jsonl -m {reader} --errors out.jsonl",
        "kexue data convert words.txt --format sighan -o out.jsonl",
        "kexue models show entropy-segmentation --lexicon > out.tsv",
    ],
)
def test_a_command_on_a_full_disk_says_so_and_leaves_no_half_of_a_file(full, little_reader, line):
    done, new = full(line.format(reader=little_reader))

    assert done.returncode == 1
    assert "File too large" in one_error(done)
    assert new == ({"out.txt", "out.tsv"} & new if ">" in line else set())  # what the shell opened is the shell's


@pytest.mark.parametrize("kibibytes", [0])
def test_a_lexicon_on_a_full_disk_leaves_no_half_of_a_model(full, kibibytes):
    done, new = full("kexue train segmentation lines.txt -o model -q", kibibytes)

    assert done.returncode == 1
    assert one_error(done)
    assert new == set()


def test_a_base_on_a_full_disk_leaves_no_half_of_it(full, tmp_path):
    """Without a network: the base is compiled before anything is linked."""
    done, new = full("kexue predict linking --kb entities.jsonl --text < lines.txt", 1)

    assert done.returncode == 1
    assert one_error(done)
    assert new == set()


def test_a_base_that_a_training_makes_on_a_full_disk_is_told(full):
    """The base stands in a temporary folder meanwhile; benchmarks/full_disk.py runs trainings of all tasks."""
    texts = SAMPLES / "linking-sample/train.jsonl"

    done, new = full(f"kexue train linking {texts} --kb entities.jsonl -o model -q")

    assert done.returncode == 1
    assert one_error(done) == "cannot write a temporary file: File too large; see TMPDIR"
    assert new == set()


def test_a_cache_on_a_full_disk_changes_nothing_but_the_time(full, tmp_path, bash):
    (tmp_path / "cache").mkdir()
    command = "kexue predict similarity --against words.txt --text --top-k 1"

    done = bash(f"export XDG_CACHE_HOME=$PWD/cache; ulimit -f 1; head -n 3 lines.txt | {command}")

    assert done.returncode == 0, done.stderr
    assert len(done.lines) == 3
    assert "are not kept: " in done.stderr
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and "vectors" in str(path)]
    assert left == []


def test_a_small_file_system_that_is_full_is_told(bash, tmp_path):
    """On a real file system of 64 KiB, where the system lets us make one."""
    mount = "mkdir -p disk && mount -t tmpfs -o size=64k tmpfs disk"
    if bash(f"unshare -m bash -c '{mount}'").returncode:
        pytest.skip("this system does not let us mount a file system")
    command = f"yes 我爱北京 | head -n 20000 | {' '.join(COMMAND)} segment -o disk/out.txt"

    done = bash(f"unshare -m bash -c '{mount} && {command}; echo $?; ls -A disk'")

    assert done.stdout == "1\n"  # and nothing is left on the disk
    assert "No space left on device" in one_error(done)
