"""What every kexue evaluate does around scoring: one model or two side by side, and wrong answers, the worst first."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from kexue_cli.bootstrap import Sheet, differences
from kexue_cli.commands.scores import Scores, comparison_table, report, table
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import Record, dump
from kexue_cli.streams import STDIO, Output, check_readable, open_output, source_name, writing_temporarily
from kexue_cli.tasks import TASKS

NOTHING: Mapping[str, float] = MappingProxyType({})


class Scored(NamedTuple):
    """What a model scored on a file.

    records: how many there were; sheets: the scores that are drawn over them; results: makes all scores with their
    intervals, given a seed; more: further scores to compare, of which no draws can be made.
    """

    records: int
    sheets: Sequence[Sheet]
    results: Callable[[int], Scores]
    more: Mapping[str, float] = NOTHING


class WrongAnswers:
    """Wrong answers, to be written with the worst first; of equals the first of the file comes first.

    The records wait in a file without a name; held are only their places and measures.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - it is gone with this object
        self.found: list[tuple[tuple[float, ...], int, int]] = []  # measure, place in the file, length

    def add(self, record: Record, *measure: float) -> None:
        """Take in an answer. measure: how wrong it is, the more the higher; what comes first counts first."""
        data = dump(record)
        with writing_temporarily():
            self.found.append((measure, self.file.tell(), len(data)))
            self.file.write(data)

    def write(self, sink: Output) -> None:
        """Write all of them."""
        self.found.sort(key=lambda one: tuple(-value for value in one[0]))
        for _, place, length in self.found:
            self.file.seek(place)
            sink.write(self.file.read(length))


@dataclass(frozen=True)
class Evaluation:
    """What was asked for; each as the option of this name. others: options that --compare does not go with."""

    task: str
    file: str
    model: str | None
    compare: tuple[str, str] | None
    errors: str | None
    output: str | None
    json: bool
    seed: int
    others: Mapping[str, object] = field(default_factory=dict)
    start: float = field(default_factory=time.time)

    def run(self, score: Callable[[str, WrongAnswers | None], Scored], hidden: Sequence[str] = ()) -> None:
        """Score and write. score: is called with a model's name, for each of two; hidden: what people are not shown."""
        self._check()
        check_readable(self.file)
        with ExitStack() as stack:
            sink = stack.enter_context(open_output(self.output))
            if self.compare:
                result = self._compared(*(score(name, None) for name in self.compare))
                shown = comparison_table(result)
            else:
                name = self.model or TASKS[self.task].default_model
                errors_sink = stack.enter_context(open_output(self.errors)) if self.errors else None
                wrong = WrongAnswers() if errors_sink else None
                scored = score(name, wrong)
                if wrong and errors_sink:
                    wrong.write(errors_sink)
                result = report(self.task, name, self.file, scored.records, self.start, scored.results(self.seed))
                kept = {key: value for key, value in result.items() if value is not None and key not in hidden}
                shown = table(kept)
            sink.write(dump(result) if self.json else shown.encode())

    def _check(self) -> None:
        """Raise UsageError for what does not go with --compare."""
        if self.compare is None:
            return
        options = {"--model": self.model, "--errors": self.errors, **self.others}
        if given := [name for name, value in options.items() if value]:
            raise UsageError(f"--compare A B names both models; leave out {' and '.join(given)}")
        if self.file == STDIO or (Path(self.file).exists() and not Path(self.file).is_file()):
            raise UsageError(f"--compare reads the data twice, so {source_name(self.file)} will not do; name a file")

    def _compared(self, first: Scored, second: Scored) -> Scores:
        """Return both scores and their differences, with one draw of records for both."""
        if first.records != second.records or len(first.sheets) == 0:
            raise KexueError(f"{source_name(self.file)} was changed while it was read")
        found: dict[str, dict[str, Any]] = {}
        for one, other in pairs_of(first.sheets, second.sheets):
            found |= differences(one, other, seed=self.seed)
        for name in first.more.keys() & second.more.keys():
            one_score, other_score = first.more[name], second.more[name]
            row = {"first": one_score, "second": other_score, "difference": other_score - one_score}
            found[name] = {**row, "interval": None, "p": None}
        assert self.compare is not None
        head = report(self.task, "", self.file, first.records, self.start, {})
        del head["model"]
        return {"task": head.pop("task"), "models": list(self.compare), **head, "scores": found}


def pairs_of(first: Sequence[Sheet], second: Sequence[Sheet]) -> list[tuple[Sheet, Sheet]]:
    """Return the sheets of both models that hold the same scores; one may have some that the other lacks."""
    by_name = {name: sheet for sheet in second for name in sheet.scores()}
    pairs = []
    for sheet in first:
        others = [by_name[name] for name in sheet.scores() if name in by_name]
        if others:
            pairs.append((sheet, others[0]))
    return pairs
