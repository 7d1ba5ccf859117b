"""Readers that another begins from: each becomes a member of it, with the weights that it has."""

import json
import shutil

import numpy as np
import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.qa.beginning import Beginning, go_on
from kexue_cli.tasks.qa.config import NetworkConfig, ReaderConfig


def test_several_readers_become_members_of_one(tmp_path):
    pytest.importorskip("keras")
    from kexue_cli.tasks.qa.network import build

    one = NetworkConfig(vocabulary_size=9, width=4, encoder_rates=(1,), question_rates=(1,), passage_rates=(1, 2))
    shapes = (one, NetworkConfig(**{**vars(one), "members": 2}))
    inputs = {"question": np.array([[2, 3]], np.int32), "passage": np.array([[4, 5, 6, 7]], np.int32)}
    alone = []
    for name, shape in zip(("a", "b"), shapes, strict=True):
        network = build(shape)
        (tmp_path / name).mkdir()
        network.save_weights(tmp_path / name / "network.weights.h5")
        alone.append(np.asarray(network(inputs)["start"]))

    joined = build(NetworkConfig(**{**vars(one), "members": 3}))
    Beginning((tmp_path / "a", tmp_path / "b"), shapes).copy_to(joined)

    np.testing.assert_array_equal(np.asarray(joined(inputs)["start"]), np.concatenate(alone, axis=-1))


def test_the_reader_to_be_has_the_members_of_all(little_reader, tmp_path):
    other = shutil.copytree(little_reader, tmp_path / "other")

    settings, _, beginning = go_on(ReaderConfig(start=(str(little_reader), str(other))))

    assert settings.network.members == 2
    assert beginning.folders == (little_reader, other)


def test_a_reader_is_not_joined_with_itself(little_reader):
    again = f"{little_reader.parent}/../{little_reader.parent.name}/{little_reader.name}"

    with pytest.raises(KexueError, match=f"--from names {little_reader} twice; each reader can be a member once"):
        go_on(ReaderConfig(start=(str(little_reader), again)))


@pytest.mark.parametrize(
    ("part", "name", "value", "problem"),
    [
        ("network", "width", 99, "network.width is 128 in one and 99 in the other"),
        ("preprocessor", "overlap", 3, "preprocessor.overlap is 64 in one and 3 in the other"),
    ],
    ids=["network", "reading"],
)
def test_readers_of_different_shapes_are_not_joined(little_reader, tmp_path, part, name, value, problem):
    other = shutil.copytree(little_reader, tmp_path / "other")
    config = json.loads((other / "config.json").read_text("utf-8"))
    config[part][name] = value
    (other / "config.json").write_text(json.dumps(config), "utf-8")

    with pytest.raises(KexueError, match=f"cannot be members of one reader: {problem}"):
        go_on(ReaderConfig(start=(str(little_reader), str(other))))


def test_readers_that_know_different_characters_are_not_joined(little_reader, tmp_path):
    other = shutil.copytree(little_reader, tmp_path / "other")
    text = (other / "vocabulary.txt").read_text("utf-8")
    (other / "vocabulary.txt").write_text(text.replace("鲁", "葡"), "utf-8")

    with pytest.raises(KexueError, match="they know different characters; train them on the same files"):
        go_on(ReaderConfig(start=(str(little_reader), str(other))))


def test_a_model_of_another_task_is_no_beginning():
    with pytest.raises(KexueError, match="dgcnn-triples is a model for triples, not for qa; see: kexue models list"):
        go_on(ReaderConfig(start=("dgcnn-triples",)))
