"""Segmented text as in the SIGHAN bake-offs: words separated by white space, one sentence a line.

The corpora of the second bake-off (PKU, MSR, CityU, AS) and most others since have this form.
"""

from collections.abc import Iterable, Iterator

from kexue_cli.errors import RecordError
from kexue_cli.records import Record, parse_record


def looks_like(line: str) -> bool:
    """Say whether a line may be segmented text: several words, and no JSON."""
    return len(line.split()) > 1 and not line.lstrip().startswith(("{", "["))


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


def convert(lines: Iterable[tuple[int, str]]) -> Iterator[Record]:
    """Yield each sentence as a record: its text without the separators, and its words with their places."""
    for words in read_sighan(lines):
        places = []
        start = 0
        for word in words:
            places.append({"word": word, "start": start, "end": start + len(word)})
            start += len(word)
        yield {"text": "".join(words), "words": places}
