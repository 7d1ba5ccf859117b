"""Segmented text as in the SIGHAN bake-offs: words separated by white space, one sentence a line.

The corpora of the second bake-off (PKU, MSR, CityU, AS) and most others since have this form.
"""

from collections.abc import Iterator
from typing import BinaryIO

from kexue_cli.records import Record, open_input, read_lines


def read_sighan(stream: BinaryIO, path: str | None = None, *, encoding: str = "utf-8") -> Iterator[list[str]]:
    """Yield the words of each line that has any."""
    for _, line in read_lines(stream, path, encoding=encoding):
        words = line.split()
        if words:
            yield words


def convert(path: str, encoding: str) -> Iterator[Record]:
    """Yield each sentence as a record: its text without the separators, and its words with their places."""
    with open_input(path) as stream:
        for words in read_sighan(stream, path, encoding=encoding):
            places = []
            start = 0
            for word in words:
                places.append({"word": word, "start": start, "end": start + len(word)})
                start += len(word)
            yield {"text": "".join(words), "words": places}
