"""What happens where a file is not in its form: reading stops there, or it is told and reading goes on."""

from collections.abc import Callable, Iterable, Iterator

from kexue_cli.errors import KexueError
from kexue_cli.records import Record, parse_record

Refuse = Callable[[str, KexueError], None]  # is given the place, a line's number or a path in a document, and the error


def stop(place: str, error: KexueError) -> None:
    """Raise the error."""
    raise error


def converted_lines(
    lines: Iterable[tuple[int, str]], source: str, make: Callable[[Record, str], Record], refuse: Refuse
) -> Iterator[tuple[str, Record]]:
    """Yield the number of each line that is not blank and what is made of its JSON object.

    make: is given the object and ``FILE:LINE: ``, for messages.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = make(parse_record(line, source, number), f"{source}:{number}: ")
        except KexueError as error:
            refuse(str(number), error)
        else:
            yield str(number), record
