"""The ONNX file of a network: what ONNX Runtime makes of it is what Keras does, sooner; by chance nothing differs."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tf2onnx")

import keras
import onnx
from keras import ops

from kexue_cli.layers.dense import Dense
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.training.graph import write_graph

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


class Exporter:
    """In place of a network: what the exporter made of one, this time."""

    def __init__(self, nodes, weights):
        values = [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["b", 2]) for name in ("x", "y", "z")
        ]
        tensors = [onnx.numpy_helper.from_array(np.array(value, "float32"), name) for name, value in weights.items()]
        made = [onnx.helper.make_node(kind, inputs, outputs) for kind, inputs, outputs in nodes]
        graph = onnx.helper.make_graph(made, "network", values[:1], values[1:], tensors)
        self.model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8)

    def export(self, path, **_):
        onnx.save(self.model, path)


# y = 2x and z = (y + 1) y, twice: other names and another order, y used and made again, a node that nobody needs
ONCE = Exporter(
    [("Mul", ["x", "two"], ["y"]), ("Add", ["y", "one"], ["a"]), ("Mul", ["a", "y"], ["z"])],
    {"two": [2, 2], "one": 1},
)
AGAIN = Exporter(
    [("Mul", ["x", "deux"], ["p"]), ("Neg", ["p"], ["r"]), ("Mul", ["x", "zwei"], ["y"]), ("Add", ["p", "eins"], ["s"]),
     ("Mul", ["s", "y"], ["z"])],
    {"zwei": [2, 2], "eins": 1, "deux": [2, 2]},
)  # fmt: skip


def test_the_same_network_has_the_same_bytes_whatever_the_exporter_made_of_it(tmp_path):
    one, other = tmp_path / "one" / "network.onnx", tmp_path / "other" / "network.onnx"
    for exporter, path in ((ONCE, one), (AGAIN, other)):
        path.parent.mkdir()
        write_graph(exporter, path)

    assert one.read_bytes() == other.read_bytes()
    assert [node.op_type for node in onnx.load(one).graph.node] == ["Mul", "Add", "Mul"]
    found = OnnxRuntime(one)({"x": np.array([[1, 2]], "float32")})
    assert {name: array.tolist() for name, array in found.items()} == {"y": [[2, 4]], "z": [[6, 20]]}


def test_outputs_that_are_the_same_keep_their_names(tmp_path):
    nodes = [("Mul", ["x", "two"], ["y"]), ("Mul", ["x", "two"], ["z"])]

    write_graph(Exporter(nodes, {"two": 2}), tmp_path / "network.onnx")

    found = OnnxRuntime(tmp_path / "network.onnx")({"x": np.array([[1, 2]], "float32")})
    assert found["y"].tolist() == found["z"].tolist() == [[2, 4]]


def test_what_a_node_leaves_out_stays_out(tmp_path):
    # what is above 3 is cut off, and nothing below; nobody wants to know what was dropped
    nodes = [("Dropout", ["x"], ["a", ""]), ("Clip", ["a", "", "three"], ["y"]), ("Neg", ["x"], ["z"])]

    write_graph(Exporter(nodes, {"three": 3}), tmp_path / "network.onnx")

    found = OnnxRuntime(tmp_path / "network.onnx")({"x": np.array([[1, 4]], "float32")})
    assert {name: array.tolist() for name, array in found.items()} == {"y": [[1, 3]], "z": [[-1, -4]]}
