"""kexue predict segmentation: records in, the same records with their words out."""

import json
import signal

import pytest
from conftest import one_error
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.segmentation.task import add_answer


def record_of(text: str, **others: object) -> str:
    return json.dumps({"text": text, **others}, ensure_ascii=False) + "\n"


def words_in(line: str) -> list[str]:
    return [word["word"] for word in json.loads(line)["words"]]


def test_a_record_gets_its_words_with_their_places(kexue):
    done = kexue("predict", "segmentation", stdin=record_of("我爱北京"))

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "text": "我爱北京",
        "words": [
            {"word": "我", "start": 0, "end": 1},
            {"word": "爱", "start": 1, "end": 2},
            {"word": "北京", "start": 2, "end": 4},
        ],
    }


def test_an_empty_text_has_no_words(kexue):
    done = kexue("predict", "segmentation", stdin=record_of(""))

    assert (done.returncode, json.loads(done.stdout)) == (0, {"text": "", "words": []})


def test_unknown_fields_pass_through_untouched(kexue):
    others = {"id": 7, "zitate": ["春眠不觉晓", None, 2.5, {"深": [[]]}], "日期": "二〇二四"}

    done = kexue("predict", "segmentation", stdin=record_of("我爱北京", **others))

    record = json.loads(done.stdout)
    assert {name: record[name] for name in others} == others
    assert list(record) == ["text", *others, "words"]


def test_words_that_were_there_move_to_gold(kexue):
    done = kexue("predict", "segmentation", stdin=record_of("我爱北京", words=["我爱", "北京"]))

    assert json.loads(done.stdout)["gold"] == {"words": ["我爱", "北京"]}
    assert words_in(done.stdout) == ["我", "爱", "北京"]


def test_gold_that_was_there_is_kept(kexue):
    done = kexue("predict", "segmentation", stdin=record_of("北京", words=["北", "京"], gold={"id": 3}))

    assert json.loads(done.stdout)["gold"] == {"id": 3, "words": ["北", "京"]}


@pytest.mark.parametrize("gold", ["北京", None, 3, ["北京"]])
def test_gold_that_is_no_object_is_a_bad_record_and_not_a_crash(kexue, gold):
    done = kexue("predict", "segmentation", stdin=record_of("北京", words=["北", "京"], gold=gold))

    assert done.returncode == 1
    assert one_error(done).startswith("standard input:1: ")


def test_predicting_twice_gives_the_same_as_once(kexue):
    once = kexue("predict", "segmentation", stdin=record_of("我爱北京", id=7)).out

    assert kexue("predict", "segmentation", stdin=once).out == once


@given(st.dictionaries(st.text(max_size=3), st.integers()), st.integers())
def test_an_answer_loses_no_field_of_the_record(record, answer):
    record.pop("gold", None)

    answered = add_answer(record, {"words": answer})

    assert answered["words"] == answer
    assert {name: answered[name] for name in record if name != "words"} == {
        name: value for name, value in record.items() if name != "words"
    }
    if "words" in record:
        assert answered.get("gold", {"words": answer})["words"] == record["words"]


def test_plain_lines_are_read_with_text(kexue):
    done = kexue("predict", "segmentation", "--text", stdin="我爱北京\r\n\n{}\n")

    texts = [json.loads(line)["text"] for line in done.lines]
    assert texts == ["我爱北京", "", "{}"]  # a record for every line
    assert words_in(done.lines[0]) == ["我", "爱", "北京"]


def test_with_text_the_answers_are_those_of_segment_json(kexue):
    text = "我爱北京\n\n天安门 😀\r\n"

    assert kexue("predict", "segmentation", "--text", stdin=text).out == kexue("segment", "--json", stdin=text).out


def test_without_text_plain_lines_are_an_error_that_says_so(kexue):
    done = kexue("predict", "segmentation", stdin="我爱北京\n")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).endswith("for plain lines add --text")


@pytest.fixture
def hundred(tmp_path):
    """A hundred records, the seventeenth of which is no JSON."""
    lines = [record_of("我爱北京", id=number) for number in range(1, 101)]
    lines[16] = '{"text": 北京}\n'
    (tmp_path / "records.jsonl").write_text("".join(lines), "utf-8")
    return "records.jsonl"


def test_a_bad_record_is_named_by_file_and_line_after_the_answers_before_it(kexue, hundred):
    done = kexue("predict", "segmentation", hundred)

    assert done.returncode == 1
    assert one_error(done).startswith("records.jsonl:17: not JSON at column 10 ")
    assert [json.loads(line)["id"] for line in done.lines] == list(range(1, 17))


def test_a_bad_record_may_be_skipped_with_an_error_in_its_place(kexue, hundred):
    done = kexue("predict", "segmentation", "--on-error", "skip", hundred)

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert answers[16].keys() == {"error", "line"}
    assert answers[16]["line"] == 17
    assert "not JSON" in answers[16]["error"]
    assert [answer["id"] for answer in answers if "id" in answer] == [*range(1, 17), *range(18, 101)]
    assert one_error(done) == "1 bad record skipped, each with an error record in its place"


def test_bytes_that_are_not_valid_may_be_skipped_too(kexue):
    data = record_of("北京").encode() + b"\xff\n" + record_of("天安门").encode()

    done = kexue("predict", "segmentation", "--on-error", "skip", stdin=data)

    first, second, third = map(json.loads, done.lines)
    assert done.returncode == 1
    assert (first["text"], second["line"], third["text"]) == ("北京", 2, "天安门")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"title": "北京"}', "text"),
        ('{"text": 7}', "text"),
        ('{"text": null}', "text"),
        ('["北京"]', "not a JSON object; found list"),
        (r'{"text": "\ud800"}', "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
    ids=["missing", "number", "null", "list", "surrogate", "deep"],
)
def test_a_record_without_a_text_is_one_error(kexue, line, problem):
    done = kexue("predict", "segmentation", stdin=record_of("北京") + line + "\n")

    assert done.returncode == 1
    assert len(done.lines) == 1
    assert one_error(done).startswith("standard input:2: ")
    assert problem in one_error(done)


def test_records_may_have_another_encoding(kexue):
    done = kexue("predict", "segmentation", "--encoding", "gb18030", stdin=record_of("我爱北京").encode("gb18030"))

    assert words_in(done.stdout) == ["我", "爱", "北京"]


def test_another_model_may_be_named(kexue, little_model):
    done = kexue("predict", "segmentation", "-m", little_model, stdin=record_of("天安门在北京"))

    assert words_in(done.stdout) == ["天安门", "在", "北京"]


def test_no_records_have_no_answers(kexue):
    for text in ("", "\ufeff", "\n\n"):
        done = kexue("predict", "segmentation", stdin=text)

        assert (done.returncode, done.out, done.err) == (0, b"", b"")


def test_a_failure_leaves_no_output_file(kexue, hundred, tmp_path):
    done = kexue("predict", "segmentation", hundred, "-o", "words.jsonl")

    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == [hundred]


def test_a_full_disk_is_one_error(bash):
    done = bash("""echo '{"text": "北京"}' | kexue predict segmentation > /dev/full""")

    assert done.returncode == 1
    assert one_error(done) == "cannot write standard output: No space left on device"


def test_a_reader_that_has_enough_ends_the_work_quietly(bash):
    done = bash("""yes '{"text": "北京"}' | kexue predict segmentation | head -n 1 > first; echo ${PIPESTATUS[1]}""")

    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_leaves_no_half_of_a_file(interrupt_while_reading, tmp_path, number, status):
    done = interrupt_while_reading(
        "predict", "segmentation", "--text", "text", "-o", "words.jsonl", pipe=tmp_path / "text", number=number
    )

    assert done.returncode == status
    assert b"Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_answers_do_not_depend_on_the_order_or_the_threads(kexue):
    texts = [f"我爱北京天安门，{number}年" for number in range(50)]
    forwards = kexue("predict", "segmentation", "--threads", "1", stdin="".join(map(record_of, texts))).lines
    backwards = kexue("predict", "segmentation", "--threads", "4", stdin="".join(map(record_of, texts[::-1]))).lines

    assert forwards == backwards[::-1]
    assert len(forwards) == 50
