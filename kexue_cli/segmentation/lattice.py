"""Every way to cut a line, with weights: what the segmenter chose from, for people to look at."""

from dataclasses import dataclass
from typing import Any

from kexue_cli.segmentation.double_array import WEIGHT_SCALE
from kexue_cli.segmentation.rules import (
    CODE_SHIFT,
    DIGIT,
    HAN,
    LABEL_MASK,
    NUMERAL,
    NUMERAL_MASK,
    NUMERAL_SHIFT,
    UNIT,
    UNIT_FLAG,
    is_joining,
    kind_of,
    numeral_end,
    rule_end,
)
from kexue_cli.segmentation.segmenter import Segmenter
from kexue_cli.segmentation.viterbi import (
    BASE_MASK,
    BASE_SHIFT,
    FORCED_WEIGHT,
    HAN_END,
    NO_WEIGHT,
    WEIGHT_SHIFT,
    may_end,
)


@dataclass(frozen=True)
class Edge:
    """A possible word text[start:end]. weight: nats, None if it is always kept; source: what proposes it."""

    start: int
    end: int
    word: str
    weight: float | None
    source: str  # lexicon, user, rule, numeral or unknown
    is_chosen: bool


def lattice(segmenter: Segmenter, text: str) -> list[Edge]:
    """Return the edges of a line's lattice, by start and end; those of the best cut are marked as chosen."""
    chosen = {(span.start, span.end) for span in segmenter.spans(text)}
    symbols = [ord(character) << CODE_SHIFT | segmenter.table[ord(character)] for character in text] + [HAN_END]
    edges: dict[tuple[int, int, str], float | None] = {}
    rules, (unknown, numeral, unit) = segmenter.settings
    for start in range(len(text)):
        if kind_of(symbols[start]) != HAN:
            stop = rule_end(symbols, start, len(text), rules)
            weight = unknown / WEIGHT_SCALE if is_joining(kind_of(symbols[start])) else 0.0
            edges[start, stop, "rule"] = weight
            if kind_of(symbols[start]) == DIGIT and rules & UNIT and symbols[stop] & UNIT_FLAG:
                edges[start, stop + 1, "rule"] = weight + unit / WEIGHT_SCALE
        else:
            edges[start, start + 1, "unknown"] = unknown / WEIGHT_SCALE
            if symbols[start] >> NUMERAL_SHIFT & NUMERAL_MASK and rules & (NUMERAL | UNIT):
                stop = numeral_end(symbols, start, len(text))
                if stop > start + 1 and rules & NUMERAL:
                    edges[start, stop, "numeral"] = numeral / WEIGHT_SCALE
                if stop > start and rules & UNIT and symbols[stop] & UNIT_FLAG:
                    edges[start, stop + 1, "numeral"] = (numeral + unit) / WEIGHT_SCALE
        words = _words_at(segmenter.trie.units, segmenter.table, symbols, start, "lexicon")
        if len(segmenter.user_words.units) > 1:
            words |= _words_at(segmenter.user_words.units, segmenter.user_table, symbols, start, "user")
        edges.update(words)
    known = {(start, end) for start, end, source in edges if source in ("lexicon", "user", "numeral")}
    return [
        Edge(start, end, text[start:end], weight, source, (start, end) in chosen)
        for (start, end, source), weight in sorted(edges.items(), key=lambda item: item[0])
        if not (source == "unknown" and (start, end) in known)
    ]


def _words_at(
    units: Any, table: Any, symbols: list[int], start: int, source: str
) -> dict[tuple[int, int, str], float | None]:
    words: dict[tuple[int, int, str], float | None] = {}
    position = start
    unit = int(units[0])
    while position < len(symbols) - 1:
        label = table[symbols[position] >> CODE_SHIFT] & LABEL_MASK
        unit = int(units[(unit >> BASE_SHIFT & BASE_MASK) + label])
        if not label or unit & LABEL_MASK != label:
            break
        position += 1
        weight = unit >> WEIGHT_SHIFT
        if weight != NO_WEIGHT and may_end(symbols, position):
            words[start, position, source] = None if weight == FORCED_WEIGHT else weight / WEIGHT_SCALE
    return words
