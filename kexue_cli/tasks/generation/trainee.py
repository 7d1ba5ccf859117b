"""The language model as training sees it: texts under conditions, the loss of each character, the perplexity."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, collate
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import LEAST_COUNT, VOCABULARY
from kexue_cli.tasks.generation import Generation, beginning
from kexue_cli.tasks.generation.conditions import Fields
from kexue_cli.tasks.generation.config import CONDITION, DECODER, MARKS, GenerationConfig, past_names
from kexue_cli.tasks.generation.metrics import perplexity
from kexue_cli.tasks.generation.preprocessor import Preprocessor, texts_of, windows
from kexue_cli.tasks.generation.records import Condition, Text
from kexue_cli.text.vocabulary import PADDING, Vocabulary

if TYPE_CHECKING:
    import keras

    from kexue_cli.tasks.task import OpenNetwork

COMPARED_SAMPLES, COMPARED_PAST = 16, 2  # texts before and after export, and characters that they go on from


class LanguageModel:
    """A language model to be trained."""

    monitor = "likelihood"  # mean probability of a character, 1 / perplexity
    longest = "ids"

    def __init__(self, training: Sequence[Text], development: Sequence[Text], config: GenerationConfig) -> None:
        """Raises KexueError if there is nothing to learn from, or a field holds things of two kinds."""
        if not training:
            raise KexueError("there is no text to learn from")
        fields = Fields.of([*training, *development], config.fields)
        self.beginning = beginning.load(config.start) if config.start else None
        if self.beginning:
            vocabulary, shape = self.beginning.preprocessor.vocabulary, self.beginning.shape(config.network)
            fields = self.beginning.fields(fields)
        else:
            vocabulary, shape = Vocabulary.count(texts_of(training, fields), LEAST_COUNT), config.network
        network = replace(fields.shape(shape), vocabulary_size=len(vocabulary) + MARKS)
        self.config = replace(config, fields=fields.config, network=network)
        self.preprocessor = Preprocessor(vocabulary, fields, network)
        self.training = training
        self.development = development
        longest = network.longest
        self.windows = [
            (row, start)
            for row, text in enumerate(training)
            for start, _ in windows(len(self.preprocessor.ids(text)[0]) - 1, longest, longest)
        ]

    def __len__(self) -> int:
        return len(self.windows)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return what the network sees of a text at once, with its condition or without, and what follows each id."""
        row, start = self.windows[index]
        text = self.training[row]
        ids, lead = self.preprocessor.ids(text)
        if generator.random() < self.config.augmentation.drop_condition:
            text = replace(text, condition=_partly(text.condition, generator))
            if not start:  # later windows stay where they are
                ids, lead = self.preprocessor.ids(text)
        seen = ids[start : start + self.config.network.longest + 1]
        labels = seen[1:].copy()
        labels[: max(0, lead - 1 - start)] = PADDING  # the lead is not to be written
        return {**self.preprocessor.condition(text.condition), **self.preprocessor.seen(seen[:-1])}, {
            "characters": labels
        }

    def build(self) -> "keras.Model":
        """Return the network, with new weights, or with those of the model that it begins from."""
        from kexue_cli.tasks.generation.network import build

        network = build(self.config.network)
        if self.beginning:
            self.beginning.copy_to(self.networks(network), self.preprocessor.fields)
        return network

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the network of the condition and the one that writes."""
        return {name: trained.get_layer(name) for name in (CONDITION, DECODER)}

    def losses(self) -> dict[str, Any]:
        """Return the cross entropy of the characters."""
        from kexue_cli.losses import smoothed_crossentropy

        return {"characters": smoothed_crossentropy(self.config.loss.label_smoothing)}

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return the perplexity of a character of the texts for development, and its inverse."""
        networks: dict[str, Any] = {name: open_network(name) for name in (CONDITION, DECODER)}
        model = Generation(self.preprocessor, networks, self.config.decoding)
        value = perplexity(model.log_likelihoods(self.development))
        return {"likelihood": 1 / value, "perplexity": value}

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write the vocabulary and the values of the fields; return the settings."""
        self.preprocessor.vocabulary.write(folder / VOCABULARY)
        self.preprocessor.fields.write(folder)
        return asdict(self.config)

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return the first conditions for development, and their texts behind some characters of made-up states."""
        texts = self.development[:COMPARED_SAMPLES]
        conditions = [self.preprocessor.condition(text.condition) for text in texts]
        found = open_network(CONDITION)(collate(conditions))[CONDITION]
        network = self.config.network
        generator = np.random.default_rng(0)
        shape = (network.heads, COMPARED_PAST, network.width // network.heads)
        samples: list[Sample] = []
        for row, (text, vector) in enumerate(zip(texts, found, strict=True)):
            past = {name: generator.normal(size=shape).astype(np.float32) for name in past_names(network.depth)}
            seen = self.preprocessor.seen(self.preprocessor.ids(text)[0][: network.longest])
            samples.append({**seen, CONDITION: vector, "parents": np.array(row, np.int32), **past})
        return {CONDITION: conditions, DECODER: samples}


def _partly(condition: Condition, generator: np.random.Generator) -> Condition:
    """Return a condition without one, some or all of its fields; each number of fields is as likely."""
    names = list(condition)
    kept = generator.permutation(len(names))[: generator.integers(max(1, len(names)))]
    return {names[index]: condition[names[index]] for index in sorted(kept)}
