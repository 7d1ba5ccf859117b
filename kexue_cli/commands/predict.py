"""kexue predict TASK: an answer to each record."""

from functools import partial
from typing import Annotated

import typer

from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.commands.predict_generation import predict_generation
from kexue_cli.commands.predict_similarity import predict_similarity
from kexue_cli.commands.prediction import predict
from kexue_cli.records import Record, dump


def predict_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: options.Text = False,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its words: [{"word", "start", "end"}]. Offsets count code points.

    Example: echo '{"id": 1, "text": "我爱北京"}' | kexue predict segmentation
    """
    return predict("segmentation", file, model, output, is_text=text, device=device, threads=threads,
                   encoding=encoding, on_error=on_error, engine=engine, address=address)  # fmt: skip


def predict_qa(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    threshold: options.Threshold = None,
    source: options.Source = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Answer the question of each record {"question", "passages": [TEXT or {"text"}, ...]} from its passages.

    Adds "answer" (null if the passages seem not to hold one), "score" (about the chance that it is right), "passage",
    "start" and "end" (where it stands: passages[passage][start:end], in code points) and "candidates", the best three.

    Example: echo '{"question": "长江有多长？", "passages": ["长江全长约6300公里。"]}' | kexue predict qa
    """
    return predict("qa", file, model, output, device=device, threads=threads, encoding=encoding, on_error=on_error,
                   engine=engine, address=address, batch_size=batch_size,
                   settings={"threshold": threshold, "source": source})  # fmt: skip


def predict_triples(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: options.Text = False,
    tsv: Annotated[
        bool, typer.Option("--tsv", help="Write a line for each triple: subject, predicate, object, with TABs between.")
    ] = False,
    schema: options.Schema = None,
    rules: options.Rules = None,
    threshold: options.Threshold = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its "triples": subject, predicate and object, where they stand, and a score.

    text[subject_start:subject_end] is the subject, so for the object; places count code points. The score is the
    probability of the subject times that of the object.

    Example: kexue predict triples --text --tsv articles.txt | sort | uniq -c
    """
    from kexue_cli.tasks.triples.rules import Rules
    from kexue_cli.tasks.triples.schema import Schema

    settings = {
        "threshold": threshold,
        "schema": Schema.read(schema) if schema else None,
        "rules": Rules.read(rules) if rules else None,
    }
    return predict("triples", file, model, output, is_text=text, device=device, threads=threads, encoding=encoding,
                   on_error=on_error, batch_size=batch_size, settings=settings, engine=engine, address=address,
                   write=_triple_lines if tsv else dump)  # fmt: skip


def _triple_lines(record: Record) -> bytes:
    """Return a line for each triple of a record; nothing for a record that could not be read."""
    rows = ([triple[name] for name in ("subject", "predicate", "object")] for triple in record.get("triples", ()))
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows).encode()


def predict_linking(
    file: options.InputFile = "-",
    model: options.Model = None,
    kb: options.Base = None,
    output: options.OutputFile = None,
    text: options.Text = False,
    threshold: options.LinkThreshold = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text"} its "mentions": where they stand, and the id and name of their entity in the base.

    text[start:end] is the mention; places count code points. The id is null where the base seems not to have the
    entity. The score is the probability of the mention times that of the entity, or of none where the id is null;
    "candidates" are the likeliest.

    Example: kexue predict linking --kb entities.jsonl --text articles.txt
    """
    from kexue_cli.commands.knowledge_base import open_base

    settings = {"base": partial(open_base, kb, encoding=encoding) if kb else None, "entity": threshold}
    return predict("linking", file, model, output, is_text=text, device=device, threads=threads, encoding=encoding,
                   on_error=on_error, engine=engine, address=address, batch_size=batch_size,
                   settings=settings)  # fmt: skip


COMMANDS = {
    "qa": predict_qa,
    "triples": predict_triples,
    "linking": predict_linking,
    "similarity": predict_similarity,
    "generation": predict_generation,
    "segmentation": predict_segmentation,
}
