"""What every model can do, whatever its task."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from kexue_cli.records import Record


class Task(Protocol):
    """A loaded model."""

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with its answer, in order; other fields pass through untouched.

        Raises KexueError for a record that cannot be answered.
        """
        ...
