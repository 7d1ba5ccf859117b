"""Segmentation as a task: records with a text in, records with its words out.

Article: https://kexue.fm/archives/5476
Data:    raw text; see the cards in models/
Score:   models/*/metrics.json
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.records import Record, add_answer
from kexue_cli.segmentation.lexicon import open_trie
from kexue_cli.segmentation.rules import RULES
from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter
from kexue_cli.segmentation.user_dictionary import UserDictionary, compile_user_words
from kexue_cli.zoo import read_config


class Segmentation:
    """A segmentation model, ready to use."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with its words: ``{"text", "words": [{"word", "start", "end"}]}``.

        Raises KexueError if a record has no text.
        """
        for record in records:
            words = [vars(span) for span in self.segmenter.spans(text_of(record))]
            yield add_answer(record, {"words": words})

    def with_settings(self, *, user: UserDictionary | None = None, **settings: Any) -> "Segmentation":
        """Return the same model with some settings of its decoding changed, such as rules. user: words of the user."""
        decoding = replace(self.segmenter.decoding, **settings)
        words = self.segmenter.user_words if user is None else compile_user_words(user, decoding)
        return Segmentation(Segmenter(self.segmenter.trie, decoding, words))


def text_of(record: Record) -> str:
    """Return the text of a record. Raises KexueError if it has none."""
    if "text" not in record:
        raise KexueError(f"missing field 'text'; found {sorted(record)}")
    text = record["text"]
    if not isinstance(text, str):
        raise KexueError(f"field 'text' must be a string; found {type(text).__name__}")
    return text


def read_decoding(folder: Path) -> DecodingConfig:
    """Return how the lexicon of a model folder is to be used.

    Raises KexueError if the folder holds another task or a damaged configuration.
    """
    config: dict[str, Any] = read_config(folder)
    if config["task"] != "segmentation":
        raise KexueError(f"{folder} is a model for {config['task']}, not for segmentation")
    decoding = from_mapping(DecodingConfig, config.get("decoding"), f"{folder / 'config.json'}: decoding")
    for rule in decoding.rules:
        if rule not in RULES:
            raise KexueError(f"{folder / 'config.json'}: no rule named {rule!r}; known: {', '.join(RULES)}")
    return decoding


def load(
    folder: str | Path, *, threads: int = 1, rules: tuple[str, ...] | None = None, user: UserDictionary | None = None
) -> Segmentation:
    """Return the segmentation model in a folder. rules: names of the rules that are on, if not the model's own."""
    path = Path(folder)
    decoding = read_decoding(path)  # first, as it knows whether the folder is one of a segmentation model
    model = Segmentation(Segmenter(open_trie(path), decoding))
    if rules is None and user is None:
        return model
    return model.with_settings(user=user, **({} if rules is None else {"rules": rules}))
