"""The shared model loader: a name or a path to a model that is ready, and kept for the next call.

Loaded models are kept by path, state of their files, device, precision and threads, so that a program may call load
for every record. Networks are opened here: on the CPU with ONNX Runtime, which needs no framework, on a GPU with Keras.
"""

import gc
import importlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kexue_cli.device import Device, DeviceError, resolve
from kexue_cli.errors import KexueError
from kexue_cli.tasks import TASKS, load_task, task_entry
from kexue_cli.tasks.task import Task
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime
    from kexue_cli.segmentation.segmenter import Segmenter
    from kexue_cli.segmentation.task import Segmentation

KEPT_BYTES = 1 << 30  # of model files; the model used longest ago goes first
PRECISIONS = ("float32", "bfloat16", "float16")

_kept: dict[tuple[object, ...], tuple[Task, int]] = {}  # the model and its bytes, the last used at the end
_lock = threading.RLock()  # a task may load another's model
_logger = logging.getLogger(__name__)


def load(
    name: str,
    *,
    task: str | None = None,
    device: str = "auto",
    precision: str | None = None,
    threads: int | None = None,
) -> Task:
    """Return a model by its name in the zoo or the path of its folder.

    task: what the model must be for, if that matters.
    device: auto, cpu, gpu or gpu:N; what has no network has nothing to run on a GPU. precision: float32, or on a GPU
    bfloat16 or float16; outputs are float32 all the same. threads: of the processor, for networks; 1 by default,
    which is quickest to start and, for networks this small, nearly as fast.
    Safe to call from several threads.
    Raises KexueError if there is no such model, it is damaged, or the device cannot run it.
    """
    folder = find_model(name)
    config = read_config(folder)
    entry = task_entry(config["task"])
    if task not in (None, config["task"]):
        raise KexueError(f"{name} is a model for {config['task']}, not for {task}")
    if device.startswith("gpu") and not entry.has_networks:
        raise KexueError(f"{name} runs on the CPU only; leave out --device {device}")
    where = resolve(device if entry.has_networks or device != "auto" else "cpu")
    _check_precision(precision, where)
    threads = threads or 1
    files = sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in folder.iterdir())
    key = (str(folder.resolve()), *files, device, where, precision, threads)
    with _lock:
        if key in _kept:
            _kept[key] = _kept.pop(key)
            return _kept[key][0]
        open_network = partial(
            _open_network, folder, config, where, is_auto=device == "auto", precision=precision, threads=threads
        )
        was_enabled = gc.isenabled()
        gc.disable()  # loading makes many objects that stay; looking for garbage among them takes 0.04 s
        try:
            model = load_task(config["task"], str(folder), threads=threads, open_network=open_network)
        finally:
            if was_enabled:
                gc.enable()
        _keep(key, model, sum(size for _, _, size in files))
        return model


def _check_precision(precision: str | None, where: Device) -> None:
    if precision not in (None, *PRECISIONS):
        raise KexueError(f"no precision {precision!r}; allowed: {', '.join(PRECISIONS)}")
    if precision in (None, "float32"):
        return
    if where.name == "cpu":
        raise KexueError(f"precision {precision} needs a GPU; the CPU runs float32")
    if where.runtime == "onnxruntime":
        raise KexueError(f"precision {precision} needs Keras; onnxruntime-gpu runs float32")


def _keep(key: tuple[object, ...], task: Task, size: int) -> None:
    """Keep a model, and let go of others until the budget holds; the new one stays whatever its size."""
    while _kept and sum(kept for _, kept in _kept.values()) + size > KEPT_BYTES:
        _kept.pop(next(iter(_kept)))
    _kept[key] = (task, size)


def _open_network(
    folder: Path,
    config: dict[str, Any],
    where: Device,
    name: str,
    *,
    is_auto: bool,
    precision: str | None,
    threads: int,
) -> "Runtime":
    """Return the network called *name* of a model folder, on the CPU in the end if the device was for us to choose."""
    from kexue_cli.runtimes import FallbackRuntime, OnnxRuntime, is_out_of_memory

    open_on_cpu = partial(OnnxRuntime, folder / f"{name}.onnx", threads=threads)
    if where.name == "cpu":
        return open_on_cpu()
    try:
        network = _open_on_gpu(folder, config, where, name, precision=precision or "float32", threads=threads)
    except Exception as error:
        if not is_auto or not (isinstance(error, DeviceError) or is_out_of_memory(error)):
            raise
        _logger.warning("%s; going on on the CPU", error)
        return open_on_cpu()
    return FallbackRuntime(network, open_on_cpu, _logger.warning) if is_auto else network


def _open_on_gpu(
    folder: Path, config: dict[str, Any], where: Device, name: str, *, precision: str, threads: int
) -> "Runtime":
    from kexue_cli.runtimes import KerasRuntime, OnnxRuntime

    if where.runtime == "onnxruntime":
        return OnnxRuntime(folder / f"{name}.onnx", threads=threads, device=where.name)

    def build() -> object:
        module = importlib.import_module(f"{task_entry(config['task']).module}.network")
        return cast(Callable[[object], dict[str, object]], module.build_networks)(config["network"])[name]

    return KerasRuntime(build, folder / f"{name}.weights.h5", where, precision=precision, threads=threads)


def segmenter(name: str | None = None) -> "Segmenter":
    """Return the segmenter of a model, the default one if no name is given.

    Raises KexueError if the model is for another task.
    """
    model = load(name or TASKS["segmentation"].default_model, task="segmentation")
    return cast("Segmentation", model).segmenter
