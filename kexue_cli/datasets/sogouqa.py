"""The CIPS-SOGOU question answering contest, in the form in which SogouQA.json and WebQA.json are passed on.

Form: ``[{"id", "question", "passages": [{"passage", "answer"}]}]``; the answer "" stands for none, and the parts of
an answer with several stand with spaces between them ("巴西 俄罗斯 印度"). Article: https://kexue.fm/archives/6906
"""

import re
from collections.abc import Iterator
from typing import Any

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member
from kexue_cli.records import Record

EXPECTED = '[{"id", "question", "passages": [{"passage", "answer"}]}]'
HEAD = re.compile(r"\[\s*\{\s*\"")
FIELD = re.compile(r"\"passages?\"\s*:")


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be SogouQA."""
    return HEAD.match(head) is not None and FIELD.search(head) is not None


def convert(document: Any, source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the id, or else the place, and the record of each question.

    Raises KexueError for a question that is not in the form.
    """
    for i, question in enumerate(expect(document, list, f"{source}: ")):
        try:
            record = _record(question, f"{source}: [{i}]")
        except KexueError as error:
            refuse(f"[{i}]", error)
        else:
            yield str(record.get("id", f"[{i}]")), record


def _record(question: Any, place: str) -> Record:
    passages = member(question, "passages", list, place)
    record: Record = {"id": question["id"]} if "id" in question else {}
    record["question"] = member(question, "question", str, place)
    record["passages"] = [_passage(passage, f"{place}.passages[{j}]") for j, passage in enumerate(passages)]
    return record


def _passage(passage: object, place: str) -> Record:
    """Return a passage; without "answer", as in a test set, it is one of a record for prediction."""
    record: Record = {"text": member(passage, "passage", str, place)}
    if isinstance(passage, dict) and "answer" in passage:
        answer = member(passage, "answer", str, place).strip()
        record["answers"] = [answer] if answer else []
    return record
