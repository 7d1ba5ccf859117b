"""What a text must or must not hold: lines of some lengths, characters at some places, banned strings. NumPy only.

Letters: V characters known.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kexue_cli.errors import KexueError
from kexue_cli.fields import shown
from kexue_cli.text.vocabulary import PADDING, SPACE, UNKNOWN, spaced

NEVER = -1e9
MARKS = "PSZ"  # Unicode categories of what is no part of a word: punctuation, symbols, spaces
PUNCTUATION = "，。、；：？！,.;:?!"
ANY = ""  # a slot for any character but punctuation


@dataclass(frozen=True)
class Form:
    """What is demanded of a text.

    slots: what each of its places holds, one of some characters, or ANY; none if it may have any length. endings: one
    of them may stand behind the last slot. required: characters by place, from 0, of a text without slots. banned:
    strings that must not stand in it.
    """

    slots: tuple[str, ...] = ()
    endings: str = ""
    required: Mapping[int, str] | None = None
    banned: tuple[str, ...] = ()


def of_lines(lengths: Sequence[int], required: Mapping[int, str], banned: Sequence[str] = ()) -> Form:
    """Return the form of lines with punctuation between them; no lengths: of a text of any length.

    required: characters by place, from 0; punctuation between lines is not counted. Raises KexueError for a place
    behind the last line, and for what is both required and banned.
    """
    places = iter(range(sum(lengths)))
    if lengths and required and max(required) >= sum(lengths):
        raise KexueError(f"a character is required at place {max(required) + 1}; the lines have {sum(lengths)}")
    slots: list[str] = []
    for number, length in enumerate(lengths):
        slots += [PUNCTUATION] * (number > 0)
        slots += [required.get(next(places), ANY) for _ in range(length)]
    known = slots if lengths else [required.get(place, ANY) for place in range(max(required, default=-1) + 1)]
    demanded = "".join(one if len(one) == 1 else "\n" for one in known)
    for text in banned:
        if text in demanded:
            raise KexueError(f"{text} is both required and banned")
    return Form(tuple(slots), PUNCTUATION if lengths else "", None if lengths else required, tuple(banned))


def of_text(text: str, banned: Sequence[str] = (), required: Mapping[int, str] | None = None) -> Form:
    """Return the form of another text: as many characters, and the same punctuation at the same places.

    required: characters by place, from 0. Raises KexueError for a place behind its end.
    """
    slots = [one if one in PUNCTUATION else ANY for one in text]
    for place, character in (required or {}).items():
        if place >= len(slots):
            raise KexueError(f"a character is required at place {place + 1}; the text is to have {len(slots)}")
        slots[place] = character
    return Form(tuple(slots), "", None, tuple(banned))


def read_lengths(text: str) -> tuple[int, ...]:
    """Return the lengths of lines that 7x4 (four of seven characters) or 5,7,5 tell.

    Raises KexueError for anything else.
    """
    if match := re.fullmatch(r"([1-9]\d{0,2})x([1-9]\d{0,2})", text):
        return (int(match[1]),) * int(match[2])
    if re.fullmatch(r"[1-9]\d{0,2}(,[1-9]\d{0,2})*", text):
        return tuple(map(int, text.split(",")))
    raise KexueError(f"a form must be as 7x4 (four lines of seven characters) or 5,7,5; found {shown(text)}")


def acrostic(lengths: Sequence[int], characters: str) -> dict[int, str]:
    """Return the characters by their places, each the first of a line.

    Raises KexueError if there are more characters than lines.
    """
    if len(characters) > len(lengths):
        raise KexueError(f"an acrostic of {len(characters)} characters needs as many lines; there are {len(lengths)}")
    starts = [0, *np.cumsum(lengths).tolist()]
    return dict(zip(starts, characters, strict=False))


class Demands:
    """Keeps a text to a form, in the logits of its next character."""

    def __init__(self, ids: Mapping[str, int], begin: int, end: int, form: Form) -> None:
        """ids: of characters; begin and end: of the marks.

        Raises KexueError for a required character that is not known.
        """
        self.form, self.end = form, end
        self.never = [PADDING, UNKNOWN, begin]
        self.marks = _marks(tuple(ids.items()))
        punctuation = _known(ids, PUNCTUATION)
        required = form.required or {}
        slots = [slot for slot in form.slots if len(slot) == 1 and slot not in PUNCTUATION]
        for character in (*required.values(), *slots):
            if character not in ids:
                raise KexueError(f"the model does not know the character {character!r}")
        self.required = {place: [ids[character]] for place, character in required.items()}
        # a mark that is not known is replaced by any other; None is for any character that is no mark
        self.slots = [(_known(ids, slot) or punctuation) if slot else None for slot in form.slots]
        if [] in self.slots:
            raise KexueError("the model knows no punctuation, which the form puts between lines")
        self.endings = _known(ids, form.endings)
        self.banned = [[ids.get(one, UNKNOWN) for one in spaced(text)] for text in form.banned if text]

    def check(self, prefix: Sequence[int]) -> None:
        """Raise KexueError if the ids that a text is to begin with do not fit the form, or hold what is banned."""
        for banned in self.banned:
            if any(list(prefix[place : place + len(banned)]) == banned for place in range(len(prefix))):
                raise KexueError("prefix holds what is banned")
        for place, one in enumerate(prefix):
            allowed, forbidden = self._limits(place)
            if (allowed and one not in allowed) or one in forbidden:
                raise KexueError(f"prefix does not fit the demands at place {place + 1}")

    def apply(self, row: np.ndarray, text: Sequence[int]) -> None:
        """Lower the logits (V,) of what must not follow a text to NEVER."""
        row[self.never] = NEVER
        for banned in self.banned:
            if list(text[len(text) - len(banned) + 1 :]) == banned[:-1]:
                row[banned[-1]] = NEVER
        allowed, forbidden = self._limits(len(text))
        if allowed:
            kept = row[allowed]
            row[:] = NEVER
            row[allowed] = kept
        row[forbidden] = NEVER

    def _limits(self, place: int) -> tuple[list[int], list[int]]:
        """Return the only ids that may stand at a place, none for any, and those that must not."""
        if not self.slots:
            is_open = place < max(self.required, default=-1) + 1
            return self.required.get(place, []), [self.end] * is_open
        if place < len(self.slots):
            slot = self.slots[place]
            return ([], [*self.marks, self.end]) if slot is None else (slot, [])
        return [*(self.endings if place == len(self.slots) else []), self.end], []


def _known(ids: Mapping[str, int], characters: str) -> list[int]:
    return [ids[one] for one in characters if one in ids]


@lru_cache(maxsize=4)
def _marks(ids: tuple[tuple[str, int], ...]) -> list[int]:
    """Return the ids of characters that are no part of a word."""
    return [number for one, number in ids if one == SPACE or unicodedata.category(one)[0] in MARKS]
