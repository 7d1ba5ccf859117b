"""The settings of an entity linker, as config.json and --config hold them."""

from dataclasses import dataclass, field

from kexue_cli.config import Share
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodingConfig

MENTIONS, ENTITIES = "mentions", "entities"  # names of the networks in the model folder
CHOICE = "choice"  # output of the second: which candidate it is
LONGEST_NAME = 32  # characters of a name that is looked for in a text
DICTIONARY_FEATURES = 12  # of each character, see preprocessor.dictionary_features
CANDIDATE_FEATURES = 11  # of each candidate, see preprocessor.candidate_features
ENTITY_WORDS = 32  # words of an entity's description and facts that the network is shown
CONTEXT_WORDS = 32  # words of the text around a mention that the network is shown


@dataclass(frozen=True)
class PreprocessorConfig(EncodingConfig):
    """What the linker is shown."""

    most_candidates: int = 64  # entities of one name that are compared, those with the highest prior


@dataclass(frozen=True)
class AugmentationConfig:
    """How training samples are varied from epoch to epoch. Shares lie between 0 and 1."""

    longest_text: int = 256  # characters; longer texts are cut at random
    drop_words: Share = 0.1  # share of words whose ids and vectors are hidden
    candidates: int = 6  # that a mention is shown with: those of its name, then any others
    drop_entity: Share = 0.1  # share of mentions whose entity is kept from the candidates, so that it is in no base
    hide_counts: Share = 0.3  # share of texts that are shown as if no name had ever been counted, as in a new base
    hide_base: Share = 0.1  # share of texts that are shown as if no name in them were in the base


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the networks; what is 0 or empty is left out."""

    vocabulary_size: int = 0  # characters, padding and unknown among them; this and the next follow from the data
    word_dimension: int = 0  # v
    width: int = 128  # d
    encoder_rates: tuple[int, ...] = ()  # of the gated convolutions that may be pretrained
    rates: tuple[int, ...] = (1, 2, 1)  # of those behind them
    recurrent: int = 0  # numbers of each direction of an LSTM in their place, as the article has; 64 there
    dropout: Share = 0.25  # of the embeddings
    gate_dropout: Share = 0.1
    compared: int = 64  # h, numbers in which words of text and entity are compared


@dataclass(frozen=True)
class LossConfig:
    """The loss of the choice among candidates beside that of the mentions."""

    choice_weight: float = 0.1


@dataclass(frozen=True)
class DecodingConfig:
    """How pointers become mentions, and candidates become links; probabilities."""

    least_pointer: float = 0.1  # of where a mention starts, of where it ends, and of both, to be looked at
    mention: float = 0.3  # least score of a mention whose name is in the base
    unknown: float = 0.3  # least score of a mention whose name is not
    entity: float = 0.2  # least probability of a mention of any of its entities; below it, it is in no base
    passes: int = 1  # 2: the entities found first are context for the others
    candidates: int = 5  # that are told

    def __post_init__(self) -> None:
        """Raises KexueError for a probability that is none, and for no pass at all."""
        for name in ("least_pointer", "mention", "unknown", "entity"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise KexueError(f"decoding.{name} must be from 0 to 1; found {value}")
        if self.passes < 1:
            raise KexueError(f"decoding.passes must be at least 1; found {self.passes}")


@dataclass(frozen=True)
class LinkingConfig:
    """All settings of a linker."""

    encoder: str = "text-encoder"  # pretrained; it sets vocabulary, width and encoder_rates. Empty for none
    network: NetworkConfig = field(default_factory=NetworkConfig)
    preprocessor: PreprocessorConfig = field(default_factory=PreprocessorConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
