"""What every kexue predict shares: records in, the same records with answers out, one line each, in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import ClosedPipe, KexueError, RecordError, UsageError
from kexue_cli.records import Record, dump, live_groups, parse_record
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS
from kexue_cli.tasks.task import Task

Group = list[tuple[int, str | RecordError]]  # lines with their numbers, or what is wrong with them


@dataclass(frozen=True)
class Answering:
    """How lines are answered, wherever they come from and whoever answers them.

    is_text: whether lines are plain text; None for a task that reads records only. settings: of the answers, where
    the user gave them; None for the model's own; a function is given the model and returns one. write: what is
    written for an answer. parse_text: the record of a line of plain text, {"text"} if None; it may raise KexueError.
    answers_each: how many answers the model gives to a record.
    """

    task: str
    model: str | None
    device: str
    threads: int | None
    on_error: OnError
    is_text: bool | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    write: Callable[[Record], bytes] = dump
    parse_text: Callable[[str], Record] | None = None
    answers_each: int = 1

    @property
    def is_json(self) -> bool:
        """Whether answers are written as JSON lines."""
        return self.write is dump

    def open_model(self) -> Task:
        """Return the model, ready to answer. Raises KexueError as loader.load does."""
        from kexue_cli import loader

        model = loader.load(
            self.model or TASKS[self.task].default_model, task=self.task, device=self.device, threads=self.threads
        )
        given = {name: value for name, value in self.settings.items() if value is not None}
        given = {name: value(model) if callable(value) else value for name, value in given.items()}
        return model.with_settings(**given) if given else model

    def answer(self, model: Task, lines: Group, source: str) -> Iterator[tuple[bytes, bool]]:
        """Yield what is to be written for each record among some lines, and whether that is an error record.

        Raises KexueError at a bad record unless it is to be skipped.
        """
        group = [(number, line) for number, line in lines if self.is_text or _is_record(line)]
        records = [_record(line, source, number, self.is_text, self.parse_text) for number, line in group]
        for (number, _), answers in zip(group, _answers(model, records, self.answers_each), strict=True):
            is_bad = isinstance(answers, KexueError)
            if isinstance(answers, KexueError):
                problem = answers if isinstance(answers, RecordError) else RecordError(source, number, str(answers))
                if self.on_error is OnError.stop:
                    raise problem
                answers = [{"error": problem.problem, "line": number}]
            yield b"".join(map(self.write, answers)), is_bad


def predict(
    task: str,
    file: str,
    model: str | None,
    output: str | None,
    *,
    encoding: str,
    batch_size: int = options.BATCH_SIZE,
    engine: options.EngineName | None = None,
    address: str | None = None,
    **more: Any,
) -> int:
    """Answer the records of a file; return the exit status. Raises KexueError at a bad record unless it is skipped.

    engine, address: of a cluster that is to do it. more: see Answering.
    """
    options.check_engine(engine, address)
    work = Answering(task, model, **more)
    if engine is not None:
        from kexue_cli.commands.cluster import predict_on_cluster

        failures = predict_on_cluster(work, file, output, encoding=encoding, batch_size=batch_size, address=address)
    else:
        failures = _predict_here(work, file, output, encoding, batch_size)
    if failures:
        console.warn(f"{failures} bad record{'s' * (failures > 1)} skipped, each with an error record in its place")
    return 1 if failures else 0


def _predict_here(work: Answering, file: str, output: str | None, encoding: str, batch_size: int) -> int:
    """Return how many bad records were skipped."""
    failures = 0
    with open_input(file) as stream, open_output(output) as sink:
        model = work.open_model()
        for lines in live_groups(stream, file, encoding=encoding, size=batch_size):
            for data, is_bad in work.answer(model, lines, source_name(file)):
                failures += is_bad
                sink.write(data)
                sink.flush()
    return failures


def _is_record(line: str | RecordError) -> bool:
    """Say whether there is anything on a line."""
    return isinstance(line, RecordError) or bool(line.strip())


def _record(
    line: str | RecordError,
    source: str,
    number: int,
    is_text: bool | None,
    parse_text: Callable[[str], Record] | None,
) -> Record | RecordError:
    if isinstance(line, RecordError):
        return line
    try:
        if is_text:
            return parse_text(line) if parse_text else {"text": line}
        return parse_record(line, source, number)
    except (ClosedPipe, UsageError):  # nothing is wrong with the line
        raise
    except RecordError as error:
        if is_text is None or line.lstrip().startswith("{"):
            return error
        return RecordError(source, number, f"{error.problem}; for plain lines add --text")
    except KexueError as error:
        return RecordError(source, number, str(error))


def _answers(answerer: Task, records: Sequence[Record | RecordError], each: int) -> Iterator[list[Record] | KexueError]:
    """Yield the answers to each record, or what is wrong with it."""
    good = [record for record in records if not isinstance(record, RecordError)]
    try:
        answers = iter(list(answerer.predict(good)))
        yield from (record if isinstance(record, RecordError) else list(islice(answers, each)) for record in records)
    except ClosedPipe:  # nothing is wrong with the records
        raise
    except KexueError as error:
        if len(records) == 1:
            yield error
        else:  # one of them is wrong: alone, each is answered or is the one
            for record in records:
                yield from _answers(answerer, [record], each)
