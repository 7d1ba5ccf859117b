"""The metric of linking: micro precision, recall and F1 of (start, end, id), as in https://kexue.fm/archives/6919.

Of B found and C gold links of all texts A are right: precision is A / B, recall A / C, F1 2A / (B + C). Gold links to
nothing in the base (NIL) and found ones without an id are left out. So for mentions, where the span alone must be
right, whether the base has the entity or not; only what stands where a gold NIL stands is left out, labelled or found.

Where data do not say what a mention is linked to, its span counts, and links that share a character with it do not.

How well a model chooses is told apart from what it finds, from its choices for gold mentions whose spans were given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kexue_cli.bootstrap import Sums, intervals
from kexue_cli.records import Record
from kexue_cli.tasks.linking.records import LabelledText

Span = tuple[int, int]  # start and end
Rates = dict[str, float | None]


@dataclass(frozen=True)
class Link:
    """A mention, text[start:end], and the id that it is linked to."""

    start: int
    end: int
    id: str | None  # None: of nothing in the base

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end


@dataclass(frozen=True)
class Choice:
    """What a model chose for a gold mention whose span was given."""

    gold: str | None  # None: nothing in the base
    chosen: str | None
    candidates: tuple[str, ...]  # the ids that the name may have, each once

    @property
    def is_known(self) -> bool:
        """Whether the gold id is among the candidates."""
        return self.gold is not None and self.gold in self.candidates


class Counts(NamedTuple):
    """How many spans and links of a text are gold, are found and are right; how many choices are of a kind, and right.

    Of the gold mentions whose spans were given, in_base have an id; known are those whose id is a candidate, ambiguous
    those of them that have another candidate too, and nil all that are not known.
    """

    gold_spans: int = 0
    found_spans: int = 0
    right_spans: int = 0
    gold_links: int = 0
    found_links: int = 0
    right_links: int = 0
    in_base: int = 0
    nil: int = 0
    nil_right: int = 0
    known: int = 0
    known_right: int = 0
    ambiguous: int = 0
    ambiguous_right: int = 0

    @property
    def wrong(self) -> int:
        """How many mentions and links are gold and were not found, or were found and are not gold; 0 if all is right.

        A mention at a wrong place counts with its link, one at its place with a wrong link by the two links.
        """
        spans = self.gold_spans + self.found_spans - 2 * self.right_spans
        return spans + self.gold_links + self.found_links - 2 * self.right_links


@dataclass
class Scores:
    """The counts of each text, and what follows from them."""

    texts: list[Counts] = field(default_factory=list)

    def add_text(self, text: LabelledText, mentions: Iterable[Record], choices: Iterable[Choice]) -> Counts:
        """Take in a labelled text with the mentions of a prediction; otherwise as add.

        choices: for the linked mentions of the text, in order; their gold ids count, for names have been looked up.
        """
        choices = list(choices)
        gold = _gold_links(text, choices)
        found = [Link(mention["start"], mention["end"], mention["id"]) for mention in mentions]
        unlinked = [(mention.start, mention.end) for mention in text.mentions if not mention.is_linked]
        return self.add(gold, found, choices, unlinked)

    def add(
        self, gold: Iterable[Link], found: Iterable[Link], choices: Iterable[Choice], unlinked: Iterable[Span] = ()
    ) -> Counts:
        """Take in the links of a text and return its counts.

        choices: for its gold mentions; unlinked: the spans of those of which it is not said what they are linked to.
        """
        counts = Counts(**_span_and_link_counts(set(gold), set(found), set(unlinked)), **_choice_counts(list(choices)))
        self.texts.append(counts)
        return counts

    def rates(self) -> Rates:
        """Return the scores by name, each in 0..1.

        What is about choices is None where there is nothing to choose; precision, recall and f1 are 0 for nothing.
        """
        return _rates({name: sum(column) for name, column in self._columns().items()})

    def sheet(self) -> Sums:
        """Return the scores that are drawn over texts: those rates that are not None."""
        known = {name: rate for name, rate in self.rates().items() if rate is not None}

        def drawn(sums: Mapping[str, float]) -> dict[str, float]:
            own = {name: rate for name, rate in _rates(sums).items() if rate is not None}
            return known | own  # where a draw of texts has nothing to choose, it takes the rate of all of them

        return Sums(self._columns(), drawn)

    def results(self, seed: int = 0) -> dict[str, object]:
        """Return the rates, with 95 % bootstrap intervals over texts for those that are not None."""
        return {**self.rates(), "interval": intervals(self.sheet(), seed=seed)}

    def _columns(self) -> dict[str, list[int]]:
        return {name: [getattr(text, name) for text in self.texts] for name in Counts._fields}


def _gold_links(text: LabelledText, choices: Iterable[Choice]) -> list[Link]:
    linked = [mention for mention in text.mentions if mention.is_linked]
    return [Link(at.start, at.end, choice.gold) for at, choice in zip(linked, choices, strict=True)]


def surest_wrong(text: LabelledText, mentions: Iterable[Record], choices: Iterable[Choice]) -> float:
    """Return the highest score of the mentions of a prediction that are not labelled so; 0 if there is none."""
    gold = set(_gold_links(text, choices))
    unlinked = {(mention.start, mention.end) for mention in text.mentions if not mention.is_linked}
    wrong = (
        float(mention["score"])
        for mention in mentions
        if Link(mention["start"], mention["end"], mention["id"]) not in gold
        and (mention["start"], mention["end"]) not in unlinked
    )
    return max(wrong, default=0.0)


def _span_and_link_counts(gold: set[Link], found: set[Link], unlinked: set[Span]) -> dict[str, int]:
    gold_links, found_links = ({link for link in links if link.id is not None} for links in (gold, found))
    gold_spans = {link.span for link in gold_links} | unlinked
    found_spans = {link.span for link in found} - {link.span for link in gold - gold_links}
    found_links = {link for link in found_links if not any(_touch(link.span, span) for span in unlinked)}
    return {
        "gold_spans": len(gold_spans),
        "found_spans": len(found_spans),
        "right_spans": len(gold_spans & found_spans),
        "gold_links": len(gold_links),
        "found_links": len(found_links),
        "right_links": len(gold_links & found_links),
    }


def _touch(one: Span, other: Span) -> bool:
    """Say whether two spans share a character."""
    return one[0] < other[1] and other[0] < one[1]


def _choice_counts(choices: Sequence[Choice]) -> dict[str, int]:
    known = [choice for choice in choices if choice.is_known]
    nil = [choice for choice in choices if not choice.is_known]
    ambiguous = [choice for choice in known if len(choice.candidates) > 1]
    return {
        "in_base": sum(choice.gold is not None for choice in choices),
        "nil": len(nil),
        "nil_right": sum(choice.chosen is None for choice in nil),
        "known": len(known),
        "known_right": sum(choice.chosen == choice.gold for choice in known),
        "ambiguous": len(ambiguous),
        "ambiguous_right": sum(choice.chosen == choice.gold for choice in ambiguous),
    }


def _rates(sums: Mapping[str, float]) -> Rates:
    """Return the scores, from sums over texts."""
    mentions = _agreement(sums["gold_spans"], sums["found_spans"], sums["right_spans"])
    return {
        **{f"mention_{name}": rate for name, rate in mentions.items()},
        **_agreement(sums["gold_links"], sums["found_links"], sums["right_links"]),
        "nil_accuracy": _share(sums["nil_right"], sums["nil"]),
        "ambiguous_accuracy": _share(sums["ambiguous_right"], sums["ambiguous"]),
        "known_accuracy": _share(sums["known_right"], sums["known"]),
        # who links all that is known, and nothing else, has precision 1 and recall known / in_base
        "ceiling_f1": _share(2 * sums["known"], sums["in_base"] + sums["known"]),
    }


def _agreement(gold: float, found: float, right: float) -> dict[str, float]:
    """Return precision, recall and f1; 0 where there is nothing to share."""
    return {"precision": right / (found or 1), "recall": right / (gold or 1), "f1": 2 * right / (gold + found or 1)}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
