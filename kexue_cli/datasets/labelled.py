"""Texts with what they were written under, in JSON lines whose fields have any names.

No entry of DATASETS: which fields are the condition cannot be told from a file; options say it, or a trained model.
"""

from collections.abc import Iterable, Iterator, Sequence

from kexue_cli.errors import KexueError, RecordError, UsageError
from kexue_cli.records import Record, read_records
from kexue_cli.streams import open_input, source_name


def read_labelled(
    paths: Sequence[str], names: Sequence[str], target: str, encoding: str
) -> Iterator[tuple[str, Record]]:
    """Yield where each record of files stands, as FILE:LINE, and the record as {"condition", "text"}.

    names, target: as for with_condition. Raises RecordError for a line that is no record, and for a record in which a
    field is missing.
    """
    for path in paths:
        source = source_name(path)
        with open_input(path) as stream:
            placed = ((f"{source}:{number}", one) for number, one in read_records(stream, path, encoding=encoding))
            for where, record in with_conditions(placed, names, target):
                if isinstance(record, RecordError):
                    raise record
                yield where, record


def with_conditions(
    records: Iterable[tuple[str, Record | RecordError]], names: Sequence[str], target: str
) -> Iterator[tuple[str, Record | RecordError]]:
    """Yield records as with_condition makes them, or the error of one in which a field is missing."""
    for where, record in records:
        if isinstance(record, RecordError):
            yield where, record
            continue
        try:
            yield where, with_condition(record, names, target)
        except KexueError as error:
            source, _, line = where.rpartition(":")
            yield where, RecordError(source, int(line), str(error))


def with_condition(record: Record, names: Sequence[str], target: str) -> Record:
    """Return a record as {"condition", "text"}.

    names: of the fields that are the condition, none for "condition" itself; target: field of the text. A record that
    has "condition" and not all of the names is one of ours. Raises KexueError for a field that is missing.
    """
    is_ours = not names or ("condition" in record and not all(name in record for name in names))
    text = "text" if is_ours and target not in record else target
    for name in (*(["condition"] if is_ours else names), text):
        if name not in record:
            raise KexueError(f"missing field {name!r}; found {sorted(record)}")
    condition = record["condition"] if is_ours else {name: record[name] for name in names}
    return {"condition": condition, "text": record[text]}


def field_names(text: str | None, target: str = "") -> tuple[str, ...]:
    """Return the names of a list with commas. Raises UsageError if one is empty, or is that of the target."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"fields must be named as in cat,label; found {text!r}")
    if target in names:
        raise UsageError(f"--target {target} is what is to be written; it cannot be a condition, too")
    return names
