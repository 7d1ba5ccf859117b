"""Samples into batches: sorted by length, padded as little as can be. NumPy only; training and prediction share it.

Letters: b batch, t positions, the longest of its batch.
"""

from collections.abc import Sequence

import numpy as np

from kexue_cli.errors import KexueError

ALIKE, NEARLY = 1.25, 8  # a sequence of a batch may be that many times as long as its shortest, and that much longer

Sample = dict[str, np.ndarray]
"""The arrays of one example by name: sequences (t, ...) or scalars (). A batch has the same names, and b in front."""


def output_of(outputs: Sample, name: str, *shape: int | None, is_checked: bool = True) -> np.ndarray:
    """Return an output of a network, which must be numbers of a shape; None is any size.

    is_checked: whether to look at the numbers, too. Raises KexueError if the output is missing, of another shape or
    not finite: the network is another model's, or damaged.
    """
    array = outputs.get(name)
    if array is None:
        raise KexueError(f"the network gives no {name!r}, but {', '.join(sorted(outputs))}; it is another model's")
    if array.ndim != len(shape) or any(
        size not in (None, found) for size, found in zip(shape, array.shape, strict=True)
    ):
        form = ", ".join("any" if size is None else str(size) for size in shape)
        raise KexueError(f"the network gives {name!r} of shape {array.shape}; expected ({form}); it is another model's")
    if is_checked and not np.isfinite(array).all():
        raise KexueError(f"the network gives {name!r} that are no numbers; the model is of no use")
    return array


def collate(samples: Sequence[Sample]) -> Sample:
    """Return the samples as one batch: sequences (b, t, ...), padded with 0 on the right, and scalars (b,).

    Each array is as long as its own longest, and at least 1: recurrent ONNX nodes end the process at length 0.

    >>> collate([{"ids": np.array([5, 6])}, {"ids": np.array([7])}])["ids"].tolist()
    [[5, 6], [7, 0]]
    """
    return {name: _stack([np.asarray(sample[name]) for sample in samples]) for name in samples[0]}


def _stack(arrays: list[np.ndarray]) -> np.ndarray:
    first = arrays[0]
    if first.ndim == 0:
        return np.stack(arrays)
    longest = max(1, *(len(array) for array in arrays))
    batch = np.zeros((len(arrays), longest, *first.shape[1:]), first.dtype)  # (b, t, ...)
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    return batch


def by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Return batches of the indices of *lengths*, from the shortest to the longest; equal lengths keep their order.

    budget: tokens a batch may hold, padding included: its size times its longest. A longer one has a batch to itself.
    Lengths of a batch are alike, so that padding stays below a quarter or so.

    >>> by_length([9, 2, 3, 4], budget=8)
    [[1, 2], [3], [0]]
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        limit = ALIKE * lengths[batches[-1][0]] + NEARLY if batches else -1
        if lengths[index] <= limit and (len(batches[-1]) + 1) * max(1, lengths[index]) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def round_up(array: np.ndarray, axes: int) -> np.ndarray:
    """Pad the first *axes* axes with 0 to sizes of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...: few shapes for XLA to compile.

    >>> round_up(np.ones((2, 5)), axes=2).shape
    (2, 6)
    """
    sizes = [_next_size(size) if axis < axes else size for axis, size in enumerate(array.shape)]
    return np.pad(array, [(0, wanted - size) for size, wanted in zip(array.shape, sizes, strict=True)])


def _next_size(size: int) -> int:
    power = 1 << max(0, size - 1).bit_length()
    return power * 3 // 4 if size <= power * 3 // 4 and power > 2 else power
