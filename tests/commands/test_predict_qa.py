"""kexue predict qa: questions in, answers out, as a shell would. The model: readers.write_little_reader."""

import json
import shutil
import sys
import time

import pytest
from conftest import one_error

import kexue_cli

ADDED = ["answer", "score", "passage", "start", "end", "candidates"]
LUXUN, ZHOU, YEAR, BAJIN = 0.2660, 0.0647, 0.1388, 0.0074  # scores of an answer that stands in one passage


def record_of(*passages, question="谁写了《呐喊》？", **others) -> str:
    return json.dumps({"question": question, "passages": list(passages), **others}, ensure_ascii=False) + "\n"


@pytest.fixture
def predict(kexue, little_reader):
    """Answer records with the little reader."""

    def run(*arguments, **settings):
        return kexue("predict", "qa", "-m", little_reader, *arguments, **settings)

    return run


def answers_of(done) -> list[dict]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.lines]


def answer_of(done) -> dict:
    [answer] = answers_of(done)
    return answer


def shown(text, answer):
    """What stands where the answer says it stands."""
    return text[answer["start"] : answer["end"]]


# ------------------------------------------------------------- answers


def test_a_record_gets_its_answer_with_place_and_score(predict):
    passages = ["《呐喊》收有小说十四篇。", "《呐喊》是鲁迅的小说集。", "作者鲁迅。"]

    answer = answer_of(predict(stdin=record_of(*passages)))

    assert list(answer) == ["question", "passages", *ADDED]
    # Two passages with p = .81 each: votes 2 * .81^2 / (1 + 2 * .81) = .5008, score .5008 / 1.5008
    assert (answer["answer"], answer["score"]) == ("鲁迅", pytest.approx(0.3337, abs=1e-4))
    assert (answer["passage"], answer["start"], answer["end"]) == (1, 5, 7)
    assert answer["candidates"] == [{name: answer[name] for name in ADDED[:-1]}]


def test_the_best_three_are_candidates(predict):
    text = "鲁迅。周树人。1936年。巴金。"

    answer = answer_of(predict(stdin=record_of(text)))

    assert [item["answer"] for item in answer["candidates"]] == ["鲁迅", "1936年", "周树人"]
    assert [item["score"] for item in answer["candidates"]] == pytest.approx([LUXUN, YEAR, ZHOU], abs=1e-4)
    assert all(shown(text, item) == item["answer"] for item in answer["candidates"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("《吶喊》是魯迅的小說集", "魯迅"),
        ("卒於１９３６年１０月", "１９３６年"),
        ("第一行\r\n鲁迅\r\n", "鲁迅"),
        ("😀👨‍👩‍👧𠀀𰻝：鲁迅", "鲁迅"),
        ("\ufeff　鲁迅", "鲁迅"),
        ("鲁\u200b迅", "鲁\u200b迅"),
    ],
)
def test_an_answer_is_what_stands_in_the_user_s_own_text(predict, text, wanted):
    answer = answer_of(predict(stdin=record_of("没有", {"text": text}, question="谁？")))

    assert answer["passage"] == 1
    assert answer["answer"] == shown(text, answer) == wanted
    assert answer["passages"] == ["没有", {"text": text}]  # untouched


def test_a_question_without_an_answer_is_answered_with_null(predict):
    answer = answer_of(predict(stdin=record_of("《呐喊》收有小说十四篇。")))

    assert {name: answer[name] for name in ADDED} == {
        "answer": None, "score": 0, "passage": None, "start": None, "end": None, "candidates": []
    }  # fmt: skip


@pytest.mark.parametrize("passages", [[], [""], ["", {"text": ""}]])
def test_where_there_is_nothing_to_read_the_answer_is_null(predict, passages):
    answer = answer_of(predict(stdin=record_of(*passages)))

    assert (answer["answer"], answer["score"], answer["candidates"]) == (None, 0, [])


def test_an_empty_question_is_answered_all_the_same(predict):
    assert answer_of(predict(stdin=record_of("鲁迅", question="")))["answer"] == "鲁迅"


def test_an_answer_below_the_model_s_threshold_is_a_candidate_only(predict):
    answer = answer_of(predict(stdin=record_of("作者是巴金。")))

    assert (answer["answer"], answer["start"]) == (None, None)
    assert answer["score"] == pytest.approx(BAJIN, abs=1e-4)
    assert answer["candidates"][0]["answer"] == "巴金"


@pytest.mark.parametrize(("threshold", "wanted"), [("0", "巴金"), ("0.007", "巴金"), ("0.008", None), ("1", None)])
def test_the_threshold_is_for_the_user_to_choose(predict, threshold, wanted):
    assert answer_of(predict("--threshold", threshold, stdin=record_of("作者是巴金。")))["answer"] == wanted


@pytest.mark.parametrize("threshold", ["-0.1", "1.1", "half"])
def test_a_threshold_that_is_no_probability_is_misuse(predict, threshold):
    assert predict("--threshold", threshold, stdin="").returncode == 2


@pytest.mark.parametrize("place", [0, 126, 127, 128, 190, 191, 192, 319, 4998])
def test_a_long_passage_is_read_to_its_end_and_across_its_windows(little_reader, place):
    text = ("一" * place + "鲁迅").ljust(5000, "一")

    [answer] = kexue_cli.load(str(little_reader)).predict([{"question": "谁？", "passages": [text]}])

    # once, though two windows may show it
    assert (answer["start"], answer["end"], answer["score"]) == (place, place + 2, pytest.approx(LUXUN, abs=1e-4))


def test_marks_count_where_the_answer_stands_and_not_where_its_window_does(little_reader):
    text = ("，" * 150).ljust(200, "一") + "鲁迅"  # 72 characters into the window that begins at 128

    [answer] = kexue_cli.load(str(little_reader)).predict([{"question": "谁？", "passages": [text]}])

    assert (answer["start"], answer["score"]) == (200, pytest.approx(LUXUN, abs=1e-4))


def test_a_long_passage_at_the_shell(predict):
    text = ("一" * 191 + "魯迅").ljust(5000, "一")

    answer = answer_of(predict(stdin=record_of(text)))

    assert (answer["start"], shown(text, answer)) == (191, "魯迅")


# ------------------------------------------------------------- records


def test_unknown_fields_pass_through_untouched(predict):
    others = {"id": 7, "来源": {"url": None, "深": [[]]}, "zahl": 12345678901234567890123}

    answer = answer_of(predict(stdin=record_of({"text": "鲁迅", "title": "x"}, **others)))

    assert {name: answer[name] for name in others} == others
    assert answer["passages"] == [{"text": "鲁迅", "title": "x"}]
    assert list(answer) == ["question", "passages", *others, *ADDED]


def test_fields_that_the_answer_overwrites_move_to_gold(predict):
    answer = answer_of(predict(stdin=record_of("鲁迅", answer="周树人", start=None, end=2, gold={"id": 3})))

    assert (answer["answer"], answer["start"]) == ("鲁迅", 0)
    assert answer["gold"] == {"id": 3, "answer": "周树人", "start": None}


def test_answers_of_labelled_passages_stay_where_they_are(predict):
    passage = {"text": "鲁迅", "answers": ["周树人"]}

    assert answer_of(predict(stdin=record_of(passage)))["passages"] == [passage]


def test_predicting_twice_gives_the_same_as_once(predict):
    once = predict(stdin=record_of("鲁迅，周树人", id=7)).out

    assert predict(stdin=once).out == once


def test_no_records_have_no_answers(predict):
    done = predict(stdin="\n\n")

    assert (done.returncode, done.out, done.err) == (0, b"", b"")


TWENTY = [
    record_of(*["鲁迅" + "一" * 30 * number, "周树人", "１９３６年"][: number % 4], id=number) for number in range(20)
]


def test_order_is_kept_and_neither_it_nor_the_batch_size_changes_an_answer(predict):
    one = predict("--threads", "1", stdin="".join(TWENTY))
    seven = predict("-b", "7", "--threads", "2", stdin="".join(TWENTY))
    backwards = predict("--batch-size", "100", stdin="".join(reversed(TWENTY)))

    assert [answer["id"] for answer in answers_of(one)] == list(range(20))
    assert one.out == seven.out
    assert one.lines == backwards.lines[::-1]


def test_the_order_of_passages_changes_their_numbers_only(predict):
    passages = ["周树人", "鲁迅", "一", "１９３６年，鲁迅"]

    one, other = answers_of(predict(stdin=record_of(*passages) + record_of(*passages[::-1])))

    assert [(item["answer"], item["score"]) for item in one["candidates"]] == [
        (item["answer"], item["score"]) for item in other["candidates"]
    ]
    assert (one["passage"], other["passage"]) == (1, 0)


# ------------------------------------------------------------- mistakes

BAD = {
    "no question": ('{"passages": []}', "missing field 'question'; found ['passages']"),
    "no passages": ('{"question": "谁？"}', "missing field 'passages'; found ['question']"),
    "a number": ('{"question": 3, "passages": []}', "question must be a string; found 3"),
    "a text": ('{"question": "谁？", "passages": "鲁迅"}', 'passages must be a list; found "鲁迅"'),
    "null": ('{"question": "谁？", "passages": ["", null]}', 'passages[1] must be a string or {"text"}; found null'),
    "no text": (
        '{"question": "谁？", "passages": [{"title": "x"}]}', "passages[0]: missing field 'text'; found ['title']"
    ),
    "gold": ('{"question": "谁？", "passages": [], "answer": "x", "gold": 3}', "field 'gold' must be an object"),
    "no object": ("[]", "not a JSON object; found list"),
    "no JSON": ("{", "not JSON at column"),
    "a surrogate": (r'{"question": "谁？", "passages": ["\ud800"]}', "not JSON at column"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "problem"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("size", [1, 10])
def test_a_bad_record_is_named_by_file_and_line_after_the_answers_before_it(predict, tmp_path, line, problem, size):
    (tmp_path / "questions.jsonl").write_text(record_of("鲁迅") + "\n" + line + "\n" + record_of("鲁迅"), "utf-8")

    done = predict("questions.jsonl", "-b", size)

    assert done.returncode == 1
    assert one_error(done).startswith(f"questions.jsonl:3: {problem}")
    assert [json.loads(line)["answer"] for line in done.lines] == ["鲁迅"]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_bad_records_may_be_skipped_with_an_error_in_their_place(predict, size):
    bad = [line + "\n" for line, _ in BAD.values()]
    lines = [text for line in bad for text in (record_of("鲁迅"), line)]

    done = predict("--on-error", "skip", "-b", size, stdin="".join(lines))

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert [answer["answer"] for answer in answers[::2]] == ["鲁迅"] * len(BAD)
    for number, (answer, (_, problem)) in enumerate(zip(answers[1::2], BAD.values(), strict=True), 1):
        assert answer.keys() == {"error", "line"}
        assert answer["line"] == 2 * number
        assert answer["error"].startswith(problem)
    assert one_error(done) == f"{len(BAD)} bad records skipped, each with an error record in its place"


def test_a_model_that_is_damaged_is_one_error(kexue, little_reader, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(little_reader, folder)
    (folder / "network.onnx").write_bytes(b"no network")

    done = kexue("predict", "qa", "-m", folder, stdin=record_of("鲁迅"))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(f"cannot read {folder / 'network.onnx'}: ")


def test_a_model_of_other_words_is_one_error(kexue, little_reader, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(little_reader, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["preprocessor"]["digests"] = ["0" * 64]
    (folder / "config.json").write_text(json.dumps(config), "utf-8")

    done = kexue("predict", "qa", "-m", folder, stdin=record_of("鲁迅"))

    assert one_error(done) == (
        f"{folder} was trained with another entropy-segmentation-jieba than the one installed; train it again"
    )


# ------------------------------------------------------------- pipes


def test_a_record_is_answered_before_the_next_one_comes(start, little_reader):
    process = start("predict", "qa", "-m", little_reader)
    for _ in range(2):
        process.stdin.write(record_of("鲁迅").encode())
        assert json.loads(process.stdout.readline())["answer"] == "鲁迅"


def test_a_reader_that_has_enough_ends_the_work_quietly(bash, little_reader):
    line = record_of("鲁迅").strip()

    done = bash(f"yes '{line}' | kexue predict qa -m {little_reader} | head -1 > first; echo ${{PIPESTATUS[1]}}")

    assert (done.stdout, done.stderr) == ("0\n", "")


def test_files_are_opened_before_the_model_is_loaded(kexue):
    done = kexue("predict", "qa", "-m", "./no-such-model", "no-such-file.jsonl")

    assert one_error(done).startswith("cannot read no-such-file.jsonl")


def test_answers_may_go_to_a_file(predict, tmp_path):
    done = predict("-o", "answers.jsonl", stdin=record_of("鲁迅"))

    assert (done.returncode, done.out) == (0, b"")
    assert json.loads((tmp_path / "answers.jsonl").read_text("utf-8"))["answer"] == "鲁迅"


def test_records_may_have_another_encoding(predict):
    answer = answer_of(predict("--encoding", "big5", stdin=record_of("作者魯迅", question="誰？").encode("big5")))

    assert (answer["answer"], answer["start"]) == ("魯迅", 2)


def test_prediction_loads_no_framework(kexue, little_reader):
    """And says how long a cold call takes."""
    program = """
import contextlib, sys
from kexue_cli.main import main
with contextlib.suppress(SystemExit):
    main()
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    begin = time.perf_counter()

    done = kexue("predict", "qa", "-m", little_reader, stdin=record_of("鲁迅"), command=(sys.executable, "-c", program))

    print(f"a cold call took {time.perf_counter() - begin:.2f} s")
    assert json.loads(done.stdout)["answer"] == "鲁迅"
    assert "onnxruntime" in done.stderr.split()
    assert not {"tensorflow", "keras", "torch", "jax", "numba", "jieba", "sklearn", "pydantic"} & set(
        done.stderr.split()
    )


def test_python_s_door_gives_what_the_shell_s_does(predict, little_reader):
    line = record_of("作者是魯迅。", "1936年", id=7)

    [answer] = kexue_cli.load(str(little_reader)).predict([json.loads(line)])

    assert answer_of(predict(stdin=line)) == answer


def test_a_plain_line_is_not_told_of_an_option_that_is_not_there(predict):
    done = predict(stdin="谁写了《呐喊》？\n")

    assert done.returncode == 1
    assert "not JSON" in done.stderr
    assert "--text" not in done.stderr
