"""All n-grams of a corpus that are seen often enough, as a tree, with what discovery asks of them.

Letters: g n-grams, sorted by length and then by characters; N characters of the corpus.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kexue_cli import __version__
from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.counting import DEPTH
from kexue_cli.segmentation.rules import character_table
from kexue_cli.segmentation.runs import Run, merged_runs, pieces_of_run, sorted_run, write_run

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BYTES_PER_CHARACTER = 40  # of memory while a chunk is sorted and written out, all arrays together
FIXED_BYTES = 192 << 20  # of the interpreter and the compiled code
FEW_CHARACTERS = 1 << 16  # the smallest chunk


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of 1 to DEPTH characters that occur at least *least* times.

    characters (g,): last character; parents (g,): the n-gram without it, -1 for single ones; totals (g,): how
    often each occurs; starts (DEPTH + 1,): where each length begins; size: N.
    """

    characters: npt.NDArray[np.uint16]
    parents: npt.NDArray[np.int32]
    totals: Integers
    starts: Integers
    size: int

    def of_length(self, length: int) -> slice:
        """Return where the n-grams of this length stand."""
        return slice(int(self.starts[length - 1]), int(self.starts[length]))

    @cached_property
    def lengths(self) -> npt.NDArray[np.int8]:
        """Characters of each n-gram (g,)."""
        return np.repeat(np.arange(1, DEPTH + 1, dtype=np.int8), np.diff(self.starts))

    @cached_property
    def suffixes(self) -> npt.NDArray[np.int32]:
        """Each n-gram without its first character (g,), -1 for single ones."""
        count = len(self.characters)
        nodes = np.arange(count)
        first = int(self.starts[1])
        first_child = np.searchsorted(self.parents[first:], nodes) + first
        behind_child = np.searchsorted(self.parents[first:], nodes, side="right") + first
        roots = np.full(1 << 16, -1, np.int64)
        roots[self.characters[:first]] = np.arange(first)
        suffixes = np.full(count, -1, np.int32)
        compilation.link_suffixes(self.characters, self.parents, first_child, behind_child, roots, suffixes, first)
        return suffixes

    def prefixes_of(self, nodes: npt.NDArray[np.integer], drop: int) -> npt.NDArray[np.integer]:
        """Return each n-gram without its last *drop* characters."""
        for _ in range(drop):
            nodes = self.parents[nodes]
        return nodes

    def suffixes_of(self, nodes: npt.NDArray[np.integer], drop: int) -> npt.NDArray[np.integer]:
        """Return each n-gram without its first *drop* characters."""
        for _ in range(drop):
            nodes = self.suffixes[nodes]
        return nodes

    def splits(self, length: int) -> Iterator[tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]]:
        """Yield, for each way to cut the n-grams of a length in two, their first and their second parts."""
        nodes = np.arange(self.starts[length - 1], self.starts[length])
        for cut in range(1, length):
            yield self.prefixes_of(nodes, length - cut), self.suffixes_of(nodes, cut)

    @cached_property
    def pmi(self) -> Floats:
        """Pointwise mutual information in nats of the weakest cut of each n-gram (g,); 0 for single characters."""
        log_share = np.log(self.totals / self.size)
        weakest = np.zeros(len(self.totals))
        for length in range(2, DEPTH + 1):
            part = self.of_length(length)
            lowest = np.full(part.stop - part.start, np.inf)
            for first, second in self.splits(length):
                np.minimum(lowest, log_share[part] - log_share[first] - log_share[second], out=lowest)
            weakest[part] = lowest
        return weakest

    def entropies(self) -> tuple[Floats, Floats]:
        """Return the entropy in nats of what stands left and right of each n-gram (g,), (g,).

        An edge of the text counts as a neighbour of its own each time, and so does a neighbour with which the
        n-gram is seen less than *least* times.
        """
        totals = self.totals.astype(np.float64)
        weighted = totals * np.log(totals)
        longer = slice(int(self.starts[1]), None)
        left, right = (
            np.log(totals) - np.bincount(shorter[longer], weighted[longer], minlength=len(totals)) / totals
            for shorter in (self.suffixes, self.parents)
        )
        return left, right

    def measures(self, nodes: npt.NDArray[np.integer]) -> tuple[list[float], list[float], list[float]]:
        """Return PMI, left and right entropy of n-grams; NaN for -1, and for the PMI of a single character."""
        pmi = np.where(self.lengths > 1, self.pmi, np.nan)
        columns = (np.where(nodes >= 0, values[nodes], np.nan) for values in (pmi, *self.entropies()))
        return tuple(column.tolist() for column in columns)

    def find(self, rows: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Return the n-gram of each row of code points (w, l), 0 beyond the end of a word; -1 where there is none."""
        keys = self.parents.astype(np.int64) << 16 | self.characters
        nodes = np.full(len(rows), -1, np.int64)
        is_alive = np.ones(len(rows), bool)
        for length in range(1, rows.shape[1] + 1):
            is_alive &= rows[:, length - 1] != 0
            if not is_alive.any():
                break
            if length > DEPTH:
                nodes[is_alive] = -1
                break
            part = self.of_length(length)
            codes = rows[is_alive, length - 1].astype(np.int64)
            wanted = (nodes[is_alive] << 16 | codes & 0xFFFF) if length > 1 else -(1 << 16) | codes & 0xFFFF
            place = np.minimum(np.searchsorted(keys[part], wanted), max(part.stop - part.start - 1, 0))
            found = (keys[part][place] == wanted) & (codes < 1 << 16) if part.stop > part.start else codes < 0
            nodes[is_alive] = np.where(found, place + part.start, -1)
            is_alive[is_alive] = found
        return nodes

    def code_rows(self, nodes: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
        """Return the code points of n-grams (n, DEPTH + 1), 0 beyond their end."""
        rows = np.zeros((len(nodes), DEPTH + 1), np.uint32)
        lengths = self.lengths[nodes]
        for length in range(DEPTH, 0, -1):
            has = lengths >= length
            rows[has, length - 1] = self.characters[nodes[has]]
            nodes = np.where(has, self.parents[nodes], nodes)
        return rows

    def words(self, nodes: npt.NDArray[np.integer]) -> list[str]:
        """Return n-grams as strings."""
        rows = self.code_rows(nodes)
        text = rows.astype("<u4").tobytes().decode("utf-32-le")
        width = DEPTH + 1
        return [text[start : start + width].rstrip("\0") for start in range(0, len(text), width)]


def count_ngrams(
    corpus: Corpus,
    *,
    accepted: int,
    least: int = 2,
    scale: int | None = None,
    memory: int | None = None,
    work: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Ngrams:
    """Count the n-grams of a corpus exactly.

    accepted, memory, work, advance: see counted. least, scale: see ngram_tree.
    """
    with counted(corpus, accepted=accepted, memory=memory, work=work, advance=advance) as (size, pieces):
        return ngram_tree(size, pieces, least=least, scale=scale)


def ngram_tree(size: int, pieces: Iterable[Run], *, least: int = 2, scale: int | None = None) -> Ngrams:
    """Return the n-grams of a corpus of *size* characters from the pieces of its sorted run.

    least: the number of times below which an n-gram is left out; with *scale* it must also occur once in every *scale*
    characters, so that the n-grams of a corpus of any size fit in memory.
    """
    tree = _Tree(max(least, size // scale) if scale else least)
    for piece in pieces:
        tree.add(piece)
    return tree.ngrams(size)


@contextlib.contextmanager
def counted(
    corpus: Corpus,
    *,
    accepted: int,
    memory: int | None = None,
    work: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[int, Iterator[Run]]]:
    """Yield the number of characters of a corpus, and its sorted run in pieces.

    accepted: bits of the kinds of characters (rules.py) that are counted; others separate. memory: bytes that may be
    used; if the corpus needs more, sorted runs go to the folder *work*, where a run that a killed process left complete
    is taken up again. advance: is told how many more bytes of text have been read.
    """
    chunk = _chunk_characters(memory)
    with _run_folder(work, corpus, chunk, accepted) as folder:
        runs: list[Path] = []
        last: npt.NDArray[np.uint16] | None = None
        size = 0
        for codes, is_last in _encoded(corpus, accepted, chunk, advance):
            size += int(np.count_nonzero(codes))
            if is_last and not runs:
                last = codes
                break
            path = folder() / f"{len(runs):06d}.run"
            if not path.exists():
                write_run(path, pieces_of_run(sorted_run(codes)), {})
            runs.append(path)
        del codes
        if last is None:
            yield size, merged_runs(runs, folder())
        else:
            run = sorted_run(last)
            del last
            yield size, pieces_of_run(run)


def _chunk_characters(memory: int | None) -> int:
    if memory is None:
        return 1 << 31
    return max((memory - FIXED_BYTES) // BYTES_PER_CHARACTER, FEW_CHARACTERS)


@contextlib.contextmanager
def _run_folder(work: Path | None, corpus: Corpus, chunk: int, accepted: int) -> Iterator[Callable[[], Path]]:
    """Yield a function that makes the folder of the runs; it stays if the work is interrupted, and goes when done.

    Runs of an earlier call are kept only if that call had the same corpus and chunks.
    """
    import tempfile

    settings = [corpus.field, corpus.is_segmented, corpus.encoding, corpus.shard, chunk, accepted, __version__]
    manifest = json.dumps([corpus.identity(), *settings])
    made: list[Path] = []

    def folder() -> Path:
        if not made:
            place = work if work is not None else Path(tempfile.mkdtemp(prefix="kexue-"))
            note = place / "manifest.json"
            if not note.is_file() or note.read_text("utf-8") != manifest:
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(parents=True, exist_ok=True)
                note.write_text(manifest, "utf-8", newline="\n")
            made.append(place)
        return made[0]

    try:
        yield folder
    except BaseException:
        if made and work is None:
            shutil.rmtree(made[0], ignore_errors=True)
        raise
    for place in made if work is None else [work]:  # work may be of an earlier call that had less memory
        shutil.rmtree(place, ignore_errors=True)


def _encoded(
    corpus: Corpus, accepted: int, chunk: int, advance: Callable[[int], None]
) -> Iterator[tuple[npt.NDArray[np.uint16], bool]]:
    """Yield the corpus as arrays of about *chunk* characters, cut between blocks, and whether each is the last."""
    table = np.frombuffer(character_table(), np.int32)
    parts: list[npt.NDArray[np.uint16]] = []
    size = 0
    for block in corpus.blocks():
        data = np.frombuffer(block.data, np.uint8)
        codes = np.empty(len(data) + 1, np.uint16)
        count = compilation.encode_block(data, len(data), table, accepted, codes)
        if parts and size + count > chunk:
            yield np.concatenate(parts), False
            parts, size = [], 0
        parts.append(codes[:count].copy())
        size += count
        advance(len(data))
    yield np.concatenate(parts) if parts else np.zeros(0, np.uint16), True


class _Tree:
    """Collects sorted DEPTH-grams into the nodes of Ngrams."""

    def __init__(self, least: int) -> None:
        self.least = least
        self.used = 0
        self.characters = np.empty(0, np.uint16)
        self.parents = np.empty(0, np.int32)
        self.lengths = np.empty(0, np.uint8)
        self.totals = np.empty(0, np.int64)
        self.path, self.open_nodes = np.zeros(DEPTH + 1, np.int64), np.zeros(DEPTH + 1, np.int64)
        self.depth = np.zeros(1, np.int64)

    def add(self, run: Run) -> None:
        room = self.used + DEPTH * len(run[0]) + 1
        if room > len(self.characters):
            for name in ("characters", "parents", "lengths", "totals"):
                old = getattr(self, name)
                new = np.empty(max(room, 3 * len(old) // 2), old.dtype)
                new[: self.used] = old[: self.used]
                setattr(self, name, new)
        self.used = compilation.add_grams(
            *run, len(run[0]), self.least, self.path, self.open_nodes, self.depth,
            self.characters, self.parents, self.lengths, self.totals, self.used,
        )  # fmt: skip

    def ngrams(self, size: int) -> Ngrams:
        closing = np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.int64)
        self.add(closing)  # closes the open branch
        lengths = self.lengths[: self.used]
        order = np.argsort(lengths, kind="stable")
        place = np.empty(self.used, np.int32)
        place[order] = np.arange(self.used)
        parents = self.parents[: self.used][order]
        return Ngrams(
            self.characters[: self.used][order],
            np.where(parents >= 0, place[parents], -1).astype(np.int32),
            self.totals[: self.used][order],
            np.searchsorted(lengths[order], np.arange(1, DEPTH + 2)),
            size,
        )
