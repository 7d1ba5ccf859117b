"""jieba behind the same door, for comparison: https://github.com/fxsjy/jieba."""

import logging
import tempfile
from collections.abc import Iterator
from itertools import pairwise

from kexue_cli.records import Block, Record, invalid_utf8
from kexue_cli.segmentation.segmenter import Span
from kexue_cli.zoo import cache_folder


class JiebaSegmenter:
    """jieba.cut. use_hmm: whether it guesses words that are not in its dictionary."""

    def __init__(self, *, use_hmm: bool) -> None:
        import jieba

        jieba.setLogLevel(logging.WARNING)
        self.tokenizer = jieba.Tokenizer()
        # jieba's own choice for its cache is the temporary folder, which users share.
        self.private = tempfile.TemporaryDirectory()
        self.tokenizer.tmp_dir = str(cache_folder() or self.private.name)
        self.use_hmm = use_hmm

    def spans(self, text: str) -> list[Span]:
        """Return the words of a text with their places."""
        spans: list[Span] = []
        start = 0
        for word in self.tokenizer.cut(text, HMM=self.use_hmm):
            spans.append(Span(word, start, start + len(word)))
            start += len(word)
        return spans

    def records(self, block: Block) -> Iterator[Record]:
        """Yield each line of a block as a record."""
        for line in _lines(block):
            text = line.removesuffix("\r")
            yield {"text": text, "words": [vars(span) for span in self.spans(text)]}

    def write(self, block: Block, separator: str) -> bytes:
        """Return a block with *separator* between the words of each line, but not beside white space."""
        output = []
        for line in _lines(block):
            words = [span.word for span in self.spans(line.removesuffix("\r"))]
            text = "".join(
                word if before.isspace() or word.isspace() else separator + word
                for before, word in pairwise([" ", *words])
            )
            output.append(text + ("\r\n" if line.endswith("\r") else "\n"))
        return "".join(output).encode()

    def may_cut_at(self, marks: str) -> bool:
        """Say whether a line may be cut behind these marks."""
        return False

    def prepare(self) -> None:
        """Read the dictionary."""
        self.tokenizer.initialize()


def _lines(block: Block) -> Iterator[str]:
    try:
        text = block.data.decode()
    except UnicodeDecodeError as error:
        raise invalid_utf8(block, error.start) from None
    yield from text.removesuffix("\n").split("\n")
