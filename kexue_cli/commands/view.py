"""kexue view: what models answered, and what is right, as a page or at the terminal."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import KexueError, RecordError, UsageError
from kexue_cli.records import parse_record, try_lines
from kexue_cli.streams import STDIO, check_readable, open_input, open_output, source_name

if TYPE_CHECKING:
    from kexue_cli.pictures.drawing import Drawing
    from kexue_cli.pictures.kinds import Numbered

LIMIT = 10_000  # records of a page
HINT = "view draws JSON records, as kexue predict and kexue segment --json write them"
CURVES = "training.jsonl"  # of a model folder


def view(
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]", help="Records, or a model folder for its training curves; - is standard input."
        ),
    ] = STDIO,
    output: options.OutputFile = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Show the records here, as text, however many there are.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help=f"Take the first N records only; without it up to {LIMIT} make a page."),
    ] = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    quiet: options.Quiet = False,
) -> int:
    """Draw records as one page of HTML that needs no network, or with --terminal as text.

    What is drawn is told by the fields of a record: answers marked in their passages, triples as arcs over the text,
    links with their candidates, words, lattices (segment --json --explain) and structures, nearest texts, generated
    texts beside their conditions, training curves (a model folder or its training.jsonl). Where a record says what is
    right, as those of evaluate --errors do, it stands beside the answer. Other records are shown as they are.

    Example: kexue predict triples news.jsonl | kexue view -o news.html
    """
    is_shown = output in (None, STDIO) and sys.stdout is not None and sys.stdout.isatty()
    if is_shown and not terminal:
        raise UsageError("a page is not for the terminal; add -o page.html, or --terminal to see the records here")
    from kexue_cli.pictures.kinds import drawings

    path = _training_of(file) if Path(file).is_dir() else file
    check_readable(path)
    source = source_name(path)
    problems: list[RecordError] = []
    with open_input(path) as stream, open_output(output) as sink:
        records = _records(try_lines(stream, path, encoding=encoding), source)
        skip = problems.append if on_error is OnError.skip else None
        taken = _limited(records, limit, source, is_page=not terminal)
        drawn = drawings(taken, source, skip=skip)
        title = source if file == STDIO else Path(file).resolve().name
        for text in _terminal(drawn, is_shown) if terminal else _page(drawn, title, limit):
            sink.write(text.encode())
            if terminal:
                sink.flush()
    if problems:
        count = len(problems)
        console.warn(f"{count} bad record{'s' * (count > 1)} skipped, each with its error in its place")
    return 1 if problems else 0


def _training_of(folder: str) -> str:
    """Return the file with the training curves of a model folder."""
    path = Path(folder) / CURVES
    if not path.is_file():
        raise KexueError(f"{folder} has no {CURVES}; kexue train writes one for models that learn in epochs")
    return str(path)


def _records(lines: Iterator[tuple[int, str | RecordError]], source: str) -> "Iterator[Numbered]":
    for number, line in lines:
        if isinstance(line, RecordError):
            yield number, line
        elif line.strip():
            try:
                yield number, parse_record(line, source, number)
            except RecordError as error:
                hint = "" if line.lstrip().startswith("{") else f"; {HINT}"
                yield number, RecordError(source, number, f"{error.problem}{hint}")


def _limited(records: "Iterator[Numbered]", limit: int | None, source: str, *, is_page: bool) -> "Iterator[Numbered]":
    """Yield the first *limit* records. Raises KexueError if there are too many for a page, and no limit was given."""
    if limit is not None:
        yield from islice(records, limit)
        return
    for count, numbered in enumerate(records):
        if is_page and count == LIMIT:
            raise KexueError(
                f"{source}:{numbered[0]}: there are more than {LIMIT} records, as many as a page shows well; "
                f"take some with --limit N, or see all with --terminal"
            )
        yield numbered


def _page(drawn: "Iterator[Drawing]", title: str, limit: int | None) -> Iterator[str]:
    from kexue_cli.pictures.page import page

    yield page(drawn, title, note=f"At most the first {limit} records of the file." if limit else "").html


def _terminal(drawn: "Iterator[Drawing]", is_terminal: bool) -> Iterator[str]:
    """Yield each drawing as the text that a terminal shows."""
    from kexue_cli.pictures.terminal import writer

    yield from map(writer(is_terminal=is_terminal), drawn)
