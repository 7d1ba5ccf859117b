"""Where models and sample data are: names to folders, lists, checks.

Letters: a model folder holds config.json and SHA256SUMS beside the files of its task.
"""

import ctypes
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexue_cli.config import FORMAT, read_json
from kexue_cli.errors import KexueError, cut, unknown_name
from kexue_cli.streams import read_whole

PACKAGE = Path(__file__).resolve().parent
CONFIG = "config.json"
SUMS = "SHA256SUMS"
CARD = "README.md"
METRICS = "metrics.json"
MOST_SUMS = 1 << 20  # bytes of SHA256SUMS


def _bundled(kind: str) -> Path:
    """Return the folder of bundled models or data: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


def models_folder() -> Path:
    """Return the folder of the bundled models."""
    return _bundled("models")


def data_folder() -> Path:
    """Return the folder of the bundled sample data."""
    return _bundled("data")


def cache_folder() -> Path | None:
    """Return the user's own cache folder for kexue, made if need be; None if it cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "kexue"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


@dataclass(frozen=True)
class ModelEntry:
    """One model of the zoo, as ``kexue models list`` shows it."""

    name: str
    task: str
    default: bool  # whether its task uses it when no model is named
    path: str
    bytes: int  # of all its files


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(child for child in parent.iterdir() if child.is_dir() and not child.name.startswith("."))


def models(defaults: dict[str, str]) -> list[ModelEntry]:
    """Return the bundled models; *defaults* maps a task to the name of its default model."""
    entries = []
    for folder in _folders(models_folder()):
        if (folder / CONFIG).is_file():
            task = read_config(folder)["task"]
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            entries.append(ModelEntry(folder.name, task, defaults.get(task) == folder.name, str(folder), size))
    return entries


def data_sets() -> list[Path]:
    """Return the folders of the bundled sample data."""
    return [folder for folder in _folders(data_folder()) if (folder / CARD).is_file()]


def find_data(name: str) -> Path:
    """Return the folder of a sample data set.

    Raises KexueError if there is none of that name.
    """
    folders = {folder.name: folder for folder in data_sets()}
    if name not in folders:
        raise KexueError(unknown_name("data set", name, folders, "see: kexue data list"))
    return folders[name]


def find_model(name: str) -> Path:
    """Return the folder of a model: a path if *name* has a slash or starts with a dot, else a name of the zoo.

    Raises KexueError if there is none, or its files are not all its own (check_folder).
    """
    name = os.fspath(name)
    if "/" in name or os.sep in name or name.startswith("."):
        folder = Path(name)
        if not folder.is_dir():
            raise KexueError(f"no model folder {name}: {'not a folder' if folder.exists() else 'no such folder'}")
        if not (folder / CONFIG).is_file():
            raise KexueError(f"{name} is not a model folder: it has no {CONFIG}")
        check_folder(folder)
        return folder
    folder = models_folder() / name
    if not (folder / CONFIG).is_file():
        names = [child.name for child in _folders(models_folder()) if (child / CONFIG).is_file()]
        raise KexueError(unknown_name("model", name, names, "see: kexue models list; a path needs a slash: ./NAME"))
    return folder


def check_folder(folder: Path) -> None:
    """Raise KexueError if a folder holds a link that leads out of it, or what is no file: a pipe would be waited for.

    The bundled models are not looked at: an installer may have linked them.
    """
    home = folder.resolve()
    if home.parent == models_folder().resolve():
        return
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise KexueError(f"cannot read {folder}: {error.strerror}") from None
    for entry in entries:
        path = folder / entry.name
        if entry.is_symlink() and not os.path.realpath(path).startswith(f"{home}{os.sep}"):
            raise KexueError(f"will not open {path}: it is a link out of its folder; put the file itself there")
        if not (entry.is_file() or entry.is_dir()):
            raise KexueError(f"will not open {path}: it is neither a file nor a folder")


def read_config(folder: Path) -> dict[str, Any]:
    """Return a model's config.json.

    Raises KexueError if it is missing, damaged or of a format this version does not know.
    """
    config = read_json(folder / CONFIG)
    if not isinstance(config, dict) or not isinstance(config.get("task"), str):
        raise KexueError(f"{folder / CONFIG} must be an object with a task")
    if config.get("format") != FORMAT:
        raise KexueError(
            f"{folder / CONFIG} has format {cut(config.get('format'))}; this version of kexue reads format {FORMAT}"
        )
    return config


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS for all other files of a model folder, as sha256sum does."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SUMS)
    lines = [f"{file_digest(file)}  {file.name}\n" for file in files]
    (folder / SUMS).write_text("".join(lines), "utf-8", newline="\n")


def read_sums(folder: Path) -> dict[str, str]:
    """Return the file names and SHA-256 sums of a model folder.

    Raises KexueError if SHA256SUMS is missing or damaged, or names a file outside the folder.
    """
    data = read_whole(folder / SUMS, MOST_SUMS)
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise KexueError(f"{folder / SUMS} is not text; expected SHA-256 sums and file names") from None
    sums = {}
    for number, line in enumerate(lines, 1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).name != name or name == "..":
            raise KexueError(f"{folder / SUMS}:{number}: expected a SHA-256 sum, two spaces and a file name")
        sums[name] = digest
    return sums


def check_files(folder: Path) -> dict[str, str]:
    """Return the state of each file of a model folder: ok, changed, missing or unlisted."""
    sums = read_sums(folder)
    states = {}
    for name, digest in sums.items():
        path = folder / name
        if not path.is_file():
            states[name] = "missing"
        else:
            states[name] = "ok" if file_digest(path) == digest else "changed"
    for path in sorted(folder.iterdir()):
        if path.name not in sums and path.name != SUMS:
            states[path.name] = "unlisted"
    return states


@contextmanager
def new_folder(target: Path, mark: str = CONFIG) -> Iterator[Path]:
    """Yield a folder beside *target* that is renamed to it when all is well, and removed when not.

    A folder that was there is replaced in one step; a kill leaves the old one or the new one.
    mark: a file that all folders of its kind have, model folders if it is not given.
    Raises KexueError if *target* is not a folder of the kind, or cannot be written.
    """
    target = target.resolve()  # a link stays a link
    check_target(target, mark)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        partial.chmod(0o755)
    except OSError as error:
        raise KexueError(f"cannot write {target}: {error.strerror}") from None
    try:
        yield partial
        try:
            os.rename(partial, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _exchange(partial, target)
    except OSError as error:
        raise KexueError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change names, in one step where the system can (Linux)."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    at_working_folder, exchange = -100, 2
    if renameat2 is not None:
        arguments = (at_working_folder, os.fsencode(one), at_working_folder, os.fsencode(other), exchange)
        if renameat2(*arguments) == 0:
            return
    aside = one.with_name(one.name + ".old")
    os.rename(other, aside)
    os.rename(one, other)
    os.rename(aside, one)


def check_target(target: Path, mark: str = CONFIG) -> None:
    """Raise KexueError if a model must not be written to *target*: it holds something else, for it lacks the mark."""
    if target.exists() and not (target / mark).is_file() and (not target.is_dir() or any(target.iterdir())):
        kind = "a model folder" if mark == CONFIG else f"a folder with {mark}"
        raise KexueError(f"will not overwrite {target}: it is there and is not {kind}")
    if (target / SUMS).is_file():
        own = [name for name, state in check_files(target).items() if state in ("changed", "unlisted")]
        if own:
            raise KexueError(f"will not overwrite {target}: {', '.join(own)} is yours; move it, or name another folder")
    parent = target.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not os.access(parent, os.W_OK):
        raise KexueError(f"cannot write {target}: {parent} is read-only")
