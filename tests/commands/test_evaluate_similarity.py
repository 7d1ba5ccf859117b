"""kexue evaluate similarity: compare and score. The model: a table of directions, one for each text."""

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from kexue_cli import loader
from kexue_cli.commands.evaluate_similarity import evaluate_similarity
from kexue_cli.errors import KexueError, UsageError

PAIR_NAMES = ["task", "model", "data", "records", "seconds", "accuracy", "f1", "spearman", "threshold", "interval"]
GROUP_NAMES = ["task", "model", "data", "records", "seconds", "texts", "top1", "top5", "top10", "mrr", "interval"]

DEGREES = {  # of each text's vector; cosines: 0° 1, 10° 0.98, 20° 0.94, 30° 0.87, 60° 0.5, 90° 0
    "怎么还书": 0, "如何还书": 40, "还书的办法": 90, "怎么借书": 10, "如何借书": 30, "今天天气很好": 180
}  # fmt: skip


def pair(text_a: str, text_b: str, label: float | None = None, **others) -> str:
    """A line with two texts and their label."""
    labelled = {} if label is None else {"label": label}
    return json.dumps({"text_a": text_a, "text_b": text_b, **labelled, **others}, ensure_ascii=False) + "\n"


def group(*texts: str) -> str:
    """A line with texts that mean the same."""
    return json.dumps({"texts": texts}, ensure_ascii=False) + "\n"


RIGHT = pair("怎么借书", "如何借书", 1)  # 20° apart
CLOSE = pair("怎么还书", "怎么借书", 0, id="close")  # 10°, but not the same
FAR = pair("怎么还书", "还书的办法", 1)  # 90°, but the same
OTHER = pair("怎么还书", "今天天气很好", 0)  # 180°
PAIRS = RIGHT + CLOSE + FAR + OTHER

RETURN = group("怎么还书", "如何还书", "还书的办法")
BORROW = group("怎么借书", "如何借书")
ALONE = group("今天天气很好")


@dataclass(frozen=True)
class Table:
    """A model that knows the vectors of some texts."""

    decoding: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(threshold=0.5))
    asked: list[int] = field(default_factory=list)  # texts at once

    def with_settings(self, threshold: float) -> "Table":
        return replace(self, decoding=SimpleNamespace(threshold=threshold))

    def vectors(self, texts):
        self.asked.append(len(texts))
        radians = np.radians([DEGREES[text] for text in texts])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


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
        evaluate_similarity("texts.jsonl", **{"model": "./table", "output": "scores", **options})
        return (tmp_path / "scores").read_text("utf-8")

    return run


@pytest.fixture
def scores(evaluate):
    def run(lines: str, **options) -> dict:
        return json.loads(evaluate(lines, json=True, **options))

    return run


@pytest.fixture
def errors(evaluate, tmp_path):
    """What --errors writes for some lines."""

    def run(lines: str, **options) -> list[dict]:
        evaluate(lines, errors="wrong.jsonl", **options)
        return [json.loads(line) for line in (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines()]

    return run


# Pairs


def test_the_scores_of_pairs_by_hand(scores):
    result = scores(PAIRS)

    assert list(result) == PAIR_NAMES
    assert (result["task"], result["model"], result["data"], result["records"]) == (
        "similarity", "./table", "texts.jsonl", 4
    )  # fmt: skip
    # RIGHT and CLOSE are found similar, RIGHT and FAR are
    assert (result["accuracy"], result["f1"], result["threshold"]) == (2 / 4, 2 * 1 / (2 + 2), 0.5)
    # ranks of the scores 3 4 2 1, of the labels 3.5 1.5 3.5 1.5: products of the deviations 0.5 -1.5 -0.5 1.5
    assert result["spearman"] == 0
    assert list(result["interval"]) == ["accuracy", "f1", "spearman"]


def test_the_threshold_is_the_models_or_the_given_one(scores):
    result = scores(PAIRS, threshold=0.95)  # only CLOSE reaches it

    assert (result["accuracy"], result["f1"], result["threshold"]) == (1 / 4, 0, 0.95)


def test_graded_labels_have_a_correlation_only(scores, evaluate):
    lines = pair("怎么还书", "怎么借书", 5) + pair("怎么还书", "如何还书", 2.5) + pair("怎么还书", "还书的办法", 0)

    result = scores(lines)

    assert (result["accuracy"], result["f1"], result["spearman"]) == (None, None, 1)
    assert "accuracy" not in evaluate(lines)  # which is for people


def test_wrong_pairs_are_written_with_gold_beside_the_answer(errors):
    far, close = errors(PAIRS)  # 0.5 below the threshold, and 0.48 above it

    assert close == {
        "text_a": "怎么还书", "text_b": "怎么借书", "id": "close",
        "score": 0.984808, "similar": True, "gold": {"label": 0},
    }  # fmt: skip
    assert far["gold"] == {"label": 1}
    assert not far["similar"]


def test_what_stood_in_place_of_the_answer_moves_into_gold(errors):
    (wrong,) = errors(pair("怎么还书", "怎么借书", 0, similar=False, gold={"by": "王芳"}))

    assert wrong["gold"] == {"by": "王芳", "similar": False, "label": 0}


def test_the_score_of_another_task_stays(errors):
    (wrong,) = errors(pair("怎么还书", "怎么借书", 0, score=7))

    assert (wrong["score"], wrong["similarity_score"]) == (7, 0.984808)


def test_no_graded_pair_is_wrong(errors, tmp_path):
    with pytest.raises(UsageError, match=r"^texts\.jsonl:2: --errors is for the labels 0 and 1; found 2\.5; leave it"):
        errors(RIGHT + pair("怎么还书", "怎么借书", 2.5))
    assert not (tmp_path / "wrong.jsonl").exists()


def test_pairs_are_compared_together(scores, model):
    apart, together = scores(RIGHT + CLOSE + FAR, batch_size=2), scores(RIGHT + CLOSE + FAR)

    assert model.asked == [4, 2, 6]
    assert {**apart, "seconds": 0} == {**together, "seconds": 0}


# Groups


def test_the_scores_of_groups_by_hand(scores):
    result = scores(RETURN + BORROW + ALONE)

    assert list(result) == GROUP_NAMES
    assert (result["records"], result["texts"]) == (3, 6)
    # 怎么还书: 怎么借书 and 如何借书 are nearer than 如何还书, rank 3; 如何还书: both are nearer than 怎么还书, 3;
    # 还书的办法: 如何还书 is nearest, 1; 怎么借书: 怎么还书 is nearer, 2; 如何借书: 如何还书 is nearer, 2
    assert (result["top1"], result["top5"], result["top10"]) == (1 / 5, 1, 1)
    assert result["mrr"] == pytest.approx((1 / 3 + 1 / 3 + 1 + 1 / 2 + 1 / 2) / 5)
    assert list(result["interval"]) == ["top1", "top5", "top10", "mrr"]


def test_groups_do_not_depend_on_the_batch(scores, model):
    apart, together = scores(RETURN + BORROW + ALONE, batch_size=1), scores(RETURN + BORROW + ALONE)

    assert model.asked == [3, 2, 1, 6]
    assert {**apart, "seconds": 0} == {**together, "seconds": 0}


def test_texts_that_find_another_group_first_are_written_with_what_they_find(errors):
    records = errors("\n" + RETURN + BORROW + ALONE)

    assert [record["text"] for record in records] == ["怎么还书", "如何还书", "怎么借书", "如何借书"]
    assert [(match["text"], match["line"]) for match in records[0]["matches"]] == [
        ("怎么借书", 3), ("如何借书", 3), ("如何还书", 2)
    ]  # fmt: skip
    assert [match["score"] for match in records[0]["matches"]] == [0.984808, 0.866025, 0.766044]  # 10°, 30°, 40°
    assert records[0]["gold"] == {"texts": ["如何还书", "还书的办法"]}
    assert records[3]["gold"] == {"texts": ["怎么借书"]}


def test_where_all_is_found_no_errors_are_written(errors):
    assert errors(group("怎么还书", "怎么借书") + ALONE) == []


def test_groups_need_two_texts_somewhere(evaluate):
    with pytest.raises(KexueError, match=r"^texts\.jsonl: no group has two texts, so no text has another one to find$"):
        evaluate(ALONE + group("怎么还书"))


def test_groups_have_no_threshold(evaluate):
    with pytest.raises(UsageError, match=r"^--threshold is for pairs; texts\.jsonl holds groups$"):
        evaluate(RETURN, threshold=0.5)


# Both


@pytest.mark.parametrize("lines", [PAIRS * 5, (RETURN + BORROW) * 5])
def test_the_seed_tells_the_intervals(scores, lines):
    one, again, other = (scores(lines, seed=seed)["interval"] for seed in (1, 1, 2))

    assert one == again
    assert one != other


@pytest.mark.parametrize(("lines", "names"), [(PAIRS, PAIR_NAMES), (RETURN + BORROW, GROUP_NAMES)])
def test_without_json_scores_are_lines_for_people(evaluate, lines, names):
    written = evaluate(lines).splitlines()

    assert [line.split()[0] for line in written] == names[:-1]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (RIGHT + RETURN, "texts.jsonl:2: a group in a file of pairs; a file holds pairs or groups, not both"),
        (RETURN + "\n" + RIGHT, "texts.jsonl:3: a pair in a file of groups; a file holds pairs or groups, not both"),
        (RIGHT + pair("怎么还书", "怎么借书"), "texts.jsonl:2: missing field 'label'; found ['text_a', 'text_b']"),
        (RIGHT + '{"text": "怎么还书"}', "texts.jsonl:2: "),
        (RETURN + '{"texts": []}', "texts.jsonl:2: "),
        ("\n", "texts.jsonl: there is no pair and no group"),
    ],
)
def test_bad_records_are_named_by_file_and_line(evaluate, tmp_path, lines, problem):
    with pytest.raises(KexueError) as error:
        evaluate(lines)

    assert str(error.value).startswith(problem)
    assert not (tmp_path / "scores").exists()


def test_a_file_that_cannot_be_scored_is_told_before_a_model_is_loaded(evaluate, monkeypatch):
    monkeypatch.setattr(loader, "load", lambda name, **options: pytest.fail("loaded"))

    for lines in ("", '{"text": "怎么还书"}', pair("怎么还书", "怎么借书")):
        with pytest.raises(KexueError, match=r"^texts\.jsonl"):
            evaluate(lines)
