"""The metrics of generation: how varied texts are, how much of them is copied, whether they keep to their conditions.

The article reports none. distinct_n is the share of different ones among all n-grams of characters
(https://arxiv.org/abs/1510.03055), self-BLEU the mean BLEU of each text against the others
(https://arxiv.org/abs/1802.01886); control accuracy is that of a linear classifier of character n-grams which was
fitted on real texts. Letters: n texts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from kexue_cli.bootstrap import intervals
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.conditions import written
from kexue_cli.tasks.generation.records import Condition, Text
from kexue_cli.text.vocabulary import SPACE, spaced

BLEU_TEXTS = 200
BLEU_ORDERS = 4
COPIED_LENGTH = 20  # characters in a row that make a copy
GRAMS = (1, 3)  # lengths of the classifier's n-grams
LEAST_COUNT = 2  # training texts that an n-gram is in

Rates = dict[str, float]


def perplexity(log_likelihoods: "np.ndarray") -> float:
    """Return the perplexity of a character, from sums of log-probabilities and numbers of characters (n, 2)."""
    total, characters = log_likelihoods.sum(axis=0)
    return math.exp(-total / characters)


def n_grams(text: str, n: int) -> Iterator[str]:
    """Yield the n-grams of a text's characters."""
    return (text[start : start + n] for start in range(len(text) - n + 1))


def distinct(texts: Iterable[str], n: int, most: int | None = None) -> float:
    """Return the share of different ones among the n-grams of texts; 0 if there are none.

    most: n-grams that are looked at, all if None. The share falls with their number: only shares of as many compare.

    >>> distinct(["很好很好"], 2)  # 很好, 好很, 很好
    0.6666666666666666
    """
    seen: set[str] = set()
    total = 0
    for text in texts:
        for gram in n_grams(text, n):
            if total == most:
                return len(seen) / max(1, total)
            seen.add(gram)
            total += 1
    return len(seen) / total if total else 0.0


def bleus(texts: Sequence[str]) -> list[float]:
    """Return the BLEU-4 over characters of each text, all others being its references.

    At most 200 texts are used, spread evenly; a text of less than four characters has fewer orders. An order without a
    match counts half a match (smoothing 1 of https://aclanthology.org/W14-3346, with 1/2).
    """
    texts = [text for text in texts if text]
    count = min(len(texts), BLEU_TEXTS)
    texts = [texts[number * len(texts) // count] for number in range(count)]
    if len(texts) < 2:
        return []
    orders = range(1, BLEU_ORDERS + 1)
    counts = [[Counter(n_grams(text, n)) for n in orders] for text in texts]
    return [_bleu(index, texts, counts) for index in range(len(texts))]


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

    def found(self, texts: Sequence[str]) -> list[dict[str, str]]:
        """Return the value of each field that it finds in each text."""
        vectors = self.vectorizer.transform(map(spaced, texts))
        columns = {name: classifier.predict(vectors).tolist() for name, classifier in self.classifiers.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(texts))]


def kept(found: Mapping[str, str], condition: Condition) -> dict[str, bool]:
    """Return for each field that the condition tells whether the value that was found is that one."""
    told = {name: value for name, value in found.items() if condition.get(name) is not None}
    return {name: value == written(condition[name]) for name, value in told.items()}


def scores(
    log_likelihoods: "np.ndarray",
    texts: Sequence[str],
    real: Sequence[Text],
    judge: Judge | None,
    training: Iterable[str],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Return all scores with their 95 % bootstrap intervals over texts.

    texts: one written for each of the real ones, under its condition; log_likelihoods: of the real ones (n, 2).
    judge and training texts: if they are known. The shares of different n-grams have no interval: drawing texts anew
    would repeat some of them. They are taken of as many n-grams of both.
    """  # fmt: skip
    texts, originals = [spaced(text) for text in texts], [spaced(text.text) for text in real]
    order = np.random.default_rng(seed).permutation(len(texts))  # texts of one kind may stand together
    mixed, mixed_real = [texts[row] for row in order], [originals[row] for row in order]
    most = {n: min(sum(max(0, len(text) - n + 1) for text in part) for part in (texts, originals)) for n in (1, 2)}
    alike, alike_real = bleus(texts), bleus(originals)
    found: dict[str, Any] = {
        "perplexity": perplexity(log_likelihoods),
        "distinct_1": distinct(mixed, 1, most[1]),
        "distinct_2": distinct(mixed, 2, most[2]),
        "distinct_2_real": distinct(mixed_real, 2, most[2]),
        "self_bleu": sum(alike) / len(alike) if alike else None,
        "self_bleu_real": sum(alike_real) / len(alike_real) if alike_real else None,
    }
    bounds = intervals(
        {"total": log_likelihoods[:, 0].tolist(), "characters": log_likelihoods[:, 1].tolist()},
        lambda sums: {"perplexity": math.exp(-sums["total"] / sums["characters"])}, seed=seed,
    ) | _bounds({"self_bleu": alike, "self_bleu_real": alike_real}, seed)  # fmt: skip
    if judge:
        learned = [spaced(text) for text in training]
        conditions = [text.condition for text in real]
        own, of_real = (
            [kept(values, condition) for values, condition in zip(judge.found(part), conditions, strict=True)]
            for part in (texts, originals)
        )
        for text, row in zip(texts, own, strict=True):
            if not text.strip(SPACE):  # nothing was written
                row.update(dict.fromkeys(row, False))
        columns: dict[str, Sequence[float]] = {
            "control_accuracy": [sum(row.values()) / len(row) for row in own if row],
            "control_accuracy_real": [sum(row.values()) / len(row) for row in of_real if row],
            "copied": copies(texts, learned),
            "copied_real": copies(originals, learned),
        }
        found |= {name: sum(column) / len(column) if column else None for name, column in columns.items()}
        by_field = {name: [row[name] for row in own if name in row] for name in judge.classifiers}
        found["control_accuracy_by_field"] = {
            name: sum(column) / len(column) if column else None for name, column in by_field.items()
        }
        bounds |= _bounds(columns, seed)
    return {**found, "interval": bounds}


def _bounds(columns: Mapping[str, Sequence[float]], seed: int) -> dict[str, list[float]]:
    """Return the intervals of means over texts; each column has its own texts."""
    bounds: dict[str, list[float]] = {}
    for name, column in columns.items():
        sums = {name: column, "texts": [1.0] * len(column)}
        bounds |= intervals(sums, partial(_mean, name), seed=seed)
    return bounds


def _mean(name: str, sums: Rates) -> Rates:
    return {name: sums[name] / sums["texts"]}
