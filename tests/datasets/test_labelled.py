"""Texts and what they were written under, from JSON lines whose fields have any names."""

import json

import pytest

from kexue_cli.datasets.labelled import read_labelled
from kexue_cli.errors import KexueError, RecordError

REVIEW = {"cat": "书", "label": 1, "review": "字很清楚，翻着不累。", "id": 7}
OURS = {"condition": {"cat": "报", "label": 0}, "text": "纸太薄，一翻就破。"}


@pytest.fixture
def read(tmp_path):
    """Write records, a file each list, and read them with fields of these names."""

    def read(*files, names=(), target="text", encoding="utf-8"):
        paths = []
        for number, records in enumerate(files, 1):
            paths.append(tmp_path / f"{number}.jsonl")
            lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records]
            paths[-1].write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        found = list(read_labelled([str(path) for path in paths], names, target, encoding))
        return [(where.removeprefix(f"{tmp_path}/"), record) for where, record in found]

    return read


def test_without_names_records_are_ours(read):
    assert read([OURS]) == [("1.jsonl:1", OURS)]
    assert read([{**OURS, "id": 7, "cat": "书"}]) == [("1.jsonl:1", OURS)]


def test_fields_that_are_named_are_the_condition_and_another_is_the_text(read):
    condition = {"label": 1, "cat": "书"}

    [(_, found)] = read([REVIEW], names=["label", "cat"], target="review")

    assert found == {"condition": condition, "text": REVIEW["review"]}
    assert list(found["condition"]) == list(condition)
    assert read([REVIEW], names=["cat"], target="review")[0][1]["condition"] == {"cat": "书"}


def test_the_text_may_stand_in_the_field_text(read):
    assert read([{"cat": "书", "text": "好"}], names=["cat"]) == [
        ("1.jsonl:1", {"condition": {"cat": "书"}, "text": "好"})
    ]


def test_what_fields_hold_is_for_the_task_to_judge(read):
    assert read([{"cat": [{}], "text": 3}], names=["cat"])[0][1] == {"condition": {"cat": [{}]}, "text": 3}
    assert read([{"condition": "书", "text": None}])[0][1] == {"condition": "书", "text": None}


def test_our_records_are_read_beside_those_with_named_fields(read):
    found = read([REVIEW, OURS], names=["cat", "label"], target="review")

    assert [record["condition"] for _, record in found] == [{"cat": "书", "label": 1}, {"cat": "报", "label": 0}]
    assert [record["text"] for _, record in found] == [REVIEW["review"], OURS["text"]]


def test_a_record_with_all_of_the_names_is_not_ours_whatever_its_condition_is(read):
    record = {"cat": "书", "condition": "九成新", "text": "好"}

    assert read([record], names=["cat"]) == [("1.jsonl:1", {"condition": {"cat": "书"}, "text": "好"})]
    assert read([record], names=["condition", "cat"])[0][1]["condition"] == {"condition": "九成新", "cat": "书"}


def test_the_text_of_ours_may_stand_in_the_field_that_is_told(read):
    record = {"condition": {"cat": "书"}, "review": "好", "text": "别的"}

    assert read([record], target="review") == [("1.jsonl:1", {"condition": {"cat": "书"}, "text": "好"})]


def test_files_come_one_after_another_each_record_with_its_line(read):
    found = read([OURS, "", OURS], ["", OURS])

    assert [where for where, _ in found] == ["1.jsonl:1", "1.jsonl:3", "2.jsonl:2"]


def test_files_may_be_in_another_encoding(read):
    assert read([OURS], encoding="gb18030") == [("1.jsonl:1", OURS)]


@pytest.mark.parametrize(
    ("record", "names", "message"),
    [
        ({"text": "好"}, [], "missing field 'condition'; found ['text']"),
        ({"condition": {}}, [], "missing field 'text'; found ['condition']"),
        ({"cat": "书", "text": "好"}, ["cat", "label"], "missing field 'label'; found ['cat', 'text']"),
        ({"cat": "书", "review": "好"}, ["cat"], "missing field 'text'; found ['cat', 'review']"),
        ("书", [], "not JSON at column 1"),
        ('["书"]', [], "not a JSON object; found list; allowed: {...}"),
    ],
)
def test_a_record_that_is_wrong_is_named_by_its_line(read, tmp_path, record, names, message):
    before = {"condition": {}, "cat": 0, "label": 0, "text": ""}

    with pytest.raises(RecordError) as error:
        read([before, record], names=names)

    assert str(error.value).startswith(f"{tmp_path}/1.jsonl:2: {message}")


def test_what_stands_before_a_wrong_record_is_read(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(OURS) + "\n{}\n", "utf-8")
    records = read_labelled([str(path)], (), "text", "utf-8")

    assert next(records) == (f"{path}:1", OURS)
    with pytest.raises(RecordError, match="missing field 'condition'"):
        next(records)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot read .*: No such file or directory$"):
        list(read_labelled([str(tmp_path / "none.jsonl")], (), "text", "utf-8"))
