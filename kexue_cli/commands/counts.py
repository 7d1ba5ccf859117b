"""kexue train segmentation by many processes: one shard of the counting, or all of it on a cluster."""

import glob
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli import console
from kexue_cli.commands.cluster import work_in
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.streams import open_output

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from kexue_cli.segmentation.corpus import Corpus, Shard

    Bytes = npt.NDArray[np.uint8]

SHARD_BYTES = 32 << 20  # of a corpus, on disk, that a worker of a cluster counts at once
SHARDS_A_WORKER = 2  # at least, so that none waits long for the last


def parse_shard(value: str) -> "Shard":
    """Return the shard that I/N names."""
    from kexue_cli.segmentation.corpus import Shard

    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value, re.ASCII)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard {value!r} must be I/N with I from 1 to N, such as 3/7")
    return Shard(int(match[1]), int(match[2]))


def count_shard(corpus: "Corpus", shard: "Shard", folder: Path, *, accepted: int, memory: int | None) -> None:
    """Count one shard and tell of it; see shards.count_shard."""
    from kexue_cli.segmentation import shards
    from kexue_cli.segmentation.runs import read_note

    size = corpus.total_bytes() // shard.of
    with console.progress("counting", size, is_bytes=True) as advance:
        path = shards.count_shard(corpus, shard, folder, accepted=accepted, memory=memory, advance=advance)
    console.say(f"{path}: {read_note(path)['characters']:,} characters")


@contextmanager
def counted_on_cluster(
    corpus: "Corpus", target: Path, *, accepted: int, address: str | None, memory: int | None
) -> Iterator[Path]:
    """Let a cluster count the shards of a corpus, and yield the folder of their counts; it goes when all is done.

    The counts that a killed process left are taken up again.
    """
    from kexue_cli import engine
    from kexue_cli.segmentation import shards
    from kexue_cli.segmentation.corpus import Shard

    common = shards.shard_note(corpus, accepted)
    with engine.connected(address) as workers:
        of = max(-(-corpus.total_bytes() // SHARD_BYTES), SHARDS_A_WORKER * workers)
        folder = target.absolute().parent / f".{target.name}.{of}-shards"
        folder.mkdir(parents=True, exist_ok=True)
        every = [Shard(number + 1, of) for number in range(of)]
        todo = [shard for shard in every if not _is_counted(folder, shard, common)]
        count = partial(_counts_of, corpus, accepted=accepted, memory=memory, folder=str(Path.cwd()))
        with console.progress("counting", of) as advance:
            advance(of - len(todo))
            for number, data in engine.run_tasks(count, todo):
                with open_output(str(shards.shard_path(folder, todo[number]))) as output:
                    output.write(data.data)
                advance(1)
    try:
        yield folder
    except KexueError:  # not so after a signal: the same command may come again
        _remove_counts(target)
        raise
    _remove_counts(target)


def _remove_counts(target: Path) -> None:
    """Remove what clusters counted for a model, clusters of other sizes too."""
    for place in target.absolute().parent.glob(f".{glob.escape(target.name)}.*-shards"):
        shutil.rmtree(place, ignore_errors=True)


def _is_counted(folder: Path, shard: "Shard", common: dict[str, Any]) -> bool:
    """Say whether there is a whole file of a shard, of this corpus."""
    from kexue_cli.segmentation import shards

    path = shards.shard_path(folder, shard)
    if not path.exists():
        return False
    try:
        shards.check_shard(path, shard, common)
    except KexueError:
        return False
    return True


def _counts_of(corpus: "Corpus", shard: "Shard", *, accepted: int, memory: int | None, folder: str) -> "Bytes":
    """Return the file of a shard as bytes; a worker calls it. folder: what names of files are relative to."""
    import numpy as np

    from kexue_cli.segmentation import shards

    work_in(folder)
    corpus.check()
    with tempfile.TemporaryDirectory(prefix="kexue-") as place:
        path = shards.count_shard(corpus, shard, Path(place), accepted=accepted, memory=memory)
        return np.fromfile(path, np.uint8)
