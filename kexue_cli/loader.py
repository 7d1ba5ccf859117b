"""The shared model loader: a name or a path to a model that is ready, and kept for the next call.

Loaded models are kept by path, time of change and device, so that a program may call load for every record.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kexue_cli.errors import KexueError
from kexue_cli.tasks import TASKS, load_task
from kexue_cli.tasks.task import Task
from kexue_cli.zoo import CONFIG, find_model, read_config

if TYPE_CHECKING:
    from kexue_cli.segmentation.segmenter import Segmenter
    from kexue_cli.segmentation.task import Segmentation

KEPT_MODELS = 4

_kept: dict[tuple[str, int, str], Task] = {}
_lock = threading.Lock()


def load(name: str, *, device: str = "auto", threads: int | None = None) -> Task:
    """Return a model by its name in the zoo or the path of its folder.

    device: auto or cpu; a segmentation model has nothing to run on a GPU. Safe to call from several threads.
    Raises KexueError if there is no such model, it is damaged, or the device cannot run it.
    """
    folder = find_model(name)
    task = read_config(folder)["task"]
    if device.startswith("gpu") and task == "segmentation":
        raise KexueError(f"{name} runs on the CPU only; leave out --device {device}")
    stamp = max(file.stat().st_mtime_ns for file in Path(folder).iterdir())
    key = (str(folder.resolve() / CONFIG), stamp, device)
    with _lock:
        if key not in _kept:
            while len(_kept) >= KEPT_MODELS:
                _kept.pop(next(iter(_kept)))
            _kept[key] = load_task(task, str(folder), threads=threads or 1)
        return _kept[key]


def segmenter(name: str | None = None) -> "Segmenter":
    """Return the segmenter of a model, the default one if no name is given.

    Raises KexueError if the model is for another task.
    """
    name = name or TASKS["segmentation"].default_model
    model = load(name)
    if not hasattr(model, "segmenter"):
        raise KexueError(f"{name} is not a model for segmentation")
    return cast("Segmentation", model).segmenter
