"""The parts --speed and --search of benchmarks/similarity.py."""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kexue_cli import loader
from kexue_cli.batching import Sample, collate
from kexue_cli.datasets.reader import read_records
from kexue_cli.device import prepare_backend, resolve
from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity import Similarity, text_sample
from kexue_cli.tasks.similarity.config import NETWORK, VECTOR
from kexue_cli.tasks.similarity.index import Index, has_usearch, open_graph
from kexue_cli.zoo import read_config

Floats = npt.NDArray[np.float32]

SAMPLE = Path(__file__).parent.parent / "data" / "similarity-sample" / "groups.jsonl"
KERAS_BATCH = 32
TOLERANCE = 1e-4  # of a vector's numbers, between the two that are compared

NEAREST = 10
OF_A_CENTRE = 10
SPREAD = 1.0  # length of what sets a vector apart from its centre, whose length is 1: cosines of about a half
BLOCK = 1 << 16  # vectors that are made up at once


def unit(vectors: Floats) -> Floats:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def made_up(size: int, dimension: int, centres: Floats, seed: int) -> Floats:
    """Unit vectors (size, dimension), each near one of the centres."""
    generator = np.random.default_rng(seed)
    vectors = np.empty((size, dimension), np.float32)
    for start in range(0, size, BLOCK):
        block = vectors[start : start + BLOCK]
        chosen = centres[generator.integers(0, len(centres), len(block))]
        apart = unit(generator.standard_normal(block.shape, np.float32))
        block[:] = unit(chosen + np.float32(SPREAD) * apart)
    return vectors


def timed(function: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> tuple[float, Any]:
    start = clock()
    result = function()
    return clock() - start, result


def compare(vectors: Floats, queries: Floats, runs: int) -> npt.NDArray[np.int64]:
    """Show the seconds of both exact searches; return the rows found, (q, NEAREST)."""
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute", metric="euclidean").fit(vectors)
    searches: dict[str, Callable[[], Any]] = {
        "scikit-learn": lambda: brute.kneighbors(queries)[1],
        "kexue": lambda: Index(vectors).search(queries, NEAREST)[1],
    }
    ratios = []
    print("| run | scikit-learn s | kexue s | ratio | the same rows |\n|---|---|---|---|---|")
    for run in range(runs):
        took = {name: timed(searches[name]) for name in (list(searches) if run % 2 else reversed(searches))}
        (theirs, their_rows), (ours, rows) = took["scikit-learn"], took["kexue"]
        ratios.append(theirs / ours)
        same = (their_rows == rows).mean()
        print(f"| {run + 1} | {theirs:.2f} | {ours:.2f} | {ratios[-1]:.2f} | {100 * same:.2f} % |", flush=True)
    print(f"\nmedian ratio: {statistics.median(ratios):.2f}, lowest {min(ratios):.2f}", flush=True)
    return rows


def show_graph(vectors: Floats, queries: Floats, nearest: npt.NDArray[np.int64]) -> None:
    """Show what a graph costs, and its recall of the *nearest* rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        build, graph = timed(lambda: open_graph(vectors, file, threads=1))
        search, (_, rows) = timed(lambda: graph.search(queries, NEAREST))
        found = sum(len(np.intersect1d(*pair)) for pair in zip(rows, nearest, strict=True)) / nearest.size
        print(f"usearch: built in {build:.1f} s, {file.stat().st_size / 1e6:.0f} MB; "
              f"searched in {search:.2f} s; recall@{NEAREST} {100 * found:.1f} %", flush=True)  # fmt: skip


def search(size: int, count: int, dimension: int, runs: int) -> None:
    generator = np.random.default_rng(0)
    centres = unit(generator.standard_normal((max(1, size // OF_A_CENTRE), dimension), np.float32))
    vectors = made_up(size, dimension, centres, seed=1)
    queries = made_up(count, dimension, centres, seed=2)
    print(f"{count:,} queries in {size:,} vectors of {dimension}, one thread\n", flush=True)
    nearest = compare(vectors, queries, runs)
    if has_usearch():
        show_graph(vectors, queries, nearest)
    else:
        print("usearch is not installed: pip install 'kexue[search]'")


class TimedRuntime:
    """A runtime, and the CPU seconds spent in it."""

    def __init__(self, runtime: Any) -> None:
        self.runtime, self.device, self.seconds = runtime, runtime.device, 0.0

    def __call__(self, inputs: Sample) -> Sample:
        took, outputs = timed(lambda: self.runtime(inputs), time.process_time)
        self.seconds += took
        return outputs


def sentences(count: int, length: int) -> list[str]:
    known = [text for _, record in read_records([str(SAMPLE)], "similarity") for text in record["texts"]]
    draw, texts = random.Random(0), []
    for _ in range(count):
        text = ""
        while len(text) < length:
            text += draw.choice(known)
        texts.append(text[:length])
    return texts


def keras_network(folder: Path) -> Any:
    prepare_backend(resolve("cpu", is_training=True), threads=1)
    from kexue_cli.tasks.similarity.network import build_networks
    from kexue_cli.training.export import WEIGHTS

    network = build_networks(read_config(folder)["network"])[NETWORK]
    network.load_weights(folder / WEIGHTS.format(NETWORK))
    return network


def speed(name: str, length: int, count: int, runs: int) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    texts = sentences(count, length)
    loaded: Any = loader.load(name, task="similarity", device="cpu", threads=1)
    runtime, encoder = TimedRuntime(loaded.runtime), loaded.encoder
    model = Similarity(encoder, runtime, loaded.decoding, loaded.dimension)
    network = keras_network(loaded.folder)
    arrays = collate([text_sample(encoder.encode(text), encoder) for text in texts])

    def predict(count: int) -> npt.NDArray[Any]:
        inputs = {name: array[:count] for name, array in arrays.items()}
        return network.predict(inputs, batch_size=KERAS_BATCH, verbose=0)[VECTOR]

    model.vectors(texts), predict(count)  # warm: Keras compiles for each size of batch
    print(f"{name}, {count:,} texts of {length} characters, one core, CPU seconds\n")
    print("| run | texts to vectors, s | of it the network | sentences/s | Keras, s | ratio | network alone |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for run in range(runs):
        runtime.seconds = 0.0
        both: dict[str, Callable[[], Any]] = {"ours": lambda: model.vectors(texts), "keras": lambda: predict(count)}
        took = {which: timed(both[which], time.process_time) for which in (list(both) if run % 2 else reversed(both))}
        (ours, vectors), (keras, theirs) = took["ours"], took["keras"]
        if np.abs(vectors - theirs).max() > TOLERANCE:
            raise KexueError(f"the vectors differ by {np.abs(vectors - theirs).max():.2g}")
        print(f"| {run + 1} | {ours:.2f} | {100 * runtime.seconds / ours:.0f} % | {count / ours:,.0f} | {keras:.2f} | "
              f"{keras / ours:.2f} | {keras / runtime.seconds:.2f} |", flush=True)  # fmt: skip
