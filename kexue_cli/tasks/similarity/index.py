"""The nearest of many vectors: all of them compared, or above EXACT_MOST nearly the nearest by a graph.

Scores are cosines, that is dot products of unit vectors. A matrix product in float32 tells which rows may be among
the best; these few are scored again, each pair alone and in float64. So a score is exact to the rounding of float32
and depends neither on the other queries nor on the size of blocks, and rows that are equal have equal scores.

The graph (HNSW, https://arxiv.org/abs/1603.09320) is usearch's, of the extra kexue[search].
"""

import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int64]

EXACT_MOST = 1_000_000  # rows; a search of more of them is quicker by a graph
# Of 512 to 16,384 rows and 128 to 1,000 queries: more queries make the product quicker (2.9 s with 1,000, 3.2 with
# 128, for 1,000 x 1,000,000 of 128 on one core); the maxima take 0.2 s with 512 rows, 0.1 with 2,048 and not less.
ROWS, QUERIES = 2048, 1024
PAIRS = 8192  # that are scored again at once
BESIDE = 64  # candidates at least that the graph gives


class Index:
    """Compares queries with all rows."""

    is_exact = True

    def __init__(self, vectors: "Floats") -> None:
        """vectors: (n, d) unit rows; they may be a memory map."""
        self.vectors = np.asarray(vectors)
        # A product of unit vectors in float32 is off by at most d + 1 halves of eps, and two of them are compared.
        self.slack = np.float32((self.vectors.shape[1] + 2) * np.finfo(np.float32).eps)

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, queries: "Floats", k: int, *, without: "Integers | None" = None) -> "tuple[Floats, Integers]":
        """Return the scores and the rows of the k best of each query, the best first, of equal ones the lower row.

        queries: (q, d) unit vectors; without: (q,) the row that each query must not find, such as itself, -1 for none.
        Both results are (q, min(k, n)), or (q, min(k, n - 1)) if there is a row that a query must not find.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        best = _Best(self.vectors, queries, k, without)
        if not best.k:
            return best.scores, best.rows
        wanted = best.k + (without is not None)
        space = np.empty((min(QUERIES, len(queries)), ROWS), np.float32)  # for all blocks
        for start in range(0, len(self.vectors), ROWS):
            block = self.vectors[start : start + ROWS]
            for first in range(0, len(queries), QUERIES):
                some = queries[first : first + QUERIES]
                scores = np.matmul(some, block.T, out=space[: len(some), : len(block)])
                floors = best.scores[first : first + QUERIES, -1] - self.slack
                query, row = self._promising(scores, floors, wanted)
                best.add(first + query, start + row)
        return best.finish()

    def _promising(self, scores: "Floats", floors: "Floats", wanted: int) -> "tuple[Integers, Integers]":
        """Return the places in (q, rows) scores of all that may be among the *wanted* best of their query.

        floors: (q,) what a score must reach. In most blocks none does, which the maximum tells quickly.
        """
        queries = np.flatnonzero(scores.max(axis=1) >= floors)
        scores, floors = scores[queries], floors[queries]
        is_promising = scores >= floors[:, None]
        crowded = np.flatnonzero(np.count_nonzero(is_promising, axis=1) > wanted)
        if len(crowded):  # as in the first block, whose rows would all be promising
            least = np.partition(scores[crowded], -wanted, axis=1)[:, -wanted] - self.slack
            is_promising[crowded] = scores[crowded] >= np.maximum(floors[crowded], least)[:, None]
        query, row = np.divmod(np.flatnonzero(is_promising), scores.shape[1])  # quicker than nonzero of two axes
        return queries[query], row


class Graph:
    """Follows links from row to row towards a query; what it finds is nearly always the best."""

    is_exact = False

    def __init__(self, vectors: "Floats", graph: Any, threads: int | None = None) -> None:
        """vectors: (n, d) unit rows, which may be a memory map; graph: usearch's, whose keys are rows."""
        self.vectors = np.asarray(vectors)
        self.graph = graph
        self.threads = threads

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, queries: "Floats", k: int, *, without: "Integers | None" = None) -> "tuple[Floats, Integers]":
        """Return what Index.search does, but some of the rows may be others than the best."""
        queries = np.ascontiguousarray(queries, np.float32)
        best = _Best(self.vectors, queries, k, without)
        if not best.k:
            return best.scores, best.rows
        count = min(len(self), max(BESIDE, 2 * best.k))
        asked = np.vstack([queries, queries[:1]])  # one more, for usearch answers a single query in another shape
        found = self.graph.search(asked, count, threads=self.threads or 0)
        counts, keys = found.counts[:-1].astype(np.int64), found.keys[:-1]
        query, place = np.nonzero(np.arange(keys.shape[1]) < counts[:, None])
        best.add(query, keys[query, place].astype(np.int64))
        best.finish()
        short = np.flatnonzero(best.rows[:, -1] == len(self))  # a graph may have ends
        if len(short):
            own = None if without is None else without[short]
            best.scores[short], best.rows[short] = Index(self.vectors).search(queries[short], k, without=own)
        return best.scores, best.rows


class _Best:
    """The best rows of each query so far; where there are none yet, the score is -inf and the row n.

    What is added waits until it is as much as there are places: ordering it costs less then, and the scores that more
    must reach rise late, but each time that the rows seen have about doubled.
    """

    def __init__(self, vectors: "Floats", queries: "Floats", k: int, without: "Integers | None") -> None:
        self.vectors, self.queries, self.without = vectors, queries, without
        is_one_less = without is not None and bool((without >= 0).any())
        self.k = max(0, min(k, len(vectors) - is_one_less))
        self.scores = np.full((len(queries), self.k), -np.inf, np.float32)
        self.rows = np.full((len(queries), self.k), len(vectors), np.int64)
        self.waiting: list[tuple[Integers, Integers]] = []
        self.pairs = 0  # that wait

    def add(self, query: "Integers", row: "Integers") -> None:
        """Take in pairs of a query and a row, both (p,), no row twice for a query."""
        if self.without is not None:
            is_other = row != self.without[query]
            query, row = query[is_other], row[is_other]
        if len(query):
            self.waiting.append((query, row))
            self.pairs += len(query)
        if self.pairs >= self.rows.size:
            self._merge()

    def finish(self) -> "tuple[Floats, Integers]":
        """Return scores and rows, both (q, k), once all is added."""
        self._merge()
        return self.scores, self.rows

    def _merge(self) -> None:
        if not self.waiting:
            return
        query, row = (np.concatenate(column) for column in zip(*self.waiting, strict=True))
        self.waiting, self.pairs = [], 0
        touched = np.unique(query)
        score = np.concatenate([self.scores[touched].ravel(), self._scored(query, row)])
        row = np.concatenate([self.rows[touched].ravel(), row])
        query = np.concatenate([np.repeat(touched, self.k), query])
        order = np.lexsort((row, -score, query))
        query = query[order]
        is_kept = np.arange(len(query)) - np.searchsorted(query, query) < self.k  # the first k of each query
        self.scores[touched] = score[order[is_kept]].reshape(-1, self.k)
        self.rows[touched] = row[order[is_kept]].reshape(-1, self.k)

    def _scored(self, query: "Integers", row: "Integers") -> "Floats":
        """Return the exact score of each pair, (p,)."""
        scores = np.empty(len(query), np.float32)
        for start in range(0, len(query), PAIRS):
            some = slice(start, start + PAIRS)
            left, right = self.queries[query[some]].astype(np.float64), self.vectors[row[some]].astype(np.float64)
            scores[some] = np.einsum("pd,pd->p", left, right)
        return scores


def has_usearch() -> bool:
    """Say whether usearch is installed."""
    return importlib.util.find_spec("usearch") is not None


def open_graph(
    vectors: "Floats", file: Path, *, threads: int | None = None, advance: Callable[[float], None] | None = None
) -> Graph:
    """Return the graph of vectors that a file holds; it is built, and written there, if the file is none of theirs.

    threads: of the building and of searches, None for all; advance: is told how many more rows are in.
    Raises KexueError if the file cannot be written.
    """
    from usearch.index import Index as Usearch

    graph = _read_graph(file, vectors)
    if graph is None:
        # Half precision is enough to find rows: they are scored again from the vectors themselves.
        graph = Usearch(ndim=vectors.shape[1], metric="ip", dtype="f16")
        for start in range(0, len(vectors), ROWS):
            block = np.asarray(vectors[start : start + ROWS])
            graph.add(np.arange(start, start + len(block)), block, threads=threads or 0)
            if advance is not None:
                advance(len(block))
        _write_graph(file, graph)
    return Graph(vectors, graph, threads)


def _read_graph(file: Path, vectors: "Floats") -> Any:
    """Return the graph in a file; None if there is none, or not one of these vectors."""
    from usearch.index import Index as Usearch

    try:
        graph = Usearch.restore(str(file), view=True) if file.is_file() else None
    except Exception:  # usearch raises RuntimeError, ValueError and others for a damaged file
        return None
    return graph if graph is not None and (len(graph), graph.ndim) == vectors.shape else None


def _write_graph(file: Path, graph: Any) -> None:
    """Write a graph to a file that takes its name when it is whole."""
    try:
        descriptor, partial = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
        os.close(descriptor)
        try:
            graph.save(partial)
            os.replace(partial, file)
        finally:
            Path(partial).unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: usearch found no room
        raise KexueError(f"cannot write {file}: {getattr(error, 'strerror', None) or error}") from None
