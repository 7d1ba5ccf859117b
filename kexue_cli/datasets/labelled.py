"""Texts with what they were written under, in JSON lines whose fields have any names.

No entry of DATASETS: which fields are the condition cannot be told from a file; options say it, or a trained model.
"""

from collections.abc import Iterator, Sequence

from kexue_cli.errors import RecordError
from kexue_cli.records import Record, read_records
from kexue_cli.streams import open_input, source_name


def read_labelled(
    paths: Sequence[str], names: Sequence[str], target: str, encoding: str
) -> Iterator[tuple[str, Record]]:
    """Yield where each record of files stands, as FILE:LINE, and the record as {"condition", "text"}.

    names: of the fields that are the condition, none for "condition" itself; target: field of the text. A record that
    has "condition" and not all of the names is one of ours. Raises RecordError for a line that is no record, and for a
    record in which a field is missing.
    """
    for path in paths:
        source = source_name(path)
        with open_input(path) as stream:
            for number, record in read_records(stream, path, encoding=encoding):
                is_ours = not names or ("condition" in record and not all(name in record for name in names))
                text = "text" if is_ours and target not in record else target
                for name in (*(["condition"] if is_ours else names), text):
                    if name not in record:
                        raise RecordError(source, number, f"missing field {name!r}; found {sorted(record)}")
                condition = record["condition"] if is_ours else {name: record[name] for name in names}
                yield f"{source}:{number}", {"condition": condition, "text": record[text]}
