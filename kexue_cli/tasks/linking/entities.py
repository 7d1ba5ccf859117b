"""The entities of a knowledge base: what a mention may mean, and what is known of it.

Form: a line ``{"id", "name", "aliases", "types", "facts": [{"predicate", "object"}], "description"}``; only id and
name must be there. An alias is a string or ``{"name", "count", "occurrences"}``: how often it was linked to this id,
and how often it was seen in text, whatever was meant, if anything.
Texts whose base is not at hand give one themselves (``derived``): what their mentions were linked to, and how often.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.records import Problem, Record
from kexue_cli.tasks.linking.records import LabelledText, Mention, filled
from kexue_cli.text.normalization import normalize

LISTS = ("aliases", "types", "facts")
COMPANIONS = 40  # mentions of other things, which describe a derived entity


@dataclass(frozen=True)
class Alias:
    """A name of an entity. count: times it was linked to this one; occurrences: times it was seen in text."""

    name: str
    count: int = 0
    occurrences: int = 0


@dataclass(frozen=True)
class Fact:
    """One thing known of an entity, as 出生地 and 绍兴."""

    predicate: str
    object: str


@dataclass(frozen=True)
class Entity:
    """What texts may mention."""

    id: str
    name: str
    aliases: tuple[Alias, ...] = ()
    types: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    description: str = ""


def read_entity(record: Record) -> Entity:
    """Return the entity of a record.

    Raises KexueError that names the field, as in ``facts[2].object must be a string; found 3``.
    """
    aliases, types, facts = (member(record, name, list) if name in record else [] for name in LISTS)
    return Entity(
        filled(record, "id"),
        filled(record, "name"),
        tuple(_read_alias(value, f"aliases[{i}]") for i, value in enumerate(aliases)),
        tuple(expect(value, str, f"types[{i}]") for i, value in enumerate(types)),
        tuple(_read_fact(value, f"facts[{i}]") for i, value in enumerate(facts)),
        member(record, "description", str) if "description" in record else "",
    )


def _read_alias(value: object, place: str) -> Alias:
    if isinstance(value, str):
        if not value.strip():
            raise KexueError(f"{place} must not be empty")
        return Alias(value)
    if not isinstance(value, dict):
        form = '{"name", "count", "occurrences"}'
        raise KexueError(f"{place} must be a string or {form}; found {shown(value)}")
    return Alias(filled(value, "name", place), _times(value, "count", place), _times(value, "occurrences", place))


def _times(value: Record, name: str, place: str) -> int:
    times = member(value, name, int, place) if name in value else 0
    if times < 0:
        raise KexueError(f"{place}.{name} must not be negative; found {times}")
    return times


def _read_fact(value: object, place: str) -> Fact:
    return Fact(member(value, "predicate", str, place), member(value, "object", str, place))


def entity_record(entity: Entity) -> Record:
    """Return the record that read_entity reads; what is empty is left out, an alias without counts is a string."""
    counted = [asdict(alias) if alias.count or alias.occurrences else alias.name for alias in entity.aliases]
    facts = [asdict(fact) for fact in entity.facts]
    values = {"aliases": counted, "types": list(entity.types), "facts": facts, "description": entity.description}
    return {"id": entity.id, "name": entity.name} | {name: value for name, value in values.items() if value}


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record."""
    try:
        entity = read_entity(record)
    except KexueError as error:
        return [Problem("unreadable", "", str(error))]
    return [*_alias_problems(entity), *_fact_problems(entity)]


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    return {name: len(value) for name in ("aliases", "facts") if isinstance(value := record.get(name, []), list)}


def _alias_problems(entity: Entity) -> Iterator[Problem]:
    seen = set()
    for i, alias in enumerate(entity.aliases):
        place = f"aliases[{i}]"
        if normalize(alias.name) in seen:
            yield Problem("aliases given twice", place, f"{shown(alias.name)} is given twice", is_error=False)
        seen.add(normalize(alias.name))
        if alias.occurrences and alias.count > alias.occurrences:
            told = f"linked {alias.count} times, but seen {alias.occurrences} times only"
            yield Problem("aliases linked but not seen", place, told)


def _fact_problems(entity: Entity) -> Iterator[Problem]:
    for i, fact in enumerate(entity.facts):
        if not (fact.predicate.strip() and fact.object.strip()):
            yield Problem("facts that say nothing", f"facts[{i}]", "is half empty", is_error=False)


@dataclass
class Use:
    """How texts use an entity: what they call it, and what they mention beside it, in the order in which it is seen."""

    name: str | None  # if the texts give it instead of an id
    mentions: Counter[str] = field(default_factory=Counter)
    companions: Counter[str] = field(default_factory=Counter)


def derived(texts: Iterable[LabelledText]) -> Iterator[Entity]:
    """Yield the base that labelled texts give: an entity for each id, or for each name where that is given instead.

    Its name is then that name, or else its most frequent mention, the first of several; its aliases are all its
    mentions, with count and occurrences; its description lists what else is mentioned in its texts, most frequent
    first. What is not in the base (NIL) or not linked describes others but is no entity. All texts are held at once.
    """
    texts = list(texts)
    used = uses(texts)
    names = {normalize(mention) for use in used.values() for mention in use.mentions}
    seen = occurrences(names, (normalize(text.text) for text in texts))
    for id, use in used.items():
        called = _merged(use.mentions)
        yield Entity(
            id,
            use.name or called[0][0],
            tuple(Alias(mention, count, seen[normalize(mention)]) for mention, count in called),
            description=described_by(use),
        )


def described_by(use: Use) -> str:
    """Return what is mentioned beside an entity, the most frequent first, as a description of it."""
    return "、".join(mention for mention, _ in _merged(use.companions)[:COMPANIONS])


def uses(texts: Iterable[LabelledText]) -> dict[str, Use]:
    """Return the use of each entity by its id, or else its name."""
    used: dict[str, Use] = {}
    for text in texts:
        # a mention that is given twice is there once
        mentions = [(mention.id or mention.name, mention) for mention in dict.fromkeys(text.mentions)]
        for id, mention in mentions:
            if id is not None:
                used.setdefault(id, Use(mention.name)).mentions[mention.mention] += 1
        for id in {id for id, _ in mentions if id is not None}:
            used[id].companions.update(mention.mention for other, mention in mentions if other != id)
    return used


def _merged(names: Counter[str]) -> list[tuple[str, int]]:
    """Return names with their counts, the most frequent first; those that read alike are one, as mostly written."""
    written: dict[str, str] = {}
    for name, _ in names.most_common():
        written.setdefault(normalize(name), name)
    merged: Counter[str] = Counter()
    for name, count in names.items():
        merged[written[normalize(name)]] += count
    return merged.most_common()  # of equals the first to be seen comes first


def occurrences(names: Iterable[str], texts: Iterable[str]) -> Counter[str]:
    """Return how often each name stands in the texts, over others or not; both are normalised.

    Names are looked up by the lengths that those with the same first character have, as in tasks/triples/knowledge.py.
    """
    known = set(names)
    lengths: dict[str, set[int]] = {}
    for name in known:
        lengths.setdefault(name[0], set()).add(len(name))
    seen: Counter[str] = Counter()
    for text in texts:
        for start, first in enumerate(text):
            for length in lengths.get(first, ()):
                name = text[start : start + length]
                if len(name) == length and name in known:
                    seen[name] += 1
    return seen


def linked_by_id(texts: Iterable[LabelledText], entities: Sequence[Entity] = ()) -> list[LabelledText]:
    """Return texts whose mentions have ids in place of entities' names; what has no such name is in no base.

    entities: with their ids; without them the names are the ids.
    """
    ids: dict[str, str] = {}
    for entity in entities:
        ids.setdefault(normalize(entity.name), entity.id)

    def linked(mention: Mention) -> Mention:
        if mention.name is None:
            return mention
        return replace(mention, id=ids.get(normalize(mention.name)) if entities else mention.name, name=None)

    return [replace(text, mentions=tuple(map(linked, text.mentions))) for text in texts]
