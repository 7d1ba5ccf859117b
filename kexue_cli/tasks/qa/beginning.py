"""A trained reader as the beginning of another: its weights, and all settings that they go with."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import Encoder, load_vocabulary, make_encoder
from kexue_cli.tasks.qa.config import NETWORK, NetworkConfig, PreprocessorConfig, ReaderConfig
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Beginning:
    """A reader in its folder."""

    folder: Path
    network: NetworkConfig

    def copy_to(self, network: "keras.Model") -> None:
        """Give a network of the same shape the weights of this one. What tells sources apart is learned anew."""
        from kexue_cli.tasks.qa.network import build

        own = build(self.network)
        own.load_weights(self.folder / f"{NETWORK}.weights.h5")
        theirs, ours = (
            [variable for variable in model.trainable_variables if "_sources" not in variable.path]
            for model in (network, own)
        )
        for variable, value in zip(theirs, ours, strict=True):
            variable.assign(value)


def go_on(config: ReaderConfig) -> tuple[ReaderConfig, Encoder, Beginning]:
    """Return the settings of a training that goes on from a reader, the encoder of its texts, and the reader.

    Raises KexueError if there is no such reader, if its folder is damaged, or for settings that the reader has already.
    """
    for name, given, default in (
        ("network", config.network, NetworkConfig()),
        ("preprocessor", config.preprocessor, PreprocessorConfig()),
    ):
        if given != default:
            problem = f"{name} is that of {config.start}, from which the training begins"
            raise KexueError(f"{problem}; leave its settings out, or begin without --from")
    folder = find_model(config.start)
    values = read_config(folder)
    network = part_of(values, "network", NetworkConfig, folder)
    preprocessor = part_of(values, "preprocessor", PreprocessorConfig, folder)
    vocabulary = load_vocabulary(folder, preprocessor, network.vocabulary_size)
    settings = replace(config, encoder=values.get("encoder", ""), network=network, preprocessor=preprocessor)
    return settings, make_encoder(vocabulary, preprocessor), Beginning(folder, network)
