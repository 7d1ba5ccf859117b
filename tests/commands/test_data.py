"""kexue data: list, show, convert."""

import json

import pytest
from conftest import one_error
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import sighan


def test_the_sample_sets_are_listed(kexue):
    done = kexue("data", "list", "--json")

    records = [json.loads(line) for line in done.lines]
    assert "segmentation-sample" in [record["name"] for record in records]
    assert all(record.keys() >= {"name", "path", "bytes"} for record in records)
    assert [line.split()[0] for line in kexue("data", "list").lines] == [record["name"] for record in records]


def test_the_card_of_every_sample_set_is_shown(kexue):
    for line in kexue("data", "list", "--json").lines:
        name = json.loads(line)["name"]

        assert kexue("data", "show", name).lines[0] == f"# {name}"


def test_an_unknown_sample_set_is_answered_with_the_nearest(kexue):
    done = kexue("data", "show", "segmentation-samples")

    assert done.returncode == 1
    assert "did you mean 'segmentation-sample'?" in one_error(done)


def test_segmented_text_becomes_records_with_places(kexue):
    done = kexue("data", "convert", "--format", "sighan", stdin="我 爱  北京\n\n天安门\n")

    assert [json.loads(line) for line in done.lines] == [
        {
            "text": "我爱北京",
            "words": [
                {"word": "我", "start": 0, "end": 1},
                {"word": "爱", "start": 1, "end": 2},
                {"word": "北京", "start": 2, "end": 4},
            ],
        },
        {"text": "天安门", "words": [{"word": "天安门", "start": 0, "end": 3}]},
    ]


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)


@given(st.lists(st.lists(WORDS, min_size=1), min_size=1))
def test_the_words_of_a_converted_line_are_those_that_were_there(lines):
    numbered = enumerate(("  ".join(words) for words in lines), 1)

    records = list(sighan.convert(numbered))

    assert [[word["word"] for word in record["words"]] for record in records] == lines
    for record in records:
        assert all(record["text"][word["start"] : word["end"]] == word["word"] for word in record["words"])


def test_converted_records_can_be_predicted_and_keep_their_words_as_gold(kexue):
    converted = kexue("data", "convert", "--format", "sighan", stdin="我爱 北京\n").out

    record = json.loads(kexue("predict", "segmentation", stdin=converted).stdout)

    assert [word["word"] for word in record["gold"]["words"]] == ["我爱", "北京"]
    assert [word["word"] for word in record["words"]] == ["我", "爱", "北京"]


def test_other_encodings_and_files_are_read_and_written(kexue, tmp_path):
    (tmp_path / "gold.txt").write_bytes("我 爱 北京\r\n".encode("gb18030"))

    done = kexue("data", "convert", "gold.txt", "--format", "sighan", "--encoding", "gb18030", "-o", "gold.jsonl")

    assert (done.returncode, done.out) == (0, b"")
    assert json.loads((tmp_path / "gold.jsonl").read_text("utf-8"))["text"] == "我爱北京"


def test_a_bad_byte_leaves_no_output_file(kexue, tmp_path):
    (tmp_path / "gold.txt").write_bytes("我 爱\n".encode() + b"\xff\n")

    done = kexue("data", "convert", "gold.txt", "--format", "sighan", "-o", "gold.jsonl")

    assert done.returncode == 1
    assert one_error(done).startswith("gold.txt:2: byte 0 of the line (0xff) is not valid UTF-8")
    assert [path.name for path in tmp_path.iterdir()] == ["gold.txt"]


@pytest.mark.parametrize("text", ["", "\ufeff", "\n \n"])
def test_text_without_words_becomes_no_records(kexue, text):
    done = kexue("data", "convert", "--format", "sighan", stdin=text)

    assert (done.returncode, done.out) == (0, b"")


def test_an_unknown_format_is_misuse_answered_with_the_nearest(kexue):
    done = kexue("data", "convert", "--format", "sighann")

    assert done.returncode == 2
    assert "did you mean 'sighan'?" in one_error(done)
