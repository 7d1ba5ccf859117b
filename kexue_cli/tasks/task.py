"""What every model can do, and what training must know of a task."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kexue_cli.records import Record

if TYPE_CHECKING:
    import keras
    import numpy as np

    from kexue_cli.batching import Sample
    from kexue_cli.runtimes import Runtime

    OpenNetwork = Callable[[str], Runtime]  # opens a network of a model by its name


class Task(Protocol):
    """A loaded model."""

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with its answer, or with each of several, in order; other fields pass through untouched.

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
        """Return the network that is trained, with new weights."""
        ...

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the networks that prediction runs, parts of the trained one, by their names in the model folder."""
        ...

    def losses(self) -> dict[str, Any]:
        """Return a Keras loss for each output."""
        ...

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return the metrics of the networks on the records kept for development."""
        ...

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write the task's own files (vocabulary) and return its part of config.json; may fit thresholds."""
        ...

    def compared_samples(self, open_network: "OpenNetwork") -> "Mapping[str, Sequence[Sample]]":
        """Return a few inputs of each network, to compare it before and after export."""
        ...
