"""The similarity model as training sees it: examples, losses, the score on the examples kept for development."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder import begin
from kexue_cli.tasks.encoding import VOCABULARY, EncodedText
from kexue_cli.tasks.similarity import Similarity, dimension_of, text_sample
from kexue_cli.tasks.similarity.calibration import calibrate
from kexue_cli.tasks.similarity.config import MOST_CLASSES, NETWORK, SimilarityConfig
from kexue_cli.tasks.similarity.records import Example, Group, Pair

if TYPE_CHECKING:
    import keras

    from kexue_cli.tasks.task import OpenNetwork

COMPARED_SAMPLES = 64  # before and after export


class SentenceEncoder:
    """An encoder to be trained."""

    monitor = "score"
    longest = "text_a"

    def __init__(self, training: Sequence[Example], development: Sequence[Example], config: SimilarityConfig) -> None:
        """Raises KexueError if there is nothing to learn from."""
        self.config, self.encoder, self.pretrained = begin(config, texts_of(training))
        self.development = development
        self.pairs = [one for one in training if isinstance(one, Pair) and one.label is not None]
        self.groups = [one for one in training if isinstance(one, Group)]
        labels = {one.label or 0.0 for one in self.pairs}
        self.same = max(labels, default=0.0) if max(labels, default=0.0) > min(labels | {0.0}) else math.inf
        self._check(labels)
        grouped = [number for number, one in enumerate(self.groups) if len(one.texts) > 1]
        self.class_of = {number: place for place, number in enumerate(grouped)} if self.has_classes else {}
        places = [(group, place) for group, one in enumerate(self.groups) for place in range(len(one.texts))]
        self.places = places * self.config.augmentation.repeat_groups

    def _check(self, labels: set[float]) -> None:
        """Raise KexueError if nothing can be learned, or there are too many groups."""
        loss = self.config.loss
        if not self.pairs and not self.groups:
            raise KexueError("there is neither a labelled pair nor a group to learn from")
        if not self.groups and len(labels) == 1 and not (loss.contrast_pairs and self.same < math.inf):
            raise KexueError(f"all pairs have the label {labels.pop():g}; give pairs of another label too, or groups")
        if self.has_classes and len(self.groups) > MOST_CLASSES:
            count = f"{len(self.groups):,} groups are too many for a vector each ({MOST_CLASSES:,} at most)"
            raise KexueError(f"{count}; give --set loss.contrast=batch")

    @property
    def has_classes(self) -> bool:
        """Whether groups have a vector each, which texts are told from."""
        return self.config.loss.contrast != "batch"

    @property
    def classes(self) -> int:
        """Groups that have a vector each, n: those of at least two texts."""
        return len(self.class_of)

    def __len__(self) -> int:
        return len(self.pairs) + len(self.places)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return two texts, a labelled pair or of one group, and which it is."""
        from kexue_cli.tasks.similarity.losses import NO_GROUP, NO_LABEL

        group, contrasted = NO_GROUP, NO_GROUP
        loss = self.config.loss
        if index < len(self.pairs):
            pair = self.pairs[index]
            texts, label = [pair.text_a, pair.text_b], float(pair.label or 0)
            if loss.contrast_pairs and label == self.same:
                contrasted = len(self.groups) + index  # a group that no other text is of
        else:
            group, place = self.places[index - len(self.pairs)]
            own = self.groups[group].texts
            other = int(generator.integers(max(len(own) - 1, 1)))  # a text alone is learned from two noisy copies
            texts, label = [own[place], own[(place + 1 + other) % len(own)]], NO_LABEL
            contrasted = NO_GROUP if loss.contrast == "classes" and group in self.class_of else group
        if generator.integers(2):
            texts.reverse()
        inputs: Sample = {}
        for side, text in zip("ab", texts, strict=True):
            encoded = text_sample(self._varied(text, generator), self.encoder)
            inputs |= {f"{name}_{side}": array for name, array in encoded.items()}
        labels = {"vectors": np.array([label, contrasted], np.float32)}
        if self.classes:
            labels["classes"] = np.array(self.class_of.get(group, NO_GROUP), np.int32)
        return inputs, labels

    def _varied(self, text: str, generator: np.random.Generator) -> EncodedText:
        """Return a text as it is learned from; at least one of its characters stays."""
        augmentation = self.config.augmentation
        text = text[: augmentation.longest_text]
        is_kept = generator.random(len(text)) >= augmentation.delete_characters
        if is_kept.any():
            text = "".join(character for character, kept in zip(text, is_kept.tolist(), strict=True) if kept)
        return self.encoder.encode(text).hide(augmentation.drop_words, generator)

    def build(self) -> "keras.Model":
        """Return the network, with new weights."""
        from kexue_cli.tasks.similarity.network import build

        network = build(self.config.network, self.classes)
        if self.pretrained:
            self.pretrained.copy_to(network)
        return network

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the encoder, without the vectors of the groups."""
        return {NETWORK: trained.get_layer(NETWORK)}

    def losses(self) -> dict[str, Any]:
        """Return the loss of the vectors and, if groups have one each, that of the cosines to these."""
        from kexue_cli.tasks.similarity.losses import class_loss, vector_loss

        loss = self.config.loss
        is_contrast = loss.contrast_pairs or len(self.class_of) < len(self.groups) or loss.contrast == "both"
        losses = {"vectors": vector_loss(self.config.loss, is_contrast=is_contrast)}
        return {**losses, "classes": class_loss(self.config.loss)} if self.classes else losses

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return the scores on the examples for development."""
        return calibrate(self._task(open_network), self.development).scores

    def _task(self, open_network: "OpenNetwork") -> Similarity:
        dimension = dimension_of(self.config.network)
        return Similarity(self.encoder, open_network(NETWORK), self.config.decoding, dimension)

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write the vocabulary and return the settings, with the threshold that is best for development."""
        self.encoder.vocabulary.write(folder / VOCABULARY)
        threshold = calibrate(self._task(open_network), self.development).threshold
        return asdict(replace(self.config, decoding=replace(self.config.decoding, threshold=threshold)))

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return the first texts for development."""
        texts = list(texts_of(self.development))[:COMPARED_SAMPLES]
        return {NETWORK: [text_sample(self.encoder.encode(text), self.encoder) for text in texts]}


def texts_of(examples: Sequence[Example]) -> Iterator[str]:
    """Yield all texts of pairs and groups."""
    for example in examples:
        yield from example.texts if isinstance(example, Group) else (example.text_a, example.text_b)
