"""The parts --losses and --groups of benchmarks/similarity.py."""

import math
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kexue_cli import console
from kexue_cli.commands.train_similarity import read_examples
from kexue_cli.device import prepare_backend, resolve
from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity import Similarity, dimension_of
from kexue_cli.tasks.similarity.config import MARGINS, NETWORK, SimilarityConfig
from kexue_cli.tasks.similarity.metrics import TOPS, GroupScores, ranks
from kexue_cli.tasks.similarity.records import Group
from kexue_cli.training.config import TrainingConfig

OURS = SimilarityConfig()
ARTICLE = replace(
    OURS,
    encoder="",
    network=replace(OURS.network, recurrent=128, pairs=0),
    preprocessor=replace(OURS.preprocessor, words=""),
)
NETWORKS = {"article": ARTICLE, "default": OURS}
BATCH = 100  # the article's

STEPS, FIRST = 60, 10  # batches with many groups, and those of them that are not timed
TEXTS_OF_A_GROUP, LENGTH = 2, 12
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]


def read_groups(path: str) -> list[Group]:
    groups = [example for example in read_examples([path], None, "utf-8") if isinstance(example, Group)]
    if not groups:
        raise KexueError(f"{path} holds no groups")
    return groups


def settings(network: str, contrast: str, loss: str = OURS.loss.groups) -> SimilarityConfig:
    config = NETWORKS[network]
    return replace(config, loss=replace(config.loss, groups=loss, contrast=contrast))


def scores(training: list[Group], dev: list[Group], config: SimilarityConfig, loop: TrainingConfig) -> list[float]:
    """Of a network that is trained on groups and scored on others: top1, top5 and top10 in percent."""
    import keras

    from kexue_cli.tasks.similarity.trainee import SentenceEncoder
    from kexue_cli.training.trainer import Reports, Trainer

    class LastWeights(SentenceEncoder):
        """Keeps the last weights: no epoch is better than another."""

        def evaluate(self, open_network: Any) -> dict[str, float]:
            return {self.monitor: math.nan}

    keras.utils.clear_session()  # what the last network left in memory
    trainee = LastWeights(training, (), config)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(trainee, loop, Path(folder), "")
        trainer.train(Reports())
    dimension = dimension_of(trainee.config.network)
    model = Similarity(trainee.encoder, trainer.open_network(NETWORK), config.decoding, dimension)
    group_of = np.repeat(np.arange(len(dev)), [len(group.texts) for group in dev])
    found = ranks(model.vectors([text for group in dev for text in group.texts]), group_of)
    results: dict[str, Any] = GroupScores(found.tolist()).results()
    return [100 * results[f"top{most}"] for most in TOPS]


def compare_losses(
    training_file: str, dev_file: str, *, losses: Sequence[str], seeds: int, epochs: int, network: str
) -> None:
    training, dev = read_groups(training_file), read_groups(dev_file)
    prepare_backend(resolve("cpu", is_training=True), threads=1)
    texts, asked = (sum(len(group.texts) for group in groups) for groups in (training, dev))
    print(f"network {network}, {epochs} epochs, {seeds} seeds; trained on {len(training):,} groups of {texts:,} texts, "
          f"scored on {len(dev):,} of {asked:,}\n")  # fmt: skip
    found: dict[str, list[list[float]]] = {loss: [] for loss in losses}
    for seed in range(seeds):
        loop = TrainingConfig(epochs=epochs, batch_size=BATCH, patience=epochs, decay_share=1.0, seed=seed)
        for loss, runs in found.items():
            start = time.perf_counter()
            runs.append(scores(training, dev, settings(network, "classes", loss), loop))
            shown = ", ".join(f"{value:.1f}" for value in runs[-1])
            console.say(f"seed {seed}, {loss}: {shown}; {time.perf_counter() - start:.0f} s")
    print(f"| loss | scale | margin | {' | '.join(f'top{most}' for most in TOPS)} |\n|---{'|---' * (2 + len(TOPS))}|")
    for loss, runs in found.items():
        columns = np.array(runs).T  # (3, seeds)
        cells = " | ".join(f"{np.mean(column):.1f} ± {np.std(column, ddof=seeds > 1):.1f}" for column in columns)
        print(f"| {loss} | {MARGINS[loss].scale:g} | {MARGINS[loss].margin:g} | {cells} |")


def made_up(size: int) -> list[Group]:
    draw = random.Random(0)
    return [
        Group(tuple("".join(draw.choices(CHARACTERS, k=LENGTH)) for _ in range(TEXTS_OF_A_GROUP))) for _ in range(size)
    ]


def peak() -> float:
    """Megabytes of memory that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def train_with_groups(size: int, network: str, contrast: str) -> None:
    """Train for STEPS batches and show what it took."""
    prepare_backend(resolve("cpu", is_training=True), threads=1)
    from kexue_cli.tasks.similarity.trainee import SentenceEncoder
    from kexue_cli.training.trainer import Reports, Trainer

    class Shortened(SentenceEncoder):
        def __len__(self) -> int:
            return min(super().__len__(), STEPS * loop.batch_size)

    loop = TrainingConfig(epochs=1)
    trainee = Shortened(made_up(size), (), settings(network, contrast))
    before = peak()
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(trainee, loop, Path(folder), "")
        trainer.train(Reports(advance=lambda batches: times.append(time.process_time())))
    seconds = statistics.median(np.diff(times)[FIRST:])
    parameters = trainer.network.count_params()
    print(f"| {contrast} | {parameters:,} | {before:,.0f} | {peak():,.0f} | {seconds:.3f} |", flush=True)


def compare_memory(size: int, network: str, command: Sequence[str]) -> None:
    """Show what each contrast takes. command: this one, which each process is given with more."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # processes that are started inherit it
    print(f"network {network}, {size:,} groups of {TEXTS_OF_A_GROUP} texts, {STEPS} batches, one core\n")
    print("| contrast | parameters | MB before | MB at most | CPU s a batch |\n|---|---|---|---|---|", flush=True)
    for contrast in ("classes", "batch"):
        try:
            subprocess.run([*command, "--contrast", contrast], check=True)
        except subprocess.CalledProcessError as error:  # it has told why, unless it was killed for its memory
            console.say(f"no row for {contrast}: the process ended with {error.returncode}")
