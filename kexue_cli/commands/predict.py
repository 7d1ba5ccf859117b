"""kexue predict TASK: records in, the same records with answers out, one line each, in order."""

from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.records import dump, parse_record, try_lines
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS

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


def predict(
    task: str,
    file: str,
    model: str | None,
    output: str | None,
    *,
    is_text: bool,
    device: str,
    threads: int | None,
    encoding: str,
    on_error: OnError,
) -> int:
    """Answer the records of a file; return the exit status. Raises KexueError at a bad record unless it is skipped."""
    failures = 0
    source = source_name(file)
    with open_input(file) as stream, open_output(output) as sink:
        from kexue_cli import loader

        answerer = loader.load(model or TASKS[task].default_model, device=device, threads=threads)
        for number, line in try_lines(stream, file, encoding=encoding, is_live=True):
            try:
                if isinstance(line, RecordError):
                    raise line
                if not is_text and not line.strip():
                    continue
                record = {"text": line} if is_text else parse_record(line, source, number)
                answers = [dump(answer) for answer in answerer.predict([record])]
            except KexueError as error:
                problem = error if isinstance(error, RecordError) else RecordError(source, number, str(error))
                if isinstance(line, str) and not line.lstrip().startswith("{") and not is_text:
                    problem = RecordError(source, number, f"{problem.problem}; for plain lines add --text")
                if on_error is OnError.stop:
                    raise problem from None
                failures += 1
                answers = [dump({"error": problem.problem, "line": number})]
            sink.write(b"".join(answers))
            sink.flush()
    if failures:
        console.warn(f"{failures} bad record{'s' * (failures > 1)} skipped, each with an error record in its place")
    return 1 if failures else 0


COMMANDS = {"segmentation": predict_segmentation}
