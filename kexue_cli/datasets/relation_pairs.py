"""The same files as relation-tsv, with the pairs that have no relation as the "unrelated" of a record.

They tell where names stand, and which of them have nothing to do with each other: an extractor can learn from that.
"""

from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.datasets.relation_tsv import read_sentences
from kexue_cli.records import Record


def looks_like(head: str) -> bool:
    """Say no: such a file is read as relation-tsv unless this format is named."""
    return False


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the record of each sentence as relation-tsv does, with its pairs that are in no triple."""
    for number, sentence, triples, unrelated in read_sentences(lines, source, refuse):
        yield number, {"text": sentence, "triples": triples, "unrelated": unrelated}
