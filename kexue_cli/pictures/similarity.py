"""Similarity drawn: two texts and their score, the nearest of many, or texts that mean the same."""

from kexue_cli.fields import expect, member
from kexue_cli.pictures.drawing import (
    ROLES,
    Block,
    Cell,
    Facts,
    Part,
    Role,
    Table,
    Text,
    Verdict,
    gold_of,
    own_score,
    score_of,
)
from kexue_cli.records import Record

PAIR = frozenset(("text_a", "text_b", "score", "similarity_score", "similar", "label"))
MATCHES = frozenset(("text", "matches"))
GROUP = frozenset(("texts",))


def is_drawn(record: Record) -> bool:
    """Say whether a record is a pair of texts, a text with its nearest, or a group of texts."""
    is_pair = isinstance(record.get("text_a"), str) and isinstance(record.get("text_b"), str)
    has_matches = isinstance(record.get("text"), str) and isinstance(record.get("matches"), list)
    return is_pair or has_matches or isinstance(record.get("texts"), list)


def draw(record: Record) -> Part:
    """Return what is drawn. Raises KexueError that names the field, as in ``matches[2].text must be a string``."""
    if "matches" in record:
        return _draw_matches(record)
    if "text_a" in record:
        return _draw_pair(record)
    texts = member(record, "texts", list)
    rows = [(float(i + 1), expect(text, str, f"texts[{i}]")) for i, text in enumerate(texts)]
    return Part([Table("Texts of one meaning", ("", "text"), rows)], GROUP)


def _draw_pair(record: Record) -> Part:
    gold = gold_of(record)
    label = gold.get("label", record.get("label"))
    similar = record.get("similar")
    verdict: Verdict = ""
    if label in (0, 1) and isinstance(similar, bool):
        verdict = "right" if similar == bool(label) else "wrong"
    facts: list[tuple[str, Cell]] = []
    score = own_score(record, "similarity")
    if score is not None:
        facts.append(("Score", score))
    if isinstance(similar, bool):
        sign = f" {ROLES[verdict][0]}" if verdict else ""
        facts.append(("Answer", f"{'similar' if similar else 'not similar'}{sign}"))
    if label is not None:
        meaning = " (different)" if label == 0 else " (the same)" if label == 1 else ""
        facts.append(("Label", f"{label}{meaning}"))
    blocks: list[Block] = [Text("First text", record["text_a"]), Text("Second text", record["text_b"])]
    return Part([*blocks, Facts("", facts)] if facts else blocks, PAIR, verdict, frozenset(("label",)))


def _draw_matches(record: Record) -> Part:
    gold = gold_of(record)
    texts = member(gold, "texts", list, "gold") if "texts" in gold else None
    right = {expect(text, str, f"gold.texts[{i}]") for i, text in enumerate(texts or ())}
    rows, roles = [], []
    for i, match in enumerate(member(record, "matches", list)):
        place = f"matches[{i}]"
        text = member(match, "text", str, place)
        rows.append((float(i + 1), text, score_of(match, place), _line(match, place)))
        role: Role = "found" if texts is None else "right" if text in right else "wrong"
        roles.append(role)
    blocks: list[Block] = [Text("Text", record["text"])]
    blocks.append(Table("Nearest texts", ("", "text", "score", "line"), rows, roles if texts is not None else (), (2,)))
    verdict: Verdict = ""
    if texts is not None:
        blocks.append(Table("Texts of the same meaning", ("text",), [(text,) for text in texts], ["gold"] * len(texts)))
        verdict = "right" if roles[:1] == ["right"] else "wrong"
    return Part(blocks, MATCHES, verdict, frozenset(("texts",)))


def _line(match: Record, place: str) -> Cell:
    return float(member(match, "line", int, place)) if "line" in match else None
