"""Segmented text as in the SIGHAN bake-offs: words separated by white space, one sentence a line.

The corpora of the second bake-off (PKU, MSR, CityU, AS) and most others since have this form.
"""

from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import RecordError
from kexue_cli.records import Record, parse_record


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be segmented text: several words in the first line, and no JSON."""
    line = head.lstrip().partition("\n")[0]
    return len(line.split()) > 1 and not line.startswith(("{", "["))


def read_sighan(lines: Iterable[tuple[int, str]]) -> Iterator[list[str]]:
    """Yield the words of each numbered line that has any."""
    for _, line in lines:
        words = line.split()
        if words:
            yield words


def read_gold(lines: Iterable[tuple[int, str]], source: str) -> Iterator[list[str]]:
    """Yield the words of each line: segmented text, or a record with "words" as convert writes it.

    Raises RecordError for a record without words.
    """
    for number, line in lines:
        if not line.lstrip().startswith("{"):
            yield from read_sighan([(number, line)])
            continue
        words = parse_record(line, source, number).get("words")
        if not isinstance(words, list) or not all(isinstance(word, dict) and "word" in word for word in words):
            raise RecordError(source, number, 'a record of gold text needs "words": [{"word": ...}, ...]')
        yield [str(word["word"]) for word in words]


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each sentence: its text, and its words with their places."""
    for number, line in lines:
        words = line.split()
        if words:
            yield str(number), {"text": "".join(words), "words": placed_words(words)}


def placed_words(words: Iterable[str]) -> list[Record]:
    """Return words with their places in the text that they make up."""
    places = []
    start = 0
    for word in words:
        places.append({"word": word, "start": start, "end": start + len(word)})
        start += len(word)
    return places
