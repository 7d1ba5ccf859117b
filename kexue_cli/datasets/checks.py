"""What `kexue data check` looks at: each task's own problems, for every record of a file.

CHECKS names the modules: each holds ``problems(record) -> list[Problem]`` and ``sizes(record) -> dict[str, int]``,
what the record holds and how much of it, for the summary.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kexue_cli.datasets import DATASETS
from kexue_cli.datasets.balance import Balance
from kexue_cli.datasets.fieldnames import misspelt, unknown
from kexue_cli.datasets.mixture import KIND as MIXED
from kexue_cli.datasets.repair import clean_id, repaired
from kexue_cli.datasets.sameness import DUPLICATES, Memory
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import shown, within
from kexue_cli.records import Problem, Record

BASE = "knowledge-base"
UNREADABLE = "unreadable"
WRITTEN = "records written"


class CheckEntry(NamedTuple):
    """module: holds problems and sizes; fields: a record with any of them is the task's."""

    module: str
    fields: tuple[str, ...]


CHECKS = {  # the first task whose fields a record has is taken: those that many records have come last
    "qa": CheckEntry("kexue_cli.tasks.qa.records", ("question", "passages")),
    "triples": CheckEntry("kexue_cli.tasks.triples.records", ("triples", "object")),
    "schema": CheckEntry("kexue_cli.tasks.triples.schema", ("subject_type", "object_type")),
    "linking": CheckEntry("kexue_cli.tasks.linking.records", ("mentions",)),
    "similarity": CheckEntry("kexue_cli.tasks.similarity.records", ("text_a", "texts")),
    "generation": CheckEntry("kexue_cli.tasks.generation.records", ("condition",)),
    "segmentation": CheckEntry("kexue_cli.segmentation.records", ("words", "text")),
    "knowledge-base": CheckEntry("kexue_cli.tasks.linking.entities", ("name", "id")),
}


FIXED, LEFT_OUT = "fixed", "left out"


class Finding(NamedTuple):
    """A problem and where it is.

    place: the line of the file, or the id of the record in a JSON document; None if it is of the file as a whole.
    outcome: FIXED or LEFT_OUT where the file is repaired.
    """

    source: str
    place: int | str | None
    problem: Problem
    outcome: str = ""

    @property
    def level(self) -> str:
        """What it means: the outcome, or error, or note."""
        return self.outcome or ("error" if self.problem.is_error else "note")

    def text(self) -> str:
        """Return the finding as one line for people and for tools that read ``FILE:LINE: ...``."""
        problem = self.problem
        where = self.source if self.place is None else f"{self.source}:{self.place}"
        field = f"{problem.field}: " if problem.field else ""
        return f"{where}: {field}{problem.text}{'' if self.level == 'error' else f' ({self.level})'}"

    def record(self) -> Record:
        """Return the finding as a JSON object."""
        return {
            "file": self.source,
            "id" if isinstance(self.place, str) else "line": self.place,
            "field": self.problem.field or None,
            "kind": self.problem.kind,
            "problem": self.problem.text,
            "level": self.level,
        }


@dataclass
class Checker:
    """What is looked for in records, file by file. ids: of the base that mentions are linked to, names among them."""

    memory: Memory = field(default_factory=Memory)
    ids: Container[str] | None = None

    def problems(self, task: str, record: Record) -> list[Problem]:
        """Return what is wrong, or worth a note, with a record, alone and beside those before it."""
        spelling = [
            Problem("misspelt fields", within(one.place, one.name), f"is not read; did you mean {one.meant!r}?")
            for one in misspelt(task, record)
        ]
        return [*spelling, *_module(task).problems(record), *self._of_base(task, record),
                *self.memory.problems(task, record)]  # fmt: skip

    def _of_base(self, task: str, record: Record) -> Iterator[Problem]:
        holders = [("", record)] if task == BASE else []
        mentions = record.get("mentions")
        if task == "linking" and isinstance(mentions, list):
            holders = [(f"mentions[{i}]", mention) for i, mention in enumerate(mentions) if isinstance(mention, dict)]
        for place, holder in holders:
            id = holder.get("id")
            if isinstance(id, str) and clean_id(id) != id:
                told = f"{shown(id)} has white space around it, or characters in full width"
                yield Problem("untidy ids", within(place, "id"), told)
            name = "id" if "id" in holder else "name"
            value = holder.get(name)
            if task != BASE and self.ids is not None and isinstance(value, str) and value not in self.ids:
                yield Problem("ids not in the base", within(place, name), f"{shown(value)} is not in the base")


class File:
    """A file that is checked. counts: is given how many records there are, what they hold and what is wrong."""

    def __init__(self, source: str, checker: Checker, counts: Counter[str]) -> None:
        self.source = source
        self.checker = checker
        self.counts = counts
        self.is_document = False
        self.is_own = True
        self.task: str | None = None
        self.told: list[tuple[str, Problem]] = []  # by the reader, of what comes before the next record
        self.balance = Balance()
        self.unknown: set[str] = set()

    def set_format(self, format: str | None) -> None:
        """Take in the format that the file was found to be in; None for our own records."""
        self.is_own = format is None
        if format is not None:
            self.is_document, self.task = DATASETS[format].is_document, DATASETS[format].task

    def tell(self, place: str, problem: Problem) -> None:
        """Take in what the reader says."""
        self.told.append((place, problem))

    def check(self, records: Iterable[tuple[str, Record | RecordError]]) -> Iterator[Finding]:
        """Yield each problem of each record, as open_records gave them.

        The first record tells the task if the format does not. Raises KexueError if no task has such fields, or where
        reading cannot go on.
        """
        for place, record in self._read(records):
            if isinstance(record, Problem):
                yield self._finding(place, record)
                continue
            task = self._task(record, place)
            for problem in [*self.checker.problems(task, record), *self._unknown(task, record)]:
                yield self._finding(place, problem)
            self.checker.memory.add(task, record, f"{self.source}:{place}")
            self.balance.add(task, record)
        yield from self._balance()

    def fix(
        self, records: Iterable[tuple[str, Record | RecordError]], write: Callable[[Record], None]
    ) -> Iterator[Finding]:
        """Write the records as they should be; yield what was changed or left out, and what is still worth a note."""
        for place, record in self._read(records):
            if isinstance(record, Problem):
                yield self._finding(place, record, LEFT_OUT if record.kind == UNREADABLE else FIXED)
                continue
            task = self._task(record, place)
            record, changes = repaired(task, record)
            problems = self.checker.problems(task, record)
            wrong = [problem for problem in problems if problem.is_error]
            if wrong:
                yield from (self._finding(place, problem, LEFT_OUT) for problem in wrong)
                continue
            if same := [problem for problem in problems if problem.kind == DUPLICATES]:
                yield from (self._finding(place, problem, FIXED) for problem in same)
                continue
            yield from (self._finding(place, change, FIXED) for change in changes)
            yield from (self._finding(place, problem) for problem in [*problems, *self._unknown(task, record)])
            self.checker.memory.add(task, record, f"{self.source}:{place}")
            self.balance.add(task, record)
            self.counts[WRITTEN] += 1
            write(record)
        yield from self._balance()

    def _read(self, records: Iterable[tuple[str, Record | RecordError]]) -> Iterator[tuple[str, Record | Problem]]:
        """Yield the place and the record, or what is wrong there instead."""
        try:
            for where, record in records:
                yield from self._told()
                self.counts["records"] += 1
                place = where.removeprefix(f"{self.source}:")
                if isinstance(record, RecordError):
                    yield place, Problem(UNREADABLE, "", record.problem)
                else:
                    self.counts.update(_module(self._task(record, place)).sizes(record))
                    yield place, record
        except KexueError:
            yield from self._told()
            raise
        yield from self._told()

    def _told(self) -> Iterator[tuple[str, Problem]]:
        told, self.told = self.told, []
        for place, problem in told:
            self.counts["records"] += problem.kind == UNREADABLE
            yield place, problem

    def _task(self, record: Record, place: str) -> str:
        self.task = self.task or task_of(record, f"{self.source}:{place}")
        return self.task

    def _unknown(self, task: str, record: Record) -> Iterator[Problem]:
        """Yield each field of our own records that nothing reads, once a file: published formats have many."""
        for name in unknown(task, record) if self.is_own else ():
            if name not in self.unknown:
                self.unknown.add(name)
                yield Problem("unknown fields", name, f"is not read by {task}; told once a file", is_error=False)

    def _balance(self) -> Iterator[Finding]:
        for problem in self.balance.problems():
            self.counts[problem.kind] += 1
            yield Finding(self.source, None, problem)

    def _finding(self, place: str, problem: Problem, outcome: str = "") -> Finding:
        self.counts[problem.kind] += 1
        is_line = place.isdecimal() and not (self.is_document and problem.kind != MIXED)
        return Finding(self.source, int(place) if is_line else place, problem, outcome)


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
