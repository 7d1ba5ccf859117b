"""What is known before a text is read: facts of the training texts and of elsewhere, as a prior for the networks.

Where subject and object of a known fact stand in a text, the networks are told so, as of what may well be true there.
In training a text must not be told what nobody else says: that would be its labels.
Article: https://kexue.fm/archives/6671 (distant supervision), which searches with Aho-Corasick automata. Ours: names
are looked up by the lengths that those with the same first character have, quick enough for texts of a few lines.
Letters: t characters of a text, k known facts at their places, p predicates.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.errors import KexueError
from kexue_cli.records import dump, read_records
from kexue_cli.streams import open_input, open_output
from kexue_cli.tasks.triples.records import PARTS, LabelledText, Triple, read_fact
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    import numpy.typing as npt

    Known = npt.NDArray[np.int32]
    """(k, 5): where subject and object start and end, as subject_start, ..., object_end, and the predicate's number."""

KNOWLEDGE = "knowledge.jsonl"  # in the model folder
LONGEST_NAME = 64  # characters; longer ones, such as whole sentences in a knowledge base, are not looked for

Fact = tuple[str, str, str]  # subject, predicate and object, the names normalised


class Knowledge:
    """Facts that are looked for in texts."""

    def __init__(self, sources: Mapping[Fact, int], predicates: Sequence[str]) -> None:
        """sources: how many say a fact. predicates: those of the networks, in their order; others are left out."""
        number = {predicate: index for index, predicate in enumerate(predicates)}
        self.predicates = tuple(predicates)
        self.sources = {
            fact: count
            for fact, count in sources.items()
            if fact[1] in number and max(len(fact[0]), len(fact[2])) <= LONGEST_NAME
        }
        self._objects: dict[str, dict[str, tuple[int, ...]]] = {}  # by subject, with the numbers of their predicates
        lengths: dict[str, set[int]] = {}  # of names, by their first character
        for subject, predicate, object in self.sources:
            objects = self._objects.setdefault(subject, {})
            objects[object] = (*objects.get(object, ()), number[predicate])
            for name in (subject, object):
                lengths.setdefault(name[0], set()).add(len(name))
        self._lengths = {first: tuple(sorted(found)) for first, found in lengths.items()}
        self._names = {*self._objects, *(object for objects in self._objects.values() for object in objects)}

    @classmethod
    def of(
        cls, texts: Iterable[LabelledText], predicates: Sequence[str], elsewhere: Iterable[Triple] = ()
    ) -> "Knowledge":
        """Return what texts say, and facts from elsewhere, which are one source more."""
        sources = Counter(fact for facts in told(texts).values() for fact in facts)
        sources.update(facts_of(elsewhere))
        return cls(sources, predicates)

    @classmethod
    def read(cls, path: Path, predicates: Sequence[str]) -> "Knowledge":
        """Return the facts in a file of {"subject", "predicate", "object"}.

        Raises KexueError if it cannot be read, and for a line that is not in the form.
        """
        facts = []
        with open_input(str(path)) as stream:
            for number, record in read_records(stream, str(path)):
                try:
                    facts.append(read_fact(record))
                except KexueError as error:
                    raise KexueError(f"{path}:{number}: {error}") from None
        return cls(dict.fromkeys(facts_of(facts), 1), predicates)

    def write(self, path: Path) -> None:
        """Write the facts in the form that read takes. Raises KexueError if the file cannot be written."""
        with open_output(str(path)) as output:
            for fact in sorted(self.sources):
                output.write(dump(dict(zip(PARTS, fact, strict=True))))

    def find(self, text: str, own: Collection[Fact] = frozenset()) -> "Known":
        """Return the facts (k, 5) whose subject and object stand in a normalised text, at all places where they do.

        own: what the text itself is a source of; of these only what has another source too is found.
        """
        places = self._places(text)
        found = []
        for subject in places.keys() & self._objects.keys():
            objects = self._objects[subject]
            for object in objects.keys() & places.keys():
                spans = [
                    (start, start + len(subject), first, first + len(object))
                    for start, first in product(places[subject], places[object])
                ]
                for number in objects[object]:
                    fact = (subject, self.predicates[number], object)
                    if self.sources[fact] > (fact in own):
                        found += [(*span, number) for span in spans]
        return np.array(sorted(found), np.int32).reshape(-1, 5)

    def _places(self, text: str) -> dict[str, list[int]]:
        """Return the names that stand in a text, with where they start."""
        places: dict[str, list[int]] = {}
        for start, first in enumerate(text):
            for length in self._lengths.get(first, ()):
                name = text[start : start + length]
                if len(name) == length and name in self._names:
                    places.setdefault(name, []).append(start)
        return places


def facts_of(triples: Iterable[Triple]) -> frozenset[Fact]:
    """Return triples as they are known, each once."""
    return frozenset((normalize(one.subject), one.predicate, normalize(one.object)) for one in triples)


def told(texts: Iterable[LabelledText]) -> dict[str, frozenset[Fact]]:
    """Return what each normalised text says; a text that is there twice, perhaps labelled otherwise, is one source."""
    facts: dict[str, frozenset[Fact]] = {}
    for labelled in texts:
        text = normalize(labelled.text)
        facts[text] = facts.get(text, frozenset()) | facts_of(labelled.triples)
    return facts


def known_subjects(known: "Known", length: int) -> "npt.NDArray[np.float32]":
    """Return whether a known subject starts, and whether one ends, at each character (t, 2)."""
    pointers = np.zeros((length, 2), np.float32)
    pointers[known[:, 0], 0] = 1
    pointers[known[:, 1] - 1, 1] = 1
    return pointers


def known_objects(known: "Known", start: int, end: int, length: int, predicates: int) -> "npt.NDArray[np.float32]":
    """Return the same (t, 2p) for the known objects of the subject at start:end: p columns of starts, p of ends."""
    pointers = np.zeros((length, 2 * predicates), np.float32)
    rows = known[(known[:, 0] == start) & (known[:, 1] == end)]
    pointers[rows[:, 2], rows[:, 4]] = 1
    pointers[rows[:, 3] - 1, predicates + rows[:, 4]] = 1
    return pointers
