"""Sentence templates as a task: records with a text in, records with the structure of its sentences out.

Article: https://kexue.fm/archives/5577
Data:    text, cut into words by a segmentation model
Not here: a measure of how well people agree with the structure; there is no gold for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.records import Record, add_answer
from kexue_cli.segmentation import task
from kexue_cli.segmentation.segmenter import Segmenter
from kexue_cli.segmentation.templates.parser import Parser
from kexue_cli.segmentation.templates.structure import structure
from kexue_cli.segmentation.templates.template import TEMPLATES, read_templates
from kexue_cli.zoo import find_model, read_config

TASK = "templates"


@dataclass(frozen=True)
class ParsingConfig:
    """How templates are used."""

    null_score: float = -20.0  # nats, of each word but the first of a block that no template fits


class Templates:
    """A template model, ready to use."""

    def __init__(self, parser: Parser, segmenter: Segmenter) -> None:
        self.parser = parser
        self.segmenter = segmenter

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with its structure (structure.py).

        Raises KexueError if a record has no text.
        """
        for record in records:
            tree = structure(self.parser, self.segmenter.spans(task.text_of(record)))
            yield add_answer(record, {"structure": tree})


def read_parser(folder: Path, *, only_saving: bool = False) -> Parser:
    """Return the parser of a model folder. only_saving: by the templates of several words that save bits, if any.

    Raises KexueError if the folder holds another task, a damaged configuration or no templates.
    """
    config = read_config(folder)
    if config["task"] != TASK:
        raise KexueError(f"{folder} is a model for {config['task']}, not for {TASK}")
    parsing = part_of(config, "parsing", ParsingConfig, folder)
    templates = read_templates(folder / TEMPLATES)
    if only_saving:
        templates = [each for each in templates if sum(map(bool, each.words)) > 1 and not each.bits <= 0]
    return Parser(templates, parsing.null_score)


def load(folder: str | Path, *, threads: int = 1) -> Templates:
    """Return the template model in a folder, and the segmentation model that it names; for the loader."""
    path = Path(folder)
    segmentation = read_config(path).get("segmentation")
    if not isinstance(segmentation, str):
        raise KexueError(f"{path / 'config.json'} must name a segmentation model")
    return Templates(read_parser(path), task.load(find_model(segmentation)).segmenter)
