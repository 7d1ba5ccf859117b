"""How well a segmentation agrees with one made by people, and what it costs in information.

Precision, recall and F1 count words by their spans, as the SIGHAN bake-offs do; the official script aligns with
diff, which differs in the third digit for very bad segmentations. L = H / l, the entropy of the words over their
mean length, is the information per character of https://kexue.fm/archives/5476 (here in bits).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from kexue_cli.bootstrap import Sums, results


@dataclass(frozen=True)
class LineCounts:
    """Words of one line: in the gold, in the answer, in both; and the gold words that are unknown."""

    gold: int
    answer: int
    right: int
    unknown: int = 0
    unknown_right: int = 0

    @property
    def wrong(self) -> int:
        """How many words are in one of the two only."""
        return self.gold + self.answer - 2 * self.right


@dataclass
class Scores:
    """Sums over lines, and what follows from them."""

    lines: list[LineCounts] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)  # of the answers

    def add(self, gold: Sequence[str], answer: Sequence[str], known: frozenset[str] | None = None) -> LineCounts:
        """Take in one line and return its counts. known: the words that are not out of vocabulary."""
        answered = spans(answer)
        right = unknown = unknown_right = 0
        for word, span in zip(gold, _span_list(gold), strict=True):
            is_right = span in answered
            right += is_right
            if known is not None and word not in known:
                unknown += 1
                unknown_right += is_right
        self.lines.append(LineCounts(len(gold), len(answer), right, unknown, unknown_right))
        self.words.update(answer)
        return self.lines[-1]

    def sheet(self, *, has_known: bool = False) -> Sums:
        """Return the scores that are drawn over lines."""
        names = ("gold", "answer", "right", "unknown", "unknown_right")
        columns = {name: [getattr(line, name) for line in self.lines] for name in names}
        return Sums(columns, partial(_scores, has_known=has_known))

    def results(self, seed: int = 0, *, has_known: bool = False) -> dict[str, object]:
        """Return the scores by name, with 95 % bootstrap intervals over lines.

        information has none: a line that is drawn twice has no more words than once, so that it would fall.
        """
        found = results([self.sheet(has_known=has_known)], seed=seed)
        bounds = found.pop("interval")
        counts = {
            "words": sum(line.gold for line in self.lines),
            "answered_words": sum(line.answer for line in self.lines),
        }
        return {**found, **counts, **self.information(), "interval": bounds}

    def information(self) -> dict[str, float]:
        """Return what the text costs when it is told in characters, and in the words that were answered."""
        characters = Counter("".join(self.words.elements()))
        return {
            "information_characters": information_per_character(characters),
            "information": information_per_character(self.words),
        }


def _scores(sums: Mapping[str, float], has_known: bool) -> dict[str, float]:
    precision = sums["right"] / sums["answer"] if sums["answer"] else 0.0
    recall = sums["right"] / sums["gold"] if sums["gold"] else 0.0
    both = precision + recall
    scores = {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0}
    if has_known:
        known, known_right = sums["gold"] - sums["unknown"], sums["right"] - sums["unknown_right"]
        scores["oov_rate"] = sums["unknown"] / sums["gold"] if sums["gold"] else 0.0
        scores["oov_recall"] = sums["unknown_right"] / sums["unknown"] if sums["unknown"] else 0.0
        scores["iv_recall"] = known_right / known if known else 0.0
    return scores


def _span_list(words: Sequence[str]) -> list[tuple[int, int]]:
    places = []
    start = 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word)
    return places


def spans(words: Sequence[str]) -> set[tuple[int, int]]:
    """Return the places of words in the text they make up."""
    return set(_span_list(words))


def information_per_character(words: Counter[str]) -> float:
    """Return L = H / l in bits: entropy of the words over their mean length in characters."""
    total = sum(words.values())
    if not total:
        return 0.0
    entropy = -sum(count / total * math.log2(count / total) for count in words.values())
    return entropy * total / sum(count * len(word) for word, count in words.items())
