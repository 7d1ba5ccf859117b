"""Where models and data are, and what keeps their folders whole."""

import os
import shutil
import stat
import subprocess
import threading
from pathlib import Path

import pytest

import kexue_cli
from kexue_cli import zoo
from kexue_cli.config import write_json
from kexue_cli.errors import KexueError
from kexue_cli.tasks import TASKS


def model_in(folder: Path, word: str = "北京") -> None:
    """Write what makes a folder a model folder."""
    write_json(folder / zoo.CONFIG, {"format": 1, "task": "segmentation"})
    (folder / "lexicon.tsv").write_text(f"{word}\t-1\n", "utf-8")
    zoo.write_sums(folder)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    model_in(folder)
    return folder


def test_the_zoo_has_the_default_model_of_every_task():
    entries = {entry.name: entry for entry in kexue_cli.models()}

    for task, entry in TASKS.items():
        assert entries[entry.default_model].task == task
        assert entries[entry.default_model].default
    assert sum(entry.default for entry in entries.values()) == len(TASKS)


def test_an_entry_says_where_the_model_is_and_how_large():
    for entry in kexue_cli.models():
        files = [file for file in Path(entry.path).iterdir() if file.is_file()]

        assert entry.bytes == sum(file.stat().st_size for file in files)
        assert zoo.find_model(entry.name) == Path(entry.path)


def test_every_bundled_model_is_as_its_sums_say():
    for entry in kexue_cli.models():
        assert set(zoo.check_files(Path(entry.path)).values()) == {"ok"}, entry.name


def test_a_name_with_a_slash_or_a_leading_dot_is_a_path(model, monkeypatch):
    monkeypatch.chdir(model.parent)

    assert zoo.find_model("./model") == Path("model")
    assert zoo.find_model(str(model)) == model
    monkeypatch.chdir(model)
    assert zoo.find_model(".") == Path()
    assert zoo.find_model("../model").resolve() == model


def test_a_folder_is_not_taken_for_a_name_of_the_zoo(model, monkeypatch):
    monkeypatch.chdir(model.parent)

    with pytest.raises(KexueError, match=r"no model named 'model' .*a path needs a slash"):
        zoo.find_model("model")


def test_what_is_not_a_model_says_why(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("", "utf-8")

    for name, problem in (("none", "no such folder"), ("file", "not a folder"), ("empty", "it has no config.json")):
        with pytest.raises(KexueError, match=problem):
            zoo.find_model(str(tmp_path / name))


def test_a_mistyped_model_is_answered_with_the_nearest_name():
    with pytest.raises(KexueError, match="did you mean 'entropy-segmentation'"):
        zoo.find_model("entropy-segmantation")


def test_a_name_cannot_leave_the_zoo():
    for name in ("..", "", "\0"):
        with pytest.raises(KexueError):
            zoo.find_model(name)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"format": 2, "task": "segmentation"}, "has format 2; this version of kexue reads format 1"),
        ({"task": "segmentation"}, "has format None"),
        ({"format": 1}, "must be an object with a task"),
        ({"format": 1, "task": 7}, "must be an object with a task"),
        ([], "must be an object with a task"),
    ],
)
def test_a_configuration_of_another_kind_is_named(tmp_path, config, problem):
    write_json(tmp_path / zoo.CONFIG, config)

    with pytest.raises(KexueError, match=problem) as caught:
        zoo.read_config(tmp_path)

    assert str(tmp_path / zoo.CONFIG) in str(caught.value)


def test_sums_are_those_of_sha256sum(model):
    if shutil.which("sha256sum") is None:
        pytest.skip("this system has no sha256sum")

    done = subprocess.run(["sha256sum", "--check", "--strict", zoo.SUMS], cwd=model, capture_output=True, check=False)

    assert done.returncode == 0
    assert zoo.read_sums(model).keys() == {zoo.CONFIG, "lexicon.tsv"}


def test_every_file_has_a_state(model):
    (model / "lexicon.tsv").write_text("南京\t-1\n", "utf-8")
    (model / "note.txt").write_text("x", "utf-8")

    assert zoo.check_files(model) == {zoo.CONFIG: "ok", "lexicon.tsv": "changed", "note.txt": "unlisted"}

    (model / "lexicon.tsv").unlink()

    assert zoo.check_files(model)["lexicon.tsv"] == "missing"


@pytest.mark.parametrize(
    "line", ["", "x  config.json", f"{'0' * 64}", f"{'0' * 64}  ../secret", f"{'0' * 64}  /etc/passwd"]
)
def test_sums_that_are_no_sums_or_leave_the_folder_are_an_error(model, line):
    (model / zoo.SUMS).write_text(line + "\n", "utf-8")

    with pytest.raises(KexueError, match="SHA256SUMS:1: expected a SHA-256 sum"):
        zoo.read_sums(model)


def test_sums_that_are_missing_or_not_text_are_an_error(model):
    (model / zoo.SUMS).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KexueError, match="SHA256SUMS"):
        zoo.read_sums(model)

    (model / zoo.SUMS).unlink()
    with pytest.raises(KexueError, match=r"cannot read .*SHA256SUMS: No such file"):
        zoo.read_sums(model)


def test_a_new_folder_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "model"

    with zoo.new_folder(target) as folder:
        model_in(folder)
        assert not target.exists()

    assert zoo.check_files(target) == {zoo.CONFIG: "ok", "lexicon.tsv": "ok"}
    assert names_in(target.parent) == ["model"]
    assert stat.S_IMODE(target.stat().st_mode) & 0o500 == 0o500


def fail_to_replace(target: Path, error: BaseException) -> None:
    with zoo.new_folder(target) as folder:
        model_in(folder, "南京")
        raise error


@pytest.mark.parametrize("error", [KexueError("no word was found"), KeyboardInterrupt(), OSError(28, "No space left")])
def test_a_failure_leaves_the_old_model_and_nothing_else(model, error):
    with pytest.raises((KexueError, KeyboardInterrupt)):
        fail_to_replace(model, error)

    assert (model / "lexicon.tsv").read_text("utf-8") == "北京\t-1\n"
    assert names_in(model.parent) == ["model"]


def test_a_model_is_replaced_by_a_new_one(model):
    with zoo.new_folder(model) as folder:
        model_in(folder, "南京")

    assert (model / "lexicon.tsv").read_text("utf-8") == "南京\t-1\n"
    assert names_in(model.parent) == ["model"]


def test_an_empty_folder_may_become_a_model(tmp_path):
    target = tmp_path / "model"
    target.mkdir()

    with zoo.new_folder(target) as folder:
        model_in(folder)

    assert (target / zoo.CONFIG).is_file()


def test_what_is_not_a_model_is_never_overwritten(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("妈妈", "utf-8")
    (tmp_path / "letter.txt").write_text("妈妈", "utf-8")

    for name in ("letters", "letter.txt"):
        with pytest.raises(KexueError, match="is there and is not a model folder"):
            zoo.check_target(tmp_path / name)
    assert (tmp_path / "letters" / "to-mother.txt").read_text("utf-8") == "妈妈"


def test_a_model_reached_through_a_link_is_replaced_and_nothing_is_left_over(model):
    link = model.parent / "current"
    link.symlink_to(model)

    with zoo.new_folder(link) as folder:
        model_in(folder, "南京")

    assert (link / "lexicon.tsv").read_text("utf-8") == "南京\t-1\n"
    assert names_in(model.parent) == ["current", "model"]


def test_writers_of_one_folder_at_once_all_succeed(tmp_path):
    errors: list[BaseException] = []
    for number in range(25):
        target = tmp_path / str(number) / "model"
        both_ready = threading.Barrier(2)

        def write(target: Path = target, both_ready: threading.Barrier = both_ready) -> None:
            try:
                with zoo.new_folder(target) as folder:
                    model_in(folder)
                    both_ready.wait(timeout=60)
            except BaseException as error:
                errors.append(error)

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        assert set(zoo.check_files(target).values()) == {"ok"}
        assert names_in(target.parent) == ["model"]
    assert errors == []


def test_a_model_that_another_process_finishes_just_before_ours_is_replaced(tmp_path, monkeypatch):
    target = tmp_path / "model"
    rename = os.rename

    def rename_second(source: Path, destination: Path) -> None:
        """Let the other process be faster by a moment."""
        monkeypatch.setattr(os, "rename", rename)
        Path(destination).mkdir()
        model_in(Path(destination), "南京")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", rename_second)
    with zoo.new_folder(target) as folder:
        model_in(folder)

    assert (target / "lexicon.tsv").read_text("utf-8") == "北京\t-1\n"
    assert names_in(tmp_path) == ["model"]


def test_the_cache_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    folder = zoo.cache_folder()

    assert folder == tmp_path / "cache" / "kexue"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_setting_the_cache_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert zoo.cache_folder() == tmp_path / ".cache" / "kexue"


def test_a_cache_that_cannot_be_made_is_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert zoo.cache_folder() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_parent_is_named_before_any_work(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(KexueError, match="is read-only"):
            zoo.check_target(tmp_path / "model")
    finally:
        tmp_path.chmod(0o700)


def test_what_a_user_put_into_a_model_folder_is_not_lost(own_model):
    (own_model / "notes.txt").write_text("mine", "utf-8")

    with pytest.raises(KexueError, match=r"notes\.txt is yours"):
        zoo.check_target(own_model)


def test_an_edited_lexicon_is_not_overwritten(own_model):
    with (own_model / "lexicon.tsv").open("a", encoding="utf-8") as file:
        file.write("新词\t1\n")

    with pytest.raises(KexueError, match=r"lexicon\.tsv is yours"):
        zoo.check_target(own_model)
