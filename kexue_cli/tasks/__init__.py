"""The tasks, one explicit table in the order in which help shows them; a module is imported on use."""

import importlib
from typing import NamedTuple

from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.tasks.task import Task


class TaskEntry(NamedTuple):
    """module: holds load(folder, ...); default_model: used when none is named; summary: for help."""

    module: str
    default_model: str
    summary: str


TASKS = {
    "segmentation": TaskEntry("kexue_cli.segmentation.task", "entropy-segmentation-jieba", "Cut lines into words."),
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


def load_task(name: str, folder: str, *, threads: int) -> Task:
    """Return the model in *folder*, ready to predict."""
    return importlib.import_module(task_entry(name).module).load(folder, threads=threads)  # type: ignore[no-any-return]
