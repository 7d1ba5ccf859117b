"""The pipe formats: plain lines and JSON lines, in and out, UTF-8 whatever the locale says.

Input may be compressed (gzip, xz, zstandard, told by its first bytes), start with a byte order mark, end
lines with CR LF and lack a last line feed. Output is UTF-8; a file appears under its name when it is whole.
"""

import codecs
import contextlib
import io
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kexue_cli.errors import ClosedPipe, KexueError, RecordError, UsageError

Record = dict[str, Any]

STDIO = "-"
BLOCK_BYTES = 4 << 20
LINE_LIMIT = 16 << 20  # bytes; a longer line is an error, or is cut at a sentence mark where that is harmless
SENTENCE_MARKS = "。！？"
# No rule joins a sentence mark to an ideograph behind it (U+4000 to U+9FFF), so a cut there changes nothing.
SENTENCE_END = re.compile(b"(?:" + "|".join(SENTENCE_MARKS).encode() + rb")(?=[\xe4-\xe9])")
BYTE_ORDER_MARK = codecs.BOM_UTF8
GUESSES = ("utf-8", "gb18030", "big5hkscs", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
COMMON = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么"
    "這來國個說們為時會著過學對裡後麼"
)


@dataclass(frozen=True)
class Block:
    """Some whole lines of UTF-8 text, each but the last of the input ending with a line feed."""

    data: bytes
    first_line: int  # number of the first line, from 1
    line_offset: int = 0  # bytes of the first line that earlier blocks held, if a long line was cut
    source: str = "standard input"


def check_encoding(name: str) -> str:
    """Return the codec's own name of a text encoding.

    Raises UsageError if Python knows no such text encoding.
    """
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError:
        raise UsageError(f"unknown encoding {name!r}; known are for instance utf-8, gb18030, big5, utf-16") from None


def guess_encoding(sample: bytes) -> str | None:
    """Return the encoding in which *sample* reads like Chinese, or None."""
    if sample.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    best, best_share = None, 0.0
    for name in GUESSES:
        text = sample.decode(name, errors="replace")
        share = sum(character in COMMON for character in text) / (len(text) + 1)
        if "�" not in text[:-2] and "\0" not in text and share > best_share:
            best, best_share = name, share
    return best


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
            data = self.rest or self.raw.read(BLOCK_BYTES)
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
def _reading(name: str) -> Iterator[None]:
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


def _chunks(stream: BinaryIO, name: str, encoding: str, is_live: bool) -> Iterator[bytes]:
    """Yield the stream's text as UTF-8 bytes without the byte order mark, in chunks of any size."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read) if is_live else stream.read
    with _reading(name):
        chunk = read(BLOCK_BYTES)
        while encoding == "utf-8" and len(chunk) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(chunk):
            more = read(BLOCK_BYTES)
            if not more:
                break
            chunk += more
    if encoding != "utf-8":
        yield from _transcoded(chunk, read, name, encoding)
        return
    chunk = chunk.removeprefix(BYTE_ORDER_MARK) or read(BLOCK_BYTES)
    while chunk:
        yield chunk
        with _reading(name):
            chunk = read(BLOCK_BYTES)


def _transcoded(chunk: bytes, read: Callable[[int], bytes], name: str, encoding: str) -> Iterator[bytes]:
    """Yield text in another encoding as UTF-8. Raises RecordError at the first bytes that are not valid in it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    line = 1
    is_first = True
    while True:
        state = decoder.getstate()
        failure: UnicodeError | None = None
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            waiting = len(error.object) - len(chunk)  # bytes of an unfinished character before this chunk
            decoder.setstate(state)
            text = ""
            with contextlib.suppress(UnicodeError):
                text = decoder.decode(chunk[: max(error.start - waiting, 0)])
            failure, offset = error, offset + error.start - waiting
        except UnicodeError as error:  # no byte order mark where the encoding needs one
            text, failure = "", error
        yield text.removeprefix("\ufeff" if is_first else "").encode(errors="surrogatepass")
        is_first = is_first and not text
        line += text.count("\n")
        if failure is not None:
            guess = guess_encoding(failure.object if isinstance(failure, UnicodeDecodeError) else chunk)
            hint = f"it may be --encoding {guess}" if guess and guess != encoding else "see --encoding"
            raise RecordError(name, line, f"byte {offset} of the input is not valid {encoding}; {hint}")
        if not chunk:
            return
        offset += len(chunk)
        with _reading(name):
            chunk = read(BLOCK_BYTES)


def _sentence_cut(data: bytes) -> int:
    """Return the offset behind the last sentence mark of *data* that an ideograph follows, or 0."""
    return max((match.end() for match in SENTENCE_END.finditer(data)), default=0)


def read_blocks(
    stream: BinaryIO,
    path: str | None = None,
    *,
    encoding: str = "utf-8",
    is_live: bool = False,
    may_cut: bool = False,
) -> Iterator[Block]:
    """Yield a stream's text in blocks of whole lines.

    is_live: yield lines as soon as they are there. may_cut: a line longer than a block may be cut behind a
    sentence mark. Raises RecordError for a line above LINE_LIMIT, and for bytes that are not valid in *encoding*
    unless that is UTF-8, which the caller checks (check_utf8).
    """
    name = source_name(path)
    pending: list[bytes] = []
    pending_bytes = 0
    line = 1
    line_offset = 0
    for chunk in _chunks(stream, name, encoding, is_live):
        end = chunk.rfind(b"\n") + 1
        if end:
            data = b"".join([*pending, chunk[:end]])
            yield Block(data, line, line_offset, name)
            line += data.count(b"\n")
            line_offset = 0
            pending, pending_bytes = [], 0
        pending.append(chunk[end:])
        pending_bytes += len(chunk) - end
        if may_cut and pending_bytes >= BLOCK_BYTES:
            data = b"".join(pending)
            cut = _sentence_cut(data)
            if cut:
                yield Block(data[:cut], line, line_offset, name)
            line_offset += cut
            pending, pending_bytes = [data[cut:]], len(data) - cut
        if pending_bytes > LINE_LIMIT:
            limit = f"the line is longer than {LINE_LIMIT >> 20} MiB"
            where = " and has no sentence mark (。！？) to cut it at" if may_cut else ""
            raise RecordError(name, line, f"{limit}{where}; is this text? Break it into lines")
    if pending_bytes:
        yield Block(b"".join(pending), line, line_offset, name)


def invalid_utf8(block: Block, offset: int) -> RecordError:
    """Return the error for the byte at *offset* of a block, which is not valid UTF-8."""
    start = block.data.rfind(b"\n", 0, offset) + 1
    end = block.data.find(b"\n", offset)
    line = block.first_line + block.data.count(b"\n", 0, offset)
    sample = block.data[start : end if end >= 0 else None][:4096]
    if len(sample) < 64:  # one short line tells little
        sample = block.data[start : start + 4096]
    guess = guess_encoding(sample) or guess_encoding(block.data[:65536])
    hint = f"; it may be --encoding {guess}" if guess else "; name the file's encoding with --encoding"
    found = f"0x{block.data[offset]:02x}"
    place = offset - start + (block.line_offset if start == 0 else 0)
    return RecordError(block.source, line, f"byte {place} of the line ({found}) is not valid UTF-8{hint}")


def try_lines(
    stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8", is_live: bool = False
) -> Iterator[tuple[int, str | RecordError]]:
    """Yield (line number, line without its ending), or the error instead of a line that is not valid UTF-8.

    Raises RecordError where an input in another encoding is not valid: what follows cannot be told.
    """
    for block in read_blocks(stream, path, encoding=encoding, is_live=is_live):
        offset = 0
        for number, raw in enumerate(block.data.removesuffix(b"\n").split(b"\n"), block.first_line):
            try:
                yield number, raw.decode().removesuffix("\r")
            except UnicodeDecodeError as error:
                yield number, invalid_utf8(block, offset + error.start)
            offset += len(raw) + 1


def read_lines(
    stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8", is_live: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield (line number, line without its ending).

    Raises RecordError at the first line that is not valid in the encoding, after those before it.
    """
    for number, line in try_lines(stream, path, encoding=encoding, is_live=is_live):
        if isinstance(line, RecordError):
            raise line
        yield number, line


def parse_record(text: str, source: str, line: int) -> Record:
    """Return the JSON object on a line.

    Raises RecordError if there is none.
    """
    import orjson

    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise RecordError(
            source, line, f"not JSON at column {error.colno} ({error.msg}); found {shown!r}; for plain lines add --text"
        ) from None
    if not isinstance(record, dict):
        raise RecordError(source, line, f"not a JSON object; found {type(record).__name__}; allowed: {{...}}")
    return record


def read_records(stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8") -> Iterator[tuple[int, Record]]:
    """Yield (line number, JSON object) for each line that is not empty.

    Raises RecordError at the first line that is not a JSON object.
    """
    for number, text in read_lines(stream, path, encoding=encoding):
        if text.strip():
            yield number, parse_record(text, source_name(path), number)


def text_field(record: Record, field: str, source: str, line: int) -> str:
    """Return a field that must be a string.

    Raises RecordError if it is missing or something else.
    """
    if field not in record:
        raise RecordError(source, line, f"missing field {field!r}; found {sorted(record)}")
    value = record[field]
    if not isinstance(value, str):
        raise RecordError(source, line, f"field {field!r} must be a string; found {type(value).__name__}")
    return value


def dump(record: Record) -> bytes:
    """Return a record as one line of JSON with its line feed."""
    import orjson

    return orjson.dumps(record) + b"\n"


class Output:
    """Where records go: standard output, or a file that takes its name when it is whole."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream = stream
        self.name = name

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes. Raises KexueError if there is no room, ClosedPipe if nobody reads any more."""
        with self.writing():
            self.stream.write(data)

    def flush(self) -> None:
        """Hand over what is buffered; errors as for write."""
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
    a bad record never leaves half of one. Raises KexueError if it cannot be written.
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
    output = Output(stream, name)
    try:
        yield output
        with output.writing():
            stream.flush()
            if partial is not None:
                os.fsync(stream.fileno())
            stream.close()
            if partial is not None:
                os.replace(partial, target)
                partial = None
    finally:
        with contextlib.suppress(OSError):
            stream.close()
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
