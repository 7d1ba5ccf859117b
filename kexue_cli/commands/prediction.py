"""What every kexue predict shares: records in, the same records with answers out, one line each, in order."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import ClosedPipe, KexueError, RecordError, Terminated, UsageError
from kexue_cli.records import Record, dump, live_groups, parse_record
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS
from kexue_cli.tasks.task import Task


def predict(
    task: str,
    file: str,
    model: str | None,
    output: str | None,
    *,
    device: str,
    threads: int | None,
    encoding: str,
    on_error: OnError,
    is_text: bool | None = None,
    batch_size: int = options.BATCH_SIZE,
    settings: dict[str, Any] | None = None,
    write: Callable[[Record], bytes] = dump,
    parse_text: Callable[[str], Record] | None = None,
    answers_each: int = 1,
) -> int:
    """Answer the records of a file; return the exit status. Raises KexueError at a bad record unless it is skipped.

    is_text: whether lines are plain text; None for a task that reads records only. settings: of the answers, where
    the user gave them; None for the model's own; a function is given the model and returns one. write: what is
    written for an answer. parse_text: the record of a line of plain text, {"text"} if None; it may raise KexueError.
    answers_each: how many answers the model gives to a record.
    """
    failures = 0
    source = source_name(file)
    with open_input(file) as stream, open_output(output) as sink:
        from kexue_cli import loader

        answerer = loader.load(model or TASKS[task].default_model, task=task, device=device, threads=threads)
        given = {name: value for name, value in (settings or {}).items() if value is not None}
        given = {name: value(answerer) if callable(value) else value for name, value in given.items()}
        if given:
            answerer = answerer.with_settings(**given)
        for lines in live_groups(stream, file, encoding=encoding, size=batch_size):
            group = [(number, line) for number, line in lines if is_text or _is_record(line)]
            records = [_record(line, source, number, is_text, parse_text) for number, line in group]
            for (number, _), answers in zip(group, _answers(answerer, records, answers_each), strict=True):
                if isinstance(answers, KexueError):
                    problem = answers if isinstance(answers, RecordError) else RecordError(source, number, str(answers))
                    if on_error is OnError.stop:
                        raise problem
                    failures += 1
                    answers = [{"error": problem.problem, "line": number}]
                for answer in answers:
                    sink.write(write(answer))
                sink.flush()
    if failures:
        console.warn(f"{failures} bad record{'s' * (failures > 1)} skipped, each with an error record in its place")
    return 1 if failures else 0


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
    except (Terminated, ClosedPipe, UsageError):  # nothing is wrong with the line
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
    except (Terminated, ClosedPipe):  # nothing is wrong with the records
        raise
    except KexueError as error:
        if len(records) == 1:
            yield error
        else:  # one of them is wrong: alone, each is answered or is the one
            for record in records:
                yield from _answers(answerer, [record], each)
