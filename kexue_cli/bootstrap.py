"""How far scores might lie from the truth because only so many records were scored, and which of two is better.

A sheet holds what each record adds to some scores, and draws them anew: the same seed draws the same records from all
sheets of as many records. So two models are compared record by record (the paired bootstrap of
https://aclanthology.org/W04-3250): a record that is hard for both makes neither look better.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 1000
BOUNDS = (0.025, 0.975)  # quantiles: 95 % lie between them
DIGITS = 6  # of bounds

Values = Mapping[str, float]


class Sheet(Protocol):
    """Some records, and scores that follow from them."""

    def __len__(self) -> int:
        """Return how many records there are."""
        ...

    def scores(self) -> Values:
        """Return the scores of all records by name."""
        ...

    def samples(self, seed: int) -> Sequence[Values]:
        """Return the scores as they might have been with other records of this kind, SAMPLES times."""
        ...


@dataclass(frozen=True)
class Sums:
    """Scores that follow from sums over records. columns: what each record adds to each sum; rates: makes the scores.

    Records are drawn with replacement, as many as there are.
    """

    columns: Mapping[str, Sequence[float]]
    rates: Callable[[dict[str, float]], Values]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def scores(self) -> Values:
        """Return the scores of all records by name."""
        return self.rates({name: sum(values) for name, values in self.columns.items()})

    def samples(self, seed: int) -> Sequence[Values]:
        """Return the scores of other draws."""
        import numpy as np

        generator = np.random.default_rng(seed)
        arrays = {name: np.asarray(values) for name, values in self.columns.items()}
        share = np.full(len(self), 1 / len(self))
        rows = []
        for _ in range(SAMPLES):
            weights = generator.multinomial(len(self), share)  # (records,): how often each is drawn
            rows.append(self.rates({name: (weights @ values).item() for name, values in arrays.items()}))
        return rows


@dataclass(frozen=True)
class Halves:
    """Scores to which a record drawn twice adds something else than two records do: how varied texts are.

    score: makes the scores of some records, told by a mask (records,); count: how many there are, in an order that is
    of no meaning. Halves are drawn, one of each two neighbours. How far their scores lie from the mean of all halves
    tells how far the score of all might lie from the truth (McCarthy, Pseudo-replication: Half samples, 1969).
    """

    count: int
    score: Callable[["np.ndarray"], Values]

    def __len__(self) -> int:
        return self.count if self.count > 1 else 0

    def scores(self) -> Values:
        """Return the scores of all records by name."""
        import numpy as np

        return self.score(np.ones(self.count, bool))

    def samples(self, seed: int) -> Sequence[Values]:
        """Return the scores, moved by as much as those of halves differ from each other."""
        import numpy as np

        generator = np.random.default_rng(seed)
        halves = []
        for _ in range(SAMPLES):
            is_first = generator.integers(0, 2, (self.count + 1) // 2).astype(bool)  # of the two
            halves.append(self.score(np.stack([is_first, ~is_first], axis=1).ravel()[: self.count]))
        own = self.scores()
        means = {name: sum(half[name] for half in halves) / SAMPLES for name in own}
        return [{name: value + half[name] - means[name] for name, value in own.items()} for half in halves]


def intervals(sheet: Sheet, *, seed: int = 0) -> dict[str, list[float]]:
    """Return the 95 % interval [low, high] of each score, rounded to six digits; nothing if there are no records."""
    samples = sheet.samples(seed) if len(sheet) else []
    return {name: _bounds([row[name] for row in samples]) for name in (samples[0] if samples else ())}


def results(sheets: Sequence[Sheet], *, seed: int = 0) -> dict[str, Any]:
    """Return the scores of sheets and under "interval" their intervals; those named as in relaxed.f1 stand together."""
    bounds = {name: bound for sheet in sheets for name, bound in intervals(sheet, seed=seed).items()}
    return {**nested({name: score for sheet in sheets for name, score in sheet.scores().items()}),
            "interval": nested(bounds)}  # fmt: skip


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with those of a group in a dict of their own, once they are named as in relaxed.f1.

    >>> nested({"f1": 1, "relaxed.f1": 2})
    {'f1': 1, 'relaxed': {'f1': 2}}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, rest = name.partition(".")
        if dot:
            found.setdefault(group, {})[rest] = value
        else:
            found[name] = value
    return found


def differences(first: Sheet, second: Sheet, *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return for each score that both sheets have its two values, and their difference, the second less the first.

    With it stand its 95 % "interval" and "p": how probable a difference so far from 0, to either side, would be if
    there were none. Both are None where there is nothing to draw from. Raises ValueError for sheets of other records.
    """
    if len(first) != len(second):
        raise ValueError(f"sheets of {len(first)} and {len(second)} records")
    one, other = first.scores(), second.scores()
    pairs = list(zip(first.samples(seed), second.samples(seed), strict=True)) if len(first) else []
    found = {}
    for name in (name for name in one if name in other):
        drawn = [theirs[name] - ours[name] for ours, theirs in pairs]
        found[name] = {
            "first": one[name],
            "second": other[name],
            "difference": other[name] - one[name],
            "interval": _bounds(drawn) if drawn else None,
            "p": _probability(drawn) if drawn else None,
        }
    return found


def _probability(differences: Sequence[float]) -> float:
    """Return the two-sided p value. It is never 0: of so many draws, none is no proof that there cannot be one."""
    fewer = min(sum(value <= 0 for value in differences), sum(value >= 0 for value in differences))
    return min(1.0, round(2 * (fewer + 1) / (len(differences) + 1), DIGITS))


def _bounds(values: Sequence[float]) -> list[float]:
    import numpy as np

    return [round(float(bound), DIGITS) for bound in np.quantile(values, BOUNDS)]
