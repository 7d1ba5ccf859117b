"""kexue train words: word vectors from raw text."""

import gzip
import json
import signal
import sys

import numpy as np
import pytest
from conftest import one_error

from kexue_cli.text.word_vectors import WordVectors
from kexue_cli.training.word_vectors import least_dimension
from kexue_cli.zoo import data_folder

SMALL = ("--vector-size", "8", "--epochs", "1", "--min-count", "2")
FILES = {"README.md", "SHA256SUMS", "config.json", "metrics.json", "vectors.npy", "vocabulary.txt"}
TEXT = (data_folder() / "segmentation-sample" / "raw.txt").read_text("utf-8")


@pytest.fixture
def train(kexue, tmp_path):
    """Train small vectors on a text into ./model."""
    pytest.importorskip("gensim")

    def run(*options: object, corpus: str | bytes = TEXT, **settings: object):
        data = corpus if isinstance(corpus, bytes) else corpus.encode()
        (tmp_path / "corpus.txt").write_bytes(data)
        return kexue("train", "words", "corpus.txt", "-o", "model", *SMALL, *options, **settings)

    return run


@pytest.fixture
def result(tmp_path):
    """Return what training wrote: words and numbers, as bytes."""
    return lambda name="model": [(tmp_path / name / file).read_bytes() for file in ("vocabulary.txt", "vectors.npy")]


def test_a_model_folder_holds_all_it_needs(train, kexue, tmp_path):
    done = train()

    assert (done.returncode, done.out) == (0, b""), done.stderr
    assert done.stderr.startswith("model: vectors of ")
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}
    assert kexue("models", "verify", "./model").returncode == 0
    assert "kexue train words corpus.txt -o model --vector-size 8" in kexue("models", "show", "./model").stdout


def test_frequent_words_come_first_and_have_a_vector(train, tmp_path):
    train()

    vectors = WordVectors.load(tmp_path / "model")
    assert vectors.words[0] == "<unknown>"
    assert vectors.table.dtype == np.float16
    assert vectors.table.shape == (len(vectors.words), 8)
    assert not vectors.table[0].any()
    assert vectors.table[1:].any(axis=1).all()
    assert 0 < vectors.rows(["的"])[0] < 10


def test_the_number_of_words_says_how_many_numbers_a_vector_has(kexue, tmp_path):
    pytest.importorskip("gensim")
    (tmp_path / "corpus.txt").write_text("我爱北京，我爱上海，我。\n" * 5, "utf-8")

    assert kexue("train", "words", "corpus.txt", "-o", "model", "--epochs", "1", "--words", "3").returncode == 0

    assert WordVectors.load(tmp_path / "model").dimension == 10  # 8.33 ln 3 = 9.15
    assert [least_dimension(words) for words in (1, 50_000, 100_000)] == [1, 91, 96]


def test_the_words_that_are_kept_are_the_most_frequent(train, tmp_path):
    train("--words", "3", corpus="我爱北京，我爱上海，我。\n" * 5)

    assert WordVectors.load(tmp_path / "model").words == ["<unknown>", "我", ",", "爱"]  # 15, 10 and 10 times


def test_digits_case_width_and_script_make_no_other_word(train, tmp_path):
    train(corpus="他1998年到ＮＡＳＡ工作\n他2026年到nasa工作\n他們發現蘋果\n他们发现苹果\n")

    words = WordVectors.load(tmp_path / "model").words
    assert {"0000年", "nasa", "发现", "苹果"} <= set(words)


def test_the_same_text_gives_the_same_bytes_whatever_the_hash_seed(train, result):
    found = []
    for seed in ("0", "1"):
        assert train(env={"PYTHONHASHSEED": seed}).returncode == 0
        found.append(result())
    train("--seed", "1")

    assert found[0] == found[1]
    assert result()[0] == found[0][0]
    assert result()[1] != found[0][1]


def test_the_same_text_gives_the_same_vectors_however_it_is_written(train, kexue, result, tmp_path):
    train()
    expected = result()
    half = TEXT.index("\n", len(TEXT) // 2) + 1
    (tmp_path / "one.txt.gz").write_bytes(gzip.compress(TEXT[:half].encode()))
    lines = [json.dumps({"context": line} if number % 2 else {"text": line, "context": "?"})
             for number, line in enumerate(TEXT[half:].splitlines())]  # fmt: skip
    (tmp_path / "two.jsonl").write_text("\n".join(lines), "utf-8")

    piped = kexue("train", "words", "-", "-o", "piped", *SMALL, stdin=TEXT)
    mixed = kexue("train", "words", "one.txt.gz", "two.jsonl", "--field", "text,context", "-o", "mixed", *SMALL)

    assert (piped.returncode, mixed.returncode) == (0, 0), piped.stderr + mixed.stderr
    assert result("piped") == expected
    assert result("mixed") == expected
    assert train("--encoding", "gb18030", corpus=TEXT.encode("gb18030")).returncode == 0
    assert result() == expected


def test_several_threads_train_too(train, result):
    train()
    expected = result()

    assert train("--threads", "2").returncode == 0
    assert result()[0] == expected[0]


@pytest.mark.parametrize("corpus", ["", "\n", "一二三\n"], ids=["empty", "blank", "nothing repeats"])
def test_a_text_without_words_is_one_error_and_leaves_nothing(train, tmp_path, corpus):
    done = train(corpus=corpus)

    assert done.returncode == 1
    assert "no word occurs 2 times" in one_error(done)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_bad_bytes_and_bad_records_are_named_and_leave_nothing(train, kexue, tmp_path):
    done = train(corpus="葡萄\n".encode() + b"\xff\n")
    (tmp_path / "bad.jsonl").write_text('{"text": "葡萄"}\n{"title": "葡萄"}\n', "utf-8")
    bad = kexue("train", "words", "bad.jsonl", "--field", "text", "-o", "model")

    assert (done.returncode, bad.returncode) == (1, 1)
    assert one_error(done).startswith("corpus.txt:2: byte 0")
    assert one_error(bad).startswith("bad.jsonl:2: missing field 'text'")
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "bad.jsonl"}


@pytest.mark.parametrize("options", [("--sample", "0"), ("--words", "0"), ("--encoding", "klingon"), ("-o", " ")])
def test_options_that_cannot_be_are_misuse(train, options):
    assert train(*options).returncode == 2


def test_a_missing_gensim_is_one_line_that_names_the_extra(kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text(TEXT, "utf-8")
    without = "import sys; sys.modules['gensim'] = None; from kexue_cli.main import main; main()"

    done = kexue("train", "words", "corpus.txt", "-o", "model", command=(sys.executable, "-c", without))

    assert done.returncode == 1
    assert "kexue[train]" in one_error(done)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_a_signal_leaves_no_half_of_a_model(interrupt_while_reading, tmp_path):
    pytest.importorskip("gensim")
    done = interrupt_while_reading(
        "train", "words", "corpus", "-o", "model", pipe=tmp_path / "corpus", number=signal.SIGTERM
    )

    assert (done.returncode, b"Traceback" in done.err) == (143, False)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
