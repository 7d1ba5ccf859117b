"""kexue data: the bundled sample sets, records looked through for mistakes, and published formats made into ours."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from typing import Annotated

import typer

from kexue_cli import console, zoo
from kexue_cli.commands import options
from kexue_cli.commands.check import check_data
from kexue_cli.commands.scores import placed
from kexue_cli.datasets import DATASETS
from kexue_cli.datasets.checks import task_of
from kexue_cli.datasets.reader import check_format, open_records, without_errors
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import Record, dump
from kexue_cli.streams import open_input, open_output, source_name

Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The published format, detected when left out: "
        + "; ".join(f"{name} ({entry.summary})" for name, entry in DATASETS.items()),
    ),
]


class Target(StrEnum):
    """What a file is made into."""

    records = "records"
    knowledge_base = "knowledge-base"


LINKING, BASE = "linking", "knowledge-base"  # the tasks whose data a knowledge base is made of


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
    to: Annotated[
        Target, typer.Option(help="Records, or the knowledge base that texts with linked mentions give.")
    ] = Target.records,
    output: options.OutputFile = None,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Turn a file of a published format into records, one JSON object a line.

    With --to knowledge-base, linked texts, published or our own, become the entities that they mention: with all their
    names, how often each was meant and seen, and what is mentioned beside them.

    Example: kexue data convert msr_training.utf8 --format sighan -o msr.jsonl
    """
    check_format(format)
    if to is Target.knowledge_base and format is not None:
        _check_makes_base(f"--format {format}", DATASETS[format].task, UsageError)
    left_out: Counter[str] = Counter()
    with open_input(file) as stream, open_output(output) as sink:
        found, records = open_records(stream, file, format=format, encoding=encoding, left_out=left_out)
        placed_records = without_errors(records)
        if to is Target.knowledge_base:
            made = _knowledge_base(placed_records, found, source_name(file))
        elif found is None:
            hint = f"name it with --format {'|'.join(DATASETS)}"
            raise KexueError(f"{source_name(file)} is in no published format known here; {hint}")
        else:
            made = (record for _, record in placed_records)
        for record in made:
            sink.write(dump(record))
    _tell_left_out(source_name(file), left_out)


def _check_makes_base(holder: str, task: str, error: type[KexueError]) -> None:
    if task not in (LINKING, BASE):
        raise error(f"{holder} holds records of {task}; --to {BASE} takes records of {LINKING}, or of a base")


def _knowledge_base(records: Iterator[tuple[str, Record]], format: str | None, source: str) -> Iterator[Record]:
    """Yield the records of a base, or else those of the base that texts with linked mentions give."""
    from kexue_cli.tasks.linking.entities import derived, entity_record
    from kexue_cli.tasks.linking.records import read_labelled_text

    first = next(records, None)
    if first is None:
        raise KexueError(f"{source} holds no records")
    where, record = first
    task = DATASETS[format].task if format else task_of(record, where)
    _check_makes_base(source, task, KexueError)
    records = chain([first], records)
    if task == BASE:
        yield from (record for _, record in records)
        return
    entities = list(derived(placed(where, read_labelled_text, record) for where, record in records))
    if not entities:
        raise KexueError(f'{source} has no linked mentions; a base is made of those with an "id" that is not null')
    yield from map(entity_record, entities)


def _tell_left_out(source: str, left_out: Counter[str]) -> None:
    for reason, count in left_out.items():
        console.say(f"{source}: {count} records left out: {reason}")


COMMANDS = {"list": list_data, "show": show_data, "check": check_data, "convert": convert}
