"""The metric of triples: micro precision, recall and F1 of exact triples, as in https://kexue.fm/archives/6671.

Of B predicted and C gold triples of all texts A are right: precision is A / B, recall A / C, F1 2A / (B + C). A triple
counts once in a text, wherever it stands there. Subjects and objects are compared as the models read them, without
width, case and script (text.normalization), predicates as they are.

Relaxed scores forgive where a name begins and ends: of both the subjects and the objects, one contains the other and
is at most twice as long. 鲁迅 and 鲁迅先生 agree; 1936年 and 1937年 do not, nor do a name and its sentence.

With aliases, names agree if either is an alias of the other. Even then, and when relaxed, each gold triple makes only
one predicted triple right; the script of the contest LIC2019 lets it make several right, and takes away 《》.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kexue_cli.bootstrap import Sums, results
from kexue_cli.errors import RecordError
from kexue_cli.segmentation.user_dictionary import read_list
from kexue_cli.streams import source_name
from kexue_cli.tasks.triples.records import Triple
from kexue_cli.text.normalization import normalize

LONGEST_RATIO = 2  # of the lengths of two names that agree when relaxed

Aliases = Mapping[str, frozenset[str]]  # other names by name, normalized
Pair = tuple[str, str]  # subject and object, normalized
Rates = dict[str, float]


class Counts(NamedTuple):
    """How many triples are gold, are predicted, are right, and are right when relaxed."""

    gold: int = 0
    predicted: int = 0
    right: int = 0
    relaxed: int = 0

    @property
    def wrong(self) -> int:
        """How many triples are gold and were not predicted, or were predicted and are not gold; 0 if all is right."""
        return self.gold + self.predicted - 2 * self.right


def read_aliases(path: str, encoding: str = "utf-8") -> Aliases:
    """Read other names, a line for each name: ``name TAB alias TAB alias ...``; UTF-8, or else *encoding*.

    Raises RecordError naming the line if one has no alias.
    """
    aliases: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for number, line in read_list(path, encoding):
        name, *others = filter(None, (normalize(cell).strip() for cell in line.split("\t")))
        if not others:
            raise RecordError(source_name(path), number, f"{name!r} has no alias; allowed: NAME and its aliases, with "
                              "TABs between them")  # fmt: skip
        aliases[name] |= frozenset(others)
    return dict(aliases)


def count(predicted: Iterable[Triple], gold: Iterable[Triple], aliases: Aliases | None = None) -> dict[str, Counts]:
    """Return the counts of a text by predicate."""
    aliases = aliases or {}

    def agree(one: str, other: str) -> bool:
        return one == other or other in aliases.get(one, ()) or one in aliases.get(other, ())

    def nearly_agree(one: str, other: str) -> bool:
        return agree(one, other) or is_alike(one, other)

    found, right = _by_predicate(predicted), _by_predicate(gold)
    counts = {}
    for predicate in right | found:
        ours, theirs = found.get(predicate, {}), right.get(predicate, {})
        matches = (_matches(ours, theirs, are_same) for are_same in (agree, nearly_agree))
        counts[predicate] = Counts(len(theirs), len(ours), *matches)
    return counts


def surest_wrong(
    predicted: Iterable[Triple], scores: Iterable[float], gold: Collection[Triple], aliases: Aliases
) -> float:
    """Return the highest score of the predicted triples that agree with no gold one; 0 if there is none."""
    scored = zip(predicted, scores, strict=True)
    wrong = (score for triple, score in scored if not count([triple], gold, aliases)[triple.predicate].right)
    return max(wrong, default=0.0)


def is_alike(one: str, other: str) -> bool:
    """Say whether one of two names contains the other and is at most twice as long.

    >>> is_alike("鲁迅", "鲁迅先生"), is_alike("鲁迅", "鲁迅的呐喊")
    (True, False)
    """
    shorter, longer = sorted((one, other), key=len)
    return bool(shorter) and shorter in longer and len(longer) <= LONGEST_RATIO * len(shorter)


def _by_predicate(triples: Iterable[Triple]) -> dict[str, dict[Pair, None]]:
    """Return what each predicate holds of, each pair once and in order."""
    pairs: defaultdict[str, dict[Pair, None]] = defaultdict(dict)
    for triple in triples:
        pairs[triple.predicate][normalize(triple.subject), normalize(triple.object)] = None
    return dict(pairs)


def _matches(predicted: Collection[Pair], gold: Collection[Pair], agree: Callable[[str, str], bool]) -> int:
    """Return how many predicted pairs can have a gold one each that agrees: the size of the greatest matching."""
    taken: dict[Pair, Pair] = {}  # the predicted pair that each gold one is there for

    def find(pair: Pair, tried: set[Pair]) -> bool:
        for other in gold:
            if other not in tried and all(map(agree, pair, other)):
                tried.add(other)
                if other not in taken or find(taken[other], tried):
                    taken[other] = pair
                    return True
        return False

    return sum(find(pair, set()) for pair in predicted)


@dataclass
class Scores:
    """The counts of each text, and what follows from them."""

    aliases: Aliases = field(default_factory=dict)
    texts: list[dict[str, Counts]] = field(default_factory=list)  # by predicate

    def add(
        self, predicted: Iterable[Triple], gold: Iterable[Triple], predicates: Collection[str] | None = None
    ) -> Counts:
        """Take in the triples of a text and return their counts. predicates: those that are scored; None is all."""
        counts = count(predicted, gold, self.aliases)
        self.texts.append({name: counts[name] for name in counts if predicates is None or name in predicates})
        return _total(self.texts[-1].values())

    def rates(self) -> Rates:
        """Return precision, recall and f1, each in 0..1."""
        return _rates(_total(map(_total, (text.values() for text in self.texts)))._asdict())

    def sheet(self) -> Sums:
        """Return the scores that are drawn over texts: precision, recall and f1, and the relaxed ones."""
        totals = [_total(text.values()) for text in self.texts]
        return Sums({name: [getattr(total, name) for total in totals] for name in Counts._fields}, _all_rates)

    def by_predicate(self) -> dict[str, dict[str, float]]:
        """Return the counts and exact scores of each predicate; those with the most gold triples come first."""
        return {name: _row(counts) for name, counts in self._by_predicate()}

    def results(self, seed: int = 0) -> dict[str, object]:
        """Return precision, recall and f1, each in 0..1, the relaxed ones, and the exact ones of each predicate.

        Intervals are 95 % bootstrap intervals over texts.
        """
        found = results([self.sheet()], seed=seed)
        bounds = {"relaxed": {}} | found.pop("interval")
        return {**found, "by_predicate": self.by_predicate(), "interval": bounds}

    def _by_predicate(self) -> list[tuple[str, Counts]]:
        counts: defaultdict[str, Counts] = defaultdict(Counts)
        for text in self.texts:
            for predicate, part in text.items():
                counts[predicate] = _total([counts[predicate], part])
        return sorted(counts.items(), key=lambda item: (-item[1].gold, item[0]))


def _row(counts: Counts) -> dict[str, float]:
    return {"gold": counts.gold, "predicted": counts.predicted, "right": counts.right, **_rates(counts._asdict())}


def _total(counts: Iterable[Counts]) -> Counts:
    return Counts(*map(sum, zip(Counts(), *counts, strict=True)))


def _rates(sums: Mapping[str, float], right: str = "right") -> Rates:
    """Return precision, recall and f1 from sums over texts; 0 where there is nothing to share."""
    return {
        "precision": sums[right] / (sums["predicted"] or 1),
        "recall": sums[right] / (sums["gold"] or 1),
        "f1": 2 * sums[right] / (sums["predicted"] + sums["gold"] or 1),
    }


def _all_rates(sums: Mapping[str, float]) -> Rates:
    relaxed = _rates(sums, "relaxed")
    return {**_rates(sums), **{f"relaxed.{name}": rate for name, rate in relaxed.items()}}
