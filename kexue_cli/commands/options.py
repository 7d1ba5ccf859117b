"""Options that several subcommands share; each means the same everywhere."""

import importlib.util
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.device import is_device
from kexue_cli.device import usable_cores as usable_cores
from kexue_cli.encoding import check_encoding
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.zoo import check_target, models


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
    if not is_device(value):
        raise UsageError(f"no device {value!r}; allowed: auto, cpu, gpu, gpu:N")
    return value


class EngineName(StrEnum):
    """What runs work on many machines."""

    ray = "ray"


def complete_model(context: typer.Context, incomplete: str) -> list[str]:
    """Return the models of the zoo that a shell offers: those of the command's task, all where it has none."""
    task = "segmentation" if context.info_name == "segment" else context.info_name
    entries = models({})
    offered = [entry for entry in entries if entry.task == task] or entries
    return [entry.name for entry in offered if entry.name.startswith(incomplete)]


def one_start(start: list[str] | None) -> str:
    """Return the one model to begin from, "" for none. Raises UsageError for several."""
    if start and len(start) > 1:
        raise UsageError(f"--from takes one model for this task; given: {', '.join(start)}")
    return start[0] if start else ""


def check_engine(engine: EngineName | None, address: str | None) -> None:
    """Raise UsageError for an address without an engine, KexueError for an engine that is not installed."""
    if address is not None and engine is None:
        raise UsageError("--address goes with --engine ray")
    if engine is not None and not all(map(importlib.util.find_spec, ("ray", "pyarrow"))):
        raise KexueError("--engine ray needs Ray; pip install 'kexue[ray]'")


def target_folder(output: str) -> Path:
    """Return the model folder to write.

    Raises UsageError for an empty name, KexueError if the folder holds something else or cannot be written.
    """
    if not output.strip():
        raise UsageError("--output must name a folder")
    target = Path(output)
    check_target(target)
    return target


InputFile = Annotated[str, typer.Argument(metavar="[FILE]", help="Input; - or nothing is standard input.")]
InputFiles = Annotated[
    list[str] | None, typer.Argument(metavar="FILE...", help="Input; - or nothing is standard input.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|PATH",
        autocompletion=complete_model,
        help="A model of the zoo, or the path of a model folder (with a slash).",
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="The knowledge base to link to, compiled beside FILE once; the model's own if left out."
    ),
]
Text = Annotated[bool, typer.Option("--text", help="Input lines are plain text; without it they are JSON records.")]
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
Threads = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processor threads; all by default, one for networks.")
]
Engine = Annotated[
    EngineName | None,
    typer.Option(help="ray: let all machines of a Ray cluster work, or all cores of this one; needs kexue[ray]."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT|auto", help="The Ray cluster to use, auto for the one of this machine. Default: start one."
    ),
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Where random choices start.")]
Device = Annotated[
    str,
    typer.Option(
        parser=parse_device,
        metavar="auto|cpu|gpu|gpu:N",
        help="Where networks run; auto takes a GPU if there is one, with kexue[gpu] installed. Others run on the CPU.",
    ),
]
Corpus = Annotated[
    list[str], typer.Argument(metavar="CORPUS...", help="Raw text, one or more files; - is standard input.")
]
TextField = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[,NAME]",
        help="Read JSON lines and take the text from the first of these fields; files named .txt stay plain text.",
    ),
]
TrainingData = Annotated[
    list[str], typer.Argument(metavar="DATA...", help="Records to learn from: JSON lines, or a published format.")
]
ModelOutput = Annotated[
    str, typer.Option("--output", "-o", metavar="DIR", help="The model folder to make, or to replace.")
]
DevelopmentData = Annotated[
    str | None,
    typer.Option("--dev", metavar="FILE", help="Records that tell which epoch is best; else a tenth of DATA is kept."),
]
DevelopmentFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--dev",
        metavar="FILE",
        help="Records that tell which epoch is best, else a tenth of DATA is kept; may be given again.",
    ),
]
Start = Annotated[
    list[str] | None,  # so that a second one is refused and does not take the place of the first
    typer.Option(
        "--from",
        metavar="NAME|PATH",
        autocompletion=complete_model,
        help="A model of this task whose weights to begin with, where DATA is little; it sets the network's shape.",
    ),
]
Starts = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="NAME|PATH",
        autocompletion=complete_model,
        help="A model of this task whose weights to begin with, where DATA is little; it sets the network's shape. "
        "Given several times, models of one shape become members of one, whose scores are averaged.",
    ),
]
ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE.toml", help="Settings, in tables as in a model's config.json.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as training.epochs=5; goes before --config."),
]
Resume = Annotated[
    bool | None,
    typer.Option("--resume/--no-resume", help="Go on with a training that was stopped, or forget it and begin anew."),
]
Format = Annotated[
    str | None, typer.Option(metavar="NAME", help="The published format of the data; detected when left out.")
]
BATCH_SIZE = 32
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size", "-b", min=1, metavar="N", help="Records answered together, of those that are there already."
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="P", help="Least score of an answer; below it there is none. Default: the model's."
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help='Answer after the manner of this training file, by its name up to the first dot; "" for none. '
        "Default: the model's.",
    ),
]
LinkThreshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0,
        max=1,
        metavar="P",
        help="Least probability that a mention means any of its candidates; below it, its id is null. "
        "Default: the model's.",
    ),
]
Cosine = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=-1,
        max=1,
        metavar="COSINE",
        help="Least score of texts that are similar. Default: the model's; for matches, none is left out.",
    ),
]
Errors = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help='Write the records that were answered wrongly here, with "gold" beside the answer, the worst first.',
    ),
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="A B",
        help="Score two models, by name or path, and test the differences (B less A) on the same records.",
    ),
]
Rules = Annotated[
    str | None,
    typer.Option(metavar="FILE.toml", help="Rules for the triples that are found; the model's own if left out."),
]
Schema = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help='Take only the predicates of this file of {"predicate", "subject_type", "object_type"}.'
    ),
]
