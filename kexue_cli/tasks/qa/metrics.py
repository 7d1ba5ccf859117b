"""The metric of the CIPS-SOGOU question answering contest, as described at https://kexue.fm/archives/5409.

Answers are compared without width, case, punctuation and white space. An answer is exact if it is one of the right
ones, or has the same parts with spaces between them in any order. F1 counts the characters that an answer and a
right one share, each as often as it stands in both; the best of the right answers counts. The score is the mean of
the exact share and the mean F1.

The contest's list of punctuation is not published: here it is Unicode's categories P and S and string.punctuation.
A text that is nothing else ("+") keeps it. Not in the contest, which has an answer to each question: if there
is none, null is right and all else is wrong. An exact answer has F1 1, even one that repeats a part.
"""

import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from kexue_cli.bootstrap import Sums, results


@cache
def _bare(character: str) -> str:
    """Return a character in half width and lower case; nothing for punctuation."""
    if _is_punctuation(character):  # first: ￣ is a space and a mark above it in half width
        return ""
    if unicodedata.east_asian_width(character) == "F":
        character = unicodedata.normalize("NFKC", character)
    return character.lower()


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] in "PS"


def normalize(text: str) -> str:
    """Return what of a text is compared: half width and lower case, without punctuation and white space.

    >>> normalize("《ＤＮＡ 双螺旋》")
    'dna双螺旋'
    """
    text = "".join(text.split())
    return "".join(map(_bare, text)) or text


def is_exact(prediction: str, answer: str) -> bool:
    """Say whether a prediction is an answer, or has the same parts with spaces between them in any order."""
    return normalize(prediction) == normalize(answer) or _parts(prediction) == _parts(answer)


def character_f1(prediction: str, answer: str) -> float:
    """Return the F1 of the characters that a prediction shares with an answer, in 0..1.

    >>> character_f1("鲁迅先生", "鲁迅")  # precision 2/4, recall 2/2
    0.6666666666666666
    """
    predicted, right = Counter(normalize(prediction)), Counter(normalize(answer))
    shared = (predicted & right).total()
    return 2 * shared / (predicted.total() + right.total()) if shared else 0.0


def score(prediction: str | None, answers: Sequence[str]) -> tuple[float, float]:
    """Return how exact a prediction is (0 or 1) and its F1 (0..1).

    prediction: None, or white space only, for no answer; answers: alternatives, none if the question has no answer.
    """
    if prediction is None or not prediction.strip():
        return (0.0, 0.0) if answers else (1.0, 1.0)
    if any(is_exact(prediction, answer) for answer in answers):
        return 1.0, 1.0
    return 0.0, max((character_f1(prediction, answer) for answer in answers), default=0.0)


def _parts(text: str) -> set[str]:
    return {normalize(part) for part in text.split()}


@dataclass
class Scores:
    """The scores of each record, and what follows from them."""

    exact_match: list[float] = field(default_factory=list)  # 0 or 1, one a record
    f1: list[float] = field(default_factory=list)  # 0..1, one a record

    def add(self, prediction: str | None, answers: Sequence[str]) -> tuple[float, float]:
        """Take in the prediction for one record and its right answers, and return what score does."""
        exact_match, f1 = score(prediction, answers)
        self.exact_match.append(exact_match)
        self.f1.append(f1)
        return exact_match, f1

    def sheet(self) -> Sums:
        """Return the scores that are drawn over records."""
        return Sums({"exact_match": self.exact_match, "f1": self.f1, "records": [1.0] * len(self.f1)}, _means)

    def results(self, seed: int = 0) -> dict[str, object]:
        """Return exact_match, f1 and score, each in 0..1, with their 95 % bootstrap intervals over records."""
        return results([self.sheet()], seed=seed)


def _means(sums: dict[str, float]) -> dict[str, float]:
    """Return the scores, from sums over records."""
    records = sums["records"] or 1
    exact_match, f1 = sums["exact_match"] / records, sums["f1"] / records
    return {"exact_match": exact_match, "f1": f1, "score": (exact_match + f1) / 2}
