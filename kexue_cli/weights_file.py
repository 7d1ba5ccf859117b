"""What must be true of a network.weights.h5 before Keras opens it: plain arrays, all of them in the file itself.

HDF5 (https://support.hdfgroup.org/documentation/) can also link to other files, keep an array compressed, and claim
sizes that fill the memory; what Keras writes does none of that.
"""

from pathlib import Path
from typing import Any

from kexue_cli.errors import KexueError, cut

MOST_OBJECTS = 100_000  # groups and arrays; a network of ours has some hundred
DEEPEST = 64  # groups in groups


def check_weights(path: Path) -> None:
    """Raise KexueError unless a file is plain arrays whose numbers all stand in it. Needs h5py, as Keras does."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            objects = _objects(path, file)
            claimed = sum(_bytes_of(path, name, one) for name, one in objects if isinstance(one, h5py.Dataset))
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        reason, folder = str(error).splitlines()[0], path.parent.resolve()
        raise KexueError(f"cannot read {path}: {reason}; see: kexue models verify {folder}") from None
    size = path.stat().st_size
    if claimed > size:
        raise KexueError(f"will not open {path}: it claims {claimed:,} bytes of numbers; the file has {size:,}")


def _objects(path: Path, file: Any) -> list[tuple[str, Any]]:
    """Return all groups and arrays with their names."""
    import h5py

    found: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Any, int]] = [("", file, 0)]
    while waiting:
        place, group, depth = waiting.pop()
        for key in group:
            name = f"{place}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                _refuse(path, name, "is a link")
            one = group[key]
            found.append((name, one))
            if isinstance(one, h5py.Group):
                waiting.append((name, one, depth + 1))
            if len(found) > MOST_OBJECTS or depth > DEEPEST:
                _refuse(path, name, "is one of too many: are its groups in a ring?")
    return found


def _bytes_of(path: Path, name: str, array: Any) -> int:
    if array.chunks or array.compression or array.is_virtual or array.external:
        _refuse(path, name, "is not kept as plain numbers in the file")
    if array.dtype.kind not in "fiubV" or array.dtype.hasobject:
        _refuse(path, name, f"holds {array.dtype}, no numbers")
    return int(array.size) * int(array.dtype.itemsize)


def _refuse(path: Path, name: str, problem: str) -> None:
    raise KexueError(f"will not open {path}: {cut(name)} {problem}; nothing that kexue writes is")
