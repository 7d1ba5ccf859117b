"""Kexue: Chinese NLP at the shell, and from Python: load, segment, models, view.

Importing this package loads nothing heavy.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kexue_cli.pictures.page import Page
    from kexue_cli.tasks.task import Task
    from kexue_cli.zoo import ModelEntry


def load(name: str, *, device: str = "auto", precision: str | None = None, threads: int | None = None) -> "Task":
    """Return the model called *name* (of the zoo, or the path of a folder), ready to predict.

    device: auto, cpu, gpu or gpu:N; precision: float32, or on a GPU bfloat16 or float16; threads: of the processor.
    """
    from kexue_cli import loader

    return loader.load(name, device=device, precision=precision, threads=threads)


def segment(text: str, *, model: str | None = None) -> list[str]:
    """Return the words of a text; joined they are the text again.

    >>> segment("我爱北京天安门")
    ['我', '爱', '北京', '天安门']
    """
    from kexue_cli import loader

    return loader.segmenter(model).segment(text)


def models() -> "list[ModelEntry]":
    """Return the bundled models: objects with name, task, default, path and bytes."""
    from kexue_cli import zoo
    from kexue_cli.tasks import default_models

    return zoo.models(default_models())


def view(records: "dict[str, Any] | Iterable[dict[str, Any]]") -> "Page":
    """Return a page that draws a record or several: shown by a notebook as it is, written by save("page.html").

    Raises RecordError for a record that says what cannot be, by its number, and KexueError for too many of them.

    >>> view({"text": "我爱北京", "words": ["我", "爱", "北京"]}).save("page.html")
    """
    from kexue_cli.pictures.page import page_of_records

    return page_of_records([records] if isinstance(records, dict) else records)
