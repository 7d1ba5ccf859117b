"""A model that another begins its training from: its characters, the shape of its networks, and its weights."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kexue_cli.config import network_of_start
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation import TASK, read_preprocessor
from kexue_cli.tasks.generation.conditions import Fields
from kexue_cli.tasks.generation.config import DECODER, NetworkConfig
from kexue_cli.tasks.generation.preprocessor import Preprocessor
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    import keras

# What reads the condition in the decoder: zeros at first, so that conditions it has not learned from change nothing.
OF_CONDITION = ("_normalization/scale/", "_normalization/shift/", "_normalization/hidden/", "condition_vector/")


@dataclass(frozen=True)
class Beginning:
    """A model in its folder. Its weights are read when they are copied."""

    name: str
    folder: Path
    preprocessor: Preprocessor

    def fields(self, found: Fields) -> Fields:
        """Return the fields of this model if it knows all that were found in the texts, with their values; else those.

        Numbers are then scaled as this model has learned them.
        """
        own = self.preprocessor.fields
        return replace(own, config=replace(own.config, target=found.config.target)) if own.hold(found) else found

    def shape(self, config: NetworkConfig) -> NetworkConfig:
        """Return the settings of this model's networks, with the dropout of *config*.

        Raises KexueError for others that were given.
        """
        return network_of_start(self.name, self.preprocessor.network, config, ("dropout",))

    def copy_to(self, networks: "dict[str, keras.Model]", fields: Fields) -> None:
        """Give networks of the same shape the weights of this model's; of other fields, none that read the condition.

        networks: by their names. fields: of their conditions.
        """
        from kexue_cli.tasks.generation.network import build_networks

        is_same = fields.values == self.preprocessor.fields.values and self.preprocessor.fields.hold(fields)
        for name, own in build_networks(read_config(self.folder)["network"]).items():
            if not is_same and name != DECODER:
                continue
            own.load_weights(self.folder / f"{name}.weights.h5")
            for source, target in zip(own.weights, networks[name].weights, strict=True):
                if is_same or not any(part in target.path for part in OF_CONDITION):
                    target.assign(source)


def load(name: str) -> Beginning:
    """Return the model of a name or a path. Raises KexueError if there is none, and if it is damaged."""
    folder = find_model(name)
    task = read_config(folder)["task"]
    if task != TASK:
        raise KexueError(f"{name} is a model for {task}, not for {TASK}; see: kexue models list")
    return Beginning(name, folder, read_preprocessor(folder))
