"""kexue doctor: versions, threads, devices, what is installed and what that enables."""

import contextlib
import json as json_text
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kexue_cli import __version__, device, zoo
from kexue_cli.commands import options
from kexue_cli.records import dump
from kexue_cli.streams import open_output

PACKAGES = {
    "typer": "the command line",
    "numpy": "training",
    "numba": "training, large inputs at first",
    "llvmlite": "large inputs",
    "jieba": "its dictionary, --engine jieba",
    "orjson": "JSON records",
    "zstandard": ".zst files",
    "rich": "progress bars",
    "onnxruntime": "neural models on the CPU",
    "keras": "training neural models",
    "tensorflow": "training neural models",
    "jax": "training on a GPU, with KERAS_BACKEND=jax",
    "torch": "training on a GPU, with KERAS_BACKEND=torch",
}
EXTRAS = {
    "train": "training neural models",
    "gpu": "neural models on a GPU",
    "search": "finding similar texts among many",
    "ray": "counting words and answering on many machines",
    "dev": "working on kexue itself",
}
OTHER_NAMES = {  # packages that hold the same module
    "tensorflow": ("tensorflow-cpu",),
    "tensorflow-cpu": ("tensorflow",),
    "onnxruntime": ("onnxruntime-gpu",),
}
PROBES = {  # programs that print a JSON list of the devices that a framework finds
    "onnxruntime": "import onnxruntime; found = [name.removesuffix('ExecutionProvider').lower()"
    " for name in onnxruntime.get_available_providers() if not name.startswith('Azure')]",  # that one is a service
    "tensorflow": "import tensorflow; config = tensorflow.config; found = ["
    "config.experimental.get_device_details(item).get('device_name', item.device_type.lower())"
    " for item in config.list_physical_devices()]",
    "jax": "import jax; found = [item.device_kind for item in jax.devices()]",
    "torch": "import torch; cuda = torch.cuda; "
    "found = ['cpu', *(cuda.get_device_name(number) for number in range(cuda.device_count()))]",
}
PATIENCE = 60  # seconds a framework has to find its devices
CORES_WITH_AVX512 = {"skylakex", "cooperlake", "sapphirerapids", "zen5"}  # by OpenBLAS's names

Facts = dict[str, Any]


def doctor(json: options.Json = False) -> None:
    """Say what is installed, what it is for, and what this machine offers."""
    facts = collect()
    with open_output(None) as sink:
        if json:
            sink.write(dump(facts))
            return
        lines = [f"{name:<14} {value}" for name, value in facts.items() if isinstance(value, str | int)]
        lines += [_package_line(name, package) for name, package in facts["packages"].items()]
        lines += [_extra_line(name, extra) for name, extra in facts["extras"].items()]
        lines += [f"{'warning':<14} {warning}" for warning in facts["warnings"]]
        sink.write("".join(f"{line}\n" for line in lines).encode())


def _package_line(name: str, package: Facts) -> str:
    line = f"{name:<14} {package['version'] or 'not installed':<14} {package['for']}"
    if package.get("problem"):
        return f"{line}; broken: {package['problem']}"
    return f"{line}; finds {', '.join(package['devices'])}" if package.get("devices") else line


def _extra_line(name: str, extra: Facts) -> str:
    state = f"lacks {', '.join(extra['missing'])}" if extra["missing"] else "complete"
    return f"{f'kexue[{name}]':<14} {state:<14} {extra['for']}"


def collect() -> Facts:
    """Return what there is to say; this process imports nothing heavy to find it out."""
    cache = zoo.cache_folder()
    gpus = device.gpus()
    facts = {
        "kexue": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": device.usable_cores(),
        "gpu": ", ".join(gpus) or "none found",
        "backend": device.keras_backend() or "none: Keras, or what it runs on, is not installed",
        "models": str(zoo.models_folder()),
        "data": str(zoo.data_folder()),
        "cache": str(cache) if cache else "none: the cache folder cannot be written; set XDG_CACHE_HOME",
        "encoding": f"output is UTF-8; the locale says {sys.getfilesystemencoding()}",
        "packages": {name: {"version": _version(name), "for": purpose} for name, purpose in PACKAGES.items()},
        "extras": _extras(),
        "warnings": _warnings(gpus),
    }
    installed = [name for name in PROBES if facts["packages"][name]["version"]]  # type: ignore[index]
    for name, found in _probe(installed).items():
        facts["packages"][name] |= found  # type: ignore[index]
    return facts


def _version(name: str) -> str | None:
    versions = (device.version(other) for other in (name, *OTHER_NAMES.get(name, ())))
    return next((version for version in versions if version), None)


def _extras() -> dict[str, Facts]:
    """Return what each extra of this distribution lacks; nothing if kexue itself is not installed."""
    from importlib import metadata  # 10 ms, which the other commands need not pay

    missing: dict[str, list[str]] = {}
    with contextlib.suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires("kexue") or []:
            parts = re.match(r"""([\w.-]+)(?:\[.*\])?(?:>=([\d.]+))?.*extra == ['"](\w+)""", requirement)
            if parts:
                name, least, extra = parts.groups()
                found = missing.setdefault(extra, [])
                version = _version(name)
                if version is None or _numbers(version) < _numbers(least or ""):
                    found.append(name + (f">={least}" if least and version else ""))
    if "gpu" in missing and not missing["gpu"] and device.gpu_runtime(is_training=True) is None:
        missing["gpu"].append("CUDA")
    return {name: {"missing": missing[name], "for": purpose} for name, purpose in EXTRAS.items() if name in missing}


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _warnings(gpus: list[str]) -> list[str]:
    warnings = []
    forced = os.environ.get("OPENBLAS_CORETYPE")
    if forced and forced.lower() not in CORES_WITH_AVX512 and _has_avx512():
        warnings.append(f"OPENBLAS_CORETYPE={forced} keeps NumPy from AVX-512, half its speed here; unset it")
    if gpus and device.gpu_runtime() is None:
        warnings.append("there is a GPU, and nothing that runs on it; try: pip install 'kexue[gpu]'")
    backend = os.environ.get("KERAS_BACKEND")
    if backend and not device.is_installed(backend):
        warnings.append(f"KERAS_BACKEND={backend} is not installed; known: {', '.join(device.BACKENDS)}")
    return warnings


def _has_avx512(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    with contextlib.suppress(OSError):
        return "avx512f" in cpuinfo.read_text()
    return False


def _probe(names: list[str]) -> dict[str, Facts]:
    """Return the devices that each framework finds, or its problem; each is asked in a process of its own, at once."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    deadline = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        running = {}
        for name in names:
            program = f"{PROBES[name]}; import json; print(); print(json.dumps(found))"
            running[name] = subprocess.Popen(
                [sys.executable, "-P", "-c", program], text=True, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            stack.enter_context(running[name])
            stack.callback(running[name].kill)
        return {name: _answer(process, deadline) for name, process in running.items()}


def _answer(process: subprocess.Popen[str], deadline: float) -> Facts:
    try:
        out, err = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return {"devices": [], "problem": f"did not answer within {PATIENCE} s"}
    if process.returncode:
        lines = err.strip().splitlines() or [f"exit status {process.returncode}"]
        return {"devices": [], "problem": lines[-1]}
    return {"devices": json_text.loads(out.splitlines()[-1]), "problem": None}
