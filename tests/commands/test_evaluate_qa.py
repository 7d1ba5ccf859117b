"""kexue evaluate qa: predict and score. The model: readers.write_little_reader."""

import json

import pytest
from conftest import one_error

NAMES = ["task", "model", "data", "records", "seconds", "exact_match", "f1", "score", "interval"]


def record_of(*passages, question="谁写了《呐喊》？", **others) -> str:
    """A line with passages, each its text and its answers."""
    labelled = [{"text": text, "answers": answers} for text, *answers in passages]
    return json.dumps({"question": question, "passages": labelled, **others}, ensure_ascii=False) + "\n"


RIGHT = record_of(("《呐喊》是鲁迅的小说集。", "鲁迅"), id="right")
HALF = record_of(("周树人，字豫才。", "周树人", "周树人先生"), ("鲁迅写的。", "鲁迅先生"), id="half")  # answered 鲁迅
WRONG = record_of(("卒于1936年。", "上海"), id="wrong")
NONE = record_of(("《呐喊》收有小说十四篇。",), id="none")


@pytest.fixture
def evaluate(kexue, little_reader):
    """Score the little reader."""

    def run(*arguments, **settings):
        return kexue("evaluate", "qa", "-m", little_reader, *arguments, **settings)

    return run


def scores(done) -> dict:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_scores_by_hand(evaluate, tmp_path, little_reader):
    (tmp_path / "questions.jsonl").write_text(RIGHT + HALF + WRONG + NONE, "utf-8")

    result = scores(evaluate("--json", "questions.jsonl"))

    assert list(result) == NAMES
    assert (result["task"], result["model"], result["data"], result["records"]) == (
        "qa", str(little_reader), "questions.jsonl", 4
    )  # fmt: skip
    # 鲁迅 for 鲁迅先生: precision 2/2, recall 2/4, F1 2/3; 1936年 for 上海: 0; null where there is no answer: 1
    assert result["exact_match"] == pytest.approx(2 / 4)
    assert result["f1"] == pytest.approx((1 + 2 / 3 + 0 + 1) / 4)
    assert result["score"] == pytest.approx((result["exact_match"] + result["f1"]) / 2)
    assert result["seconds"] > 0


def test_each_score_has_an_interval_around_it(evaluate):
    result = scores(evaluate("--json", stdin=(RIGHT + HALF + WRONG + NONE) * 5))

    assert result["interval"].keys() == {"exact_match", "f1", "score"}
    for name, (low, high) in result["interval"].items():
        assert 0 <= low < result[name] < high <= 1


def test_the_seed_tells_the_intervals(evaluate):
    one, again, other = (
        scores(evaluate("--json", "--seed", seed, stdin=RIGHT * 7 + HALF * 5 + WRONG * 3))["interval"]
        for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other


def test_without_json_scores_are_lines_for_people(evaluate):
    done = evaluate(stdin=RIGHT)

    values = dict(line.split(maxsplit=1) for line in done.lines)
    assert list(values) == NAMES[:-1]
    assert values["score"] == "1.0000  [1.0000, 1.0000]"


def test_the_batch_size_changes_nothing(evaluate):
    text = (RIGHT + HALF + WRONG + NONE) * 3

    results = [scores(evaluate("--json", "-b", size, stdin=text)) for size in (1, 5, 100)]

    assert len({json.dumps({**result, "seconds": 0}) for result in results}) == 1


def test_the_threshold_decides_what_is_not_answered(evaluate):
    assert scores(evaluate("--json", "--threshold", "0.99", stdin=RIGHT + NONE))["exact_match"] == 1 / 2
    assert scores(evaluate("--json", "--threshold", "0", stdin=RIGHT + NONE))["exact_match"] == 1


def test_errors_are_written_with_gold_beside_the_answer(evaluate, tmp_path):
    done = evaluate("--errors", "wrong.jsonl", "--json", stdin=RIGHT + HALF + WRONG + NONE)

    assert scores(done)["records"] == 4
    # 1936年 for 上海 has no right character, 鲁迅 for 鲁迅先生 has two: the worst comes first
    wrong, half = map(json.loads, (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines())
    assert (half["id"], half["answer"]) == ("half", "鲁迅")
    assert half["gold"]["answers"] == ["周树人", "周树人先生", "鲁迅先生"]
    assert (wrong["id"], wrong["answer"], wrong["gold"]) == ("wrong", "1936年", {"answers": ["上海"]})
    assert wrong["passages"] == json.loads(WRONG)["passages"]


def test_where_all_is_right_the_errors_are_none(evaluate, tmp_path):
    evaluate("--errors", "wrong.jsonl", stdin=RIGHT)

    assert (tmp_path / "wrong.jsonl").read_bytes() == b""


def test_published_formats_are_read_as_they_are(evaluate, tmp_path):
    squad = {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": "《呐喊》是鲁迅的小说集。",
                        "qas": [
                            {
                                "id": "1",
                                "question": "谁写了《呐喊》？",
                                "answers": [{"text": "鲁迅", "answer_start": 5}],
                            }
                        ],
                    }
                ]
            }
        ]
    }
    (tmp_path / "dev.json").write_text(json.dumps(squad, ensure_ascii=False), "utf-8")

    detected, named = (scores(evaluate("--json", *options, "dev.json")) for options in ([], ["--format", "squad"]))

    assert detected["exact_match"] == named["exact_match"] == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            '{"question": "谁？", "passages": [{"text": "鲁迅"}]}',
            "passages[0]: missing field 'answers'; found ['text']",
        ),
        ('{"question": "谁？", "passages": ["鲁迅"]}', 'passages[0] must be {"text", "answers"}; found "鲁迅"'),
        ('{"passages": []}', "missing field 'question'; found ['passages']"),
        ("{", "not JSON at column"),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(evaluate, tmp_path, line, problem):
    (tmp_path / "questions.jsonl").write_text(RIGHT + line + "\n", "utf-8")

    done = evaluate("questions.jsonl", "--json")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(f"questions.jsonl:2: {problem}")


def test_no_questions_are_an_error(evaluate):
    done = evaluate(stdin="\n")

    assert (done.returncode, one_error(done)) == (1, "standard input: there is no question")
