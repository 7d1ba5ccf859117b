"""Networks so small that one can work out their answers in the head."""

from pathlib import Path

import numpy as np
import pytest


def write_sums_network(path: Path) -> Path:
    """Write a network that takes ids (b, t) and returns doubled (b, t), each id times 2, and total (b), their sum."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, save_model

    nodes = [
        helper.make_node("Cast", ["ids"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["floats", "floats"], ["doubled"]),
        helper.make_node("ReduceSum", ["doubled", "last_axis"], ["total"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["b", "t"])],
        [
            helper.make_tensor_value_info("doubled", TensorProto.FLOAT, ["b", "t"]),
            helper.make_tensor_value_info("total", TensorProto.FLOAT, ["b"]),
        ],
        [helper.make_tensor("last_axis", TensorProto.INT64, [1], [1])],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)
    return path


def write_recurrent_network(path: Path) -> Path:
    """Write a GRU of one unit over x (b, t, 1): alone, ONNX Runtime ends the process where b or t is 0."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, save_model

    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0, 2]),
        helper.make_node("GRU", ["turned", "W", "R"], ["", "last"], hidden_size=1),
        helper.make_node("Squeeze", ["last", "first_axis"], ["state"]),
    ]
    weights = [helper.make_tensor(name, TensorProto.FLOAT, [1, 3, 1], [0.5] * 3) for name in ("W", "R")]
    graph = helper.make_graph(
        nodes,
        "recurrent",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", "t", 1])],
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["b", 1])],
        [*weights, helper.make_tensor("first_axis", TensorProto.INT64, [1], [0])],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)
    return path


def doubled(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the network of sums returns."""
    numbers = inputs["ids"].astype("float32") * 2
    return {"doubled": numbers, "total": numbers.sum(axis=1)}
