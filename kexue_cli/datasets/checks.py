"""What `kexue data check` looks at: each task's own problems, for every record of a file.

CHECKS names the modules: each holds ``problems(record) -> list[Problem]`` and ``sizes(record) -> dict[str, int]``,
what the record holds and how much of it, for the summary.
"""

import importlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kexue_cli.datasets import DATASETS
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import Problem, Record


class CheckEntry(NamedTuple):
    """module: holds problems and sizes; fields: a record with any of them is the task's."""

    module: str
    fields: tuple[str, ...]


CHECKS = {  # the first task whose fields a record has is taken: those that many records have come last
    "qa": CheckEntry("kexue_cli.tasks.qa.records", ("question", "passages")),
    "triples": CheckEntry("kexue_cli.tasks.triples.records", ("triples", "object")),
    "linking": CheckEntry("kexue_cli.tasks.linking.records", ("mentions",)),
    "similarity": CheckEntry("kexue_cli.tasks.similarity.records", ("text_a", "texts")),
    "generation": CheckEntry("kexue_cli.tasks.generation.records", ("condition",)),
    "segmentation": CheckEntry("kexue_cli.segmentation.records", ("words", "text")),
    "knowledge-base": CheckEntry("kexue_cli.tasks.linking.entities", ("name", "id")),
}


class Finding(NamedTuple):
    """A problem and where it is. place: the line of the file, or the id of the record in a JSON document."""

    source: str
    place: int | str
    problem: Problem

    def text(self) -> str:
        """Return the finding as one line for people and for tools that read ``FILE:LINE: ...``."""
        problem = self.problem
        field = f"{problem.field}: " if problem.field else ""
        return f"{self.source}:{self.place}: {field}{problem.text}{'' if problem.is_error else ' (note)'}"

    def record(self) -> Record:
        """Return the finding as a JSON object."""
        return {
            "file": self.source,
            "line" if isinstance(self.place, int) else "id": self.place,
            "field": self.problem.field or None,
            "problem": self.problem.text,
            "level": "error" if self.problem.is_error else "note",
        }


def check(
    records: Iterable[tuple[str, Record | RecordError]], source: str, format: str | None, counts: Counter[str]
) -> Iterator[Finding]:
    """Yield each problem of each record, as open_records gave them with the format.

    The first record tells the task if the format is None. counts: is given how many records there are, what they
    hold and what is wrong with them. Raises KexueError if no task has such fields, or where reading cannot go on.
    """
    is_document = format is not None and DATASETS[format].is_document
    module = _module(DATASETS[format].task) if format else None
    for where, record in records:
        place = where.removeprefix(f"{source}:")
        counts["records"] += 1
        if isinstance(record, RecordError):
            found = [Problem("unreadable", "", record.problem)]
        else:
            module = module or _module(task_of(record, where))
            counts.update(module.sizes(record))
            found = module.problems(record)
        counts.update(problem.kind for problem in found)
        for problem in found:
            yield Finding(source, place if is_document else int(place), problem)


def task_of(record: Record, where: str) -> str:
    """Return the task whose fields a record has.

    Raises KexueError if there is none.
    """
    for task, entry in CHECKS.items():
        if any(field in record for field in entry.fields):
            return task
    known = "; ".join(f"{task} by {' or '.join(map(repr, entry.fields))}" for task, entry in CHECKS.items())
    raise KexueError(f"{where}: the fields {sorted(record)} are of no task that can be checked; known are {known}")


def _module(task: str) -> Any:
    return importlib.import_module(CHECKS[task].module)
