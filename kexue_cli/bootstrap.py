"""How far a score might lie from the truth because only so many records were scored: bootstrap intervals."""

from collections.abc import Callable, Mapping, Sequence

SAMPLES = 1000
BOUNDS = (0.025, 0.975)  # quantiles: 95 % lie between them

Values = Mapping[str, float]


def intervals(
    columns: Mapping[str, Sequence[float]], scores: Callable[[dict[str, float]], Values], *, seed: int = 0
) -> dict[str, list[float]]:
    """Return the 95 % interval [low, high] of each score, rounded to six digits; nothing if there are no records.

    columns: values by name, one a record; scores: makes scores by name of the sums of the columns over some records.
    """
    import numpy as np

    records = len(next(iter(columns.values()), ()))
    if not records:
        return {}
    generator = np.random.default_rng(seed)
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    share = np.full(records, 1 / records)
    rows: list[Values] = []
    for _ in range(SAMPLES):
        weights = generator.multinomial(records, share)  # (records,): how often each is drawn
        rows.append(scores({name: (weights @ values).item() for name, values in arrays.items()}))
    return {
        name: [round(float(bound), 6) for bound in np.quantile([row[name] for row in rows], BOUNDS)] for name in rows[0]
    }
