"""Keras networks to ONNX files, in a fresh process: TensorFlow's backend on the CPU, whatever backend trained.

A process of its own, because the backend is chosen once per process, and because a GPU in sight would put its own
recurrent nodes into the graph.
"""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, collate
from kexue_cli.errors import KexueError
from kexue_cli.training.graph import write_graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kexue_cli.tasks.task import OpenNetwork

TOLERANCE = 1e-4  # of probabilities and unit vectors; of larger numbers, such as logits, the share of the largest
WEIGHTS, GRAPH, SAMPLES = "{}.weights.h5", "{}.onnx", "{}.npz"  # of a network, by its name
INPUT, OUTPUT = "input_", "output_"


def export(folder: Path, open_network: "OpenNetwork", samples: "Mapping[str, Sequence[Sample]]") -> None:
    """Write the ONNX file of each network beside its weights in a model folder, and compare both.

    open_network: the networks as they were trained; samples: inputs of each to compare with. Raises KexueError if the
    export fails or an output differs by more than TOLERANCE.
    """
    for name, its_samples in samples.items():
        inputs = collate(its_samples)
        arrays: dict[str, Any] = {INPUT + key: array for key, array in inputs.items()}
        arrays |= {OUTPUT + key: array for key, array in open_network(name)(inputs).items()}
        np.savez(folder / SAMPLES.format(name), **arrays)
    if not samples:
        return
    done = subprocess.run([sys.executable, "-m", __name__, str(folder)], capture_output=True, text=True)
    for name in samples:
        (folder / SAMPLES.format(name)).unlink()
    if done.returncode:
        problem = (done.stderr.strip() or "no message").splitlines()[-1]
        raise KexueError(f"cannot export the network to ONNX: {problem}")


def largest_difference(one: Sample, other: Sample) -> float:
    """Return the largest absolute difference of two sets of outputs, in units of each one's largest number above 1."""
    return max(float(np.max(np.abs(one[name] - other[name])) / max(1.0, np.max(np.abs(one[name])))) for name in one)


def _export_here(folder: Path) -> None:
    from kexue_cli.device import Device, prepare_backend
    from kexue_cli.tasks import task_entry
    from kexue_cli.zoo import read_config

    prepare_backend(Device("cpu", "tensorflow"), is_alone=True)
    config = read_config(folder)
    module = importlib.import_module(task_entry(config["task"]).module + ".network")
    for name, network in module.build_networks(config["network"]).items():
        network.load_weights(folder / WEIGHTS.format(name))
        _export_one(folder, name, network)


def _export_one(folder: Path, name: str, network: Any) -> None:
    from kexue_cli.runtimes import OnnxRuntime

    with np.load(folder / SAMPLES.format(name)) as file:
        inputs = {key.removeprefix(INPUT): file[key] for key in file.files if key.startswith(INPUT)}
        outputs = {key.removeprefix(OUTPUT): file[key] for key in file.files if key.startswith(OUTPUT)}
    here = {key: np.asarray(value) for key, value in network.predict_on_batch(inputs).items()}
    write_graph(network, folder / GRAPH.format(name))
    exported = OnnxRuntime(folder / GRAPH.format(name))(inputs)
    for backend, found in (("Keras with TensorFlow", here), ("ONNX Runtime", exported)):
        if not (difference := largest_difference(outputs, found)) <= TOLERANCE:  # NaN is no match either
            raise KexueError(f"{backend} differs from the trained network by {difference:.1e}, more than {TOLERANCE}")


if __name__ == "__main__":
    try:
        _export_here(Path(sys.argv[1]))
    except KexueError as error:
        sys.exit(str(error))
