"""Encodings of text: the one that was named, and the one that was probably meant."""

import codecs
import contextlib
from collections.abc import Callable, Iterator

from kexue_cli.errors import RecordError, UsageError

GUESSES = ("utf-8", "gb18030", "big5hkscs", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
COMMON = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么"
    "這來國個說們為時會著過學對裡後麼"
)


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


def transcoded(chunk: bytes, read: Callable[[], bytes], name: str, encoding: str) -> Iterator[bytes]:
    """Yield text in another encoding as UTF-8 bytes without a byte order mark.

    chunk: its first bytes; read: gives the next ones, none at the end; name: of the input, for messages.
    Raises RecordError at the first bytes that are not valid in the encoding, after what stands before them.
    """
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
        chunk = read()
