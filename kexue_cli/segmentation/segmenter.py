"""A model that segments: text to words, alone or in streams of blocks over several threads.

Article: https://kexue.fm/archives/5476. Scores: models/*/metrics.json.
"""

import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kexue_cli.errors import KexueError
from kexue_cli.records import Block, Record, invalid_utf8
from kexue_cli.segmentation import viterbi
from kexue_cli.segmentation.rules import RULES
from kexue_cli.segmentation.trie import NO_TRIE, Trie, whole_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SMALL_BYTES = 128 << 10  # up to here plain Python is done before the compiled code would be loaded


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

    def starts(self, block: Block) -> Any:
        """Return an array of bytes (b + 1,): 1 where a token starts, 2 at line feeds and the CR before one.

        Raises RecordError if the block is not valid UTF-8, KexueError if the trie is damaged.
        """
        compiled = self._compiled_if_worth(len(block.data))
        status, is_start = (compiled or self._plain_starts)(block.data)
        if status < 0:
            raise invalid_utf8(block, -1 - status)
        return is_start

    def write(self, block: Block, separator: str) -> bytes:
        """Return a block with *separator* between the words of each line; errors as for starts."""
        is_start = self.starts(block)
        data, gap = block.data, separator.encode()
        room = len(data) + len(gap) * (len(data) + 1)
        compiled = self._compiled
        if compiled is not None and not isinstance(is_start, bytearray):
            return compiled.write(data, is_start, gap, room, block.line_offset > 0)
        output = bytearray(room)
        written = viterbi.write_block(data, len(data), is_start, self.table, gap, output, block.line_offset > 0)
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
                gc.disable()  # loading makes many objects that stay; looking for garbage in them takes 0.07 s
                try:
                    self._compiled = _Compiled(self)
                finally:
                    gc.enable()

    def _plain_starts(self, data: bytes) -> tuple[int, bytearray]:
        longest = max(map(len, data.split(b"\n"))) + 2
        work = [[viterbi.UNREACHED] * longest, [0] * longest, [0] * longest, [0] * longest]
        is_start = bytearray(len(data) + 1)
        try:
            status = viterbi.segment_block(
                data, len(data), self.trie.units, self.table, self.user_words.units, self.user_table, *self.settings,
                is_start, work,
            )  # fmt: skip
        except IndexError:
            raise KexueError("the lexicon's trie is damaged; see: kexue models verify") from None
        return status, is_start


class _Compiled:
    """The same work in compiled code, without the GIL."""

    def __init__(self, segmenter: Segmenter) -> None:
        import numpy as np

        from kexue_cli.segmentation import compilation

        self.numpy, self.compilation = np, compilation
        self.settings = segmenter.settings
        tries = (segmenter.trie, segmenter.user_words)
        self.units, self.user_units = (np.frombuffer(trie.units, np.int64) for trie in tries)
        tables = (segmenter.table, segmenter.user_table)
        self.table, self.user_table = (np.frombuffer(table, np.int32) for table in tables)
        for units, table in ((self.units, self.table), (self.user_units, self.user_table)):
            highest = int((units >> viterbi.BASE_SHIFT & viterbi.BASE_MASK).max()) + int((table & 0xFFFF).max())
            if len(units) > 1 and highest >= len(units):
                raise KexueError("the lexicon's trie is damaged; see: kexue models verify")
        self(b"\n")  # compiles, or reads the cache
        self.write(b"\n", np.zeros(2, np.uint8), b" ", 4, False)

    def __call__(self, data: bytes) -> "tuple[int, npt.NDArray[np.uint8]]":
        np = self.numpy
        array = np.frombuffer(data, np.uint8)
        feeds = np.flatnonzero(array == 10)
        longest = int(np.diff(feeds, prepend=-1, append=len(data)).max()) + 2
        work = np.empty((4, longest), np.int64)
        work[0] = viterbi.UNREACHED
        is_start = np.zeros(len(data) + 1, np.uint8)
        status = self.compilation.segment_block(
            array, len(data), self.units, self.table, self.user_units, self.user_table, *self.settings, is_start, work
        )
        return status, is_start

    def write(self, data: bytes, is_start: Any, separator: bytes, room: int, continues: bool) -> bytes:
        np = self.numpy
        output = np.empty(room, np.uint8)
        gap = np.frombuffer(separator, np.uint8)
        array = np.frombuffer(data, np.uint8)
        written = self.compilation.write_block(array, len(data), is_start, self.table, gap, output, continues)
        return output[:written].tobytes()  # type: ignore[no-any-return]
