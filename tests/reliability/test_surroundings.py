"""Whatever the machine around it: its clock, its time zone, other users, other processes, closed streams."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import COMMAND, one_error

import kexue_cli
from kexue_cli import loader


def resident() -> int:
    """Return the bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells the memory of a process so")
def test_many_predictions_leave_the_memory_as_it_was(little_reader):
    """benchmarks/load.py does it with 100,000 predictions of the bundled models."""
    record = {"question": "谁写了《呐喊》？", "passages": ["《呐喊》是鲁迅写的，1923年出版。"]}

    warm = loader.load(str(little_reader)).preprocessor.encoder
    warm.encode("我爱北京。" * 10_000)  # much text: from then on compiled code cuts it, which takes its own memory

    def predict(times: int) -> int:
        for _ in range(times):
            [_] = loader.load(str(little_reader)).predict([record])
        return resident()

    before = predict(200)
    after = predict(500)

    assert after < before * 1.01


def test_a_clock_that_jumps_back_changes_no_answer(little_reader, monkeypatch):
    record = {"question": "谁写了《呐喊》？", "passages": ["《呐喊》是鲁迅写的。"]}
    model = loader.load(str(little_reader))
    [before] = model.predict([record])

    monkeypatch.setattr("time.time", lambda: -1e9)
    [after] = model.predict([record])

    assert after == before


def test_a_time_zone_changes_no_model(kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text("我爱北京\n我爱天安门\n" * 5, "utf-8")
    for name, zone in (("here", "Pacific/Kiritimati"), ("there", "No/Where")):
        done = kexue("train", "segmentation", "corpus.txt", "-o", name, "-q", env={"TZ": zone})
        assert done.returncode == 0, done.stderr

    names = ("lexicon.tsv", "lexicon.trie", "config.json")
    assert all((tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes() for name in names)


def test_two_users_of_a_machine_do_not_meet(kexue, tmp_path):
    """Nothing is kept in the shared folder of temporary files; caches are each user's own and closed to others."""
    shared = tmp_path / "shared"
    shared.mkdir()
    for user in ("one", "two"):
        (tmp_path / user).mkdir()
        done = kexue("segment", "--engine", "jieba", stdin="我爱北京\n",
                     env={"HOME": str(tmp_path / user), "XDG_CACHE_HOME": "", "TMPDIR": str(shared)})  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "我 爱 北京\n")
        assert (tmp_path / user / ".cache" / "kexue").stat().st_mode & 0o077 == 0
    assert list(shared.iterdir()) == []


def test_two_processes_that_fill_one_cache_both_answer(tmp_path):
    """They make the same vectors, machine code and dictionaries at once; one of them wins, none sees a half."""
    faq = tmp_path / "faq.txt"
    faq.write_text("怎么退货\n忘记密码怎么办\n几点开门\n", "utf-8")
    command = [*COMMAND, "predict", "similarity", "--against", str(faq), "--text", "--top-k", "1"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    results: list[tuple[bytes, bytes]] = []

    def talk(process: subprocess.Popen[bytes]) -> None:
        results.append(process.communicate("密码忘了\n".encode()))

    threads = [threading.Thread(target=talk, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [process.returncode for process in processes] == [0, 0], results
    assert results[0][0] == results[1][0]
    assert "忘记密码" in results[0][0].decode()
    assert list((tmp_path / "cache").rglob("*.partial")) == []


def test_closed_standard_input_is_one_error_for_every_reader(bash):
    for command in ("predict qa", "evaluate segmentation", "data check -"):
        done = bash(f"kexue {command} <&-")

        assert done.returncode == 1, command
        assert "cannot read standard input: it is closed" in one_error(done)


def test_a_terminal_that_is_read_only_is_no_failure(bash):
    done = bash("echo 我爱北京 | kexue segment 2< /dev/null")

    assert (done.returncode, done.stdout) == (0, "我 爱 北京\n")


def test_every_module_can_be_imported_where_posix_is_not():
    """As on Windows: without fcntl and resource. What needs them does so where it is used, or does without."""
    script = """
import importlib, pkgutil, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
import kexue_cli
for module in pkgutil.walk_packages(kexue_cli.__path__, "kexue_cli."):
    heavy = (".layers", ".network", "__main__", ".optimizers", ".losses", ".trainer", ".curves", ".training.batching")
    if not any(part in module.name for part in heavy):
        importlib.import_module(module.name)
print(kexue_cli.segment("我爱北京"))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout == "['我', '爱', '北京']\n", done.stderr


def test_the_python_door_needs_no_signals_and_works_in_any_thread():
    words: list[list[str]] = []
    thread = threading.Thread(target=lambda: words.append(kexue_cli.segment("我爱北京")))
    thread.start()
    thread.join()

    assert words == [["我", "爱", "北京"]]
