"""kexue models: list, show and check the models of the zoo and the user's own."""

from pathlib import Path
from typing import Annotated

import typer

from kexue_cli import console, zoo
from kexue_cli.commands import options
from kexue_cli.config import read_json
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import dump
from kexue_cli.streams import Output, open_output
from kexue_cli.tasks import default_models

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PATH",
        autocompletion=options.complete_model,
        help="A model of the zoo, or the path of a model folder (with a slash).",
    ),
]


def list_models(json: options.Json = False) -> None:
    """List the bundled models: name, task, size; * marks the default of its task."""
    entries = zoo.models(default_models())
    with open_output(None) as sink:
        for entry in entries:
            if json:
                sink.write(dump(vars(entry)))
            else:
                mark = "*" if entry.default else " "
                sink.write(f"{mark} {entry.name:<32} {entry.task:<14} {entry.bytes / 1e6:8.1f} MB\n".encode())


def show_model(
    name: Name,
    lexicon: Annotated[
        bool, typer.Option("--lexicon", help="Print the words of a segmentation model instead (TSV).")
    ] = False,
    templates: Annotated[
        bool, typer.Option("--templates", help="Print the sentence templates of a template model instead (TSV).")
    ] = False,
    contrast: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="With --lexicon: first the words that are more frequent here than in this model: those of a domain.",
        ),
    ] = None,
    nearest: Annotated[
        str | None, typer.Option(metavar="WORD", help="Print the words whose vectors are nearest to this one's (TSV).")
    ] = None,
    clusters: Annotated[
        bool,
        typer.Option(
            "--clusters",
            help="Print the clusters of word vectors by the map equation, one a line: size, TAB, words; the "
            "largest and the most central first. Words without a neighbour are left out. "
            "Needs pip install 'kexue[train]'.",
        ),
    ] = False,
    words: Annotated[
        int, typer.Option(min=2, metavar="N", help="With --clusters: take the N most frequent words.")
    ] = 10_000,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Show a model's card; or its words, templates or clusters.

    Example: kexue models show ./novel --lexicon --contrast entropy-segmentation | head -50
    """
    folder = zoo.find_model(name)
    if contrast is not None and not lexicon:
        raise UsageError("--contrast goes with --lexicon")
    kinds = {"--lexicon": lexicon, "--templates": templates, "--nearest": nearest is not None, "--clusters": clusters}
    given = [option for option, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} show different things; give one of them")
    if json and given:
        raise UsageError(f"{given[0]} prints lines with TABs; --json is for the settings and scores of a model")
    with open_output(None) as sink:
        if nearest is not None:
            from kexue_cli.text.word_vectors import WordVectors

            for word, cosine in WordVectors.load(folder).nearest(nearest):
                sink.write(f"{word}\t{cosine:.3f}\n".encode())
        elif clusters:
            from kexue_cli.text.word_clusters import word_clusters
            from kexue_cli.text.word_vectors import WordVectors

            for cluster in word_clusters(WordVectors.load(folder), count=words, seed=seed):
                sink.write(f"{len(cluster)}\t{' '.join(cluster)}\n".encode())
        elif templates:
            from kexue_cli.segmentation.templates.template import TEMPLATES

            _write_file(_part(folder, name, TEMPLATES, "templates"), sink)
        elif lexicon:
            from kexue_cli.segmentation.lexicon import LEXICON

            path = _part(folder, name, LEXICON, "lexicon")
            if contrast is None:
                _write_file(path, sink)
            else:
                _write_contrast(path, zoo.find_model(contrast) / LEXICON, sink)
        elif json:
            files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
            metrics = read_json(folder / zoo.METRICS) if (folder / zoo.METRICS).is_file() else {}
            known = {"name": name, "path": str(folder), **zoo.read_config(folder)}
            sink.write(dump({**known, "metrics": metrics, "files": files}))
        else:
            card = folder / zoo.CARD
            sink.write(card.read_bytes() if card.is_file() else f"{folder} has no {zoo.CARD}\n".encode())


def _part(folder: Path, name: str, file: str, kind: str) -> Path:
    """Return a file that only models for one task have."""
    path = folder / file
    if not path.is_file():
        raise KexueError(f"{name} has no {kind}; it is a model for {zoo.read_config(folder)['task']}")
    return path


def _write_file(path: Path, sink: Output) -> None:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            sink.write(piece)


def _write_contrast(path: Path, other: Path, sink: Output) -> None:
    from kexue_cli.segmentation.contrast import contrast

    sink.write(b"word\tscore\tcount\tother_count\n")
    for row in contrast(path, other):
        sink.write(f"{row.word}\t{row.score:.3f}\t{row.count}\t{row.other_count}\n".encode())


def verify_model(name: Name, quiet: options.Quiet = False) -> int:
    """Check a model's files against its SHA-256 sums. An edited lexicon is no damage: it is used as it is."""
    folder = zoo.find_model(name)
    task = zoo.read_config(folder)["task"]
    states = zoo.check_files(folder)
    if task == "segmentation" and states.get("lexicon.tsv") == "changed":
        from kexue_cli.segmentation.lexicon import LEXICON, read_weights

        read_weights(folder / LEXICON)
        states["lexicon.tsv"] = "edited"
    bad = [file for file, state in states.items() if state in ("changed", "missing")]
    with open_output(None) as sink:
        for file, state in states.items():
            sink.write(f"{file}: {state}\n".encode())
    if bad:
        raise KexueError(f"{folder} is damaged: {', '.join(bad)}; install kexue again, or train the model again")
    if "edited" in states.values():
        console.say("the lexicon has been edited; it is compiled into your cache when it is used")
    return 0


COMMANDS = {"list": list_models, "show": show_model, "verify": verify_model}
