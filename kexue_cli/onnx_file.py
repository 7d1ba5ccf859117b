"""What must be true of a network.onnx before ONNX Runtime opens it: it stands for itself and holds what it claims.

Only the frame of the file is read, which takes some milliseconds: protocol buffers, whose messages are sequences of
numbered fields (https://protobuf.dev/programming-guides/encoding/), with the numbers of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. What else may be wrong, ONNX Runtime finds.
"""

import math
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from kexue_cli.errors import KexueError, cut

MODEL_GRAPH, MODEL_FUNCTIONS = 7, 25
GRAPH_NODE, GRAPH_TENSOR, GRAPH_SPARSE = 1, 5, 15
NODE_OPERATOR, NODE_ATTRIBUTE = 4, 5
ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS = 5, 10
ATTRIBUTE_OTHERS = (6, 11, 22, 23)  # graphs inside of graphs, and sparse tensors
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 2, 8, 13, 14
MOST_BYTES = (1 << 31) - 1  # of a protocol buffer
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

Field = tuple[int, int | memoryview]  # number, value


class _Damaged(Exception):
    """The bytes are no protocol buffer."""


def check_network(path: Path) -> None:
    """Raise KexueError unless a file is a network of ours by its frame.

    It must have no data in other files, no tensor that claims to be larger than the file, no graph within a graph and
    no functions: ours have none of these, and others could read what is not theirs or run without end.
    Raises OSError if it cannot be read.
    """
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise KexueError(
                f"cannot read {path}: it is empty; see: kexue models verify {path.parent.resolve()}"
            ) from None
    try:
        content = memoryview(mapped)
        if len(content) > MOST_BYTES:
            _refuse(path, f"it has more than {MOST_BYTES:,} bytes")
        for number, value in _fields(content):
            if number == MODEL_FUNCTIONS:
                _refuse(path, "it has functions of its own")
            if number == MODEL_GRAPH:
                _check_graph(path, _message(value), len(content))
    except _Damaged:
        raise KexueError(
            f"cannot read {path}: it is no ONNX file; see: kexue models verify {path.parent.resolve()}"
        ) from None


def _refuse(path: Path, problem: str) -> NoReturn:
    raise KexueError(f"will not open {path}: {problem}; no network of kexue's has that")


def _check_graph(path: Path, graph: memoryview, most: int) -> None:
    for number, value in _fields(graph):
        if number == GRAPH_SPARSE:
            _refuse(path, "it has sparse tensors")
        elif number == GRAPH_TENSOR:
            _check_tensor(path, _message(value), most)
        elif number == GRAPH_NODE:
            for inner, attribute in _fields(_message(value)):
                if inner == NODE_ATTRIBUTE:
                    _check_attribute(path, _message(attribute), most)


def _check_attribute(path: Path, attribute: memoryview, most: int) -> None:
    for number, value in _fields(attribute):
        if number in ATTRIBUTE_OTHERS:
            _refuse(path, "it has a graph within its graph, or a sparse tensor")
        if number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
            _check_tensor(path, _message(value), most)


def _check_tensor(path: Path, tensor: memoryview, most: int) -> None:
    """most: bytes of the file; no element is smaller than half a byte."""
    sizes: list[int] = []
    name = ""
    is_elsewhere = False
    for number, value in _fields(tensor):
        if number == TENSOR_DIMS:
            sizes += [value] if isinstance(value, int) else _varints(value)
        elif number == TENSOR_NAME:
            name = bytes(_message(value)).decode(errors="replace")
        elif number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value):
            is_elsewhere = True
    if is_elsewhere:
        _refuse(path, f"the data of its tensor {cut(name)} are said to be in another file")
    if math.prod(sizes) > 2 * most:  # a negative size is one of nearly 2^64 here
        _refuse(path, f"its tensor {cut(name)} claims to have {cut(sizes)} numbers, more than the file can hold")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _Damaged
    return value


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message; the values of fixed width, which we do not need, as 0."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        value: int | memoryview = 0
        if wire == VARINT:
            value, place = _varint(message, place)
        elif wire == BYTES:
            size, place = _varint(message, place)
            value = message[place : place + size]
            place += size
        elif wire in (FIXED64, FIXED32):
            place += 8 if wire == FIXED64 else 4
        else:
            raise _Damaged
        if place > len(message) or number == 0:
            raise _Damaged
        yield number, value


def _varints(packed: memoryview) -> list[int]:
    numbers = []
    place = 0
    while place < len(packed):
        number, place = _varint(packed, place)
        numbers.append(number)
    return numbers


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number at a place, 7 bits a byte, the lowest first, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise _Damaged
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise _Damaged
