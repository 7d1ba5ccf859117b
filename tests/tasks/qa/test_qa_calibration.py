"""Scores as chances to be right, on questions answered by a reader that one can follow; see readers.py."""

import warnings

import pytest

pytest.importorskip("sklearn")

import kexue_cli
from kexue_cli.tasks.qa.calibration import calibrated
from kexue_cli.tasks.qa.records import Passage, Question


@pytest.fixture
def task(little_reader):
    return kexue_cli.load(str(little_reader))


def question_of(question, text, answer):
    return Question(question, (Passage(text, (answer,)),))


def scores(task, decoding, *texts):
    """The score of the first answer in each text."""
    reader = task.with_settings(slope=decoding.slope, intercept=decoding.intercept, threshold=decoding.threshold)
    records = [{"question": "谁？", "passages": [text]} for text in texts]
    return [answer["score"] for answer in reader.predict(records)]


SURE = [question_of("谁？", "鲁迅", "鲁迅")] * 6 + [question_of("谁？", "鲁迅", "巴金")] * 2
UNSURE = [question_of("谁？", "巴金", "巴金")] * 2 + [question_of("谁？", "巴金", "鲁迅")] * 6


def test_a_score_is_the_share_of_right_answers(task):
    decoding = calibrated(task, SURE + UNSURE)

    # Each question reads its own passage, and the next one's, which may hold its answer too. 鲁迅 is read 16 times:
    # 8 own passages (6 right), 7 next ones (6 right), and the last question, whose next one is the first (right).
    # 巴金 is read 16 times: 8 own passages (2 right), 7 next ones (2 right), and the last sure question (right).
    assert scores(task, decoding, "鲁迅", "巴金") == pytest.approx([13 / 16, 5 / 16], abs=0.01)


def test_the_threshold_keeps_the_right_answers(task):
    decoding = calibrated(task, SURE + UNSURE)

    low = scores(task, decoding, "巴金")[0]
    assert round(2 * decoding.threshold, 6) == low  # as many digits as are told


def test_the_other_settings_stay(task):
    decoding = calibrated(task, SURE + UNSURE)

    assert (decoding.voting, decoding.longest_answer) == (task.decoding.voting, task.decoding.longest_answer)


def test_answers_that_can_be_told_apart_without_a_mistake_get_scores_all_the_same(task):
    known = question_of("鲁迅？", "巴金", "四川")  # of the other's passage nothing remains to be answered
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the fit has no bounds

        decoding = calibrated(task, [question_of("谁？", "鲁迅", "鲁迅"), known] * 10)

    right, wrong, hardly = scores(task, decoding, "鲁迅", "巴金", "巴，人")  # p = .81, .09, .03
    assert 0 <= hardly <= wrong < 0.5 < right <= 1


@pytest.mark.parametrize(
    "questions",
    [
        [],
        [question_of("谁？", "没有", "鲁迅")] * 4,
        [question_of("谁？", "鲁迅", "巴金")] * 4,
        [*[question_of("谁？", "巴金", "巴金")] * 3, *[question_of("谁？", "鲁迅", "巴金")] * 3],  # the surer the worse
    ],
    ids=["none", "no answers", "none right", "upside down"],
)
def test_where_nothing_can_be_learned_scores_stay_votes(task, questions):
    decoding = calibrated(task, questions)

    assert (decoding.slope, decoding.intercept, decoding.threshold) == (1, 0, 0)
