"""What conditions hold, field by field, and conditions as arrays.

Letters: f category fields, m number fields, v numbers of a vector, u characters of the conditioning text.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from kexue_cli.batching import Sample
from kexue_cli.config import read_json, write_json
from kexue_cli.errors import KexueError
from kexue_cli.fields import expect, member, shown
from kexue_cli.tasks.generation.config import FieldsConfig, NetworkConfig
from kexue_cli.tasks.generation.records import Condition, Text, is_number
from kexue_cli.text.vocabulary import Vocabulary, spaced

VALUES = "values.json"  # file in a model folder
MOST_VALUES = 1000  # of a category field
MOST_NUMBER = 1e15  # of a number field in training, without its sign
MOST_SHOWN = 20  # in a message
NOT_TOLD = 0  # number of the value that a field has if it is not told


@dataclass(frozen=True)
class Fields:
    """What the fields of conditions hold. values: of each category field, those that were seen."""

    config: FieldsConfig
    values: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that a condition may have."""
        config = self.config
        return (*config.categories, *config.numbers, *filter(None, (config.vector, config.text)))

    @classmethod
    def of(cls, texts: Sequence[Text], config: FieldsConfig) -> "Fields":
        """Return the fields of texts: strings, whole and truth values are categories, a list of numbers is the vector.

        config: has the fields that hold numbers, and the one that holds a text. Raises KexueError for a field that
        holds something of another kind in another record, for too many values, and if there is no field.
        """
        seen: dict[str, dict[str, None]] = {}
        vector, size = config.vector, config.vector_size
        for text in texts:
            for name, value in text.condition.items():
                if value is None or name in config.numbers or name == config.text:
                    continue
                if isinstance(value, list):
                    vector, size = vector or name, size or len(value)
                    if (vector, size) != (name, len(value)):
                        raise KexueError(f"condition.{name} must be one vector of {size} numbers; found {shown(value)}")
                elif isinstance(value, float) and not value.is_integer():
                    raise KexueError(f"condition.{name} holds {value}; numbers go with --condition-number {name}")
                else:
                    seen.setdefault(name, {})[written(value)] = None
        for name, values in seen.items():
            if name == vector:
                raise KexueError(f"condition.{name} holds a vector in one record and a value in another")
            if len(values) > MOST_VALUES:
                hint = f"a text goes with --condition-text {name}, numbers with --condition-number {name}"
                raise KexueError(f"condition.{name} has more than {MOST_VALUES:,} values; {hint}")
        columns = [_column(texts, name) for name in config.numbers]
        fields = cls(
            replace(
                config,
                categories=tuple(seen),
                means=tuple(float(column.mean()) for column in columns),
                deviations=tuple(float(column.std()) or 1.0 for column in columns),
                vector=vector,
                vector_size=size,
            ),
            {name: tuple(sorted(values)) for name, values in seen.items()},
        )
        if not fields.names:
            raise KexueError("no record has a condition; name its fields with --condition FIELD[,FIELD]")
        return fields

    def write(self, folder: Path) -> None:
        """Write the values of the category fields into a model folder."""
        write_json(folder / VALUES, {name: list(values) for name, values in self.values.items()})

    @classmethod
    def read(cls, folder: Path, config: FieldsConfig) -> "Fields":
        """Return the fields in a model folder. Raises KexueError if its file is damaged."""
        path = folder / VALUES
        found = read_json(path)
        values = {
            name: tuple(expect(one, str, f"{path}: {name}") for one in member(found, name, list, f"{path}: "))
            for name in config.categories
        }
        return cls(config, values)

    def hold(self, others: "Fields") -> bool:
        """Say whether these are all of the others and more, of the same kinds, with all of their values."""
        ours, theirs = self.config, others.config
        return (
            all(set(values) <= set(self.values.get(name, ())) for name, values in others.values.items())
            and set(theirs.numbers) <= set(ours.numbers)
            and (not theirs.vector or (theirs.vector, theirs.vector_size) == (ours.vector, ours.vector_size))
            and theirs.text in ("", ours.text)
        )

    def shape(self, network: NetworkConfig) -> NetworkConfig:
        """Return the settings of a network for these fields."""
        counts = tuple(len(self.values[name]) + 1 for name in self.config.categories)
        return replace(
            network, values=counts, numbers=len(self.config.numbers), vector_size=self.config.vector_size,
            has_text=bool(self.config.text),
        )  # fmt: skip

    def source(self, condition: Condition) -> str:
        """Return the text that a condition holds; empty if it has none."""
        value = condition.get(self.config.text) if self.config.text else None
        if value is None:
            return ""
        if not isinstance(value, str):
            raise KexueError(f"condition.{self.config.text} must be a text; found {shown(value)}")
        return spaced(value)


class Conditioner:
    """Makes the inputs of the condition network."""

    def __init__(self, fields: Fields, vocabulary: Vocabulary) -> None:
        self.fields = fields
        self.vocabulary = vocabulary
        counts = [len(fields.values[name]) + 1 for name in fields.config.categories]
        self._places = {
            name: {value: first + number for number, value in enumerate(fields.values[name], NOT_TOLD + 1)}
            for name, first in zip(fields.config.categories, accumulate(counts, initial=0), strict=False)
        }
        self._firsts = dict(zip(fields.config.categories, accumulate(counts, initial=0), strict=False))

    def sample(self, condition: Condition) -> Sample:
        """Return categories (f,), numbers (2m,), vector (v + 1,) and source (u,), those that the fields have.

        Raises KexueError for a field or a value that the model does not know, naming those that it does.
        """
        config, sample = self.fields.config, Sample()
        for name, value in condition.items():
            if value is not None and name not in self.fields.names:
                raise KexueError(f"condition.{name} is not known; known are {', '.join(self.fields.names)}")
        if config.categories:
            places = [self._place(name, condition.get(name)) for name in config.categories]
            sample["categories"] = np.array(places, np.int32)
        if config.numbers:
            values = [_number(name, condition.get(name)) for name in config.numbers]
            with np.errstate(over="ignore"):
                scaled = ((np.array(values) - config.means) / config.deviations).astype(np.float32)  # (m,)
            if np.isinf(scaled).any():
                raise KexueError(f"condition.{config.numbers[int(np.isinf(scaled).argmax())]} is too large a number")
            is_told = ~np.isnan(scaled)
            sample["numbers"] = np.concatenate([np.where(is_told, scaled, 0.0), is_told]).astype(np.float32)
        if config.vector:
            vector = condition.get(config.vector)
            is_vector = isinstance(vector, list) and len(vector) == config.vector_size and all(map(is_number, vector))
            if vector is not None and not is_vector:
                allowed = f"a list of {config.vector_size} numbers"
                raise KexueError(f"condition.{config.vector} must be {allowed}; found {shown(vector)}")
            with np.errstate(over="ignore"):
                told = np.array([*(vector or [0.0] * config.vector_size), vector is not None], np.float32)
            if np.isinf(told).any():
                raise KexueError(f"condition.{config.vector} holds too large a number")
            sample["vector"] = told
        if config.text:
            sample["source"] = self.vocabulary.ids(self.fields.source(condition))
        return sample

    def _place(self, name: str, value: Any) -> int:
        if value is None:
            return self._firsts[name]
        if isinstance(value, list) or (place := self._places[name].get(written(value))) is None:
            known = self.fields.values[name]
            more = f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
            raise KexueError(
                f"condition.{name} {shown(value)} is not known; known are {', '.join(known[:MOST_SHOWN])}{more}"
            )
        return place


def written(value: Any) -> str:
    """Return the value of a category field as it is kept: 1, 1.0 and "1" are the same.

    >>> written(True), written(1.0), written("1")
    ('true', '1', '1')
    """
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _number(name: str, value: Any) -> float:
    """Return the value of a number field; NaN if it is not told."""
    if value is None:
        return float("nan")
    if not is_number(value):
        raise KexueError(f"condition.{name} must be a number; found {shown(value)}")
    return float(value)


def _column(texts: Iterable[Text], name: str) -> "np.ndarray":
    """Return the values of a number field where it is told; raise KexueError if it is nowhere."""
    values = np.array([_number(name, text.condition.get(name)) for text in texts])
    column: np.ndarray = values[~np.isnan(values)]
    if not len(column):
        raise KexueError(f"condition.{name} holds no number in any record")
    if np.abs(column).max() > MOST_NUMBER:
        raise KexueError(f"condition.{name} holds {np.abs(column).max():g}; numbers must be at most {MOST_NUMBER:g}")
    return column
