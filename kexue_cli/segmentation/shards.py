"""Counting by many processes, here or on other machines, that share nothing but a folder.

Each process counts one shard of the corpus (corpus.Shard) and adds one file to the folder, a sorted run (runs.py)
whose note tells what was counted and how. When all are there they are merged: the counts, and so all that is made of
them, are those of one process that counts the whole.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexue_cli import __version__
from kexue_cli.errors import KexueError
from kexue_cli.segmentation.corpus import Corpus, Shard
from kexue_cli.segmentation.counting import DEPTH
from kexue_cli.segmentation.ngrams import counted
from kexue_cli.segmentation.runs import Run, merged_runs, read_note, write_run
from kexue_cli.streams import STDIO, reading

NAME = re.compile(r"(\d{4,})-of-(\d{4,})\.counts")
SAMPLES, SAMPLE_BYTES = 64, 4 << 10  # of a file, to tell it from another of the same size
SETTINGS = {  # of a note, and how the user calls them
    "kexue": "version",
    "depth": "strings of at most",
    "field": "--field",
    "is_segmented": "--format sighan",
    "encoding": "--encoding",
}


def count_shard(
    corpus: Corpus,
    shard: Shard,
    folder: Path,
    *,
    accepted: int,
    memory: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Path:
    """Count one shard of a corpus and write its file into a folder, which is made if need be; return the file.

    accepted, memory, advance: see ngrams.counted. A file of the same name is replaced in one step.
    Raises KexueError if the corpus cannot be read or the file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KexueError(f"cannot write {folder}: {error.strerror}") from None
    path = shard_path(folder, shard)
    note = {**shard_note(corpus, accepted), "shard": shard.number, "of": shard.of}
    work = folder / f".{path.stem}.runs"
    part = dataclasses.replace(corpus, memory=0, shard=shard, kept=None)
    with counted(part, accepted=accepted, memory=memory, work=work, advance=advance) as (size, pieces):
        write_run(path, pieces, {**note, "characters": size})
    return path


def shard_path(folder: Path, shard: Shard) -> Path:
    """Return the name of a shard's file."""
    return folder / f"{shard.number:04d}-of-{shard.of:04d}.counts"


def shard_note(corpus: Corpus, accepted: int) -> dict[str, Any]:
    """Return what all shards of a corpus must have in common to belong together."""
    return {
        "kexue": __version__,
        "depth": DEPTH,
        "accepted": accepted,
        "field": corpus.field,
        "is_segmented": corpus.is_segmented,
        "encoding": corpus.encoding,
        "corpus": [_identity(path, size) for path, size in zip(corpus.paths, corpus.sizes(), strict=True)],
    }


def _identity(path: str, size: int) -> list[str | int]:
    """Return the name of a file without its folder, its bytes, and the SHA-256 of samples from all over it.

    Times and folders are left out: another machine may have a copy elsewhere.
    """
    if path == STDIO or not Path(path).is_file():
        raise KexueError(f"{path} is not a file; shards are counted by several processes, and each reads the corpus")
    digest = hashlib.sha256()
    with reading(path), open(path, "rb") as file:
        for number in range(SAMPLES):
            file.seek(max(size - SAMPLE_BYTES, 0) * number // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
    return [Path(path).name, size, digest.hexdigest()]


@dataclass(frozen=True)
class Counts:
    """The files of all shards of a corpus. size: its characters."""

    paths: list[Path]
    size: int

    def pieces(self, work: Path) -> Iterator[Run]:
        """Yield the sorted run of the corpus. work: see merged_runs."""
        return merged_runs(self.paths, work)


def open_counts(folder: Path, corpus: Corpus, accepted: int) -> Counts:
    """Return the counts in a folder. Raises KexueError if they are not all there, damaged, or of something else."""
    if not folder.is_dir():
        raise KexueError(f"cannot read {folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    found = [(match, path) for path in sorted(folder.iterdir()) if (match := NAME.fullmatch(path.name))]
    wholes = sorted({int(match[2]) for match, _ in found})
    if not wholes:
        raise KexueError(f"{folder} holds no counts; add them with: --shard 1/N -o {folder}, and so on to N/N")
    if len(wholes) > 1:
        several = " and ".join(map(str, wholes))
        raise KexueError(f"{folder} holds counts of corpora cut into {several} shards; remove those of one kind")
    paths = {int(match[1]): path for match, path in found}
    missing = [number for number in range(1, wholes[0] + 1) if number not in paths]
    if missing:
        names = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        raise KexueError(
            f"{folder} lacks shard{'s' * (len(missing) > 1)} {names} of {wholes[0]}; "
            f"count it with: --shard {missing[0]}/{wholes[0]}"
        )
    common = shard_note(corpus, accepted)
    notes = [check_shard(path, Shard(number, wholes[0]), common) for number, path in paths.items()]
    return Counts(list(paths.values()), sum(note["characters"] for note in notes))


def check_shard(path: Path, shard: Shard, common: dict[str, Any]) -> dict[str, Any]:
    """Return the note of a shard's file. common: see shard_note.

    Raises KexueError if the file is damaged, or was counted on another corpus or in another way.
    """
    note = read_note(path)
    if note.get("accepted") != common["accepted"]:  # the kinds of characters that a method counts
        raise KexueError(f"{path} was counted with another --method; give the same one here")
    for key, words in SETTINGS.items():
        if note.get(key) != common[key]:
            theirs, ours = (_shown(settings.get(key)) for settings in (note, common))
            raise KexueError(f"{path} was counted with {words} {theirs}; here it is {ours}")
    if note.get("corpus") != common["corpus"]:
        theirs, ours = (
            ", ".join(f"{name} ({size:,} bytes)" for name, size, _ in settings.get("corpus", []))
            for settings in (note, common)
        )
        change = "the same names and sizes, but other text" if theirs == ours else f"{theirs}; here it is {ours}"
        raise KexueError(f"{path} was counted on another corpus: {change}")
    if (note["shard"], note["of"]) != shard:
        raise KexueError(f"{path} holds shard {note['shard']} of {note['of']}, not what its name says")
    return note


def _shown(value: Any) -> str:
    return "none" if value is None else {"True": "yes", "False": "no"}.get(str(value), str(value))
