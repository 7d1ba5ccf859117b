"""Which predicates there are, and between which types each may hold.

Form, that of DuIE (all_50_schemas, of 2019 and 2020) and of CMeIE (53_schemas): a JSON line for each predicate and
pair of types, ``{"predicate", "subject_type", "object_type"}``. An object with several slots has ``{slot: type}``: the
slot "@value" is the predicate itself, any other one a predicate of its own, as in 饰演_inWork
(https://kexue.fm/archives/7321 does so too). A line without types is a predicate that may hold between any.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.fields import expect, member, shown, within
from kexue_cli.records import Problem, Record, dump, read_records
from kexue_cli.streams import open_input, open_output
from kexue_cli.tasks.triples.records import UNRELATED, LabelledText, Triple

VALUE = "@value"  # the slot that holds the object itself

Types = tuple[str, str]  # of a subject and of an object


@dataclass(frozen=True)
class Schema:
    """The predicates in their order, each with its pairs of types; none if types are not given."""

    pairs: Mapping[str, tuple[Types, ...]]

    @classmethod
    def read(cls, path: str | Path) -> "Schema":
        """Return the schema in a file.

        Raises KexueError if the file cannot be read or holds no predicate, and for a line that is not in the form.
        """
        pairs: dict[str, dict[Types, None]] = {}
        with open_input(str(path)) as stream:
            for number, record in read_records(stream, str(path)):
                for predicate, types in _predicates(record, f"{path}:{number}: "):
                    pairs.setdefault(predicate, {}).update(dict.fromkeys(types))
        if not pairs:
            raise KexueError(f'{path} holds no predicate; a schema has {{"predicate", "subject_type", "object_type"}}')
        return cls({predicate: tuple(types) for predicate, types in pairs.items()})

    @classmethod
    def of(cls, texts: Iterable[LabelledText]) -> "Schema":
        """Return the schema that texts are labelled with: predicates and pairs of types, the most frequent first."""
        counts: Counter[str] = Counter()
        pairs: dict[str, Counter[Types]] = {}
        for triple in (triple for text in texts for triple in text.triples):
            counts[triple.predicate] += 1
            types = pairs.setdefault(triple.predicate, Counter())
            if triple.subject_type and triple.object_type:
                types[triple.subject_type, triple.object_type] += 1
        return cls({name: tuple(types for types, _ in pairs[name].most_common()) for name, _ in counts.most_common()})

    @property
    def predicates(self) -> tuple[str, ...]:
        """The names of the predicates, each once."""
        return tuple(self.pairs)

    def types(self, predicate: str) -> tuple[Types, ...]:
        """Return the pairs of subject type and object type of a predicate. Raises KexueError as check does."""
        self.check(predicate)
        return self.pairs[predicate]

    def check(self, predicate: str) -> None:
        """Raise KexueError if there is no predicate of this name, with those that there are."""
        if predicate not in self.pairs:
            raise KexueError(unknown_name("predicate", predicate, self.pairs))

    def with_unrelated(self) -> "Schema":
        """Return the schema with the predicate UNRELATED, for networks that learn which pairs have none of the rest."""
        return Schema({**self.pairs, UNRELATED: ()})

    def without_unrelated(self) -> "Schema":
        """Return the schema of what is told."""
        return Schema({name: types for name, types in self.pairs.items() if name != UNRELATED})

    def restrict(self, triples: Iterable[Triple]) -> tuple[Triple, ...]:
        """Return the triples whose predicate is one of the schema; their types make no difference."""
        return tuple(triple for triple in triples if triple.predicate in self.pairs)

    def write(self, path: str | Path) -> None:
        """Write the schema in the form of this module; a slot stays the predicate that it has become.

        Raises KexueError if the file cannot be written.
        """
        with open_output(str(path)) as output:
            for predicate, pairs in self.pairs.items():
                if not pairs:
                    output.write(dump({"predicate": predicate}))
                for subject, object in pairs:
                    output.write(dump({"predicate": predicate, "subject_type": subject, "object_type": object}))


def _predicates(record: Record, place: str) -> Iterator[tuple[str, list[Types]]]:
    """Yield each predicate of a line with its pair of types, if it has one."""
    predicate = member(record, "predicate", str, place)
    if not predicate.strip():
        raise KexueError(f"{within(place, 'predicate')} must not be empty")
    if "subject_type" not in record and "object_type" not in record:
        yield predicate, []
        return
    subject = member(record, "subject_type", str, place)
    for slot, object in _slots(record, place).items():
        yield predicate if slot == VALUE else f"{predicate}_{slot}", [(subject, object)]


def _slots(record: Record, place: str) -> dict[str, str]:
    """Return the type of each slot of the object; a string is that of the object itself."""
    here = within(place, "object_type")
    slots = record.get("object_type")
    if isinstance(slots, str):
        return {VALUE: slots}
    if "object_type" in record and not (isinstance(slots, dict) and slots):
        raise KexueError(f"{here} must be a string or {{slot: type}}; found {shown(slots)}")
    types = member(record, "object_type", dict, place)
    return {slot: expect(kind, str, within(here, slot)) for slot, kind in types.items()}


def problems(record: Record) -> list[Problem]:
    """Return what is wrong with a line of a schema."""
    try:
        list(_predicates(record, ""))
    except KexueError as error:
        return [Problem("unreadable", "", str(error))]
    return []


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a line holds, for the summary of a check."""
    slots = record.get("object_type")
    return {"pairs of types": len(slots) if isinstance(slots, dict) else 1}
