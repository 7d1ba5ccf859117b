"""kexue evaluate --compare: two models side by side on the same records."""

import json
import subprocess

import pytest
from conftest import COMMAND, CORPUS, DICTIONARY, PATIENCE, one_error

GOLD = "我爱 北京 天安门\n天安门 在 北京\n我爱 天安门\n"


@pytest.fixture(scope="module")
def joining_model(tmp_path_factory):
    """The little model with one word more: 我爱. Not to be changed."""
    folder = tmp_path_factory.mktemp("joining")
    (folder / "corpus.txt").write_text(CORPUS, "utf-8")
    (folder / "words.txt").write_text(DICTIONARY + "我爱 100000\n", "utf-8")
    arguments = ["train", "segmentation", "corpus.txt", "--dictionary", "words.txt", "-o", "joining", "-q"]
    subprocess.run([*COMMAND, *arguments], cwd=folder, check=True, timeout=PATIENCE)
    return folder / "joining"


@pytest.fixture
def compare(kexue, tmp_path):
    """Compare two models on gold text."""
    (tmp_path / "gold.txt").write_text(GOLD, "utf-8")

    def run(first, second, *options):
        return kexue("evaluate", "segmentation", "gold.txt", "--compare", first, second, *options)

    return run


def object_of(done) -> dict:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_model_is_as_good_as_itself(compare, little_model):
    result = object_of(compare(little_model, little_model, "--json"))

    assert result["models"] == [str(little_model)] * 2
    for name in ("precision", "recall", "f1"):
        score = result["scores"][name]
        assert score["first"] == score["second"]
        assert (score["difference"], score["interval"], score["p"]) == (0, [0, 0], 1)


def test_the_differences_by_hand(compare, little_model, joining_model):
    result = object_of(compare(little_model, joining_model, "--json"))

    assert list(result) == ["task", "models", "data", "records", "seconds", "scores"]
    assert (result["task"], result["data"], result["records"]) == ("segmentation", "gold.txt", 3)
    recall = result["scores"]["recall"]
    # the little model finds 北京 天安门, 天安门 在 北京, 天安门: six of eight words; the other finds 我爱, too
    assert (recall["first"], recall["second"], recall["difference"]) == (6 / 8, 1, 2 / 8)
    # a draw of the second line only has no difference, one of the third only has half: each of 27 draws, so both count
    assert recall["interval"] == pytest.approx([0, 1 / 2])
    # the second model is never worse; it is as good in one draw of 27, once on either side
    assert 2 / 27 * 0.5 < recall["p"] < 2 / 27 * 1.6


def test_what_cannot_be_drawn_is_compared_without_a_test(compare, little_model, joining_model):
    score = object_of(compare(little_model, joining_model, "--json"))["scores"]["information"]

    assert (score["interval"], score["p"]) == (None, None)
    assert score["difference"] == score["second"] - score["first"] < 0  # 我爱 tells more than 我 and 爱


def test_each_score_is_that_of_a_model_alone(compare, kexue, little_model, joining_model):
    both = object_of(compare(little_model, joining_model, "--json"))["scores"]

    for place, model in (("first", little_model), ("second", joining_model)):
        alone = object_of(kexue("evaluate", "segmentation", "gold.txt", "-m", model, "--json"))
        for name, score in both.items():
            assert score[place] == alone[name]


def test_people_get_a_table(compare, little_model, joining_model):
    done = compare(little_model, joining_model)

    assert done.lines[1].split() == ["first", str(little_model)]
    rows = [line.split() for line in done.lines]
    assert ["first", "second", "difference", "95", "%", "interval", "p"] in rows
    (recall,) = (row for row in rows if row[0] == "recall")
    assert recall[1:4] == ["0.7500", "1.0000", "+0.2500"]


@pytest.mark.parametrize("task", ["qa", "triples", "linking", "similarity", "generation", "segmentation"])
def test_every_task_compares(kexue, task):
    help = kexue("evaluate", task, "--help").stdout

    assert "--compare" in help
    assert "for --errors:" in " ".join(help.split())


def test_a_reader_is_as_good_as_itself_in_every_score(kexue, tmp_path, little_reader):
    passages = [{"text": "《呐喊》是鲁迅的小说集。", "answers": ["鲁迅"]}]
    (tmp_path / "dev.jsonl").write_text(json.dumps({"question": "谁写了《呐喊》？", "passages": passages}), "utf-8")

    result = object_of(kexue("evaluate", "qa", "dev.jsonl", "--compare", little_reader, little_reader, "--json"))

    same = {"first": 1, "second": 1, "difference": 0, "interval": [0, 0], "p": 1}
    assert result["scores"] == dict.fromkeys(("exact_match", "f1", "score"), same)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["gold.txt", "-m", "x"], "--compare A B names both models; leave out --model"),
        (["gold.txt", "--errors", "wrong.jsonl"], "--compare A B names both models; leave out --errors"),
        ([], "--compare reads the data twice, so standard input will not do; name a file"),
        (["gold.txt", "--engine", "jieba"], "--model, --compare, --without-rule and --plot are for --engine kexue"),
    ],
)
def test_what_does_not_go_together_is_misuse(kexue, tmp_path, arguments, problem):
    (tmp_path / "gold.txt").write_text(GOLD, "utf-8")

    done = kexue("evaluate", "segmentation", *arguments, "--compare", "./a", "./b")

    assert (done.returncode, done.out, one_error(done)) == (2, b"", problem)
    assert not (tmp_path / "wrong.jsonl").exists()
