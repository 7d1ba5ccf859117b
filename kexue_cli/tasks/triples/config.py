"""The settings of a triple extractor, as config.json and --config hold them."""

from dataclasses import dataclass, field

from kexue_cli.config import Share
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodingConfig

SUBJECTS, OBJECTS = "subjects", "objects"  # names of the half-pointer networks in the model folder
NEAREST, LIKELIEST = ENDS = ("nearest", "likeliest")
SPAN_POINTS = 6  # places of a subject that its vector is made of


@dataclass(frozen=True)
class PreprocessorConfig(EncodingConfig):
    """What the extractor is shown."""

    has_prior: bool = False  # known facts whose names stand in the text: those of the training data, and --knowledge


@dataclass(frozen=True)
class AugmentationConfig:
    """How training samples are varied from epoch to epoch. Shares lie between 0 and 1."""

    longest_text: int = 256  # characters; longer texts are cut at random
    drop_words: Share = 0.1  # share of words whose ids and vectors are hidden
    swap_entities: Share = 0.0  # share of samples in which one triple's names are those of another with its predicate
    pair_ends_freely: bool = True  # draw start and end of a subject apart, so that wrong subjects are met too


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the network; what is 0 or empty is left out."""

    vocabulary_size: int = 0  # characters, padding and unknown among them; this and the next three follow from the data
    word_dimension: int = 0  # v
    predicates: int = 0  # p
    has_prior: bool = False  # as the preprocessor has it
    members: int = 1  # extractors with weights of their own, whose pointers are averaged
    width: int = 128  # d
    encoder_rates: tuple[int, ...] = ()  # of the gated convolutions that may be pretrained
    rates: tuple[int, ...] = (1, 2, 5, 1)  # of those behind them; the article's are 1, 2, 5 three times, then 1, 1, 1
    dropout: Share = 0.25  # of the embeddings
    gate_dropout: Share = 0.1
    attention_heads: int = 0  # of self-attention before subjects and objects; the article's are 8
    head_size: int = 16
    has_gates: bool = False  # as the article has, of the whole text: where names begin and end, which predicates occur
    has_recurrent_subject: bool = False  # as the article has, from a GRU over SPAN_POINTS; else from its two ends
    positions: int = 512  # places in the text that have a trained vector of their own
    distances: int = 128  # characters; places that far from the subject's ends have vectors of their own
    object_rates: tuple[int, ...] = ()  # of gated convolutions after the subject is known


@dataclass(frozen=True)
class LossConfig:
    """The binary cross entropy of subjects and objects."""

    object_weight: float = 1.0  # of the objects' loss beside the subjects'


@dataclass(frozen=True)
class DecodingConfig:
    """How pointers become triples; probabilities."""

    subject_start: float = 0.5
    subject_end: float = 0.4
    object_start: float = 0.5
    object_end: float = 0.4
    ends: str = "nearest"  # which of the possible ends of a name is taken: nearest, as in the article, or likeliest
    longest_name: int = 64  # characters of a subject or object
    threshold: float = 0.0  # least score of a triple

    def __post_init__(self) -> None:
        """Raises KexueError for a probability that is none, and for ends that are not known."""
        for name in ("subject_start", "subject_end", "object_start", "object_end", "threshold"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise KexueError(f"decoding.{name} must be from 0 to 1; found {value}")
        if self.ends not in ENDS:
            raise KexueError(f"decoding.ends must be {' or '.join(ENDS)}; found {self.ends!r}")


@dataclass(frozen=True)
class TriplesConfig:
    """All settings of a triple extractor."""

    encoder: str = "text-encoder"  # pretrained; it sets vocabulary, width and encoder_rates. Empty for none
    start: str = ""  # an extractor that the network begins from; it sets the vocabulary and the shape of the network
    network: NetworkConfig = field(default_factory=NetworkConfig)
    preprocessor: PreprocessorConfig = field(default_factory=PreprocessorConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
