"""Options that several subcommands share; each means the same everywhere."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.encoding import check_encoding
from kexue_cli.errors import UsageError


class OnError(StrEnum):
    """What to do with a bad record."""

    stop = "stop"
    skip = "skip"


def parse_encoding(value: str) -> str:
    """Return the codec's own name; for Typer."""
    return check_encoding(value)


def _set_quiet(value: bool) -> bool:
    console.is_quiet = value
    return value


def parse_device(value: str) -> str:
    """Check a device; for Typer."""
    if value not in ("auto", "cpu", "gpu") and not (value.startswith("gpu:") and value[4:].isdigit()):
        raise UsageError(f"no device {value!r}; allowed: auto, cpu, gpu, gpu:N")
    return value


def usable_cores() -> int:
    """Return the number of processors this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


InputFile = Annotated[str, typer.Argument(metavar="[FILE]", help="Input; - or nothing is standard input.")]
InputFiles = Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Input; - or nothing is standard input.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="NAME|PATH", help="A model of the zoo, or the path of a model folder (with a slash)."
    ),
]
OutputFile = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write here instead of to standard output; the file appears when it is whole.",
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        parser=parse_encoding, metavar="NAME", help="Encoding of the input: utf-8, gb18030, big5, utf-16, ..."
    ),
]
OnErrorOption = Annotated[
    OnError,
    typer.Option(
        "--on-error", help='Stop at a bad record, or write {"error", "line"} in its place and exit 1 at the end.'
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=_set_quiet, help="No progress and no warnings.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON records.")]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processor threads; all by default.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Where random choices start.")]
Device = Annotated[
    str,
    typer.Option(parser=parse_device, metavar="auto|cpu|gpu|gpu:N", help="Where to run; segmentation runs on the CPU."),
]
