"""kexue evaluate linking: predict and score. The model: a table of what it finds in each text."""

import json
from dataclasses import dataclass, field, replace

import pytest

from kexue_cli import loader
from kexue_cli.commands import knowledge_base
from kexue_cli.commands.evaluate_linking import evaluate_linking
from kexue_cli.errors import KexueError
from kexue_cli.records import add_answer

NAMES = ["task", "model", "data", "records", "seconds", "mention_precision", "mention_recall", "mention_f1",
         "precision", "recall", "f1", "nil_accuracy", "ambiguous_accuracy", "known_accuracy", "ceiling_f1",
         "interval"]  # fmt: skip

BASE = {"小米": ("K1", "K2"), "苹果": ("K3", "K4"), "李娜": ("K5",)}  # K1 and K3 are companies
OTHER_BASE = {"小米": ("X1",)}


def record_of(text: str, mentions: dict[str, str | None], **others) -> str:
    """A line with a text and its mentions, each with its id."""
    written = [{"mention": name, "start": text.index(name), "id": id} for name, id in mentions.items()]
    return json.dumps({"text": text, "mentions": written, **others}, ensure_ascii=False) + "\n"


RIGHT = record_of("小米发布了新手机。", {"小米": "K1"}, id="right")
WRONG = record_of("李娜爱吃小米和苹果。", {"李娜": "K5", "小米": "K2", "苹果": "K4"}, id="wrong")
NIL = record_of("王芳今天去看李娜的比赛。", {"王芳": None, "李娜": "K5"}, id="nil")
NONE = record_of("今天天气很好。", {}, id="none")

FOUND = {  # (name, id) by text
    "小米发布了新手机。": [("小米", "K1")],
    "李娜爱吃小米和苹果。": [("李娜", "K5"), ("小米", "K1")],
    "王芳今天去看李娜的比赛。": [("王芳", None), ("李娜", "K5")],
}
CHOSEN = {"小米": "K1", "苹果": "K4", "李娜": "K5"}  # whatever the text


@dataclass(frozen=True)
class Table:
    """A model that finds what is written for a text, and always takes the same for a name."""

    kb: str | None = None
    asked: list[int] = field(default_factory=list)  # records at once

    def with_settings(self, base=None, entity=None) -> "Table":
        return replace(self, kb=base)

    def predict(self, records):
        records = list(records)
        self.asked.append(len(records))
        for record in records:
            text = record["text"]
            places = [(name, text.index(name), id) for name, id in FOUND.get(text, [])]
            mentions = [
                {"mention": name, "start": start, "end": start + len(name), "id": id, "name": id and f"name of {id}",
                 "score": 0.5, "candidates": []}
                for name, start, id in places
            ]  # fmt: skip
            yield add_answer(record, {"mentions": mentions})

    def choose(self, records):
        from kexue_cli.tasks.linking.metrics import Choice

        base = OTHER_BASE if self.kb else BASE
        for record in records:
            linked = [mention for mention in record["mentions"] if "id" in mention]
            yield [Choice(one["id"], CHOSEN.get(one["mention"]), base.get(one["mention"], ())) for one in linked]


@pytest.fixture
def model(monkeypatch) -> Table:
    table = Table()
    monkeypatch.setattr(loader, "load", lambda name, **options: table)
    monkeypatch.setattr(knowledge_base, "open_base", lambda path, linker, encoding: path)
    return table


@pytest.fixture
def evaluate(model, tmp_path, monkeypatch):
    """Score the model on the lines of texts.jsonl; return what is written."""
    monkeypatch.chdir(tmp_path)

    def run(lines: str, **options) -> str:
        (tmp_path / "texts.jsonl").write_text(lines, "utf-8")
        evaluate_linking("texts.jsonl", **{"model": "./table", "output": "scores", **options})
        return (tmp_path / "scores").read_text("utf-8")

    return run


@pytest.fixture
def scores(evaluate):
    def run(lines: str, **options) -> dict:
        return json.loads(evaluate(lines, json=True, **options))

    return run


def test_the_scores_by_hand(scores):
    result = scores(RIGHT + WRONG + NIL + NONE)

    assert list(result) == NAMES
    assert (result["task"], result["model"], result["data"], result["records"]) == (
        "linking", "./table", "texts.jsonl", 4
    )  # fmt: skip
    # of 5 gold mentions in the base 4 are found, and 3 of these have the right id; 王芳 is NIL and counts nowhere
    assert (result["mention_precision"], result["mention_recall"]) == (4 / 4, 4 / 5)
    assert (result["precision"], result["recall"], result["f1"]) == (3 / 4, 3 / 5, 6 / 9)
    # given the places: 王芳 is left alone; 小米 is K1 in both texts, 苹果 K4; 李娜 has no other candidate
    assert (result["nil_accuracy"], result["ambiguous_accuracy"], result["known_accuracy"]) == (1, 2 / 3, 4 / 5)
    assert result["ceiling_f1"] == 1


def test_the_seed_tells_the_intervals(scores):
    one, again, other = (scores((RIGHT + WRONG + NIL) * 5, seed=seed)["interval"] for seed in (1, 1, 2))

    assert one == again
    assert one != other
    assert list(one) == NAMES[5:-1]


def test_a_score_of_nothing_is_null(scores, evaluate):
    result = scores(RIGHT)

    assert result["nil_accuracy"] is None
    assert "nil_accuracy" not in result["interval"]
    assert "nil_accuracy" not in evaluate(RIGHT)  # which is for people


def test_without_json_scores_are_lines_for_people(evaluate):
    lines = evaluate(RIGHT + NIL).splitlines()

    values = dict(line.split(maxsplit=1) for line in lines)
    assert list(values) == NAMES[:-1]
    assert values["f1"] == values["known_accuracy"] == "1.0000  [1.0000, 1.0000]"
    assert len({line.index("1.0000") for line in lines if "1.0000" in line}) == 1  # one below the other


def test_mentions_that_are_not_linked_count_for_mentions_only(scores):
    line = json.dumps({"text": "李娜爱吃小米和苹果。", "mentions": [{"mention": "小米", "start": 4}]}) + "\n"

    result = scores(line)

    assert (result["mention_precision"], result["mention_recall"]) == (1 / 2, 1)
    assert (result["precision"], result["known_accuracy"]) == (0, None)


def test_records_are_predicted_together(scores, model):
    scores(RIGHT + WRONG + NIL, batch_size=2)

    assert model.asked == [2, 1]


def test_the_base_is_the_models_or_the_given_one(scores, tmp_path, capsys):
    (tmp_path / "base.jsonl").write_text("", "utf-8")
    line = record_of("小米发布了新手机。", {"小米": "X1"})

    assert scores(line, kb="base.jsonl")["ceiling_f1"] == 1
    assert capsys.readouterr().err == ""
    assert scores(line)["ceiling_f1"] == 0
    assert capsys.readouterr().err == (
        "kexue: texts.jsonl: no mention has its id among those that its name has in the base; "
        "is this the base that it is linked to? See --kb\n"
    )


def test_a_base_that_is_not_there_is_told_before_a_model_is_loaded(evaluate, tmp_path, monkeypatch):
    monkeypatch.setattr(loader, "load", lambda name, **options: pytest.fail("loaded"))

    with pytest.raises(KexueError, match=r"^cannot read base\.jsonl: No such file"):
        evaluate(RIGHT, kb="base.jsonl")
    assert not (tmp_path / "scores").exists()


def test_errors_are_written_with_gold_beside_the_answer(scores, tmp_path):
    scores(RIGHT + WRONG + NIL + NONE, errors="wrong.jsonl")

    (wrong,) = map(json.loads, (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines())
    assert (wrong["id"], [mention["id"] for mention in wrong["mentions"]]) == ("wrong", ["K5", "K1"])
    assert wrong["gold"]["mentions"] == json.loads(WRONG)["mentions"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "李娜"}', "missing field 'mentions'; found ['text']"),
        ('{"mentions": []}', "missing field 'text'; found ['mentions']"),
        ("{", "not JSON at column"),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(evaluate, tmp_path, line, problem):
    with pytest.raises(KexueError) as error:
        evaluate(RIGHT + line + "\n")

    assert str(error.value).startswith(f"texts.jsonl:2: {problem}")
    assert not (tmp_path / "scores").exists()


def test_no_texts_are_an_error(evaluate):
    with pytest.raises(KexueError, match=r"^texts\.jsonl: there is no text$"):
        evaluate("\n")


def test_the_command_is_there(kexue):
    help = kexue("evaluate", "linking", "--help")

    assert help.returncode == 0
    assert all(option in help.stdout for option in ("--kb", "--errors", "--json", "--format"))
