"""kexue predict on a cluster: many files in, a folder of numbered files and a manifest out.

What is written is what the command writes here for each file, one after another.
"""

import glob
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kexue_cli import __version__, console
from kexue_cli.config import write_json
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import live_groups
from kexue_cli.streams import STDIO, check_readable, open_input, open_output
from kexue_cli.tasks import TASKS
from kexue_cli.zoo import find_model, new_folder

if TYPE_CHECKING:
    from kexue_cli.commands.prediction import Answering, Group

MANIFEST = "manifest.json"
FORMAT = 1  # of it
FILE_BYTES = 256 << 20  # of an output file; it ends with the part that reaches this
PART_GROUPS, PART_CHARACTERS = 8, 1 << 16  # of lines that a worker answers at once, at most


class Part(NamedTuple):
    """Some lines of an input, in the groups in which they would be answered here."""

    source: str
    groups: "list[Group]"


class Answers(NamedTuple):
    """What is to be written for a part. problem: what is wrong with the record behind it, if that is to stop all."""

    read: int  # bytes of the part
    data: bytes
    records: int
    failures: int  # records among them that are errors
    problem: KexueError | None


Keep = Callable[[Answers], None]


def predict_on_cluster(
    work: "Answering", file: str, output: str | None, *, encoding: str, batch_size: int, address: str | None
) -> int:
    """Answer the records of files; return how many bad ones were skipped. Raises KexueError as predict does.

    file, output: see input_files and open_folder; without output, answers go to standard output.
    """
    from kexue_cli import engine

    if work.device.startswith("gpu:"):
        raise UsageError(f"--engine gives each worker a GPU; say --device gpu, not {work.device}")
    paths = input_files(file)
    find_model(work.model or TASKS[work.task].default_model)
    size = sum(Path(path).stat().st_size for path in paths)
    here = str(Path.cwd())
    read = partial(read_parts, encoding=encoding, size=batch_size, folder=here)
    about = {"task": work.task, "model": work.model or TASKS[work.task].default_model, "inputs": paths}
    sink = (
        open_folder(output, about, ".jsonl" if work.is_json else ".tsv") if output not in (None, STDIO) else _stdout()
    )
    failures = 0
    with sink as keep, engine.connected(address), console.progress("answering", size, is_bytes=True) as advance:
        for answers in engine.map_in_order(
            read, partial(open_worker, work, here), paths,
            gpus=int(work.device.startswith("gpu")), processors_each=work.threads or 1,
        ):  # fmt: skip
            keep(answers)
            if answers.problem is not None:
                raise answers.problem
            failures += answers.failures
            advance(answers.read)
    return failures


def input_files(pattern: str) -> list[str]:
    """Return the files that a name, a pattern such as ``texts/*.jsonl`` or a folder stands for, sorted by name.

    Raises UsageError for standard input, KexueError if there are none or one cannot be read.
    """
    if pattern == STDIO:
        raise UsageError("--engine reads files on many machines; name a file, a folder or a pattern in quotes")
    path = Path(pattern)
    if path.is_dir():
        paths = sorted(str(child) for child in path.iterdir() if child.is_file() and not child.name.startswith("."))
    elif not path.exists() and glob.has_magic(pattern):
        paths = sorted(name for name in glob.glob(pattern, recursive=True) if Path(name).is_file())
    else:
        paths = [pattern]
    if not paths:
        raise KexueError(f"cannot read {pattern}: no file there")
    for name in paths:
        check_readable(name)
    return paths


def work_in(folder: str) -> None:
    """Let a worker go to the folder of the user, if its machine has it, so that names mean the same files."""
    with suppress(OSError):
        os.chdir(folder)


def read_parts(path: str, *, encoding: str, size: int, folder: str) -> Iterator[Part]:
    """Yield the lines of a file in parts; a worker calls it. size: lines of a group."""
    work_in(folder)
    groups: list[Group] = []
    characters = 0
    with open_input(path) as stream:
        for group in live_groups(stream, path, encoding=encoding, size=size):
            groups.append(group)
            characters += sum(len(line) for _, line in group if isinstance(line, str))
            if len(groups) == PART_GROUPS or characters >= PART_CHARACTERS:
                yield Part(path, groups)
                groups, characters = [], 0
    if groups:
        yield Part(path, groups)


def open_worker(work: "Answering", folder: str) -> Callable[[Part], Answers]:
    """Return the function that answers parts, with its own model; a worker calls it once."""
    work_in(folder)
    model = work.open_model()  # one for all that this worker answers

    def answer(part: Part) -> Answers:
        written: list[bytes] = []
        failures = 0
        problem = None
        try:
            for group in part.groups:
                for data, is_bad in work.answer(model, group, part.source):
                    written.append(data)
                    failures += is_bad
        except KexueError as error:
            problem = error
        read = sum(len(line.encode()) + 1 for group in part.groups for _, line in group if isinstance(line, str))
        return Answers(read, b"".join(written), len(written), failures, problem)

    return answer


@contextmanager
def _stdout() -> Iterator[Keep]:
    with open_output(None) as output:

        def keep(answers: Answers) -> None:
            output.write(answers.data)
            output.flush()

        yield keep


@contextmanager
def open_folder(path: str | None, about: dict[str, Any], suffix: str) -> Iterator[Keep]:
    """Yield what adds answers to the numbered files of a folder, which gets its name and manifest when all is well.

    about: what the manifest says besides. Raises KexueError if the folder cannot be written or holds something else.
    """
    files: list[dict[str, Any]] = []
    digests: list[Any] = []
    with new_folder(Path(str(path)), mark=MANIFEST) as folder:

        def keep(answers: Answers) -> None:
            if not files or files[-1]["bytes"] >= FILE_BYTES:
                files.append({"name": f"{len(files):05d}{suffix}", "bytes": 0, "records": 0})
                digests.append(hashlib.sha256())
            with (folder / files[-1]["name"]).open("ab") as file:
                file.write(answers.data)
            digests[-1].update(answers.data)
            files[-1]["bytes"] += len(answers.data)
            files[-1]["records"] += answers.records

        yield keep
        for file, digest in zip(files, digests, strict=True):
            file["sha256"] = digest.hexdigest()
        records = sum(file["records"] for file in files)
        manifest = {"format": FORMAT, "kexue": __version__, **about, "records": records, "files": files}
        write_json(folder / MANIFEST, manifest)
