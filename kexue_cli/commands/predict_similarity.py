"""kexue predict similarity: two texts compared, the nearest texts of a file, or vectors."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.commands.prediction import predict
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.fields import shown
from kexue_cli.records import Record
from kexue_cli.streams import STDIO, check_readable, open_output
from kexue_cli.tasks import TASKS

if TYPE_CHECKING:
    from kexue_cli.tasks.similarity import Similarity
    from kexue_cli.tasks.similarity.decoding import Retrieval

ARRAY = ".npy"  # ending of an output file that is to hold one array


def predict_similarity(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: options.Text = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Find the nearest texts of FILE: a line each, or records where it is called .jsonl. Its vectors are "
            "kept in the cache folder.",
        ),
    ] = None,
    is_self: Annotated[
        bool, typer.Option("--self", help="Find for each text of the input FILE the nearest others of it.")
    ] = False,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, metavar="K", help="Matches of each text at most; 5 by default.")
    ] = None,
    vectors: Annotated[
        bool,
        typer.Option("--vectors", help='Write the vector of each text: "vector", or with -o FILE.npy an array.'),
    ] = False,
    threshold: options.Cosine = None,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Add to each record {"text_a", "text_b"} its "score", and whether it reaches the threshold: "similar".

    The score is the cosine of the two vectors, -1 to 1. With --text a line holds two texts with a TAB between them.
    With --against or --self, each record {"text"} or, with --text, each line gets "matches": the nearest texts, their
    scores and their lines.

    Example: kexue predict similarity --against faq.txt --text < queries.log
    """
    _check(file, against, output, is_self=is_self, top_k=top_k, is_vectors=vectors, threshold=threshold)
    if is_self and engine is not None:
        raise UsageError("--self must ask a text that comes twice in its order; leave out --engine, or give --against")
    path = file if is_self else against
    settings: dict[str, Any] = {}
    if vectors:
        from kexue_cli.tasks.similarity.decoding import Representation

        settings["answers"] = Representation()
    elif path is not None:
        check_readable(path)
        reading = {"encoding": encoding, "threads": threads, "is_self": is_self, "is_text": text}
        settings["answers"] = partial(_retrieval, path, reading, top_k, threshold)
    else:
        settings["threshold"] = threshold
    run = partial(
        predict, "similarity", file, model, is_text=text, device=device, threads=threads, encoding=encoding,
        on_error=on_error, batch_size=batch_size, settings=settings, engine=engine, address=address,
        parse_text=None if "answers" in settings else _pair,
    )  # fmt: skip
    if vectors and output is not None and output.endswith(ARRAY):
        if engine is not None:
            raise UsageError(f"--engine writes a folder of records, not a {ARRAY} file; name a folder with --output")
        return _write_array(run, output, model, on_error)
    return run(output)


def _check(
    file: str,
    against: str | None,
    output: str | None,
    *,
    is_self: bool,
    top_k: int | None,
    is_vectors: bool,
    threshold: float | None,
) -> None:
    """Raise UsageError for options that exclude one another."""
    if sum((against is not None, is_self, is_vectors)) > 1:
        raise UsageError("--against, --self and --vectors are three different things; give one of them")
    if top_k is not None and against is None and not is_self:
        raise UsageError("--top-k goes with --against or --self")
    if not is_vectors and output is not None and output.endswith(ARRAY):
        raise UsageError(f"a {ARRAY} file holds vectors; add --vectors, or write records into another file")
    if is_vectors and threshold is not None:
        raise UsageError("--threshold cuts scores; --vectors writes none")
    if is_self and file != STDIO:
        check_readable(file)
    if is_self and not Path(file).is_file():
        raise UsageError("--self reads its FILE twice; give the name of a file")
    if against == STDIO:
        raise UsageError("--against must name a file")


def _retrieval(
    path: str, reading: dict[str, Any], top: int | None, threshold: float | None, model: "Similarity"
) -> "Retrieval":
    """Return what finds the nearest texts of a file. reading: how it is read, see open_index."""
    from kexue_cli.commands.against import open_index
    from kexue_cli.tasks.similarity.decoding import TOP, Retrieval

    index, texts, lines = open_index(path, model, **reading)
    least = -1.0 if threshold is None else threshold
    return Retrieval(index, texts, lines, top=top or TOP, threshold=least, is_self=reading["is_self"])


def _pair(line: str) -> Record:
    """Return the record of a line of two texts. Raises KexueError for any other line."""
    texts = line.split("\t")
    if len(texts) != 2:
        hint = "; to look for single texts among others, add --against FILE" if len(texts) == 1 and line.strip() else ""
        raise KexueError(f"a line must be two texts with a TAB between them; found {len(texts)}: {shown(line)}{hint}")
    return {"text_a": texts[0], "text_b": texts[1]}


def _write_array(run: Any, output: str, model: str | None, on_error: OnError) -> int:
    """Write the vectors as one array (n, d) of float32, a row for each record."""
    import numpy as np

    from kexue_cli import loader

    if on_error is not OnError.stop:
        raise UsageError(f"--on-error skip leaves error records, which a {ARRAY} file cannot hold")
    rows: list[Any] = []

    def keep(record: Record) -> bytes:
        rows.append(record["vector"])
        return b""

    with open_output(output) as sink:
        status: int = run(None, write=keep)
        dimension = cast("Similarity", loader.load(model or TASKS["similarity"].default_model)).dimension
        np.save(sink, np.array(rows, np.float32).reshape(-1, dimension))
    return status
