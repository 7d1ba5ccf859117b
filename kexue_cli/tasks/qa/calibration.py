"""Scores of answers as chances to be right, by Platt scaling on questions that were not trained on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from kexue_cli.tasks.qa import QuestionAnswering
from kexue_cli.tasks.qa.config import DecodingConfig
from kexue_cli.tasks.qa.decoding import probability
from kexue_cli.tasks.qa.metrics import score
from kexue_cli.tasks.qa.records import Question

THRESHOLD_FACTOR = 0.5  # right answers to other questions score a little below the lowest of these


def calibrated(task: QuestionAnswering, questions: Sequence[Question]) -> DecodingConfig:
    """Return the decoding with scores that are chances to be right, and a threshold below which there is no answer.

    Fitted on each question twice: with its passages, and with those of another question, where an answer is
    right by chance only. The threshold is half of the lowest score of a right answer.
    """
    from sklearn.linear_model import LogisticRegression

    neighbours = pairwise([*questions, *questions[:1]])
    strangers = [replace(question, passages=other.passages) for question, other in neighbours]
    decoding = replace(task.decoding, slope=1.0, intercept=0.0, threshold=0.0)  # the score is then v / (1 + v)
    raw = QuestionAnswering(task.preprocessor, task.runtime, decoding)
    asked = [*questions, *strangers]
    answered = [
        (candidates[0].score, bool(score(candidates[0].answer, question.answers)[0]))
        for question, candidates in zip([*questions, *questions], raw.answer(asked), strict=True)
        if candidates and candidates[0].score > 0
    ]
    is_right = np.array([right for _, right in answered])
    if not is_right.any() or is_right.all():
        return decoding
    votes = np.array([value / (1 - value) for value, _ in answered])
    model = LogisticRegression(C=np.inf).fit(np.log(votes)[:, None], is_right)
    if model.coef_[0, 0] <= 0:  # too few questions to tell; the best answer must stay the best
        return decoding
    fitted = replace(decoding, slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))
    lowest = min(probability(value, fitted) for value in votes[is_right])
    return replace(fitted, threshold=THRESHOLD_FACTOR * lowest)
