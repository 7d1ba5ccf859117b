"""Trained readers as the beginning of another: their weights, and all settings that they go with.

One reader is trained further; several of one shape become the members of one, whose pointers are averaged.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import Encoder, load_vocabulary, make_encoder
from kexue_cli.tasks.qa.config import NETWORK, NetworkConfig, PreprocessorConfig, ReaderConfig
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    import keras

SOURCES = "_sources"  # end of the name of what tells data sets apart


@dataclass(frozen=True)
class Beginning:
    """Readers in their folders."""

    folders: tuple[Path, ...]
    networks: tuple[NetworkConfig, ...]

    def copy_to(self, network: "keras.Model") -> None:
        """Give the members of a network the weights of these ones. What tells data sets apart is learned anew."""
        from kexue_cli.tasks.qa.network import MEMBER, build

        first = 0
        for folder, shape in zip(self.folders, self.networks, strict=True):
            own = build(shape)
            own.load_weights(folder / f"{NETWORK}.weights.h5")
            for layer in own.layers:
                if layer.weights and not layer.name.endswith(SOURCES):
                    member, _, rest = layer.name.removeprefix(MEMBER.format("")).partition("_")
                    network.get_layer(f"{MEMBER.format(first + int(member))}_{rest}").set_weights(layer.get_weights())
            first += shape.members


@dataclass(frozen=True)
class _Reader:
    folder: Path
    encoder: str
    network: NetworkConfig
    preprocessor: PreprocessorConfig
    vocabulary: Vocabulary

    @classmethod
    def read(cls, name: str) -> "_Reader":
        folder = find_model(name)
        values = read_config(folder)
        if values["task"] != "qa":
            raise KexueError(f"{name} is a model for {values['task']}, not for qa; see: kexue models list")
        network = part_of(values, "network", NetworkConfig, folder)
        preprocessor = part_of(values, "preprocessor", PreprocessorConfig, folder)
        vocabulary = load_vocabulary(folder, preprocessor, network.vocabulary_size)
        return cls(folder, values.get("encoder", ""), network, preprocessor, vocabulary)

    @property
    def kind(self) -> dict[str, object]:
        """What readers must have in common to be members of one, by its name."""
        network = vars(replace(self.network, members=1, sources=0))
        preprocessor = vars(replace(self.preprocessor, sources=()))
        return {f"network.{name}": value for name, value in network.items()} | {
            f"preprocessor.{name}": value for name, value in preprocessor.items()
        }


def check(config: ReaderConfig) -> "list[_Reader]":
    """Return the readers that a training goes on from.

    Raises KexueError if there is no such reader, if its folder is damaged, if one is given twice or several are of
    different shapes, and for settings that the readers have already.
    """
    names = " and ".join(config.start)
    for name, given, default in (
        ("encoder", config.encoder, ReaderConfig().encoder),
        ("network", config.network, NetworkConfig()),
        ("preprocessor", config.preprocessor, PreprocessorConfig()),
    ):
        if given != default:
            problem = f"{name} is that of {names}, from which the training begins"
            raise KexueError(f"{problem}; leave its settings out, or begin without --from")
    readers = [_Reader.read(name) for name in config.start]
    _check_members(config.start, readers)
    return readers


def go_on(config: ReaderConfig) -> tuple[ReaderConfig, Encoder, Beginning]:
    """Return the settings of a training that goes on from readers, the encoder of its texts, and the readers.

    Raises KexueError as check does.
    """
    readers = check(config)
    first, networks = readers[0], tuple(reader.network for reader in readers)
    network = replace(first.network, members=sum(one.members for one in networks))
    settings = replace(config, encoder=first.encoder, network=network, preprocessor=first.preprocessor)
    folders = tuple(reader.folder for reader in readers)
    return settings, make_encoder(first.vocabulary, first.preprocessor), Beginning(folders, networks)


def _check_members(names: Sequence[str], readers: Sequence[_Reader]) -> None:
    folders = [reader.folder.resolve() for reader in readers]
    for name, folder in zip(names, folders, strict=True):
        if folders.count(folder) > 1:
            raise KexueError(f"--from names {name} twice; each reader can be a member once")
    first = readers[0]
    for name, reader in zip(names, readers, strict=True):
        problem = f"{names[0]} and {name} cannot be members of one reader"
        if first.vocabulary.characters != reader.vocabulary.characters:
            hint = "train them on the same files, or from the same encoder"
            raise KexueError(f"{problem}: they know different characters; {hint}")
        for setting, its in reader.kind.items():
            if its != (wanted := first.kind[setting]):
                raise KexueError(
                    f"{problem}: {setting} is {json.dumps(wanted)} in one and {json.dumps(its)} in the other"
                )
