"""What can go wrong for a user, each with the exit status of the process.

KexueError            1  the work failed: a missing file, a broken model, a full disk
    RecordError       1  one line of the input is wrong; names the file and the line
    UsageError        2  the command was called in a way that cannot work
    ClosedPipe        0  nobody reads the output any more, as with ``| head``: a quiet success
Terminated          143  the process was asked to end (SIGTERM)

The text of an error is one line: what is wrong, where, what was found, what is allowed, what to try.
"""

import difflib
from collections.abc import Iterable

LONGEST_NAME = 80  # characters of a name that is told, or compared with others


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


class Terminated(BaseException):
    """The process was asked to end.

    No Exception, as KeyboardInterrupt is none: it may be raised anywhere, and who goes on behind a wrong record, or
    tells of a damaged file, must not take it for one.
    """

    exit_status = 143


class ClosedPipe(KexueError):
    """Nobody reads the output any more. Typer would turn a BrokenPipeError into exit status 1."""

    exit_status = 0


def unknown_name(kind: str, name: str, known: Iterable[str], hint: str = "") -> str:
    """Say that *name* is not one of the *known* names of this kind, with the nearest of them."""
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5) if len(name) <= LONGEST_NAME else []
    guess = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"no {kind} named {cut(name)}{guess} ({hint or 'known: ' + ', '.join(names)})"


def cut(value: object) -> str:
    """Return a value as messages show it, cut after some characters: a file may hold anything.

    >>> cut("北" * 1000) == repr("北" * 80) + "…"
    True
    """
    if isinstance(value, str):
        return repr(value[:LONGEST_NAME]) + "…" * (len(value) > LONGEST_NAME)
    text = repr(value)
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"
