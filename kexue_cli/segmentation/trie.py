"""A lexicon ready for use: its trie, in memory or read in place from a file.

The file (little-endian): MAGIC, numbers of characters and units, the lexicon's SHA-256, a CRC-32 of what
follows; then a code point and a label for each character, then the units (double_array.py).
"""

import mmap
import struct
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import double_array
from kexue_cli.segmentation.rules import CODE_POINTS, LABEL_MASK, character_table
from kexue_cli.segmentation.viterbi import BASE_MASK, FORCED_WEIGHT, NO_WEIGHT
from kexue_cli.text.simplification import simplified

if TYPE_CHECKING:
    pass

MAGIC = b"kexuetr1"
HEADER = struct.Struct("<8sII32sI12x")  # 64 bytes
FEW_WORDS = 500  # up to here the trie is built without numpy and numba, which take longer to load
QUICK, COMPACT = 2_000, 10**9  # patience: for a lexicon used once; for one that is kept


@dataclass(frozen=True)
class Trie:
    """Words and their weights. units: 64-bit units; labels: code point -> label, traditional forms included."""

    units: Any  # memoryview or array of int64
    labels: Mapping[int, int]

    def table(self) -> Any:
        """Return the character table (rules.py) with the labels of this trie, an array of 32-bit entries."""
        table = character_table()
        for code, label in self.labels.items():
            table[code] |= label
        return table


def whole_weight(weight: float) -> int:
    """Return a weight in nats as the whole number that the trie holds."""
    return round(max(NO_WEIGHT + 1, min(FORCED_WEIGHT - 1, weight * double_array.WEIGHT_SCALE)))


def _labels(frequency: Mapping[str, int]) -> dict[str, int]:
    """Number characters from 1, the most frequent first."""
    ordered = sorted(frequency, key=lambda character: (-frequency[character], character))
    if len(ordered) > LABEL_MASK:
        raise KexueError(f"a lexicon may have {LABEL_MASK} different characters; this one has {len(ordered)}")
    return {character: label for label, character in enumerate(ordered, 1)}


def _with_variants(labels: Mapping[str, int]) -> dict[int, int]:
    """Return labels by code point, each traditional form with the label of its simplified one."""
    codes = {ord(character): label for character, label in labels.items()}
    for traditional, simple in simplified().items():
        if simple in labels:
            codes[ord(traditional)] = labels[simple]
    return codes


def _read_as(word: str, folding: Mapping[str, str]) -> str:
    return "".join([folding.get(character, character) for character in word])


def build_trie(weights: Mapping[str, int], *, patience: int = QUICK) -> Trie:
    """Build a trie from words and whole weights; words that read alike in simplified script become one, the heavier."""
    if len(weights) > FEW_WORDS:
        from kexue_cli.segmentation.packing import pack_trie

        return pack_trie(list(weights), list(weights.values()), patience=patience)
    folding = simplified()
    words: dict[str, int] = {}
    frequency: dict[str, int] = {}
    for word, weight in weights.items():
        folded = _read_as(word, folding)
        words[folded] = max(weight, words.get(folded, weight))
    for word in words:
        for character in word:
            frequency[character] = frequency.get(character, 0) + 1
    labels = _labels(frequency)
    longest = max(map(len, words), default=0)
    rows = sorted([labels[character] for character in word] + [0] * (longest + 1 - len(word)) for word in words)
    by_row = {tuple(labels[character] for character in word): weight for word, weight in words.items()}
    lengths = [row.index(0) for row in rows]
    row_weights = [by_row[tuple(row[:length])] for row, length in zip(rows, lengths, strict=True)]
    total = sum(lengths) + 2
    room = 4 * total + 4 * len(labels) + 16
    used = -1
    while used < 0:
        room *= 2
        units = [0] * room
        places, queue = [0] * len(rows), [[0] * total for _ in range(4)]
        used = double_array.insert_words(
            rows, lengths, row_weights, patience, units, places, [0] * room, [0] * room, [0] * room, queue
        )
    return Trie(memoryview(struct.pack(f"={room}q", *units)).cast("q")[: used + len(labels) + 1],
                _with_variants(labels))  # fmt: skip


NO_TRIE = Trie(memoryview(bytes(8)).cast("q"), {})


def write_trie(path: Path, trie: Trie, digest: bytes) -> None:
    """Write a trie file. digest: the SHA-256 of the lexicon it was made from."""
    characters = struct.pack(f"<{2 * len(trie.labels)}I", *(part for pair in trie.labels.items() for part in pair))
    body = characters + bytes(memoryview(trie.units).cast("B"))
    header = HEADER.pack(MAGIC, len(trie.labels), len(trie.units), digest, zlib.crc32(body))
    path.write_bytes(header + body)


def read_trie(path: Path) -> tuple[Trie, bytes]:
    """Map a trie file into memory; return the trie and the SHA-256 of its lexicon.

    Raises KexueError if the file is damaged.
    """
    if sys.byteorder != "little":
        raise KexueError("compiled lexicons are little-endian; this machine is not")
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise KexueError(f"{path} is empty; see: kexue models verify") from None
    damaged = KexueError(f"{path} is damaged; see: kexue models verify")
    if len(content) < HEADER.size:
        raise damaged
    magic, characters, count, digest, checksum = HEADER.unpack(content[: HEADER.size])
    units_start = HEADER.size + 8 * characters
    if magic != MAGIC or len(content) != units_start + 8 * count or not 0 < count <= BASE_MASK:
        raise damaged
    if zlib.crc32(content[HEADER.size :]) != checksum:
        raise damaged
    flat = content[HEADER.size : units_start].cast("I").tolist()
    labels = dict(zip(flat[::2], flat[1::2], strict=True))
    if max(labels, default=0) >= CODE_POINTS or max(labels.values(), default=0) > LABEL_MASK:
        raise damaged
    return Trie(content[units_start:].cast("q"), labels), digest
