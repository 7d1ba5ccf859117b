"""The metrics of generation: how varied texts are, how much of them is copied, whether they keep to their conditions.

The article reports none. distinct_n is the share of different ones among all n-grams of characters
(https://arxiv.org/abs/1510.03055), self-BLEU the mean BLEU of each text against the others
(https://arxiv.org/abs/1802.01886); control accuracy is that of a linear classifier of character n-grams which was
fitted on real texts. Letters: n texts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kexue_cli.bootstrap import Halves, Sheet, Sums, results
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.conditions import written
from kexue_cli.tasks.generation.records import Condition, Text
from kexue_cli.text.vocabulary import SPACE, spaced

BLEU_TEXTS = 200
BLEU_ORDERS = 4
COPIED_LENGTH = 20  # characters in a row that make a copy
GRAMS = (1, 3)  # lengths of the classifier's n-grams
LEAST_COUNT = 2  # training texts that an n-gram is in

NAMES = ("perplexity", "distinct_1", "distinct_2", "distinct_2_real", "self_bleu", "self_bleu_real")
BY_FIELD = "control_accuracy_by_field"
JUDGED = ("control_accuracy", "control_accuracy_real", "copied", "copied_real", BY_FIELD)

Rates = dict[str, float]


def perplexity(log_likelihoods: "np.ndarray") -> float:
    """Return the perplexity of a character, from sums of log-probabilities and numbers of characters (n, 2)."""
    total, characters = log_likelihoods.sum(axis=0)
    return math.exp(-total / characters)


def n_grams(text: str, n: int) -> Iterator[str]:
    """Yield the n-grams of a text's characters."""
    return (text[start : start + n] for start in range(len(text) - n + 1))


def bleus(texts: Sequence[str]) -> list[float | None]:
    """Return the BLEU-4 over characters of each text, all others being its references; None for an empty one.

    At most 200 texts are used, spread evenly; a text of less than four characters has fewer orders. An order without a
    match counts half a match (smoothing 1 of https://aclanthology.org/W14-3346, with 1/2).
    """
    count = min(len(texts), BLEU_TEXTS)
    chosen = [texts[number * len(texts) // count] for number in range(count)]
    filled = [text for text in chosen if text]
    if len(filled) < 2:
        return [None] * count
    counts = [[Counter(n_grams(text, n)) for n in range(1, BLEU_ORDERS + 1)] for text in filled]
    found = iter([_bleu(index, filled, counts) for index in range(len(filled))])
    return [next(found) if text else None for text in chosen]


def _bleu(index: int, texts: Sequence[str], counts: Sequence[Sequence[Counter[str]]]) -> float:
    logarithm = 0.0
    orders = min(BLEU_ORDERS, len(texts[index]))  # those that the text has
    for order in range(orders):
        own = counts[index][order]
        total = sum(own.values())
        most: Counter[str] = Counter()
        for other, its in enumerate(counts):
            if other != index:
                for gram in own:
                    most[gram] = max(most[gram], its[order][gram])
        matches = sum(min(count, most[gram]) for gram, count in own.items())
        logarithm += math.log((matches or 0.5) / total) / orders
    length = len(texts[index])
    nearest = min((len(text) for other, text in enumerate(texts) if other != index), key=lambda one: abs(one - length))
    return math.exp(logarithm + min(0.0, 1 - nearest / length))


def copies(texts: Sequence[str], training: Iterable[str]) -> list[bool]:
    """Return for each text whether it has a run of 20 characters in common with a training text."""
    runs: dict[str, set[int]] = {}
    for index, text in enumerate(texts):
        for gram in n_grams(text, COPIED_LENGTH):
            runs.setdefault(gram, set()).add(index)
    found: set[int] = set()
    for text in training:
        for gram in n_grams(text, COPIED_LENGTH):
            if gram in runs:
                found |= runs[gram]
    return [index in found for index in range(len(texts))]


class Judge:
    """Tells the values of category fields from a text: linear classifiers of character n-grams."""

    def __init__(self, training: Sequence[Text], fields: Sequence[str]) -> None:
        """Fit a classifier for each field with several values. fields: that hold categories.

        Raises KexueError if scikit-learn is not there, or the texts hold nothing to learn from.
        """
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.svm import LinearSVC
        except ImportError as error:
            raise KexueError(f"--train needs scikit-learn ({error}); try: pip install 'kexue[train]'") from None
        self.vectorizer = TfidfVectorizer(
            analyzer="char", ngram_range=GRAMS, min_df=LEAST_COUNT, sublinear_tf=True, lowercase=False
        )
        try:
            vectors = self.vectorizer.fit_transform(spaced(text.text) for text in training)
        except ValueError:
            raise KexueError("the texts of --train are too few to learn from") from None
        self.classifiers: dict[str, Any] = {}
        for name in fields:
            told = [row for row, text in enumerate(training) if text.condition.get(name) is not None]
            values = [written(training[row].condition[name]) for row in told]
            if len(set(values)) > 1:
                self.classifiers[name] = LinearSVC(random_state=0).fit(vectors[told], values)

    def margins(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return by how much the value of each field that it finds in each text lies above the next one."""
        vectors = self.vectorizer.transform(map(spaced, texts))
        columns = {name: _margins(one.decision_function(vectors)) for name, one in self.classifiers.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(texts))]

    def found(self, texts: Sequence[str]) -> list[dict[str, str]]:
        """Return the value of each field that it finds in each text."""
        vectors = self.vectorizer.transform(map(spaced, texts))
        columns = {name: classifier.predict(vectors).tolist() for name, classifier in self.classifiers.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(texts))]


def _margins(decisions: np.ndarray) -> list[float]:
    """Return how far the highest decision (n, v) of each row lies above the next; of two values there is one (n,)."""
    if decisions.ndim == 1:
        return [abs(float(value)) for value in decisions]
    highest = np.sort(decisions, axis=1)[:, -2:]
    return [float(first - second) for second, first in highest]


def kept(found: Mapping[str, str], condition: Condition) -> dict[str, bool]:
    """Return for each field that the condition tells whether the value that was found is that one."""
    told = {name: value for name, value in found.items() if condition.get(name) is not None}
    return {name: value == written(condition[name]) for name, value in told.items()}


def sheets(
    log_likelihoods: np.ndarray,
    texts: Sequence[str],
    real: Sequence[Text],
    judge: Judge | None,
    training: Iterable[str],
    *,
    seed: int = 0,
) -> list[Sheet]:
    """Return the scores that are drawn over texts.

    texts: one written for each of the real ones, under its condition; log_likelihoods: of the real ones (n, 2).
    judge and training texts: if they are known. Shares of different n-grams are taken of as many of both.
    """
    texts, originals = [spaced(text) for text in texts], [spaced(text.text) for text in real]
    order = np.random.default_rng(seed).permutation(len(texts))  # texts of one kind may stand together
    mixed, mixed_real = [texts[row] for row in order], [originals[row] for row in order]
    most = {n: min(sum(max(0, len(text) - n + 1) for text in part) for part in (texts, originals)) for n in (1, 2)}
    likelihood = {"total": log_likelihoods[:, 0].tolist(), "characters": log_likelihoods[:, 1].tolist()}
    found: list[Sheet | None] = [
        Sums(likelihood, lambda sums: {"perplexity": math.exp(-sums["total"] / sums["characters"])}),
        variety("distinct_1", mixed, 1, most[1]),
        variety("distinct_2", mixed, 2, most[2]),
        variety("distinct_2_real", mixed_real, 2, most[2]),
        mean("self_bleu", bleus(texts)),
        mean("self_bleu_real", bleus(originals)),
    ]
    if judge:
        learned = [spaced(text) for text in training]
        accuracy, accuracy_real, *by_field = _judged(judge, texts, originals, [text.condition for text in real])
        copied = [mean("copied", copies(texts, learned)), mean("copied_real", copies(originals, learned))]
        found += [accuracy, accuracy_real, *copied, *by_field]
    return [sheet for sheet in found if sheet is not None]


def variety(name: str, texts: Sequence[str], n: int, most: int) -> Halves:
    """Return the share of different ones among the first *most* n-grams of texts, which stand in no order."""
    numbers: dict[str, int] = {}
    grams: list[int] = []
    rows: list[int] = []
    for row, text in enumerate(texts):
        for gram in n_grams(text, n):
            if len(grams) < most:
                grams.append(numbers.setdefault(gram, len(numbers)))
                rows.append(row)
    ids, owners = np.array(grams, np.int64), np.array(rows, np.int64)

    def share(mask: np.ndarray) -> Rates:
        own = ids[mask[owners]]
        return {name: np.count_nonzero(np.bincount(own)) / max(1, len(own))}

    return Halves(len(texts), share)


def mean(name: str, values: Sequence[float | None]) -> Sums | None:
    """Return the mean of what texts have, those without it left out; None if none has it."""
    column, has = [value or 0.0 for value in values], [float(value is not None) for value in values]
    if not any(has):
        return None
    own = sum(column) / sum(has)

    def rates(sums: Mapping[str, float]) -> Rates:
        return {name: sums["sum"] / sums["texts"] if sums["texts"] else own}  # a draw may have only texts without it

    return Sums({"sum": column, "texts": has}, rates)


def _judged(
    judge: Judge, texts: Sequence[str], real: Sequence[str], conditions: Sequence[Condition]
) -> list[Sums | None]:
    """Return how often conditions are found: in the texts, in the real ones, and in the texts for each field."""
    own, of_real = (
        [kept(values, condition) for values, condition in zip(judge.found(part), conditions, strict=True)]
        for part in (texts, real)
    )
    for text, row in zip(texts, own, strict=True):
        if not text.strip(SPACE):  # nothing was written
            row.update(dict.fromkeys(row, False))
    return [
        mean("control_accuracy", [sum(row.values()) / len(row) if row else None for row in own]),
        mean("control_accuracy_real", [sum(row.values()) / len(row) if row else None for row in of_real]),
        *(mean(f"{BY_FIELD}.{name}", [row.get(name) for row in own]) for name in judge.classifiers),
    ]


def scores(sheets: Sequence[Sheet], judge: Judge | None, *, seed: int = 0) -> dict[str, Any]:
    """Return all scores with their 95 % intervals over texts; None where there is nothing to score."""
    found = results(sheets, seed=seed)
    bounds = found.pop("interval")
    for name in NAMES + JUDGED if judge else NAMES:
        found.setdefault(name, None)
    if judge:
        found[BY_FIELD] = {**dict.fromkeys(judge.classifiers), **(found[BY_FIELD] or {})}
    return {**found, "interval": bounds}
