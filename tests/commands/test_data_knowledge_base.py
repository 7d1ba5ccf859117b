"""kexue data convert --to knowledge-base."""

import json

import pytest
from conftest import one_error

TO_BASE = ("data", "convert", "--to", "knowledge-base")

PUBLISHED = [
    {"text_id": "1", "text": "读鲁迅", "mention_data": [{"kb_id": "12", "mention": "鲁迅", "offset": "1"}]},
    {"text_id": "2", "text": "鲁迅故里", "mention_data": [{"kb_id": "NIL", "mention": "鲁迅故里", "offset": "0"}]},
]
WRITER = {"id": "12", "name": "鲁迅", "aliases": [{"name": "鲁迅", "count": 1, "occurrences": 2}]}


def lines_of(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def test_linked_texts_give_a_base_be_they_published_or_our_own(kexue):
    published = lines_of(*PUBLISHED)
    own = kexue("data", "convert", stdin=published).out

    for content in (published, own):
        assert [json.loads(line) for line in kexue(*TO_BASE, stdin=content).lines] == [WRITER]
    assert kexue("data", "convert", "--to", "records", stdin=published).out == own


def test_what_is_written_checks_as_a_base_and_stays_as_it_is(kexue, tmp_path):
    kexue(*TO_BASE, "-o", "base.jsonl", stdin=lines_of(*PUBLISHED))

    done = kexue("data", "check", "base.jsonl")

    assert done.stderr == "base.jsonl: read as JSON lines: 1 records, 1 aliases, 0 facts; errors: 0\n"
    assert kexue(*TO_BASE, "base.jsonl").out == (tmp_path / "base.jsonl").read_bytes()


def test_a_published_base_is_converted_as_without_the_option(kexue):
    entity = {"subject_id": "12", "subject": "鲁迅", "alias": ["周树人"], "data": []}

    done = kexue(*TO_BASE, stdin=lines_of(entity))

    assert [json.loads(line) for line in done.lines] == [{"id": "12", "name": "鲁迅", "aliases": ["周树人"]}]
    assert kexue("data", "convert", stdin=lines_of(entity)).out == done.out


@pytest.mark.parametrize("mention", [{"id": None}, {}])
def test_texts_without_linked_mentions_give_none_and_leave_no_file(kexue, tmp_path, mention):
    record = {"text": "鲁迅", "mentions": [{"mention": "鲁迅", "start": 0, **mention}]}

    done = kexue(*TO_BASE, "-o", "base.jsonl", stdin=lines_of(record))

    assert done.returncode == 1
    assert one_error(done) == (
        'standard input has no linked mentions; a base is made of those with an "id" that is not null'
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "standard input holds no records"),
        ('{"text": "鲁迅"}',
         "standard input holds records of segmentation; --to knowledge-base takes records of linking, or of a base"),
        ("我 爱 北京",
         "standard input holds records of segmentation; --to knowledge-base takes records of linking, or of a base"),
        ('{"colour": "red"}', "standard input:1: the fields ['colour'] are of no task that can be checked; known are"),
        (lines_of(*PUBLISHED, {"text": "鲁迅", "mention_data": [{"kb_id": "12", "mention": "鲁迅", "offset": "1"}]}),
         'standard input:3: mentions[0].start must be where "鲁迅" begins in the text; found 1'),
        (lines_of({"text_id": "1", "text": "鲁迅"}),
         "standard input:1: missing field 'mentions'; found ['text', 'text_id']"),
    ],
)  # fmt: skip
def test_what_no_base_can_be_made_of_is_one_error(kexue, content, message):
    done = kexue(*TO_BASE, stdin=content)

    assert done.returncode == 1
    assert one_error(done).startswith(message)


def test_a_format_of_another_task_is_misuse(kexue):
    done = kexue(*TO_BASE, "--format", "duie")

    assert done.returncode == 2
    assert one_error(done) == (
        "--format duie holds records of triples; --to knowledge-base takes records of linking, or of a base"
    )
