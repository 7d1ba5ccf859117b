"""Characters that must not act: those that turn the direction of text, control a terminal, or cannot be seen.

They are shown as escapes, so that what is read is what is there (https://unicode.org/reports/tr36/).
"""

import re
import unicodedata

HIDDEN = (  # first and last code point
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x061C, 0x061C), (0x200B, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip

PATTERN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in HIDDEN) + "]")


def escape(character: str) -> str:
    r"""Return a character as it is shown.

    >>> escape("\u202e")
    '\\u202e'
    """
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """Return a text in which hidden characters are shown as escapes; line feeds and tabs stay."""
    return PATTERN.sub(lambda match: escape(match[0]), text)


def names() -> dict[str, str]:
    """Return the Unicode names of the hidden characters that have one, by escape."""
    found = {}
    for first, last in HIDDEN:
        for code in range(first, last + 1):
            if name := unicodedata.name(chr(code), ""):
                found[escape(chr(code))] = name
    return found


def in_json(text: str) -> str:
    r"""Return JSON text, in which such characters stand in strings only, with JSON's own escapes for them.

    >>> in_json('"\u202e"')
    '"\\u202e"'
    """
    return PATTERN.sub(lambda match: _json_escape(match[0]), text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
