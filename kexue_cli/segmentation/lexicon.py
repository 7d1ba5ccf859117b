"""A lexicon on disk: lexicon.tsv, which people read and edit, and lexicon.trie, made from it.

Columns of lexicon.tsv: word, weight (nats), count (in the corpus), pmi (of the weakest cut, nats), left_entropy
and right_entropy (of the neighbours, nats). Only the first two are needed; a cell may be empty.
"""

import dataclasses
import hashlib
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.segmentation import trie as tries
from kexue_cli.segmentation.trie import Trie
from kexue_cli.zoo import cache_folder

LEXICON = "lexicon.tsv"
TRIE = "lexicon.trie"
MOST_BYTES = 1 << 30  # of a lexicon
COLUMNS = ("word", "weight", "count", "pmi", "left_entropy", "right_entropy")


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """Words and what is known of them, one entry each: weight in nats, the rest as in the file, NaN if unknown."""

    words: Sequence[str]
    weights: Sequence[float]
    counts: Sequence[int]
    pmi: Sequence[float]
    left_entropies: Sequence[float]
    right_entropies: Sequence[float]


def write_lexicon(path: Path, lexicon: Lexicon) -> None:
    """Write a lexicon, the most frequent words first."""

    def cell(value: float) -> str:
        return "" if math.isnan(value) else f"{value:.2f}"

    rows = sorted(
        zip(*(getattr(lexicon, field.name) for field in dataclasses.fields(lexicon)), strict=True),
        key=lambda row: (-row[2], row[0]),
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for word, weight, count, *others in rows:
            file.write("\t".join([word, f"{weight:.3f}", str(count), *map(cell, others)]) + "\n")


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of a lexicon, the header left out.

    Raises KexueError if the file cannot be read, RecordError for a line without a word and a weight.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RecordError(str(path), line, "not valid UTF-8; save the lexicon as UTF-8") from None
    for number, row in enumerate(text.split("\n"), 1):
        cells = row.removesuffix("\r").split("\t")
        if cells == [""] or (number == 1 and cells[0] == COLUMNS[0]):
            continue
        if len(cells) < 2 or not cells[0]:
            raise RecordError(str(path), number, f"expected a word, a TAB and a weight; found {row[:40]!r}")
        yield number, cells


def read_weights(path: Path) -> dict[str, float]:
    """Return the weight in nats of each word of a lexicon; errors as for read_rows."""
    weights: dict[str, float] = {}
    for number, cells in read_rows(path):
        try:
            weight = float(cells[1])
        except ValueError:
            weight = float("nan")
        if not -1e9 < weight < 1e9:
            raise RecordError(str(path), number, f"the weight must be a number; found {cells[1][:40]!r}")
        if cells[0] in weights:
            raise RecordError(str(path), number, f"the word {cells[0]!r} stands there twice")
        weights[cells[0]] = weight
    return weights


def digest_of(path: Path) -> bytes:
    """Return the SHA-256 of a file. Raises KexueError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None


def compile_lexicon(path: Path, *, patience: int = tries.QUICK) -> Trie:
    """Return the trie of a lexicon file."""
    weights = read_weights(path)
    if not weights:
        raise KexueError(f"{path} holds no word")
    return tries.build_trie({word: tries.whole_weight(weight) for word, weight in weights.items()}, patience=patience)


def is_edited(folder: Path) -> bool:
    """Say whether the lexicon of a model folder is another than the one its trie was made from."""
    return tries.read_trie(folder / TRIE)[1] != digest_of(folder / LEXICON)


def open_trie(folder: Path) -> Trie:
    """Return the trie of a model folder; an edited lexicon, or one without, is compiled into the user's cache.

    Raises KexueError if a file is missing or damaged.
    """
    lexicon = folder / LEXICON
    if lexicon.is_file() and lexicon.stat().st_size > MOST_BYTES:
        raise KexueError(f"will not read {lexicon}: it has more than {MOST_BYTES:,} bytes")
    current = digest_of(lexicon)
    if (folder / TRIE).exists():
        trie, digest = tries.read_trie(folder / TRIE)
        if current == digest:
            return trie
    cache = cache_folder()
    if cache is None:
        return compile_lexicon(lexicon)
    cached = cache / "tries" / f"{current.hex()}.trie"
    if cached.is_file():
        try:
            return tries.read_trie(cached)[0]
        except KexueError:
            pass  # damaged: made anew below
    trie = compile_lexicon(lexicon)
    try:
        cached.parent.mkdir(exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=cached.parent)
        os.close(descriptor)
        tries.write_trie(Path(partial), trie, current)
        os.replace(partial, cached)
    except OSError:
        pass  # the cache is a convenience
    return trie


def write_compiled(folder: Path, trie: Trie) -> None:
    """Write the trie of a model folder beside its lexicon."""
    tries.write_trie(folder / TRIE, trie, digest_of(folder / LEXICON))
