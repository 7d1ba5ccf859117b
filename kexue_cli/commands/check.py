"""kexue data check: what is wrong with data, and a copy in which it is put right."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, Any, BinaryIO, NamedTuple

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.datasets.checks import LEFT_OUT, WRITTEN, Checker, File, Finding, task_of
from kexue_cli.datasets.labelled import field_names, with_conditions
from kexue_cli.datasets.reader import check_format, open_records, without_errors
from kexue_cli.errors import KexueError, RecordError, UsageError
from kexue_cli.records import Record, dump
from kexue_cli.streams import Output, check_readable, open_input, open_output, source_name

Placed = tuple[str, Record | RecordError]  # where it stands, and what


def check_data(
    files: options.InputFiles = None,
    format: options.Format = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Data that the files must have nothing in common with (leaks); may be given again."
        ),
    ] = None,
    kb: Annotated[str | None, typer.Option(metavar="FILE", help="The base that mentions must be in.")] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD[,FIELD]",
            help="Fields of texts for generation that are the condition: all those named to kexue train generation.",
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="FIELD", help="Field of those texts themselves.")] = None,
    fix: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the records as they should be here, in our form, and tell changes."),
    ] = None,
    output: options.OutputFile = None,
    json: options.Json = False,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Look for mistakes in the records of files, ours or in a published format; exit status 1 if there are any.

    One line for each: FILE:LINE: field: problem, with the record's id instead of the line where the file is one JSON
    document. The sums are told on standard error.

    Mistakes are what kexue would refuse or understand otherwise than it was meant: what is not in the form, spans out
    of place, answers not in their passage, lines in another encoding, misspelt fields, untidy ids and ids given twice,
    mentions not in --kb, the same text with another label, and records that are in --against, too.
    What ends with (note) is worth knowing but no mistake: duplicates, also in another of the files; questions repeated;
    groups of one; fields that nothing reads; a label that more than 90 % have.

    Texts are compared without width, case and script. For that, some hashes of each record are kept in memory: 160 MB
    for a million pairs, twice that for as many questions or texts for generation.

    --fix moves spans to the nearest place where their words stand, renames misspelt fields, cleans ids, makes numbers
    of labels in quotes, makes all UTF-8 without byte order marks, and drops records that are exactly the same. A record
    with a mistake that cannot be put right is left out: those and all changes are told. Exit status 1 if one was.

    Example: kexue data check reviews.jsonl --condition cat,label --target review

    Example: kexue data check train.jsonl --against dev.jsonl && kexue train qa train.jsonl -o my-model
    """
    form = Form.of(format, encoding, condition, target)
    paths = files or ["-"]
    if fix is not None and len(paths) > 1:
        raise UsageError("--fix writes one file, so it takes one; check the others with --against")
    for path in [*paths, *(against or []), kb]:
        check_readable(path)
    failures = 0
    with open_output(output) as sink, open_output(fix) if fix else nullcontext() as copy:
        checker = Checker(ids=_base_ids(kb, encoding) if kb else None)
        for path in against or []:
            _remember(checker, path, form)
        for path in paths:
            failures += _check_file(path, form, checker, sink, copy, json)
    if failures:
        raise typer.Exit(1)


class Form(NamedTuple):
    """What files are written in. names, target: the fields of free texts for generation; None for other records."""

    format: str | None
    encoding: str
    names: tuple[str, ...]
    target: str | None

    @classmethod
    def of(cls, format: str | None, encoding: str, condition: str | None, target: str | None) -> "Form":
        """Return what options ask for. Raises UsageError for what does not go together."""
        check_format(format)
        is_free = condition is not None or target is not None
        if is_free and format is not None:
            raise UsageError("--condition and --target name fields of JSON lines; leave out --format")
        target = target or "text" if is_free else None
        return cls(format, encoding, field_names(condition, target or ""), target)

    def open(self, stream: BinaryIO, path: str, **told: Any) -> tuple[str | None, Iterator[Placed]]:
        """Return what open_records returns of a file, texts for generation as {"condition", "text"}."""
        task = "generation" if self.target else None  # which is in no published format: fields tell what it is
        found, records = open_records(stream, path, task=task, format=self.format, encoding=self.encoding, **told)
        return found, with_conditions(records, self.names, self.target) if self.target else records


def _check_file(path: str, form: Form, checker: Checker, sink: Output, copy: Output | None, json: bool) -> int:
    """Check a file, and tell all that is found; return how many mistakes there are, or are left out of the copy."""
    source = source_name(path)
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    failures = 0
    with open_input(path) as stream:
        file = File(source, checker, counts)
        found, records = form.open(stream, path, left_out=left_out, told=file.tell)
        file.set_format(found)
        findings = file.fix(records, lambda record: copy.write(dump(record))) if copy else file.check(records)
        for finding in findings:
            failures += finding.level in ("error", LEFT_OUT)
            sink.write(_line(finding, json))
    for reason, count in left_out.items():
        console.say(f"{source}: {count} records left out: {reason}")
    if not counts["records"]:
        raise KexueError(f"{source} holds no records")
    written = counts.pop(WRITTEN, 0)
    sums = ", ".join(f"{count} {name}" for name, count in counts.items())
    end = f"left out: {failures}; {written} records written to {copy.name}" if copy else f"errors: {failures}"
    console.say(f"{source}: read as {found or 'JSON lines'}: {sums}; {end}")
    return failures


def _line(finding: Finding, json: bool) -> bytes:
    return dump(finding.record()) if json else f"{finding.text()}\n".encode(errors="surrogateescape")


def _base_ids(path: str, encoding: str) -> frozenset[str]:
    """Return the ids of a base, and the names, for mentions that have those instead."""
    from kexue_cli.commands.knowledge_base import read_entities

    return frozenset(name for entity in read_entities(path, encoding) for name in (entity.id, entity.name))


def _remember(checker: Checker, path: str, form: Form) -> None:
    """Take in a file that the others must have nothing in common with. Raises KexueError if it cannot be read."""
    from kexue_cli.datasets import DATASETS

    task = None
    with open_input(path) as stream:
        found, records = form.open(stream, path)
        for where, record in without_errors(records):
            task = task or (DATASETS[found].task if found else task_of(record, where))
            checker.memory.add(task, record, where, is_other=True)
