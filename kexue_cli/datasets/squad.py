"""SQuAD and the Chinese sets in its form: CMRC2018, DRCD, CJRC, DuReader-robust, translated SQuAD 2.0, ...

Form: ``{"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text"}]}]}]}]}`` with, since
2.0, "is_impossible" beside the answers; or CMRC2018's older one, ``[{"context_text", "qas": [{"query_id",
"query_text", "answers": [str...]}]}]``.
Each question becomes a record with one passage; its answers are alternatives, and
"starts" says where they begin if answer_start is right for all of them.

CJRC writes an annotator's answer as "", YES or NO where there is no span. What annotators found counts, but a
question that is said to be impossible has spans only if every annotator gave one. A question answered by YES or NO
and no span is left out: it cannot be answered from the text.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kexue_cli.datasets import LeftOut
from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import member, shown
from kexue_cli.records import Record

EXPECTED = '{"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text"}]}]}]}]}'
HEAD = re.compile(r'\{\s*("[^"]*"\s*:\s*("[^"]*"|[\w.+-]+)\s*,\s*)*"data"\s*:\s*\[')
OLDER_HEAD = re.compile(r"\[\s*\{\s*\"")
OLDER_FIELD = re.compile(r'"context_(text|id)"\s*:')
YES_NO = LeftOut("answered by YES or NO")


class Names(NamedTuple):
    """What the fields are called."""

    context: str
    id: str
    question: str


NAMES = Names("context", "id", "question")
OLDER_NAMES = Names("context_text", "query_id", "query_text")


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be in SQuAD's form."""
    is_older = OLDER_HEAD.match(head) is not None and OLDER_FIELD.search(head) is not None
    return is_older or HEAD.match(head) is not None


def convert(document: Any, source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record | LeftOut]]:
    """Yield the id, or else the place, and the record of each question; LeftOut for those answered by YES or NO.

    Raises KexueError for what is not in the form.
    """
    names = OLDER_NAMES if isinstance(document, list) else NAMES
    for paragraph, path in _paragraphs(document, source):
        place = f"{source}: {path}"
        try:
            context = member(paragraph, names.context, str, place)
            questions = member(paragraph, "qas", list, place)
        except KexueError as error:
            refuse(path, error)
            continue
        for i, question in enumerate(questions):
            here = f"{path}.qas[{i}]"
            try:
                record = _record(question, context, names, f"{source}: {here}")
            except KexueError as error:
                refuse(here, error)
            else:
                yield str(question.get(names.id, here)), record


def _paragraphs(document: Any, source: str) -> Iterator[tuple[object, str]]:
    """Yield each paragraph and its path in the document."""
    if isinstance(document, list):
        for i, paragraph in enumerate(document):
            yield paragraph, f"[{i}]"
        return
    for i, article in enumerate(member(document, "data", list, f"{source}: ")):
        for j, paragraph in enumerate(member(article, "paragraphs", list, f"{source}: data[{i}]")):
            yield paragraph, f"data[{i}].paragraphs[{j}]"


def _record(question: object, context: str, names: Names, place: str) -> Record | LeftOut:
    text = member(question, names.question, str, place)
    assert isinstance(question, dict)  # member has seen to it
    passage: Record = {"text": context}
    if "answers" in question:  # there are none in a test set
        given = [
            _text(answer, f"{place}.answers[{i}]") for i, answer in enumerate(member(question, "answers", list, place))
        ]
        spans = [answer for answer in given if answer and not _is_yes_no(answer, context)]
        if _is_true(question.get("is_impossible", False)) and len(spans) < len(given):
            spans = []
        if not spans and any(_is_yes_no(answer, context) for answer in given):
            return YES_NO
        passage["answers"] = list(dict.fromkeys(spans))
        starts = _starts(question["answers"], context)
        if passage["answers"] and all(answer in starts for answer in passage["answers"]):
            passage["starts"] = [starts[answer] for answer in passage["answers"]]
    record: Record = {"id": question[names.id]} if names.id in question else {}
    return {**record, "question": text, "passages": [passage]}


def _starts(answers: list[Any], context: str) -> dict[str, int]:
    """Return where answers begin, as far as the set says so rightly; some count bytes, or start at 0 for all."""
    starts: dict[str, int] = {}
    for answer in answers:
        if isinstance(answer, dict) and isinstance(answer.get("answer_start"), int):
            text, start = answer.get("text"), answer["answer_start"]
            if isinstance(text, str) and text and start >= 0 and context.startswith(text, start):
                starts.setdefault(text, start)
    return starts


def _text(answer: object, place: str) -> str:
    """Return the text of an answer; some sets hold numbers that a spreadsheet made of texts, or null for none."""
    value: object = answer
    if isinstance(answer, dict):
        if "text" not in answer:
            raise KexueError(f"{place}: missing field 'text'; found {sorted(answer)}")
        value = answer["text"]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise KexueError(f'{place} must be {{"text"}} or a string; found {shown(answer)}')
    return str(value).strip()


def _is_yes_no(answer: str, context: str) -> bool:
    return answer in ("YES", "NO") and answer not in context


def _is_true(value: object) -> bool:
    return value is True or value == "true"  # CJRC has it as a string
