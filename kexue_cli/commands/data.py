"""kexue data: the bundled sample sets, and published formats made into our records."""

import importlib
from collections.abc import Iterator
from itertools import chain
from typing import Annotated

import typer

from kexue_cli import zoo
from kexue_cli.commands import options
from kexue_cli.datasets import DATASETS
from kexue_cli.errors import KexueError, UsageError, unknown_name
from kexue_cli.records import dump, read_lines
from kexue_cli.streams import open_input, open_output, source_name


def list_data(json: options.Json = False) -> None:
    """List the bundled sample sets."""
    with open_output(None) as sink:
        for folder in zoo.data_sets():
            size = sum(file.stat().st_size for file in folder.iterdir())
            record = {"name": folder.name, "path": str(folder), "bytes": size}
            sink.write(dump(record) if json else f"{folder.name:<28} {size / 1e3:8.1f} KB  {folder}\n".encode())


def show_data(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A sample set; see kexue data list.")],
) -> None:
    """Show the card of a sample set."""
    folder = zoo.find_data(name)
    with open_output(None) as sink:
        sink.write((folder / zoo.CARD).read_bytes())


def convert(
    file: options.InputFile = "-",
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The published format, detected when left out: "
            + "; ".join(f"{name} ({entry.summary})" for name, entry in DATASETS.items()),
        ),
    ] = None,
    output: options.OutputFile = None,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Turn a file of a published format into records, one JSON object a line.

    Example: kexue data convert msr_training.utf8 --format sighan -o msr.jsonl
    """
    if format is not None and format not in DATASETS:
        raise UsageError(unknown_name("format", format, DATASETS))
    with open_input(file) as stream, open_output(output) as sink:
        lines = read_lines(stream, file, encoding=encoding)
        if format is None:
            format, lines = detect(lines, source_name(file))
        reader = importlib.import_module(DATASETS[format].module)
        for record in reader.convert(lines):
            sink.write(dump(record))


def detect(lines: Iterator[tuple[int, str]], source: str) -> tuple[str, Iterator[tuple[int, str]]]:
    """Return the format that the first line with text is in, and the lines again from the start.

    Raises KexueError if no format is like it.
    """
    seen = []
    for number, line in lines:
        seen.append((number, line))
        if line.strip():
            for name, entry in DATASETS.items():
                if importlib.import_module(entry.module).looks_like(line):
                    return name, chain(seen, lines)
            break
    raise KexueError(f"{source} is in no format known here; name it with --format {'|'.join(DATASETS)}")


COMMANDS = {"list": list_data, "show": show_data, "convert": convert}
