"""A sentence template, such as [X] 是 [X] 意思: words in order, and placeholders where others may stand.

Article: https://kexue.fm/archives/5577
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kexue_cli.errors import KexueError, RecordError

TEMPLATES = "templates.tsv"
COLUMNS = ("template", "count", "bits")
PLACEHOLDER = "[X]"
Words = tuple[str | None, ...]  # None is a placeholder; no two stand together


@dataclass(frozen=True)
class Template:
    """A template and what is known of it."""

    words: Words
    count: int  # paths that read so in the corpus
    bits: float = math.nan  # saved at least if its words are told as one (finder.saved_bits); NaN if it is not known


def is_trivial(words: Words) -> bool:
    """Say whether a template is one word between placeholders: it says no more than the word."""
    return len(words) == 3 and words[0] is None and words[2] is None


def is_word(token: str) -> bool:
    """Say whether a token is a word: it has a letter, a digit or a Han character. All others separate clauses."""
    return token.isalnum() or any(map(str.isalnum, token))  # the first is faster, and most words are


def shown(words: Words) -> str:
    """Return a template as people read it: [X] 是 [X] 意思."""
    return " ".join(PLACEHOLDER if word is None else word for word in words)


def write_templates(path: Path, templates: Iterable[Template]) -> None:
    """Write templates in the order they come in."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for template in templates:
            file.write(f"{shown(template.words)}\t{template.count}\t{template.bits:.1f}\n")


def read_templates(path: Path) -> list[Template]:
    """Return the templates of a file: TEMPLATE, TAB, COUNT a line; other columns may be left out.

    Raises KexueError if the file cannot be read, RecordError for a line that is no template and its count.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RecordError(str(path), line, "not valid UTF-8; save the templates as UTF-8") from None
    templates: dict[Words, Template] = {}
    for number, row in enumerate(text.split("\n"), 1):
        cells = row.removesuffix("\r").split("\t")
        if cells == [""] or (number == 1 and cells[0] == COLUMNS[0]):
            continue
        template = _template(cells)
        if template is None:
            expected = f"a template such as {PLACEHOLDER} 是 {PLACEHOLDER}, a TAB and a count"
            raise RecordError(str(path), number, f"expected {expected}; found {row[:40]!r}")
        if template.words in templates:
            raise RecordError(str(path), number, f"the template {cells[0]!r} stands there twice")
        templates[template.words] = template
    if not templates:
        raise KexueError(f"{path} holds no template")
    return list(templates.values())


def _template(cells: list[str]) -> Template | None:
    """Return the template of a row, or None if it is none."""
    words = tuple(None if word == PLACEHOLDER else word for word in cells[0].split())
    has_neighbours = any(one is None and other is None for one, other in pairwise(words))
    if len(cells) < 2 or not any(words) or has_neighbours or not cells[1].isdecimal() or int(cells[1]) < 1:
        return None
    try:
        bits = float(cells[2]) if len(cells) > 2 and cells[2] else math.nan
    except ValueError:
        return None
    return Template(words, int(cells[1]), bits)
