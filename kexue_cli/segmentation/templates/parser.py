"""Parse clauses into nested blocks: each is made by a template, and other blocks fill its placeholders.

Article: https://kexue.fm/archives/5577; the original is the class Parser of the PyPI package nlp-zero, which tries all
ways to place all templates. Here what is best for a stretch of words is worked out once, from what is best for shorter
ones. Blocks are nested or apart, and never cross.

The score of a block is ln p of its template plus the scores of the blocks in its placeholders. A single word is a block
that costs nothing; of several words that no template fits, each but the first costs the null score. Scores are compared
to 4 decimals. Of equal ones, the parse with more words in templates is taken; then the one whose first block is longer,
or its second, and so on: 雪梨 和 苹果 和 香蕉 is ((雪梨 和 苹果) 和 香蕉).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kexue_cli.segmentation.templates.template import Template, Words

LONGEST = 128  # words of a clause; a longer one is parsed in parts
SCORE_UNIT = 10_000  # to 4 decimals
WORD_UNIT = 1 << 10  # a score is units * WORD_UNIT + words in templates; more than a clause has words
IMPOSSIBLE = -(1 << 60)  # the sum of two is so, too


class Block(NamedTuple):
    """Words [start, end) of a clause. template: None if no template fits.

    children: in order, the index of each word that is the template's or alone, and a block for each other placeholder.
    """

    start: int
    end: int
    template: Words | None
    children: "list[Block | int]"


@dataclass
class _Node:
    """What templates that begin alike go on with. score: of the template that ends here; None if none does."""

    children: "dict[str | None, _Node]" = field(default_factory=dict)
    score: int | None = None


class Parser:
    """Parses clauses by templates. Safe to use from several threads."""

    def __init__(self, templates: Sequence[Template], null_score: float = -20.0) -> None:
        self.null_score = round(null_score * SCORE_UNIT) * WORD_UNIT
        self.root = _Node()
        total = math.log(sum(template.count for template in templates) or 1)
        for template in templates:
            node = self.root
            for word in template.words:
                node = node.children.setdefault(word, _Node())
            score = round((math.log(template.count) - total) * SCORE_UNIT)
            node.score = score * WORD_UNIT + sum(word is not None for word in template.words)

    def parse(self, words: Sequence[str]) -> Block:
        """Return the block of a clause; one of more than LONGEST words has parts without a template around them."""
        if len(words) <= LONGEST:
            return _Chart(self, words).block(0, len(words))
        parts: list[Block | int] = []
        for start in range(0, len(words), LONGEST):
            part = _Chart(self, words[start : start + LONGEST]).block(0, min(LONGEST, len(words) - start))
            parts.append(_moved(part, start))
        return Block(0, len(words), None, parts)


def _moved(block: Block, offset: int) -> Block:
    children = [child + offset if isinstance(child, int) else _moved(child, offset) for child in block.children]
    return Block(block.start + offset, block.end + offset, block.template, children)


class _Chart:
    """The best scores of all stretches of one clause.

    tails[node, place]: scores of the rest of a template behind its words so far, from a word on, by where it ends.
    """

    def __init__(self, parser: Parser, words: Sequence[str]) -> None:
        self.null_score = parser.null_score
        self.root = parser.root
        self.words = words
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            self.places.setdefault(word, []).append(place)
        self.tails: dict[tuple[int, int], list[int]] = {}
        self.best = [[IMPOSSIBLE] * (len(words) + 1) for _ in range(len(words) + 1)]
        for start in range(len(words) - 1, -1, -1):
            self._fill(start)

    def _fill(self, start: int) -> None:
        """Find the best score of each stretch that begins at a word, shorter ones first; all later ones are known."""
        row, size = self.best[start], len(self.words)
        first = self.root.children.get(self.words[start])
        own = self._tail(first, start + 1) if first else [IMPOSSIBLE] * (size + 1)
        behind_gap = self.root.children.get(None)
        later = [place for place in range(start + 1, size) if behind_gap and self.words[place] in behind_gap.children]
        tails = [
            (place, self._tail(behind_gap.children[self.words[place]], place + 1)) for place in later if behind_gap
        ]
        row[start + 1] = 0
        for end in range(start + 2, size + 1):
            score = own[end]
            for place, tail in tails:
                if place >= end:
                    break
                score = max(score, row[place] + tail[end])
            row[end] = score if score > IMPOSSIBLE // 2 else (end - start - 1) * self.null_score

    def _tail(self, node: _Node, place: int) -> list[int]:
        """Return the best score of the rest of the templates at a node, from a word on, for each end."""
        key = id(node), place
        if key in self.tails:
            return self.tails[key]
        size = len(self.words)
        scores = [IMPOSSIBLE] * (size + 1)
        if node.score is not None:
            scores[place] = node.score
        if place < size:
            ways = [(0, self._tail(child, place + 1)) for child in self._next(node, place)]
            gap = node.children.get(None)
            if gap is not None:
                row = self.best[place]
                if gap.score is not None:
                    scores[place + 1 :] = [score + gap.score for score in row[place + 1 :]]
                ways += [(row[other], self._tail(child, other + 1)) for other, child in self._beyond(gap, place)]
            for before, tail in ways:
                scores = [max(score, before + other) for score, other in zip(scores, tail, strict=True)]
        self.tails[key] = scores
        return scores

    def _next(self, node: _Node, place: int) -> list[_Node]:
        child = node.children.get(self.words[place])
        return [child] if child else []

    def _beyond(self, gap: _Node, place: int) -> list[tuple[int, _Node]]:
        """Return the words that may end a gap that begins at a place: where they are, and the nodes behind them."""
        if len(gap.children) < len(self.words) - place:
            known = ((word, child) for word, child in gap.children.items() if word in self.places)
            return [(other, child) for word, child in known for other in self.places[str(word)] if other > place]
        later = range(place + 1, len(self.words))
        return [(other, gap.children[self.words[other]]) for other in later if self.words[other] in gap.children]

    def block(self, start: int, end: int) -> Block:
        """Return the best block of the words [start, end)."""
        steps = self._steps(self.root, start, end, self.best[start][end]) if end - start > 1 else None
        if steps is None:
            return Block(start, end, None, list(range(start, end)))
        children = [step if isinstance(step, int) else self._filler(*step) for step in steps]
        template = tuple(self.words[step] if isinstance(step, int) else None for step in steps)
        return Block(start, end, template, children)

    def _filler(self, start: int, end: int) -> Block | int:
        return start if end - start == 1 else self.block(start, end)

    def _steps(self, node: _Node, place: int, end: int, score: int) -> "list[int | tuple[int, int]] | None":
        """Return how the rest of a template fills [place, end) with a score: its words, and the bounds of its gaps."""
        if place == end:
            return [] if node.score == score else None
        gap = node.children.get(None)
        if gap is not None:
            if gap.score is not None and self.best[place][end] + gap.score == score:
                return [(place, end)]
            for other, child in sorted(self._beyond(gap, place), key=lambda way: -way[0]):
                rest = score - self.best[place][other]
                if other < end and self._tail(child, other + 1)[end] == rest:
                    steps = self._steps(child, other + 1, end, rest)
                    return None if steps is None else [(place, other), other, *steps]
        for child in self._next(node, place):
            if self._tail(child, place + 1)[end] == score:
                steps = self._steps(child, place + 1, end, score)
                return None if steps is None else [place, *steps]
        return None
