"""The settings of a generation model, as config.json and --config hold them."""

import math
from dataclasses import dataclass, field

from kexue_cli.config import Share
from kexue_cli.errors import KexueError

CONDITION, DECODER = "condition", "decoder"  # networks in the model folder
MARKS = 2  # ids behind those of the characters: a text begins, a text ends


MOST = {"temperature": 100, "guidance": 100, "beam": 100}  # of settings of the decoding
STATES = ("key", "value")  # what each layer keeps of the characters before


def state_names(depth: int) -> list[str]:
    """Return the names of the states of all layers, as the decoder gives them."""
    return [f"{kind}_{layer}" for layer in range(depth) for kind in STATES]


def past_names(depth: int) -> list[str]:
    """Return the names of the same states, as the decoder takes them: an input and an output must differ in name."""
    return [f"past_{name}" for name in state_names(depth)]


@dataclass(frozen=True)
class FieldsConfig:
    """What a text is conditioned on; this follows from the data."""

    categories: tuple[str, ...] = ()  # fields that hold one of some values
    numbers: tuple[str, ...] = ()  # fields that hold a number
    means: tuple[float, ...] = ()  # of the numbers, which are taken from them
    deviations: tuple[float, ...] = ()  # which the numbers are then divided by
    vector: str = ""  # field that holds a vector, empty for none
    vector_size: int = 0
    text: str = ""  # field that holds another text, empty for none
    target: str = "text"  # field that holds the text to be written


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the networks."""

    vocabulary_size: int = 0  # characters, padding, unknown and both marks; this and the next four follow from the data
    values: tuple[int, ...] = ()  # of each category field, one more for a field that is not told
    numbers: int = 0  # number fields
    vector_size: int = 0
    has_text: bool = False  # is the condition (also) another text
    width: int = 192  # d
    depth: int = 4
    heads: int = 4
    condition: int = 64  # numbers of the condition, c
    hidden: int = 0  # of the projection inside each normalization; 0 for none
    is_rotary: bool = True  # positions turn queries and keys; else a vector is learned for each
    longest: int = 160  # characters that are seen at once: what leads to a text, the mark of its beginning, and its own
    has_prefix: bool = True  # the text that is the condition stands before the one to be written, too
    is_conditional: bool = True  # the condition is in the normalizations; else in the mark that begins the text
    runs: tuple[int, ...] = (2, 3)  # lengths of runs of characters that are read by vectors of their own; () for none
    buckets: int = 32768  # vectors for the runs of each length, which share them by their hashes
    run_size: int = 48  # numbers of such a vector
    dropout: Share = 0.1

    def __post_init__(self) -> None:
        """Raises KexueError for sizes that do not go together."""
        if self.heads < 1 or self.width % self.heads or (self.is_rotary and self.width // self.heads % 2):
            parts = "an even number of numbers each" if self.is_rotary else "equal parts"
            raise KexueError(f"network.width {self.width} cannot be parted into {self.heads} heads of {parts}")
        for name in ("depth", "condition", "buckets", "run_size"):
            if getattr(self, name) < 1:
                raise KexueError(f"network.{name} must be at least 1; found {getattr(self, name)}")
        if any(length < 1 for length in self.runs):
            raise KexueError(f"network.runs must be lengths of at least 1; found {list(self.runs)}")
        if self.longest < 2:
            raise KexueError(f"network.longest must be at least 2; found {self.longest}")

    @property
    def begin(self) -> int:
        """The id of the mark that begins a text."""
        return self.vocabulary_size - MARKS

    @property
    def end(self) -> int:
        """The id of the mark that ends a text."""
        return self.vocabulary_size - 1


@dataclass(frozen=True)
class AugmentationConfig:
    """How training samples are varied."""

    drop_condition: Share = 0.15  # share of samples that are learned without some or all fields of their condition


@dataclass(frozen=True)
class LossConfig:
    """The cross entropy of the next character."""

    label_smoothing: Share = 0.0  # share of a label that is spread over all characters

    def __post_init__(self) -> None:
        """Raises KexueError for what is no share."""
        if not 0 <= self.label_smoothing < 1:
            raise KexueError(f"loss.label_smoothing must be at least 0 and below 1; found {self.label_smoothing}")


@dataclass(frozen=True)
class DecodingConfig:
    """How texts are written."""

    temperature: float = 0.8
    top_p: float = 0.95  # least characters that are together as likely are drawn from
    top_k: int = 0  # at most that many; 0 for all
    beam: int = 0  # hypotheses of a beam search; 0 to draw, 1 to take the likeliest
    guidance: float = 1.0  # how much the condition counts; 1 as learned
    repetition: float = 0.0  # taken off the logit of a character that would repeat three characters of the text
    max_length: int = 128  # characters
    mirror: bool = False  # a text has the length and the punctuation of the one it is conditioned on

    def __post_init__(self) -> None:
        """Raises KexueError for what is no probability, and for a beam or a length of less than nothing."""
        if not 0 < self.top_p <= 1:
            raise KexueError(f"decoding.top_p must be above 0 and at most 1; found {self.top_p}")
        for name in ("temperature", "top_k", "beam", "guidance", "repetition"):
            most = MOST.get(name, math.inf)
            if not 0 <= (value := getattr(self, name)) <= most or value == math.inf:
                limit = f" and at most {most}" if name in MOST else ""
                raise KexueError(f"decoding.{name} must be a number of at least 0{limit}; found {value}")
        if self.max_length < 1:
            raise KexueError(f"decoding.max_length must be at least 1; found {self.max_length}")


@dataclass(frozen=True)
class GenerationConfig:
    """All settings of a generation model."""

    start: str = ""  # a model that the network begins from; it sets the characters and the shape of the network
    fields: FieldsConfig = field(default_factory=FieldsConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
