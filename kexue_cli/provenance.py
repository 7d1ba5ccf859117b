"""When, where and with what a model was made: what every metrics.json says."""

import os
import platform
import sys
from datetime import date
from typing import Any

import kexue_cli
from kexue_cli.device import version


def _peak_megabytes() -> int | None:
    """Return the most memory this process held; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20


def provenance(*packages: str) -> dict[str, Any]:
    """Return the date, the machine, the most memory this process held, and the versions of those packages it has."""
    found = {name: version(name) for name in packages}
    return {
        "peak_megabytes": _peak_megabytes(),
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {platform.system()}, {os.cpu_count()} cores",
        "versions": {
            "kexue": kexue_cli.__version__,
            "python": platform.python_version(),
            **{name: number for name, number in found.items() if number},
        },
    }
