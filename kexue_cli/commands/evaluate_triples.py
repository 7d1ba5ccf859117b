"""kexue evaluate triples: predict and score."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.streams import source_name


def evaluate_triples(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    threshold: options.Threshold = None,
    aliases: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Other names that are right too: NAME, TAB, ALIAS, TAB, ... in each line."),
    ] = None,
    schema: options.Schema = None,
    rules: options.Rules = None,
    by_predicate: Annotated[
        bool, typer.Option("--by-predicate", help="Show each predicate too, as --json always does.")
    ] = False,
    errors: options.Errors = None,
    format: options.Format = None,
    json: options.Json = False,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Score a model on texts with triples: {"text", "triples": [{"subject", "predicate", "object"}, ...]}.

    precision, recall and f1 count triples that are exactly right, over all texts; the relaxed ones take a name for
    right that contains the right one, or is part of it, and is at most twice as long, or half. Where a record has
    "labelled", only those predicates are scored. Intervals are 95 % bootstrap intervals over texts. How wrong a text
    is, for --errors: the number of triples that were missed or are wrong, then the highest score of a wrong one.

    Example: kexue evaluate triples dev.jsonl --by-predicate --errors wrong.jsonl
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.triples.metrics import Scores, read_aliases, surest_wrong
    from kexue_cli.tasks.triples.records import Triple, read_labelled_text
    from kexue_cli.tasks.triples.rules import Rules
    from kexue_cli.tasks.triples.schema import Schema

    names = read_aliases(aliases, encoding) if aliases else {}
    known = Schema.read(schema).predicates if schema else None
    settings = {"threshold": threshold, "rules": Rules.read(rules) if rules else None}
    settings = {setting: value for setting, value in settings.items() if value is not None}

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        from kexue_cli import loader

        scores = Scores(names)
        gold_predicates: Counter[str] = Counter()
        extractor = loader.load(name, task="triples", device=device, threads=threads)
        if settings:
            extractor = extractor.with_settings(**settings)
        records = read_records([file], "triples", format, encoding)
        while group := list(islice(records, batch_size)):
            texts = [placed(where, read_labelled_text, record) for where, record in group]
            answers = placed(group[0][0], list, extractor.predict(record for _, record in group))
            for gold, answer in zip(texts, answers, strict=True):
                found = [Triple(value["subject"], value["predicate"], value["object"]) for value in answer["triples"]]
                counts = scores.add(found, gold.triples, _common(known, gold.labelled))
                gold_predicates.update(triple.predicate for triple in gold.triples)
                if wrong is not None and counts.wrong:  # its "gold" is what the record had instead
                    sureness = [value["score"] for value in answer["triples"]]
                    wrong.add(answer, counts.wrong, surest_wrong(found, sureness, gold.triples, names))
        if not scores.texts:
            raise KexueError(f"{source_name(file)}: there is no text")
        if known is not None:
            _check_known(gold_predicates, known, f"see {schema}", source_name(file))
        return Scored(len(scores.texts), [scores.sheet()], scores.results)

    asked = Evaluation("triples", file, model, compare, errors, output, json, seed, {"--by-predicate": by_predicate})
    asked.run(score, () if by_predicate else ("by_predicate",))


def _common(*collections: Collection[str] | None) -> frozenset[str] | None:
    """Return what is in all of the collections; None is the collection of everything."""
    sets = [frozenset(names) for names in collections if names is not None]
    return frozenset.intersection(*sets) if sets else None


def _check_known(predicates: Counter[str], known: Sequence[str], hint: str, source: str) -> None:
    """Warn of gold triples whose predicate is not among the known ones.

    Raises KexueError if that is all of them.
    """
    unknown = Counter({name: count for name, count in predicates.items() if name not in known})
    if unknown:
        told = unknown_name("predicate", unknown.most_common(1)[0][0], known, hint)
        if unknown == predicates:
            raise KexueError(f"{source}: {told}")
        console.warn(f"{source}: {unknown.total()} of {predicates.total()} triples are not scored: {told}")
