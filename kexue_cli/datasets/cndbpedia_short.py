"""Short texts linked to CN-DBpedia by the names of its entities, as 赵云（三国时期蜀汉名将）.

Form: a line ``{"text", "annotation": [{"begin", "mention", "entity"}]}``. The end of a mention, the
concepts of its entity and what other systems found are left out.
"""

import re
from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, converted_lines, stop
from kexue_cli.fields import member
from kexue_cli.records import Record

FIELD = re.compile(r'"annotation"\s*:')


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be such texts."""
    return head.startswith("{") and FIELD.search(head) is not None


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the line number and the record of each text, whose mentions have the names of their entities.

    Raises KexueError for a line that is not in the form.
    """
    return converted_lines(lines, source, _record, refuse)


def _record(value: Record, place: str) -> Record:
    mentions = member(value, "annotation", list, place)
    record: Record = {"text": member(value, "text", str, place)}
    record["mentions"] = [_mention(mention, f"{place}annotation[{i}]") for i, mention in enumerate(mentions)]
    return record


def _mention(value: object, place: str) -> Record:
    return {
        "mention": member(value, "mention", str, place),
        "start": member(value, "begin", int, place),
        "name": member(value, "entity", str, place),
    }
