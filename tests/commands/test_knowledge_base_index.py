"""A base in a file is compiled beside it when it is first used, and again only when it has to be."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from characters import CharacterEncoder

from kexue_cli.commands.knowledge_base import SUFFIX, open_base
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.tasks.linking import knowledge_base
from kexue_cli.tasks.linking.config import PreprocessorConfig
from kexue_cli.tasks.linking.knowledge_base import INDEX, NAMES, RECORDS

APPLES = '{"id":"K1","name":"苹果公司","aliases":["苹果"]}\n{"id":"K2","name":"苹果"}\n'
LINE = "entities.jsonl: 2 entities, compiled into {}"


@dataclass
class Linker:
    """What open_base asks of a linker."""

    encoder: CharacterEncoder = field(default_factory=lambda: CharacterEncoder("苹果公司"))
    preprocessor: PreprocessorConfig = field(default_factory=lambda: PreprocessorConfig(digests=("a", "b")))


@pytest.fixture
def file(tmp_path):
    """A file with two entities, in a folder of its own."""
    path = tmp_path / "base" / "entities.jsonl"
    path.parent.mkdir()
    path.write_text(APPLES, "utf-8")
    return path


@pytest.fixture
def index(file):
    """Where the compiled base is expected."""
    return file.with_name(file.name + SUFFIX)


@pytest.fixture
def compiled(monkeypatch):
    """The folders in which a base was compiled, in order."""
    folders = []
    compile_base = knowledge_base.compile_base

    def told(entities, folder, *rest):
        folders.append(folder)
        compile_base(entities, folder, *rest)

    monkeypatch.setattr(knowledge_base, "compile_base", told)
    return folders


def opened(file, linker=None, **options):
    return open_base(str(file), linker or Linker(), **options)


def names(base):
    return [base.entity(place).name for place in range(len(base))]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------- once


def test_a_file_is_compiled_beside_it_once(file, index, compiled, capsys):
    first, again = opened(file), opened(file)

    assert len(compiled) == 1
    assert first.folder == again.folder == index
    assert names(first) == names(again) == ["苹果公司", "苹果"]
    assert [match.start for match in again.find("吃苹果")] == [1]
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(LINE.format(index))
    assert files(file.parent) == [file.name, index.name]  # nothing is left of the work


def test_the_words_of_entities_are_those_of_the_linker(file):
    file.write_text('{"id":"K1","name":"苹果","types":["公司"]}\n', "utf-8")
    linker = Linker()

    assert linker.encoder.read(opened(file, linker).words[0]) == "公司"


def test_a_file_is_the_same_by_whatever_path(file, compiled, monkeypatch, tmp_path):
    (tmp_path / "link.jsonl").symlink_to(file)
    monkeypatch.chdir(file.parent)

    folders = {opened(path).folder for path in (file, file.name, f"../base/{file.name}", tmp_path / "link.jsonl")}

    assert len(compiled) == len(folders) == 1


def test_a_folder_with_a_compiled_base_is_opened_as_it_is(file, index, compiled):
    opened(file)
    file.unlink()

    assert names(opened(index)) == ["苹果公司", "苹果"]
    assert len(compiled) == 1


# ------------------------------------------------------------- again


def test_a_file_that_changed_is_compiled_again(file, compiled):
    opened(file)
    file.write_text(APPLES + '{"id":"K3","name":"李娜"}\n', "utf-8")

    assert names(opened(file)) == ["苹果公司", "苹果", "李娜"]
    assert len(compiled) == 2


def test_a_file_that_changed_but_not_in_size_is_compiled_again(file, compiled):
    opened(file)
    file.write_text(APPLES.replace("苹果", "菠萝"), "utf-8")
    os.utime(file, ns=(0, 10**9))

    assert names(opened(file)) == ["菠萝公司", "菠萝"]
    assert len(compiled) == 2


def test_a_file_is_compiled_again_for_a_linker_with_other_words(file, compiled):
    opened(file)
    opened(file, Linker(preprocessor=PreprocessorConfig(digests=("a", "c"))))

    assert len(compiled) == 2


def test_a_file_is_compiled_again_for_another_encoding(file, compiled):
    file.write_bytes('{"id":"K1","name":"苹果"}\n'.encode("gb18030"))

    assert names(opened(file, encoding="latin-1")) == ["Æ»¹û"]
    assert names(opened(file, encoding="gb18030")) == ["苹果"]
    assert len(compiled) == 2


@pytest.mark.parametrize("damaged", [INDEX, NAMES, RECORDS, "first.npy"])
def test_a_damaged_base_is_made_again(file, index, compiled, damaged):
    opened(file)
    (index / damaged).write_bytes(b"")

    assert names(opened(file)) == ["苹果公司", "苹果"]
    assert len(compiled) == 2
    assert names(opened(file)) == ["苹果公司", "苹果"]
    assert len(compiled) == 2


def test_a_base_of_another_version_is_made_again(file, index, compiled):
    opened(file)
    (index / INDEX).write_text('{"format": 0, "entities": 2, "names": 2, "made_from": {}}', "utf-8")

    assert names(opened(file)) == ["苹果公司", "苹果"]
    assert len(compiled) == 2


# ------------------------------------------------------------- where nothing can be written


@pytest.fixture
def read_only(file, monkeypatch, tmp_path):
    """The folder of the file as if it were read-only, and a cache folder; root may write everywhere else."""
    access = os.access

    def allowed(path, mode):
        return access(path, mode) and not (mode == os.W_OK and Path(path) == file.parent)

    monkeypatch.setattr(os, "access", allowed)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_beside_a_file_that_is_read_only_nothing_is_written(file, read_only, compiled, capsys):
    first, again = opened(file), opened(file)

    assert len(compiled) == 1
    assert first.folder == again.folder
    assert first.folder.parent == read_only / "kexue" / "bases"
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(LINE.format(first.folder))
    assert files(file.parent) == [file.name]


def test_two_files_in_the_cache_do_not_meet(file, read_only, compiled):
    other = file.with_name("others.jsonl")
    other.write_text('{"id":"K1","name":"李娜"}\n', "utf-8")

    first, second, again = (names(opened(path)) for path in (file, other, file))

    assert first == again == ["苹果公司", "苹果"]
    assert second == ["李娜"]
    assert len(compiled) == 2


def test_where_there_is_no_cache_either_it_is_said(file, read_only):
    read_only.touch()  # a file in place of the folder

    with pytest.raises(KexueError, match=r"^cannot write .*entities\.jsonl\.index: .* is read-only$"):
        opened(file)


# ------------------------------------------------------------- what is refused


def test_standard_input_is_refused():
    with pytest.raises(UsageError, match=r"^--kb must name a file: a base is compiled beside it$"):
        opened("-")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot read .*none\.jsonl: No such file or directory$"):
        opened(tmp_path / "none.jsonl")


def test_a_folder_without_a_base_is_named(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot read .*index\.json: No such file or directory$"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (APPLES + '{"id":"K3"}\n', r"entities\.jsonl:3: missing field 'name'; found \['id'\]$"),
        (APPLES + '{"id":"K1","name":"李娜"}\n', r": the base has two entities with the id 'K1'; ids must differ$"),
        (APPLES + "苹果\n", r"entities\.jsonl:3: not JSON"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_and_nothing_is_left(file, lines, message):
    file.write_text(lines, "utf-8")

    with pytest.raises(KexueError, match=message):
        opened(file)

    assert files(file.parent) == [file.name]


def test_a_file_that_became_wrong_leaves_the_compiled_base_as_it_was(file, index):
    opened(file)
    file.write_text(APPLES + '{"id":"K3"}\n', "utf-8")

    with pytest.raises(KexueError, match="missing field 'name'"):
        opened(file)

    assert names(opened(index)) == ["苹果公司", "苹果"]
    assert files(file.parent) == [file.name, index.name]


def test_what_else_stands_in_the_place_is_not_overwritten(file, index):
    index.mkdir()
    (index / "notes.txt").write_text("mine", "utf-8")

    with pytest.raises(KexueError, match=r"^will not overwrite .*: it is there and is not a folder with index\.json$"):
        opened(file)

    assert (index / "notes.txt").read_text("utf-8") == "mine"


# ------------------------------------------------------------- a kill

HALF = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from test_knowledge_base_index import Linker, knowledge_base, open_base

write_json = knowledge_base.write_json
knowledge_base.write_json = lambda *arguments: os.kill(os.getpid(), signal.SIG{})  # the last of the files is missing
open_base(sys.argv[1], Linker())
"""


@pytest.mark.parametrize("number", ["KILL", "INT"])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_kill_leaves_no_half_of_a_base(file, index, number, is_there):
    if is_there:
        opened(file)
        os.utime(file, ns=(0, 10**9))
    here = Path(__file__).parent
    path = os.pathsep.join([str(here.parent), os.environ.get("PYTHONPATH", "")])

    done = subprocess.run(
        [sys.executable, "-c", HALF.format(number), str(file), str(here)],
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip

    assert -done.returncode == getattr(signal, f"SIG{number}"), done.stderr.decode()
    assert index.exists() == is_there
    if is_there:
        assert names(opened(index)) == ["苹果公司", "苹果"]
    if number == "INT":  # who can clean up does
        assert files(file.parent) == [file.name, *[index.name] * is_there]
    assert names(opened(file)) == ["苹果公司", "苹果"]
