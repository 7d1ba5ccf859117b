"""Question answering drawn: the answers marked in their passages, and the candidates."""

from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.pictures.drawing import (
    ROLES,
    Block,
    Facts,
    Mark,
    Part,
    Role,
    Table,
    Text,
    Verdict,
    gold_of,
    own_score,
    score_of,
    span_of,
)
from kexue_cli.records import Record

NONE = "(no answer)"
FIELDS = frozenset(("question", "passages", "answer", "score", "qa_score", "passage", "start", "end", "candidates"))


def is_drawn(record: Record) -> bool:
    """Say whether a record is a question."""
    return isinstance(record.get("question"), str) and isinstance(record.get("passages"), list)


def draw(record: Record) -> Part:
    """Return what is drawn. Raises KexueError that names the field, as in ``passages[2] must be a string``."""
    texts = [_passage_text(value, f"passages[{i}]") for i, value in enumerate(record["passages"])]
    golds = [_answers(value, f"passages[{i}]") for i, value in enumerate(record["passages"])]
    right = _right_answers(record, golds)
    verdict = _verdict(record, right)
    marks: list[list[Mark]] = [[] for _ in texts]
    candidates = _candidates(record, texts)
    for rank, (answer, score, passage, span) in enumerate(candidates, 1):
        if any(mark.start < span[1] and span[0] < mark.end for mark in marks[passage]):
            continue  # a piece of a better one; the table has it
        role: Role = "other" if rank > 1 or not record.get("answer") else verdict or "found"
        card = (("Answer", answer), ("Score", score), ("Rank", float(rank)))
        marks[passage].append(Mark(*span, role, "" if rank == 1 else str(rank), card))
    for passage, (text, answers) in enumerate(zip(texts, golds, strict=True)):
        here: Role = "missed" if verdict == "wrong" else "gold"
        taken = {(mark.start, mark.end) for mark in marks[passage] if mark.role == "right"}
        marks[passage] += [Mark(*span, here) for span in _places(answers, text) if span not in taken]
    blocks: list[Block] = [Facts(record["question"], _facts(record, right, verdict))]
    for i, text in enumerate(texts):
        heading = f"Passage {i + 1}" if len(texts) > 1 else "Passage"
        blocks.append(Text(heading, text, marks[i], is_aside=not marks[i] and len(texts) > 1))
    if len(candidates) > 1:
        rows = [(answer, score, passage + 1, *span) for answer, score, passage, span in candidates]
        blocks.append(Table("Candidates", ("answer", "score", "passage", "start", "end"), rows, scores=(1,)))
    return Part(blocks, FIELDS, verdict, frozenset(("answers",)))


def _passage_text(value: object, place: str) -> str:
    return value if isinstance(value, str) else member(value, "text", str, place)


def _answers(value: object, place: str) -> list[str] | None:
    """Return the right answers that a passage has; None if it does not say."""
    if not isinstance(value, dict) or "answers" not in value:
        return None
    answers = member(value, "answers", list, place)
    return [expect(answer, str, f"{place}.answers[{i}]") for i, answer in enumerate(answers)]


def _right_answers(record: Record, golds: list[list[str] | None]) -> list[str] | None:
    gold = gold_of(record)
    if "answers" in gold:
        return [
            expect(answer, str, f"gold.answers[{i}]") for i, answer in enumerate(member(gold, "answers", list, "gold"))
        ]
    known = [answers for answers in golds if answers is not None]
    return list(dict.fromkeys(answer for answers in known for answer in answers)) if known else None


def _verdict(record: Record, right: list[str] | None) -> Verdict:
    if right is None or "answer" not in record:
        return ""
    from kexue_cli.tasks.qa.metrics import score

    return "right" if score(_answer(record), right)[0] else "wrong"


def _answer(record: Record) -> str | None:
    return None if record["answer"] is None else member(record, "answer", str)


def _facts(record: Record, right: list[str] | None, verdict: Verdict) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = []
    if "answer" in record:
        answer = _answer(record) or NONE
        facts.append(("Answer", f"{answer} {ROLES[verdict][0]}" if verdict else answer))
        score = own_score(record, "qa")
        if score is not None:
            facts.append(("Score", score))
    if right is not None:
        facts.append(("Right answer", " / ".join(right) or NONE))
    return facts


def _candidates(record: Record, texts: list[str]) -> list[tuple[str, float | None, int, tuple[int, int]]]:
    """Return answer, score, passage and place of each candidate, the best first."""
    if "candidates" in record:
        found = [(value, f"candidates[{i}]") for i, value in enumerate(member(record, "candidates", list))]
    else:
        found = [(record, "")] if record.get("answer") else []
    candidates = []
    for value, place in found:
        passage = member(value, "passage", int, place)
        if not 0 <= passage < len(texts):
            where = f"{place}.passage" if place else "passage"
            raise KexueError(f"{where} must be 0 to {len(texts) - 1}, a passage of the record; found {shown(passage)}")
        span = span_of(value, texts[passage], place)
        candidates.append((member(value, "answer", str, place), score_of(value, place), passage, span))
    return candidates


def _places(answers: list[str] | None, text: str) -> list[tuple[int, int]]:
    """Return where answers stand in a text, the first time each."""
    found = {(text.find(answer), text.find(answer) + len(answer)) for answer in answers or () if answer in text}
    return sorted(span for span in found if span[0] < span[1])
