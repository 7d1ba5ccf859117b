"""Which records are drawn how: told by their fields, so that a file may hold records of several tasks."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.pictures import generation, linking, qa, segmentation, similarity, training, triples
from kexue_cli.pictures.drawing import Block, Drawing, Facts, Part, Verdict
from kexue_cli.records import Record

UNKNOWN = "other"
ERROR = "error"


class Kind(NamedTuple):
    """title: for people; belong_together: whether a record is drawn with the one before it."""

    title: str
    is_drawn: Callable[[Record], bool]
    draw: Callable[[Sequence[Record]], Part]
    belong_together: Callable[[Record, Record], bool] | None = None


def _alone(draw: Callable[[Record], Part]) -> Callable[[Sequence[Record]], Part]:
    return lambda records: draw(records[0])


def _is_error(record: Record) -> bool:
    """Say whether a record stands where another one was skipped (--on-error skip)."""
    return isinstance(record.get("error"), str) and isinstance(record.get("line"), int)


def _draw_error(record: Record) -> Part:
    facts = Facts("This record was skipped", (("Problem", record["error"]), ("Line of the input", str(record["line"]))))
    return Part([facts], frozenset(("error", "line")))


KINDS = {
    "qa": Kind("Question answering", qa.is_drawn, _alone(qa.draw)),
    "triples": Kind("Triples", triples.is_drawn, _alone(triples.draw)),
    "linking": Kind("Entity linking", linking.is_drawn, _alone(linking.draw)),
    "similarity": Kind("Similarity", similarity.is_drawn, _alone(similarity.draw)),
    "generation": Kind("Generation", generation.is_drawn, generation.draw, generation.belong_together),
    "segmentation": Kind("Segmentation", segmentation.is_drawn, _alone(segmentation.draw)),
    "training": Kind("Training", training.is_drawn, training.draw, training.belong_together),
    ERROR: Kind("Error", _is_error, _alone(_draw_error)),
    UNKNOWN: Kind("Other record", lambda record: True, lambda records: Part([], frozenset())),
}

Numbered = tuple[int, Record | RecordError]


def drawings(
    records: Iterable[Numbered], source: str, *, skip: Callable[[RecordError], None] | None = None
) -> Iterator[Drawing]:
    """Yield what is drawn of records, each with its line; those that belong together become one drawing.

    records: an error stands for a line that holds no record. skip: told of each bad record, which is drawn as an error.
    Raises RecordError at a bad record if it is not to be skipped.
    """
    for group, tasks in _groups(records):
        line = group[0][0]
        try:
            good = []
            for _, record in group:
                if isinstance(record, RecordError):
                    raise record
                good.append(record)
            yield _drawing(line, good, tasks)
        except (KexueError, RecursionError) as error:
            if isinstance(error, RecursionError):
                error = KexueError("the record is nested too deeply to be shown")
            problem = error if isinstance(error, RecordError) else RecordError(source, line, str(error))
            if skip is None:
                raise problem from None
            skip(problem)
            yield _drawing(line, [{"error": problem.problem, "line": line}], [ERROR])


def tasks_of(record: Record) -> list[str]:
    """Return the kinds of a record, by its fields."""
    return [name for name, kind in KINDS.items() if name != UNKNOWN and kind.is_drawn(record)] or [UNKNOWN]


def _groups(records: Iterable[Numbered]) -> Iterator[tuple[list[Numbered], list[str]]]:
    """Yield records that belong together, with their kinds."""
    group: list[Numbered] = []
    group_tasks: list[str] = []
    for line, record in records:
        tasks = [ERROR] if isinstance(record, RecordError) else tasks_of(record)
        joins = KINDS[tasks[0]].belong_together if tasks == group_tasks and len(tasks) == 1 else None
        last = group[-1][1] if group else None
        if joins and isinstance(last, dict) and isinstance(record, dict) and joins(last, record):
            group.append((line, record))
            continue
        if group:
            yield group, group_tasks
        group, group_tasks = [(line, record)], tasks
    if group:
        yield group, group_tasks


def _drawing(line: int, records: Sequence[Record], tasks: Sequence[str]) -> Drawing:
    first = records[0]
    blocks: list[Block] = []
    verdicts: list[Verdict] = []
    drawn: set[str] = set()
    drawn_gold: set[str] = set()
    for task in tasks:
        part = KINDS[task].draw(records)
        blocks += part.blocks
        verdicts.append(part.verdict)
        drawn |= part.fields - ({"score"} if f"{task}_score" in first else set())
        drawn_gold |= part.gold_fields
    others = [(name, _shown(value)) for name, value in first.items() if name not in drawn and name != "gold"]
    gold = first.get("gold")
    if isinstance(gold, dict):
        others += [(f"gold.{name}", _shown(value)) for name, value in gold.items() if name not in drawn_gold]
    elif gold is not None:
        others.append(("gold", _shown(gold)))
    if others:
        blocks.append(Facts("" if tasks == [UNKNOWN] else "Other fields", others, is_code=True))
    verdict: Verdict = "wrong" if "wrong" in verdicts else "right" if "right" in verdicts else ""
    return Drawing(line, tasks, verdict, blocks)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
