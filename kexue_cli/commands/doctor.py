"""kexue doctor: versions, threads, devices, what is installed and what that enables."""

import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from kexue_cli import __version__, zoo
from kexue_cli.commands import options
from kexue_cli.records import dump
from kexue_cli.streams import open_output

PACKAGES = {
    "typer": "the command line",
    "numpy": "training, large inputs",
    "numba": "training, large inputs",
    "jieba": "its dictionary, --engine jieba",
    "orjson": "JSON records",
    "zstandard": ".zst input",
    "rich": "progress bars",
    "onnxruntime": "neural models on the CPU",
    "keras": "training neural models",
    "tensorflow": "training neural models",
    "jax": "training on a GPU, with KERAS_BACKEND=jax",
    "torch": "training on a GPU, with KERAS_BACKEND=torch",
}


def doctor(json: options.Json = False) -> None:
    """Say what is installed, what it is for, and what this machine offers."""
    facts = collect()
    with open_output(None) as sink:
        if json:
            sink.write(dump(facts))
            return
        for name, value in facts.items():
            if not isinstance(value, dict):
                sink.write(f"{name:<12} {value}\n".encode())
        for name, package in facts["packages"].items():
            sink.write(f"{name:<12} {package['version'] or 'not installed':<14} {package['for']}\n".encode())


def collect() -> dict[str, Any]:
    """Return what there is to say; nothing heavy is imported to find it out."""
    cache = zoo.cache_folder()
    gpus = sorted(path.name for path in Path("/proc/driver/nvidia/gpus").glob("*"))
    return {
        "kexue": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": options.usable_cores(),
        "gpu": ", ".join(gpus) or "none found",
        "models": str(zoo.models_folder()),
        "data": str(zoo.data_folder()),
        "cache": str(cache) if cache else "none: the cache folder cannot be written; set XDG_CACHE_HOME",
        "encoding": f"output is UTF-8; the locale says {sys.getfilesystemencoding()}",
        "packages": {name: {"version": _version(name), "for": purpose} for name, purpose in PACKAGES.items()},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
