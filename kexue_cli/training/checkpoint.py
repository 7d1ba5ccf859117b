"""Checkpoints: one file that is the old one or the new one, whenever the process is killed."""

import hashlib
import io
import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    import numpy.typing as npt

FILE = "checkpoint.npz"
DIGEST_SIZE = 32  # bytes of the SHA-256 at the end of the file: NumPy and zip miss some changes

Arrays = list["npt.NDArray[np.generic]"]


@dataclass
class Position:
    """Where training stands, beside its arrays."""

    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    step: int = 0  # batches of this stage that are done
    stage: int = 1
    best: float = -math.inf  # of the metric that is watched
    best_epoch: int = -1
    losses: list[float] = field(default_factory=list)  # of the batches of this epoch
    seconds: float = 0.0  # of training, over all processes
    history: list[dict[str, float]] = field(default_factory=list)  # an object for each epoch


@dataclass
class Checkpoint:
    """The state of a training. weights and optimizer hold all variables, the averages and the dropout seeds too."""

    position: Position
    weights: Arrays
    optimizer: Arrays
    best: Arrays  # weights of the best epoch; empty before the first evaluation
    fingerprint: str  # of data and configuration; another training must not go on from here


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that is there wholly or not at all, even if the machine stops.

    Raises KexueError if it cannot be written; what was there before stays.
    """
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)  # on a full disk the next try needs its room
        raise KexueError(f"cannot write {path}: {error.strerror}") from None
    if os.name == "nt":  # which has no way to flush a folder
        return
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a folder, in the place of the one before."""
    arrays: dict[str, Any] = {"position": np.array(json.dumps(asdict(checkpoint.position))),
                              "fingerprint": np.array(checkpoint.fingerprint)}  # fmt: skip
    for name in ("weights", "optimizer", "best"):
        arrays |= {f"{name}_{index:04}": array for index, array in enumerate(getattr(checkpoint, name))}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    write_durably(folder / FILE, content + hashlib.sha256(content).digest())


def load(folder: Path) -> Checkpoint | None:
    """Return the checkpoint in a folder, None if there is none.

    Raises KexueError if the file is damaged, or of another version.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    content, mark = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    if hashlib.sha256(content).digest() != mark:
        raise KexueError(f"{path} is damaged; remove it to train from the start")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            parts = {
                name: [file[key] for key in sorted(file.files) if key.startswith(f"{name}_")]
                for name in ("weights", "optimizer", "best")
            }
            position = Position(**json.loads(str(file["position"])))
            return Checkpoint(position, **parts, fingerprint=str(file["fingerprint"]))
    except (ValueError, KeyError, TypeError) as error:
        raise KexueError(
            f"{path} is of another version of kexue ({error}); remove it to train from the start"
        ) from None
