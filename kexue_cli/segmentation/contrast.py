"""The words of a domain: those much more frequent in one lexicon's corpus than in another's.

Article: https://kexue.fm/archives/6540. The score of a word is (w + mean * a) / (W + mean), with w its count in the
domain, W in the other corpus, mean the average W and a the ratio of the totals: what the domain's count is to the
expected one, drawn towards a for rare words.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from kexue_cli.segmentation.lexicon import read_rows


@dataclass(frozen=True)
class Contrast:
    """A word of the domain. score: natural logarithm of its frequency here over that there, smoothed."""

    word: str
    score: float
    count: int
    other_count: int


def _counts(path: Path) -> dict[str, int]:
    counts = {}
    for _, cells in read_rows(path):
        if len(cells) > 2 and cells[2].isdigit():
            counts[cells[0]] = int(cells[2])
    return counts


def contrast(domain: Path, other: Path) -> list[Contrast]:
    """Return the words of two or more characters of one lexicon file, the most typical against the other first.

    Raises KexueError if a file cannot be read.
    """
    here, there = _counts(domain), _counts(other)
    here_total, there_total = max(sum(here.values()), 1), max(sum(there.values()), 1)
    mean = there_total / max(len(there), 1)
    ratio = here_total / there_total
    rows = [
        Contrast(
            word, math.log((count + mean * ratio) / (there.get(word, 0) + mean) / ratio), count, there.get(word, 0)
        )
        for word, count in here.items()
        if len(word) > 1
    ]
    return sorted(rows, key=lambda row: (-row.score, -row.count, row.word))
