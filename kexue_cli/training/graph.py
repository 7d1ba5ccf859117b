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

    The order is that in which the outputs need them, from the first input of each node to the last. The graph must have
    no graphs inside and nothing random, as no network of ours has for prediction.
    """
    same = _same_values(graph)
    for node in graph.node:
        node.input[:] = [same[name] for name in node.input]
    makers = {name: node for node in graph.node for name in node.output if name}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    outputs = [value.name for value in graph.output]
    names = {value.name: value.name for value in graph.input} | {"": ""}
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
            for place, made in enumerate(nodes[-1].output):
                names.setdefault(made, made if made in outputs else f"value_{len(nodes)}_{place}")
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


def _same_values(graph: "GraphProto") -> dict[str, str]:
    """Return, for each value and weight, the name of one that is the same: an output of the graph if there is one.

    What is left out ("") is its own.
    """
    from onnx.numpy_helper import to_array

    numbers: dict[str, int] = {}  # of equal values, one
    known: dict[tuple[object, ...], int] = {}

    def add(name: str, *content: object) -> None:
        numbers[name] = known.setdefault(content, len(known))

    for name in ("", *(value.name for value in graph.input)):
        add(name, name)
    for tensor in graph.initializer:
        add(tensor.name, tensor.data_type, *tensor.dims, to_array(tensor).tobytes())
    for node in graph.node:  # each behind those that make its inputs
        attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
        inputs = tuple(numbers[name] for name in node.input)
        for place, name in enumerate(node.output):
            if name:
                add(name, node.domain, node.op_type, *attributes, inputs, place)
    first: dict[int, str] = {}
    for name in (*(value.name for value in graph.output), *numbers):
        first.setdefault(numbers[name], name)
    return {name: first[number] for name, number in numbers.items()}
