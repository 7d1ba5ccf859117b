"""WebQA (me_train.json, me_validation.ann.json, ...): questions with evidences from the web.

Form: ``{"Q_TRN_010878": {"question", "evidences": {"Q_TRN_010878#05": {"evidence", "answer": [str...]}}}}``; several
answers of an evidence are alternatives, and ``["no_answer"]`` stands for none. Paper: https://arxiv.org/abs/1607.06275
"""

import re
from collections.abc import Iterator
from typing import Any

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, within
from kexue_cli.records import Record

EXPECTED = '{"ID": {"question", "evidences": {"ID#00": {"evidence", "answer": [...]}}}}'
NO_ANSWER = "no_answer"
HEAD = re.compile(r'\{\s*"[^"]*"\s*:\s*\{\s*"(question|evidences)"\s*:')


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be WebQA."""
    return HEAD.match(head) is not None


def convert(document: Any, source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the id and the record of each question.

    Raises KexueError for a question that is not in the form.
    """
    for name, question in expect(document, dict, f"{source}: ").items():
        try:
            record = _record(name, question, f"{source}: {name}")
        except KexueError as error:
            refuse(name, error)
        else:
            yield name, record


def _record(name: str, question: object, place: str) -> Record:
    evidences = member(question, "evidences", dict, place)
    passages = [_passage(evidence, within(place, f"evidences[{key}]")) for key, evidence in evidences.items()]
    return {"id": name, "question": member(question, "question", str, place), "passages": passages}


def _passage(evidence: object, place: str) -> Record:
    answers = member(evidence, "answer", list, place)
    texts = [expect(answer, str, f"{place}.answer[{i}]") for i, answer in enumerate(answers)]
    given = [text for text in texts if text != NO_ANSWER and text.strip()]
    return {"text": member(evidence, "evidence", str, place), "answers": list(dict.fromkeys(given))}
