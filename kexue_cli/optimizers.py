"""The optimizers that networks are trained with."""

from typing import Any

import keras

BY_ADAM = ["_normalization", "condition"]  # matrices that begin as zero, or read what is told of a text


def optimizer(muon: float, **settings: Any) -> keras.optimizers.Optimizer:
    """Return Adam, or Muon for matrices between hidden vectors and Adam for the rest: https://arxiv.org/abs/2502.16982.

    muon: size of a step of such a matrix, as root mean square of its numbers in learning rates, 0.2 in the paper; 0 for
    Adam alone. settings: those that both have.
    """
    if not muon:
        return keras.optimizers.Adam(**settings)
    return keras.optimizers.Muon(
        adam_weight_decay=settings["weight_decay"], rms_rate=muon, exclude_layers=BY_ADAM, **settings
    )
