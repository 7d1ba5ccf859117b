"""A knowledge base, compiled: names in a trie, entities on disk, read as they are needed.

Files: ``names.marisa`` and ``ids.marisa``, tries; ``entities.jsonl``, a record a line; ``index.json``, what it was made
from; and the ARRAYS, read in place.
"""

import functools
import os
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import marisa_trie
import numpy as np

from kexue_cli.arrays import read_in_place
from kexue_cli.config import read_json, write_json
from kexue_cli.errors import KexueError
from kexue_cli.records import dump, parse_record
from kexue_cli.tasks.linking.config import ENTITY_WORDS, LONGEST_NAME
from kexue_cli.tasks.linking.entities import Entity, entity_record, read_entity
from kexue_cli.tasks.linking.preprocessor import Candidate, characters_of
from kexue_cli.text.normalization import normalize
from kexue_cli.zoo import CONFIG, check_folder, file_digest

if TYPE_CHECKING:
    import numpy.typing as npt

    from kexue_cli.tasks.encoding import Encoder

NAMES, IDS, RECORDS, INDEX = "names.marisa", "ids.marisa", "entities.jsonl", "index.json"
ARRAYS: dict[str, tuple[Any, int]] = {  # the type of the numbers, and how many dimensions there are
    "first": (np.int64, 1),  # (names + 1,) where the candidates of each name begin
    "entity": (np.int32, 1),  # (candidates,) places in the base, those linked most often first
    "count": (np.int32, 1),  # (candidates,) how often the name was linked to each
    "is_own": (np.bool_, 1),  # (candidates,) whether it is the entity's name, not only an alias
    "linked": (np.int32, 1),  # (names,) how often each was linked, to whatever
    "occurrences": (np.int32, 1),  # (names,) how often each was seen in text
    "place": (np.int32, 1),  # (ids,) of each id's entity
    "begin": (np.int64, 1),  # (entities + 1,) where each record begins, in bytes
    "words": (np.int32, 2),  # (entities, 32) rows of the word vectors of what is said of each, padded with 0
    "is_described": (np.bool_, 1),  # (entities,) whether it has a description
}
FORMAT = 1
KEPT = 4_000  # entities that were read and may be asked for again
DESCRIBED_CHARACTERS = 200  # of an entity's text that words are taken from
QUOTES = "《》〈〉 "  # around a title; the same in names and texts


@dataclass(frozen=True)
class Match:
    """A name of the base in a text: text[start:end]."""

    start: int
    end: int
    name: int  # number of the name


@dataclass(frozen=True)
class Candidates:
    """The entities of a name, n of them, the most frequent first."""

    entities: "npt.NDArray[np.int32]"  # (n,) their places in the base
    counts: "npt.NDArray[np.int32]"  # (n,) how often the name was linked to each
    is_own: "npt.NDArray[np.bool_]"  # (n,) whether it is the entity's name, not only an alias
    occurrences: int  # of the name in text, linked or not


def fold(name: str) -> str:
    """Return a name as it is looked up: half-width, lower case, simplified, without title marks around it.

    >>> fold("《ＡＢＣ》")
    'abc'
    """
    return normalize(name).strip(QUOTES)


class KnowledgeBase:
    """An open base. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Raises KexueError if there is no compiled base in the folder, or it is damaged."""
        self.folder = folder
        try:
            if folder.is_dir():
                check_folder(folder)
            values = read_json(folder / INDEX)
            if not isinstance(values, dict) or values.get("format") != FORMAT:
                raise KexueError(f"the base {folder} was compiled by another version of kexue; compile it again")
            self.made_from: dict[str, Any] = values["made_from"]
            for name, digest in values.get("sums", {}).items():
                if name in (NAMES, IDS) and file_digest(folder / name) != digest:
                    raise ValueError(f"{name} is not as it was written")
            self._names = marisa_trie.Trie().mmap(os.fspath(folder / NAMES))
            self._ids = marisa_trie.Trie().mmap(os.fspath(folder / IDS))
            self._records = np.memmap(folder / RECORDS, np.uint8, "r")
            arrays = {name: read_in_place(folder / f"{name}.npy", *form) for name, form in ARRAYS.items()}
            _check_arrays(arrays, len(self._names), len(self._ids), len(self._records))
        except (OSError, ValueError, EOFError, KeyError, AttributeError, RuntimeError) as error:
            hint = "see: kexue models verify" if (folder / CONFIG).is_file() else "remove it to compile it again"
            raise KexueError(f"the compiled base {folder} is damaged ({error}); {hint}") from None
        self._first, self._entity, self._count = arrays["first"], arrays["entity"], arrays["count"]
        self._is_own, self._linked, self._occurrences = arrays["is_own"], arrays["linked"], arrays["occurrences"]
        self._place, self._begin = arrays["place"], arrays["begin"]
        self.words, self.is_described = arrays["words"], arrays["is_described"]
        self.entity = functools.lru_cache(maxsize=KEPT)(self._read)
        self.characters = functools.lru_cache(maxsize=KEPT)(self._characters)

    def __len__(self) -> int:
        """Return the number of entities."""
        return len(self._begin) - 1

    def find(self, text: str) -> list[Match]:
        """Return all names that stand in a normalised text, overlapping ones too."""
        prefixes = self._names.iter_prefixes_with_ids
        return [
            Match(start, start + len(name), number)
            for start in range(len(text))
            for name, number in prefixes(text[start : start + LONGEST_NAME])
        ]

    def number(self, name: str) -> int | None:
        """Return the number of a name, None if no entity has it."""
        found: int | None = self._names.get(fold(name))
        return found

    def seen(self, number: int) -> tuple[int, int]:
        """Return how often a name was linked, to whatever entity, and how often it occurs in text, linked or not."""
        return int(self._linked[number]), int(self._occurrences[number])

    def candidates(self, number: int) -> Candidates:
        """Return the entities of a name by its number."""
        inside = slice(int(self._first[number]), int(self._first[number + 1]))
        return Candidates(
            self._entity[inside], self._count[inside], self._is_own[inside], int(self._occurrences[number])
        )

    def place(self, id: str) -> int | None:
        """Return the place of an entity by its id, None if there is none."""
        number = self._ids.get(id)
        return None if number is None else int(self._place[number])

    def place_of_name(self, name: str) -> int | None:
        """Return the place of the entity whose own name is *name*, the most frequent of several; None without one."""
        number = self.number(name)
        if number is None:
            return None
        candidates = self.candidates(number)
        own = np.flatnonzero(candidates.is_own)
        return int(candidates.entities[own[0]]) if len(own) else None

    def _characters(self, place: int) -> frozenset[str]:
        """Return the characters of what is said of an entity."""
        return characters_of(normalize(described(self.entity(place))))

    def _read(self, place: int) -> Entity:
        """Return an entity by its place."""
        line = self._records[self._begin[place] : self._begin[place + 1]].tobytes()
        return read_entity(parse_record(line.decode(errors="replace"), os.fspath(self.folder / RECORDS), place + 1))


def candidate(base: KnowledgeBase, place: int, count: int, is_own: bool) -> Candidate:
    """Return an entity of a base as one that a mention may mean."""
    return Candidate(place, count, is_own, bool(base.is_described[place]), base.words[place], base.characters(place))


def _check_arrays(arrays: "Mapping[str, npt.NDArray[Any]]", names: int, ids: int, size: int) -> None:
    """Raise ValueError unless the arrays fit each other and what they point to. size: bytes of the records."""
    first, entity, begin = arrays["first"], arrays["entity"], arrays["begin"]
    entities = len(begin) - 1
    lengths = dict.fromkeys(("linked", "occurrences"), names) | dict.fromkeys(("count", "is_own"), len(entity))
    lengths |= {"first": names + 1, "place": ids, "words": entities, "is_described": entities, "begin": ids + 1}
    for name, length in lengths.items():
        if len(arrays[name]) != length:
            raise ValueError(f"{name}.npy has {len(arrays[name])} rows; expected {length}")
    if arrays["words"].shape[1] != ENTITY_WORDS:
        raise ValueError(f"words.npy has {arrays['words'].shape[1]} columns; expected {ENTITY_WORDS}")
    for name, places, end in (("first", first, len(entity)), ("begin", begin, size)):
        if places[0] != 0 or places[-1] != end or (np.diff(places) < 0).any():
            raise ValueError(f"{name}.npy does not rise from 0 to {end}")
    for name in ("entity", "place"):
        if len(arrays[name]) and not 0 <= arrays[name].min() <= arrays[name].max() < entities:
            raise ValueError(f"{name}.npy has places that are not among the {entities} entities")


def described(entity: Entity) -> str:
    """Return what a base says of an entity, cut to a budget: its types, its description, its facts."""
    parts = ["、".join(entity.types), entity.description]
    size = sum(map(len, parts))
    for fact in entity.facts:
        if size > DESCRIBED_CHARACTERS:
            break
        parts.append(f"{fact.predicate}：{fact.object}")
        size += len(parts[-1])
    return "。".join(filter(None, parts))[:DESCRIBED_CHARACTERS]


def described_rows(text: str, encoder: "Encoder") -> "npt.NDArray[np.int32]":
    """Return the rows (32,) of the word vectors of a description's distinct words, padded with 0."""
    encoded = encoder.encode(text)
    rows = np.zeros(ENTITY_WORDS, np.int32)
    distinct = list(dict.fromkeys(row for row in encoded.rows.tolist() if row))[:ENTITY_WORDS]
    rows[: len(distinct)] = distinct
    return rows


def compile_base(
    entities: Iterable[Entity],
    folder: Path,
    encoder: "Encoder",
    made_from: Mapping[str, Any],
    advance: Callable[[float], None] = lambda read: None,
) -> None:
    """Write a compiled base into a folder that is there.

    made_from: kept as it is, to tell whether the base is up to date. advance: is told of the bytes of
    each entity.
    Raises KexueError if two entities have one id, or there is none.
    """
    ids: list[str] = []
    pairs: dict[str, dict[int, tuple[int, bool]]] = {}  # folded name -> entity -> count, whether it is its own name
    occurrences: dict[str, int] = {}
    begins, is_described = array("q", [0]), array("b")
    words = array("i")
    with (folder / RECORDS).open("wb") as file:
        for place, entity in enumerate(entities):
            names = [(entity.name, 0, 0), *((one.name, one.count, one.occurrences) for one in entity.aliases)]
            if any("\0" in text for text in (entity.id, *(name for name, *_ in names))):
                raise KexueError(f"entity {entity.id!r}: its id and its names must not hold NUL")
            ids.append(entity.id)
            line = dump(entity_record(entity))
            file.write(line)
            begins.append(begins[-1] + len(line))
            words.frombytes(described_rows(described(entity), encoder).tobytes())
            is_described.append(bool(entity.description))
            own = fold(entity.name)
            for name, count, seen in names:
                if key := fold(name):
                    known = pairs.setdefault(key, {})
                    known[place] = (known.get(place, (0, False))[0] + count, key == own)
                    occurrences[key] = max(occurrences.get(key, 0), seen)
            advance(len(line))
    if not ids:
        raise KexueError("a base must have at least one entity")
    id_trie = _id_trie(ids)
    place_of = np.zeros(len(ids), np.int32)
    place_of[[id_trie[id] for id in ids]] = np.arange(len(ids))
    name_trie = marisa_trie.Trie(pairs)
    for name, trie in ((NAMES, name_trie), (IDS, id_trie)):
        try:
            trie.save(os.fspath(folder / name))
        except RuntimeError as error:  # as of a full disk
            raise KexueError(f"cannot write {folder / name}: {error}") from None
    arrays = {**_candidate_arrays(pairs, occurrences, name_trie), "place": place_of}
    arrays["begin"] = np.frombuffer(begins, np.int64)
    arrays["words"] = np.frombuffer(words, np.int32).reshape(-1, ENTITY_WORDS)
    arrays["is_described"] = np.frombuffer(is_described, np.bool_)
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", arrays[name])
    index = {"format": FORMAT, "entities": len(ids), "names": len(pairs), "made_from": dict(made_from)}
    # The library of the tries does not look at what it reads: of one with a changed byte it may end the process.
    write_json(folder / INDEX, {**index, "sums": {name: file_digest(folder / name) for name in (NAMES, IDS)}})


def is_of_base(file: str) -> bool:
    """Say whether a file of a model folder belongs to its base."""
    return file in (NAMES, IDS, RECORDS, INDEX) or file in [f"{name}.npy" for name in ARRAYS]


def _id_trie(ids: Sequence[str]) -> Any:
    trie = marisa_trie.Trie(ids)
    if len(trie) < len(ids):
        seen: set[str] = set()
        twice = next(id for id in ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
        raise KexueError(f"the base has two entities with the id {twice!r}; ids must differ")
    return trie


def _candidate_arrays(
    pairs: Mapping[str, Mapping[int, tuple[int, bool]]], occurrences: Mapping[str, int], names: Any
) -> dict[str, Any]:
    """Return the arrays by name number; the candidates of a name by count, the more frequent first."""
    by_number = sorted((names[name], name) for name in pairs)
    first, entity, count, is_own = array("q", [0]), array("i"), array("i"), array("b")
    linked, seen = array("i"), array("i")
    for _, name in by_number:
        found = sorted(pairs[name].items(), key=lambda item: (-item[1][0], item[0]))
        entity.extend(place for place, _ in found)
        count.extend(times for _, (times, _) in found)
        is_own.extend(own for _, (_, own) in found)
        linked.append(sum(times for _, (times, _) in found))
        seen.append(occurrences[name])
        first.append(len(entity))
    return {
        "first": np.frombuffer(first, np.int64),
        "entity": np.frombuffer(entity, np.int32),
        "count": np.frombuffer(count, np.int32),
        "is_own": np.frombuffer(is_own, np.bool_),
        "linked": np.frombuffer(linked, np.int32),
        "occurrences": np.frombuffer(seen, np.int32),
    }
