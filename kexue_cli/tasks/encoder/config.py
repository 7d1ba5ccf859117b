"""The settings of a text encoder, as config.json and --config hold them."""

from dataclasses import dataclass, field

from kexue_cli.config import Share
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodingConfig

ENCODER = "encoder"  # name of the network in the model folder


@dataclass(frozen=True)
class EncoderConfig:
    """The shape of the encoder."""

    vocabulary_size: int = 0  # characters, padding and unknown among them; this and the next follow from the data
    word_dimension: int = 0  # v
    width: int = 128  # d
    rates: tuple[int, ...] = (1, 2, 4, 8, 1)  # of the gated convolutions
    dropout: Share = 0.05  # of embeddings and gates


@dataclass(frozen=True)
class PretrainingConfig:
    """What the encoder learns from."""

    length: int = 128  # characters of a sample, of as many texts as fit
    hidden: float = 0.15  # share of words whose characters are to be guessed
    strip_punctuation: Share = 0.0  # share of texts that are read without it, as questions and answers from the web are
    least_count: int = 8  # of a character in the texts, to be in the vocabulary
    development: int = 1000  # samples that are not learned from

    def __post_init__(self) -> None:
        """Raises KexueError for a share that is none."""
        if not 0 < self.hidden < 1:
            raise KexueError(f"pretraining.hidden must be above 0 and below 1; found {self.hidden}")


@dataclass(frozen=True)
class LanguageModelConfig:
    """All settings of an encoder and its training."""

    network: EncoderConfig = field(default_factory=EncoderConfig)
    preprocessor: EncodingConfig = field(default_factory=EncodingConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
