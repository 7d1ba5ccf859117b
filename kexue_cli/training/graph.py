"""The graph of a network as an ONNX file: the same bytes for the same network.

TensorFlow makes one of nodes that compute the same, and which of their names and places it keeps differs from one
process to the next; so names and order are given anew here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto


def write_graph(network: Any, path: Path) -> None:
    """Write a network of Keras as an ONNX file. It must have been called before, as Keras wants it."""
    network.export(path, format="onnx", verbose=False)
    from onnx import helper, load_model, save_model

    model = load_model(path)
    _flatten_products(model.graph)
    nodes, weights = _in_order(model.graph)
    graph = helper.make_graph(nodes, path.stem, model.graph.input, model.graph.output, weights)
    save_model(helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version), path)


def _flatten_products(graph: "GraphProto") -> None:
    """Make the weights (1, d, n) of products, see layers/dense.py, (d, n).

    ONNX Runtime packs a matrix when it opens the file, and (1, d, n) again for each batch.
    """
    kernels: set[str] = set()
    others: set[str] = set()
    for node in graph.node:
        place = 1 if node.op_type == "MatMul" else len(node.input)
        kernels.update(node.input[place:])
        others.update(node.input[:place])
    for tensor in graph.initializer:
        if tensor.name in kernels - others and len(tensor.dims) == 3 and tensor.dims[0] == 1:
            del tensor.dims[0]


def _in_order(graph: "GraphProto") -> "tuple[Sequence[NodeProto], Sequence[TensorProto]]":
    """Return the nodes that lead to the outputs and their weights, each once, in an order and with names of our own.

    The order is that in which the outputs need them, from the first input of each node to the last.
    """
    makers = _merged(graph)
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    outputs = [value.name for value in graph.output]
    names = {value.name: value.name for value in graph.input} | {"": ""}  # "" is an input that is left out
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    wanted = outputs[::-1]
    while wanted:
        name = wanted[-1]
        missing = [source for source in makers[name].input if source not in names] if name in makers else []
        if missing:
            wanted += reversed(missing)
            continue
        wanted.pop()
        if name in names:
            continue
        if name in makers:
            nodes.append(makers[name])
            names |= {
                made: made if made in outputs else f"value_{len(nodes)}_{i}" for i, made in enumerate(nodes[-1].output)
            }
        else:
            weights.append(tensors[name])
            names[name] = name if name in outputs else f"weights_{len(weights)}"
    for index, node in enumerate(nodes, 1):
        node.name = f"{node.op_type}_{index}"
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in weights:
        tensor.name = names[tensor.name]
    return nodes, weights


def _merged(graph: "GraphProto") -> "dict[str, NodeProto]":
    """Return the node that makes each value. Of nodes, and weights, that are the same, only the first one is used."""
    from onnx.numpy_helper import to_array

    outputs = {value.name for value in graph.output}
    first: dict[tuple[object, ...], Sequence[str]] = {}
    same: dict[str, str] = {}
    for tensor in graph.initializer:
        content = (tensor.data_type, *tensor.dims, to_array(tensor).tobytes())
        same[tensor.name] = first.setdefault(content, [tensor.name])[0]
    makers: dict[str, NodeProto] = {}
    for node in graph.node:  # each behind those that make its inputs
        node.input[:] = [same.get(name, name) for name in node.input]
        attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
        content = (node.op_type, *attributes, *node.input, *outputs.intersection(node.output))
        for name, its in zip(node.output, first.setdefault(content, node.output), strict=True):
            same[name] = its
        makers |= dict.fromkeys(node.output, node)
    return makers
