"""Find sentence templates: words that attract each other across a few others, joined into paths.

Article: https://kexue.fm/archives/5577; the original is the class Template_Finder of the PyPI package nlp-zero, which
lists every path of every clause: 52,656 of 18 words that are all linked. Here the same paths are counted without being
listed. A path is grown word by word from its beginning, for all clauses at once, and a beginning is given up when no
path that begins so can be frequent. All paths together have a share of 1, so at most 1 / min_probability beginnings of
each length are ever followed, whatever the text.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.templates.clauses import Clauses, pieces
from kexue_cli.segmentation.templates.paths import GAP, KEY_SHIFT, LEADING, START
from kexue_cli.segmentation.templates.template import Template, Words, is_trivial

LARGEST_WINDOW = 16  # places; an edge is a bit of 16
PIECE = 1 << 13  # words or entries worked on at a time
LEAST_SLOTS = 1 << 12
BUCKETS = 1 << 18  # in which pairs are counted first; a power of 2
BEGINNINGS: list[Words] = [(None,), ()]  # LEADING and START
TAILS: tuple[Words, Words] = ((None,), ())  # words follow; the clause ends


@dataclass(frozen=True)
class FinderConfig:
    """Settings of the finder; window and minima are those of nlp-zero."""

    window: int = 5  # places from a word to the furthest that it may be bound to
    min_probability: float = 1e-5  # a bound pair has a larger share of all pairs, a template of all paths
    min_pmi: float = 2.0  # nats; a bound pair has more
    min_count: int = 2  # paths of a template
    max_paths: int = 100_000  # a clause with more is left out: it would outweigh all others
    keep_trivial: bool = False  # whether to keep [X] 的 [X]


class Found(NamedTuple):
    """Templates, those that save most first, and what they were found in."""

    templates: list[Template]
    pairs: int  # bound pairs
    clauses: int
    left_out: int  # clauses with more than max_paths
    paths: float  # of all clauses that were not left out
    largest: float  # paths of the clause with the most


class _Table:
    """Numbers by key, in open addresses; it grows before it is half full."""

    def __init__(self, kind: Any) -> None:
        self.keys = np.zeros(LEAST_SLOTS, np.int64)
        self.values = np.zeros(LEAST_SLOTS, kind)
        self.used = 0

    def make_room(self, more: int) -> None:
        """Grow until *more* new keys have room."""
        slots = len(self.keys)
        while 2 * (self.used + more) > slots:
            slots *= 2
        if slots > len(self.keys):
            keys, values = np.zeros(slots, np.int64), np.zeros(slots, self.values.dtype)
            compilation.add_to_table(keys, values, self.keys, self.values)
            self.keys, self.values = keys, values


def find_templates(
    clauses: Clauses, config: FinderConfig, work: Path, advance: Callable[[str], None] = lambda stage: None
) -> Found:
    """Return the templates of a corpus. The clauses' numbers are changed: what is left out becomes separators.

    work: a folder for what is too large for memory; it takes 11 bytes a word, and 20 for each path that has begun.
    In memory are the words, the pairs that may be frequent enough, and the beginnings of paths that are.
    """
    advance("pairs")
    numbers, bound, pairs = bound_pairs(clauses, config)
    advance("paths")
    graph = _Graph(clauses, work, config.window)
    found = graph.link(numbers, bound, config.max_paths)
    paths, count, left_out, largest = found
    least = _Floor(paths, config)
    counts: dict[Words, int] = {}
    if paths:
        for template, number in _grown(graph, clauses, work, least, advance):
            if not (is_trivial(template) and not config.keep_trivial):
                counts[template] = number
    shares = dict(zip(clauses.words, (clauses.counts / max(1, clauses.counts.sum())).tolist(), strict=True))
    total = int(clauses.counts.sum())
    templates = [Template(words, number, saved_bits(words, number, shares, total)) for words, number in counts.items()]
    templates.sort(key=lambda each: (-each.bits, -each.count, [word or "" for word in each.words]))
    return Found(templates, pairs, count, left_out, paths, largest)


def saved_bits(words: Words, count: int, shares: dict[str, float], total: int) -> float:
    """Return by how many bits a corpus of *total* words gets shorter, at least, if a template is told as one.

    This is the bound of https://kexue.fm/archives/5476 for joining the words w of a template that stands there *count*
    times: count * (ln(p / prod of p(w)) - 1) nats, where p = count / total. A template of one word saves nothing.
    """
    spread = math.log(count / total) - sum(math.log(shares[word]) for word in words if word is not None)
    return count * (spread - 1) / math.log(2)


def bound_pairs(clauses: Clauses, config: FinderConfig) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], int]:
    """Return the numbers of the words that are in a bound pair, the table of the pairs that are, and how many are.

    A pair is two words of a clause, in order, at most *window* places apart. It is bound if its share of all pairs is
    above min_probability, and its mutual information above min_pmi.
    """
    ids, window = clauses.ids, config.window
    total = _all_pairs(clauses, window)
    may_be_bound = window * clauses.counts > config.min_probability * total
    may_be_bound[0] = False
    numbers = np.where(may_be_bound, np.cumsum(may_be_bound), 0).astype(np.int32)
    buckets = np.zeros(BUCKETS, np.int64)
    for first, behind in pieces(ids, PIECE):
        compilation.count_buckets(ids, first, behind, window, numbers, buckets)
    least = math.floor(config.min_probability * total * (1 - 1e-9))  # a pair must occur more often
    table = _Table(np.int64)
    for first, behind in pieces(ids, PIECE):
        table.make_room((behind - first) * window)
        table.used += compilation.count_pairs(
            ids, first, behind, window, numbers, buckets, least, table.keys, table.values
        )
    slots = np.flatnonzero(table.values > least)
    keys, counts = table.keys[slots], table.values[slots]
    log_words = np.log(np.maximum(clauses.counts[may_be_bound], 1)) - math.log(max(1, clauses.counts.sum()))
    log_pairs = np.log(counts) - math.log(max(1, total))
    first_word, second_word = (keys >> KEY_SHIFT) - 1, (keys & 0xFFFFFFFF) - 1
    pmi = log_pairs - log_words[first_word] - log_words[second_word]
    kept = keys[(log_pairs > math.log(config.min_probability)) & (pmi > config.min_pmi)]
    bound = _Table(np.int64)
    bound.make_room(len(kept))
    compilation.add_to_table(bound.keys, bound.values, kept, kept)
    is_bound = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    is_bound[[*(kept >> KEY_SHIFT), *(kept & 0xFFFFFFFF)]] = True
    return np.where(is_bound[numbers], numbers, 0).astype(np.int32), bound.keys, len(kept)


def _all_pairs(clauses: Clauses, window: int) -> int:
    """Return how many pairs of words at most *window* apart the clauses have."""
    total = 0
    for first, behind in pieces(clauses.ids, PIECE):
        separators = np.flatnonzero(clauses.ids[first:behind] == 0)
        lengths = np.diff(separators, prepend=-1) - 1
        total += sum(int(np.maximum(lengths - distance, 0).sum()) for distance in range(1, window + 1))
    return total


class _Floor:
    """What is too rare: the share of the paths is not above min_probability, or the count below min_count."""

    def __init__(self, paths: float, config: FinderConfig) -> None:
        self.log_total = math.log(paths) if paths else 0.0
        self.log_least = math.log(config.min_probability)
        self.min_count = config.min_count

    def is_met(self, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        with np.errstate(divide="ignore"):
            return (np.log(counts) - self.log_total > self.log_least) & (counts >= self.min_count)


class _Frontier:
    """The places where paths of one length stand, in order, on disk: place, number of the beginning, paths so far."""

    KINDS = (np.int64, np.int32, np.float64)

    def __init__(self, work: Path, name: str) -> None:
        self.paths = [work / f"{name}.{part}" for part in ("places", "beginnings", "counts")]
        self.files = [path.open("wb") for path in self.paths]
        self.columns: list[npt.NDArray[Any]] = []

    def add(self, *columns: npt.NDArray[Any]) -> None:
        for file, column, kind in zip(self.files, columns, self.KINDS, strict=True):
            column.astype(kind, copy=False).tofile(file)

    def close(self) -> "_Frontier":
        """End the writing; from now on it is read."""
        for file in self.files:
            file.close()
        for path, kind in zip(self.paths, self.KINDS, strict=True):
            self.columns.append(np.memmap(path, kind, "r") if path.stat().st_size else np.empty(0, kind))
            path.unlink()  # the mapping keeps it
        return self

    def pieces(self, ids: npt.NDArray[np.int32]) -> Iterator[list[npt.NDArray[Any]]]:
        """Yield the entries in pieces of whole clauses."""
        places = self.columns[0]
        first = 0
        while first < len(places):
            behind = min(first + PIECE, len(places))
            while behind < len(places) and ids[places[behind - 1] : places[behind]].all():
                behind += 1
            yield [column[first:behind] for column in self.columns]
            first = behind


class _Graph:
    """The edges of all clauses."""

    def __init__(self, clauses: Clauses, work: Path, window: int) -> None:
        self.ids = clauses.ids
        self.window = window
        self.edges = np.memmap(work / "edges", np.uint16, "w+", shape=self.ids.shape)
        self.bounds = np.memmap(work / "bounds", np.float64, "w+", shape=self.ids.shape)

    def link(
        self, numbers: npt.NDArray[np.int32], bound: npt.NDArray[np.int64], most: int
    ) -> tuple[float, int, int, float]:
        """Find the edges; return the paths, the clauses, those with too many paths, and the most paths of a clause."""
        paths, clauses, left_out, largest = 0.0, 0, 0, 0.0
        for first, behind in pieces(self.ids, PIECE):
            found = compilation.link_words(
                self.ids, first, behind, self.window, numbers, bound, self.edges, self.bounds, float(most)
            )
            paths, clauses, left_out = paths + found[0], clauses + found[1], left_out + found[2]
            largest = max(largest, found[3])
        return paths, clauses, left_out, largest

    def sources(self, work: Path, lone: npt.NDArray[np.float64]) -> _Frontier:
        """Return the places at which paths of several words begin; those of one word are counted in *lone*."""
        frontier = _Frontier(work, "sources")
        for first, behind in pieces(self.ids, PIECE):
            places, beginnings = np.empty(behind - first, np.int64), np.empty(behind - first, np.int32)
            size = compilation.first_frontier(
                self.ids, self.edges, first, behind, self.window, places, beginnings, lone
            )
            frontier.add(places[:size], beginnings[:size], np.ones(size))
        return frontier.close()

    def weigh(self, frontier: _Frontier, is_first: bool) -> _Table:
        """Return the most paths that can go on alike, by beginning and next word."""
        table = _Table(np.float64)
        for piece in frontier.pieces(self.ids):
            table.make_room(len(piece[0]) * (1 if is_first else self.window))
            table.used += compilation.weigh(
                self.ids, self.edges, self.bounds, self.window, *piece, is_first, table.keys, table.values
            )
        return table

    def extend(
        self,
        frontier: _Frontier,
        is_first: bool,
        table: _Table,
        numbers: npt.NDArray[np.int32],
        ends: npt.NDArray[np.float64],
        target: _Frontier,
    ) -> _Frontier:
        """Return the frontier of the beginnings with one more word: those that have a number. ends: of whole paths."""
        for piece in frontier.pieces(self.ids):
            room = len(piece[0]) * self.window
            places, beginnings, counts = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room)
            size = compilation.extend(
                self.ids, self.edges, self.window, *piece, is_first, table.keys, numbers, ends,
                places, beginnings, counts,
            )  # fmt: skip
            places, beginnings, counts = places[:size], beginnings[:size], counts[:size]
            if is_first:  # one path begins at a place
                target.add(places, beginnings, counts)
                continue
            order = np.argsort(places << KEY_SHIFT | beginnings, kind="stable")
            target.add(*compilation.merge_alike(order, places, beginnings, counts))
        return target.close()


def _grown(
    graph: _Graph, clauses: Clauses, work: Path, floor: _Floor, advance: Callable[[str], None]
) -> Iterator[tuple[Words, int]]:
    """Yield the templates that are frequent enough, with their counts, shorter ones first."""
    lone = np.zeros((4, len(clauses.words)))
    frontier = graph.sources(work, lone)
    for ends, beginning, tail in zip(lone, (LEADING, LEADING, START, START), 2 * TAILS, strict=True):
        for number in np.flatnonzero(floor.is_met(ends)).tolist():
            yield (*BEGINNINGS[beginning], clauses.words[number], *tail), int(ends[number])
    beginnings = BEGINNINGS
    length = 0
    while len(frontier.columns[0]):
        length += 1
        advance(f"templates of {length} words")
        table = graph.weigh(frontier, length == 1)
        slots = np.flatnonzero(table.keys)
        slots = slots[floor.is_met(table.values[slots])]
        numbers = np.full(len(table.keys), -1, np.int32)
        numbers[slots] = np.arange(len(slots))
        beginnings = [_longer(beginnings, key, clauses.words) for key in table.keys[slots].tolist()]
        both_ends = np.zeros((2, len(slots)))
        frontier = graph.extend(frontier, length == 1, table, numbers, both_ends, _Frontier(work, f"of {length}"))
        for ends, tail in zip(both_ends, TAILS, strict=True):
            for number in np.flatnonzero(floor.is_met(ends)).tolist():
                yield (*beginnings[number], *tail), int(ends[number])


def _longer(beginnings: list[Words], key: int, words: list[str]) -> Words:
    """Return the beginning of a key: a shorter one, perhaps a gap, and a word."""
    gap = (None,) if key & GAP else ()
    return (*beginnings[key >> KEY_SHIFT], *gap, words[key & (GAP - 1)])
