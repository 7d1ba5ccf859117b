"""Where bytes come from and go to: files, pipes and devices, compressed or not.

Input may be compressed (gzip, xz, zstandard, told by its first bytes). A file of output appears under its name when
it is whole, and is compressed if its name ends with .gz, .xz or .zst.
"""

import contextlib
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from kexue_cli.errors import ClosedPipe, KexueError

STDIO = "-"
COMPRESSED_BYTES = 1 << 20  # read at a time
LINE_BYTES = 1 << 16  # read at a time to find where a line begins


def source_name(path: str | None) -> str:
    """Return how messages call an input."""
    return "standard input" if path in (None, STDIO) else str(path)


def _os_problem(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


@contextlib.contextmanager
def open_input(path: str | None) -> Iterator[BinaryIO]:
    """Open a file, or standard input for None or ``-``, for reading bytes; decompress what is compressed.

    Raises KexueError if it cannot be read.
    """
    name = source_name(path)
    with contextlib.ExitStack() as stack:
        try:
            if path in (None, STDIO):
                if sys.stdin is None:
                    raise KexueError("cannot read standard input: it is closed")
                raw: BinaryIO = sys.stdin.buffer
            else:
                raw = stack.enter_context(open(str(path), "rb"))
        except (OSError, ValueError) as error:
            problem = _os_problem(error) if isinstance(error, OSError) else str(error)
            raise KexueError(f"cannot read {name}: {problem}") from None
        yield _decompressed(raw, name)


@contextlib.contextmanager
def open_lines(path: str, first: int, behind: int) -> Iterator[tuple[BinaryIO, int]]:
    """Open those lines of a file, which is not compressed, that begin in [begin(first), begin(behind)).

    begin(b) is where the line begins that byte b stands in: what is cut into ranges of bytes is cut between lines, each
    in one range. Yields the bytes, and where they stand in the file. Raises KexueError if it cannot be read.
    """
    with contextlib.ExitStack() as stack:
        with reading(path):
            raw = stack.enter_context(open(path, "rb"))
            size = raw.seek(0, io.SEEK_END)
            start = _line_start(raw, first)
            end = size if behind >= size else _line_start(raw, behind)
            raw.seek(start)
        yield io.BufferedReader(_Slice(raw, end - start), COMPRESSED_BYTES), start


def _line_start(raw: BinaryIO, position: int) -> int:
    """Return the offset behind the last line feed before *position*, 0 if there is none."""
    while position > 0:
        start = max(0, position - LINE_BYTES)
        raw.seek(start)
        feed = raw.read(position - start).rfind(b"\n")
        if feed >= 0:
            return start + feed + 1
        position = start
    return 0


def count_lines(path: str, behind: int) -> int:
    """Return how many line feeds a file has before a byte. Raises KexueError if it cannot be read."""
    with reading(path), open(path, "rb") as raw:
        parts = (raw.read(min(COMPRESSED_BYTES, behind - start)) for start in range(0, behind, COMPRESSED_BYTES))
        return sum(part.count(b"\n") for part in parts)


def is_compressed(path: str) -> bool:
    """Say whether a file is read through a decompressor. Raises KexueError if it cannot be read."""
    with open_input(path) as stream:
        return type(stream) is not io.BufferedReader or isinstance(stream.raw, _Zstandard)


def check_readable(path: str | None) -> None:
    """Raise KexueError if a file is not there or may not be read; nothing is taken from it."""
    if path in (None, STDIO):
        return
    target = Path(str(path))
    if not target.exists():
        raise KexueError(f"cannot read {path}: No such file or directory")
    if target.is_dir():
        raise KexueError(f"cannot read {path}: Is a directory")
    if not os.access(target, os.R_OK):
        raise KexueError(f"cannot read {path}: Permission denied")


def read_whole(path: Path, most: int) -> bytes:
    """Return the bytes of a file of a model, which must be at most so many.

    Raises KexueError if it cannot be read, or is larger: no memory is taken for what only claims to be large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1) if path.stat().st_size <= most else None
    except OSError as error:
        raise KexueError(f"cannot read {path}: {_os_problem(error)}") from None
    if data is None or len(data) > most:
        raise KexueError(f"will not read {path}: it has more than {most:,} bytes, the most that such a file may have")
    return data


class _Prefixed(io.RawIOBase):
    """A stream that starts with bytes that were already taken from it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self.head = head
        self.rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.head:
            read = getattr(self.rest, "read1", self.rest.read)
            self.head = read(len(buffer))
        count = min(len(buffer), len(self.head))
        buffer[:count] = self.head[:count]
        self.head = self.head[count:]
        return count


class _Slice(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self.raw = raw
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.raw.read(min(len(buffer), self.left))
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Zstandard(io.RawIOBase):
    """The text of zstandard frames; unlike the library's own reader it raises EOFError if the last one is cut off."""

    def __init__(self, raw: BinaryIO, decompressor: Any) -> None:
        self.raw = raw
        self.decompressor = decompressor
        self.frame: Any = None
        self.text = b""
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.text:
            data = self.rest or self.raw.read(COMPRESSED_BYTES)
            self.rest = b""
            if not data:
                if self.frame is not None:
                    raise EOFError
                return 0
            if self.frame is None:
                self.frame = self.decompressor.decompressobj()
            self.text = self.frame.decompress(data)
            if self.frame.eof:
                self.rest, self.frame = self.frame.unused_data, None
        count = min(len(buffer), len(self.text))
        buffer[:count] = self.text[:count]
        self.text = self.text[count:]
        return count


def _decompressed(raw: BinaryIO, name: str) -> BinaryIO:
    try:
        head = b""
        if hasattr(raw, "peek"):
            head = raw.peek(6)[:6]
        if 0 < len(head) < 6:  # a slow pipe: these bytes alone do not tell yet
            head = raw.read(len(head))
            if b"\n" not in head and head[:1] in (b"\x1f", b"\xfd", b"\x28"):
                head += raw.read(6 - len(head))
            raw = io.BufferedReader(_Prefixed(head, raw))
    except OSError as error:
        raise KexueError(f"cannot read {name}: {_os_problem(error)}") from None
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if head.startswith(b"\xfd7zXZ\x00"):
        import lzma

        return lzma.LZMAFile(raw)  # type: ignore[return-value]
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        return io.BufferedReader(_Zstandard(raw, zstandard.ZstdDecompressor()))
    return raw


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what a stream raises while it is read into one of our errors."""
    try:
        yield
    except OSError as error:
        raise KexueError(f"cannot read {name}: {_os_problem(error)}") from None
    except EOFError:
        raise KexueError(f"cannot read {name}: the compressed data end too early") from None
    except KexueError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("zlib", "lzma", "_lzma", "zstandard", "gzip"):
            raise KexueError(f"cannot read {name}: the compressed data are damaged ({error})") from None
        raise


def peek(stream: BinaryIO, count: int, name: str) -> tuple[bytes, BinaryIO]:
    """Return the first *count* bytes of a stream, fewer if it has no more, and a stream that still starts with them.

    Raises KexueError if it cannot be read.
    """
    head = b""
    with reading(name):
        while len(head) < count and (more := stream.read(count - len(head))):
            head += more
    return head, io.BufferedReader(_Prefixed(head, stream))


class Output:
    """Where records go: standard output, or a file that takes its name when it is whole."""

    def __init__(self, stream: BinaryIO, name: str, *, is_seen: bool = True) -> None:
        """is_seen: whether somebody may read it before it is whole."""
        self.stream = stream
        self.name = name
        self.is_seen = is_seen

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes. Raises KexueError if there is no room, ClosedPipe if nobody reads any more."""
        rest = memoryview(data).cast("B")
        with self.writing():
            while rest:  # under PYTHONUNBUFFERED a stream takes what there is room for, and says only how much
                rest = rest[self.stream.write(rest) :]

    def flush(self) -> None:
        """Hand over what is buffered to those who read along; errors as for write."""
        if self.is_seen:
            with self.writing():
                self.stream.flush()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the system says about a write into one of our errors."""
        try:
            yield
        except BrokenPipeError:
            raise ClosedPipe from None
        except OSError as error:
            raise KexueError(f"cannot write {self.name}: {_os_problem(error)}") from None


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[Output]:
    """Open a file, or standard output for None or ``-``, for writing.

    A file is written under another name beside its place and renamed when all is well, so a kill, a full disk or
    a bad record never leaves half of one; .gz, .xz and .zst are compressed. Raises KexueError if it cannot be written.
    """
    if path in (None, STDIO):
        if sys.stdout is None:
            raise KexueError("cannot write standard output: it is closed")
        output = Output(sys.stdout.buffer, "standard output")
        try:
            yield output
        finally:
            output.flush()
        return
    target = Path(str(path))
    name = str(path)
    try:
        is_special = target.exists() and not stat.S_ISREG(target.stat().st_mode)
        if target.is_dir():
            raise KexueError(f"cannot write {name}: it is a folder")
        if is_special:  # a device or a named pipe cannot be renamed over
            stream: BinaryIO = target.open("wb")
            partial = None
        else:
            target = target.resolve()  # a link stays a link
            descriptor, partial = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
            os.chmod(partial, 0o666 & ~_umask())
            stream = os.fdopen(descriptor, "wb")
    except OSError as error:
        raise KexueError(f"cannot write {name}: {_os_problem(error)}") from None
    compressor = _compressing(stream, Path(name).suffix)
    output = Output(compressor, name, is_seen=partial is None)
    try:
        yield output
        with output.writing():
            if compressor is not stream:
                compressor.close()
            stream.flush()
            if partial is not None:
                os.fsync(stream.fileno())
            stream.close()
            if partial is not None:
                os.replace(partial, target)
                partial = None
    finally:
        for each in (compressor, stream):
            with contextlib.suppress(OSError):
                each.close()
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)


def _compressing(stream: BinaryIO, suffix: str) -> BinaryIO:
    """Return what compresses into a stream as the end of a file's name says, and leaves it open when it is closed."""
    if suffix == ".gz":
        import gzip

        return gzip.GzipFile("", "wb", 6, stream, mtime=0)  # type: ignore[return-value]
    if suffix == ".xz":
        import lzma

        return lzma.LZMAFile(stream, "wb")  # type: ignore[return-value]
    if suffix == ".zst":
        import zstandard

        return zstandard.ZstdCompressor().stream_writer(stream, closefd=False)
    return stream


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def writing_temporarily() -> Iterator[None]:
    """Turn what the system says about the writing of a temporary file into one of our errors."""
    try:
        yield
    except OSError as error:
        raise KexueError(f"cannot write a temporary file: {_os_problem(error)}; see TMPDIR") from None
