"""Segmentation drawn: the words, the lattice that they were chosen from, and the structure of the sentence."""

from itertools import accumulate, pairwise
from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.pictures.drawing import (
    Block,
    Edge,
    Lattice,
    Node,
    Part,
    Role,
    Structure,
    Text,
    Verdict,
    Words,
    gold_of,
    score_of,
    span_of,
)
from kexue_cli.records import Record

FIELDS = frozenset(("text", "words", "lattice", "structure"))
SLOT = "▢"  # what a template leaves open
DEEPEST = 100  # levels of a structure; no sentence has as many


def is_drawn(record: Record) -> bool:
    """Say whether a record is a text with words, a lattice or a structure."""
    parts = isinstance(record.get("words"), list), isinstance(record.get("lattice"), list), record.get("structure")
    return isinstance(record.get("text"), str) and any(parts)


def draw(record: Record) -> Part:
    """Return what is drawn. Raises KexueError that names the field, as in ``words[2].start must be ...``."""
    text = record["text"]
    blocks: list[Block] = []
    verdict: Verdict = ""
    gold = gold_of(record)
    if "words" in record:
        words = _words(member(record, "words", list), text, "words")
        if "".join(words) != text:
            blocks.append(Text("", text))
        if "words" in gold:
            right = _words(member(gold, "words", list, "gold"), text, "gold.words")
            blocks += [
                Words("Words", *_compared(words, right, "wrong")),
                Words("Right words", *_compared(right, words, "missed")),
            ]
            verdict = "right" if words == right else "wrong"
        else:
            blocks.append(Words("Words", words))
    if "lattice" in record:
        edges = [_edge(value, text, f"lattice[{i}]") for i, value in enumerate(member(record, "lattice", list))]
        blocks.append(Lattice(text, edges))
    if record.get("structure"):
        blocks.append(Structure(_node(record["structure"], text, "structure")))
    return Part(blocks, FIELDS, verdict, frozenset(("words",)))


def _words(values: list[Any], text: str, name: str) -> list[str]:
    """Return words, given alone or with their places."""
    words = []
    for i, value in enumerate(values):
        place = f"{name}[{i}]"
        if isinstance(value, str):
            words.append(value)
            continue
        start, end = span_of(value, text, place)
        words.append(text[start:end])
    return words


def _compared(words: list[str], others: list[str], role: Role) -> tuple[list[str], list[Role]]:
    """Return words and the role of each: right if the others have it at the same place."""
    known = set(_spans(others))
    return words, ["right" if span in known else role for span in _spans(words)]


def _spans(words: list[str]) -> list[tuple[int, int]]:
    return list(pairwise([0, *accumulate(map(len, words))]))


def _edge(value: object, text: str, place: str) -> Edge:
    start, end = span_of(value, text, place)
    weight = score_of(value, place, "weight")
    edge = expect(value, dict, place)
    return Edge(start, end, text[start:end], weight, str(edge.get("source", "")), bool(edge.get("is_chosen")))


def _node(value: object, text: str, place: str, depth: int = 0, *, is_fixed: bool = False) -> Node:
    if depth > DEEPEST:
        raise KexueError(f"{place}: the structure is more than {DEEPEST} levels deep")
    start, end = span_of(value, text, place)
    node = expect(value, dict, place)
    values = expect(node.get("children") or [], list, f"{place}.children")
    template = _template(node.get("template"), f"{place}.template")
    fixed = [part is not None for part in template]
    fixed += [False] * (len(values) - len(fixed))  # without a template nothing is
    children = [
        _node(child, text, f"{place}.children[{i}]", depth + 1, is_fixed=fixed[i]) for i, child in enumerate(values)
    ]
    label = " ".join(part or SLOT for part in template) if children else text[start:end]
    return Node(label, children, is_fixed)


def _template(value: object, place: str) -> list[str | None]:
    """Return the words of a template, None for what it leaves open; nothing if there is none."""
    parts = [] if value is None else expect(value, list, place)
    if not all(part is None or isinstance(part, str) for part in parts):
        raise KexueError(f"{place} must hold words and nulls; found {shown(parts)}")
    return parts
