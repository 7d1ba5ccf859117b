"""kexue predict TASK: records in, the same records with answers out, one line each, in order."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import Record, dump, live_groups, parse_record
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS
from kexue_cli.tasks.task import Task

Text = Annotated[bool, typer.Option("--text", help="Input lines are plain text; without it they are JSON records.")]


def predict_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: Text = False,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its words: [{"word", "start", "end"}]. Offsets count code points.

    Example: echo '{"id": 1, "text": "我爱北京"}' | kexue predict segmentation
    """
    return predict("segmentation", file, model, output, is_text=text, device=device, threads=threads,
                   encoding=encoding, on_error=on_error)  # fmt: skip


def predict_qa(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    threshold: options.Threshold = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    quiet: options.Quiet = False,
) -> int:
    """Answer the question of each record {"question", "passages": [TEXT or {"text"}, ...]} from its passages.

    Adds "answer" (null if the passages seem not to hold one), "score" (about the chance that it is right), "passage",
    "start" and "end" (where it stands: passages[passage][start:end], in code points) and "candidates", the best three.

    Example: echo '{"question": "长江有多长？", "passages": ["长江全长约6300公里。"]}' | kexue predict qa
    """
    return predict("qa", file, model, output, device=device, threads=threads, encoding=encoding, on_error=on_error,
                   batch_size=batch_size, settings={"threshold": threshold})  # fmt: skip


def predict_triples(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: Text = False,
    tsv: Annotated[
        bool, typer.Option("--tsv", help="Write a line for each triple: subject, predicate, object, with TABs between.")
    ] = False,
    schema: options.Schema = None,
    rules: options.Rules = None,
    threshold: options.Threshold = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its "triples": subject, predicate and object, where they stand, and a score.

    text[subject_start:subject_end] is the subject, so for the object; places count code points. The score is the
    probability of the subject times that of the object.

    Example: kexue predict triples --text --tsv articles.txt | sort | uniq -c
    """
    from kexue_cli.tasks.triples.rules import Rules
    from kexue_cli.tasks.triples.schema import Schema

    settings = {
        "threshold": threshold,
        "schema": Schema.read(schema) if schema else None,
        "rules": Rules.read(rules) if rules else None,
    }
    return predict("triples", file, model, output, is_text=text, device=device, threads=threads, encoding=encoding,
                   on_error=on_error, batch_size=batch_size, settings=settings,
                   write=_triple_lines if tsv else dump)  # fmt: skip


def _triple_lines(record: Record) -> bytes:
    """Return a line for each triple of a record; nothing for a record that could not be read."""
    rows = ([triple[name] for name in ("subject", "predicate", "object")] for triple in record.get("triples", ()))
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows).encode()


def predict_linking(
    file: options.InputFile = "-",
    model: options.Model = None,
    kb: options.Base = None,
    output: options.OutputFile = None,
    text: Text = False,
    threshold: options.LinkThreshold = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its "mentions": where they stand, and the id and name of their entity in the base.

    text[start:end] is the mention; places count code points. The id is null where the base seems not to have the
    entity. The score is the probability of the mention times that of the entity, or of none where the id is null;
    "candidates" are the likeliest.

    Example: kexue predict linking --kb entities.jsonl --text articles.txt
    """
    from kexue_cli.commands.knowledge_base import open_base

    settings = {"base": partial(open_base, kb, encoding=encoding) if kb else None, "entity": threshold}
    return predict("linking", file, model, output, is_text=text, device=device, threads=threads, encoding=encoding,
                   on_error=on_error, batch_size=batch_size, settings=settings)  # fmt: skip


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
) -> int:
    """Answer the records of a file; return the exit status. Raises KexueError at a bad record unless it is skipped.

    is_text: whether lines are plain text; None for a task that reads records only. settings: of the answers, where
    the user gave them; None for the model's own; a function is given the model and returns one. write: what is
    written for an answer.
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
            records = [_record(line, source, number, is_text) for number, line in group]
            for (number, _), answer in zip(group, _answers(answerer, records), strict=True):
                if isinstance(answer, KexueError):
                    problem = answer if isinstance(answer, RecordError) else RecordError(source, number, str(answer))
                    if on_error is OnError.stop:
                        raise problem
                    failures += 1
                    answer = {"error": problem.problem, "line": number}
                sink.write(write(answer))
                sink.flush()
    if failures:
        console.warn(f"{failures} bad record{'s' * (failures > 1)} skipped, each with an error record in its place")
    return 1 if failures else 0


def _is_record(line: str | RecordError) -> bool:
    """Say whether there is anything on a line."""
    return isinstance(line, RecordError) or bool(line.strip())


def _record(line: str | RecordError, source: str, number: int, is_text: bool | None) -> Record | RecordError:
    if isinstance(line, RecordError):
        return line
    if is_text:
        return {"text": line}
    try:
        return parse_record(line, source, number)
    except RecordError as error:
        if is_text is None or line.lstrip().startswith("{"):
            return error
        return RecordError(source, number, f"{error.problem}; for plain lines add --text")


def _answers(answerer: Task, records: Sequence[Record | RecordError]) -> Iterator[Record | KexueError]:
    """Yield the answer to each record, or what is wrong with it."""
    good = [record for record in records if not isinstance(record, RecordError)]
    try:
        answers = iter(list(answerer.predict(good)))
        yield from (record if isinstance(record, RecordError) else next(answers) for record in records)
    except KexueError as error:
        if len(records) == 1:
            yield error
        else:  # one of them is wrong: alone, each is answered or is the one
            for record in records:
                yield from _answers(answerer, [record])


COMMANDS = {
    "qa": predict_qa,
    "triples": predict_triples,
    "linking": predict_linking,
    "segmentation": predict_segmentation,
}
