"""What a training begins with: a checkpoint of one before is the user's to keep or to give up."""

import fcntl

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.training.checkpoint import FILE
from kexue_cli.training.config import TrainingConfig
from kexue_cli.training.session import Session, fingerprint, work_folder


@pytest.fixture
def session(tmp_path):
    return Session("qa", tmp_path / "reader", TrainingConfig(), "mark", {}, "kexue train qa")


@pytest.fixture
def stopped(session):
    """The checkpoint of a training that did not end."""
    folder = work_folder(session.target)
    folder.mkdir()
    (folder / FILE).write_bytes(b"")
    return folder / FILE


def test_a_first_training_begins_and_leaves_nothing_if_it_goes_no_further(session, tmp_path):
    for is_resumed in (None, False):
        session.begin(is_resumed)

    assert list(tmp_path.iterdir()) == []


def test_there_must_be_something_to_resume(session):
    with pytest.raises(KexueError, match="there is no training to resume"):
        session.begin(True)


def test_a_training_that_was_stopped_before_its_first_checkpoint_begins_anew(session):
    folder = work_folder(session.target)
    folder.mkdir()

    for is_resumed in (None, True, False):
        session.begin(is_resumed)  # is no error

    assert list(folder.iterdir()) == []


def test_a_training_that_did_not_end_is_kept_until_the_user_decides(session, stopped):
    with pytest.raises(KexueError, match="--resume, or begin with --no-resume"):
        session.begin(None)
    session.begin(True)
    assert stopped.exists()

    session.begin(False)
    assert not stopped.exists()


def test_a_training_that_is_under_way_is_not_thrown_away(session, stopped):
    with (stopped.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(KexueError, match=r"another process trains in .*reader"):
            session.begin(False)

    assert stopped.exists()


def test_the_fingerprint_is_that_of_settings_and_records():
    assert fingerprint({"a": 1, "b": 2}, "葡萄") == fingerprint({"b": 2, "a": 1}, "葡萄")
    assert fingerprint({"a": 1}, "葡萄") != fingerprint({"a": 1}, "葡")
    assert fingerprint(TrainingConfig()) != fingerprint(TrainingConfig(epochs=3))
