"""Entity links drawn: the mentions in their text, each with its entity and the candidates."""

from dataclasses import dataclass
from typing import Any

from kexue_cli.fields import expect, member
from kexue_cli.pictures.drawing import (
    Block,
    Cell,
    Mark,
    Part,
    Role,
    Table,
    Text,
    gold_of,
    score_of,
    span_of,
    verdict_of,
)
from kexue_cli.records import Record

FIELDS = frozenset(("text", "mentions"))
NIL = "not in the base"
SHOWN_CANDIDATES = 5  # in a row of the table; the card has all of them


@dataclass(frozen=True)
class _Mention:
    """A mention with its place. value: the object of the record."""

    value: Record
    span: tuple[int, int]
    place: str

    @property
    def entity(self) -> str:
        """How its entity is called, as far as the record says it."""
        if "id" not in self.value and "name" not in self.value:
            return "not told"
        names = [self.value[name] for name in ("name", "id") if self.value.get(name) is not None]
        return " ".join(map(str, names)) or NIL

    def is_linked_as(self, gold: "_Mention") -> bool:
        """Say whether it is linked to what is right: by id, or by name, or to nothing that would be known."""
        return all(self.value.get(name) == gold.value[name] for name in ("id", "name") if name in gold.value)


def is_drawn(record: Record) -> bool:
    """Say whether a record is a text with mentions."""
    return isinstance(record.get("text"), str) and isinstance(record.get("mentions"), list)


def draw(record: Record) -> Part:
    """Return what is drawn. Raises KexueError that names the field, as in ``mentions[2].start must be ...``."""
    text = record["text"]
    found = _read(record["mentions"], text, "mentions")
    gold = gold_of(record)
    has_gold = "mentions" in gold
    golds = _read(member(gold, "mentions", list, "gold"), text, "gold.mentions") if has_gold else []
    right = {mention.span: mention for mention in golds}
    drawn: list[tuple[_Mention, Role, _Mention | None]] = []
    for mention in found:
        true = right.get(mention.span)
        is_right = true is not None and mention.is_linked_as(true)
        drawn.append((mention, ("right" if is_right else "wrong") if has_gold else "found", true))
    spans = {mention.span for mention in found}
    drawn += [(mention, "missed", mention) for mention in right.values() if mention.span not in spans]
    drawn.sort(key=lambda item: item[0].span)
    blocks: list[Block] = [Text("", text, [_mark(*item) for item in drawn])]
    if drawn:
        columns = ["mention", "entity", "score", "candidates", *(["right"] if has_gold else [])]
        rows = [_row(*item, has_gold=has_gold) for item in drawn]
        blocks.append(Table("Mentions", columns, rows, [role for _, role, _ in drawn], scores=(2,)))
    verdict = verdict_of((role for _, role, _ in drawn), has_gold=has_gold)
    return Part(blocks, FIELDS, verdict, frozenset(("mentions",)))


def _read(values: list[Any], text: str, name: str) -> list[_Mention]:
    mentions = []
    for i, value in enumerate(values):
        place = f"{name}[{i}]"
        mention, start = member(value, "mention", str, place), member(value, "start", int, place)
        mentions.append(_Mention(value, span_of({"end": start + len(mention), **value}, text, place), place))
    return mentions


def _candidates(mention: _Mention) -> list[tuple[str, float | None]]:
    """Return the candidates of a mention, each with its score, the best first."""
    candidates = []
    for i, value in enumerate(expect(mention.value.get("candidates", []), list, f"{mention.place}.candidates")):
        place = f"{mention.place}.candidates[{i}]"
        expect(value, dict, place)
        names = [str(value[name]) for name in ("name", "id") if value.get(name) is not None]
        candidates.append((" ".join(names), score_of(value, place)))
    return candidates


def _mark(mention: _Mention, role: Role, true: _Mention | None) -> Mark:
    card: list[tuple[str, Cell]] = []
    if role != "missed":
        card += [("Linked to", mention.entity), ("Score", score_of(mention.value, mention.place))]
        card += [(f"{rank}. {name}", score) for rank, (name, score) in enumerate(_candidates(mention), 1)]
    if true is not None:
        card.append(("Right", true.entity))
    elif role == "wrong":
        card.append(("Right", "no mention"))
    label = "" if mention.value.get("id") is None else str(mention.value["id"])
    return Mark(*mention.span, role, label, card)


def _row(mention: _Mention, role: Role, true: _Mention | None, *, has_gold: bool) -> list[Cell]:
    candidates = [
        name if score is None else f"{name} {score:.2f}" for name, score in _candidates(mention)[:SHOWN_CANDIDATES]
    ]
    text = member(mention.value, "mention", str)
    row: list[Cell] = [text, "" if role == "missed" else mention.entity]
    row += [None if role == "missed" else score_of(mention.value, mention.place), " · ".join(candidates)]
    return [*row, "no mention" if true is None else true.entity] if has_gold else row
