"""An extractor that another begins its training from: the shape of its network, and its weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kexue_cli.config import network_of_start, part_of
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import load_vocabulary
from kexue_cli.tasks.triples import SCHEMA
from kexue_cli.tasks.triples.config import NetworkConfig, PreprocessorConfig, TriplesConfig
from kexue_cli.tasks.triples.schema import Schema
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    import keras

FREE = ("dropout", "gate_dropout")  # settings of the network that its weights do not depend on
OF_PREDICATES = ("presence_pointer", "start_pointer", "end_pointer", "known_convolution")  # layers of the network


@dataclass(frozen=True)
class Beginning:
    """An extractor in its folder."""

    name: str
    folder: Path
    network: NetworkConfig
    encoding: PreprocessorConfig
    vocabulary: Vocabulary
    has_same_predicates: bool  # as the extractor that begins from it

    def shape(self, config: NetworkConfig) -> NetworkConfig:
        """Return the settings of this extractor's network, with those of *config* that are free.

        Raises KexueError for others that were given.
        """
        return network_of_start(self.name, self.network, config, FREE)

    def copy_to(self, network: "keras.Model") -> None:
        """Give a network of the same shape the weights of this one; if predicates differ, without those of theirs."""
        from kexue_cli.tasks.triples.network import build_networks

        left_out = () if self.has_same_predicates else OF_PREDICATES
        for name, own in build_networks(read_config(self.folder)["network"]).items():
            own.load_weights(self.folder / f"{name}.weights.h5")
            for source, target in zip(own.weights, network.get_layer(name).weights, strict=True):
                if not any(layer in target.path for layer in left_out):
                    target.assign(source)


def load(name: str, config: TriplesConfig, schema: Schema) -> Beginning:
    """Return the extractor of a name or a path, for one with these settings and predicates to begin from.

    Raises KexueError if there is none, if it is damaged, and if it reads other words or has another kind of prior.
    """
    folder = find_model(name)
    values = read_config(folder)
    if values["task"] != "triples":
        raise KexueError(f"{name} is a model for {values['task']}, not for triples; see: kexue models list")
    network = part_of(values, "network", NetworkConfig, folder)
    its, ours = part_of(values, "preprocessor", PreprocessorConfig, folder), config.preprocessor
    for setting in ("segmentation", "words", "has_prior"):
        found, wanted = getattr(its, setting), getattr(ours, setting)
        if found != wanted:
            raise KexueError(f"{name} was trained with preprocessor.{setting} {found!r}, not {wanted!r}; set the same")
    vocabulary = load_vocabulary(folder, its, network.vocabulary_size)
    return Beginning(
        name, folder, network, its, vocabulary, Schema.read(folder / SCHEMA).predicates == schema.predicates
    )
