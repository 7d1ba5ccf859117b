"""Triple extraction: what a text says, as subject, predicate and object.

Article: https://kexue.fm/archives/6671 and https://kexue.fm/archives/5539
Data:    DuIE, CMeIE, FinRE, SanWen and own records; readers in kexue_cli/datasets/
Score:   see models/dgcnn-triples/metrics.json
Not here: subjects and objects that do not stand in the text as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli.batching import Sample, output_of
from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.fields import member
from kexue_cli.records import SCORE_DIGITS, Record, add_answer
from kexue_cli.tasks.encoding import Encoder, EncodingConfig, load_vocabulary, make_encoder, windows
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, DecodingConfig, NetworkConfig, PreprocessorConfig
from kexue_cli.tasks.triples.decoding import Found, Name, points_of, subjects_of, triples_of, without_repeats
from kexue_cli.tasks.triples.knowledge import KNOWLEDGE, Knowledge, known_objects
from kexue_cli.tasks.triples.preprocessor import text_sample
from kexue_cli.tasks.triples.rules import Rules
from kexue_cli.tasks.triples.schema import Schema
from kexue_cli.zoo import read_config

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime

SCHEMA = "schema.jsonl"
KNOWN = "known"  # with a prior, in the samples of texts: the facts (k, 5); no input of a network
TOKENS = 4096  # characters of texts that a network reads at once
WINDOWS = 256  # that are held at once


class TripleExtraction:
    """An extractor, ready to read."""

    def __init__(
        self,
        encoder: Encoder,
        networks: "Mapping[str, Runtime]",
        schema: Schema,
        encoding: EncodingConfig,
        decoding: DecodingConfig,
        *,
        rules: Rules | None = None,
        shown: Schema | None = None,
        knowledge: Knowledge | None = None,
    ) -> None:
        """networks: SUBJECTS and OBJECTS. schema: what they know; shown: what of it is told, all if None.

        knowledge: what the networks are told of texts, if they were trained with a prior.
        """
        self.encoder = encoder
        self.networks = networks
        self.schema = schema
        self.encoding = encoding
        self.decoding = decoding
        self.rules = rules or Rules()
        self.shown = (shown or schema).without_unrelated()
        self.knowledge = knowledge

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record {"text"} with its "triples".

        Raises KexueError for a record without a text.
        """
        records = list(records)
        texts = [member(record, "text", str) for record in records]
        for record, text, found in zip(records, texts, self.extract(texts), strict=True):
            yield add_answer(record, {"triples": [self._triple(text, triple) for triple in found]})

    def with_settings(
        self, *, schema: Schema | None = None, rules: Rules | None = None, **settings: Any
    ) -> "TripleExtraction":
        """Return the same extractor with some settings of its decoding changed. schema: of the triples that are told.

        Raises KexueError for a predicate that the extractor does not know.
        """
        for name in (*(schema.predicates if schema else ()), *(rules.names if rules else ())):
            self.schema.check(name)
        given = {name: value for name, value in settings.items() if value is not None}
        decoding, rules, shown = replace(self.decoding, **given), rules or self.rules, schema or self.shown
        return TripleExtraction(
            self.encoder,
            self.networks,
            self.schema,
            self.encoding,
            decoding,
            rules=rules,
            shown=shown,
            knowledge=self.knowledge,
        )

    def _triple(self, text: str, found: Found) -> Record:
        return {
            "subject": text[found.subject_start : found.subject_end],
            "predicate": found.predicate,
            "object": text[found.object_start : found.object_end],
            "subject_start": found.subject_start,
            "subject_end": found.subject_end,
            "object_start": found.object_start,
            "object_end": found.object_end,
            "score": round(found.score, SCORE_DIGITS),
        }

    def extract(self, texts: Sequence[str]) -> list[list[Found]]:
        """Return the triples of each text, in their order there."""
        found: list[list[Found]] = [[] for _ in texts]
        parts = ((index, *part) for index, text in enumerate(texts) for part in self.parts(text))
        while group := list(islice(parts, WINDOWS)):
            samples = [sample for *_, sample in group]
            encoded = self.read(samples)
            subjects = [
                subjects_of(output[SUBJECTS][: len(sample["text"])], self.decoding)
                for output, sample in zip(encoded, samples, strict=True)
            ]
            asked = [(row, name) for row, names in enumerate(subjects) for name in names]
            for (row, name), pointers in zip(asked, self.objects_of(encoded, asked), strict=True):
                index, window, sample = group[row]
                pointers = pointers[: len(sample["text"])]
                triples = triples_of(name, pointers, self.schema.predicates, self.decoding)
                found[index] += (_moved(triple, window.start) for triple in triples)
        return [self.settle(text, triples) for text, triples in zip(texts, found, strict=True)]

    def settle(self, text: str, found: Sequence[Found]) -> list[Found]:
        """Return what is left of a text's triples when rules, schema and repeats are heeded."""
        kept = without_repeats(found, text)
        if self.rules.all:
            kept = without_repeats(self.rules.apply(text, kept), text)
        return [triple for triple in kept if triple.predicate in self.shown.pairs]

    def parts(self, text: str) -> Iterator[tuple[slice, Sample]]:
        """Yield each window of a text and its sample, with what is KNOWN of it if there is a prior."""
        encoded = self.encoder.encode(text)
        for window in windows(len(encoded.text), self.encoding):
            part = encoded[window]
            if self.knowledge is None:
                yield window, text_sample(part, self.encoder)
            else:
                known = self.knowledge.find(part.text)
                yield window, {**text_sample(part, self.encoder, known), KNOWN: known}

    def read(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return the outputs of the first network for each text, and what is KNOWN of it."""
        from kexue_cli.runtimes import run

        inputs = [inputs_of(sample) for sample in samples]
        outputs = run(self.networks[SUBJECTS], inputs, length="text", budget=TOKENS)
        outputs = [{**output, SUBJECTS: _mean(output, SUBJECTS, 2)} for output in outputs]
        if self.knowledge is None:
            return outputs
        return [{**output, KNOWN: sample[KNOWN]} for output, sample in zip(outputs, samples, strict=True)]

    def objects_of(self, encoded: Sequence[Sample], asked: Sequence[tuple[int, Name]]) -> "list[Any]":
        """Return the pointers (t, 2p) to the objects of each subject; asked: (index of its text, subject)."""
        from kexue_cli.runtimes import run

        samples = [object_sample(encoded[row], name, len(self.schema.predicates)) for row, name in asked]
        outputs = run(self.networks[OBJECTS], samples, length="states", budget=TOKENS)
        return [_mean(output, OBJECTS, 2 * len(self.schema.predicates)) for output in outputs]


def _mean(output: Sample, name: str, columns: int) -> Any:
    """Return the mean (t, columns) of the members' pointers (t, columns m)."""
    pointers = output_of(output, name, None, None)
    if pointers.shape[1] % columns or not pointers.shape[1]:
        raise KexueError(f"the network gives {pointers.shape[1]} {name!r} for {columns}; it is another model's")
    return pointers.reshape(len(pointers), -1, columns).mean(axis=1)


def inputs_of(sample: Sample) -> Sample:
    """Return the inputs of the first network."""
    return {name: array for name, array in sample.items() if name != KNOWN}


def object_sample(encoded: Sample, subject: Name, predicates: int = 0) -> Sample:
    """Return the inputs of the second network, from what was read of a text and one of its subjects.

    predicates: how many, for a prior.
    """
    sample = {name: array for name, array in encoded.items() if name not in (SUBJECTS, KNOWN)}
    sample["span"] = points_of(subject.start, subject.end)
    if KNOWN in encoded:
        length = len(encoded["states"])
        sample["known_objects"] = known_objects(encoded[KNOWN], subject.start, subject.end, length, predicates)
    return sample


def _moved(found: Found, by: int) -> Found:
    return replace(
        found,
        subject_start=found.subject_start + by,
        subject_end=found.subject_end + by,
        object_start=found.object_start + by,
        object_end=found.object_end + by,
    )


def load(
    folder: str | Path, *, threads: int = 1, open_network: "Callable[[str], Runtime] | None" = None
) -> TripleExtraction:
    """Return the extractor in a folder. open_network: opens a network of the folder by its name.

    Raises KexueError if the folder is damaged, or a model it refers to is not the one it was trained with.
    """
    path = Path(folder)
    values = read_config(path)
    encoding = part_of(values, "preprocessor", PreprocessorConfig, path)
    decoding = part_of(values, "decoding", DecodingConfig, path)
    network = part_of(values, "network", NetworkConfig, path)
    vocabulary = load_vocabulary(path, encoding, network.vocabulary_size)
    schema = Schema.read(path / SCHEMA)
    rules = part_of(values, "rules", Rules, path)
    assert open_network is not None
    with ThreadPoolExecutor(2) as pool:  # the runtime opens a network in code that needs no GIL
        opened = {name: pool.submit(open_network, name) for name in (SUBJECTS, OBJECTS)}
        encoder = make_encoder(vocabulary, encoding)
        knowledge = Knowledge.read(path / KNOWLEDGE, schema.predicates) if encoding.has_prior else None
        networks = {name: future.result() for name, future in opened.items()}
    return TripleExtraction(encoder, networks, schema, encoding, decoding, rules=rules, knowledge=knowledge)
