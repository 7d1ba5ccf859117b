"""The settings of a reader, as config.json and --config hold them."""

from dataclasses import dataclass, field

from kexue_cli.config import Share
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodingConfig

NETWORK = "network"  # its name in the model folder
VOTES = ("squares", "sum", "max")
VOTES_IN_PASSAGE = ("sum", "max")


@dataclass(frozen=True)
class PreprocessorConfig(EncodingConfig):
    """What the reader is shown."""

    features: tuple[str, ...] = ("match", "boundary")  # groups of features.FEATURES
    sources: tuple[str, ...] = ()  # training files that have a vector of their own; follows from the data


@dataclass(frozen=True)
class AugmentationConfig:
    """How training samples are varied from epoch to epoch. Shares lie between 0 and 1."""

    least_window: int = 64  # characters; longer passages than longest_window are cut at random, to a size between
    longest_window: int = 224
    longest_answer: int = 20  # characters; longer answers are not learned
    strip_punctuation: Share = 0.5  # share of samples without punctuation, as in WebQA
    add_punctuation: Share = 0.0  # share of samples without any that get some, where other passages have it
    drop_words: Share = 0.08  # share of words, of question and passage, whose ids are hidden
    repeat_passage: Share = 0.0  # share of short passages that are read twice in a row and cut at random
    hide_source: Share = 0.1  # share of samples of which the network is not told what file they are from
    unanswered: Share = 0.1  # share of samples without the answer, where there is such a question, passage or window

    def __post_init__(self) -> None:
        """Raises KexueError for windows of no size."""
        if not 0 < self.least_window <= self.longest_window:
            limits = f"at least 1 and at most augmentation.longest_window, {self.longest_window}"
            raise KexueError(f"augmentation.least_window must be {limits}; found {self.least_window}")


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the reader; what is 0 or empty is left out."""

    vocabulary_size: int = 0  # characters, padding and unknown among them; this and the next three follow from the data
    word_dimension: int = 0  # v
    features: int = 0  # f
    sources: int = 0  # training files that the network tells apart
    members: int = 1  # readers with weights of their own, whose pointers are averaged
    width: int = 128  # d
    encoder_rates: tuple[int, ...] = ()  # of convolutions that question and passage go through before they are aligned
    question_rates: tuple[int, ...] = (1, 2, 1)
    passage_rates: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    dropout: Share = 0.15  # of the embeddings and the gates
    has_alignment: bool = True
    has_positions: bool = False
    gate_noise: float = 0.0


@dataclass(frozen=True)
class LossConfig:
    """The binary focal loss of both pointers: https://arxiv.org/abs/1708.02002."""

    positive_weight: float = 0.25  # of positions where an answer begins or ends; the others weigh 1 - positive_weight
    gamma: float = 2.0  # how much less positions count that are right already; 0 is cross entropy


@dataclass(frozen=True)
class DecodingConfig:
    """How pointers become answers."""

    longest_answer: int = 24  # characters; an address, a word or a number alone may have more
    least_pointer: float = 0.02  # probability; starts and ends below it are not looked at
    across_marks: Share = 0.2  # factor of the score of a span that runs across punctuation; 1 is off
    others_inside: Share = 0.1  # exponent of the probability that no other answer begins or ends in a span; 0 is off
    in_question: float = 0.2  # factor of the score of an answer that stands in the question
    voting: str = "squares"  # of VOTES: how passages with the same answer add up
    in_passage: str = "sum"  # of VOTES_IN_PASSAGE: how often the same answer in one passage counts
    source: str = ""  # of preprocessor.sources: the training file after whose manner questions are answered
    threshold: float = 0.0  # least score; below it the question counts as not answered
    slope: float = 1.0  # score = sigmoid(slope * ln(votes) + intercept), fitted on questions not trained on
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Raises KexueError for a threshold that is no score, or a way to vote that is not known."""
        if not 0 <= self.threshold <= 1:
            raise KexueError(f"decoding.threshold must be from 0 to 1; found {self.threshold}")
        for name, value, known in (("voting", self.voting, VOTES), ("in_passage", self.in_passage, VOTES_IN_PASSAGE)):
            if value not in known:
                raise KexueError(f"decoding.{name} must be one of {', '.join(known)}; found {value!r}")


@dataclass(frozen=True)
class ReaderConfig:
    """All settings of a reader."""

    start: tuple[str, ...] = ()  # readers that it begins from, as its members; they set encoder, network, preprocessor
    encoder: str = "text-encoder"  # pretrained; it sets vocabulary, width and encoder_rates. Empty for none
    network: NetworkConfig = field(default_factory=NetworkConfig)
    preprocessor: PreprocessorConfig = field(default_factory=PreprocessorConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
