"""The triple extractor as training sees it: examples, losses, the score on the texts kept for development."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder import begin
from kexue_cli.tasks.encoding import VOCABULARY
from kexue_cli.tasks.triples import SCHEMA, TripleExtraction, beginning, inputs_of, object_sample
from kexue_cli.tasks.triples.calibration import calibrated
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, TriplesConfig
from kexue_cli.tasks.triples.decoding import Name, as_triple
from kexue_cli.tasks.triples.knowledge import KNOWLEDGE, Knowledge, facts_of, told
from kexue_cli.tasks.triples.metrics import Scores
from kexue_cli.tasks.triples.preprocessor import Sampler, make_examples, predicate_shares, swapped
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.tasks.triples.rules import Rules
from kexue_cli.tasks.triples.schema import Schema

if TYPE_CHECKING:
    import keras

    from kexue_cli.tasks.task import OpenNetwork

COMPARED_SAMPLES = 32  # before and after export


class Extractor:
    """An extractor to be trained."""

    monitor = "f1"
    longest = "text"

    def __init__(
        self,
        training: Sequence[LabelledText],
        development: Sequence[LabelledText],
        schema: Schema,
        config: TriplesConfig,
        *,
        rules: Rules | None = None,
        facts: Iterable[Triple] = (),
    ) -> None:
        """schema: holds all predicates of the texts. facts: from elsewhere, for the prior.

        Raises KexueError if there is nothing to learn from.
        """
        if any(labelled.unrelated for labelled in training):
            schema = schema.with_unrelated()
            training = [replace(one, triples=one.triples + one.unrelated) for one in training]
        source = beginning.load(config.start, config, schema) if config.start else None
        config, self.encoder, self.pretrained = begin(config, (labelled.text for labelled in training), source)
        self.schema = schema
        self.rules = rules or Rules()
        has_prior = config.preprocessor.has_prior
        network = replace(config.network, predicates=len(schema.predicates), has_prior=has_prior)
        self.config = replace(config, network=network)
        self.training = training
        self.development = development
        self.knowledge = Knowledge.of(training, schema.predicates, facts) if has_prior else None
        self._told = told(training) if has_prior else {}
        self.sampler = Sampler(self.encoder, config.augmentation, len(schema.predicates), self.knowledge)
        self.shares = predicate_shares(training)
        self.examples = list(make_examples(self.encoder, training, schema.predicates, self.shares))
        if not any(example.subjects for example in self.examples):
            raise KexueError("no training text has a triple whose subject and object stand in it")
        self._by_predicate: dict[str, list[Triple]] = {}
        for labelled in training:
            for triple in labelled.triples:
                self._by_predicate.setdefault(triple.predicate, []).append(triple)

    def __len__(self) -> int:
        return len(self.examples)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return the inputs of a text and one of its subjects, and the labels of both networks, for each member."""
        inputs, labels = self._sample(index, generator)
        return inputs, {name: np.tile(array, (1, self.config.network.members)) for name, array in labels.items()}

    def _sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        example, labelled = self.examples[index], self.training[index]
        if example.subjects and generator.random() < self.config.augmentation.swap_entities:
            labelled = swapped(labelled, self._by_predicate, generator)
            example = next(make_examples(self.encoder, [labelled], self.schema.predicates, self.shares))
        if self.knowledge is None:
            return self.sampler.sample(example, generator)
        # what was swapped in is told by one text elsewhere, and would otherwise be known always
        own = facts_of(labelled.triples) | self._told.get(example.text.text, frozenset())
        return self.sampler.sample(example, generator, own)

    def build(self) -> "keras.Model":
        """Return the network, with new weights."""
        from kexue_cli.tasks.triples.network import build

        network = build(self.config.network)
        if self.pretrained:
            self.pretrained.copy_to(network)
        return network

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the network that finds subjects and the one that finds their objects."""
        return {name: trained.get_layer(name) for name in (SUBJECTS, OBJECTS)}

    def losses(self) -> dict[str, Any]:
        """Return the binary cross entropy, summed over pointers, its mean over the places that are labelled."""
        from kexue_cli.losses import doubtful_binary_crossentropy

        return {
            SUBJECTS: doubtful_binary_crossentropy(),
            OBJECTS: doubtful_binary_crossentropy(weight=self.config.loss.object_weight),
        }

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return precision, recall and f1 of exact triples on the texts for development."""
        return score(self._task(open_network), self.development)

    def _task(self, open_network: "OpenNetwork") -> TripleExtraction:
        networks = {name: open_network(name) for name in (SUBJECTS, OBJECTS)}
        preprocessor, decoding = self.config.preprocessor, self.config.decoding
        return TripleExtraction(
            self.encoder,
            networks,
            self.schema,
            preprocessor,
            decoding,
            rules=self.rules,
            knowledge=self.knowledge,
        )

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write vocabulary, schema and, with a prior, knowledge.

        Returns the settings, with the thresholds that are best for development.
        """
        self.encoder.vocabulary.write(folder / VOCABULARY)
        self.schema.write(str(folder / SCHEMA))
        if self.knowledge is not None:
            self.knowledge.write(folder / KNOWLEDGE)
        decoding = calibrated(self._task(open_network), self.development)
        self.config = replace(self.config, decoding=decoding)
        return {**asdict(self.config), "rules": asdict(self.rules)}

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return the first texts for development, and what the second network is given for their first characters."""
        task = self._task(open_network)
        texts = [sample for labelled in self.development for _, sample in task.parts(labelled.text)][:COMPARED_SAMPLES]
        subject, predicates = Name(0, 1, 1.0), len(self.schema.predicates)
        objects = [object_sample(output, subject, predicates) for output in task.read(texts)]
        return {SUBJECTS: [inputs_of(sample) for sample in texts], OBJECTS: objects}


def score(task: TripleExtraction, texts: Sequence[LabelledText]) -> dict[str, float]:
    """Return precision, recall and f1 of exact triples."""
    scores = Scores()
    for labelled, found in zip(texts, task.extract([labelled.text for labelled in texts]), strict=True):
        triples = (as_triple(labelled.text, triple) for triple in found)
        scores.add(triples, labelled.triples, labelled.labelled)
    return scores.rates()
