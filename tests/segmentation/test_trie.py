"""Words in, weights out; files that are whole, or refused."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.segmentation import compilation
from kexue_cli.segmentation import lexicon as lexicons
from kexue_cli.segmentation import trie as tries
from kexue_cli.segmentation.packing import insert, pack_trie
from kexue_cli.segmentation.rules import LABEL_MASK
from kexue_cli.segmentation.trie import Trie, build_trie, read_trie, write_trie
from kexue_cli.segmentation.viterbi import BASE_MASK, BASE_SHIFT, NO_WEIGHT, WEIGHT_SHIFT

WORDS = st.dictionaries(
    st.text(alphabet="天地玄黄宇宙洪荒ab1", min_size=1, max_size=6), st.integers(-500, 500), min_size=1
)


def weight_of(trie: Trie, word: str) -> int | None:
    """Walk the trie as its file format says."""
    unit = trie.units[0]
    for character in word:
        label = trie.labels.get(ord(character), 0)
        unit = int(trie.units[(int(unit) >> BASE_SHIFT & BASE_MASK) + label])
        if not label or unit & LABEL_MASK != label:
            return None
    weight = int(unit) >> WEIGHT_SHIFT
    return None if weight == NO_WEIGHT else weight


@given(WORDS)
def test_a_trie_holds_its_words_and_no_others(weights):
    trie = build_trie(weights)

    assert {word: weight_of(trie, word) for word in weights} == weights
    for word in weights:
        for other in (word + "天", word[:-1], "荒" + word):
            assert weight_of(trie, other) == weights.get(other)


@settings(deadline=None)
@given(WORDS)
def test_packing_with_numpy_gives_the_same_trie(weights):
    plain, packed = build_trie(weights), pack_trie(list(weights), list(weights.values()))

    assert list(plain.units) == list(packed.units)
    assert plain.labels == packed.labels


def test_a_trie_that_fills_its_room_has_the_units_behind_its_last_base_all_the_same(monkeypatch):
    def fill(letters, lengths, weights, patience, units, *rest):
        return len(units)

    monkeypatch.setattr(compilation, "insert_words", fill)

    units, _, used = insert(np.array([[1, 3, 0]], np.uint16), np.array([5]), 1)

    assert len(units) == used + 3 + 1  # a look-up adds a label, 0 to 3, to a base, which may be the last unit


def test_words_that_read_alike_become_one_and_the_heavier_counts():
    trie = build_trie({"台湾": 1, "臺灣": 5})

    assert weight_of(trie, "台湾") == weight_of(trie, "臺灣") == weight_of(trie, "臺湾") == 5


def test_a_file_gives_back_the_trie(tmp_path):
    trie = build_trie({"天地": 3, "天": -2})

    write_trie(tmp_path / "a.trie", trie, b"d" * 32)
    again, digest = read_trie(tmp_path / "a.trie")

    assert digest == b"d" * 32
    assert (list(again.units), again.labels) == (list(trie.units), dict(trie.labels))


def test_a_changed_byte_anywhere_is_noticed(tmp_path):
    path = tmp_path / "a.trie"
    write_trie(path, build_trie({"天地": 3, "天": -2}), b"d" * 32)
    whole = path.read_bytes()

    for position in [*range(16), *range(48, len(whole), 7)]:  # 16 to 47: the digest, which the caller compares
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        if position < 52 or position >= tries.HEADER.size:  # what is between pads the header
            with pytest.raises(KexueError, match="damaged"):
                read_trie(path)


@pytest.mark.parametrize("length", [0, 10, 63, 64, 80])
def test_a_file_that_is_cut_off_is_refused(tmp_path, length):
    path = tmp_path / "a.trie"
    write_trie(path, build_trie({"天地": 3}), b"d" * 32)
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(KexueError):
        read_trie(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("天地\t1\n地\n", "2: expected a word, a TAB and a weight"),
        ("天地\tx\n", "1: the weight must be a number; found 'x'"),
        ("天地\tnan\n", "1: the weight must be a number"),
        ("天\t1\n天\t2\n", "2: the word '天' stands there twice"),
    ],
)
def test_a_bad_line_of_a_lexicon_is_named(tmp_path, content, problem):
    path = tmp_path / "lexicon.tsv"
    path.write_text(content, "utf-8")

    with pytest.raises(RecordError, match=problem):
        lexicons.compile_lexicon(path)


def test_a_lexicon_may_be_edited_by_hand(tmp_path):
    path = tmp_path / "lexicon.tsv"
    path.write_bytes("\ufeffword\tweight\r\n天地\t1.5\r\n人\t-2\t7\t\t\r\n\r\n".encode())

    assert lexicons.read_weights(path) == {"天地": 1.5, "人": -2.0}


def test_an_edited_lexicon_is_used_without_touching_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "lexicon.tsv").write_text("天地\t1\n", "utf-8")
    lexicons.write_compiled(folder, build_trie({"天地": tries.whole_weight(1)}))
    before = (folder / "lexicon.trie").read_bytes()
    (folder / "lexicon.tsv").write_text("天地\t2\n人\t1\n", "utf-8")

    trie = lexicons.open_trie(folder)

    assert weight_of(trie, "人") == tries.whole_weight(1)
    assert (folder / "lexicon.trie").read_bytes() == before
    digest = hashlib.sha256((folder / "lexicon.tsv").read_bytes()).hexdigest()
    assert (tmp_path / "cache" / "kexue" / "tries" / f"{digest}.trie").is_file()
    assert lexicons.is_edited(folder)
