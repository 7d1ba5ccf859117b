"""Samples to batches of like length, in an order that depends on seed and epoch only."""

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.batching import Sample, collate

if TYPE_CHECKING:
    from kexue_cli.tasks.task import Trainee

POOL = 32  # batches whose samples are sorted by length together: padding costs 4 % then
AHEAD = 4  # batches that are made while the network computes

Batch = tuple[Sample, Sample]


def batches(trainee: "Trainee", *, batch_size: int, seed: int, epoch: int, skip: int = 0) -> Iterator[Batch]:
    """Yield the batches of an epoch, inputs and labels, without the first *skip* of them.

    What is drawn for a sample depends on (seed, epoch, sample) only, so that an epoch can go on anywhere.
    """
    order = np.random.default_rng((seed, epoch)).permutation(len(trainee))
    pool_size = POOL * batch_size
    for pool, first in enumerate(range(0, len(order), pool_size)):
        indices = order[first : first + pool_size]
        size = -(-len(indices) // batch_size)
        if skip >= size:
            skip -= size
            continue
        samples = [trainee.sample(int(index), np.random.default_rng((seed, epoch, int(index)))) for index in indices]
        by_length = np.argsort([len(inputs[trainee.longest]) for inputs, _ in samples], kind="stable")
        groups = [by_length[start : start + batch_size] for start in range(0, len(samples), batch_size)]
        for group in np.random.default_rng((seed, epoch, pool)).permutation(len(groups))[skip:]:
            chosen = [samples[index] for index in groups[group]]
            yield collate([inputs for inputs, _ in chosen]), collate([labels for _, labels in chosen])
        skip = 0


def ahead(items: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the same batches, made by a thread of their own while the last one is worked on."""
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(AHEAD)
    is_over = threading.Event()

    def produce() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                ready.put(item)
                if is_over.is_set():
                    return
        except BaseException as error:
            last = error
        ready.put(last)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
        while thread.is_alive():  # it may wait for room
            with_room = not ready.empty()
            if with_room:
                ready.get()
            thread.join(0.01)
