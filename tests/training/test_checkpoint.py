"""Checkpoints: what is read is what was written; what is cut off leaves the one before."""

import hashlib
import io
import os
import signal

import numpy as np
import pytest

from kexue_cli.errors import KexueError
from kexue_cli.training import checkpoint as checkpoints
from kexue_cli.training.checkpoint import FILE, Checkpoint, Position


def example(epoch=3, rows=2):
    """A checkpoint with arrays of several types, ranks and numbers."""
    position = Position(epoch, batch=7, step=99, stage=2, best=0.1 + 0.2, best_epoch=2, losses=[1 / 3, 1e-30],
                        seconds=12.5, history=[{"epoch": 1, "loss": 0.5}])  # fmt: skip
    weights = [np.arange(rows * 3, dtype=np.float32).reshape(rows, 3) / 7, np.array([1, 2], np.uint32)]
    optimizer = [np.array(41, np.int64), *(np.full(2, number, np.float32) for number in range(12))]
    return Checkpoint(position, weights, optimizer, [np.array([[0.1]], np.float32)], "fingerprint")


def assert_same(one, other):
    assert one.position == other.position
    assert one.fingerprint == other.fingerprint
    for name in ("weights", "optimizer", "best"):
        pairs = zip(getattr(one, name), getattr(other, name), strict=True)
        assert all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


def test_what_is_read_is_what_was_written(tmp_path):
    checkpoints.save(tmp_path, example())

    assert_same(checkpoints.load(tmp_path), example())
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_training_without_an_evaluation_yet_has_no_best_weights(tmp_path):
    checkpoints.save(tmp_path, Checkpoint(Position(), [], [], [], ""))

    found = checkpoints.load(tmp_path)

    assert (found.position, found.best) == (Position(), [])
    assert found.position.best < -1e300  # any score is better


def test_a_folder_without_a_checkpoint_has_none(tmp_path):
    assert checkpoints.load(tmp_path) is None
    assert checkpoints.load(tmp_path / "nowhere") is None


def test_a_file_cut_short_anywhere_is_named(tmp_path):
    checkpoints.save(tmp_path, example())
    whole = (tmp_path / FILE).read_bytes()

    for size in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        (tmp_path / FILE).write_bytes(whole[:size])
        with pytest.raises(KexueError, match=f"{FILE} is damaged; remove it to train from the start"):
            checkpoints.load(tmp_path)


def test_any_byte_that_has_changed_is_noticed(tmp_path):
    checkpoints.save(tmp_path, example())
    whole = (tmp_path / FILE).read_bytes()

    for place in range(0, len(whole), 7):
        (tmp_path / FILE).write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        with pytest.raises(KexueError, match="is damaged"):
            checkpoints.load(tmp_path)


def test_a_checkpoint_of_another_version_is_named(tmp_path):
    content = io.BytesIO()
    np.savez(content, position=np.array('{"epoch": 1, "colour": 2}'), fingerprint=np.array(""))
    (tmp_path / FILE).write_bytes(content.getvalue() + hashlib.sha256(content.getvalue()).digest())

    with pytest.raises(KexueError, match=f"{FILE} is of another version of kexue .*colour"):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_write_that_is_cut_off_leaves_the_old_one(tmp_path, monkeypatch, moment):
    checkpoints.save(tmp_path, example(epoch=1))

    child = os.fork()
    if not child:  # killed in the middle, as kill -9 would
        if moment == "write":
            monkeypatch.setattr(os, "fsync", lambda descriptor: os.ftruncate(descriptor, 100) or die())
        else:
            monkeypatch.setattr(os, moment, lambda *arguments: die())
        checkpoints.save(tmp_path, example(epoch=2, rows=1000))
        os._exit(0)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert_same(checkpoints.load(tmp_path), example(epoch=1))
    checkpoints.save(tmp_path, example(epoch=3))  # what the other left behind is in nobody's way
    assert checkpoints.load(tmp_path).position.epoch == 3
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_full_disk_leaves_the_old_one(tmp_path, monkeypatch):
    checkpoints.save(tmp_path, example(epoch=1))
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(KexueError, match=r"^cannot write .*checkpoint\.npz: No space left on device$"):
        checkpoints.save(tmp_path, example(epoch=2))

    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.FILE]
    assert_same(checkpoints.load(tmp_path), example(epoch=1))
