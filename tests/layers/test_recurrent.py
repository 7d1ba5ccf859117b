"""A GRU: the same as Keras's, whatever stands behind the text, and exported as one native node."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from kexue_cli.layers.pooling import LastState
from kexue_cli.layers.recurrent import Gru
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.training.graph import write_graph

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def layer():
    """Weights of all kinds are so strong that a wrong one is seen; those of the biases begin as zeros."""
    layer = Gru(3, return_sequences=True)
    layer.build((None, None, 4))
    layer.set_weights([GENERATOR.normal(size=weight.shape) for weight in layer.weights])
    return layer


@pytest.fixture(scope="module")
def plain(layer):
    """Keras's own, with the same weights."""
    plain = keras.layers.GRU(3, return_sequences=True)
    plain.build((None, None, 4))
    plain.set_weights(layer.get_weights())
    return plain


def sequences(batch, length):
    return GENERATOR.normal(size=(batch, length, 4)).astype("float32")


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (1, 7), (3, 5)])
def test_it_is_the_plain_layer(layer, plain, batch, length):
    x = sequences(batch, length)

    np.testing.assert_allclose(layer(x), plain(x), atol=1e-6)


def test_one_step_by_hand():
    layer = Gru(1, return_sequences=True)
    layer.build((None, None, 1))
    # of update, reset and new: what x counts, what the state counts, and the biases of both
    layer.set_weights([np.array([[1, 2, 3]]), np.array([[-1, 1, 2]]), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])])

    [first], [second] = np.asarray(layer(np.array([[[0.5], [-0.5]]], "float32")))[0]

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    update, reset = sigmoid(0.5 + 0.1 + 0.4), sigmoid(1 + 0.2 + 0.5)
    state = (1 - update) * np.tanh(1.5 + 0.3 + reset * 0.6)
    assert first == pytest.approx(state, abs=1e-6)
    update, reset = sigmoid(-0.5 + 0.1 - state + 0.4), sigmoid(-1 + 0.2 + state + 0.5)
    assert second == pytest.approx(
        update * state + (1 - update) * np.tanh(-1.5 + 0.3 + reset * (2 * state + 0.6)), abs=1e-6
    )


def test_what_stands_behind_a_text_does_not_change_its_states(layer):
    x = sequences(1, 4)

    found = np.asarray(layer(np.concatenate([x, np.full((1, 3, 4), 7, "float32")], axis=1)))

    np.testing.assert_allclose(found[:, :4], layer(x), atol=1e-6)


def test_gradients_are_those_of_the_plain_layer(layer, plain):
    x, target = sequences(3, 5), GENERATOR.normal(size=(3, 5, 3)).astype("float32")
    trained = []
    for one in (Gru(3, return_sequences=True), keras.layers.GRU(3, return_sequences=True)):
        network = keras.Sequential([keras.Input((None, 4)), one])
        network.set_weights(layer.get_weights())
        network.compile(keras.optimizers.SGD(1.0), "mse")
        network.train_on_batch(x, target)
        trained.append(network.get_weights())

    for ours, theirs, before in zip(*trained, layer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert np.abs(ours - before).max() > 1e-3


def test_the_cell_is_its_own_again_after_a_call(layer):
    cell = layer.cell

    layer(sequences(1, 2))

    assert layer.cell is cell
    assert len(layer.trainable_weights) == 3


# ------------------------------------------------------------- exported


@pytest.fixture(scope="module")
def exported(layer, tmp_path_factory):
    """A network of all states and the last one, and its file."""
    pytest.importorskip("tf2onnx")
    inputs = {"x": keras.Input((None, 4), name="x"), "mask": keras.Input((None, 1), name="mask")}
    states = layer(inputs["x"])
    network = keras.Model(inputs, {"states": states, "last": LastState()(states, inputs["mask"])})
    path = tmp_path_factory.mktemp("recurrent") / "network.onnx"
    network({"x": np.zeros((2, 3, 4), "float32"), "mask": np.ones((2, 3, 1), "float32")})  # only what was called is
    write_graph(network, path)
    return network, path


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends export the plain layer")
def test_the_exported_graph_has_a_recurrent_node_and_no_loop(exported):
    onnx = pytest.importorskip("onnx")

    kinds = list(node_types(onnx.load(exported[1]).graph))

    assert kinds.count("GRU") == 1
    assert not set(kinds) & {"Loop", "Scan", "If"}


@pytest.mark.parametrize("lengths", [[1], [7], [7, 3, 1], [2, 5]])
def test_onnx_runtime_answers_as_keras_does(exported, lengths):
    network, path = exported
    x = sequences(len(lengths), max(lengths))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype("float32")[..., None]

    expected, found = network({"x": x, "mask": mask}), OnnxRuntime(path)({"x": x, "mask": mask})

    for name in ("states", "last"):
        np.testing.assert_allclose(found[name], np.asarray(expected[name]), atol=1e-5, err_msg=name)
