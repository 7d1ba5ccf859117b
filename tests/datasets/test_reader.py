"""Records of a task from our own lines or a published format, told by the beginning of the file."""

import gzip
import json
import lzma
from collections import Counter

import pytest
import zstandard

from kexue_cli.datasets import DATASETS
from kexue_cli.datasets.reader import HEAD_BYTES, read_records
from kexue_cli.errors import KexueError, UsageError

QUESTION = "谁写了《呐喊》？"
TEXT = "《呐喊》是鲁迅的小说集。"
RECORD = {"id": "Q1", "question": QUESTION, "passages": [{"text": TEXT, "answers": ["鲁迅"]}]}
ANSWERED = {"id": "Q1", "question": QUESTION, "answers": [{"text": "鲁迅", "answer_start": 5}]}
PUBLISHED = {
    "webqa": {"Q1": {"question": QUESTION, "evidences": {"Q1#0": {"evidence": TEXT, "answer": ["鲁迅"]}}}},
    "sogouqa": [{"id": "Q1", "question": QUESTION, "passages": [{"passage": TEXT, "answer": "鲁迅"}]}],
    "squad": {"data": [{"paragraphs": [{"context": TEXT, "qas": [ANSWERED]}]}]},
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a value as JSON, or bytes as they are, to a file of this name in the current folder."""
    monkeypatch.chdir(tmp_path)

    def run(name, value):
        data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        (tmp_path / name).write_bytes(data)
        return name

    return run


def test_every_format_of_the_table_is_tried_here():
    assert PUBLISHED.keys() == {name for name, entry in DATASETS.items() if entry.task == "qa"}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_published_document_is_read_whether_its_format_is_named_or_not(write, name, is_named):
    path = write("train.json", PUBLISHED[name])

    ((where, record),) = read_records([path], "qa", name if is_named else None)
    record["passages"][0].pop("starts", None)  # squad says where answers begin
    assert (where, record) == ("train.json:Q1", RECORD)


def test_our_own_lines_are_told_by_file_and_line(write):
    path = write("train.jsonl", b"\xef\xbb\xbf\n" + json.dumps(RECORD).encode() + b"\r\n")

    assert list(read_records([path], "qa")) == [("train.jsonl:2", RECORD)]


def test_our_own_record_may_be_longer_than_what_is_looked_at(write):
    record = {**RECORD, "passages": [{"text": "鲁迅" * HEAD_BYTES, "answers": ["鲁迅"]}]}

    assert list(read_records([write("long.jsonl", record)], "qa")) == [("long.jsonl:1", record)]


def test_several_files_may_be_in_several_formats(write):
    paths = [write("a.jsonl", RECORD), write("b.json", PUBLISHED["squad"]), write("empty.jsonl", b"")]

    assert [where for where, _ in read_records(paths, "qa")] == ["a.jsonl:1", "b.json:Q1"]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_compressed_documents_are_read_as_they_are(write, pack):
    many = {f"Q{i}": PUBLISHED["webqa"]["Q1"] for i in range(1000)}  # longer than what is looked at
    path = write("train.packed", pack(json.dumps(many).encode()))

    assert [where for where, _ in read_records([path], "qa")] == [f"train.packed:Q{i}" for i in range(1000)]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8"])
def test_documents_in_other_encodings_are_read(write, encoding):
    text = json.dumps(PUBLISHED["sogouqa"] * 200, ensure_ascii=False)
    path = write("sogou.json", text.encode("utf-8-sig" if encoding == "utf-8" else encoding))

    assert [record for _, record in read_records([path], "qa", encoding=encoding)] == [RECORD] * 200


def test_what_is_left_out_is_counted(write):
    question = {"id": "Q2", "question": "鲁迅写诗吗？", "answers": [{"text": "YES", "answer_start": -1}]}
    path = write("cjrc.json", {"data": [{"paragraphs": [{"context": "鲁迅写诗。", "qas": [question]}]}]})
    left_out = Counter()

    assert list(read_records([path], "qa", left_out=left_out)) == []
    assert left_out == {"answered by YES or NO": 1}


def test_a_broken_document_is_one_error_with_its_place_and_what_is_expected(write):
    path = write("squad.json", b'{"data":\n [{"paragraphs": [')

    with pytest.raises(KexueError) as error:
        list(read_records([path], "qa"))

    assert str(error.value).startswith(
        "squad.json:2: not JSON at column 19 (unexpected end of data); expected one document of squad:"
    )


def test_a_bad_byte_of_a_document_is_named_by_line_and_offset(write):
    path = write("squad.json", b'{"data":\n ["\xff"]}')

    with pytest.raises(KexueError, match=r"squad.json:2: byte 3 of the line \(0xff\) is not valid UTF-8"):
        list(read_records([path], "qa"))


def test_a_bad_line_comes_after_the_good_ones_before_it(write):
    path = write("train.jsonl", json.dumps(RECORD).encode() + b"\n[3]\n")
    records = read_records([path], "qa")

    assert next(records) == ("train.jsonl:1", RECORD)
    with pytest.raises(KexueError, match=r"^train.jsonl:2: not a JSON object"):
        next(records)


def test_a_file_in_no_format_of_the_task_says_how_it_begins(write):
    with pytest.raises(KexueError) as error:
        list(read_records([write("gold.txt", "我 爱 北京\n天安门\n".encode())], "qa"))

    assert str(error.value) == (
        'gold.txt is in no format known here; it begins "我 爱 北京"; name it with --format webqa|sogouqa|squad'
    )


def test_the_format_of_another_task_is_misuse():
    with pytest.raises(UsageError, match="--format sighan holds records of segmentation, not of qa"):
        list(read_records([], "qa", "sighan"))
