"""The tasks, one explicit table in the order in which help shows them; a module is imported on use."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.tasks.task import Task

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime


class TaskEntry(NamedTuple):
    """module: holds load(folder, ...); default_model: used when none is named; summary: for help.

    has_networks: its models hold networks, which the loader opens; module.network holds build_networks(config).
    """

    module: str
    default_model: str
    summary: str
    has_networks: bool = False


TASKS = {
    "qa": TaskEntry("kexue_cli.tasks.qa", "dgcnn-qa", "Answer questions from passages.", has_networks=True),
    "triples": TaskEntry(
        "kexue_cli.tasks.triples", "dgcnn-triples", "Extract subject, predicate and object.", has_networks=True
    ),
    "linking": TaskEntry(
        "kexue_cli.tasks.linking", "dgcnn-linking", "Find mentions and link them to a base.", has_networks=True
    ),
    "similarity": TaskEntry(
        "kexue_cli.tasks.similarity",
        "dgcnn-similarity",
        "Compare texts; find the nearest of many.",
        has_networks=True,
    ),
    "generation": TaskEntry(
        "kexue_cli.tasks.generation", "cln-generation", "Write texts under conditions.", has_networks=True
    ),
    "segmentation": TaskEntry("kexue_cli.segmentation.task", "entropy-segmentation-jieba", "Cut lines into words."),
    "templates": TaskEntry(
        "kexue_cli.segmentation.templates", "entropy-templates", "Find the templates of sentences; parse by them."
    ),
    "encoder": TaskEntry("kexue_cli.tasks.encoder", "text-encoder", "Read characters in context; tasks begin from it."),
    "words": TaskEntry("kexue_cli.text.word_vectors", "word-vectors", "Give each word a vector; other tasks use them."),
}


def default_models() -> dict[str, str]:
    """Return the name of each task's default model."""
    return {task: entry.default_model for task, entry in TASKS.items()}


def task_entry(name: str) -> TaskEntry:
    """Return the entry of a task.

    Raises KexueError if there is no such task.
    """
    if name not in TASKS:
        raise KexueError(unknown_name("task", name, TASKS))
    return TASKS[name]


def load_task(name: str, folder: str, *, threads: int, open_network: "Callable[[str], Runtime] | None" = None) -> Task:
    """Return the model in *folder*, ready to predict. open_network: opens a network of that folder by its name."""
    entry = task_entry(name)
    more = {"open_network": open_network} if entry.has_networks else {}
    return importlib.import_module(entry.module).load(folder, threads=threads, **more)  # type: ignore[no-any-return]
