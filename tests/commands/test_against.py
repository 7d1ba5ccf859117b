"""The texts that others are compared with: read with their lines, their vectors made once and kept."""

import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest

from kexue_cli.commands import against
from kexue_cli.commands.against import CACHE_BYTES, GRAPH, VECTORS, make_room, open_index, read_texts
from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity import index
from kexue_cli.tasks.similarity.index import Graph, Index, has_usearch

FAQ = "怎么借书\n\n怎么还书\n  \n几点开门\n"
CHARACTERS = "怎么借还书几点开门卡"


class Counting:
    """A model whose vectors count characters."""

    dimension = len(CHARACTERS)

    def __init__(self, folder):
        self.folder = folder
        self.read = []  # the numbers of texts at once

    def vectors(self, texts):
        self.read.append(len(texts))
        counts = np.array([[text.count(character) for character in CHARACTERS] for text in texts], np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "SHA256SUMS").write_text("one", "utf-8")
    return Counting(folder)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where vectors are expected."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kexue" / "vectors"


@pytest.fixture
def file(tmp_path, cache):
    path = tmp_path / "faq.txt"
    path.write_text(FAQ, "utf-8")
    return path


def opened(file, model, **options):
    return open_index(str(file), model, **options)


def kept(cache):
    return sorted(path.name for path in cache.iterdir())


# ------------------------------------------------------------- reading


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    return str(path)


def test_lines_keep_their_numbers_and_blank_ones_are_passed_over(file):
    assert list(read_texts(str(file))) == [(1, "怎么借书"), (3, "怎么还书"), (5, "几点开门")]


def test_records_give_each_text_with_their_line(tmp_path):
    lines = '{"text":"怎么借书","id":7}\n\n{"texts":["几点开门","什么时候开门"]}\n'
    lines += '{"standard":"办卡","queries":["怎么办卡"]}\n'

    found = list(read_texts(written(tmp_path, "faq.jsonl", lines)))

    assert found == [(1, "怎么借书"), (3, "几点开门"), (3, "什么时候开门"), (4, "办卡"), (4, "怎么办卡")]


def test_only_the_name_tells_whether_lines_are_records(tmp_path):
    record = '{"text":"怎么借书"}'

    assert list(read_texts(written(tmp_path, "FAQ.JSONL", record))) == [(1, "怎么借书")]
    assert list(read_texts(written(tmp_path, "faq.txt", "借书\n" + record))) == [(1, "借书"), (2, record)]
    with pytest.raises(KexueError, match=r"faq\.txt:1: seems to be a JSON record"):
        list(read_texts(written(tmp_path, "faq.txt", record)))


def test_compressed_records_are_read(tmp_path):
    (tmp_path / "faq.jsonl.gz").write_bytes(gzip.compress('{"text":"怎么借书"}\n'.encode()))

    assert list(read_texts(str(tmp_path / "faq.jsonl.gz"))) == [(1, "怎么借书")]


def test_another_encoding_is_read(tmp_path):
    (tmp_path / "faq.txt").write_bytes("怎么借书\n".encode("gb18030"))

    assert list(read_texts(str(tmp_path / "faq.txt"), "gb18030")) == [(1, "怎么借书")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text_a":"几点"}', "missing field 'text'; found ['text_a']; allowed: text, texts, or standard and queries"),
        ('{"text":3}', "text must be a string; found 3"),
        ('{"texts":"几点"}', 'texts must be a list; found "几点"'),
        ('{"texts":["几点",null]}', "texts[1] must be a string; found null"),
        ('{"standard":"几点","queries":["  "]}', 'queries[0] must not be blank; found "  "'),
        ("几点", "not JSON at column 1"),
    ],
)
def test_a_record_without_texts_is_named(tmp_path, line, problem):
    path = written(tmp_path, "faq.jsonl", '{"text":"怎么借书"}\n' + line + "\n")

    with pytest.raises(KexueError) as error:
        list(read_texts(path))

    assert str(error.value).startswith(f"{path}:2: {problem}")


# ------------------------------------------------------------- once


def test_the_nearest_text_is_found_with_its_line(file, model):
    found, texts, lines = opened(file, model)
    scores, rows = found.search(model.vectors(["还书"]), 1)

    assert (texts[rows[0, 0]], lines[rows[0, 0]]) == ("怎么还书", 3)
    assert scores[0, 0] == pytest.approx(2 / np.sqrt(2 * 4))
    assert found.is_exact


def test_vectors_are_made_once(file, model, cache, capsys):
    first, again = opened(file, model)[0], opened(file, model)[0]

    assert model.read == [3]
    assert np.array_equal(first.vectors, again.vectors)
    (folder,) = cache.iterdir()
    assert kept(folder) == [VECTORS]
    assert np.load(folder / VECTORS).dtype == np.float32
    assert capsys.readouterr().err == f"faq.txt: 3 texts, their vectors kept in {folder}\n"


def test_many_texts_are_read_in_blocks(file, model, monkeypatch):
    monkeypatch.setattr(against, "TEXTS", 2)

    found, texts, _ = opened(file, model)

    assert model.read == [2, 1]
    assert np.array_equal(found.vectors, Counting(None).vectors(texts))


def test_other_texts_have_other_vectors(file, model, cache):
    opened(file, model)
    file.write_text(FAQ + "怎么办卡\n", "utf-8")

    assert len(opened(file, model)[0]) == 4
    assert model.read == [3, 4]
    assert len(kept(cache)) == 2


def test_texts_cut_elsewhere_are_other_texts(file, model):
    for content in ("怎么\n借书\n", "怎么借\n书\n"):
        file.write_text(content, "utf-8")
        opened(file, model)

    assert model.read == [2, 2]


def test_the_same_texts_under_another_name_are_known(file, model, tmp_path):
    opened(file, model)
    _, _, lines = opened(written(tmp_path, "other.txt", "\n" + FAQ), model)

    assert model.read == [3]
    assert lines == [2, 4, 6]


@pytest.mark.parametrize("changed", ["SHA256SUMS", "weights"])
def test_another_model_has_other_vectors(file, model, changed):
    (model.folder / "SHA256SUMS").unlink()
    (model.folder / changed).write_text("one", "utf-8")
    opened(file, model)
    (model.folder / changed).write_text("two", "utf-8")
    opened(file, model)

    assert model.read == [3, 3]


@pytest.mark.parametrize("damage", [b"", b"vectors", None])
def test_damaged_vectors_are_made_anew(file, model, cache, damage):
    opened(file, model)
    (path,) = cache.glob(f"*/{VECTORS}")
    path.write_bytes(path.read_bytes()[:-4] if damage is None else damage)

    opened(file, model)
    opened(file, model)

    assert model.read == [3, 3]


def test_vectors_that_are_gone_are_made_anew(file, model, cache):
    opened(file, model)
    (path,) = cache.glob(f"*/{VECTORS}")
    path.rename(path.with_name(GRAPH))  # something else is left

    opened(file, model)

    assert model.read == [3, 3]


def test_a_model_that_fails_leaves_nothing(file, model, cache):
    def fail(texts):
        raise KexueError("no")

    model.vectors = fail
    with pytest.raises(KexueError, match=r"^no$"):
        opened(file, model)

    assert kept(cache) == []


@pytest.mark.parametrize("lacking", ["cache", "folder"])
def test_what_cannot_be_kept_is_held_in_memory(file, model, cache, lacking):
    if lacking == "cache":
        cache.parent.parent.touch()  # a file in place of the folder
    else:
        model.folder = None

    first, again = opened(file, model), opened(file, model)

    assert model.read == [3, 3]
    assert np.array_equal(first[0].vectors, again[0].vectors)
    assert not cache.exists()


# ------------------------------------------------------------- what is refused


@pytest.mark.parametrize("content", ["", "\n  \n"])
def test_a_file_without_a_text_is_refused(file, model, content):
    file.write_text(content, "utf-8")

    with pytest.raises(KexueError, match=r"faq\.txt: there is no text$"):
        opened(file, model)


def test_a_file_that_is_not_there_is_named(tmp_path, model):
    with pytest.raises(KexueError, match=r"^cannot read .*none\.txt: No such file or directory$"):
        opened(tmp_path / "none.txt", model)


# ------------------------------------------------------------- room


def folder_of(cache, name, size, days):
    """A folder of the cache that was last used so many days ago."""
    folder = cache / name
    folder.mkdir(parents=True)
    (folder / VECTORS).write_bytes(bytes(size))
    for path in (folder / VECTORS, folder):
        os.utime(path, (time.time() - days * 86400,) * 2)
    return folder


def test_the_longest_unused_is_removed_first(cache, monkeypatch):
    monkeypatch.setattr(against, "CACHE_BYTES", 25)
    oldest, old, new = (folder_of(cache, name, 10, days) for name, days in (("a", 3), ("c", 2), ("b", 1)))

    make_room(new)

    assert [folder.exists() for folder in (oldest, old, new)] == [False, True, True]


def test_the_one_in_use_stays_however_large(cache, monkeypatch):
    monkeypatch.setattr(against, "CACHE_BYTES", 5)
    used, other = folder_of(cache, "a", 10, 9), folder_of(cache, "b", 10, 1)

    make_room(used)

    assert (used.exists(), other.exists()) == (True, False)


def test_what_another_process_is_writing_stays_until_it_is_old(cache, monkeypatch):
    monkeypatch.setattr(against, "CACHE_BYTES", 5)
    used = folder_of(cache, "a", 10, 0)
    written, abandoned = folder_of(cache, ".b.partial", 10, 0.5), folder_of(cache, ".c.partial", 10, 2)

    make_room(used)

    assert (written.exists(), abandoned.exists()) == (True, False)


def test_use_is_noted(file, model, cache, monkeypatch):
    opened(file, model)
    (used,) = cache.iterdir()
    for path in (used / VECTORS, used):
        os.utime(path, (0, 0))
    other = folder_of(cache, "other", 10, 1)
    opened(file, model)
    monkeypatch.setattr(against, "CACHE_BYTES", used.joinpath(VECTORS).stat().st_size)

    make_room(folder_of(cache, "new", 1, 0))

    assert not other.exists()
    assert CACHE_BYTES == 4 * 2**30


# ------------------------------------------------------------- very many texts


def test_very_many_texts_are_compared_all_if_usearch_is_not_there(file, model, monkeypatch, capsys):
    monkeypatch.setattr(index, "EXACT_MOST", 2)
    monkeypatch.setattr(index, "has_usearch", lambda: False)

    assert isinstance(opened(file, model)[0], Index)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "kexue: faq.txt: all of 3 texts are compared; quicker with: pip install 'kexue[search]'"
    ]


@pytest.mark.skipif(not has_usearch(), reason="usearch is not installed")
def test_very_many_texts_get_a_graph_beside_their_vectors(file, model, cache, monkeypatch):
    monkeypatch.setattr(index, "EXACT_MOST", 2)

    first, again = opened(file, model)[0], opened(file, model)[0]

    assert isinstance(first, Graph)
    assert not again.is_exact
    assert again.search(model.vectors(["还书"]), 1)[1].tolist() == [[1]]
    assert kept(next(cache.iterdir())) == [GRAPH, VECTORS]
    assert kept(cache) == [Path(next(cache.iterdir())).name]
