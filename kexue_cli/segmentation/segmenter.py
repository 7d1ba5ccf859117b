"""A model that segments: text to words, alone or in streams of blocks over several threads.

Article: https://kexue.fm/archives/5476. Scores: models/*/metrics.json.
"""

import mmap
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.records import Block, Record, invalid_utf8
from kexue_cli.segmentation import viterbi
from kexue_cli.segmentation.rules import RULES
from kexue_cli.segmentation.trie import NO_TRIE, Trie, whole_weight

PRIVATE: dict[str, Any] = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}  # not on Windows
SMALL_BYTES = 64 << 10  # up to here plain Python is done before the compiled code would be loaded


@dataclass(frozen=True)
class DecodingConfig:
    """How a lexicon is used. Weights in nats."""

    unknown_weight: float  # of a Han character that is not in the lexicon, and of a run of letters and digits
    numeral_weight: float  # of a run of Han numerals that a rule keeps whole
    unit_weight: float  # of a unit of time that a rule joins to the number before it
    frequency_slope: float  # a word of the user's with frequency f weighs slope * ln f + intercept
    frequency_intercept: float
    rules: tuple[str, ...] = tuple(RULES)  # names of the rules that are on


@dataclass(frozen=True)
class Span:
    """A word and where it stands: text[start:end] in code points."""

    word: str
    start: int
    end: int


class Segmenter:
    """Cuts text into words; the words joined are the text. Safe to use from several threads."""

    def __init__(self, trie: Trie, decoding: DecodingConfig, user_words: Trie = NO_TRIE) -> None:
        self.trie = trie
        self.decoding = decoding
        self.user_words = user_words
        self.table = trie.table()
        self.user_table = user_words.table() if user_words is not NO_TRIE else self.table
        self.rules = sum(RULES[name][0] for name in decoding.rules)
        weights = (decoding.unknown_weight, decoding.numeral_weight, decoding.unit_weight)
        self.settings = (self.rules, tuple(map(whole_weight, weights)))
        self._seen = 0  # bytes so far
        self._compiled: _Compiled | None = None
        self._lock = threading.Lock()

    def segment(self, text: str) -> list[str]:
        """Return the words of a text; ``"".join(words) == text``."""
        return [span.word for span in self.spans(text)]

    def spans(self, text: str) -> list[Span]:
        """Return the words of a text with their places.

        Raises KexueError if the text holds half a surrogate pair, which no encoding can write.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise KexueError(f"character {error.start} is a lone surrogate; no text has one") from None
        return self._line_spans(data, 0, len(data), self.starts(Block(data, 1)))

    def records(self, block: Block) -> Iterator[Record]:
        """Yield each line of a block as a record: text, and words with offsets in code points; errors as for starts."""
        is_start = self.starts(block)
        data = block.data
        start = 0
        while start < len(data):
            feed = data.find(b"\n", start)
            behind = feed if feed >= 0 else len(data)
            end = behind - 1 if feed > start and is_start[feed - 1] == 2 else behind
            words = self._line_spans(data, start, end, is_start)
            yield {"text": data[start:end].decode(), "words": [vars(span) for span in words]}
            start = behind + 1

    @staticmethod
    def _line_spans(data: bytes, start: int, end: int, is_start: Any) -> list[Span]:
        """Return the words of the bytes data[start:end], with offsets in code points from *start*."""
        starts = [position for position in range(start, end) if is_start[position]]
        spans: list[Span] = []
        place = 0
        for first, behind in pairwise([*starts, end]):
            word = data[first:behind].decode()
            spans.append(Span(word, place, place + len(word)))
            place += len(word)
        return spans

    def starts(self, block: Block) -> bytearray:
        """Return bytes (b + 1,): 1 where a token starts, 2 at line feeds and the CR before one.

        Raises RecordError if the block is not valid UTF-8, KexueError if the trie is damaged.
        """
        compiled = self._compiled_if_worth(len(block.data))
        status, is_start = compiled.starts(block.data) if compiled else self._plain_starts(block.data)
        if status < 0:
            raise invalid_utf8(block, -1 - status)
        return is_start

    def write(self, block: Block, separator: str) -> bytes:
        """Return a block with *separator* between the words of each line; errors as for starts."""
        is_start = self.starts(block)
        data, gap, continues = block.data, separator.encode(), block.line_offset > 0
        if self._compiled is not None:
            return self._compiled.write(data, is_start, gap, continues)
        output = bytearray(_room(data, gap))
        written = viterbi.write_block(data, len(data), is_start, self.table, gap, len(gap), output, continues)
        return bytes(output[:written])

    def may_cut_at(self, marks: str) -> bool:
        """Say whether a line may be cut behind these marks: no word of the lexicon or of the user's holds one."""
        return not any(ord(mark) in trie.labels for mark in marks for trie in (self.trie, self.user_words))

    def prepare(self) -> None:
        """Load the compiled code in the background, so that a live stream never waits for it."""
        threading.Thread(target=self._compile, daemon=True).start()

    def _compiled_if_worth(self, size: int) -> "_Compiled | None":
        if self._compiled is None:
            self._seen += size
            if size > SMALL_BYTES:
                self._compile()
            elif self._seen - size <= SMALL_BYTES < self._seen:
                self.prepare()  # many small pieces
        return self._compiled

    def _compile(self) -> None:
        with self._lock:
            if self._compiled is None:
                self._compiled = _Compiled(self)

    def _plain_starts(self, data: bytes) -> tuple[int, bytearray]:
        longest = max(map(len, data.split(b"\n"))) + 2
        work = [[0] * longest for _ in range(4)]
        is_start = bytearray(len(data) + 1)
        try:
            status = viterbi.segment_block(
                data, len(data), self.trie.units, self.table, self.user_words.units, self.user_table, *self.settings,
                is_start, *work,
            )  # fmt: skip
        except IndexError:
            raise KexueError("the lexicon's trie is damaged; see: kexue models verify") from None
        return status, is_start


class _Compiled:
    """The same work in compiled code, without the GIL."""

    def __init__(self, segmenter: Segmenter) -> None:
        from kexue_cli.segmentation import machine_code

        code = machine_code.load()
        self.segment_block, self.write_block = code.function("segment_block"), code.function("write_block")
        highest_base = code.function("highest_base")
        tries = (segmenter.trie, segmenter.user_words)
        units = [bytes(trie.units) for trie in tries]
        for trie, content in zip(tries, units, strict=True):
            count = len(trie.units)
            if count > 1 and highest_base(content, count) + max(trie.labels.values(), default=0) >= count:
                raise KexueError("the lexicon's trie is damaged; see: kexue models verify")
        rules, weights = segmenter.settings
        self.table = segmenter.table
        self.settings = (units[0], segmenter.table, units[1], segmenter.user_table, rules, array("q", weights))

    def starts(self, data: bytes) -> tuple[int, bytearray]:
        size = len(data)
        is_start = bytearray(size + 1)
        row = 8 * (size + 1)  # for a block of one line; of a mapping only what is touched takes memory
        work = memoryview(mmap.mmap(-1, 4 * row, **PRIVATE))
        rows = [work[start : start + row] for start in range(0, 4 * row, row)]
        return self.segment_block(data, size, *self.settings, is_start, *rows), is_start

    def write(self, data: bytes, is_start: bytearray, separator: bytes, continues: bool) -> bytes:
        output = bytearray(_room(data, separator))
        written = self.write_block(data, len(data), is_start, self.table, separator, len(separator), output, continues)
        return bytes(memoryview(output)[:written])


def _room(data: bytes, separator: bytes) -> int:
    """Return the most bytes that a block may have with separators."""
    return len(data) + len(separator) * (len(data) + 1)
