"""A knowledge base from a file of the user, compiled beside it when it is first used."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli import console
from kexue_cli.commands.scores import placed
from kexue_cli.datasets.reader import read_records
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.streams import check_readable
from kexue_cli.zoo import cache_folder, new_folder

if TYPE_CHECKING:
    from kexue_cli.tasks.encoding import Encoder
    from kexue_cli.tasks.linking import EntityLinking
    from kexue_cli.tasks.linking.entities import Entity
    from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase

SUFFIX = ".index"  # of the folder beside the file


def read_entities(path: str, encoding: str = "utf-8") -> "Iterator[Entity]":
    """Yield the entities of a file, our own records or a published base.

    Raises KexueError at the first record that is wrong, with its place.
    """
    from kexue_cli.tasks.linking.entities import read_entity

    for where, record in read_records([path], "knowledge-base", None, encoding):
        yield placed(where, read_entity, record)


def open_base(path: str, linker: "EntityLinking", encoding: str = "utf-8") -> "KnowledgeBase":
    """Return the base in a file, or in a folder that holds a compiled one; a file is compiled beside it if need be.

    Where the file's folder cannot be written, the compiled base goes to the user's cache folder.
    Raises KexueError for a file that cannot be read, or whose records are wrong.
    """
    from kexue_cli.tasks.linking.knowledge_base import INDEX, KnowledgeBase

    if path == "-":
        raise UsageError("--kb must name a file: a base is compiled beside it")
    if Path(path).is_dir():
        return KnowledgeBase(Path(path))
    check_readable(path)
    file = Path(path).resolve()
    state = file.stat()
    made_from = {
        "bytes": state.st_size,
        "modified": state.st_mtime_ns,
        "encoding": encoding,
        "digests": list(linker.preprocessor.digests),
    }
    folder = _folder(file)
    if (folder / INDEX).is_file():
        try:
            base = KnowledgeBase(folder)
        except KexueError:
            base = None  # damaged, or of another version: made again
        if base is not None and base.made_from == made_from:
            return base
    with new_folder(folder, mark=INDEX) as partial:
        compile_file(path, partial, linker.encoder, made_from, encoding, folder)
    return KnowledgeBase(folder)


def compile_file(
    path: str, folder: Path, encoder: "Encoder", made_from: Mapping[str, Any], encoding: str, target: Path
) -> None:
    """Write the compiled base of a file into a folder that is there, and tell of it.

    target: the folder's later name.
    """
    from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase, compile_base

    size = Path(path).stat().st_size
    with console.progress(f"compiling {Path(path).name}", size, is_bytes=True) as advance:
        try:
            compile_base(read_entities(path, encoding), folder, encoder, made_from, advance)
        except KexueError as error:  # of the base as a whole; what is wrong with a record has its place
            raise error if str(error).startswith(path) else KexueError(f"{path}: {error}") from None
    console.say(f"{Path(path).name}: {len(KnowledgeBase(folder)):,} entities, compiled into {target}")


def _folder(file: Path) -> Path:
    """Return where the compiled base of a file is kept."""
    beside = file.with_name(file.name + SUFFIX)
    cache = cache_folder()
    if os.access(file.parent, os.W_OK) or cache is None:
        return beside
    return cache / "bases" / hashlib.sha256(os.fsencode(file)).hexdigest()[:16]
