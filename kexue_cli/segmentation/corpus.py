"""The raw text that words are discovered in: files of lines or of JSON lines, read as often as need be."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import Block, invalid_utf8, lines_of, parse_record, read_blocks, text_field
from kexue_cli.streams import STDIO, check_readable, count_lines, is_compressed, open_input, open_lines

PLAIN_NAME = re.compile(r"\.txt(\.(gz|xz|zst))?$")
GOLDEN = 0.6180339887498949  # its multiples, less their whole parts, fill 0 to 1 evenly from the first one on


class Shard(NamedTuple):
    """One of several equal parts of a corpus; see Corpus.shard."""

    number: int  # from 1
    of: int


@dataclasses.dataclass
class Corpus:
    """Text files (plain lines, or a field of JSON lines), each compressed or not.

    Blocks are kept in memory up to *memory* bytes; beyond, the files are read anew each time.
    """

    paths: Sequence[str]
    field: str | None = None  # of JSON lines, with the text; the first one of "a,b" that is there; None for plain lines
    is_segmented: bool = False  # whether white space only separates words and is to be taken out
    encoding: str = "utf-8"
    memory: int = 1 << 30  # bytes
    is_mixed: bool = False  # whether files named .txt (.txt.xz) are plain lines even if there is a field
    shard: Shard | None = None  # the part of it that is read; None for all
    kept: list[Block] | None = dataclasses.field(default=None, repr=False)

    def check(self) -> None:
        """Raise KexueError if a file cannot be opened."""
        for path in self.paths:
            check_readable(path)

    def identity(self) -> list[list[str | int]]:
        """Return what tells whether the files are the same as in an earlier run: path, bytes, time of change."""
        states = [(path, Path(path).stat()) for path in self.paths if path != STDIO]
        return [[str(Path(path).resolve()), state.st_size, state.st_mtime_ns] for path, state in states]

    def sizes(self) -> list[int]:
        """Return the size of each file as it is on disk, compressed or not; 0 for standard input."""
        return [Path(path).stat().st_size if path != STDIO else 0 for path in self.paths]

    def total_bytes(self) -> int:
        """Return the size of the files, or of this shard of them, as they are on disk."""
        return sum(self.sizes()) // (self.shard.of if self.shard else 1)

    def blocks(self) -> Iterator[Block]:
        """Yield the text in blocks of whole lines of valid UTF-8.

        Raises RecordError at the first line that is not.
        """
        if self.kept is not None:
            yield from self.kept
            return
        kept: list[Block] | None = []
        kept_bytes = 0
        for block in self.stream():
            yield block
            if kept is not None:
                kept_bytes += len(block.data)
                kept.append(block)
                if kept_bytes > self.memory:
                    kept = None
                    if STDIO in self.paths:
                        raise KexueError(
                            "standard input does not fit in memory and is read more than once; "
                            "give a file, or a larger --max-memory"
                        )
        self.kept = kept

    def stream(self) -> Iterator[Block]:
        """Yield the same blocks for one who reads them once: none is kept."""
        for index, path in enumerate(self.paths):
            is_json = self.field is not None and not (self.is_mixed and PLAIN_NAME.search(path))
            with self._open(index, may_cut=not is_json) as (blocks, start):
                try:
                    for block in blocks:
                        text = self._field_block(block) if is_json else self._line_block(block, start)
                        if text.data:
                            yield text
                except RecordError as error:
                    if not start:
                        raise
                    raise RecordError(path, error.line + count_lines(path, start), error.problem) from None

    @contextmanager
    def _open(self, index: int, *, may_cut: bool) -> Iterator[tuple[Iterator[Block], int]]:
        """Open a file; yield its blocks, or those of them that are this shard's, and the byte at which they start.

        The files are laid end to end, and a shard is a range of their bytes. A plain file is cut there; one that cannot
        be read from the middle is read whole, and each block is counted where one byte of the file is.
        """
        path = self.paths[index]
        first, behind, size = 0, 1, 1
        if self.shard is not None:
            sizes = self.sizes()
            size, before, total = sizes[index], sum(sizes[:index]), sum(sizes)
            first, behind = (
                min(max(total * number // self.shard.of - before, 0), size)
                for number in (self.shard.number - 1, self.shard.number)
            )
            if first == behind:
                yield iter(()), 0
                return
            if self.encoding == "utf-8" and not is_compressed(path):
                with open_lines(path, first, behind) as (stream, start):
                    yield read_blocks(stream, path, may_cut=may_cut), start
                return
        with open_input(path) as stream:
            blocks = enumerate(read_blocks(stream, path, encoding=self.encoding, may_cut=may_cut))
            yield (block for number, block in blocks if first <= int(number * GOLDEN % 1 * size) < behind), 0

    def _line_block(self, block: Block, start: int) -> Block:
        """Return a block of plain lines as text. start: the byte of the file at which its first block begins."""
        try:
            text = block.data.decode()
        except UnicodeDecodeError as error:
            raise invalid_utf8(block, error.start) from None
        if block.first_line == 1 and not start and text.startswith("{") and not block.line_offset:
            raise RecordError(block.source, 1, "this looks like JSON lines; name the field with --field NAME")
        if not self.is_segmented:
            return block
        lines = ("".join(line.split()) for line in text.split("\n"))
        return dataclasses.replace(block, data="\n".join(lines).encode())

    def _field_block(self, block: Block) -> Block:
        """Return a block of JSON lines as the texts of their fields, one a line."""
        assert self.field is not None
        fields = self.field.split(",")
        texts: list[bytes] = []
        for number, line in lines_of(block):
            if isinstance(line, RecordError):
                raise line
            if line.strip():
                record = parse_record(line, block.source, number)
                field = next((field for field in fields if field in record), self.field)
                texts.append(text_field(record, field, block.source, number).encode())
        return Block(b"\n".join([*texts, b""]), block.first_line, source=block.source)
