"""The reader as training sees it: examples, losses, the score on the questions kept for development."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder import Source, begin
from kexue_cli.tasks.encoding import VOCABULARY
from kexue_cli.tasks.qa import QuestionAnswering, features
from kexue_cli.tasks.qa.beginning import Beginning, go_on
from kexue_cli.tasks.qa.calibration import calibrated
from kexue_cli.tasks.qa.config import NETWORK, ReaderConfig
from kexue_cli.tasks.qa.metrics import score
from kexue_cli.tasks.qa.preprocessor import Augmentation, Example, Preprocessor, find_spans
from kexue_cli.tasks.qa.punctuation import Punctuation
from kexue_cli.tasks.qa.records import Question
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    import keras

    from kexue_cli.tasks.task import OpenNetwork

COMPARED_SAMPLES = 64  # before and after export


class Reader:
    """A reader to be trained."""

    monitor = "score"
    longest = "passage"

    def __init__(self, training: Sequence[Question], development: Sequence[Question], config: ReaderConfig) -> None:
        """Raises KexueError if there is nothing to learn from, or for a setting that does not go with the data."""
        self.pretrained: Beginning | Source | None  # what its weights begin as
        config, encoder, self.pretrained = go_on(config) if config.start else begin(config, _texts(training))
        sources = tuple(dict.fromkeys(question.source for question in training)) if config.decoding.source else ()
        preprocessor = replace(config.preprocessor, sources=sources)
        self.preprocessor = Preprocessor(encoder, preprocessor)
        width = features.width(preprocessor.features)
        network = replace(config.network, features=width, sources=len(sources))
        self.preprocessor.number_of(config.decoding.source)
        self.config = replace(config, network=network, preprocessor=preprocessor)
        self.examples = self._learnable(training)
        self.augmentation = Augmentation(self.preprocessor, config.augmentation, self._punctuation())
        self.development = development

    def _learnable(self, questions: Sequence[Question]) -> list[Example]:
        """Return the examples with an answer that can be learned, and a set share of those without any answer."""
        config = self.config.augmentation
        examples = make_examples(self.preprocessor, questions, config.longest_answer)
        answered, unanswered = [], []
        for question, example in zip(questions, examples, strict=True):
            if any(example.spans):
                answered.append(example)
            elif not question.answers and any(passage.text for passage in example.passages):
                unanswered.append(example)
        if not answered:
            raise KexueError(f"no question has an answer of at most {config.longest_answer} characters in its passage")
        room = int(len(answered) * config.unanswered)
        drawn = np.random.default_rng(0).permutation(len(unanswered))[:room]
        return answered + [unanswered[index] for index in sorted(drawn)]

    def _punctuation(self) -> Punctuation | None:
        """Return what the training tells of where punctuation stands, if it is to be put where there is none."""
        if not self.config.augmentation.add_punctuation:
            return None
        passages = {id(passage): passage for example in self.examples for passage in example.passages}  # each once
        punctuation = Punctuation(self.preprocessor.encoder, passages.values())
        if not punctuation.is_known:
            raise KexueError("no passage has punctuation to learn from; leave out augmentation.add_punctuation")
        return punctuation

    def __len__(self) -> int:
        return len(self.examples)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return inputs of one passage of question *index*, and labels (t, n), the same for all n members."""
        inputs, labels = self.augmentation.sample(self.examples[index], generator)
        members = self.config.network.members
        return inputs, {name: np.repeat(array[:, None], members, axis=1) for name, array in labels.items()}

    def build(self) -> "keras.Model":
        """Return the network, with new weights."""
        from kexue_cli.tasks.qa.network import build

        network = build(self.config.network)
        if self.pretrained:
            self.pretrained.copy_to(network)
        return network

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the one network there is."""
        return {NETWORK: trained}

    def losses(self) -> dict[str, Any]:
        """Return the focal loss for both pointers; padding is 0 in labels and outputs, and so costs nothing."""
        import keras

        loss = self.config.loss
        return {
            name: keras.losses.BinaryFocalCrossentropy(
                apply_class_balancing=True, alpha=loss.positive_weight, gamma=loss.gamma
            )
            for name in ("start", "end")
        }

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return exact_match, f1 and their mean on the questions for development."""
        task = QuestionAnswering(self.preprocessor, open_network(NETWORK), self.config.decoding)
        least = self.config.decoding.threshold  # 0 while training; what is fitted at the end counts for the last scores
        best = [found[0] if found and found[0].score >= least else None for found in task.answer(self.development)]
        pairs = [
            score(candidate.answer if candidate else None, question.answers)
            for question, candidate in zip(self.development, best, strict=True)
        ]
        exact, f1 = np.mean(pairs, axis=0) if pairs else (0.0, 0.0)
        return {"exact_match": float(exact), "f1": float(f1), "score": float(exact + f1) / 2}

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write the vocabulary and return the settings, with scores that are chances to be right."""
        self.preprocessor.encoder.vocabulary.write(folder / VOCABULARY)
        task = QuestionAnswering(self.preprocessor, open_network(NETWORK), self.config.decoding)
        self.config = replace(self.config, decoding=calibrated(task, self.development))
        return asdict(self.config)

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return the inputs of the first questions for development."""
        task = QuestionAnswering(self.preprocessor, open_network(NETWORK), self.config.decoding)
        samples = (sample for question in self.development for _, _, sample in task.samples(question))
        return {NETWORK: list(islice(samples, COMPARED_SAMPLES))}


def _texts(questions: Iterable[Question]) -> Iterator[str]:
    for question in questions:
        yield question.question
        yield from (passage.text for passage in question.passages)


def make_examples(preprocessor: Preprocessor, questions: Iterable[Question], longest: int) -> Iterator[Example]:
    """Yield the questions, encoded, with the places of their answers of at most *longest* characters.

    A passage whose answers are all longer, or stand nowhere in it, is left out: it is not one without an answer.
    """
    encode = cache(preprocessor.encoder.encode)  # many questions may share a passage
    for question in questions:
        passages, spans = [], []
        for passage in question.passages:
            encoded = encode(passage.text)
            found = find_spans(encoded.text, [normalize(answer) for answer in passage.answers], passage.starts, longest)
            if found or not passage.answers:
                passages.append(encoded)
                spans.append(found)
        yield Example(preprocessor.question(question.question), tuple(passages), tuple(spans), question.source)
