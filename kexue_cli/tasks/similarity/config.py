"""The settings of a similarity model, as config.json and --config hold them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from kexue_cli.config import Share
from kexue_cli.errors import KexueError, unknown_name
from kexue_cli.tasks.encoding import EncodingConfig

NETWORK = "network"  # name of the network in the model folder
VECTOR = "vector"  # its output


class Margin(NamedTuple):
    """How a loss over classes is used unless the settings say otherwise; the articles' and papers' own values."""

    scale: float
    margin: float


MARGINS = {  # of the losses over classes; losses.py holds their functions
    "softmax": Margin(30.0, 0.0),
    "am-softmax": Margin(30.0, 0.35),
    "simpler-a-softmax": Margin(30.0, 0.0),
    "arcface": Margin(30.0, 0.3),
    "circle": Margin(64.0, 0.25),
}
CONTRASTS = ("batch", "classes", "both")
MOST_CLASSES = 50_000  # groups that may have a vector each


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the network."""

    vocabulary_size: int = 0  # characters, padding and unknown among them; this and the next follow from the data
    word_dimension: int = 0  # v
    width: int = 128  # d
    encoder_rates: tuple[int, ...] = ()  # of the gated convolutions that may be pretrained
    rates: tuple[int, ...] = ()  # of those behind them
    attention_heads: int = 0  # of self-attention behind those; 0 for none
    recurrent: int = 0  # numbers of a GRU behind those, whose last state is taken, as the article has; 0 for none
    vector: int = 128  # numbers of a text's vector; with recurrent, that of the GRU
    pairs: int = 128  # more numbers of the vector, for characters and pairs of neighbours; 0 for none
    dropout: Share = 0.1  # of the embeddings
    gate_dropout: Share = 0.1


@dataclass(frozen=True)
class AugmentationConfig:
    """How training samples are varied."""

    longest_text: int = 64  # characters that are learned from, of a text's beginning
    delete_characters: Share = 0.1  # share of characters that are left out
    drop_words: Share = 0.0  # share of words that are hidden
    repeat_groups: int = 1  # times that each text of a group comes in an epoch


@dataclass(frozen=True)
class LossConfig:
    """What is learned from groups, and what from labelled pairs."""

    groups: str = "am-softmax"  # one of MARGINS
    contrast: str = "both"  # texts of a group are told from the others of the batch, from a vector for each group, both
    contrast_pairs: bool = True  # texts of a pair with the highest label are told from the others of the batch too
    scale: float = 0.0  # of cosines; 0 for the loss's own
    margin: float | None = None  # None for the loss's own; softmax and simpler-a-softmax have none
    pair_scale: float = 20.0  # of CoSENT
    pair_weight: float = 1.0  # of CoSENT beside the loss of groups

    def __post_init__(self) -> None:
        """Raises KexueError for a loss or a contrast that is not known."""
        if self.groups not in MARGINS:
            raise KexueError(f"loss.groups: {unknown_name('loss', self.groups, MARGINS)}")
        if self.contrast not in CONTRASTS:
            raise KexueError(f"loss.contrast must be one of {', '.join(CONTRASTS)}; found {self.contrast!r}")


@dataclass(frozen=True)
class DecodingConfig:
    """When two texts are taken to mean the same."""

    threshold: float = 0.5  # least cosine

    def __post_init__(self) -> None:
        """Raises KexueError for what no cosine can be."""
        if not -1 <= self.threshold <= 1:
            raise KexueError(f"decoding.threshold must be from -1 to 1; found {self.threshold}")


@dataclass(frozen=True)
class SimilarityConfig:
    """All settings of a similarity model."""

    encoder: str = "text-encoder"  # pretrained; it sets vocabulary, width and encoder_rates. Empty for none
    network: NetworkConfig = field(default_factory=NetworkConfig)
    preprocessor: EncodingConfig = field(default_factory=EncodingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
