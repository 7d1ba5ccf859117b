"""Keras networks to ONNX files, in a fresh process: TensorFlow's backend on the CPU, whatever backend trained.

A process of its own, because the backend is chosen once per process, and because a GPU in sight would put its own
recurrent nodes into the graph.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, collate
from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kexue_cli.runtimes import Runtime

TOLERANCE = 1e-4  # of probabilities and unit vectors
SAMPLES = "compared.npz"
INPUT, OUTPUT = "input_", "output_"


def export(folder: Path, runtime: "Runtime", samples: "Sequence[Sample]") -> None:
    """Write network.onnx beside the network.weights.h5 of a model folder, and compare it with the trained network.

    runtime: the network as it was trained; samples: inputs to compare with. Raises KexueError if the export fails or
    an output differs by more than TOLERANCE.
    """
    inputs = collate(samples)
    outputs = runtime(inputs)
    arrays: dict[str, Any] = {INPUT + name: array for name, array in inputs.items()}
    np.savez(folder / SAMPLES, **arrays | {OUTPUT + name: array for name, array in outputs.items()})
    settings = {
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONHASHSEED": "0",  # the exporter orders some nodes by hash
    }
    command = [sys.executable, "-m", __name__, str(folder)]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    (folder / SAMPLES).unlink()
    if done.returncode:
        problem = (done.stderr.strip() or "no message").splitlines()[-1]
        raise KexueError(f"cannot export the network to ONNX: {problem}")


def largest_difference(one: Sample, other: Sample) -> float:
    """Return the largest absolute difference of two sets of outputs."""
    return max(float(np.max(np.abs(one[name] - other[name]))) for name in one)


def _export_here(folder: Path) -> None:
    from kexue_cli.runtimes import OnnxRuntime
    from kexue_cli.tasks import task_entry
    from kexue_cli.zoo import read_config

    config = read_config(folder)
    network = importlib.import_module(task_entry(config["task"]).module + ".network").build_network(config["network"])
    network.load_weights(folder / "network.weights.h5")
    with np.load(folder / SAMPLES) as file:
        inputs = {name.removeprefix(INPUT): file[name] for name in file.files if name.startswith(INPUT)}
        outputs = {name.removeprefix(OUTPUT): file[name] for name in file.files if name.startswith(OUTPUT)}
    here = {name: np.asarray(value) for name, value in network.predict_on_batch(inputs).items()}
    network.export(folder / "network.onnx", format="onnx", verbose=False)
    exported = OnnxRuntime(folder / "network.onnx")(inputs)
    for backend, found in (("Keras with TensorFlow", here), ("ONNX Runtime", exported)):
        if not (difference := largest_difference(outputs, found)) <= TOLERANCE:  # NaN is no match either
            raise KexueError(f"{backend} differs from the trained network by {difference:.1e}, more than {TOLERANCE}")


if __name__ == "__main__":
    try:
        _export_here(Path(sys.argv[1]))
    except KexueError as error:
        sys.exit(str(error))
