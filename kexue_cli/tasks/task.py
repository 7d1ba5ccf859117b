"""What every model can do, and what training must know of a task."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kexue_cli.records import Record

if TYPE_CHECKING:
    import keras
    import numpy as np

    from kexue_cli.batching import Sample
    from kexue_cli.runtimes import Runtime


class Task(Protocol):
    """A loaded model."""

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with its answer, in order; other fields pass through untouched.

        Raises KexueError for a record that cannot be answered.
        """
        ...

    def with_settings(self, **settings: Any) -> "Task":
        """Return the same model with some of its decoding settings changed."""
        ...


class Trainee(Protocol):
    """A task with the records to learn from: all that training needs to know of it."""

    monitor: str  # the metric that decides which weights are best; more is better
    longest: str  # the input whose length counts when samples of like length are put together

    def __len__(self) -> int:
        """Return how many samples an epoch has."""
        ...

    def sample(self, index: int, generator: "np.random.Generator") -> "tuple[Sample, Sample]":
        """Return inputs and labels of sample *index*; whatever varies comes from the generator."""
        ...

    def build(self) -> "keras.Model":
        """Return the network, with new weights."""
        ...

    def losses(self) -> dict[str, Any]:
        """Return a Keras loss for each output."""
        ...

    def evaluate(self, runtime: "Runtime") -> dict[str, float]:
        """Return the metrics of the network in *runtime* on the records kept for development."""
        ...

    def save(self, folder: Path, runtime: "Runtime") -> dict[str, Any]:
        """Write the task's own files (vocabulary) and return its part of config.json; may fit thresholds."""
        ...

    def development_samples(self) -> "Sequence[Sample]":
        """Return a few inputs, to compare the network before and after export."""
        ...
