"""One ``kexue train`` of a network, from examples to the model folder; it may be killed at any time and resumed."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.provenance import provenance
from kexue_cli.training import curves
from kexue_cli.training.checkpoint import FILE
from kexue_cli.training.export import WEIGHTS, export
from kexue_cli.zoo import CARD, CONFIG, METRICS, check_target, new_folder, write_sums

if TYPE_CHECKING:
    from kexue_cli.tasks.task import Trainee
    from kexue_cli.training.config import TrainingConfig
    from kexue_cli.training.trainer import Reports

LOG = "training.jsonl"
CURVES = "training.png"


def work_folder(target: Path) -> Path:
    """Return where a training keeps its checkpoints: beside the folder it will write."""
    target = target.absolute()
    return target.parent / f".{target.name}.training"


@dataclass(frozen=True)
class Session:
    """What is trained, where to, and from what."""

    task: str
    target: Path
    training: "TrainingConfig"
    fingerprint: str  # of the data and the settings
    data: dict[str, Any]  # what the card says of the data: files, records
    command: str

    def begin(self, is_resumed: bool | None) -> None:
        """Check that the training may begin, or go on. is_resumed: None if the user did not say.

        One that was stopped before its first checkpoint begins anew. Raises KexueError if a training is there and the
        user must decide, or none is there to go on with.
        """
        check_target(self.target)
        folder = work_folder(self.target)
        is_there = (folder / FILE).is_file()
        if is_there and is_resumed is None:
            raise KexueError(
                f"{folder} holds a training that did not end; go on with --resume, or begin with --no-resume"
            )
        if is_resumed and not folder.is_dir():
            raise KexueError(f"there is no training to resume: {folder} is not there; leave out --resume to begin one")
        if is_there and not is_resumed:
            with _alone(folder):
                (folder / FILE).unlink()

    def run(self, trainee: "Trainee", reports: "Reports") -> dict[str, Any]:
        """Train, export, write the model folder and return its metrics."""
        from kexue_cli.training.trainer import Trainer

        work = work_folder(self.target)
        with _alone(work):
            trainer = Trainer(trainee, self.training, work, self.fingerprint)
            trainer.resume()
            position = trainer.train(reports)
            with new_folder(self.target) as folder:
                settings = trainee.save(folder, trainer.open_network)
                write_json(
                    folder / CONFIG,
                    {"format": FORMAT, "task": self.task, **settings, "training": asdict(self.training)},
                )
                for name, network in trainer.networks().items():
                    network.save_weights(folder / WEIGHTS.format(name))
                export(folder, trainer.open_network, trainee.compared_samples(trainer.open_network))
                lines = (json.dumps(entry) + "\n" for entry in position.history)
                (folder / LOG).write_text("".join(lines), "utf-8", newline="\n")
                curves.draw(folder / CURVES, position.history, trainee.monitor)
                metrics = self._metrics(trainee.evaluate(trainer.open_network), position.seconds, trainer)
                write_json(folder / METRICS, metrics)
                (folder / CARD).write_text(
                    card(self.target.name, self.task, self.command, metrics), "utf-8", newline="\n"
                )
                write_sums(folder)
            shutil.rmtree(work, ignore_errors=True)
        return metrics

    def _metrics(self, scores: dict[str, float], seconds: float, trainer: Any) -> dict[str, Any]:
        import keras

        return {
            "development": {name: round(value, 4) for name, value in scores.items()},
            "best_epoch": trainer.position.best_epoch,
            "epochs": trainer.position.epoch,
            "parameters": trainer.network.count_params(),
            "data": self.data,
            "seconds": round(seconds, 1),
            "backend": keras.backend.backend(),
            **provenance("numpy", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "onnx", "tf2onnx"),
        }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make a folder of checkpoints, and hold a lock on it. Raises KexueError if another process trains there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            _lock(lock.fileno())
        except OSError:
            raise KexueError(f"another process trains in {folder}; wait for it, or choose another -o") from None
        yield


def _lock(descriptor: int) -> None:
    """Lock an open file until it is closed. Raises OSError if another process holds it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def fingerprint(*parts: Any) -> str:
    """Return a hash of settings and records."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=False, sort_keys=True, default=_as_json).encode())
    return digest.hexdigest()


def _as_json(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else asdict(value)


def card(name: str, task: str, command: str, metrics: dict[str, Any]) -> str:
    """Return the card of a model: what it is, the command that made it, its scores."""
    scores = "\n".join(f"| {key} | {value} |" for key, value in metrics["development"].items())
    data = ", ".join(
        f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}" for key, value in metrics["data"].items()
    )
    return f"""# {name}

A model for the task `{task}` with {metrics["parameters"]:,} parameters, trained on {metrics["date"]} for
{metrics["epochs"]} epochs ({metrics["seconds"]} s, Keras on {metrics["backend"]}) by

```sh
{command}
```

Data: {data}.

Scores of epoch {metrics["best_epoch"]}, the best, on the records kept for development:

| metric | value |
| --- | --- |
{scores}

The course of the training is in `{LOG}` and `{CURVES}`.
"""
