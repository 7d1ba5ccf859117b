"""kexue data: the bundled sample sets, records looked through for mistakes, and published formats made into ours."""

from collections import Counter
from typing import Annotated

import typer

from kexue_cli import console, zoo
from kexue_cli.commands import options
from kexue_cli.datasets import DATASETS
from kexue_cli.datasets.checks import check
from kexue_cli.datasets.reader import check_format, open_records, without_errors
from kexue_cli.errors import KexueError
from kexue_cli.records import dump
from kexue_cli.streams import open_input, open_output, source_name

Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The published format, detected when left out: "
        + "; ".join(f"{name} ({entry.summary})" for name, entry in DATASETS.items()),
    ),
]


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
    format: Format = None,
    output: options.OutputFile = None,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Turn a file of a published format into records, one JSON object a line.

    Example: kexue data convert msr_training.utf8 --format sighan -o msr.jsonl
    """
    check_format(format)
    left_out: Counter[str] = Counter()
    with open_input(file) as stream, open_output(output) as sink:
        found, records = open_records(stream, file, format=format, encoding=encoding, left_out=left_out)
        if found is None:
            hint = f"name it with --format {'|'.join(DATASETS)}"
            raise KexueError(f"{source_name(file)} is in no published format known here; {hint}")
        for _, record in without_errors(records):
            sink.write(dump(record))
    _tell_left_out(source_name(file), left_out)


def check_data(
    file: options.InputFile = "-",
    format: Format = None,
    output: options.OutputFile = None,
    json: options.Json = False,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Look for mistakes in the records of a file, ours or in a published format; exit status 1 if there are any.

    One line for each: FILE:LINE: field: problem, with the record's id instead of the line where the file is one JSON
    document. What ends with (note) is worth knowing but no mistake. The sums are told on standard error.

    Example: kexue data check train.jsonl && kexue train qa train.jsonl -o my-model
    """
    check_format(format)
    source = source_name(file)
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    errors = 0
    with open_input(file) as stream, open_output(output) as sink:
        found, records = open_records(stream, file, format=format, encoding=encoding, left_out=left_out)
        for finding in check(records, source, found, counts):
            errors += finding.problem.is_error
            sink.write(dump(finding.record()) if json else f"{finding.text()}\n".encode(errors="surrogateescape"))
    _tell_left_out(source, left_out)
    if not counts["records"]:
        raise KexueError(f"{source} holds no records")
    sums = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.say(f"{source}: read as {found or 'JSON lines'}: {sums}; errors: {errors}")
    if errors:
        raise typer.Exit(1)


def _tell_left_out(source: str, left_out: Counter[str]) -> None:
    for reason, count in left_out.items():
        console.say(f"{source}: {count} records left out: {reason}")


COMMANDS = {"list": list_data, "show": show_data, "check": check_data, "convert": convert}
