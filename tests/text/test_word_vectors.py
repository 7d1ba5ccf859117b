"""Words to rows, rows to vectors."""

import numpy as np
import pytest

from kexue_cli.config import write_json
from kexue_cli.errors import KexueError
from kexue_cli.text.word_vectors import WordVectors, shape
from kexue_cli.zoo import file_digest

WORDS = ["<unknown>", "北京", "上海", "苹果", "0000年"]
TABLE = np.array([[0, 0], [3, 4], [4, 3], [-1, 0], [0, 0.5]], np.float16)


@pytest.fixture
def folder(tmp_path):
    """Four words with two numbers each."""
    write_json(tmp_path / "config.json", {"format": 1, "task": "words"})
    (tmp_path / "vocabulary.txt").write_text("".join(f"{word}\n" for word in WORDS), "utf-8")
    np.save(tmp_path / "vectors.npy", TABLE)
    return tmp_path


@pytest.fixture
def vectors(folder):
    return WordVectors.load(folder)


def test_the_row_of_a_word_is_its_line(vectors):
    rows = vectors.rows(["上海", "北京"])

    assert (rows.dtype, rows.tolist()) == (np.int32, [2, 1])


def test_words_that_are_not_known_have_row_zero_which_is_zero(vectors):
    rows = vectors.rows(["香蕉", "", "<unknown>"])

    assert rows.tolist() == [0, 0, 0]
    assert not vectors.vectors(rows).any()


@pytest.mark.parametrize(("word", "row"), [("蘋果", 3), ("1998年", 4), ("２０２６年", 4), ("98年", 0)])
def test_words_are_normalised_as_in_training(vectors, word, row):
    assert vectors.rows([word]).tolist() == [row]


def test_the_shape_of_a_text_has_its_length():
    assert shape("3.14 和 2026年") == "0.00 和 0000年"


def test_vectors_are_of_single_precision(vectors):
    found = vectors.vectors(vectors.rows(["北京", "0000年"]))

    assert (found.dtype, found.tolist(), vectors.dimension) == (np.float32, [[3, 4], [0, 0.5]], 2)
    assert vectors.vectors(vectors.rows([])).shape == (0, 2)


def test_the_nearest_words_have_the_largest_cosine(vectors):
    assert [word for word, _ in vectors.nearest("北京", 2)] == ["上海", "0000年"]
    assert vectors.nearest("北京", 1)[0][1] == pytest.approx(24 / 25)
    with pytest.raises(KexueError, match="香蕉"):
        vectors.nearest("香蕉")


def test_the_digest_is_that_of_the_file(vectors, folder):
    assert vectors.digest == file_digest(folder / "vectors.npy")


@pytest.mark.parametrize(
    ("file", "data", "problem"),
    [
        ("vocabulary.txt", None, "cannot read"),
        ("vocabulary.txt", "<unknown>\n北京\n".encode(), "a row for each word"),
        ("vocabulary.txt", b"\xff\n", "damaged"),
        ("vectors.npy", None, "cannot read"),
        ("vectors.npy", b"", "damaged"),
        ("vectors.npy", b"no numbers", "damaged"),
        ("config.json", b'{"format": 1, "task": "segmentation"}', "segmentation, not word vectors"),
    ],
)
def test_a_damaged_folder_is_one_error(folder, file, data, problem):
    (folder / file).unlink()
    if data is not None:
        (folder / file).write_bytes(data)

    with pytest.raises(KexueError, match=problem):
        WordVectors.load(folder)


def test_objects_in_place_of_numbers_are_never_loaded(folder):
    np.save(folder / "vectors.npy", np.array([{}] * 5))

    with pytest.raises(KexueError, match="must hold 2 dimensions of float16"):
        WordVectors.load(folder)
