"""Text as the models read it: half-width, lower case and simplified, one character for one, so that offsets stay."""

import unicodedata
from functools import cache

from kexue_cli.text.simplification import translation

FULL_WIDTH = range(0xFF01, 0xFFE7)
CASED = range(0x41, 0x588)  # Latin, Greek, Cyrillic and Armenian letters; later ones are not met in Chinese text


@cache
def _table() -> dict[int, str]:
    """Return the character that each other one is read as, where they differ; for str.translate."""
    table = {0x3000: " "}
    for code in (*CASED, *FULL_WIDTH):
        character = chr(code)
        if unicodedata.east_asian_width(character) == "F":
            character = unicodedata.normalize("NFKC", character)
        character = character.lower()
        if len(character) == 1 and ord(character) != code:
            table[code] = character
    return translation() | table


def normalize(text: str) -> str:
    """Return *text* in half width, lower case and simplified script; position by position the same text.

    >>> normalize("ＤＮＡ 的 發現")
    'dna 的 发现'
    """
    return text.translate(_table())
