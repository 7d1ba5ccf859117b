"""The settings of the training loop, as config.json and --config hold them."""

import math
from dataclasses import dataclass, fields

from kexue_cli.errors import KexueError

LIMITS = {  # least and greatest value of a setting; for the rest the least is 0
    "epochs": (1, math.inf),
    "batch_size": (1, math.inf),
    "decay_share": (0, 1),
    "patience": (1, math.inf),
    "ema_momentum": (0, 1),
    "accumulation_steps": (1, math.inf),
    "seed": (0, 2**32 - 1),
}


DECAYS = ("linear", "cosine")


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained."""

    epochs: int = 20  # at most, of both stages together
    batch_size: int = 32  # samples
    learning_rate: float = 1e-3  # of Adam
    warmup_steps: int = 0  # batches over which the learning rate rises from 0
    decay_share: float = 0.0  # last share of all epochs over which the learning rate falls to 0
    decay: str = "linear"  # how it falls: linear, or cosine, https://arxiv.org/abs/1608.03983
    second_learning_rate: float = 0.0  # of stage two, which starts from the best weights; 0 for one stage
    patience: int = 5  # epochs without a better score before the stage ends
    ema_momentum: float = 0.998  # of the averages of the weights that are evaluated and kept
    weight_decay: float = 0.0
    clip_norm: float = 0.0  # of the gradient of each variable; 0 for none
    accumulation_steps: int = 1  # batches to a step of the optimizer
    muon: float = 0.0  # size of the steps of matrices, in learning rates, by Muon; 0 for Adam alone
    seed: int = 0
    checkpoint_seconds: float = 60.0  # between checkpoints inside an epoch

    def __post_init__(self) -> None:
        """Raise KexueError if a setting is out of its limits."""
        if self.decay not in DECAYS:
            raise KexueError(f"training.decay must be {' or '.join(DECAYS)}; found {self.decay!r}")
        for field in fields(self):
            if isinstance(value := getattr(self, field.name), str):
                continue
            least, most = LIMITS.get(field.name, (0, math.inf))
            if not least <= value <= most:
                allowed = f"at least {least}" if most == math.inf else f"from {least} to {most}"
                raise KexueError(f"training.{field.name} must be {allowed}; found {value}")
