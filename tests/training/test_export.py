"""The ONNX file of a network: what ONNX Runtime makes of it is what Keras does, sooner."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tf2onnx")

import keras
import onnx
from keras import ops

from kexue_cli.layers.dense import Dense
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.training.export import write_graph

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras


def shapes(path):
    """The shapes of the weights in a file."""
    return [tuple(tensor.dims) for tensor in onnx.load(path).graph.initializer if tensor.dims]


def test_the_weights_of_a_product_are_a_matrix(tmp_path):
    # ONNX Runtime packs a matrix when it opens the file, and (1, d, n) for each batch
    x = keras.Input((None, 2), name="x")
    layer = Dense(3, use_bias=False)
    network = keras.Model({"x": x}, {"y": layer(x)})
    layer.set_weights([np.array([[1, 2, 3], [4, 5, 6]], "float32")])
    inputs = {"x": np.array([[[1, 1], [0, 2]]], "float32")}
    network.predict_on_batch(inputs)

    write_graph(network, tmp_path / "network.onnx")

    assert (2, 3) in shapes(tmp_path / "network.onnx")
    assert (1, 2, 3) not in shapes(tmp_path / "network.onnx")
    assert OnnxRuntime(tmp_path / "network.onnx")(inputs)["y"].tolist() == [[[5, 7, 9], [8, 10, 12]]]


def test_weights_that_are_more_than_those_of_a_product_stay(tmp_path):
    x, rows = keras.Input((None, 2), name="x"), keras.Input((None, 3), batch_size=1, name="rows")
    weights = np.array([[[1, 2, 3], [4, 5, 6]]], "float32")
    network = keras.Model(
        {"x": x, "rows": rows}, {"y": ops.matmul(x, weights), "z": ops.concatenate([rows, weights], 1)}
    )
    inputs = {"x": np.ones((1, 1, 2), "float32"), "rows": np.zeros((1, 1, 3), "float32")}
    network.predict_on_batch(inputs)

    write_graph(network, tmp_path / "network.onnx")

    found = OnnxRuntime(tmp_path / "network.onnx")(inputs)
    assert found["y"].tolist() == [[[5, 7, 9]]]
    assert found["z"].tolist() == [[[0, 0, 0], [1, 2, 3], [4, 5, 6]]]
