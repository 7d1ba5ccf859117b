"""kexue evaluate triples: predict and score. The model: a table of what it finds in each text."""

import json
from dataclasses import dataclass, field, replace

import pytest

from kexue_cli import loader
from kexue_cli.commands.evaluate_triples import evaluate_triples
from kexue_cli.errors import KexueError
from kexue_cli.records import add_answer

NAMES = ["task", "model", "data", "records", "seconds", "precision", "recall", "f1", "relaxed", "by_predicate",
         "interval"]  # fmt: skip


def record_of(text: str, *triples: str, **others) -> str:
    """A line with a text and its triples, each "subject predicate object"."""
    written = [dict(zip(("subject", "predicate", "object"), parts.split(), strict=True)) for parts in triples]
    return json.dumps({"text": text, "triples": written, **others}, ensure_ascii=False) + "\n"


RIGHT = record_of("《呐喊》的作者是鲁迅。", "呐喊 作者 鲁迅", id="right")
NEAR = record_of("鲁迅先生生于绍兴。", "鲁迅 出生地 绍兴", id="near")
WRONG = record_of("《家》写于上海，作者巴金。", "家 作者 巴金", "家 出版地 上海", id="wrong")
NONE = record_of("今天天气很好。", id="none")

FOUND = {  # with a score
    "《呐喊》的作者是鲁迅。": [("呐喊 作者 鲁迅", 0.9)],
    "鲁迅先生生于绍兴。": [("鲁迅先生 出生地 绍兴", 0.8)],
    "《家》写于上海，作者巴金。": [("家 作者 上海", 0.6), ("家 作者 巴金", 0.7)],
}


@dataclass(frozen=True)
class Table:
    """A model that finds what is written for a text."""

    threshold: float = 0.5
    asked: list[int] = field(default_factory=list)  # records at once

    def with_settings(self, threshold: float) -> "Table":
        return replace(self, threshold=threshold)

    def predict(self, records):
        records = list(records)
        self.asked.append(len(records))
        for record in records:
            found = [(parts.split(), score) for parts, score in FOUND.get(record["text"], [])]
            triples = [
                {"subject": subject, "predicate": predicate, "object": object, "score": score}
                for (subject, predicate, object), score in found
                if score >= self.threshold
            ]
            yield add_answer(record, {"triples": triples})


@pytest.fixture
def model(monkeypatch) -> Table:
    table = Table()
    monkeypatch.setattr(loader, "load", lambda name, **options: table)
    return table


@pytest.fixture
def evaluate(model, tmp_path, monkeypatch):
    """Score the model on the lines of texts.jsonl; return what is written."""
    monkeypatch.chdir(tmp_path)

    def run(lines: str, **options) -> str:
        (tmp_path / "texts.jsonl").write_text(lines, "utf-8")
        evaluate_triples("texts.jsonl", **{"model": "./table", "output": "scores", **options})
        return (tmp_path / "scores").read_text("utf-8")

    return run


@pytest.fixture
def scores(evaluate):
    def run(lines: str, **options) -> dict:
        return json.loads(evaluate(lines, json=True, **options))

    return run


def test_the_scores_by_hand(scores):
    result = scores(RIGHT + NEAR + WRONG + NONE)

    assert list(result) == NAMES
    assert (result["task"], result["model"], result["data"], result["records"]) == (
        "triples", "./table", "texts.jsonl", 4
    )  # fmt: skip
    # of 4 gold triples and 4 predicted ones 呐喊 and 家 are right, and 鲁迅先生 when relaxed
    assert (result["precision"], result["recall"], result["f1"]) == (2 / 4, 2 / 4, 2 / 4)
    assert result["relaxed"] == {"precision": 3 / 4, "recall": 3 / 4, "f1": 3 / 4}
    assert result["by_predicate"]["作者"] == {
        "gold": 2, "predicted": 3, "right": 2, "precision": 2 / 3, "recall": 1.0, "f1": 4 / 5
    }  # fmt: skip
    assert list(result["by_predicate"]) == ["作者", "出版地", "出生地"]


def test_the_seed_tells_the_intervals(scores):
    one, again, other = (scores((RIGHT + NEAR + WRONG) * 5, seed=seed)["interval"] for seed in (1, 1, 2))

    assert one == again
    assert one != other
    assert one.keys() == {"precision", "recall", "f1", "relaxed"}
    assert one["relaxed"].keys() == {"precision", "recall", "f1"}


def test_without_json_scores_are_lines_for_people(evaluate):
    lines = evaluate(RIGHT).splitlines()

    values = dict(line.split(maxsplit=1) for line in lines)
    assert list(values) == [*NAMES[:-3], "relaxed.precision", "relaxed.recall", "relaxed.f1"]
    assert values["f1"] == values["relaxed.f1"] == "1.0000  [1.0000, 1.0000]"
    assert len({line.index("1.0000") for line in lines if "1.0000" in line}) == 1  # one below the other


def test_predicates_are_a_table_if_that_is_asked_for(evaluate):
    assert evaluate(RIGHT + NEAR + WRONG + NONE, by_predicate=True).splitlines()[-4:] == [
        "by_predicate      gold predicted     right precision    recall        f1",
        "作者                 2         3         2    0.6667    1.0000    0.8000",
        "出版地               1         0         0    0.0000    0.0000    0.0000",
        "出生地               1         1         0    0.0000    0.0000    0.0000",
    ]
    assert "by_predicate" not in evaluate(NONE, by_predicate=True)  # there is none


def test_the_threshold_is_the_models_or_the_given_one(scores):
    assert scores(WRONG)["precision"] == 1 / 2
    assert scores(WRONG, threshold=0.65)["precision"] == 1


def test_records_are_predicted_together(scores, model):
    scores(RIGHT + NEAR + WRONG, batch_size=2)

    assert model.asked == [2, 1]


def test_aliases_are_right_too(scores, tmp_path):
    (tmp_path / "aliases.txt").write_text("鲁迅\t鲁迅先生\t周树人\n", "utf-8")

    assert scores(NEAR)["f1"] == 0
    assert scores(NEAR, aliases="aliases.txt")["f1"] == 1


def test_a_bad_alias_is_told_before_a_model_is_loaded(evaluate, model, tmp_path):
    (tmp_path / "aliases.txt").write_text("鲁迅 周树人\n", "utf-8")

    with pytest.raises(KexueError, match=r"^aliases.txt:1: '鲁迅 周树人' has no alias; allowed: "):
        evaluate(RIGHT, aliases="aliases.txt")
    assert model.asked == []


def write_schema(folder, *predicates: str) -> None:
    lines = [{"subject_type": "作品", "predicate": name, "object_type": "人物"} for name in predicates]
    (folder / "schema.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def test_with_a_schema_other_predicates_are_not_scored_and_that_is_told(scores, tmp_path, capsys):
    write_schema(tmp_path, "作者", "出生地")

    result = scores(RIGHT + NEAR + WRONG, schema="schema.jsonl")

    assert list(result["by_predicate"]) == ["作者", "出生地"]
    assert result["recall"] == 2 / 3
    assert capsys.readouterr().err == (
        "kexue: texts.jsonl: 1 of 4 triples are not scored: no predicate named '出版地'; "
        "did you mean '出生地'? (see schema.jsonl)\n"
    )


def test_a_schema_with_no_predicate_of_the_data_is_an_error(evaluate, tmp_path):
    write_schema(tmp_path, "导演")

    with pytest.raises(KexueError, match=r"^texts.jsonl: no predicate named '作者' \(see schema.jsonl\)$"):
        evaluate(RIGHT, schema="schema.jsonl")
    assert not (tmp_path / "scores").exists()


def test_only_the_predicates_that_a_text_is_labelled_for_are_scored(scores):
    labelled = record_of("《家》写于上海，作者巴金。", "家 出版地 上海", labelled=["出版地"])

    assert scores(labelled)["by_predicate"].keys() == {"出版地"}  # nothing is said of 作者, which was found


def test_a_schema_and_what_a_text_is_labelled_for_go_together(scores, tmp_path):
    write_schema(tmp_path, "作者")
    labelled = record_of("《呐喊》的作者是鲁迅。", "呐喊 作者 鲁迅", labelled=["作者", "出版地"])

    assert scores(labelled, schema="schema.jsonl")["by_predicate"].keys() == {"作者"}


def test_errors_are_written_with_gold_beside_the_answer(scores, tmp_path):
    scores(RIGHT + NEAR + WRONG + NONE, errors="wrong.jsonl")

    near, wrong = map(json.loads, (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines())
    assert (near["id"], near["triples"][0]["subject"], near["gold"]["triples"]) == (
        "near", "鲁迅先生", json.loads(NEAR)["triples"]
    )  # fmt: skip
    assert (wrong["id"], len(wrong["triples"]), wrong["gold"]["triples"]) == ("wrong", 2, json.loads(WRONG)["triples"])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "鲁迅"}', "missing field 'triples'; found ['text']"),
        ('{"triples": []}', "missing field 'text'; found ['triples']"),
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
    help = kexue("evaluate", "triples", "--help")

    assert help.returncode == 0
    assert all(option in help.stdout for option in ("--aliases", "--schema", "--by-predicate", "--errors"))
