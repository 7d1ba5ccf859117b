"""The pipe formats: plain lines and JSON lines, UTF-8 inside whatever the input's encoding was.

Lines may end with CR LF and the last one need not end at all; a byte order mark is passed over.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from kexue_cli.encoding import guess_encoding, transcoded
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.streams import reading, source_name

Record = dict[str, Any]


class Problem(NamedTuple):
    """What `kexue data check` says of a record. kind: to be counted by; field: empty if the text names it."""

    kind: str
    field: str
    text: str
    is_error: bool = True  # else a note: nothing fails for it


BLOCK_BYTES = 4 << 20
LINE_LIMIT = 16 << 20  # bytes; a longer line is an error, or is cut at a sentence mark where that is harmless
SCORE_DIGITS = 6  # of the scores in answers; the rest is rounding
DEEPEST = 200  # lists and objects in one another; orjson writes 254, Python's own stack ends at 1,000
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
BRACKETS = re.compile(r"[\[\]{}]")
LONG_NUMBER = re.compile(r"\d{19}")
SENTENCE_MARKS = "。！？"
# No rule joins a sentence mark to an ideograph behind it (U+4000 to U+9FFF), so a cut there changes nothing.
SENTENCE_END = re.compile(b"(?:" + "|".join(SENTENCE_MARKS).encode() + rb")(?=[\xe4-\xe9])")


@dataclass(frozen=True)
class Block:
    """Some whole lines of UTF-8 text, each but the last of the input ending with a line feed."""

    data: bytes
    first_line: int  # number of the first line, from 1
    line_offset: int = 0  # bytes of the first line that earlier blocks held, if a long line was cut
    source: str = "standard input"


def _chunks(stream: BinaryIO, name: str, encoding: str, is_live: bool) -> Iterator[bytes]:
    """Yield the stream's text as UTF-8 bytes without the byte order mark, in chunks of any size."""
    take: Callable[[int], bytes] = getattr(stream, "read1", stream.read) if is_live else stream.read

    def read() -> bytes:
        with reading(name):
            return take(BLOCK_BYTES)

    chunk = read()
    if encoding != "utf-8":
        yield from transcoded(chunk, read, name, encoding)
        return
    while len(chunk) < len(codecs.BOM_UTF8) and codecs.BOM_UTF8.startswith(chunk):
        more = read()
        if not more:
            break
        chunk += more
    chunk = chunk.removeprefix(codecs.BOM_UTF8) or read()
    while chunk:
        yield chunk
        chunk = read()


def read_text(stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8") -> bytearray:
    """Return all of a stream's text as UTF-8 bytes without the byte order mark; they may not be valid UTF-8.

    Raises RecordError for bytes that are not valid in another encoding.
    """
    text = bytearray()
    for chunk in _chunks(stream, source_name(path), encoding, is_live=False):
        text += chunk
    return text


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


def pieces_of(block: Block, size: int) -> Iterator[Block]:
    """Yield a block in pieces of whole lines, each of *size* bytes or a little more."""
    start = 0
    line = block.first_line
    while start < len(block.data):
        end = block.data.find(b"\n", start + size) + 1 or len(block.data)
        data = block.data[start:end]
        yield Block(data, line, block.line_offset if start == 0 else 0, block.source)
        line += data.count(b"\n")
        start = end


def invalid_utf8(block: Block, offset: int) -> RecordError:
    """Return the error for the byte at *offset* of a block, which is not valid UTF-8."""
    start = block.data.rfind(b"\n", 0, offset) + 1
    end = block.data.find(b"\n", offset)
    line = block.first_line + block.data.count(b"\n", 0, offset)
    sample = block.data[start : end if end >= 0 else None][:4096]
    if block.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # tells it for all lines
        sample = block.data[:4096]
    elif len(sample) < 64:  # one short line tells little
        sample = block.data[start : start + 4096]
    guess = guess_encoding(sample) or guess_encoding(block.data[:65536])
    hint = f"; it may be --encoding {guess}" if guess else "; name the file's encoding with --encoding"
    if guess == "utf-8":
        hint = "; the rest reads as UTF-8: the text is damaged or cut off there, unless another --encoding is right"
    found = f"0x{block.data[offset]:02x}"
    place = offset - start + (block.line_offset if start == 0 else 0)
    return RecordError(block.source, line, f"byte {place} of the line ({found}) is not valid UTF-8{hint}")


def try_lines(
    stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8"
) -> Iterator[tuple[int, str | RecordError]]:
    """Yield (line number, line without its ending), or the error instead of a line that is not valid UTF-8.

    Raises RecordError where an input in another encoding is not valid: what follows cannot be told.
    """
    for block in read_blocks(stream, path, encoding=encoding):
        yield from lines_of(block)


def live_groups(
    stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8", size: int
) -> Iterator[list[tuple[int, str | RecordError]]]:
    """Yield lines as try_lines does, in groups of those that are there already, *size* at most: none is waited for."""
    for block in read_blocks(stream, path, encoding=encoding, is_live=True):
        lines = lines_of(block)
        while group := list(islice(lines, size)):
            yield group


def lines_of(block: Block) -> Iterator[tuple[int, str | RecordError]]:
    """Yield (line number, line without its ending) of a block, or the error instead of a line that is not valid."""
    offset = 0
    for number, raw in enumerate(block.data.removesuffix(b"\n").split(b"\n"), block.first_line):
        try:
            yield number, raw.decode().removesuffix("\r")
        except UnicodeDecodeError as error:
            yield number, invalid_utf8(block, offset + error.start)
        offset += len(raw) + 1


def read_lines(stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yield (line number, line without its ending).

    Raises RecordError at the first line that is not valid in the encoding, after those before it.
    """
    for number, line in try_lines(stream, path, encoding=encoding):
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
        raise RecordError(source, line, f"not JSON at column {error.colno} ({error.msg}); found {shown!r}") from None
    if text.count("{") + text.count("[") > DEEPEST and _depth(text) > DEEPEST:
        raise RecordError(source, line, f"lists and objects stand in one another, more than {DEEPEST} deep")
    if LONG_NUMBER.search(text):
        record = json.loads(text)  # orjson makes a float of an integer of more than 64 bits
    if not isinstance(record, dict):
        raise RecordError(source, line, f"not a JSON object; found {type(record).__name__}; allowed: {{...}}")
    return record


def _depth(text: str) -> int:
    """Return how deep lists and objects stand in one another in a JSON text, or what looks like one."""
    depth = deepest = 0
    for mark in BRACKETS.findall(STRINGS.sub("", text)):
        depth += 1 if mark in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


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
    """Return a record as one line of JSON with its line feed. Raises KexueError for one too deep to be written."""
    import orjson

    try:
        return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"
    except TypeError:  # an integer of more than 64 bits, or more than 254 lists and objects in one another
        pass
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_listed).encode() + b"\n"
    except RecursionError:
        raise KexueError("lists and objects of a record stand in one another, too deep to be written") from None


def _listed(value: Any) -> Any:
    """Return an array as the list that is read again from its JSON, anything else as it is."""
    import orjson

    is_array = hasattr(value, "tolist")
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)) if is_array else value


def add_answer(record: Record, answer: Record, task: str = "") -> Record:
    """Return a record with an answer; an input field that the answer overwrites moves into "gold".

    Where "gold" has a field of the answer already, what is overwritten is another model's answer, and given up.
    task: whose answer it is: beside the "score" of another task, its own is called as in "qa_score". A record that has
    all fields of the answer was answered by the same task before.
    """
    is_again = answer.keys() <= record.keys() and f"{task}_score" not in record
    if task and "score" in record and not is_again:
        answer = {f"{task}_score" if name == "score" else name: value for name, value in answer.items()}
    clash = {name: record[name] for name in answer if name in record and record[name] != _listed(answer[name])}
    if not clash:
        return {**record, **answer}
    gold = record.get("gold", {})
    if not isinstance(gold, dict):
        raise KexueError(f"field 'gold' must be an object; found {type(gold).__name__}")
    if gold.keys() & answer.keys():
        clash = {}
    return {**record, "gold": {**gold, **clash}, **answer}
