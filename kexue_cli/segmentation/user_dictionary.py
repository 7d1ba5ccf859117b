"""Words that a user wants kept, with or without a frequency, and what stands in their way.

One word a line: ``word``, ``word FREQUENCY`` or ``word FREQUENCY TAG`` as jieba writes it; if the line has a TAB,
TABs separate the cells and the word may hold spaces. Empty lines and lines that start with # are passed over.

Priority, the first that applies:
1. A word without a frequency is cut out wherever it stands, against the lexicon and the rules. Where two of them
   overlap, the cut that covers the most characters with such words is taken, then the one with the fewest words,
   then the one with the greater weight.
2. A word with a frequency weighs as much as a word of the model that is that frequent, instead of what the lexicon
   says if that is less.
3. A word never begins or ends between two letters or digits: 股 A in BA股 is not found.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import try_lines
from kexue_cli.segmentation.segmenter import DecodingConfig
from kexue_cli.segmentation.trie import Trie, build_trie, whole_weight
from kexue_cli.segmentation.viterbi import FORCED_WEIGHT
from kexue_cli.streams import open_input, source_name


@dataclass(frozen=True)
class Entry:
    """A word of a user dictionary. frequency: None if it is always to be kept."""

    word: str
    frequency: float | None
    line: int


@dataclass(frozen=True)
class Conflict:
    """Something about an entry that a user may not expect."""

    line: int
    word: str
    problem: str


@dataclass
class UserDictionary:
    """The entries of a file by word; of two entries for a word the later one counts."""

    source: str
    entries: dict[str, Entry] = field(default_factory=dict)
    repeated: list[Conflict] = field(default_factory=list)


def read_user_dictionary(path: str, *, encoding: str = "utf-8") -> UserDictionary:
    """Read a user dictionary, in UTF-8 or else in *encoding*, that of the text.

    Raises RecordError naming the line if one has no word or a frequency that is not a number above 0.
    """
    dictionary = UserDictionary(source_name(path))
    for number, line in read_list(path, encoding):
        entry = _parse(line, dictionary.source, number)
        before = dictionary.entries.get(entry.word)
        if before is not None and before.frequency != entry.frequency:
            problem = f"stands in line {before.line} with another frequency; line {number} counts"
            dictionary.repeated.append(Conflict(number, entry.word, problem))
        dictionary.entries[entry.word] = entry
    if not dictionary.entries:
        raise KexueError(f"{path} holds no word")
    return dictionary


def read_list(path: str, encoding: str) -> list[tuple[int, str]]:
    """Return the numbered lines of a list of words, in UTF-8 or else in *encoding*; no empty ones and no comments."""
    with open_input(path) as stream:
        lines = list(try_lines(stream, path))
    if any(isinstance(line, RecordError) for _, line in lines) and encoding != "utf-8":
        with open_input(path) as stream:
            lines = list(try_lines(stream, path, encoding=encoding))
    kept = []
    for number, line in lines:
        if isinstance(line, RecordError):
            raise line
        if line.strip() and not line.startswith("#"):
            kept.append((number, line))
    return kept


def _parse(line: str, source: str, number: int) -> Entry:
    cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
    word = cells[0]
    if not word:
        raise RecordError(source, number, f"no word before the TAB; found {line[:40]!r}")
    if len(cells) == 1 or not cells[1]:
        return Entry(word, None, number)
    try:
        frequency = float(cells[1])
    except ValueError:
        frequency = math.nan
    if not 0 < frequency < math.inf:
        raise RecordError(
            source, number, f"the frequency of {word!r} must be a number above 0; found {cells[1]!r}; "
            "allowed: WORD, WORD FREQUENCY, or TABs between them if the word holds spaces"
        )  # fmt: skip
    return Entry(word, frequency, number)


def entry_weight(entry: Entry, decoding: DecodingConfig) -> int:
    """Return the whole weight of a user's word."""
    if entry.frequency is None:
        return FORCED_WEIGHT
    return whole_weight(decoding.frequency_slope * math.log(entry.frequency) + decoding.frequency_intercept)


def compile_user_words(dictionary: UserDictionary, decoding: DecodingConfig) -> Trie:
    """Return the trie of a user dictionary."""
    return build_trie({word: entry_weight(entry, decoding) for word, entry in dictionary.entries.items()})


def conflicts(dictionary: UserDictionary, segment: Callable[[str], list[str]]) -> Iterator[Conflict]:
    """Yield what in a dictionary contradicts itself or does not do what it seems to.

    segment: cuts a text with the model and this dictionary.
    """
    yield from dictionary.repeated
    entries = dictionary.entries
    longest = max(map(len, entries))
    starts: dict[str, str] = {}
    for word in entries:
        for length in range(1, len(word)):
            starts.setdefault(word[:length], word)
    for word, entry in entries.items():
        cut = segment(word)
        if cut != [word]:
            yield Conflict(entry.line, word, f"is cut even so: {' '.join(cut)}; leave out the frequency to keep it")
        for length in range(1, min(len(word), longest)):
            other = starts.get(word[length:])
            if other is not None and other != word:
                text = word[:length] + other
                yield Conflict(entry.line, word, f"overlaps {other} in {text}, which is cut: {' '.join(segment(text))}")
