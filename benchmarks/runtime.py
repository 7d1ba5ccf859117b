"""How fast a reader answers and trains, beside what Keras and the machine could do.

    python benchmarks/runtime.py [-m dgcnn-qa] [--questions 100] [--rounds 5] [--prediction | --training]

Prediction: kexue_cli.load(MODEL).predict, a question at a time, against the same network through keras.Model.predict
with the same preparation and decoding; both in this process, in turns of ten questions of data/qa-sample. Then
``kexue predict qa`` with one question, from start to end of the process.
Training: batches of 32 passages of 128 characters and questions of 16 as the trainer steps through them, as a share of
the floating point operations that TensorFlow reaches in a large matrix product (the best of several shapes), measured
in turns. Counted are the operations of dense layers and convolutions, three times those of the forward pass.

All on one core. Times are CPU seconds of the process, which other programs on the machine disturb little.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH, PASSAGE, QUESTION = 32, 128, 16
MATRICES = ((512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (4096, 512, 512))
WARM = 5  # batches that are not counted
TURN = 10  # questions that one reader answers before the other does; the first turn is not counted
SAMPLE = Path(__file__).parents[1] / "data" / "qa-sample" / "dev.jsonl"


def cpu_seconds(function: Callable[[], Any]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def keras_network(model: str) -> Any:
    """The network of a model folder with its weights, in Keras."""
    from kexue_cli.tasks.qa.network import build_networks
    from kexue_cli.zoo import find_model, read_config

    folder = find_model(model)
    network = build_networks(read_config(folder)["network"])["network"]
    network.load_weights(folder / "network.weights.h5")
    return network


class KerasPredict:
    """A network as one uses Keras by its manual."""

    device = "cpu"

    def __init__(self, network: Any) -> None:
        self.network = network

    def __call__(self, inputs: Any) -> Any:
        return self.network.predict(inputs, verbose=0)


def prediction(model: str, count: int) -> None:
    import kexue_cli
    from kexue_cli.tasks.qa import QuestionAnswering

    lines = SAMPLE.read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines[: count + TURN]]
    ours = kexue_cli.load(model, device="cpu", threads=1)
    theirs = QuestionAnswering(ours.preprocessor, KerasPredict(keras_network(model)), ours.decoding)
    tasks = {"ours": ours, "theirs": theirs}
    seconds = dict.fromkeys(tasks, 0.0)
    equal = 0
    for first in range(0, len(records), TURN):
        answers = {}
        for name, task in tasks.items():
            start = time.process_time()
            answers[name] = [
                answer["answer"] for record in records[first : first + TURN] for answer in task.predict([record])
            ]
            seconds[name] += (time.process_time() - start) * (first > 0)
        equal += sum(one == other for one, other in zip(*answers.values(), strict=True))
    speeds = {name: (len(records) - TURN) / spent for name, spent in seconds.items()}
    print(f"| prediction, one core, {len(records) - TURN} questions | questions per CPU second |\n|---|---|\n"
          f"| kexue_cli.load(MODEL).predict | {speeds['ours']:.0f} |\n"
          f"| the same with keras.Model.predict | {speeds['theirs']:.1f} |\n\n"
          f"ratio {speeds['ours'] / speeds['theirs']:.1f}; equal answers: {equal} of {len(records)}\n")  # fmt: skip


def cold_start(model: str, runs: int) -> None:
    question = SAMPLE.read_bytes().split(b"\n")[0]
    walls, cpus = [], []
    for _ in range(runs + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "kexue_cli", "predict", "qa", "-m", model]
        subprocess.run(command, input=question, stdout=subprocess.DEVNULL, check=True)
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    wall, cpu = (1000 * statistics.median(values[1:]) for values in (walls, cpus))
    print(
        f"one question through kexue predict qa, whole process: {wall:.0f} ms, {cpu:.0f} ms of CPU (median of {runs})\n"
    )


def forward_operations(network: Any, inputs: Any) -> int:
    """Floating point operations of the dense layers and convolutions for one batch."""
    import keras

    total = 0

    def count(kind: Any) -> Callable[[], None]:
        call = kind.call

        def counting(layer: Any, x: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal total
            result = call(layer, x, *arguments, **options)
            places = 1
            for size in result.shape[:-1]:
                places *= int(size)
            total += 2 * places * int(layer.kernel.shape.num_elements())
            return result

        kind.call = counting
        return lambda: setattr(kind, "call", call)

    restore = [count(kind) for kind in (keras.layers.Dense, keras.layers.Conv1D)]
    network(inputs, training=True)  # prediction computes the same in another form
    for undo in restore:
        undo()
    return total


def matrix_products(shape: tuple[int, int, int]) -> tuple[Callable[[], Any], int]:
    """A call that takes some tens of milliseconds, and its floating point operations."""
    import tensorflow as tf

    n, k, m = shape
    a, b = tf.random.normal((n, k)), tf.random.normal((k, m))
    product = tf.function(lambda: tf.linalg.matmul(a, b))
    repeats = max(1, 2**31 // (n * k * m))
    return lambda: [product().numpy() for _ in range(repeats)], 2 * n * k * m * repeats


def training(model: str, rounds: int) -> None:
    import numpy as np

    from kexue_cli.config import from_mapping
    from kexue_cli.tasks.qa.config import NetworkConfig, ReaderConfig
    from kexue_cli.tasks.qa.trainee import Reader
    from kexue_cli.training.config import TrainingConfig
    from kexue_cli.training.trainer import Trainer
    from kexue_cli.zoo import find_model, read_config

    class Constant(Reader):
        """Samples of one length, of random numbers."""

        def __init__(self, network: NetworkConfig) -> None:
            self.config = ReaderConfig(network=network)
            self.pretrained = None  # the weights make no difference

        def __len__(self) -> int:
            return BATCH

        def sample(self, index: int, generator: np.random.Generator) -> Any:
            shape = self.config.network
            inputs: dict[str, Any] = {}
            for name, length in (("question", QUESTION), ("passage", PASSAGE)):
                inputs[name] = generator.integers(1, shape.vocabulary_size, length, np.int32)
                if shape.word_dimension:
                    inputs[f"{name}_words"] = generator.normal(size=(length, shape.word_dimension)).astype(np.float32)
            if shape.features:
                inputs["features"] = generator.random((PASSAGE, shape.features), np.float32)
            label = np.zeros((PASSAGE, shape.members), np.float32)
            label[index % PASSAGE] = 1
            return inputs, {"start": label, "end": label}

    from kexue_cli.training.batching import batches

    config = from_mapping(NetworkConfig, read_config(find_model(model))["network"], model)
    trainee = Constant(config)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(trainee, TrainingConfig(batch_size=BATCH), Path(folder), "")
    network = trainer.network
    inputs, labels = next(batches(trainee, batch_size=BATCH, seed=0, epoch=0))
    operations = 3 * forward_operations(network, inputs)
    products = [matrix_products(shape) for shape in MATRICES]
    for _ in range(WARM):
        network.train_on_batch(inputs, labels)
    limits, steps = [], []
    for _ in range(rounds):
        limits.append(max(work / cpu_seconds(call) for call, work in products))
        steps.append(cpu_seconds(lambda: [network.train_on_batch(inputs, labels) for _ in range(WARM)]) / WARM)
    limit, step = statistics.median(limits), statistics.median(steps)
    share = statistics.median(operations / step / limit for step, limit in zip(steps, limits, strict=True))
    print(f"training, one core, {network.count_params():,} parameters, vocabulary {config.vocabulary_size:,}: "
          f"{BATCH / step:.0f} samples per CPU second, {1000 * step:.1f} ms a batch\n"
          f"{operations / BATCH / 1e6:.1f} million operations a sample (forward and backward): "
          f"{operations / step / 1e9:.1f} GFLOP/s of {limit / 1e9:.1f} in a matrix product\n"
          f"share {share:.0%}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", default="dgcnn-qa")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prediction", action="store_true", help="only prediction")
    parser.add_argument("--training", action="store_true", help="only training")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from kexue_cli.device import prepare_backend, resolve

    prepare_backend(resolve("cpu", is_training=True), threads=1)
    if not options.training:
        prediction(options.model, options.questions)
        cold_start(options.model, options.rounds)
    if not options.prediction:
        training(options.model, options.rounds)


if __name__ == "__main__":
    main()
