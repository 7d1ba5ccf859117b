"""kexue evaluate generation: how likely, varied, controlled and original texts are. The models: language_models.py.

The metrics themselves are tested beside them, by hand.
"""

import json
import math

import pytest
from conftest import one_error
from language_models import REVIEWS, condition_of, lines_of, reviews, trained_couplets, trained_reviews

NAMES = ["task", "model", "data", "records", "seconds", "unknown_share", "unended", "perplexity", "distinct_1",
         "distinct_2", "distinct_2_real", "self_bleu", "self_bleu_real"]  # fmt: skip
JUDGED = ["control_accuracy", "control_accuracy_real", "copied", "copied_real", "control_accuracy_by_field"]


@pytest.fixture(scope="module")
def folder():
    """The folder of the model of reviews, beside its data. Not to be changed."""
    return trained_reviews()[1]


@pytest.fixture
def evaluate(kexue, folder):
    def run(*arguments, **settings):
        return kexue("evaluate", "generation", "-m", folder, *arguments, **settings)

    return run


def scores_of(done) -> dict:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


# ------------------------------------------------------------- scores


def test_texts_alone_tell_how_likely_and_varied_what_is_written_is(evaluate, folder):
    scores = scores_of(evaluate(folder.parent / "dev.jsonl", "--json"))

    assert list(scores) == [*NAMES, "interval"]
    assert (scores["task"], scores["model"], scores["records"]) == ("generation", str(folder), 8)
    # of two reviews each is as likely, and what follows is sure: 2 ** (1 / 10) = 1.07 were it perfect
    assert 1.05 < scores["perplexity"] < 1.2
    assert (scores["unknown_share"], scores["unended"]) == (0, 0)
    assert list(scores["interval"]) == NAMES[5:]
    low, high = scores["interval"]["perplexity"]
    assert low <= scores["perplexity"] <= high


def test_the_shares_of_different_characters_by_hand(evaluate):
    # both real texts: 屏幕 坏了 我要 退货 and eight more pairs, each twice, so 8 of 16 pairs are different
    text = REVIEWS["手机", 0][0]
    lines = lines_of(*[{"condition": condition_of(("手机", 0)), "text": text}] * 2)

    scores = scores_of(evaluate("--json", stdin=lines))

    assert scores["distinct_2_real"] == 8 / 16


def test_with_the_training_data_conditions_and_copies_are_scored_too(evaluate, folder):
    data = folder.parent

    scores = scores_of(evaluate(data / "dev.jsonl", "--train", data / "reviews.jsonl", "--json"))

    assert list(scores) == [*NAMES, *JUDGED, "interval"]
    assert scores["control_accuracy"] == scores["control_accuracy_real"] == 1
    assert scores["control_accuracy_by_field"] == {"cat": 1, "label": 1}
    assert scores["copied"] == 0  # no text has 20 characters
    assert list(scores["interval"]) == [*NAMES[5:], *JUDGED]
    assert scores["interval"]["control_accuracy_by_field"] == {"cat": [1, 1], "label": [1, 1]}


def test_texts_that_belie_their_conditions_are_written_with_what_is_found_in_them(evaluate, folder, tmp_path):
    # the judge learns from data in which good and bad are the wrong way round
    turned = [{**one, "condition": {**one["condition"], "label": 1 - one["condition"]["label"]}} for one in reviews()]
    (tmp_path / "turned.jsonl").write_text(lines_of(*turned * 2), "utf-8")

    done = evaluate(folder.parent / "dev.jsonl", "--train", "turned.jsonl", "--json", "--errors", "wrong.jsonl")

    scores = scores_of(done)
    assert scores["control_accuracy_by_field"] == {"cat": 1, "label": 0}
    assert (scores["control_accuracy"], scores["control_accuracy_real"]) == (0.5, 0.5)
    wrong = [json.loads(line) for line in (tmp_path / "wrong.jsonl").read_text("utf-8").splitlines()]
    conditions = {real["text"]: real["condition"] for real in reviews()}
    assert sorted(record["gold"]["text"] for record in wrong) == sorted(conditions)  # the worst first
    for record in wrong:
        condition = conditions[record["gold"]["text"]]
        assert list(record) == ["condition", "text", "found", "gold"]
        assert record["condition"] == condition
        assert record["text"] in REVIEWS[condition["cat"], condition["label"]]
        assert record["found"] == {"cat": condition["cat"], "label": str(1 - condition["label"])}


def test_of_several_texts_under_one_condition_each_is_drawn_anew(evaluate):
    line = lines_of({"condition": condition_of(("水果", 0)), "text": "苹果坏了，我要退货"})

    one, many = (scores_of(evaluate("--json", stdin=line * count))["distinct_1"] for count in (1, 20))

    assert one > 0.8  # characters of one text
    assert many * 20 * 9 > 10  # different ones of both reviews; of 苹果坏了，我要退货 alone there would be 9


def test_the_seed_tells_the_texts_and_the_intervals(evaluate, folder):
    dev = folder.parent / "dev.jsonl"

    one, again, other = ({**scores_of(evaluate(dev, "--json", "--seed", seed)), "seconds": 0} for seed in (1, 1, 2))

    assert one == again
    assert one["interval"] != other["interval"]


def test_without_json_scores_are_lines_for_people(evaluate, folder):
    done = evaluate(folder.parent / "dev.jsonl", "--train", folder.parent / "reviews.jsonl")

    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.lines]
    assert names[:-2] == [*NAMES, *JUDGED[:4]]
    assert names[-2:] == ["control_accuracy_by_field.cat", "control_accuracy_by_field.label"]


# ------------------------------------------------------------- what is read


def test_fields_may_stand_in_the_record_itself(evaluate):
    labelled = [{**one["condition"], "text": one["text"]} for one in reviews()]

    one, other = (scores_of(evaluate("--json", stdin=lines_of(*records))) for records in (labelled, reviews()))

    assert one["perplexity"] == pytest.approx(other["perplexity"], abs=1e-6)


def test_fields_have_the_names_that_the_model_was_trained_with(kexue):
    model = trained_couplets()[1]

    scores = scores_of(kexue("evaluate", "generation", "-m", model, model.parent / "couplets.jsonl", "--json"))

    assert scores["records"] == 64
    assert scores["perplexity"] == pytest.approx(1, abs=0.05)
    assert scores["distinct_2"] == scores["distinct_2_real"]  # all are written as they are


def test_a_model_without_categories_has_nothing_to_keep_and_may_copy(kexue):
    model = trained_couplets()[1]
    data = model.parent / "couplets.jsonl"

    scores = scores_of(kexue("evaluate", "generation", "-m", model, data, "--train", data, "--json"))

    assert scores.get("control_accuracy") is None
    assert scores["copied"] == 0


@pytest.mark.parametrize("text", ["", "苹"])
def test_texts_without_a_pair_of_characters_are_scored_as_well(evaluate, text):
    scores = scores_of(evaluate("--json", stdin=lines_of({"condition": {"cat": "水果"}, "text": text})))

    assert math.isfinite(scores["perplexity"])
    assert scores["distinct_2_real"] == 0
    assert scores["self_bleu"] is None  # it takes two


# ------------------------------------------------------------- mistakes


@pytest.mark.parametrize(("lines", "problem"), [
    ("", "standard input: there is no text"),
    ("{\n", "standard input:1: not JSON at column 2"),
    (lines_of(reviews()[0], {"condition": {}}), "standard input:2: missing field 'text'; found ['condition']"),
    (lines_of(reviews()[0], {"cat": "手机", "text": "很好"}), "standard input:2: missing field 'label'; found ["),
    (lines_of({"condition": {"cat": "火车"}, "text": "准时"}), 'standard input:1: condition.cat "火车" is not known; '),
    (lines_of({"condition": {"kat": "手机"}, "text": "很好"}), "standard input:1: condition.kat is not known; known "),
    (lines_of({"condition": {}, "text": 3}), "standard input:1: text must be a string; found 3"),
])  # fmt: skip
def test_bad_records_are_named(evaluate, lines, problem):
    done = evaluate("--json", stdin=lines)

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(problem)


def test_bad_training_data_is_named_by_its_file(evaluate, folder, tmp_path):
    (tmp_path / "train.jsonl").write_text(
        lines_of(reviews()[0], {"condition": {"cat": "火车"}, "text": "准时"}), "utf-8"
    )

    done = evaluate(folder.parent / "dev.jsonl", "--train", "train.jsonl")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith('train.jsonl:2: condition.cat "火车" is not known')


@pytest.mark.parametrize(("options", "status", "problem"), [
    (["--errors", "x.jsonl"], 2, "--errors writes the texts that do not keep to their conditions; add --train FILE"),
    (["--train", "none.jsonl"], 1, "cannot read none.jsonl: No such file or directory"),
])  # fmt: skip
def test_what_cannot_be_is_told_before_a_model_is_looked_for(kexue, tmp_path, options, status, problem):
    done = kexue("evaluate", "generation", "-m", "./no-model", *options, stdin=lines_of(*reviews()))

    assert (done.returncode, done.out, one_error(done)) == (status, b"", problem)
    assert list(tmp_path.iterdir()) == []
