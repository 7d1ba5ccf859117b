"""CCKS2019 task 2, entity linking of short texts: train.json and develop.json; kb_data.py reads its knowledge base.

Form: a line ``{"text_id", "text", "mention_data": [{"kb_id", "mention", "offset"}]}``, without "mention_data" in a test
set, the offset written as a string. The kb_id "NIL" says that the base does not have what is meant; that of 2020 says
of what type it is, as in "NIL_Work". "text_id" is kept.
"""

import re
from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, converted_lines, stop
from kexue_cli.errors import KexueError
from kexue_cli.fields import member, shown, within
from kexue_cli.records import Record

FIELD = re.compile(r'"(text_id|mention_data)"\s*:')
OUR_FIELD = re.compile(r'"mentions"\s*:')  # our own records keep "text_id"
NIL = "NIL"


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be CCKS2019."""
    return head.startswith("{") and FIELD.search(head) is not None and OUR_FIELD.search(head) is None


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each text.

    Raises KexueError for a line that is not in the form.
    """
    return converted_lines(lines, source, _record, refuse)


def _record(value: Record, place: str) -> Record:
    record: Record = {"text_id": value["text_id"]} if "text_id" in value else {}
    record["text"] = member(value, "text", str, place)
    if "mention_data" in value:
        data = member(value, "mention_data", list, place)
        record["mentions"] = [linked_mention(mention, f"{place}mention_data[{i}]") for i, mention in enumerate(data)]
    return record


def linked_mention(value: object, place: str) -> Record:
    """Return the mention of ``{"kb_id", "mention", "offset"}``, with the type that a kb_id such as NIL_Work names.

    Raises KexueError if it is not in this form.
    """
    id = member(value, "kb_id", str, place)
    mention: Record = {"mention": member(value, "mention", str, place), "start": _offset(value, place)}
    nil, _, kind = id.partition("_")
    if nil != NIL:
        return mention | {"id": id}
    return mention | {"id": None} | ({"type": kind} if kind else {})


def _offset(value: object, place: str) -> int:
    """Return the offset, a number or the digits of one."""
    offset = value.get("offset") if isinstance(value, dict) else None
    if not isinstance(offset, str):
        return member(value, "offset", int, place)
    if not offset.isdecimal():
        raise KexueError(f"{within(place, 'offset')} must be a whole number; found {shown(offset)}")
    return int(offset)
