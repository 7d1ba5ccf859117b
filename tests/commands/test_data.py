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

    records = [record for _, record in sighan.convert(numbered, "gold.txt")]

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


DOCUMENT = {"data": [{"paragraphs": [{"context": "鲁迅生于绍兴。", "qas": [
    {"id": "Q1", "question": "鲁迅生于何处？", "answers": [{"text": "绍兴", "answer_start": 4}]},
    {"id": "Q2", "question": "鲁迅生于绍兴吗？", "answers": [{"text": "YES", "answer_start": -1}]},
]}]}]}  # fmt: skip
PASSAGE = {"text": "鲁迅生于绍兴。", "answers": ["绍兴"], "starts": [4]}
ANSWERED = {"id": "Q1", "question": "鲁迅生于何处？", "passages": [PASSAGE]}


@pytest.mark.parametrize("options", [(), ("--format", "squad")])
def test_a_published_document_becomes_records_and_what_is_left_out_is_counted(kexue, options):
    done = kexue("data", "convert", *options, stdin=json.dumps(DOCUMENT))

    assert [json.loads(line) for line in done.lines] == [ANSWERED]
    assert done.stderr == "standard input: 1 records left out: answered by YES or NO\n"
    assert kexue("data", "convert", "-q", *options, stdin=json.dumps(DOCUMENT)).stderr == ""


def test_records_of_ours_are_not_converted_again(kexue):
    done = kexue("data", "convert", stdin=json.dumps(ANSWERED))

    assert done.returncode == 1
    assert one_error(done).startswith("standard input is in no published format known here; name it with --format")


def test_a_broken_document_leaves_no_output_file(kexue, tmp_path):
    (tmp_path / "dev.json").write_text(json.dumps(DOCUMENT)[:-5], "utf-8")

    done = kexue("data", "convert", "dev.json", "-o", "dev.jsonl")

    assert done.returncode == 1
    assert one_error(done).startswith("dev.json:1: not JSON at column")
    assert [path.name for path in tmp_path.iterdir()] == ["dev.json"]


def lines_of(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def without(text, answers):
    return {"question": f"{text}是谁？", "passages": [{"text": text, "answers": answers}]}


def test_records_without_mistakes_are_checked_in_silence(kexue, tmp_path):
    (tmp_path / "train.jsonl").write_text(lines_of(ANSWERED, {**ANSWERED, "question": "鲁迅在哪里出生？"}), "utf-8")

    done = kexue("data", "check", "train.jsonl")

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr == "train.jsonl: read as JSON lines: 2 records, 2 passages, 2 answers; errors: 0\n"


def test_every_problem_is_told_by_line_and_field_and_the_sums_at_the_end(kexue, tmp_path):
    records = lines_of(ANSWERED, without("鲁迅", ["绍兴"]), without("巴金", [3]), without(" ", []))
    (tmp_path / "train.jsonl").write_text(records + "\nnot JSON\n", "utf-8")

    done = kexue("data", "check", "train.jsonl")

    assert done.returncode == 1
    assert done.lines[:4] == [
        'train.jsonl:2: passages[0].answers[0]: "绍兴" is not in the passage',
        "train.jsonl:3: passages[0].answers[0] must be a string; found 3",
        "train.jsonl:4: passages[0].text: is empty",
        "train.jsonl:4: passages: no answer in any passage (note)",
    ]
    (last,) = done.lines[4:]
    assert last.startswith("train.jsonl:6: not JSON at column")
    assert done.stderr == (
        "train.jsonl: read as JSON lines: 5 records, 4 passages, 3 answers, 1 answers not in the passage, "
        "2 unreadable, 1 empty, 1 without an answer; errors: 4\n"
    )


def test_notes_alone_are_no_failure(kexue):
    done = kexue("data", "check", "-q", stdin=lines_of(without("鲁迅", ["鲁迅", "周树人"])))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.lines == [
        'standard input:1: passages[0].answers[1]: "周树人" is not in the passage; another answer is (note)'
    ]


def test_problems_as_json_have_the_line_or_the_id_of_the_record(kexue):
    document = json.dumps(DOCUMENT, ensure_ascii=False).replace('"绍兴"', '"北京"')

    (line,) = kexue("data", "check", "--json", "-q", stdin=lines_of(without("鲁迅", []))).lines
    (of_document,) = kexue("data", "check", "--json", "-q", stdin=document).lines

    place = {"file": "standard input", "line": 1, "field": "passages", "kind": "without an answer"}
    assert json.loads(line) == {**place, "problem": "no answer in any passage", "level": "note"}
    place = {"file": "standard input", "id": "Q1", "field": "passages[0].answers[0]"}
    place["kind"] = "answers not in the passage"
    assert json.loads(of_document) == {**place, "problem": '"北京" is not in the passage', "level": "error"}


def test_a_published_document_is_checked_and_what_is_left_out_is_counted(kexue):
    done = kexue("data", "check", stdin=json.dumps(DOCUMENT))

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr.splitlines() == [
        "standard input: 1 records left out: answered by YES or NO",
        "standard input: read as squad: 1 records, 1 passages, 1 answers; errors: 0",
    ]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"text": "我爱北京"}, None),
        ({"text": "我爱", "words": [{"word": "我", "start": 0, "end": 1}, {"word": "爱", "start": 1, "end": 2}]}, None),
        ({"words": [{"word": "我"}]}, None),
        ({"text": " "}, "text: is empty"),
        ({"text": 3}, "text must be a string; found 3"),
        ({"text": "我", "words": [{"word": "你"}]}, 'words: joined they are "你", the text is "我"'),
        (
            {"text": "我爱", "words": [{"word": "我爱", "start": 1, "end": 2}]},
            'words[0]: "我爱" is not the text from 1 to 2',
        ),
        ({"words": [{"start": 1}]}, "words[0]: missing field 'word'; found ['start']"),
        ({"words": [{"word": ""}]}, "words[0].word: is empty"),
    ],
)
def test_records_of_segmentation_are_checked_too(kexue, record, problem):
    done = kexue("data", "check", stdin=lines_of(record))

    assert done.stdout == (f"standard input:1: {problem}\n" if problem else "")
    assert done.returncode == bool(problem)


def test_segmented_text_is_checked(kexue):
    done = kexue("data", "check", stdin="我 爱 北京\n\n天安门\n")

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr == "standard input: read as sighan: 2 records, 4 words; errors: 0\n"


SAME = {"text_a": "怎么借书", "text_b": "借书要怎么办", "label": 1}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (SAME, ""),
        ({"texts": ["怎么借书", "借书要怎么办"]}, ""),
        ({**SAME, "label": "1"}, 'label must be a number; found "1"'),
        ({**SAME, "text_b": " "}, "text_b: is empty"),
        ({"texts": ["怎么借书", 3]}, "texts[1] must be a string; found 3"),
        ({"texts": []}, "texts must hold at least one text; found []"),
    ],
)
def test_records_of_similarity_are_checked_too(kexue, record, problem):
    done = kexue("data", "check", stdin=lines_of(record))

    assert done.stdout == (f"standard input:1: {problem}\n" if problem else "")
    assert done.returncode == bool(problem)


def test_published_pairs_are_counted_and_what_is_odd_about_them_is_a_note(kexue):
    done = kexue("data", "check", stdin="怎么借书\t借书要怎么办\t1\n怎么还书\t怎么还书\t0\n几点开门\t开门了吗\t?\n")

    assert done.returncode == 0
    assert done.lines == ["standard input:2: label: is 0, but the two texts are equal (note)"]
    assert done.stderr == (
        "standard input: read as pairs: 3 records, 3 pairs, 1 equal texts labelled 0, 1 pairs without a label; "
        "errors: 0\n"
    )


def test_published_groups_are_counted_by_their_texts(kexue):
    done = kexue("data", "check", stdin=lines_of({"standard": "怎么借书", "queries": ["借书要怎么办", "想借一本书"]}))

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr == "standard input: read as groups: 1 records, 1 groups, 3 texts; errors: 0\n"


def test_fields_of_no_task_and_files_without_records_cannot_be_checked(kexue):
    done = kexue("data", "check", stdin='{"colour": "red"}\n')

    assert done.returncode == 1
    assert one_error(done).startswith("standard input:1: the fields ['colour'] are of no task that can be checked")
    assert one_error(kexue("data", "check", stdin="\n")) == "standard input holds no records"
