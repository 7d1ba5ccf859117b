"""The training loop, on a network of a few numbers and with scores that the test makes up."""

import math

import numpy as np
import pytest

from kexue_cli.errors import KexueError
from kexue_cli.training.config import TrainingConfig

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from kexue_cli.training import checkpoint as checkpoints  # noqa: E402
from kexue_cli.training.trainer import NetworkRuntime, Reports, Trainer  # noqa: E402

COUNT, SIZE = 10, 2  # samples, and those of a batch: five batches an epoch


class Sequences:
    """Random sequences x (t, 3) of 1 to 6 positions; at each position the sign of their sum is to be found."""

    monitor, longest = "accuracy", "x"

    def __init__(self, scores=()):
        self.scores = list(scores)  # of each evaluation; then 0
        self.seen = []  # the weights of each evaluation
        self.traces = 0
        self.label_factor = np.float32(1)

    def __len__(self):
        return COUNT

    def sample(self, index, generator):
        x = generator.normal(size=(1 + index % 6, 3)).astype(np.float32)
        labels = (x.sum(axis=1) > 0).astype(np.float32)
        return {"x": x}, {"sign": labels * self.label_factor}

    def build(self):
        trainee = self

        class Traced(keras.layers.Layer):
            def call(self, x):
                trainee.traces += 1
                return x

        x = keras.Input((None, 3), name="x")
        hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(4, activation="relu")(Traced()(x)))
        sign = keras.layers.Dense(1, activation="sigmoid")(hidden)
        return keras.Model({"x": x}, {"sign": keras.ops.squeeze(sign, -1)})

    def losses(self):
        return {"sign": keras.losses.BinaryCrossentropy()}

    def networks(self, trained):
        return {"network": trained}

    def evaluate(self, open_network):
        runtime = open_network("network")
        outputs = runtime({"x": np.ones((2, 3, 3), np.float32)})
        assert outputs["sign"].shape == (2, 3)
        self.seen.append(values(runtime.network))
        return {"accuracy": self.scores.pop(0) if self.scores else 0.1}


def values(network):
    return [np.array(variable) for variable in network.trainable_variables]


def are_equal(ones, others):
    return all(one.tobytes() == other.tobytes() for one, other in zip(ones, others, strict=True))


@pytest.fixture
def make(tmp_path):
    """Return a trainer, and what it trains. settings: of TrainingConfig."""

    def make(trainee=None, **settings):
        trainee = trainee or Sequences()
        config = TrainingConfig(**{"batch_size": SIZE, **settings})
        return Trainer(trainee, config, tmp_path, "mark"), trainee

    return make


def rates_by_batch(trainer):
    """Train; return the learning rate of each batch."""
    rates = []
    step = trainer.network.train_on_batch
    trainer.network.train_on_batch = lambda *batch: (
        rates.append(float(trainer.optimizer.learning_rate)),
        step(*batch),
    )[1]
    trainer.train(Reports())
    return rates


def test_the_learning_rate_rises_and_falls(make):
    trainer, _ = make(epochs=2, learning_rate=0.8, warmup_steps=4, decay_share=0.5, patience=9)

    # ten batches: four to rise, and the last half of them all to fall
    assert rates_by_batch(trainer) == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.64, 0.48, 0.32, 0.16])


def test_stage_two_has_its_own_rate_and_no_rise(make):
    # no score is better than the first: stage one ends after two epochs more, stage two after two
    trainer, _ = make(epochs=9, learning_rate=0.8, second_learning_rate=0.1, warmup_steps=2, patience=2)

    rates = rates_by_batch(trainer)

    assert rates == pytest.approx([0.4] + [0.8] * 14 + [0.1] * 10)
    assert [entry["stage"] for entry in trainer.position.history] == [1, 1, 1, 2, 2]
    assert trainer.position.stage == 0


def test_stage_two_falls_with_what_is_left_of_all_epochs(make):
    trainer, _ = make(epochs=4, learning_rate=0.8, second_learning_rate=0.1, decay_share=1.0, patience=1)

    rates = rates_by_batch(trainer)  # stage one: epochs 1 and 2; stage two: epoch 3, which is no better

    assert rates == pytest.approx([0.8 * (1 - i / 20) for i in range(10)] + [0.1 * (1 - i / 20) for i in range(10, 15)])


def test_training_stops_when_the_score_stays(make):
    trainer, trainee = make(Sequences([0.1, 0.3, 0.3, 0.2, 0.9]), epochs=9, patience=2)

    position = trainer.train(Reports())

    assert (position.epoch, position.best_epoch, position.best) == (4, 2, 0.3)  # 0.3 again is not better
    assert are_equal(values(trainer.network), trainee.seen[1])


def test_negative_scores_are_scores_too(make):
    trainer, trainee = make(Sequences([-5.0, -3.0, -4.0]), epochs=3)

    assert trainer.train(Reports()).best_epoch == 2
    assert are_equal(values(trainer.network), trainee.seen[1])


def test_the_best_weights_are_kept_even_if_later_ones_are_worse(make):
    trainer, trainee = make(Sequences([0.5, 0.9, 0.1, 0.2]), epochs=4)

    trainer.train(Reports())

    assert not are_equal(trainee.seen[1], trainee.seen[3])
    assert are_equal(values(trainer.network), trainee.seen[1])
    assert are_equal(values(trainer.networks()["network"]), trainee.seen[1])


def test_stage_two_starts_from_the_best_weights(make):
    trainer, trainee = make(Sequences([0.5, 0.1]), epochs=3, patience=1, second_learning_rate=1e-30)

    trainer.train(Reports())

    assert not are_equal(trainee.seen[0], trainee.seen[1])
    assert are_equal(trainee.seen[0], trainee.seen[2])  # and nearly no rate: it stays there


def test_averages_are_evaluated_and_the_weights_come_back_bit_by_bit(make, tmp_path):
    momentum = 0.75
    trainer, trainee = make(epochs=1, learning_rate=0.1, ema_momentum=momentum)
    after_batch, step = [], trainer.network.train_on_batch

    def remember(*batch):
        loss = step(*batch)
        after_batch.append(values(trainer.network))
        return loss

    trainer.network.train_on_batch = remember
    trainer.train(Reports())

    averages = after_batch[0]  # the average starts there
    for weights in after_batch[1:]:
        averages = [momentum * a + (1 - momentum) * w for a, w in zip(averages, weights, strict=True)]
    for seen, average, raw in zip(trainee.seen[0], averages, after_batch[-1], strict=True):
        np.testing.assert_allclose(seen, average, rtol=1e-5, atol=1e-7)
        assert np.abs(seen - raw).max() > 1e-4
    saved = dict(zip([variable.path for variable in trainer.network.variables],
                     checkpoints.load(tmp_path).weights, strict=True))  # fmt: skip
    trained = [saved[variable.path] for variable in trainer.network.trainable_variables]
    assert are_equal(trained, after_batch[-1])


def test_an_evaluation_that_fails_leaves_the_weights_as_they_were(make):
    trainer, trainee = make(epochs=1, learning_rate=0.1, ema_momentum=0.5)
    inside = []

    def fail(open_network):
        inside.append(values(open_network("network").network))
        raise KeyboardInterrupt

    trainee.evaluate = fail
    step, after_batch = trainer.network.train_on_batch, []
    trainer.network.train_on_batch = lambda *batch: (step(*batch), after_batch.append(values(trainer.network)))[0]

    with pytest.raises(KeyboardInterrupt):
        trainer.train(Reports())

    assert are_equal(values(trainer.network), after_batch[-1])
    assert not are_equal(inside[0], after_batch[-1])


def test_a_loss_that_is_no_number_is_one_line_and_saves_nothing(make, tmp_path):
    trainer, trainee = make(epochs=2, checkpoint_seconds=0)
    trainee.label_factor = np.float32("nan")

    with pytest.raises(KexueError, match=r"not a number any more in epoch 1; lower training.learning_rate") as caught:
        trainer.train(Reports())

    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_network_is_compiled_twice_at_the_start_and_never_again(make):
    trainer, trainee = make(epochs=2)
    at_start = trainee.traces

    trainer.train(Reports())

    assert trainee.traces - at_start <= 1  # the evaluation: its one shape


def test_compiling_leaves_no_trace_in_the_weights(make):
    trainer, _ = make()
    keras.utils.set_random_seed(0)
    fresh = Sequences().build()

    assert are_equal(values(trainer.network), values(fresh))
    assert int(trainer.optimizer.iterations) == 0
    assert all(not np.any(variable) for variable in trainer.optimizer.variables[2:])


class Killed(Exception):
    """In the place of a kill."""


def train_in_parts(make, stops, **settings):
    """Train, stop after so many batches of each process, go on from the last checkpoint; return the last trainer."""
    for stop in [*stops, math.inf]:
        trainer, trainee = make(**settings)
        assert trainer.resume() == (stop is not stops[0])
        done = 0

        def advance(batches, stop=stop):
            nonlocal done
            done += batches
            if done > stop:
                raise Killed

        try:
            before = trainer.position.epoch * 5 + trainer.position.batch
            trainer.train(Reports(advance=lambda batches, b=before: advance(batches) if batches == 1 else None))
        except Killed:
            continue
    return trainer, trainee


@pytest.mark.parametrize("settings", [
    {}, {"accumulation_steps": 2, "clip_norm": 0.5, "weight_decay": 0.01},
    {"patience": 1, "second_learning_rate": 0.01, "warmup_steps": 7, "decay_share": 0.6},
], ids=["plain", "accumulation", "two stages"])  # fmt: skip
def test_a_training_that_was_stopped_ends_as_one_that_was_not(make, tmp_path, settings):
    settings = {"epochs": 5, "learning_rate": 0.05, "ema_momentum": 0.6, "checkpoint_seconds": 0, **settings}
    whole, _ = make(**settings)
    whole.train(Reports())
    (tmp_path / checkpoints.FILE).unlink()

    parts, _ = train_in_parts(make, [3, 1, 7, 2], **settings)

    assert are_equal(values(parts.network), values(whole.network))
    one, other = ([{**entry, "seconds": 0} for entry in trainer.position.history] for trainer in (whole, parts))
    assert one == other


def test_a_checkpoint_of_other_data_or_settings_is_refused(make, tmp_path):
    trainer, _ = make(epochs=1)
    trainer.train(Reports())
    other = Trainer(Sequences(), trainer.config, tmp_path, "another mark")

    with pytest.raises(KexueError, match="holds a training with other data or settings"):
        other.resume()


def test_progress_counts_what_was_done_before_too(make):
    trainer, _ = make(epochs=2, checkpoint_seconds=0)
    stopped = []

    def stop(batches):
        stopped.append(batches)
        if sum(stopped) == 8:
            raise Killed

    with pytest.raises(Killed):
        trainer.train(Reports(advance=stop))
    again, _ = make(epochs=2, checkpoint_seconds=0)
    again.resume()
    done = []
    again.train(Reports(advance=done.append))

    assert (done[0], sum(done)) == (7, 10)  # the eighth was done, but not yet written down


def test_the_runtime_returns_arrays_by_name(make):
    trainer, _ = make()

    outputs = NetworkRuntime(trainer.network)({"x": np.zeros((1, 2, 3), np.float32)})

    assert {name: array.shape for name, array in outputs.items()} == {"sign": (1, 2)}
    assert isinstance(outputs["sign"], np.ndarray)


@pytest.mark.parametrize(("setting", "allowed"), [
    ({"epochs": 0}, "training.epochs must be at least 1; found 0"),
    ({"batch_size": -1}, "training.batch_size must be at least 1; found -1"),
    ({"decay_share": 1.5}, "training.decay_share must be from 0 to 1; found 1.5"),
    ({"learning_rate": -0.1}, "training.learning_rate must be at least 0; found -0.1"),
    ({"seed": 2**32}, f"training.seed must be from 0 to {2**32 - 1}; found {2**32}"),
])  # fmt: skip
def test_settings_out_of_their_limits_are_named(setting, allowed):
    with pytest.raises(KexueError) as caught:
        TrainingConfig(**setting)

    assert str(caught.value) == allowed
