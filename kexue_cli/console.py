"""Talk to the person at the terminal: warnings, status and progress, on standard error only.

Standard output belongs to records; nothing here writes to it.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

is_quiet = False


def say(message: str) -> None:
    """Print one line, unless ``--quiet`` was given."""
    if not is_quiet:
        show(message)


def warn(message: str) -> None:
    """Print one line that starts with the name of the program, unless ``--quiet`` was given."""
    say(f"kexue: {message}")


def show(message: str) -> None:
    """Print one line, even with ``--quiet``: for errors."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # nobody listens any more; the exit status still tells
            print(message, file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Say whether a person sees standard error."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.contextmanager
def progress(label: str, total: float, *, is_bytes: bool = False) -> Iterator[Callable[[float], None]]:
    """Yield a function that is told how much more is done; a bar is drawn if a person sees it.

    total: amount of work, in bytes if *is_bytes*, else in steps.
    """
    if is_quiet or not is_terminal():
        yield lambda amount: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount_column = DownloadColumn() if is_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount_column, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda amount: bar.advance(task, amount)
