"""An LSTM from each side: the same as two plain ones, whatever stands behind the text, and exported as native nodes."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.bidirectional import BidirectionalLstm
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.training.graph import write_graph

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def layer():
    layer = BidirectionalLstm(3)
    layer.build((None, None, 4))
    return layer


def states(layer, x, length=None):
    """The states of one text (t, 4), whose first *length* positions are no padding."""
    x = np.asarray(x, "float32")
    mask = (np.arange(len(x)) < (len(x) if length is None else length)).astype("float32")
    return np.asarray(layer(x[None], mask[None, :, None]))[0]


def test_it_is_two_plain_layers_side_by_side(layer):
    x = GENERATOR.normal(size=(5, 4)).astype("float32")

    found = states(layer, x)

    from_left = np.asarray(layer.forward(x[None]))[0]
    from_right = np.asarray(layer.backward(x[None, ::-1]))[0, ::-1]
    np.testing.assert_allclose(found, np.concatenate([from_left, from_right], axis=-1), atol=1e-6)


def test_each_position_sees_both_sides_and_each_half_one(layer):
    x = GENERATOR.normal(size=(5, 4)).astype("float32")
    changed = x.copy()
    changed[2] += 1

    differs = np.abs(states(layer, x) - states(layer, changed)) > 1e-7

    assert differs[:, :3].any(axis=-1).tolist() == [False, False, True, True, True]
    assert differs[:, 3:].any(axis=-1).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_what_stands_behind_a_text_changes_nothing_and_becomes_zero(layer, length):
    x = GENERATOR.normal(size=(length, 4)).astype("float32")
    padded = np.concatenate([x, np.full((3, 4), 7, "float32")])

    found = states(layer, padded, length)

    np.testing.assert_allclose(found[:length], states(layer, x), atol=1e-6)
    assert not found[length:].any()


def test_each_row_of_a_batch_has_its_own_length(layer):
    x = GENERATOR.normal(size=(3, 6, 4)).astype("float32")
    lengths = np.array([6, 0, 2])
    mask = (np.arange(6) < lengths[:, None]).astype("float32")[..., None]

    together = np.asarray(layer(x, mask))

    for row, length in enumerate(lengths):
        np.testing.assert_allclose(together[row], states(layer, x[row], length), atol=1e-6)
    assert not together[1].any()


def test_both_are_trained(layer):
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(4, 12), (3, 12), (12,)] * 2


# ------------------------------------------------------------- exported


@pytest.fixture(scope="module")
def exported(layer, tmp_path_factory):
    """The layer alone as a network, and its file."""
    pytest.importorskip("tf2onnx")
    inputs = {"x": keras.Input((None, 4), name="x"), "mask": keras.Input((None, 1), name="mask")}
    network = keras.Model(inputs, {"states": layer(inputs["x"], inputs["mask"])})
    path = tmp_path_factory.mktemp("bidirectional") / "network.onnx"
    network({"x": np.zeros((2, 3, 4), "float32"), "mask": np.ones((2, 3, 1), "float32")})  # only what was called is
    write_graph(network, path)
    return network, path


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


def test_the_exported_graph_has_recurrent_nodes_and_no_loop(exported):
    onnx = pytest.importorskip("onnx")

    kinds = list(node_types(onnx.load(exported[1]).graph))

    assert kinds.count("LSTM") == 2
    assert not set(kinds) & {"Loop", "Scan", "If"}


@pytest.mark.parametrize("lengths", [[1], [7], [7, 3, 1], [2, 0]])
def test_onnx_runtime_answers_as_keras_does(exported, lengths):
    network, path = exported
    x = GENERATOR.normal(size=(len(lengths), max(lengths), 4)).astype("float32")
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype("float32")[..., None]

    found = OnnxRuntime(path)({"x": x, "mask": mask})

    np.testing.assert_allclose(found["states"], np.asarray(network({"x": x, "mask": mask})["states"]), atol=1e-5)
