"""How well second lines stand to first lines, by a simple rule of the couplet: form, repeated characters, tones.

Tones are those of modern Mandarin, the first and second level (平), the third and fourth oblique (仄): the old entering
tone, which classical couplets count as oblique, is not known here.
"""

import re
from collections.abc import Iterator, Sequence

from kexue_cli.bootstrap import Sums
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.form import PUNCTUATION, of_text

LEVEL, OBLIQUE = "12", "34"  # tones
CLAUSES = re.compile(f"[^{re.escape(PUNCTUATION)}]+")
NAMES = ("same_form", "same_repetition", "opposite_tones")


def couplets(pairs: Sequence[tuple[str, str]], suffix: str = "") -> Sums:
    """Return three rates of pairs of lines, their names with a suffix.

    same_form: pairs of the same length with the same punctuation at the same places. same_repetition: pairs in which
    characters repeat at the same places of both lines. opposite_tones: of the second, fourth, ... and last characters
    of each clause that have a tone in both lines, those with a level tone against an oblique one; 0 if there are none.
    Raises KexueError if pypinyin is not there.
    """
    rows = []
    for first, second in pairs:
        is_same = of_text(first).slots == of_text(second).slots
        opposite, places = tones(first, second) if is_same else (0, 0)
        rows.append((1, is_same, repetition(first) == repetition(second), opposite, places))
    columns = dict(zip(("pairs", *NAMES, "places"), map(list, zip(*rows, strict=True)), strict=True))

    def rates(sums: dict[str, float]) -> dict[str, float]:
        parts = ("pairs", "pairs", "places")
        return {f"{name}{suffix}": sums[name] / (sums[part] or 1) for name, part in zip(NAMES, parts, strict=True)}

    return Sums(columns, rates)


def repetition(line: str) -> list[int]:
    """Return for each character of a line the place where it stands first.

    >>> repetition("山山水水")
    [0, 0, 2, 2]
    """
    return [line.index(character) for character in line]


def tones(first: str, second: str) -> tuple[int, int]:
    """Return how many of the places that count have opposite tones, and how many places there are."""
    pairs = [
        (one, other)
        for one, other in zip(_tones(first), _tones(second), strict=False)
        if one is not None and other is not None
    ]
    return sum(one != other for one, other in pairs), len(pairs)


def _tones(line: str) -> Iterator[bool | None]:
    """Yield whether the character at each place that counts has a level tone; None if its tone is not known."""
    try:
        from pypinyin import Style, pinyin
    except ImportError as error:
        raise KexueError(f"tones need pypinyin ({error}); try: pip install 'kexue[train]'") from None
    for clause in CLAUSES.findall(line):
        # of what is no Chinese, an item for each character too: pypinyin takes a list for it, though its types do not
        readings = pinyin(clause, style=Style.TONE3, errors=list)  # type: ignore[arg-type]
        found = [reading[0] for reading in readings]
        for place, reading in enumerate(found, 1):
            if place % 2 == 0 or place == len(found):
                tone = reading[-1:]
                yield tone in LEVEL if tone in LEVEL + OBLIQUE and tone else None
