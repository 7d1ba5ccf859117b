"""The raw text that words are discovered in: files of lines or of JSON lines, read as often as need be."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import Block, invalid_utf8, parse_record, read_blocks, read_lines, text_field
from kexue_cli.streams import STDIO, check_readable, open_input, source_name

JSON_LINES_BYTES = 1 << 20  # of text joined into one block
PLAIN_NAME = re.compile(r"\.txt(\.(gz|xz|zst))?$")


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
    kept: list[Block] | None = dataclasses.field(default=None, repr=False)

    def check(self) -> None:
        """Raise KexueError if a file cannot be opened."""
        for path in self.paths:
            check_readable(path)

    def identity(self) -> list[list[str | int]]:
        """Return what tells whether the files are the same as in an earlier run: path, bytes, time of change."""
        states = [(path, Path(path).stat()) for path in self.paths if path != STDIO]
        return [[str(Path(path).resolve()), state.st_size, state.st_mtime_ns] for path, state in states]

    def total_bytes(self) -> int:
        """Return the size of the files as they are on disk, compressed or not; 0 for standard input."""
        return sum(Path(path).stat().st_size for path in self.paths if path != STDIO)

    def blocks(self) -> Iterator[Block]:
        """Yield the text in blocks of whole lines of valid UTF-8.

        Raises RecordError at the first line that is not.
        """
        if self.kept is not None:
            yield from self.kept
            return
        kept: list[Block] | None = []
        kept_bytes = 0
        for path in self.paths:
            for block in self._file_blocks(path):
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
        for path in self.paths:
            yield from self._file_blocks(path)

    def _file_blocks(self, path: str) -> Iterator[Block]:
        with open_input(path) as stream:
            if self.field is not None and not (self.is_mixed and PLAIN_NAME.search(path)):
                yield from self._field_blocks(stream, path)
                return
            for block in read_blocks(stream, path, encoding=self.encoding, may_cut=True):
                try:
                    text = block.data.decode()
                except UnicodeDecodeError as error:
                    raise invalid_utf8(block, error.start) from None
                if block.first_line == 1 and text.startswith("{") and not block.line_offset:
                    raise RecordError(block.source, 1, "this looks like JSON lines; name the field with --field NAME")
                yield self._joined(block, text) if self.is_segmented else block

    @staticmethod
    def _joined(block: Block, text: str) -> Block:
        lines = ("".join(line.split()) for line in text.split("\n"))
        return dataclasses.replace(block, data="\n".join(lines).encode())

    def _field_blocks(self, stream, path: str) -> Iterator[Block]:  # type: ignore[no-untyped-def]
        assert self.field is not None
        name = source_name(path)
        fields = self.field.split(",")
        texts: list[bytes] = []
        size = 0
        for number, line in read_lines(stream, path, encoding=self.encoding):
            if not line.strip():
                continue
            record = parse_record(line, name, number)
            field = next((field for field in fields if field in record), self.field)
            text = text_field(record, field, name, number).encode()
            texts.append(text)
            size += len(text)
            if size > JSON_LINES_BYTES:
                yield Block(b"\n".join([*texts, b""]), number, source=name)
                texts, size = [], 0
        if texts:
            yield Block(b"\n".join([*texts, b""]), 1, source=name)
