"""The texts of a file that others are compared with: read, and made vectors of when they are first used with a model.

The vectors are kept in the user's cache folder, by the texts and the model that they are made of.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kexue_cli import __version__, console
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.fields import expect, member, shown
from kexue_cli.records import Record, parse_record, read_lines, read_records, try_lines
from kexue_cli.streams import open_input
from kexue_cli.zoo import SUMS, cache_folder, file_digest, new_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from kexue_cli.tasks.similarity.index import Graph, Index

    Floats = npt.NDArray[np.float32]

FOLDER = "vectors"  # in the cache folder
VECTORS, GRAPH = "vectors.npy", "graph.usearch"
CACHE_BYTES = 4 << 30  # kept in all
ABANDONED = 24 * 3600  # seconds after which a folder that is not whole has nobody who still writes it
TEXTS = 4096  # made vectors of at once
JSON = ('{"', '["', '[{"')  # what begins so is hardly a text
RECORDS = re.compile(r"\.jsonl(\.(gz|xz|zst))?$", re.IGNORECASE)


class Line(NamedTuple):
    """A text and the number of the line that it stands on, from 1."""

    number: int
    text: str


class Model(Protocol):
    """What makes vectors of texts."""

    @property
    def folder(self) -> Path | None:
        """Where its files are."""

    @property
    def dimension(self) -> int:
        """Of the vectors."""

    def vectors(self, texts: Sequence[str]) -> "Floats":
        """Return a unit vector of each text, (n, dimension) float32."""


def open_index(
    path: str,
    model: Model,
    *,
    encoding: str = "utf-8",
    threads: int | None = None,
    is_self: bool = False,
    is_text: bool = False,
) -> "tuple[Index | Graph, list[str], list[int]]":
    """Return the index of a file's texts, the texts and the numbers of their lines: row r is of texts[r], lines[r].

    threads: of a graph, which is made of very many texts if usearch is installed; None for all. is_self: the texts are
    those that will be asked, and is_text says whether they are plain lines.
    Raises KexueError for a file without a text or that cannot be read.
    """
    lines, texts = [], []
    for number, text in read_asked(path, encoding, is_text) if is_self else read_texts(path, encoding):
        lines.append(number)
        texts.append(text)
    if not texts:
        raise KexueError(f"{path}: there is no text")
    name, cache = Path(path).name, cache_folder()
    if cache is None or model.folder is None:
        return _index(_made(name, texts, model), None, name, threads), texts, lines
    folder = cache / FOLDER / key_of(texts, model.folder)
    vectors = _kept(folder, (len(texts), model.dimension))
    if vectors is None:
        try:
            vectors = _keep(folder, name, texts, model)
        except (OSError, KexueError) as error:  # a full disk, a folder that is none; what is of the texts comes again
            console.warn(f"the vectors of {name} are not kept: {error}")
            return _index(_made(name, texts, model), None, name, threads), texts, lines
    index = _index(vectors, folder, name, threads)
    with suppress(OSError):  # another process may have removed it since
        os.utime(folder)  # the time of its last use
        make_room(folder)
    return index, texts, lines


def read_texts(path: str, encoding: str = "utf-8") -> Iterator[Line]:
    """Yield the texts of a file: its lines that are not blank, or those of each record if its name ends in .jsonl.

    Raises KexueError if it cannot be read, RecordError for a record without texts, and for records under another name.
    """
    with open_input(path) as stream:
        if not RECORDS.search(path):
            for number, line in read_lines(stream, path, encoding=encoding):
                if number == 1 and line.startswith(JSON):
                    raise RecordError(path, 1, "seems to be a JSON record, not a text; records go into a .jsonl file")
                if line.strip():
                    yield Line(number, line)
            return
        for number, record in read_records(stream, path, encoding=encoding):
            for text in placed(f"{path}:{number}", texts_of, record):
                yield Line(number, text)


def read_asked(path: str, encoding: str, is_text: bool) -> Iterator[Line]:
    """Yield the texts of a file of lines, or of records {"text"}; what is wrong in it is told when it is asked."""
    with open_input(path) as stream:
        for number, line in try_lines(stream, path, encoding=encoding):
            if isinstance(line, RecordError) or not line.strip():
                continue
            with suppress(RecordError):
                text = line if is_text else parse_record(line, path, number).get("text")
                if isinstance(text, str) and text.strip():
                    yield Line(number, text)


def texts_of(record: Record) -> list[str]:
    """Return the texts of {"text"}, {"texts"} or {"standard", "queries"}.

    Raises KexueError for another record, and for a text that is blank.
    """
    if "text" in record:
        fields: dict[str, Any] = {"text": record["text"]}
    elif "standard" in record:
        queries = member(record, "queries", list) if "queries" in record else []
        fields = {"standard": record["standard"], **_items("queries", queries)}
    elif "texts" in record:
        fields = _items("texts", member(record, "texts", list))
    else:
        raise KexueError(f"missing field 'text'; found {sorted(record)}; allowed: text, texts, or standard and queries")
    for place, value in fields.items():
        if not expect(value, str, place).strip():
            raise KexueError(f"{place} must not be blank; found {shown(value)}")
    return list(fields.values())


def _items(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}[{place}]": value for place, value in enumerate(values)}


def key_of(texts: Sequence[str], model: Path) -> str:
    """Return the SHA-256 of what vectors are made of in hexadecimal: the texts, the model's files, our version."""
    digest = hashlib.sha256(__version__.encode())
    sums = model / SUMS
    if sums.is_file():
        digest.update(sums.read_bytes())
    else:
        for file in sorted(file for file in model.iterdir() if file.is_file()):
            digest.update(f"{file_digest(file)}  {file.name}\n".encode())
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")  # JSON can write half a character
        digest.update(b"%d\n%b" % (len(data), data))
    return digest.hexdigest()


def _blocks(name: str, texts: Sequence[str], model: Model) -> "Iterator[Floats]":
    """Yield the vectors of some thousands of texts at once, and tell of it."""
    with console.progress(f"reading {name}", len(texts)) as advance:
        for start in range(0, len(texts), TEXTS):
            some = texts[start : start + TEXTS]
            yield model.vectors(some)
            advance(len(some))


def _made(name: str, texts: Sequence[str], model: Model) -> "Floats":
    import numpy as np

    vectors = np.empty((len(texts), model.dimension), np.float32)
    start = 0
    for block in _blocks(name, texts, model):
        vectors[start : start + len(block)] = block
        start += len(block)
    return vectors


def _kept(folder: Path, shape: tuple[int, int]) -> "Floats | None":
    """Return the vectors in a folder of the cache as a memory map; None if they are not there, or damaged."""
    import numpy as np

    from kexue_cli.arrays import read_in_place

    try:
        vectors: Floats = read_in_place(folder / VECTORS, np.float32, 2)
    except (OSError, KexueError):
        return None
    return vectors if vectors.shape == shape else None


def _keep(folder: Path, name: str, texts: Sequence[str], model: Model) -> "Floats":
    """Make vectors, write them into a folder of the cache and return them as a memory map.

    They are written as they are made: a memory map of a full disk would end the process.
    """
    import numpy as np

    from kexue_cli.arrays import read_in_place

    shutil.rmtree(folder, ignore_errors=True)  # damaged
    with new_folder(folder, mark=VECTORS) as partial, (partial / VECTORS).open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(texts), model.dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in _blocks(name, texts, model):
            file.write(np.ascontiguousarray(block, "<f4").data)
    console.say(f"{name}: {len(texts):,} texts, their vectors kept in {folder}")
    vectors: Floats = read_in_place(folder / VECTORS, np.float32, 2)
    return vectors


def _index(vectors: "Floats", folder: Path | None, name: str, threads: int | None) -> "Index | Graph":
    """Return the index that suits so many vectors. folder: where a graph may be kept."""
    from kexue_cli.tasks.similarity.index import EXACT_MOST, Index, has_usearch, open_graph

    if len(vectors) <= EXACT_MOST or folder is None:
        return Index(vectors)
    if not has_usearch():
        console.warn(f"{name}: all of {len(vectors):,} texts are compared; quicker with: pip install 'kexue[search]'")
        return Index(vectors)
    with console.progress(f"linking {name}", len(vectors)) as advance:
        return open_graph(vectors, folder / GRAPH, threads=threads, advance=advance)


def make_room(used: Path) -> None:
    """Remove folders beside *used*, the longest unused first, until CACHE_BYTES hold what is left."""
    folders = {folder: _last_use_and_size(folder) for folder in used.parent.iterdir()}
    total = sum(size for _, size in folders.values())
    for folder, (last_use, size) in sorted(folders.items(), key=lambda item: item[1]):
        is_written = folder.name.startswith(".") and time.time() - last_use < ABANDONED
        if total > CACHE_BYTES and folder != used and not is_written:
            shutil.rmtree(folder, ignore_errors=True)  # who has it open keeps it: a memory map outlives the name
            total -= size


def _last_use_and_size(folder: Path) -> tuple[float, int]:
    """Return when a folder was last used, in seconds, and its bytes; another process may be removing it."""
    try:
        states = [folder.stat(), *(file.stat() for file in folder.iterdir())]
    except OSError:
        return 0, 0
    return max(state.st_mtime for state in states), sum(state.st_size for state in states[1:])
