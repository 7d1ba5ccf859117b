"""Questions and passages to the reader's arrays, for prediction and for training.

Letters: u characters of the question, t of the passage window, v numbers of a word vector, f features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.tasks.encoding import EncodedText, Encoder, is_punctuation
from kexue_cli.tasks.qa import features
from kexue_cli.tasks.qa.config import AugmentationConfig, PreprocessorConfig
from kexue_cli.tasks.qa.punctuation import Punctuation, has_marks


@dataclass(frozen=True)
class Example:
    """A question to learn from: encoded passages, the answers' places (start, end) in each, the file it is from."""

    question: EncodedText
    passages: tuple[EncodedText, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    source: str = ""


class Preprocessor:
    """Makes samples: question and passage (ids), question_words and passage_words (vectors), features."""

    def __init__(self, encoder: Encoder, config: PreprocessorConfig) -> None:
        """Raises KexueError for a group of features that is not known."""
        for name in config.features:
            if name not in features.FEATURES:
                raise KexueError(unknown_name("group of features", name, features.FEATURES))
        self.encoder = encoder
        self.config = config

    def question(self, text: str) -> EncodedText:
        """Return a question, encoded; punctuation tells nothing there and is left out."""
        encoded = self.encoder.encode(text)
        kept = encoded.keep(~is_punctuation(encoded))
        return kept if kept.text else encoded

    def sample(
        self, question: EncodedText, passage: EncodedText, others: Sequence[EncodedText], source: str = ""
    ) -> Sample:
        """Return the arrays of a question and one window of a passage.

        others: the other passages. source: the training file that the question is from, or whose manner is followed.
        """
        arrays: Sample = {"question": question.ids, "passage": passage.ids}
        if self.encoder.dimension:
            arrays["question_words"] = self.encoder.word_vectors(question)
            arrays["passage_words"] = self.encoder.word_vectors(passage)
        if self.config.features:
            arrays["features"] = features.columns(self.config.features, question, passage, others)
        if self.config.sources:
            arrays["source"] = np.array(self.number_of(source), np.int32)
        return arrays

    def number_of(self, source: str) -> int:
        """Return the number that the network knows a training file by, from 1 on; 0 for none, "".

        Raises KexueError for a file that the reader was not trained on as one of several.
        """
        if not source:
            return 0
        if source not in self.config.sources:
            hint = "" if self.config.sources else "the reader does not tell training files apart"
            raise KexueError(unknown_name("source", source, self.config.sources, hint))
        return self.config.sources.index(source) + 1


class Augmentation:
    """Draws training samples from examples."""

    def __init__(
        self, preprocessor: Preprocessor, config: AugmentationConfig, punctuation: Punctuation | None = None
    ) -> None:
        """punctuation: what is known of where it stands, to put some in."""
        self.preprocessor = preprocessor
        self.config = config
        self.punctuation = punctuation

    def sample(self, example: Example, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return the inputs of one passage, or a part of it, and the labels start and end (t,)."""
        question = example.question
        index = self._passage(example, generator)
        passage = example.passages[index]
        spans: Sequence[tuple[int, int]] = example.spans[index]
        others = [*example.passages[:index], *example.passages[index + 1 :]]
        passage, spans = self._window(passage, spans, generator)
        if self.punctuation and not has_marks(passage) and generator.random() < self.config.add_punctuation:
            passage, spans = self.punctuation.insert(passage, spans, generator)
        elif generator.random() < self.config.strip_punctuation:
            passage, spans = _without_punctuation(passage, spans)
        if self.config.drop_words:
            question = question.hide(self.config.drop_words, generator)
            passage = passage.hide(self.config.drop_words, generator)
        labels = {name: np.zeros(len(passage.text), np.float32) for name in ("start", "end")}
        for start, end in spans:
            labels["start"][start] = 1
            labels["end"][end - 1] = 1
        source = "" if generator.random() < self.config.hide_source else example.source
        return self.preprocessor.sample(question, passage, others, source), dict(labels)

    def _passage(self, example: Example, generator: np.random.Generator) -> int:
        answered = [index for index, spans in enumerate(example.spans) if spans]
        others = [index for index, spans in enumerate(example.spans) if not spans]
        if answered and (not others or generator.random() >= self.config.unanswered):
            return int(generator.choice(answered))
        return int(generator.choice(others))

    def _window(
        self, passage: EncodedText, spans: Sequence[tuple[int, int]], generator: np.random.Generator
    ) -> tuple[EncodedText, Sequence[tuple[int, int]]]:
        longest = self.config.longest_window
        if len(passage.text) <= longest:
            if not len(passage.text) or generator.random() >= self.config.repeat_passage:
                return passage, spans
            passage, spans = _twice(passage, spans)
        size = int(generator.integers(self.config.least_window, longest + 1))
        low, high = 0, max(len(passage.text) - size, 0)
        if spans and generator.random() >= self.config.unanswered:
            start, end = spans[int(generator.integers(len(spans)))]
            low, high = max(0, min(end - size, high)), min(start, high)
        first = int(generator.integers(low, max(high, low) + 1))
        inside = [(start - first, end - first) for start, end in spans if start >= first and end <= first + size]
        return passage[first : first + size], inside


def _without_punctuation(
    passage: EncodedText, spans: Sequence[tuple[int, int]]
) -> tuple[EncodedText, Sequence[tuple[int, int]]]:
    is_kept = ~is_punctuation(passage)
    place = np.concatenate(([0], np.cumsum(is_kept[passage.word_of])))
    moved = [(int(place[start]), int(place[end])) for start, end in spans]
    return passage.keep(is_kept), [(start, end) for start, end in moved if start < end]


def _twice(passage: EncodedText, spans: Sequence[tuple[int, int]]) -> tuple[EncodedText, Sequence[tuple[int, int]]]:
    size = len(passage.text)
    both = EncodedText(
        passage.text * 2,
        passage.words * 2,
        np.concatenate((passage.word_of, passage.word_of + len(passage.words))),
        np.tile(passage.ids, 2),
        np.tile(passage.rows, 2),
    )
    return both, [*spans, *((start + size, end + size) for start, end in spans)]


def find_spans(text: str, answers: Sequence[str], starts: Sequence[int], longest: int) -> tuple[tuple[int, int], ...]:
    """Return the places (start, end) of the answers in a text; answers longer than *longest* are left out.

    starts: where each answer begins, if that is known; else all its occurrences count. An answer of several parts with
    spaces between them, as in SogouQA, stands where its parts stand if it is not there as a whole.
    """
    if starts:
        known = [(start, start + len(answer)) for start, answer in zip(starts, answers, strict=True)]
        return tuple(sorted({(start, end) for start, end in known if end - start <= longest}))
    spans = set()
    for answer in chain.from_iterable([answer] if answer in text else answer.split() for answer in answers):
        start = text.find(answer) if 0 < len(answer) <= longest else -1
        while start >= 0:
            spans.add((start, start + len(answer)))
            start = text.find(answer, start + 1)
    return tuple(sorted(spans))
