"""What can go wrong for a user, each with the exit status of the process.

KexueError            1  the work failed: a missing file, a broken model, a full disk
    RecordError       1  one line of the input is wrong; names the file and the line
    UsageError        2  the command was called in a way that cannot work
    Terminated      143  the process was asked to end (SIGTERM)
    ClosedPipe        0  nobody reads the output any more, as with ``| head``: a quiet success

The text of an error is one line: what is wrong, where, what was found, what is allowed, what to try.
"""

import difflib
from collections.abc import Iterable


class KexueError(Exception):
    """The work failed."""

    exit_status = 1


class RecordError(KexueError):
    """A line of the input is wrong; the text begins ``FILE:LINE:``."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        super().__init__(f"{source}:{line}: {problem}")
        self.source = source
        self.line = line
        self.problem = problem

    def __reduce__(self) -> tuple[type["RecordError"], tuple[str, int, str]]:
        """Return how to make it again in another process."""
        return RecordError, (self.source, self.line, self.problem)


class UsageError(KexueError):
    """The command was called in a way that cannot work."""

    exit_status = 2


class Terminated(KexueError):
    """The process was asked to end."""

    exit_status = 143


class ClosedPipe(KexueError):
    """Nobody reads the output any more. Typer would turn a BrokenPipeError into exit status 1."""

    exit_status = 0


def unknown_name(kind: str, name: str, known: Iterable[str], hint: str = "") -> str:
    """Say that *name* is not one of the *known* names of this kind, with the nearest of them."""
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    guess = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"no {kind} named {name!r}{guess} ({hint or 'known: ' + ', '.join(names)})"
