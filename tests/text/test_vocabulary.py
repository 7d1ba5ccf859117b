"""Characters to ids, and the file they are kept in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.text.vocabulary import PADDING, UNKNOWN, Vocabulary

CHARACTERS = st.characters(exclude_categories=["Cs"]).filter(lambda character: not character.isspace())


def test_ids_count_from_two():
    ids = Vocabulary("我爱").ids("我爱你")

    assert (ids.dtype, ids.tolist()) == (np.int32, [2, 3, UNKNOWN])
    assert PADDING not in ids


def test_no_text_has_no_ids():
    assert Vocabulary("我爱").ids("").shape == (0,)


def test_an_astral_character_is_one():
    assert Vocabulary("😀𠀀").ids("𠀀😀").tolist() == [3, 2]


def test_the_most_frequent_come_first_and_rare_ones_not_at_all():
    texts = ["我爱北京", "北京", "京", "我 我\n我"]  # 我 4, 京 3, 北 2, 爱 1

    assert Vocabulary.count(texts, 2).characters == ("我", "京", "北")
    assert Vocabulary.count(texts, 1).characters == ("我", "京", "北", "爱")


def test_of_equal_counts_the_lower_code_point_comes_first():
    assert (
        Vocabulary.count(["爱我", "我爱"], 2).characters
        == Vocabulary.count(["我爱", "爱我"], 2).characters
        == ("我", "爱")
    )


def test_white_space_has_no_id():
    assert Vocabulary.count([" \u3000\n\r\t\u2028\x85" * 9], 1).characters == ()


def test_its_length_counts_padding_and_the_unknown():
    assert len(Vocabulary("我爱")) == 4


def test_the_file_has_a_line_for_each_id(tmp_path):
    Vocabulary("我爱").write(tmp_path / "vocabulary.txt")

    assert (tmp_path / "vocabulary.txt").read_bytes() == "<padding>\n<unknown>\n我\n爱\n".encode()


@given(st.lists(CHARACTERS, unique=True))
def test_what_is_written_is_read_again(tmp_path_factory, characters):
    path = tmp_path_factory.getbasetemp() / "vocabulary.txt"
    Vocabulary(characters).write(path)

    assert Vocabulary.read(path).characters == tuple(characters)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_what_is_counted_can_be_written(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "counted.txt"
    vocabulary = Vocabulary.count(texts, 1)
    vocabulary.write(path)

    again = Vocabulary.read(path)

    assert all(again.ids(text).tolist() == vocabulary.ids(text).tolist() for text in texts)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("我\n爱\n", "must begin with the entries <padding> and <unknown>"),
        ("", "must begin with the entries <padding> and <unknown>"),
        ("<padding>\n<unknown>\n我\n\n爱\n", "vocabulary.txt:4: an entry must be one character; found ''"),
        ("<padding>\n<unknown>\n北京\n", "vocabulary.txt:3: an entry must be one character; found '北京'"),
        ("<padding>\n<unknown>\n我\n爱\n我\n", "vocabulary.txt:3: an entry must be there once; found another '我'"),
        (b"<padding>\n<unknown>\n\xce\xd2\n", "vocabulary.txt is not valid UTF-8"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, problem):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(KexueError, match=problem):
        Vocabulary.read(path)


def test_a_missing_file_is_one_error(tmp_path):
    with pytest.raises(KexueError, match=r"cannot read .*vocabulary.txt: No such file or directory"):
        Vocabulary.read(tmp_path / "vocabulary.txt")
