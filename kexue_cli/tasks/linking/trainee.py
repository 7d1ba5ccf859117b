"""The entity linker as training sees it: examples, losses, the score on the texts kept for development."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError
from kexue_cli.streams import writing_temporarily
from kexue_cli.tasks.encoder import begin
from kexue_cli.tasks.encoding import VOCABULARY
from kexue_cli.tasks.linking import EntityLinking
from kexue_cli.tasks.linking.annotations import Annotations, Example, Gold
from kexue_cli.tasks.linking.calibration import calibrated, score
from kexue_cli.tasks.linking.config import CHOICE, CONTEXT_WORDS, ENTITIES, ENTITY_WORDS, MENTIONS, LinkingConfig
from kexue_cli.tasks.linking.decoding import Span
from kexue_cli.tasks.linking.entities import Entity
from kexue_cli.tasks.linking.knowledge_base import candidate
from kexue_cli.tasks.linking.preprocessor import Candidate, Context, choice_sample, context_of, text_sample
from kexue_cli.tasks.linking.records import LabelledText

if TYPE_CHECKING:
    import keras

    from kexue_cli.tasks.task import OpenNetwork

COMPARED_SAMPLES = 32  # before and after export
UNKNOWN = -1  # label of a choice that nothing is learned from
UNCOUNTED_RATIO = 0.5  # of a name that was never counted, see preprocessor.Name


class Linker:
    """A linker to be trained."""

    monitor = "score"
    longest = "text"

    def __init__(
        self,
        training: Sequence[LabelledText],
        development: Sequence[LabelledText],
        config: LinkingConfig,
        *,
        entities: Sequence[Entity] = (),
        mentions: Sequence[LabelledText] = (),
    ) -> None:
        """entities: the base, to which what else the training texts link to is added.

        mentions: texts of which only the places of mentions are learned.

        Raises KexueError if there is nothing to learn from, or there are to be no word vectors.
        """
        if not config.preprocessor.words:
            raise KexueError("linking compares word vectors; preprocessor.words must name some, such as word-vectors")
        texts = (labelled.text for labelled in (*training, *mentions))
        self.config, self.encoder, self.pretrained = begin(config, texts)
        self.development = development
        with writing_temporarily():
            self._folder = tempfile.TemporaryDirectory(prefix="kexue-base-")
            self.annotations = Annotations(entities, training, Path(self._folder.name), self.encoder)
        self.examples = [self.annotations.example(labelled) for labelled in training]
        self.examples += [self.annotations.example(one, is_counted=False) for one in mentions]

    @property
    def base(self) -> Any:
        """The compiled base of the training."""
        return self.annotations.base

    def __len__(self) -> int:
        return len(self.examples)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return the inputs of a text and one of its mentions, and the labels of both networks."""
        linked = [gold for gold in self.examples[index].mentions if gold.is_linked]
        gold = linked[int(generator.integers(len(linked)))] if linked else None
        augmentation = self.config.augmentation
        example, gold = cut(self.examples[index], gold, augmentation.longest_text, generator)
        is_uncounted = generator.random() < augmentation.hide_counts
        names = [replace(name, count=0, occurrences=0) for name in example.names] if is_uncounted else example.names
        if generator.random() < augmentation.hide_base:
            names = ()
        text = example.text.hide(augmentation.drop_words, generator)
        labels, span = np.zeros((len(text.text), 2), np.float32), np.zeros(len(text.text), np.float32)
        for one in example.mentions:
            labels[[one.start, one.end - 1], [0, 1]] = 1
        candidates: list[Candidate]
        if gold is None:
            candidates, choice, context, ratio = [], UNKNOWN, Context(np.zeros(CONTEXT_WORDS, np.int32)), 0.0
        else:
            candidates, choice = self._candidates(gold, is_uncounted, generator)
            span[gold.start : gold.end] = 1 / (gold.end - gold.start)
            context = context_of(text, gold.start, gold.end)
            ratio = UNCOUNTED_RATIO if is_uncounted else gold.ratio
        inputs = {**text_sample(text, self.encoder, names), "span": span}
        inputs |= choice_sample(candidates, context, ratio, self.encoder)
        return inputs, {MENTIONS: labels, CHOICE: np.array(choice, np.int32)}

    def _candidates(
        self, gold: Gold, is_uncounted: bool, generator: np.random.Generator
    ) -> tuple[list[Candidate], int]:
        """Return the candidates that a mention is shown with, and which it is, counted from 1; 0 for none of them."""
        most = self.config.augmentation.candidates
        own = list(gold.candidates)
        entity = None if gold.entity is None else own[gold.entity]
        if entity is not None and generator.random() < self.config.augmentation.drop_entity:
            own, entity = [one for one in own if one is not entity], None
        if len(own) > most:
            kept = set(generator.permutation(len(own))[:most].tolist())
            own = [one for index, one in enumerate(own) if index in kept or one is entity]
        label = 0 if entity is None else 1 + own.index(entity)
        if is_uncounted or not any(one.count for one in own):  # any may be meant: only what is said of them tells
            if entity is not None and not entity.rows.any():
                label = UNKNOWN  # this text alone told of it, and the network would learn to choose the unknown one
            own = self._alike(own, gold.candidates, entity, generator)
        return own, label

    def _alike(
        self,
        own: Sequence[Candidate],
        same: Sequence[Candidate],
        entity: Candidate | None,
        generator: np.random.Generator,
    ) -> list[Candidate]:
        """Return candidates, and any others, as if none had ever been counted. same: those of the name.

        Others are described by no more words than the entity: without its own text that has fewer than it had, and the
        network would learn to choose what is said the least of.
        """
        most, is_own = self.config.augmentation.candidates, bool(generator.integers(2))
        places = generator.integers(len(self.base), size=max(most - len(own), 0)).tolist()
        named = {one.place for one in same}
        others = [candidate(self.base, place, 0, is_own) for place in places if place not in named]
        words = ENTITY_WORDS if entity is None else np.count_nonzero(entity.rows)
        first = np.arange(ENTITY_WORDS) < words
        return [replace(one, count=0, is_own=is_own, rows=np.where(first, one.rows, 0)) for one in (*own, *others)]

    def build(self) -> "keras.Model":
        """Return the network, with new weights."""
        from kexue_cli.tasks.linking.network import build

        network = build(self.config.network)
        if self.pretrained:
            self.pretrained.copy_to(network)
        return network

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the network that finds mentions and the one that chooses their entities."""
        return {name: trained.get_layer(name) for name in (MENTIONS, ENTITIES)}

    def losses(self) -> dict[str, Any]:
        """Return the binary cross entropy of the mentions' ends, and the cross entropy of the choice."""
        import keras

        from kexue_cli.losses import doubtful_binary_crossentropy

        weight = self.config.loss.choice_weight
        choice = keras.losses.SparseCategoricalCrossentropy(ignore_class=UNKNOWN)
        return {
            MENTIONS: doubtful_binary_crossentropy(),
            CHOICE: lambda labels, probabilities: weight * choice(labels, probabilities),
        }

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return mention_f1, f1 and their mean, the score, on the texts for development."""
        return score(self._task(open_network), self.development)

    def _task(self, open_network: "OpenNetwork") -> EntityLinking:
        networks = {name: open_network(name) for name in (MENTIONS, ENTITIES)}
        return EntityLinking(self.encoder, networks, self.base, self.config.preprocessor, self.config.decoding)

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write vocabulary and base. Returns the settings, with the thresholds that are best for development."""
        self.encoder.vocabulary.write(folder / VOCABULARY)
        for file in self.base.folder.iterdir():
            shutil.copyfile(file, folder / file.name)
        decoding = calibrated(self._task(open_network), self.development)
        self.config = replace(self.config, decoding=decoding)
        return asdict(self.config)

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return the first texts for development, and the candidates of names in them."""
        task = self._task(open_network)
        parts = [part for number, one in enumerate(self.development) for part in task.parts(number, one.text)]
        parts = parts[:COMPARED_SAMPLES]
        texts = [text_sample(part.encoded, self.encoder, part.names) for part in parts]
        asked = []
        for part, output in zip(parts, task.read(texts), strict=True):
            spans = [Span(name.start, name.end, 1.0) for name in part.names] or [Span(0, 1, 1.0)]
            asked += [task.choice_sample(part, span, output["states"]) for span in spans[:1]]
        return {MENTIONS: texts, ENTITIES: [sample for sample in asked if len(sample["candidates"])] or asked}


def cut(example: Example, gold: Gold | None, size: int, generator: np.random.Generator) -> tuple[Example, Gold | None]:
    """Return *size* characters of a longer text, with one of its mentions if there is one, and that mention there."""
    length = len(example.text.text)
    if length <= size:
        return example, gold
    least, most = (max(0, gold.end - size), min(gold.start, length - size)) if gold else (0, length - size)
    first = int(generator.integers(least, max(least, most) + 1))
    inside = slice(first, first + size)

    def moved(spans: Sequence[Any]) -> tuple[Any, ...]:
        kept = (span for span in spans if first <= span.start and span.end <= first + size)
        return tuple(replace(span, start=span.start - first, end=span.end - first) for span in kept)

    parted = Example(example.text[inside], moved(example.names), moved(example.mentions))
    return parted, next(iter(moved([gold])), None) if gold else None
