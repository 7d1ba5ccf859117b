"""Text in more than one encoding: files that were put together from others, each line being in one of them."""

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from kexue_cli.encoding import COMMON
from kexue_cli.errors import RecordError
from kexue_cli.records import Problem, invalid_utf8, read_blocks, read_text, try_lines
from kexue_cli.streams import peek, source_name

Told = Callable[[str, Problem], None]  # is given a line's number, or another place, and what is wrong there

UTF8 = "utf-8"
LEGACY = ("gb18030", "big5hkscs")  # what a line may be in that is not UTF-8; line feeds are no part of a character
MARK = "\ufeff"
KIND, MARK_KIND = "lines in another encoding", "byte order marks"


def without_mark(stream: BinaryIO, source: str, told: Told) -> BinaryIO:
    """Return a stream that still begins as it did; tell of the byte order mark of UTF-8, which does no harm."""
    head, stream = peek(stream, len(codecs.BOM_UTF8), source)
    if head == codecs.BOM_UTF8:
        told("1", Problem(MARK_KIND, "", "begins with a byte order mark", is_error=False))
    return stream


def mixed_lines(
    stream: BinaryIO, path: str | None, encoding: str, told: Told
) -> Iterator[tuple[int, str | RecordError]]:
    """Yield each line's number and text, or the error of one that cannot be read; tell of those in another encoding.

    encoding: that most lines should be in. In UTF-16 and UTF-32 there is no mixture: lines cannot be told apart.
    """
    if encoding not in (UTF8, *LEGACY, "gbk", "gb2312", "big5"):
        yield from try_lines(stream, path, encoding=encoding)
        return
    for block in read_blocks(stream, path):
        offset = 0
        for number, raw in enumerate(block.data.removesuffix(b"\n").split(b"\n"), block.first_line):
            found = encoding_of(raw, encoding)
            if found is None:
                yield number, _unreadable(block, offset, raw, encoding)
            else:
                text = raw.decode(found).removesuffix("\r")
                if found != encoding and not raw.isascii():
                    told(str(number), Problem(KIND, "", f"is in {found}, not in {encoding}"))
                if text.startswith(MARK):
                    told(
                        str(number), Problem(MARK_KIND, "", "begins with a byte order mark, though not the first line")
                    )
                yield number, text.lstrip(MARK)
            offset += len(raw) + 1


def _unreadable(block: object, offset: int, raw: bytes, encoding: str) -> RecordError:
    from kexue_cli.records import Block

    assert isinstance(block, Block)
    if encoding != UTF8:
        line = block.first_line + block.data.count(b"\n", 0, offset)
        return RecordError(block.source, line, f"is neither valid {encoding} nor UTF-8")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return invalid_utf8(block, offset + error.start)
    raise AssertionError("the line is valid")


def encoding_of(raw: bytes, encoding: str = UTF8) -> str | None:
    """Return the encoding of a line: the given one, or if that cannot be, the one in which it reads like Chinese.

    None if there is none. What is damaged in one place is not taken for another encoding, in which nearly any bytes
    have a meaning: the damage must outweigh what can be read.
    """
    if encoding != UTF8:
        return _of_legacy(raw, encoding)
    try:
        raw.decode()
        return UTF8
    except UnicodeDecodeError:
        damaged = raw.decode(errors="replace")
    if sum(character > "\u2fff" and character != "\ufffd" for character in damaged) >= damaged.count("\ufffd"):
        return None
    shares = {name: _share(raw, name) for name in LEGACY}
    best = max(shares, key=lambda name: shares[name])  # of equals the first
    return best if shares[best] >= 0 else None


def _of_legacy(raw: bytes, encoding: str) -> str | None:
    if _share(raw, UTF8) >= 0 and any(character > "\u2fff" for character in raw.decode()):
        return UTF8  # bytes of the others are hardly ever valid UTF-8 of three bytes a character
    return encoding if _share(raw, encoding) >= 0 else None


def _share(raw: bytes, encoding: str) -> float:
    """Return the share of common characters in a line; -1 if it is not valid."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return -1
    return sum(character in COMMON for character in text) / (len(text) or 1)


def mixed_text(stream: BinaryIO, path: str | None, encoding: str, told: Told) -> bytearray:
    """Return all of a stream's text as UTF-8; what cannot be read stays as it is, for the parser to tell."""
    if encoding != UTF8:
        return read_text(stream, path, encoding=encoding)
    text = read_text(stream, path)
    try:
        text.decode()
        return text
    except UnicodeDecodeError:
        pass
    mixed = bytearray()
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        found = encoding_of(bytes(raw))
        if found in (None, UTF8):
            mixed += raw
            continue
        told(str(number), Problem(KIND, "", f"is in {found}, not in {encoding} ({source_name(path)})"))
        mixed += raw.decode(str(found)).encode()
    return mixed
