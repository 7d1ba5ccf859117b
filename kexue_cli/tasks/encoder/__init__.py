"""The text encoder: layers that were trained to guess hidden words of raw text, from which tasks begin their training.

Article: https://kexue.fm/archives/5409 for the layers; masked language model: https://arxiv.org/abs/1810.04805, with
         whole words hidden
Data:    raw text; see the card in models/text-encoder
Not here: prediction. A task's network starts from a copy of these layers and needs the encoder no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kexue_cli.config import check_given, part_of
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder.config import ENCODER, EncoderConfig
from kexue_cli.tasks.encoding import LEAST_COUNT, Encoder, EncodingConfig, digests, load_vocabulary, make_encoder
from kexue_cli.text.normalization import normalize
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.weights_file import check_weights
from kexue_cli.zoo import find_model, read_config

if TYPE_CHECKING:
    import keras

Config = TypeVar("Config")
Shape = TypeVar("Shape")


class Source(Protocol):
    """A trained model that a task's network begins from."""

    @property
    def encoding(self) -> EncodingConfig:
        """How its texts were encoded."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters that it knows."""
        ...

    def shape(self, config: Any) -> Any:
        """Return the settings of the task's network with what follows from the model."""
        ...

    def copy_to(self, network: "keras.Model") -> None:
        """Give the task's network the weights of the model."""
        ...


@dataclass(frozen=True)
class PretrainedEncoder:
    """An encoder in its folder."""

    folder: Path
    network: EncoderConfig
    encoding: EncodingConfig
    vocabulary: Vocabulary

    def shape(self, config: Shape) -> Shape:
        """Return the settings of a task's network with the width and the encoder_rates of this encoder.

        Raises KexueError for others that were given and are not the default.
        """
        own = {"width": self.network.width, "encoder_rates": self.network.rates}
        hint = 'leave it out, or set encoder="" to begin without one'
        check_given(config, own, f"the encoder {self.folder.name}", hint)
        return replace(config, **own)  # type: ignore[type-var]

    def copy_to(self, network: "keras.Model") -> None:
        """Give all text encoders inside a network, which are of the same shape, the weights of this one."""
        from kexue_cli.tasks.encoder.network import build_networks, encoders

        own = build_networks(read_config(self.folder)["network"])[ENCODER]
        weights = self.folder / f"{ENCODER}.weights.h5"
        check_weights(weights)
        own.load_weights(weights)
        (source,) = encoders(own)
        for layer in encoders(network):
            layer.set_weights(source.get_weights())


def pretrained(name: str, encoding: EncodingConfig) -> PretrainedEncoder | None:
    """Return the encoder that a task begins from; None for no name.

    encoding: of the task. Raises KexueError if the encoder was trained with other words or word vectors.
    """
    if not name:
        return None
    found = load(find_model(name))
    for setting in ("segmentation", "words"):
        its, ours = getattr(found.encoding, setting), getattr(encoding, setting)
        if its != ours:
            problem = f"encoder {name} was trained with preprocessor.{setting} {its!r}, not {ours!r}"
            raise KexueError(f'{problem}; set the same, or encoder="" to begin without one')
    return found


def begin(config: Config, texts: Iterable[str], source: Source | None = None) -> tuple[Config, Encoder, Source | None]:
    """Return the settings of a task with what follows from others, the encoder of its texts, and what it begins from.

    config: has encoder, the name of a pretrained one, preprocessor and network. texts: of the training, for the
    vocabulary where there is no pretrained encoder. source: what to begin from in place of the encoder.
    Raises KexueError as pretrained does.
    """
    values: Any = config
    encoding = replace(values.preprocessor, digests=digests(values.preprocessor))
    source = source or pretrained(values.encoder, encoding)
    vocabulary = source.vocabulary if source else Vocabulary.count(map(normalize, texts), LEAST_COUNT)
    encoder = make_encoder(vocabulary, encoding)
    network = source.shape(values.network) if source else values.network
    network = replace(network, vocabulary_size=len(vocabulary), word_dimension=encoder.dimension)
    return replace(values, preprocessor=encoding, network=network), encoder, source


def load(folder: str | Path, *, threads: int = 1) -> PretrainedEncoder:
    """Return the encoder in a folder. Its weights are read when they are copied.

    Raises KexueError if the folder is damaged, or a model it refers to is not the one it was trained with.
    """
    path = Path(folder)
    values = read_config(path)
    network = part_of(values, "network", EncoderConfig, path)
    encoding = part_of(values, "preprocessor", EncodingConfig, path)
    return PretrainedEncoder(path, network, encoding, load_vocabulary(path, encoding, network.vocabulary_size))
