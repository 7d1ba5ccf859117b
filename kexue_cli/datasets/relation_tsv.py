"""Relations between two given entities, as FinRE and SanWen have them: a row for each pair.

Form: head, tail, relation and sentence with tabs between them. The rows of a sentence become one record, wherever they
stand; the relations "unknown" and "NA" say that a pair has none. Such pairs are left out here, and kept by the format
relation-pairs. A pair that has no row was not looked at, which the records cannot tell.
"""

from collections.abc import Iterable, Iterator

from kexue_cli.datasets.refusal import Refuse, stop
from kexue_cli.errors import RecordError
from kexue_cli.fields import shown
from kexue_cli.records import Record

NO_RELATION = ("unknown", "na")  # in any case
FIELDS = ("head", "tail", "relation", "sentence")


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be rows of relations: both entities of the first stand in its sentence."""
    fields = _fields(head.partition("\n")[0])
    return len(fields) == len(FIELDS) and all(fields) and fields[0] in fields[3] and fields[1] in fields[3]


def convert(lines: Iterable[tuple[int, str]], source: str, refuse: Refuse = stop) -> Iterator[tuple[str, Record]]:
    """Yield the record of each sentence and the number of its first line, in the order of those.

    The whole file is read first. Raises RecordError for a row without four fields.
    """
    for number, sentence, triples, _ in read_sentences(lines, source, refuse):
        yield number, {"text": sentence, "triples": triples}


def read_sentences(
    lines: Iterable[tuple[int, str]], source: str, refuse: Refuse
) -> Iterator[tuple[str, str, list[Record], list[Record]]]:
    """Yield the number of each sentence's first line, the sentence, its triples, and its pairs that are in none.

    Raises as convert does.
    """
    triples: dict[str, list[Record]] = {}
    pairs: dict[str, list[Record]] = {}
    numbers: dict[str, int] = {}
    for number, line in lines:
        if not line.strip():
            continue
        fields = _fields(line)
        if len(fields) != len(FIELDS):
            form = f"a row must be {', '.join(FIELDS)} with tabs between them"
            refuse(str(number), RecordError(source, number, f"{form}; found {len(fields)} fields: {shown(line)}"))
            continue
        subject, object, relation, sentence = fields
        numbers.setdefault(sentence, number)
        found, others = triples.setdefault(sentence, []), pairs.setdefault(sentence, [])
        if relation.lower() in NO_RELATION:
            others.append({"subject": subject, "object": object})
        else:
            found.append({"subject": subject, "predicate": relation, "object": object})
    for sentence, number in numbers.items():
        related = {(one["subject"], one["object"]) for one in triples[sentence]}
        unrelated = [pair for pair in pairs[sentence] if (pair["subject"], pair["object"]) not in related]
        yield str(number), sentence, triples[sentence], unrelated


def _fields(line: str) -> list[str]:
    """Return the fields of a row; what follows the third tab is the sentence, tabs and all."""
    return [field.strip() for field in line.split("\t", len(FIELDS) - 1)]
