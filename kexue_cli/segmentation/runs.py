"""Sorted runs: the distinct DEPTH-grams of some text with their counts, made, kept in files, and merged.

A file is a row of pieces, and a note in JSON behind the last. A piece is its number of keys and its bytes (PIECE),
and then, compressed with zstandard and a checksum, the high words of its keys, the low words and the counts. At the
end stand the bytes of the note and MAGIC, so that a file that is cut short is told from a whole one.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import compilation
from kexue_cli.segmentation.counting import LARGEST_DIGIT
from kexue_cli.streams import open_output

Run = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], npt.NDArray[np.int64]]  # high and low words, counts
PIECE = struct.Struct("<II")  # keys, and bytes that follow
END = struct.Struct("<I8s")  # bytes of the note, MAGIC
MAGIC = b"kexuerun"
PIECE_KEYS = 1 << 14
KEY_BYTES = 8 + 4 + 8  # of a key and its count, uncompressed
LEVEL = 1  # of zstandard: of the 20 bytes of a key it leaves 6
MOST_RUNS = 256  # merged at once; their buffers take 84 MB


def sorted_run(codes: npt.NDArray[np.uint16]) -> Run:
    """Return the distinct DEPTH-grams of encoded text (counting.encode_block), sorted, with their counts."""
    is_used = np.zeros(1 << 16, bool)
    is_used[codes] = True
    is_used[0] = True
    alphabet = np.flatnonzero(is_used).astype(np.uint16)
    ranks_of = np.zeros(1 << 16, np.uint16)
    ranks_of[alphabet] = np.arange(len(alphabet))
    bits = max(int(len(alphabet) - 1).bit_length(), 1)
    size = int(np.count_nonzero(codes))
    high, low = np.empty(size, np.int64), np.empty(size, np.uint32)
    compilation.pack_grams(ranks_of[codes], bits, high, low)
    high_work, low_work = np.empty(size, np.int64), np.empty(size, np.uint32)
    counts = np.empty((1 << max(bits, LARGEST_DIGIT)) + 1, np.int64)
    compilation.sort_grams(high, low, high_work, low_work, bits, counts)
    used = compilation.unique_grams(high, low, bits, alphabet, low_work)
    return high[:used].view(np.uint64), low[:used], low_work[:used]  # type: ignore[return-value]  # pieces makes int64


def pieces_of_run(run: Run) -> Iterator[Run]:
    """Yield a run in pieces of PIECE_KEYS keys."""
    for start in range(0, len(run[0]), PIECE_KEYS):
        part = slice(start, start + PIECE_KEYS)
        yield run[0][part], run[1][part], run[2][part].astype(np.int64)


def write_run(path: Path, pieces: Iterable[Run], note: dict[str, Any]) -> None:
    """Write a run to a file that takes its name when it is whole. Raises KexueError if it cannot be written.

    note: what is to be known of it; the number of its keys and of the bytes of its pieces are added.
    """
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    keys = size = 0
    with open_output(str(path)) as output:
        for piece in pieces:
            data = compressor.compress(b"".join(column.tobytes() for column in piece))
            output.write(PIECE.pack(len(piece[0]), len(data)) + data)
            keys += len(piece[0])
            size += PIECE.size + len(data)
        text = json.dumps({**note, "keys": keys, "bytes": size}, ensure_ascii=False).encode()
        output.write(text + END.pack(len(text), MAGIC))


def read_note(path: Path) -> dict[str, Any]:
    """Return the note of a file. Raises KexueError if it is no run, or not all of one."""
    try:
        with path.open("rb") as file:
            whole = file.seek(0, 2)
            file.seek(max(whole - END.size, 0))
            end = file.read()
            length, magic = END.unpack(end) if len(end) == END.size else (0, b"")
            file.seek(max(whole - END.size - length, 0))
            note = json.loads(file.read(length)) if magic == MAGIC else {}
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        note = {}
    if not isinstance(note, dict) or note.get("bytes") != whole - END.size - length:
        raise KexueError(f"{path} is cut short or damaged; remove it and count that part again")
    return note


class _File:
    """A run in a file, read piece by piece; it is not kept open, as there may be thousands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = 0
        self.end = int(read_note(path)["bytes"])
        self.decompressor = zstandard.ZstdDecompressor()

    def piece(self) -> Run | None:
        """Return the next piece, None behind the last. Raises KexueError if it is damaged."""
        if self.place >= self.end:
            return None
        try:
            with self.path.open("rb") as file:
                file.seek(self.place)
                keys, size = PIECE.unpack(file.read(PIECE.size))
                data = self.decompressor.decompress(file.read(size), max_output_size=KEY_BYTES * PIECE_KEYS)
            if len(data) != KEY_BYTES * keys:
                raise ValueError
            self.place += PIECE.size + size
            return (
                np.frombuffer(data, np.uint64, keys),
                np.frombuffer(data, np.uint32, keys, 8 * keys),
                np.frombuffer(data, np.int64, keys, 12 * keys),
            )
        except (zstandard.ZstdError, struct.error, ValueError):
            raise KexueError(f"{self.path} is damaged; remove it and count that part again") from None
        except OSError as error:
            raise KexueError(f"cannot read {self.path}: {error.strerror}") from None


def merged_runs(paths: list[Path], work: Path) -> Iterator[Run]:
    """Yield the keys of sorted runs in files in order, equal ones added up, in pieces of at most PIECE_KEYS.

    work: a folder for the merged runs of each MOST_RUNS, if there are more.
    """
    made: list[Path] = []
    try:
        while len(paths) > MOST_RUNS:
            work.mkdir(parents=True, exist_ok=True)
            groups = [paths[start : start + MOST_RUNS] for start in range(0, len(paths), MOST_RUNS)]
            paths = [work / f"merged-{len(made) + number}.run" for number in range(len(groups))]
            made += paths
            for path, group in zip(paths, groups, strict=True):
                write_run(path, _merged(group), {})
        yield from _merged(paths)
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _merged(paths: list[Path]) -> Iterator[Run]:
    files = [_File(path) for path in paths]
    shape = (len(files), PIECE_KEYS)
    buffers: tuple[npt.NDArray[Any], ...]
    buffers = np.zeros(shape, np.uint64), np.zeros(shape, np.uint32), np.zeros(shape, np.int64)
    heads, fills = np.zeros((2, len(files)), np.int64)
    while True:
        for index, file in enumerate(files):
            if heads[index] == fills[index]:
                piece = file.piece()
                heads[index] = fills[index] = 0
                if piece is not None:
                    fills[index] = len(piece[0])
                    for buffer, column in zip(buffers, piece, strict=True):
                        buffer[index, : fills[index]] = column
        merged = np.empty(PIECE_KEYS, np.uint64), np.empty(PIECE_KEYS, np.uint32), np.empty(PIECE_KEYS, np.int64)
        written = compilation.merge_runs(*buffers, heads, fills, *merged)
        if written == 0:
            return
        yield merged[0][:written], merged[1][:written], merged[2][:written]
