"""Batches: an order that depends on seed and epoch only, made ahead of the network."""

import signal
import threading
import time

import numpy as np
import pytest

from kexue_cli.training.batching import AHEAD, POOL, ahead, batches

SIZE = 4
COUNT = SIZE * POOL * 2 + 7  # two whole pools and a small third one


class Numbers:
    """Sample i: the number i, 1 + i % 9 times; the label is a random number."""

    monitor, longest = "accuracy", "numbers"

    def __init__(self, count=COUNT):
        self.count = count
        self.asked = []

    def __len__(self):
        return self.count

    def sample(self, index, generator):
        self.asked.append(index)
        return {"numbers": np.full(1 + index % 9, index)}, {"drawn": np.asarray(generator.random())}


def epoch(trainee=None, *, seed=0, epoch=0, skip=0):
    """The batches as lists: numbers of the samples, and what was drawn for them."""
    found = batches(trainee or Numbers(), batch_size=SIZE, seed=seed, epoch=epoch, skip=skip)
    return [(inputs["numbers"].max(axis=1).tolist(), labels["drawn"].tolist()) for inputs, labels in found]


def test_every_sample_comes_once_an_epoch():
    samples = [index for numbers, _ in epoch() for index in numbers]

    assert sorted(samples) == list(range(COUNT))


def test_batches_are_full_but_one():
    sizes = [len(numbers) for numbers, _ in epoch()]

    assert len(sizes) == -(-COUNT // SIZE)
    assert sorted(sizes)[0] == COUNT % SIZE
    assert set(sorted(sizes)[1:]) == {SIZE}


def test_the_order_depends_on_seed_and_epoch_only():
    assert epoch(seed=3, epoch=5) == epoch(seed=3, epoch=5)
    assert epoch(seed=3, epoch=5) != epoch(seed=3, epoch=6)
    assert epoch(seed=3, epoch=5) != epoch(seed=4, epoch=5)


def test_what_is_drawn_for_a_sample_differs_from_epoch_to_epoch():
    drawn = [dict(zip(*map(np.concatenate, zip(*epoch(epoch=number), strict=True)), strict=True)) for number in (0, 1)]

    assert drawn[0].keys() == drawn[1].keys()
    assert all(drawn[0][index] != drawn[1][index] for index in drawn[0])


def test_samples_of_like_length_come_together_and_batches_in_mixed_order():
    lengths = [sorted(1 + index % 9 for index in numbers) for numbers, _ in epoch()]

    assert np.mean([found[-1] - found[0] for found in lengths]) < 1  # nine lengths, drawn at random: about 5
    assert [found[0] for found in lengths] != sorted(found[0] for found in lengths)


@pytest.mark.parametrize("skip", [0, 1, POOL - 1, POOL, POOL + 3, 2 * POOL, 2 * POOL + 1, 2 * POOL + 2, 999])
def test_an_epoch_that_goes_on_is_the_tail_of_the_whole(skip):
    assert epoch(skip=skip) == epoch()[skip:]


def test_pools_that_are_skipped_are_not_even_made():
    trainee = Numbers()

    epoch(trainee, skip=2 * POOL)

    assert len(trainee.asked) == COUNT % (SIZE * POOL)


def test_an_epoch_smaller_than_a_batch_is_one_batch():
    assert [sorted(numbers) for numbers, _ in epoch(Numbers(3))] == [[0, 1, 2]]


def some(count):
    return [({"x": np.array([number])}, {}) for number in range(count)]


def threads_that_make_batches():
    """Threads beside those that were there at the beginning of a test."""
    return threading.active_count() - 1


def test_ahead_yields_the_same():
    items = some(50)

    assert list(ahead(iter(items))) == items
    assert list(ahead(iter([]))) == []
    assert threads_that_make_batches() == 0


def test_ahead_makes_some_batches_while_the_last_one_is_worked_on():
    made = []
    source = ahead(made.append(item) or item for item in some(50))

    next(source)
    deadline = time.monotonic() + 10
    while len(made) < 1 + AHEAD and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.05)  # it must not run on: batches take memory

    assert 1 + AHEAD <= len(made) <= 2 + AHEAD
    source.close()


def test_what_goes_wrong_while_batches_are_made_is_raised_where_they_are_used():
    def broken():
        yield from some(2)
        raise ValueError("the third is broken")

    found = []
    with pytest.raises(ValueError, match="the third is broken"):
        found.extend(ahead(broken()))
    assert threads_that_make_batches() == 0


@pytest.mark.parametrize("used", [1, 3, 20])
def test_who_stops_early_leaves_no_thread(used):
    endless = (item for _ in iter(int, 1) for item in some(1))

    source = ahead(endless)
    for _ in range(used):
        next(source)
    source.close()

    assert threads_that_make_batches() == 0


def test_a_signal_while_waiting_for_a_batch_leaves_no_thread():
    def interrupted():
        time.sleep(0.2)
        yield from some(50)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(KeyboardInterrupt):
        next(ahead(interrupted()))
    signal.signal(signal.SIGALRM, before)

    assert threads_that_make_batches() == 0
