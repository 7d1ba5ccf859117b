"""Texts to the network's arrays, for prediction and for training.

Letters: t characters of a text, v numbers of a word vector, p predicates.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.tasks.encoding import EncodedText, Encoder
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, AugmentationConfig
from kexue_cli.tasks.triples.decoding import points_of
from kexue_cli.tasks.triples.knowledge import Fact, Knowledge, known_objects, known_subjects
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    import numpy.typing as npt

    from kexue_cli.tasks.triples.knowledge import Known

Span = tuple[int, int]
UNLABELLED = -1.0  # label of what a record says nothing of; from there to 0 labels are more and more surely 0


@dataclass(frozen=True)
class Example:
    """A text to learn from: its subjects by their places, each with the places of its objects by predicate."""

    text: EncodedText
    subjects: Mapping[Span, frozenset[tuple[Span, int]]]  # object and number of the predicate
    unlabelled: "npt.NDArray[np.int64]"  # numbers of the predicates that the record says nothing of
    unlabelled_share: float = 0.0  # of all triples, that have such predicates


def text_sample(text: EncodedText, encoder: Encoder, known: "Known | None" = None) -> Sample:
    """Return the arrays of a text: text, its ids; boundaries (t, 2) of words; words (t, v), their vectors.

    With a prior, known_subjects (t, 2) too. known: the facts of the text (k, 5); None without a prior.
    """
    sample = encoder.sample(text)
    if known is not None:
        sample["known_subjects"] = known_subjects(known, len(text.text))
    return sample


def places(text: str, part: str, start: int | None) -> list[Span]:
    """Return where a name stands in a text: all its occurrences, or the one that is known.

    >>> places("李白和李白的诗", "李白", None)
    [(0, 2), (3, 5)]
    """
    if start is not None:
        return [(start, start + len(part))]
    found = []
    at = text.find(part)
    while at >= 0:
        found.append((at, at + len(part)))
        at = text.find(part, at + 1)
    return found


def predicate_shares(texts: Sequence[LabelledText]) -> dict[str, float]:
    """Return how often each predicate occurs, as a share of all triples, in texts that are labelled for all of them."""
    whole = [labelled for labelled in texts if labelled.labelled is None] or texts
    counts = Counter(triple.predicate for labelled in whole for triple in labelled.triples)
    return {predicate: count / counts.total() for predicate, count in counts.items()}


def make_examples(
    encoder: Encoder, texts: Iterable[LabelledText], predicates: Sequence[str], shares: Mapping[str, float]
) -> Iterator[Example]:
    """Yield the texts, encoded, with their subjects and objects at all places where they stand.

    shares: of the predicates, as predicate_shares returns them.
    """
    number = {predicate: index for index, predicate in enumerate(predicates)}
    for labelled in texts:
        encoded = encoder.encode(labelled.text)
        subjects: dict[Span, set[tuple[Span, int]]] = {}
        for triple in labelled.triples:
            objects = {
                (place, number[triple.predicate])
                for place in places(encoded.text, normalize(triple.object), triple.object_start)
            }
            if objects:
                for place in places(encoded.text, normalize(triple.subject), triple.subject_start):
                    subjects.setdefault(place, set()).update(objects)
        left = set() if labelled.labelled is None else set(predicates) - labelled.labelled
        unlabelled = np.array(sorted(number[predicate] for predicate in left), np.int64)
        share = sum(shares.get(predicate, 0.0) for predicate in left)
        yield Example(encoded, {place: frozenset(objects) for place, objects in subjects.items()}, unlabelled, share)


class Sampler:
    """Draws training samples from examples: a text, one of its subjects, and the labels of both networks."""

    def __init__(
        self, encoder: Encoder, config: AugmentationConfig, predicates: int, knowledge: Knowledge | None = None
    ) -> None:
        """predicates: how many. knowledge: None without a prior."""
        self.encoder = encoder
        self.config = config
        self.predicates = predicates
        self.knowledge = knowledge

    def sample(
        self, example: Example, generator: np.random.Generator, own: Collection[Fact] = frozenset()
    ) -> tuple[Sample, Sample]:
        """Return the inputs, with the span (6,) of a subject, and labels: subjects (t, 2), objects (t, 2p).

        own: the facts that the text itself tells, which alone make none of them known.
        Where the record says nothing, labels are UNLABELLED: objects of predicates that it is not labelled for. Their
        subjects are not known either, so a place without a subject is the more doubtful the more triples have them.
        """
        example = self._cut(example, generator)
        text = example.text.hide(self.config.drop_words, generator) if self.config.drop_words else example.text
        length = len(text.text)
        subjects = np.zeros((length, 2), np.float32)
        for start, end in example.subjects:
            subjects[[start, end - 1], [0, 1]] = 1
        if example.unlabelled_share:
            subjects[subjects == 0] = UNLABELLED * example.unlabelled_share
        start, end = self._subject(example, generator)
        objects = np.zeros((length, 2 * self.predicates), np.float32)
        objects[:, example.unlabelled] = objects[:, self.predicates + example.unlabelled] = UNLABELLED
        for (first, behind), predicate in example.subjects.get((start, end), ()):
            objects[first, predicate] = objects[behind - 1, self.predicates + predicate] = 1
        known = self.knowledge.find(text.text, own) if self.knowledge else None
        inputs = {**text_sample(text, self.encoder, known), "span": points_of(start, end)}
        if known is not None:
            inputs["known_objects"] = known_objects(known, start, end, length, self.predicates)
        return inputs, {SUBJECTS: subjects, OBJECTS: objects}

    def _subject(self, example: Example, generator: np.random.Generator) -> Span:
        """Return a subject; drawn freely, its start and end may be those of two, and then it has no objects."""
        if not example.subjects:
            start = int(generator.integers(max(len(example.text.text), 1)))
            return start, start + 1
        spans = sorted(example.subjects)
        start, end = spans[int(generator.integers(len(spans)))]
        if self.config.pair_ends_freely:
            ends = [other for _, other in spans if other > start]
            end = ends[int(generator.integers(len(ends)))]
        return start, end

    def _cut(self, example: Example, generator: np.random.Generator) -> Example:
        size, length = self.config.longest_text, len(example.text.text)
        if length <= size:
            return example
        first = int(generator.integers(length - size + 1))

        def moved(span: Span) -> Span | None:
            start, end = span[0] - first, span[1] - first
            return (start, end) if start >= 0 and end <= size else None

        subjects = {}
        for span, objects in example.subjects.items():
            inside = {(place, predicate) for object, predicate in objects if (place := moved(object))}
            if (subject := moved(span)) and inside:
                subjects[subject] = frozenset(inside)
        return replace(example, text=example.text[first : first + size], subjects=subjects)


def swapped(
    labelled: LabelledText, by_predicate: Mapping[str, Sequence[Triple]], generator: np.random.Generator
) -> LabelledText:
    """Return a text with the names of one triple replaced, in the text and in all its triples, by another's.

    by_predicate: the triples to choose from. Article: https://kexue.fm/archives/6671 (random_generate).
    """
    triple = labelled.triples[int(generator.integers(len(labelled.triples)))]
    others = by_predicate[triple.predicate]
    other = others[int(generator.integers(len(others)))]

    def replaced(text: str) -> str:  # in normal form: a name may stand in another script in the text than in its triple
        text = normalize(text).replace(normalize(triple.subject), other.subject)
        return text.replace(normalize(triple.object), other.object)

    triples = tuple(Triple(replaced(one.subject), one.predicate, replaced(one.object)) for one in labelled.triples)
    return LabelledText(replaced(labelled.text), triples, labelled.labelled)
