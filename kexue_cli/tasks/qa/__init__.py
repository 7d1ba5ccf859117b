"""Question answering: the reader finds the answer to a question in one or more passages.

Article: https://kexue.fm/archives/5409 and https://kexue.fm/archives/6906
Data:    WebQA, SogouQA and sets in the form of SQuAD; readers in kexue_cli/datasets/
Score:   see models/dgcnn-qa/metrics.json
Not here: answers that do not stand in a passage as they are, or in several pieces.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli.batching import Sample, output_of
from kexue_cli.config import part_of
from kexue_cli.records import SCORE_DIGITS, Record, add_answer
from kexue_cli.tasks.encoding import load_vocabulary, make_encoder, windows
from kexue_cli.tasks.qa.config import NETWORK, DecodingConfig, NetworkConfig, PreprocessorConfig
from kexue_cli.tasks.qa.decoding import Candidate, Span, spans_of, vote
from kexue_cli.tasks.qa.preprocessor import Preprocessor
from kexue_cli.tasks.qa.records import Question, read_question
from kexue_cli.zoo import read_config

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime

SHOWN_CANDIDATES = 3
TOKENS = 4096  # characters of passages that the network reads at once
WINDOWS = 256  # that are held at once


class QuestionAnswering:
    """A reader, ready to answer."""

    def __init__(self, preprocessor: Preprocessor, runtime: "Runtime", decoding: DecodingConfig) -> None:
        self.preprocessor = preprocessor
        self.runtime = runtime
        self.decoding = decoding
        preprocessor.number_of(decoding.source)  # so that a source that is not known is told of at once

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with "answer" (None if there is none), "score", "passage", "start", "end", "candidates".

        Raises KexueError for a record without a question or passages.
        """
        records = list(records)
        questions = [read_question(record, with_answers=False) for record in records]
        for record, candidates in zip(records, self.answer(questions), strict=True):
            yield add_answer(record, self._fields(candidates), "qa")

    def with_settings(self, **settings: Any) -> "QuestionAnswering":
        """Return the same reader with some settings of its decoding changed. Raises KexueError for bad ones."""
        return QuestionAnswering(self.preprocessor, self.runtime, replace(self.decoding, **settings))

    def _fields(self, candidates: Sequence[Candidate]) -> Record:
        shown = [
            candidate._asdict() | {"score": round(candidate.score, SCORE_DIGITS)}
            for candidate in candidates[:SHOWN_CANDIDATES]
        ]
        if candidates and candidates[0].score >= self.decoding.threshold:
            return {**shown[0], "candidates": shown}
        score = shown[0]["score"] if shown else 0.0
        return {"answer": None, "score": score, "passage": None, "start": None, "end": None, "candidates": shown}

    def answer(self, questions: Sequence[Question]) -> list[list[Candidate]]:
        """Return the possible answers of each question, the best first."""
        from kexue_cli.runtimes import run

        spans: list[list[Span]] = [[] for _ in questions]
        parts = ((index, *part) for index, question in enumerate(questions) for part in self.samples(question))
        while group := list(islice(parts, WINDOWS)):
            outputs = run(self.runtime, [sample for *_, sample in group], length="passage", budget=TOKENS)
            for (index, passage, window, _), output in zip(group, outputs, strict=True):
                text = questions[index].passages[passage].text[window]
                pointers = [output_of(output, name, None, None) for name in ("start", "end")]
                start, end = (each.mean(axis=-1) for each in pointers)  # over the members
                spans[index] += spans_of(start, end, text, passage=passage, offset=window.start, config=self.decoding)
        return [
            vote(found, [passage.text for passage in question.passages], self.decoding, question=question.question)
            for question, found in zip(questions, spans, strict=True)
        ]

    def samples(self, question: Question) -> Iterator[tuple[int, slice, Sample]]:
        """Yield the passage, the window and the sample of each part of each passage."""
        encoded = self.preprocessor.question(question.question)
        passages = [self.preprocessor.encoder.encode(passage.text) for passage in question.passages]
        for index, passage in enumerate(passages):
            others = [*passages[:index], *passages[index + 1 :]]
            for window in windows(len(passage.text), self.preprocessor.config):
                yield index, window, self.preprocessor.sample(encoded, passage[window], others, self.decoding.source)


def load(
    folder: str | Path, *, threads: int = 1, open_network: "Callable[[str], Runtime] | None" = None
) -> QuestionAnswering:
    """Return the reader in a folder. open_network: opens a network of the folder by its name.

    Raises KexueError if the folder is damaged, or a model it refers to is not the one it was trained with.
    """
    path = Path(folder)
    values = read_config(path)
    config = part_of(values, "preprocessor", PreprocessorConfig, path)
    decoding = part_of(values, "decoding", DecodingConfig, path)
    network = part_of(values, "network", NetworkConfig, path)
    vocabulary = load_vocabulary(path, config, network.vocabulary_size)
    assert open_network is not None
    with ThreadPoolExecutor(1) as pool:  # the runtime opens the network in code that needs no GIL
        runtime = pool.submit(open_network, NETWORK)
        preprocessor = Preprocessor(make_encoder(vocabulary, config), config)
        return QuestionAnswering(preprocessor, runtime.result(), decoding)
