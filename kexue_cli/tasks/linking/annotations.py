"""What labelled texts tell of a base: how often annotators linked a name where it stands, and what stands beside it.

Article: https://kexue.fm/archives/6919 (there counted on all texts, those for development among them). A text that is
learned from must not meet what itself told, or the network would learn to trust counts that new texts never had.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodedText, Encoder
from kexue_cli.tasks.linking.entities import Alias, Entity, Use, derived, described_by, occurrences, uses
from kexue_cli.tasks.linking.knowledge_base import (
    KnowledgeBase,
    candidate,
    compile_base,
    described,
    described_rows,
    fold,
)
from kexue_cli.tasks.linking.preprocessor import Candidate, Name, characters_of
from kexue_cli.tasks.linking.records import LabelledText, Mention
from kexue_cli.text.normalization import normalize


@dataclass(frozen=True)
class Gold:
    """A mention to learn from. place: of its entity among the candidates, None if it is none of them."""

    start: int
    end: int
    is_linked: bool  # whether the record says what it is
    entity: int | None = None
    candidates: tuple[Candidate, ...] = ()
    ratio: float = 0.0  # of its name


@dataclass(frozen=True)
class Example:
    """A text to learn from, with the names of the base in it, as if the text itself had not been counted."""

    text: EncodedText
    names: tuple[Name, ...]
    mentions: tuple[Gold, ...]


def merged(given: Sequence[Entity], texts: Sequence[LabelledText]) -> list[Entity]:
    """Return entities with what texts tell of them added: counts, occurrences, and names that they are called there.

    Entities without a description are described by what else is mentioned in their texts.
    """
    used = uses(texts)
    names = {fold(name) for entity in given for name in (entity.name, *(alias.name for alias in entity.aliases))}
    names |= {fold(mention) for entity in given for mention in used.get(entity.id, Use(None)).mentions}
    seen = occurrences(names - {""}, (fold(text.text) for text in texts))
    return [_with_use(entity, used.get(entity.id, Use(None)), seen) for entity in given]


def _with_use(entity: Entity, use: Use, seen: Mapping[str, int]) -> Entity:
    counts: Counter[str] = Counter()
    for mention, count in use.mentions.items():
        counts[fold(mention)] += count
    aliases: dict[str, Alias] = {}
    for alias in (*entity.aliases, Alias(entity.name), *map(Alias, use.mentions)):
        known = aliases.setdefault(fold(alias.name), alias)
        if known is not alias:  # another spelling of it
            count, seen_most = known.count + alias.count, max(known.occurrences, alias.occurrences)
            aliases[fold(alias.name)] = replace(known, count=count, occurrences=seen_most)
    counted = (
        replace(alias, count=alias.count + counts[key], occurrences=alias.occurrences + seen.get(key, 0))
        for key, alias in aliases.items()
    )
    kept = tuple(alias for alias in counted if alias.name != entity.name or alias.count or alias.occurrences)
    return replace(entity, aliases=kept, description=entity.description or described_by(use))


class Annotations:
    """The base of a training, and its texts as examples that were not counted in it."""

    def __init__(self, given: Sequence[Entity], texts: Sequence[LabelledText], folder: Path, encoder: Encoder) -> None:
        """given: entities as they were before the texts were counted; others that the texts link to are added.

        folder: for the compiled base. Raises KexueError if there are no entities.
        """
        self.encoder = encoder
        texts = list(dict.fromkeys(texts))  # one that is given twice tells no more than once
        self._uses = uses(texts)
        self._given = {
            (fold(name), entity.id) for entity in given for name in (entity.name, *(one.name for one in entity.aliases))
        }
        self._described = {entity.id for entity in given if entity.description}
        ids = {entity.id for entity in given}
        entities = [*given, *(Entity(one.id, one.name) for one in derived(texts) if one.id not in ids)]
        if not entities:
            raise KexueError("no training text has a mention with an id, and no base is given")
        compile_base(merged(entities, texts), folder, encoder, {})
        self.base = KnowledgeBase(folder)

    def example(self, labelled: LabelledText, *, is_counted: bool = True) -> Example:
        """Return a text to learn from. is_counted: whether it is one of the texts that the base was made with."""
        encoded = self.encoder.encode(labelled.text)
        matches = self.base.find(encoded.text)
        own = _Own(labelled, [match.name for match in matches], self.base) if is_counted else None
        names = []
        for match in matches:
            found = self.candidates(match.name, own)
            if found:
                total = sum(one.count for one in found)
                seen = self.base.seen(match.name)[1] - (own.seen[match.name] if own else 0)
                names.append(Name(match.start, match.end, total, max(seen, 0)))
        by_place = {(name.start, name.end): name for name in names}
        golds = (self._gold(mention, by_place.get((mention.start, mention.end)), own) for mention in labelled.mentions)
        return Example(encoded, tuple(names), tuple(golds))

    def _gold(self, mention: Mention, name: Name | None, own: "_Own | None") -> Gold:
        if not mention.is_linked:
            return Gold(mention.start, mention.end, False)
        number = self.base.number(mention.mention)
        found = self.candidates(number, own) if number is not None else []
        place = None if mention.id is None else self.base.place(mention.id)
        entity = next((index for index, one in enumerate(found) if one.place == place), None)
        return Gold(mention.start, mention.end, True, entity, tuple(found), name.ratio if name else 0.0)

    def candidates(self, number: int, own: "_Own | None") -> list[Candidate]:
        """Return the entities of a name, without what a text itself tells."""
        found = self.base.candidates(number)
        kept = []
        for place, count, is_own in zip(
            found.entities.tolist(), found.counts.tolist(), found.is_own.tolist(), strict=True
        ):
            one = candidate(self.base, place, count, is_own)
            if own is not None and place in own.entities:
                entity = self.base.entity(place)
                times = own.linked[number, place]
                if times and count <= times and (own.names[number], entity.id) not in self._given:
                    continue
                one = replace(one, count=max(count - times, 0))
                if entity.id not in self._described:
                    one = self._described_without(one, entity, own.labelled)
            kept.append(one)
        return kept

    def _described_without(self, one: Candidate, entity: Entity, labelled: LabelledText) -> Candidate:
        """Return an entity that is described by what is mentioned beside it, in other texts only."""
        left = self._uses[entity.id].companions - uses([labelled])[entity.id].companions
        entity = replace(entity, description=described_by(Use(None, Counter(), left)))
        text = described(entity)
        return replace(
            one,
            is_described=bool(entity.description),
            rows=described_rows(text, self.encoder),
            characters=characters_of(normalize(text)),
        )


class _Own:
    """What one text adds to the counts of a base."""

    def __init__(self, labelled: LabelledText, seen: Iterable[int], base: KnowledgeBase) -> None:
        """seen: the numbers of the names that stand in the text."""
        self.labelled = labelled
        self.seen = Counter(seen)
        self.linked: Counter[tuple[int, int]] = Counter()
        self.names: dict[int, str] = {}
        self.entities: set[int] = set()  # by whatever name
        for mention in dict.fromkeys(labelled.mentions):
            number, place = base.number(mention.mention), None if mention.id is None else base.place(mention.id)
            if place is not None:
                self.entities.add(place)
            if number is not None and place is not None:
                self.linked[number, place] += 1
                self.names[number] = fold(mention.mention)
