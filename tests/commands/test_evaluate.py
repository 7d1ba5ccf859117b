"""kexue evaluate segmentation: predict and score."""

import json

import pytest
from conftest import one_error

from kexue_cli.commands.evaluation import WrongAnswers
from kexue_cli.streams import open_output


@pytest.fixture
def evaluate(kexue, little_model):
    """Score the little model on gold text."""

    def run(gold: str, *options: str):
        return kexue("evaluate", "segmentation", "-m", little_model, *options, stdin=gold)

    return run


def scores(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gold_text_that_is_met_exactly_scores_one(evaluate):
    result = scores(evaluate("我 爱 北京 天安门\n天安门 在 北京\n", "--json"))

    assert (result["precision"], result["recall"], result["f1"]) == (1.0, 1.0, 1.0)
    assert result["records"] == 2


def test_words_count_by_their_spans(evaluate):
    # gold 我爱|北京|天安门, found 我|爱|北京|天安门: two of four found words and two of three gold words are right
    result = scores(evaluate("我爱 北京 天安门\n", "--json"))

    assert result["precision"] == pytest.approx(2 / 4)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["f1"] == pytest.approx(4 / 7)


def test_one_object_has_all_the_keys_that_scripts_rely_on(evaluate, little_model):
    done = evaluate("我 爱 北京\n", "--json")

    result = scores(done)
    assert len(done.lines) == 1
    assert {"task", "model", "data", "records", "seconds", "precision", "recall", "f1", "interval"} <= result.keys()
    assert (result["task"], result["model"]) == ("segmentation", str(little_model))
    assert result["interval"].keys() == {"precision", "recall", "f1"}


def test_an_interval_holds_its_score_and_depends_on_the_seed_only(evaluate):
    gold = "我爱 北京 天安门\n天安门 在 北京\n我 爱 天安门\n" * 5

    result = scores(evaluate(gold, "--json"))

    for name, (low, high) in result["interval"].items():
        assert low <= result[name] <= high
    assert scores(evaluate(gold, "--json"))["interval"] == result["interval"]
    assert scores(evaluate(gold, "--json", "--seed", "1"))["f1"] == result["f1"]


def test_a_single_line_has_an_interval_of_one_point(evaluate):
    result = scores(evaluate("我爱 北京 天安门\n", "--json"))

    assert result["interval"]["f1"] == pytest.approx([result["f1"], result["f1"]])


def test_words_that_are_not_in_a_list_are_scored_apart(evaluate, tmp_path):
    (tmp_path / "known.txt").write_text("我\n爱\n北京\n", "utf-8")

    # unknown are 天安门, which is found, and 你我, which is not: two of five words
    result = scores(evaluate("我 爱 天安门\n你我 北京\n", "--json", "--words", "known.txt"))

    assert result["oov_rate"] == pytest.approx(2 / 5)
    assert result["oov_recall"] == pytest.approx(1 / 2)


def test_without_a_list_nothing_is_said_of_unknown_words(evaluate):
    result = scores(evaluate("我 爱 北京\n", "--json"))

    assert not {"oov_rate", "oov_recall"} & result.keys()


def test_people_get_a_table(evaluate):
    done = evaluate("我 爱 北京\n")

    table = dict(line.split(maxsplit=1) for line in done.lines)
    assert table["f1"] == "1.0000  [1.0000, 1.0000]"
    assert table["records"] == "1"


def test_lines_may_be_separated_by_any_white_space_and_end_with_crlf(evaluate):
    result = scores(evaluate("\ufeff  我  爱\u3000北京\t天安门 \r\n\r\n", "--json"))

    assert (result["records"], result["f1"]) == (1, 1.0)


@pytest.mark.parametrize("gold", ["", "\ufeff", "\n \n", "我爱北京。\n天安门。\n"])
def test_gold_text_without_words_is_one_error(evaluate, gold):
    done = evaluate(gold)

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith("standard input:1: no line has two words; ")


def test_records_with_words_are_gold_text_too(kexue, evaluate):
    records = kexue("data", "convert", stdin="我 爱 北京 天安门\n").stdout

    assert scores(evaluate(records, "--json"))["f1"] == 1.0
    assert one_error(evaluate('{"text": "北京"}\n')).startswith("standard input:1: a record of gold text needs ")


def test_gold_text_in_another_encoding_is_one_error_with_the_option_that_helps(kexue, tmp_path):
    data = "我们 在 北京 的 学校 学习 汉语\n".encode("gb18030")
    (tmp_path / "gold.txt").write_bytes(data)

    done = kexue("evaluate", "segmentation", "gold.txt")

    assert done.returncode == 1
    assert one_error(done).startswith("gold.txt:1: byte 0 of the line ")
    assert one_error(done).endswith("--encoding gb18030")
    assert kexue("evaluate", "segmentation", "gold.txt", "--encoding", "gb18030").returncode == 0


def test_jieba_is_scored_in_the_same_way(kexue):
    done = kexue("evaluate", "segmentation", "--engine", "jieba", "--json", stdin="我 爱 北京 天安门\n")

    result = scores(done)
    assert (result["model"], result["f1"]) == ("jieba", 1.0)


def test_scores_may_be_written_to_a_file(evaluate, tmp_path):
    done = evaluate("我 爱 北京\n", "--json", "-o", "scores.json")

    assert (done.returncode, done.out) == (0, b"")
    assert json.loads((tmp_path / "scores.json").read_text("utf-8"))["f1"] == 1.0


def test_the_sample_data_is_scored(kexue):
    folders = {entry["name"]: entry["path"] for entry in map(json.loads, kexue("data", "list", "--json").lines)}
    path = folders["segmentation-sample"] + "/gold.txt"

    result = scores(kexue("evaluate", "segmentation", path, "--json"))

    assert (result["data"], result["records"]) == (path, 80)
    assert result["f1"] > 0.8  # the card of the model says more of other text


def test_wrong_lines_are_written_with_gold_beside_the_answer_the_worst_first(evaluate, tmp_path):
    # found 我 爱 北京 (我爱, 我 and 爱 are in one only), 天安门 在 北京 (right), 我 爱 天安门 在 (我爱天安门 and three)
    done = evaluate("我爱 北京\n天安门 在 北京\n我爱天安门 在\n", "--errors", "wrong.jsonl", "--json")

    assert scores(done)["records"] == 3
    worst, other = map(json.loads, (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines())
    assert (worst["text"], other["text"]) == ("我爱天安门在", "我爱北京")
    assert [word["word"] for word in other["words"]] == ["我", "爱", "北京"]
    assert other["gold"]["words"] == [{"word": "我爱", "start": 0, "end": 2}, {"word": "北京", "start": 2, "end": 4}]


def test_of_equally_wrong_lines_the_first_comes_first(evaluate, tmp_path):
    evaluate("我爱 天安门\n我爱 北京\n我爱 天安门\n", "--errors", "wrong.jsonl")

    lines = (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["我爱天安门", "我爱北京", "我爱天安门"]


def test_of_answers_that_are_as_wrong_the_first_of_the_file_comes_first(tmp_path):
    wrong = WrongAnswers()
    for name, missing in (("甲", 1), ("乙", 2), ("丙", 1)):
        wrong.add({"text": name}, missing)

    with open_output(str(tmp_path / "wrong.jsonl")) as sink:
        wrong.write(sink)

    written = (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in written] == ["乙", "甲", "丙"]
