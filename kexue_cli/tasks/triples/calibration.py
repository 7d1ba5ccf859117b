"""The thresholds of an extractor, chosen on texts that it was not trained on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from kexue_cli.tasks.triples.config import LIKELIEST, NEAREST, SUBJECTS, DecodingConfig
from kexue_cli.tasks.triples.decoding import Found, Name, as_triple, subjects_of, triples_of
from kexue_cli.tasks.triples.metrics import Scores

if TYPE_CHECKING:
    from kexue_cli.tasks.triples import TripleExtraction
    from kexue_cli.tasks.triples.records import LabelledText, Triple

POINTERS = (0.2, 0.3, 0.4, 0.5)  # least probabilities of where subjects start, and objects, with the nearest ends
BELOW = 0.1  # how much less is enough for an end, as in the article
SCORES = tuple(step / 20 for step in range(17))  # least scores of triples, 0 to 0.8
LOW = 0.05  # least probability of starts and ends, with the likeliest ends: there the score alone decides
LOW_SCORES = tuple(step / 50 for step in range(1, 41))


def calibrated(task: "TripleExtraction", texts: "Sequence[LabelledText]") -> DecodingConfig:
    """Return the decoding whose thresholds give the best F1 on these texts; where several do, the first.

    With the nearest ends first, then with the likeliest: these are better where the networks are rarely sure.
    """
    tried = [(_nearest(task.decoding, *pair), SCORES) for pair in product(POINTERS, POINTERS)]
    tried.append((_likeliest(task.decoding), LOW_SCORES))
    pointers = _Pointers(task, [labelled.text for labelled in texts], [config for config, _ in tried])
    best, best_f1 = task.decoding, 0.0
    settled: dict[tuple[int, Sequence[Found]], list[Triple]] = {}  # most thresholds keep the same triples of a text
    for config, thresholds in tried:
        found = [pointers.triples(index, config) for index in range(len(texts))]
        for threshold in thresholds:
            scores = Scores()
            for index, (labelled, triples) in enumerate(zip(texts, found, strict=True)):
                kept = tuple(triple for triple in triples if triple.score >= threshold)
                if (index, kept) not in settled:
                    told = task.settle(labelled.text, kept)
                    settled[index, kept] = [as_triple(labelled.text, triple) for triple in told]
                scores.add(settled[index, kept], labelled.triples, labelled.labelled)
            if (f1 := scores.rates()["f1"]) > best_f1:
                best, best_f1 = replace(config, threshold=threshold), f1
    return best


def _nearest(config: DecodingConfig, subject: float, object: float) -> DecodingConfig:
    return replace(
        config,
        subject_start=subject,
        subject_end=round(subject - BELOW, 2),
        object_start=object,
        object_end=round(object - BELOW, 2),
        ends=NEAREST,
        threshold=0.0,
    )


def _likeliest(config: DecodingConfig) -> DecodingConfig:
    low = dict.fromkeys(("subject_start", "subject_end", "object_start", "object_end"), LOW)
    return replace(config, **low, ends=LIKELIEST, threshold=0.0)  # type: ignore[arg-type]


class _Pointers:
    """What the networks say of some texts, asked once; of a long text its first window."""

    def __init__(self, task: "TripleExtraction", texts: Sequence[str], configs: Sequence[DecodingConfig]) -> None:
        samples = [next(task.parts(text))[1] for text in texts]
        encoded = task.read(samples)
        sizes = [len(sample["text"]) for sample in samples]
        self.predicates = task.schema.predicates
        self.subjects = [output[SUBJECTS][:size] for output, size in zip(encoded, sizes, strict=True)]
        asked: dict[tuple[int, int, int], Name] = {}
        for config in configs:
            for index, subjects in enumerate(self.subjects):
                asked |= {(index, name.start, name.end): name for name in subjects_of(subjects, config)}
        found = task.objects_of(encoded, [(index, name) for (index, *_), name in asked.items()])
        self.objects: dict[tuple[int, int, int], Any] = {
            key: pointers[: sizes[key[0]]] for key, pointers in zip(asked, found, strict=True)
        }

    def triples(self, index: int, config: DecodingConfig) -> list[Any]:
        return [
            triple
            for name in subjects_of(self.subjects[index], config)
            for triple in triples_of(name, self.objects[index, name.start, name.end], self.predicates, config)
        ]
