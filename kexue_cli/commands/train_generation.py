"""kexue train generation: a conditional language model from texts with what they are conditioned on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.scores import placed
from kexue_cli.datasets.labelled import field_names, read_labelled
from kexue_cli.errors import KexueError, UsageError

if TYPE_CHECKING:
    from kexue_cli.tasks.generation.records import Text


def train_generation(
    data: options.TrainingData,
    output: options.ModelOutput,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD[,FIELD]",
            help='Fields of the records that are the condition; left out, records are {"condition", "text"}.',
        ),
    ] = None,
    condition_number: Annotated[
        str | None, typer.Option(metavar="FIELD[,FIELD]", help="Fields of the condition that are numbers, not names.")
    ] = None,
    condition_text: Annotated[
        str | None, typer.Option(metavar="FIELD", help="Field of the condition that is another text.")
    ] = None,
    target: Annotated[str, typer.Option(metavar="FIELD", help="Field of the text that is to be written.")] = "text",
    start: options.Start = None,
    dev: options.DevelopmentData = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    resume: options.Resume = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Learn to write texts under conditions, from records {"condition": {...}, "text"} or with fields of other names.

    Fields that hold strings or whole numbers are categories, one that holds a list of numbers is a vector; null is for
    what is not known of a text. With --condition-text, the text is written after another one: the
    second line of a couplet after the first, the title of an article after its beginning.

    Example: kexue train generation reviews.jsonl --condition cat,label --target review -o ./my-writer
    """
    from kexue_cli.commands.training import parted, read_settings, train_network
    from kexue_cli.tasks.generation import beginning
    from kexue_cli.tasks.generation.conditions import Fields
    from kexue_cli.tasks.generation.config import GenerationConfig

    folder = options.target_folder(output)
    generation, training = read_settings(GenerationConfig, config, settings, seed)
    named, numbers, texts_of = (field_names(one, target) for one in (condition, condition_number, condition_text))
    if len(texts_of) > 1:
        raise UsageError("--condition-text takes one field")
    names = tuple(dict.fromkeys((*named, *numbers, *texts_of)))
    fields = replace(generation.fields, numbers=numbers, text="".join(texts_of), target=target)
    generation = replace(generation, fields=fields, start=options.one_start(start) or generation.start)
    if generation.start:
        beginning.load(generation.start)  # what is wrong with it is told before the data are read
    texts = _texts(data, names, target, encoding)
    if dev is None:
        texts, development = parted(texts, seed)
    else:
        development = _texts([dev], names, target, encoding)
    Fields.of([*texts, *development], fields)  # what is wrong with them is told before a framework is loaded

    def make() -> Any:
        from kexue_cli.tasks.generation.trainee import LanguageModel

        return LanguageModel(texts, development, generation)

    train_network(
        "generation", make, folder, training, settings=generation, records=[*texts, *development],
        data={"files": " ".join(Path(path).name for path in data), "texts": len(texts),
              "characters": sum(len(text.text) for text in texts), "development texts": len(development)},
        is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip


def _texts(paths: Sequence[str], names: Sequence[str], target: str, encoding: str) -> "list[Text]":
    """Return the texts of files that are not empty, and tell how many there are."""
    texts = [text for _, text in read_texts(paths, names, target, encoding)]
    kept = [text for text in texts if text.text.strip()]
    files = ", ".join(paths)
    if not kept:
        raise KexueError(f"{files}: there is no text")
    left_out = f", {len(texts) - len(kept):,} left out (empty)" if len(kept) < len(texts) else ""
    console.say(f"{files}: {len(kept):,} texts of {sum(len(text.text) for text in kept):,} characters{left_out}")
    return kept


def read_texts(paths: Sequence[str], names: Sequence[str], target: str, encoding: str) -> "Iterator[tuple[str, Text]]":
    """Yield where each text of files stands, as FILE:LINE, and the text. names: of the fields that are the condition.

    Raises KexueError at the first record that is wrong, with its place.
    """
    from kexue_cli.tasks.generation.records import read_text

    for where, record in read_labelled(paths, names, target, encoding):
        yield where, placed(where, read_text, record)
