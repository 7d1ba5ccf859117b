"""n-grams counted by sorting, in memory and on disk, against a dictionary that counts one by one."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.segmentation import ngrams as ngrams_module
from kexue_cli.segmentation import runs as runs_module
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.counting import DEPTH
from kexue_cli.segmentation.ngrams import Ngrams, count_ngrams
from kexue_cli.segmentation.rules import DIGIT, HAN

HAN_ONLY = 1 << HAN


@pytest.fixture
def corpus(tmp_path):
    def make(*texts: str, **options) -> Corpus:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.txt"
            path.write_text(text, "utf-8", newline="")
            paths.append(str(path))
        return Corpus(paths, **options)

    return make


def counted_one_by_one(text: str, least: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for run in "".join(character if "一" <= character <= "鿿" else " " for character in text).split():
        counts.update(run[i : i + n] for n in range(1, DEPTH + 1) for i in range(len(run) - n + 1))
    return {gram: count for gram, count in counts.items() if count >= least}


def as_dict(ngrams: Ngrams) -> dict[str, int]:
    words = ngrams.words(np.arange(len(ngrams.totals)))
    return dict(zip(words, ngrams.totals.tolist(), strict=True))


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="天地人，\n a", max_size=200), st.integers(1, 3))
def test_counts_are_those_of_a_dictionary(tmp_path_factory, text, least):
    path = tmp_path_factory.mktemp("corpus") / "text"
    path.write_text(text, "utf-8", newline="")

    ngrams = count_ngrams(Corpus([str(path)]), accepted=HAN_ONLY, least=least)

    assert as_dict(ngrams) == counted_one_by_one(text, least)
    assert ngrams.size == sum("一" <= character <= "鿿" for character in text)


def test_many_different_characters_are_counted(corpus):
    text = "".join(chr(0x4E00 + 7 * index % 20000) for index in range(30000))  # needs keys of 16 bits a character

    ngrams = count_ngrams(corpus(text), accepted=HAN_ONLY, least=1)

    assert as_dict(ngrams) == counted_one_by_one(text, 1)


def test_runs_on_disk_give_the_same_bytes(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(ngrams_module, "FEW_CHARACTERS", 50)
    monkeypatch.setattr(runs_module, "PIECE_KEYS", 16)
    texts = ["天地玄黄，宇宙洪荒。" * 9 + "\n", "天地之间，有人有书。\n" * 9, "宇宙之大\n" * 30]
    whole = corpus(*texts)

    in_memory = count_ngrams(whole, accepted=HAN_ONLY, least=2)
    on_disk = count_ngrams(whole, accepted=HAN_ONLY, least=2, memory=0, work=tmp_path / "counts")

    for name in ("characters", "parents", "totals", "starts"):
        assert getattr(in_memory, name).tobytes() == getattr(on_disk, name).tobytes()
    assert in_memory.size == on_disk.size
    assert not (tmp_path / "counts").exists()


def test_counting_goes_on_after_a_kill(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(ngrams_module, "FEW_CHARACTERS", 20)
    whole = corpus("天地玄黄宇宙洪荒天地玄黄\n", "天地之间有人有书天地之间\n", "宇宙之大无奇不有宇宙\n")
    expected = as_dict(count_ngrams(whole, accepted=HAN_ONLY, least=2))
    sorted_texts = []
    original = ngrams_module.sorted_run

    def interrupted(codes):
        if len(sorted_texts) == 2:
            raise KeyboardInterrupt
        sorted_texts.append(codes)
        return original(codes)

    monkeypatch.setattr(ngrams_module, "sorted_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        count_ngrams(whole, accepted=HAN_ONLY, least=2, memory=0, work=tmp_path / "counts")
    again = []
    monkeypatch.setattr(ngrams_module, "sorted_run", lambda codes: again.append(codes) or original(codes))
    resumed = count_ngrams(whole, accepted=HAN_ONLY, least=2, memory=0, work=tmp_path / "counts")

    assert as_dict(resumed) == expected
    assert len(sorted_texts) == 2
    assert len(again) == 1  # the two runs that were whole were not made again


def test_runs_of_another_corpus_are_not_taken_up(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(ngrams_module, "FEW_CHARACTERS", 5)
    work = tmp_path / "counts"
    work.mkdir()
    (work / "manifest.json").write_text("another", "utf-8")
    (work / "000000.run").write_bytes(b"\0" * 16)
    whole = corpus("天地天地天\n", "天地人\n")

    ngrams = count_ngrams(whole, accepted=HAN_ONLY, least=1, memory=0, work=work)

    assert as_dict(ngrams)["天地"] == 3


def test_suffixes_and_prefixes(corpus):
    ngrams = count_ngrams(corpus("天地人\n天地人\n"), accepted=HAN_ONLY, least=2)
    words = ngrams.words(np.arange(len(ngrams.totals)))

    for node, word in enumerate(words):
        if len(word) > 1:
            assert words[ngrams.suffixes[node]] == word[1:]
            assert words[ngrams.parents[node]] == word[:-1]


def test_find_gives_the_place_of_a_string_or_minus_one(corpus):
    ngrams = count_ngrams(corpus("天地人\n天地人\n"), accepted=HAN_ONLY, least=2)
    from kexue_cli.segmentation.packing import code_rows

    wanted = ["天地", "地天", "人", "黄", "天地人天地人天", "a"]
    nodes = ngrams.find(code_rows(wanted)).tolist()

    assert [ngrams.words(np.array([node]))[0] if node >= 0 else None for node in nodes] == [
        "天地",
        None,
        "人",
        None,
        None,
        None,
    ]


def test_entropy_of_neighbours(corpus):
    # 天 is followed by 地 twice and by 人 twice: two equally likely neighbours, ln 2
    ngrams = count_ngrams(corpus("天地\n天地\n天人\n天人\n"), accepted=HAN_ONLY, least=1)
    words = ngrams.words(np.arange(len(ngrams.totals)))
    left, right = ngrams.entropies()

    assert right[words.index("天")] == pytest.approx(math.log(2))
    # 地 ends the line each time, and each end counts as another neighbour: ln 2
    assert right[words.index("地")] == pytest.approx(math.log(2))
    # 地 always follows 天
    assert left[words.index("地")] == pytest.approx(0)


def test_pmi_is_that_of_the_weakest_cut(corpus):
    text = "天地人\n天地人\n天地\n人天\n"  # 10 characters: 天 4, 地 3, 人 3; 天地 3, 地人 2, 天地人 2
    ngrams = count_ngrams(corpus(text), accepted=HAN_ONLY, least=1)
    words = ngrams.words(np.arange(len(ngrams.totals)))

    pmi = dict(zip(words, ngrams.pmi, strict=True))

    assert pmi["天地"] == pytest.approx(math.log(10 * 3 / (4 * 3)))
    assert pmi["天地人"] == pytest.approx(min(math.log(10 * 2 / (4 * 2)), math.log(10 * 2 / (3 * 3))))


def test_other_kinds_of_characters_may_be_counted(corpus):
    ngrams = count_ngrams(corpus("第12章"), accepted=HAN_ONLY | 1 << DIGIT, least=1)

    assert {"12", "第1", "2章"} <= set(as_dict(ngrams))


def test_in_a_large_corpus_rare_strings_are_left_out(corpus):
    ngrams = count_ngrams(corpus("天地\n" * 8 + "人和\n" * 3), accepted=HAN_ONLY, least=2, scale=5)

    assert set(as_dict(ngrams)) == {"天", "地", "天地"}  # 22 characters: four times at least


def test_lengths_are_sorted(corpus):
    ngrams = count_ngrams(corpus("天地玄黄宇宙洪荒"), accepted=HAN_ONLY, least=1)

    assert all(first <= second for first, second in pairwise(ngrams.lengths.tolist()))
