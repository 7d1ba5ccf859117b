"""What every kexue train of a network shares: settings, progress, the course of the training on the terminal."""

import dataclasses
import shlex
import sys
import tomllib
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kexue_cli import console
from kexue_cli.config import from_mapping, read_toml
from kexue_cli.device import prepare_backend, resolve
from kexue_cli.errors import KexueError, Terminated, UsageError, unknown_name
from kexue_cli.training.config import TrainingConfig

if TYPE_CHECKING:
    from kexue_cli.tasks.task import Trainee

Config = TypeVar("Config")
Kind = TypeVar("Kind")
TRAINING = "training"
DEVELOPMENT_SHARE, DEVELOPMENT_MOST = 0.1, 500  # of the records, if there is no --dev


def read_settings(
    kind: type[Config], path: str | None, settings: Sequence[str] | None, seed: int
) -> tuple[Config, TrainingConfig]:
    """Return the settings of a task and those of the training loop, from a TOML file and KEY=VALUE pairs.

    Raises KexueError for a file that cannot be read, and for settings that are unknown or of another type.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values = read_toml(path)
    for setting in settings or []:
        _set(values, setting)
    where = path if path and not settings else "settings"
    _check_names(values, kind, where)
    loop = values.pop(TRAINING, {})
    if isinstance(loop, dict):
        loop = {"seed": seed, **loop}
    return from_mapping(kind, values, where), from_mapping(TrainingConfig, loop, f"{where}.{TRAINING}")


def _check_names(values: dict[str, Any], kind: type[Any], where: str) -> None:
    """Raise KexueError for a name that is neither a table of settings nor a setting outside of all tables."""
    hints = {**typing.get_type_hints(kind), TRAINING: TrainingConfig}
    settings = [
        f"{table}.{field.name}"
        for table, hint in hints.items()
        if dataclasses.is_dataclass(hint)
        for field in dataclasses.fields(hint)
    ]
    for name in values:
        if name not in hints:
            raise KexueError(
                f"{where}: {unknown_name('setting', name, [*hints, *settings], 'known: ' + ', '.join(hints))}"
            )


def _set(values: dict[str, Any], setting: str) -> None:
    """Put KEY=VALUE into nested tables; VALUE is TOML, or else a plain string."""
    key, equals, text = setting.partition("=")
    *tables, name = key.strip().split(".")
    if not equals or not name or not all(tables):
        raise UsageError(f"--set {setting!r} must be KEY=VALUE, such as training.epochs=5")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise UsageError(f"--set {setting!r}: {table} is a setting, not a table of settings")
    values[name] = value


def parted(records: list[Kind], seed: int) -> tuple[list[Kind], list[Kind]]:
    """Return the records to learn from and those kept for development, drawn at random."""
    import numpy as np

    size = min(int(len(records) * DEVELOPMENT_SHARE), DEVELOPMENT_MOST)
    if not size:
        raise KexueError(f"{len(records)} records are too few to keep a tenth for development; give --dev FILE")
    order = np.random.default_rng(seed).permutation(len(records))
    return [records[i] for i in sorted(order[size:])], [records[i] for i in sorted(order[:size])]


def train_network(
    task: str,
    make_trainee: "Callable[[], Trainee]",
    target: Path,
    training: TrainingConfig,
    *,
    settings: Any,
    records: Sequence[Any],
    data: dict[str, Any],
    is_resumed: bool | None,
    device: str,
    threads: int | None,
) -> None:
    """Train a network and write its model folder, and tell of it on standard error.

    settings and records: what another training must not differ in to be resumed. data: what the card says of them.
    """
    from kexue_cli.training.session import Session, fingerprint, work_folder

    command = "kexue " + shlex.join(sys.argv[1:])
    mark = fingerprint(dataclasses.asdict(settings), dataclasses.asdict(training), *records)
    session = Session(task, target, training, mark, data, command)
    session.begin(is_resumed)
    prepare_backend(resolve(device, is_training=True), threads, is_alone=True)
    from kexue_cli.training.curves import sparkline
    from kexue_cli.training.trainer import Reports

    trainee = make_trainee()
    batches = training.epochs * -(-len(trainee) // training.batch_size)
    console.say(f"{len(trainee):,} samples, {batches:,} batches at most; checkpoints in {work_folder(target)}")
    scores: list[float] = []

    def tell(entry: dict[str, Any]) -> None:
        scores.append(entry[trainee.monitor])
        shown = ", ".join(f"{name} {value:.4g}" for name, value in entry.items() if isinstance(value, float))
        console.say(f"epoch {entry['epoch']}: {shown}")

    try:
        with console.progress("training", batches) as advance:
            metrics = session.run(trainee, Reports(advance, tell))
    except (KeyboardInterrupt, Terminated):
        console.warn("stopped; the same command with --resume goes on from the last checkpoint, if there was one yet")
        raise
    if console.is_terminal():
        console.say(f"{trainee.monitor} {sparkline(scores)}")
    best = ", ".join(f"{name} {value}" for name, value in metrics["development"].items())
    console.say(f"{target}: {best} on the development data, from epoch {metrics['best_epoch']}")
