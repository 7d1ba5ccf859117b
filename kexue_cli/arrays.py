"""Arrays in .npy files, read in place, whoever made the file: nothing in it is run, and no room is made for what it
only claims to hold.

Form: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1, little-endian, C order.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.errors import KexueError, cut

if TYPE_CHECKING:
    import numpy.typing as npt

LONGEST_HEADER = 1024  # bytes; ours have 118
MOST = 1 << 40  # rows or columns, even of nothing


def read_in_place(path: Path, dtype: "npt.DTypeLike", dimensions: int) -> "npt.NDArray[Any]":
    """Return the array of a file as a plain one whose numbers stay on disk until they are looked at.

    Raises OSError if the file cannot be read, KexueError if it holds another type, another number of dimensions, or
    fewer or more bytes than it says.
    """
    wanted = np.dtype(dtype)
    with path.open("rb") as file:
        shape, found, is_fortran = _header(path, file)
        begin = file.tell()
        size = file.seek(0, 2) - begin
    if found != wanted or len(shape) != dimensions or is_fortran:
        form = f"{dimensions} {'dimension' if dimensions == 1 else 'dimensions'} of {wanted}"
        raise KexueError(f"{path} must hold {form}; found {cut(shape)} of {found}")
    if min(shape) < 0 or max(shape) > MOST or math.prod(shape) * wanted.itemsize != size:
        raise KexueError(f"{path} is damaged: it holds {size:,} bytes for an array of {cut(shape)} of {found}")
    if not size:
        return np.zeros(shape, wanted)
    return np.asarray(np.memmap(path, wanted, "r", begin, shape))


def _header(path: Path, file: Any) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Return the shape, the type and whether columns come first."""
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=LONGEST_HEADER)
        if any(type(size) is not int for size in shape):  # a bool is no size
            raise ValueError
    except MemoryError:
        raise
    except Exception:  # NumPy raises ValueError, TypeError, SyntaxError, TokenError and others for what is no header
        raise KexueError(f"{path} is damaged: it is no array in NumPy's form") from None
    return shape, dtype, is_fortran
