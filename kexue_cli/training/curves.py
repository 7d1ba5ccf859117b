"""The course of a training: a picture in the model folder, a line of blocks on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """Return one block for each value, the lowest for the least.

    >>> sparkline([1, 2, 3])
    '▁▄█'
    """
    low, high = min(values, default=0.0), max(values, default=0.0)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[int((value - low) * scale)] for value in values)


def draw(path: Path, history: Sequence[dict[str, Any]], monitor: str) -> None:
    """Write a PNG of the loss and the watched metric over the epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [entry["epoch"] for entry in history]
    left = figure.add_subplot()
    left.plot(epochs, [entry["loss"] for entry in history], color="tab:grey", label="loss (training)")
    left.set(xlabel="epoch", ylabel="loss")
    right = left.twinx()
    right.plot(epochs, [entry[monitor] for entry in history], color="tab:blue", label=f"{monitor} (development)")
    right.set(ylabel=monitor)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    # Without the version of matplotlib in it, the same course gives the same bytes.
    figure.savefig(path, dpi=100, metadata={"Software": None})
