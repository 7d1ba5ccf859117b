"""Where a network runs: which GPUs there are, what is installed to run on them, and how a framework is started.

Nothing here imports a framework but prepare_backend.
"""

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kexue_cli.errors import KexueError

BACKENDS = ("tensorflow", "jax", "torch")  # Keras's, in the order in which we look for one
TAKEN_ALONG = ("PIL", "matplotlib", "pandas", "scipy", "sklearn")  # by Keras and TensorFlow, for what we do not use
ROOT = Path("/")


class DeviceError(KexueError):
    """A framework does not see the GPU that is there."""


@dataclass(frozen=True)
class Device:
    """Where a network runs."""

    name: str  # cpu, gpu:0, gpu:1, ...
    runtime: str  # what runs it there: onnxruntime, or one of BACKENDS


def usable_cores() -> int:
    """Return the number of processors this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def version(name: str) -> str | None:
    """Return the version of an installed package; None if there is none."""
    from importlib import metadata  # 10 ms, which most commands need not pay

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def gpus(root: Path = ROOT) -> list[str]:
    """Return the GPUs this process may use, as CUDA_VISIBLE_DEVICES would name them. root: where /dev and /proc are."""
    nodes = sorted(path.name[6:] for path in (root / "dev").glob("nvidia[0-9]*"))
    found = nodes or [str(number) for number, _ in enumerate((root / "proc/driver/nvidia/gpus").glob("*"))]
    if not found and (root / "usr/lib/wsl/lib/libcuda.so.1").exists():  # Linux under Windows has neither
        found = ["0"]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or not found:
        return sorted(found, key=int)
    named = [name.strip() for name in visible.split(",")]
    end = next((place for place, name in enumerate(named) if name in ("", "-1")), len(named))  # so does CUDA
    return named[:end]


def is_device(name: str) -> bool:
    """Say whether this is how one names a device: auto, cpu, gpu or gpu:N."""
    kind, colon, number = name.partition(":")
    return name in ("auto", "cpu", "gpu") or (kind == "gpu" and bool(colon) and number.isdecimal())


def resolve(device: str = "auto", *, is_training: bool = False, root: Path = ROOT) -> Device:
    """Return where to run: auto takes a GPU only if there is one and what runs on it is installed.

    device: auto, cpu, gpu (the first) or gpu:N. Training needs Keras, on the CPU too.
    Raises KexueError, with what was looked for, if the device is not there or nothing installed runs on it.
    """
    if not is_device(device):
        raise KexueError(f"no device {device!r}; allowed: auto, cpu, gpu, gpu:N")
    if device == "cpu":
        return Device("cpu", _cpu_runtime(is_training))
    found = gpus(root)
    runtime = gpu_runtime(is_training=is_training, root=root) if found else None
    if device == "auto":
        return Device("gpu:0", runtime) if runtime else Device("cpu", _cpu_runtime(is_training))
    number = int(device.partition(":")[2] or 0)
    if number >= len(found):
        raise KexueError(f"no device {device}: {_sight(found)}; allowed here: {', '.join(_allowed(found))}")
    if runtime is None:
        forced = os.environ.get("KERAS_BACKEND")
        what = f"KERAS_BACKEND={forced} cannot use one here" if forced else "nothing that runs on one is installed"
        raise KexueError(f"device {device}: there is a GPU, but {what}; try: pip install 'kexue[gpu]', or --device cpu")
    return Device(f"gpu:{number}", runtime)


def _sight(found: list[str]) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    where = "/dev/nvidia* and /proc/driver/nvidia/gpus" + (
        f" with CUDA_VISIBLE_DEVICES={visible!r}" * (visible is not None)
    )
    return f"{len(found)} GPU{'s' * (len(found) != 1)} found in {where}"


def _allowed(found: list[str]) -> list[str]:
    return ["auto", "cpu", *(f"gpu:{number}" for number, _ in enumerate(found))]


def _cpu_runtime(is_training: bool) -> str:
    """Return what runs a network on the CPU. Raises KexueError if training has no backend."""
    if not is_training:
        return "onnxruntime"
    backend = keras_backend()
    if backend is None:
        forced = os.environ.get("KERAS_BACKEND")
        what = f"Keras with KERAS_BACKEND={forced}" if forced else "Keras and TensorFlow"
        raise KexueError(f"training needs {what}, not installed; try: pip install 'kexue[train]'")
    return backend


def gpu_runtime(*, is_training: bool = False, root: Path = ROOT) -> str | None:
    """Return what is installed to run networks on a GPU; None if nothing is."""
    if not is_training and version("onnxruntime-gpu"):
        return "onnxruntime"
    if not is_installed("keras"):
        return None
    return next((name for name in _candidates() if _runs_on_gpu(name, root)), None)


def keras_backend() -> str | None:
    """Return the backend that Keras will run on; None if Keras or every backend is missing."""
    return next((name for name in _candidates() if is_installed("keras") and is_installed(name)), None)


def _candidates() -> list[str]:
    """Return the Keras backends to look for, the user's choice first: in KERAS_BACKEND it is the only one."""
    keras = sys.modules.get("keras")
    if keras is not None:
        return [keras.backend.backend()]  # cannot be changed any more
    if forced := os.environ.get("KERAS_BACKEND"):
        return [forced]
    import json  # only here is it needed

    chosen = ""
    with suppress(OSError, ValueError, AttributeError):
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        chosen = json.loads((home / "keras.json").read_text("utf-8")).get("backend")
    return sorted(BACKENDS, key=lambda name: name != chosen)


def is_installed(module: str) -> bool:
    """Say whether a module could be imported; it is not."""
    with suppress(ImportError, ValueError):  # of its package, when that is broken
        return importlib.util.find_spec(module) is not None
    return False


def _runs_on_gpu(backend: str, root: Path) -> bool:
    if backend == "tensorflow":
        return version("tensorflow") is not None and _has_cudnn(root)  # tensorflow-cpu is a package of its own
    if backend == "jax":
        return is_installed("jax") and any(is_installed(f"jax_cuda{number}_plugin") for number in (12, 13))
    return backend == "torch" and is_installed("torch") and not (version("torch") or "").endswith("+cpu")


def _has_cudnn(root: Path) -> bool:
    if is_installed("nvidia.cudnn"):
        return True
    folders = ["usr/local/cuda/lib64", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64"]
    folders += [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    return any(next((root / folder).glob("libcudnn.so*"), None) for folder in folders)


def prepare_backend(device: Device, threads: int | None = None, *, is_alone: bool = False) -> None:
    """Import Keras on the device's backend, quietly, with memory and threads set. Call it before ``import keras``.

    threads: of the processor; None leaves the framework's choice. What is already imported stays as it is.
    is_alone: nothing but our own code uses Keras in this process, so that it may do without TAKEN_ALONG.
    Raises KexueError if Keras or its backend cannot be imported, or does not see the device.
    """
    if "keras" not in sys.modules:
        backend = device.runtime if device.runtime in BACKENDS else _cpu_runtime(is_training=True)
        os.environ.update(_settings(device, threads), KERAS_BACKEND=backend)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # warns of each new shape, which text always brings
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else TensorFlow takes the whole GPU
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX takes three quarters of it
        try:
            with quiet_stderr(), _hidden(TAKEN_ALONG if is_alone and backend != "jax" else ()):  # JAX needs SciPy
                import keras  # noqa: F401
        except Exception as error:
            raise KexueError(f"cannot import keras with KERAS_BACKEND={backend}: {_first_line(error)}") from error
    if device.name != "cpu":
        _check_gpu(device)


def _settings(device: Device, threads: int | None) -> dict[str, str]:
    """Return the environment that a framework reads when it is imported."""
    settings: dict[str, str] = {}
    if device.name == "cpu":
        settings |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    if threads is not None:
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        settings |= dict.fromkeys(names, str(threads))
    return settings


def _check_gpu(device: Device) -> None:
    """Raise KexueError unless the backend sees the GPU."""
    import keras

    seen: list[str] = []
    with suppress(RuntimeError), quiet_stderr():  # JAX raises if it has none
        seen = keras.distribution.list_devices("gpu") if keras.backend.backend() != "torch" else _torch_gpus()
    if int(device.name.removeprefix("gpu:")) >= len(seen):
        raise DeviceError(
            f"{keras.backend.backend()} sees {len(seen) or 'no'} GPU{'s' * (len(seen) > 1)}, not {device.name}; "
            f"see: kexue doctor; try: pip install 'kexue[gpu]', or --device cpu"
        )


def _torch_gpus() -> list[str]:
    import torch

    return [f"gpu:{number}" for number in range(torch.cuda.device_count())]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _hidden(modules: Sequence[str]) -> Iterator[None]:
    """Let no module of these names be imported inside the block, if it is not already: as if they were not installed.

    Keras and TensorFlow import what they find, which takes nearly as long again as what they need.
    """
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what anything, C++ included, writes to standard error; show it only if an exception leaves the block.

    TensorFlow writes four lines when it is imported, whatever its log level.
    """
    import tempfile

    if sys.stderr is None:  # closed from the beginning
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as swallowed:
        os.dup2(swallowed.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            swallowed.seek(0)
            os.write(kept, swallowed.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
