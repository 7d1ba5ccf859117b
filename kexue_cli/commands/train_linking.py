"""kexue train linking: a linker from texts with linked mentions, or one that is there with another base."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.streams import check_readable

if TYPE_CHECKING:
    from kexue_cli.tasks.linking.entities import Entity
    from kexue_cli.tasks.linking.records import LabelledText


def train_linking(
    data: Annotated[
        list[str] | None, typer.Argument(metavar="[DATA...]", help="Training records; none to only take a base in.")
    ] = None,
    *,
    output: options.ModelOutput,
    kb: options.Base = None,
    dev: options.DevelopmentData = None,
    mentions: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="More records, of which only the places of mentions are learned."),
    ] = None,
    model: options.Model = None,
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
    """Learn to link mentions; records are {"text", "mentions": [{"mention", "start", "id"}, ...]}, id null: in no base.

    With --kb, ids are those of its entities, and how often DATA links each name is added to what FILE says of it; so
    FILE must not be derived from DATA. Without it, the base is what DATA mentions. The model keeps the base.
    Without DATA, nothing is learned: the model of -m, or the default one, is written to -o with the base of --kb.

    Example: kexue train linking texts.jsonl --kb entities.jsonl -o ./my-linker
    """
    target = options.target_folder(output)
    if not data:
        if not kb:
            raise UsageError("without DATA give --kb, the base that a model is to have; or give texts to learn from")
        if mentions or dev:
            raise UsageError("without DATA nothing is trained; leave out --mentions and --dev, or give texts")
        if config or settings or resume is not None or format:
            raise UsageError("without DATA nothing is trained; leave out --config, --set, --resume and --format")
        _take_base(kb, model, target, encoding)
        return
    from kexue_cli.commands.knowledge_base import read_entities
    from kexue_cli.commands.training import parted, read_settings, train_network
    from kexue_cli.tasks.linking.config import LinkingConfig

    if model:
        raise UsageError("--model is for taking a base into a model, without DATA; a training begins with new weights")
    linker, training = read_settings(LinkingConfig, config, settings, seed)
    entities = list(read_entities(kb, encoding)) if kb else []
    texts = read_texts(data, format, encoding, entities)
    if dev is None:
        texts, development = parted(texts, seed)
    else:
        development = read_texts([dev], format, encoding, entities)
    kept = {labelled.text for labelled in development}
    unlinked = [_unlinked(one) for one in read_texts(mentions, None, encoding, [])] if mentions else []
    unlinked = [one for one in unlinked if one.text not in kept]

    def make() -> Any:
        from kexue_cli.tasks.linking.trainee import Linker

        return Linker(texts, development, linker, entities=entities, mentions=unlinked)

    counts = {"texts": len(texts), "development texts": len(development)}
    more = {"texts without links": len(unlinked), "entities": len(entities)}
    counts |= {name: count for name, count in more.items() if count}
    files = " ".join(Path(path).name for path in [*data, *(mentions or []), *([kb] if kb else [])])
    train_network(
        "linking", make, target, training, settings=linker,
        records=[*entities, *texts, *unlinked, *development],
        data={"files": files, **counts}, is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip


def read_texts(
    paths: Sequence[str], format: str | None, encoding: str, entities: "Sequence[Entity]"
) -> "list[LabelledText]":
    """Return the texts of files with their mentions by id, and tell how many there are and what is in no base.

    entities: of the base, if one is given. Raises KexueError at the first record that is wrong, with its place.
    """
    from kexue_cli.commands.scores import placed
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.linking.entities import linked_by_id
    from kexue_cli.tasks.linking.records import read_labelled_text

    records = read_records(paths, "linking", format, encoding)
    texts = linked_by_id((placed(where, read_labelled_text, record) for where, record in records), entities)
    found = [mention for labelled in texts for mention in labelled.mentions]
    if not found:
        raise KexueError(f"{', '.join(paths)}: there is no labelled mention")
    notes = []
    if entities:
        ids = {entity.id for entity in entities}
        others = sum(mention.id is not None and mention.id not in ids for mention in found)
        notes = [f"{others:,} of them with an id that the base does not have; it is added"] * (others > 0)
    names = ", ".join(Path(path).name for path in paths)
    console.say(", ".join([f"{names}: {len(texts):,} texts, {len(found):,} mentions", *notes]))
    return texts


def _unlinked(labelled: "LabelledText") -> "LabelledText":
    mentions = tuple(replace(mention, id=None, is_linked=False) for mention in labelled.mentions)
    return replace(labelled, mentions=mentions)


def _take_base(kb: str, model: str | None, target: Path, encoding: str) -> None:
    """Write a copy of a model with another base."""
    from kexue_cli import loader
    from kexue_cli.commands.knowledge_base import compile_file
    from kexue_cli.tasks import TASKS
    from kexue_cli.tasks.linking import EntityLinking
    from kexue_cli.tasks.linking.knowledge_base import is_of_base
    from kexue_cli.zoo import CARD, find_model, new_folder, write_sums

    check_readable(kb)
    name = model or TASKS["linking"].default_model
    linker = loader.load(name, task="linking", device="cpu")
    assert isinstance(linker, EntityLinking)
    with new_folder(target) as folder:
        for file in find_model(name).iterdir():
            if not is_of_base(file.name):
                shutil.copyfile(file, folder / file.name)
        compile_file(kb, folder, linker.encoder, {"file": Path(kb).name}, encoding, target)
        command = "kexue " + shlex.join(sys.argv[1:])
        with (folder / CARD).open("a", encoding="utf-8") as card:
            card.write(f"\nThe base was replaced by\n\n```sh\n{command}\n```\n")
        write_sums(folder)
