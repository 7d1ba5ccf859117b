"""The training loop: Keras's train_on_batch, averaged weights, two stages of learning rate, checkpoints.

Not here: keras.Model.fit, which overwrites the weights with their averages at its end, retraces at new lengths, and
cannot be resumed inside an epoch.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from kexue_cli.batching import collate, round_up
from kexue_cli.errors import KexueError
from kexue_cli.optimizers import optimizer
from kexue_cli.tasks.task import Trainee
from kexue_cli.training import checkpoint as checkpoints
from kexue_cli.training.batching import ahead, batches
from kexue_cli.training.checkpoint import Arrays, Checkpoint, Position
from kexue_cli.training.config import TrainingConfig

if TYPE_CHECKING:
    from kexue_cli.batching import Sample


@dataclass
class Reports:
    """What is told while training: batches done, a line for the log at the end of each epoch."""

    advance: Callable[[float], None] = lambda batches: None
    epoch: Callable[[dict[str, Any]], None] = lambda entry: None


class NetworkRuntime:
    """The network that is being trained, called as the loader's runtimes are."""

    device = "training"

    def __init__(self, network: keras.Model) -> None:
        self.network = network

    def __call__(self, inputs: "Sample") -> "Sample":
        """Return the outputs of a batch."""
        return {name: np.asarray(value) for name, value in self.network.predict_on_batch(inputs).items()}


class Trainer:
    """Trains a network to the best weights on the records kept for development."""

    def __init__(self, trainee: Trainee, config: TrainingConfig, folder: Path, fingerprint: str) -> None:
        """folder: of the checkpoints. fingerprint: of data and configuration."""
        self.trainee = trainee
        self.config = config
        self.folder = folder
        self.fingerprint = fingerprint
        self.batches_per_epoch = -(-len(trainee) // config.batch_size)
        keras.utils.set_random_seed(config.seed)
        self.network = trainee.build()
        self._inputs = {tensor.name: tensor for tensor in self.network.inputs}
        self.optimizer = optimizer(
            config.muon,
            learning_rate=config.learning_rate,
            use_ema=True,
            ema_momentum=config.ema_momentum,
            weight_decay=config.weight_decay or None,
            clipnorm=config.clip_norm or None,
            gradient_accumulation_steps=config.accumulation_steps if config.accumulation_steps > 1 else None,
        )
        # Losses are means over positions: about 1e-3, too near to Adam's epsilon without the factor.
        losses = trainee.losses()
        self.network.compile(self.optimizer, losses, loss_weights=dict.fromkeys(losses, 100.0), jit_compile=False)
        self.optimizer.build(self.network.trainable_variables)
        if keras.backend.backend() == "tensorflow":
            self._compile_for_all_shapes()
        self.position = Position()
        self.best: Arrays = []
        self._saved_at = time.monotonic()

    def resume(self) -> bool:
        """Go on from the checkpoint; return whether there is one.

        Raises KexueError if it is damaged or of another training.
        """
        found = checkpoints.load(self.folder)
        if found is None:
            return False
        if found.fingerprint != self.fingerprint:
            raise KexueError(
                f"{self.folder} holds a training with other data or settings; "
                "give the same ones, or remove it to train from the start"
            )
        self.position, self.best = found.position, found.best
        _assign(self.network.variables, found.weights)
        _assign(self.optimizer.variables, found.optimizer)
        return True

    def train(self, reports: Reports) -> Position:
        """Train to the end and leave the best weights in the network."""
        position = self.position
        reports.advance(position.epoch * self.batches_per_epoch + position.batch)
        while position.epoch < self.config.epochs and position.stage:
            self._train_epoch(reports)
            self._finish_epoch(reports)
            self._save()
        if self.best:
            _assign(self.network.variables, self.best)
        return position

    def _compile_for_all_shapes(self) -> None:
        """Let TensorFlow compile the network for batches of any size and length, and leave everything as it was.

        It compiles for the shapes that it meets first, and rounds otherwise there: a training that is resumed meets
        other shapes first, and would end with other weights.
        """
        network = self.network
        state = [(variable, _values([variable])) for variable in (*network.variables, *self.optimizer.variables)]
        inputs, labels = self.trainee.sample(0, np.random.default_rng(self.config.seed))
        parts = ((inputs, self._inputs), (labels, network.output))
        for size in (1, 2):
            batch = [
                {name: _longer(array, tensors[name], size) for name, array in collate([sample] * size).items()}
                for sample, tensors in parts
            ]
            network.train_on_batch(*batch)
        for variable, value in state:
            _assign([variable], value)

    def open_network(self, name: str) -> NetworkRuntime:
        """Return one of the networks that prediction runs, as it is now; without a name the one that is trained."""
        return NetworkRuntime(self.trainee.networks(self.network)[name] if name else self.network)

    def networks(self) -> dict[str, keras.Model]:
        """Return the networks that prediction runs, without the optimizer, which Keras would save with the weights."""
        network = self.trainee.build()
        network.set_weights(self.network.get_weights())
        return self.trainee.networks(network)

    def _train_epoch(self, reports: Reports) -> None:
        position = self.position
        started = time.monotonic() - position.seconds
        source = batches(self.trainee, batch_size=self.config.batch_size, seed=self.config.seed,
                         epoch=position.epoch, skip=position.batch)  # fmt: skip
        for inputs, labels in ahead(source):
            if keras.backend.backend() == "jax":
                inputs, labels = _rounded(inputs, self._inputs), _rounded(labels, self.network.output)
            self.optimizer.learning_rate = self._learning_rate()
            loss = float(np.ravel(self.network.train_on_batch(inputs, labels))[0])
            if not math.isfinite(loss):  # at once: a checkpoint of such weights would be of no use
                raise KexueError(
                    f"the loss is not a number any more in epoch {position.epoch + 1}; lower training.learning_rate"
                )
            position.losses.append(loss)
            position.batch += 1
            position.step += 1
            position.seconds = time.monotonic() - started
            reports.advance(1)
            if time.monotonic() - self._saved_at >= self.config.checkpoint_seconds:
                self._save()

    def _learning_rate(self) -> float:
        config, position = self.config, self.position
        rate = config.learning_rate if position.stage == 1 else config.second_learning_rate
        if position.step < config.warmup_steps and position.stage == 1:
            return rate * (position.step + 1) / config.warmup_steps
        done = position.epoch * self.batches_per_epoch + position.batch
        left = 1 - done / (config.epochs * self.batches_per_epoch)
        if left >= config.decay_share:
            return rate
        left /= config.decay_share
        return rate * (left if config.decay == "linear" else (1 - math.cos(math.pi * left)) / 2)

    def _finish_epoch(self, reports: Reports) -> None:
        position = self.position
        mean_loss = float(np.mean(position.losses))
        started = time.monotonic()
        score = self._evaluate()
        position.seconds += time.monotonic() - started
        position.epoch, position.batch, position.losses = position.epoch + 1, 0, []
        entry = {
            "epoch": position.epoch,
            "stage": position.stage,
            "loss": mean_loss,
            **score,
            "learning_rate": float(f"{float(self.optimizer.learning_rate):.6g}"),  # it is kept as float32
            "seconds": round(position.seconds, 1),
        }
        position.history.append(entry)
        reports.epoch(entry)
        # A score of 0 tells nothing yet: rare labels are learned late.
        if position.best > 0 and position.epoch - position.best_epoch >= self.config.patience:
            self._next_stage()

    def _evaluate(self) -> dict[str, float]:
        """Return the scores of the averaged weights, which are kept if they are the best."""
        network, position = self.network, self.position
        raw = _values(network.trainable_variables)
        self.optimizer.finalize_variable_values(network.trainable_variables)
        try:
            scores = self.trainee.evaluate(self.open_network)
            if scores[self.trainee.monitor] > position.best:
                position.best, position.best_epoch = scores[self.trainee.monitor], position.epoch + 1
                self.best = _values(network.variables)
        finally:
            _assign(network.trainable_variables, raw)
        return scores

    def _next_stage(self) -> None:
        """Start stage two from the best weights with a new optimizer, or end (stage 0)."""
        position = self.position
        if position.stage == 2 or not self.config.second_learning_rate or position.epoch >= self.config.epochs:
            position.stage = 0
            return
        position.stage, position.step, position.best_epoch = 2, 0, position.epoch
        _assign(self.network.variables, self.best)
        for variable in self.optimizer.variables:  # Keras starts the averages anew at step 0
            variable.assign(ops.zeros_like(variable))

    def _save(self) -> None:
        weights, optimizer = _values(self.network.variables), _values(self.optimizer.variables)
        checkpoints.save(self.folder, Checkpoint(self.position, weights, optimizer, self.best, self.fingerprint))
        self._saved_at = time.monotonic()


def _longer(array: "np.ndarray", tensor: Any, more: int) -> "np.ndarray":
    """Return a batch with that many more positions of padding, if sequences of its kind vary in length."""
    return np.pad(array, [(0, more if axis == 1 and _varies(tensor) else 0) for axis in range(array.ndim)])


def _rounded(batch: "Sample", tensors: dict[str, Any]) -> "Sample":
    """Return a batch whose sequences have one of few lengths: XLA takes seconds to compile for each new one."""
    return {
        name: round_up(array.swapaxes(0, 1), 1).swapaxes(0, 1) if _varies(tensors[name]) else array
        for name, array in batch.items()
    }


def _varies(tensor: Any) -> bool:
    return tensor.ndim > 1 and tensor.shape[1] is None


def _values(variables: list[Any]) -> Arrays:
    return [ops.convert_to_numpy(variable).copy() for variable in variables]


def _assign(variables: list[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
