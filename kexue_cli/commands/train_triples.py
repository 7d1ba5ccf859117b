"""kexue train triples: an extractor from texts with their triples."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    from kexue_cli.tasks.triples.records import LabelledText, Triple
    from kexue_cli.tasks.triples.schema import Schema

SHOWN = 5  # predicates that a message names


def train_triples(
    data: options.TrainingData,
    output: options.ModelOutput,
    dev: options.DevelopmentData = None,
    partial: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="More records, labelled only for the predicates that occur in FILE; others count as unknown there.",
        ),
    ] = None,
    knowledge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Facts from elsewhere that the networks are told of, besides those of DATA; sets has_prior.",
        ),
    ] = None,
    start: options.Start = None,
    schema: options.Schema = None,
    rules: options.Rules = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    resume: options.Resume = None,
    format: options.Format = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Learn to extract triples; records are {"text", "triples": [{"subject", "predicate", "object"}, ...]}.

    A record may have "labelled": [PREDICATE, ...], those that it is labelled for, and "unrelated": [{"subject",
    "object"}, ...], pairs of names that are in no triple: they teach where names are. Without --schema the predicates
    of DATA are learned, with their types if records have them. The model keeps the rules.
    Facts are records {"subject", "predicate", "object"}; the model keeps those of its predicates, and those of DATA.

    Example: kexue train triples facts.jsonl -o ./my-triples && kexue predict triples --text -m ./my-triples news.txt
    """
    from kexue_cli.commands.training import parted, read_settings, train_network
    from kexue_cli.tasks.triples.config import TriplesConfig
    from kexue_cli.tasks.triples.rules import Rules
    from kexue_cli.tasks.triples.schema import Schema as TriplesSchema
    from kexue_cli.zoo import find_model

    target = options.target_folder(output)
    extractor, training = read_settings(TriplesConfig, config, settings, seed)
    extractor = replace(extractor, start=options.one_start(start) or extractor.start)
    if extractor.start:
        find_model(extractor.start)  # that there is none is told before the data are read
    known = TriplesSchema.read(schema) if schema else None
    given = Rules.read(rules) if rules else Rules()
    texts = read_texts(data, format, encoding, known)
    if dev is None:
        texts, development = parted(texts, seed)
    else:
        development = read_texts([dev], format, encoding, known)
    known = known or TriplesSchema.of(texts)
    for name in given.names:
        known.check(name)
    _check_known(development, known)
    kept = {labelled.text for labelled in development}
    for path in partial or []:
        more = labelled_in_part(read_texts([path], None, encoding, known))
        others = [labelled for labelled in more if labelled.text not in kept]
        if len(others) < len(more):
            console.say(f"{Path(path).name}: {len(more) - len(others):,} left out (also in the development data)")
        texts += others
    facts: list[Triple] = []
    if knowledge:
        facts = read_facts(knowledge, encoding, known)
        extractor = replace(extractor, preprocessor=replace(extractor.preprocessor, has_prior=True))

    def make() -> Any:
        from kexue_cli.tasks.triples.trainee import Extractor

        return Extractor(texts, development, known, extractor, rules=given, facts=facts)

    counts = {"texts": len(texts), "development texts": len(development), "predicates": len(known.predicates)}
    if facts:
        counts["facts"] = len(facts)
    files = " ".join(Path(path).name for path in [*data, *(partial or []), *(knowledge or [])])
    train_network(
        "triples", make, target, training, settings=extractor, records=[known, given, *texts, *development, *facts],
        data={"files": files, **counts}, is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip


def read_texts(
    paths: Sequence[str], format: str | None, encoding: str, schema: "Schema | None" = None
) -> "list[LabelledText]":
    """Return the texts of files with the triples that stand in them, and tell how many there are and what is left out.

    schema: triples with other predicates are left out. Raises KexueError at the first record that is wrong, with its
    place.
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.triples.records import is_found, read_labelled_text

    left_out: Counter[str] = Counter()
    others: Counter[str] = Counter()
    texts = []
    triples = missing = 0
    for where, record in read_records(paths, "triples", format, encoding, left_out):
        if "object" in record and "text" not in record:
            raise KexueError(f"{where}: a fact without a text; to give facts beside texts: --knowledge FILE")
        try:
            read = read_labelled_text(record)
        except KexueError as error:
            raise KexueError(f"{where}: {error}") from None
        inside = [one for one in read.triples if is_found(one.subject, read.text) and is_found(one.object, read.text)]
        missing += len(read.triples) - len(inside)
        if schema is not None:
            others.update(one.predicate for one in inside if one.predicate not in schema.predicates)
            inside = list(schema.restrict(inside))
        triples += len(inside)
        texts.append(replace(read, triples=tuple(inside)))
    if not triples:
        raise KexueError(f"{', '.join(paths)}: there is no triple whose subject and object stand in the text")
    notes = [f"{missing:,} triples left out (subject or object not in the text)"] if missing else []
    if others:
        notes.append(_not_in_schema(others))
    notes += [f"{count:,} left out ({reason})" for reason, count in left_out.items()]
    console.say(", ".join([f"{_names(paths)}: {len(texts):,} texts, {triples:,} triples", *notes]))
    return texts


def read_facts(paths: Sequence[str], encoding: str, schema: "Schema") -> "list[Triple]":
    """Return the facts of files whose predicate is in the schema, and tell how many there are and what is left out.

    Raises KexueError at the first record that is no fact, with its place.
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.triples.records import read_fact

    others: Counter[str] = Counter()
    facts = []
    for where, record in read_records(paths, "triples", None, encoding):
        try:
            fact = read_fact(record)
        except KexueError as error:
            raise KexueError(f"{where}: {error}") from None
        if fact.predicate in schema.predicates:
            facts.append(fact)
        else:
            others[fact.predicate] += 1
    notes = [_not_in_schema(others)] if others else []
    console.say(", ".join([f"{_names(paths)}: {len(facts):,} facts", *notes]))
    return facts


def labelled_in_part(texts: "Sequence[LabelledText]") -> "list[LabelledText]":
    """Return texts as labelled only for the predicates that occur in them."""
    occurring = frozenset(triple.predicate for labelled in texts for triple in labelled.triples)
    return [
        replace(labelled, labelled=occurring if labelled.labelled is None else labelled.labelled) for labelled in texts
    ]


def _names(paths: Sequence[str]) -> str:
    return ", ".join(Path(path).name for path in paths)


def _not_in_schema(others: Counter[str]) -> str:
    shown = ", ".join(name for name, _ in others.most_common(SHOWN)) + ", ..." * (len(others) > SHOWN)
    return f"{others.total():,} left out (not in the schema: {shown})"


def _check_known(texts: "Sequence[LabelledText]", schema: "Schema") -> None:
    """Tell of predicates in the development data that are not learned."""
    unknown = sorted({one.predicate for labelled in texts for one in labelled.triples} - set(schema.predicates))
    if unknown:
        console.warn(f"the development data has predicates that are not learned: {', '.join(unknown[:SHOWN])}")
