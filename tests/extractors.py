"""Extractors so small that one can work out their triples in the head, made without training."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path

import pytest

from kexue_cli.config import FORMAT, write_json
from kexue_cli.zoo import write_sums

PREDICATES = {"作者": ("图书作品", "人物"), "出生地": ("人物", "地点")}  # with their types
NAMES = {  # probability that a subject starts and that one ends, what it is the subject of; so for an object
    "呐喊": (0.9, 0.9, "作者", 0, 0, ""),
    "彷徨": (0.8, 0.8, "作者", 0, 0, ""),
    "家": (0.45, 0.45, "作者", 0, 0, ""),  # below the threshold
    "鲁迅": (0.7, 0.7, "出生地", 0.9, 0.9, "作者"),
    "巴金": (0, 0, "", 0.65, 0.55, "作者"),
    "茅盾": (0, 0, "", 0.55, 0.9, "作者"),
    "绍兴": (0, 0, "", 0.8, 0.8, "出生地"),
}
COLUMNS = 2 * len(PREDICATES)  # an object starts, one ends


def write_little_extractor(folder: Path, *, window: int = 64, overlap: int = 16) -> Path:
    """Write an extractor that knows some NAMES; every subject has all objects of its predicate in the text.

    呐喊 作者 鲁迅 has the score .9 * .9 = .81, 彷徨 作者 鲁迅 .72, 鲁迅 出生地 绍兴 .56; 呐喊 作者 巴金
    .9 * sqrt(.65 * .55) = .5381, and 呐喊 作者 茅盾 .9 * sqrt(.55 * .9) = .6332.
    """
    from kexue_cli.tasks.encoding import VOCABULARY, digests
    from kexue_cli.tasks.triples import SCHEMA
    from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, PreprocessorConfig, TriplesConfig
    from kexue_cli.tasks.triples.schema import Schema
    from kexue_cli.text.vocabulary import Vocabulary

    folder.mkdir()
    vocabulary = Vocabulary(list(dict.fromkeys("".join(NAMES))))
    vocabulary.write(folder / VOCABULARY)
    Schema({predicate: (types,) for predicate, types in PREDICATES.items()}).write(str(folder / SCHEMA))
    preprocessor = PreprocessorConfig(words="", window=window, overlap=overlap)
    config = asdict(TriplesConfig(preprocessor=preprocessor))
    config["preprocessor"]["digests"] = digests(preprocessor)
    config["network"] |= {"vocabulary_size": len(vocabulary), "predicates": len(PREDICATES)}
    write_json(folder / "config.json", {"format": FORMAT, "task": "triples", **config, "rules": {}})
    subjects, states = _tables(vocabulary)
    _write_subjects(folder / f"{SUBJECTS}.onnx", subjects, states)
    _write_objects(folder / f"{OBJECTS}.onnx")
    write_sums(folder)
    return folder


def _tables(vocabulary) -> tuple[list[list[float]], list[list[float]]]:
    """The pointers to subjects by id, and the states: pointers to objects, then which of them a subject lets through.

    A name is known by its first character, and ends with its last.
    """
    from kexue_cli.text.vocabulary import PADDING

    size = len(vocabulary)
    subjects, states = ([[0.0] * columns for _ in range(size)] for columns in (2, 2 * COLUMNS))
    subjects[PADDING], states[PADDING] = [0.9] * 2, [0.9] * 2 * COLUMNS  # which nobody may look at
    predicates = list(PREDICATES)
    for name, (subject_start, subject_end, asked, object_start, object_end, given) in NAMES.items():
        first, last = vocabulary.ids(name)[[0, -1]]
        subjects[first][0], subjects[last][1] = subject_start, subject_end
        if given:
            states[first][predicates.index(given)] = object_start
            states[last][len(predicates) + predicates.index(given)] = object_end
        if asked:
            for column in (0, len(predicates)):
                states[first][COLUMNS + column + predicates.index(asked)] = 1
    return subjects, states


def _write_subjects(path: Path, subjects: list[list[float]], states: list[list[float]]) -> None:
    """Write a network that looks both up by id. Inputs: text (b, t) and boundaries (b, t, 2)."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Gather", ["subjects_table", "text"], ["subjects"]),
        helper.make_node("Gather", ["states_table", "text"], ["states"]),
    ]
    constants = [
        helper.make_tensor(f"{name}_table", TensorProto.FLOAT, [len(table), len(table[0])], list(chain(*table)))
        for name, table in (("subjects", subjects), ("states", states))
    ]
    inputs = [
        helper.make_tensor_value_info("text", TensorProto.INT32, ["b", "t"]),
        helper.make_tensor_value_info("boundaries", TensorProto.FLOAT, ["b", "t", 2]),
    ]
    outputs = [
        helper.make_tensor_value_info("subjects", TensorProto.FLOAT, ["b", "t", 2]),
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["b", "t", 2 * COLUMNS]),
    ]
    _save(path, nodes, inputs, outputs, constants)


def _write_objects(path: Path) -> None:
    """Write a network that gives the pointers in the states, as far as that at the subject's start lets them through.

    Inputs: states (b, t, 8) and span (b, 6), the places of the subject from its end to its start.
    """
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Slice", ["span", "five", "six", "one"], ["first"]),  # (b, 1)
        helper.make_node("Cast", ["first"], ["place"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["place", "two"], ["places"]),  # (b, 1, 1)
        helper.make_node("GatherND", ["states", "places"], ["subject"], batch_dims=1),  # (b, 1, 8)
        helper.make_node("Slice", ["subject", "columns", "all_columns", "two"], ["permits"]),
        helper.make_node("Slice", ["states", "zero", "columns", "two"], ["pointers"]),
        helper.make_node("Mul", ["pointers", "permits"], ["objects"]),
    ]
    numbers = {"zero": 0, "one": 1, "two": 2, "five": 5, "six": 6, "columns": COLUMNS, "all_columns": 2 * COLUMNS}
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [number]) for name, number in numbers.items()]
    inputs = [
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["b", "t", 2 * COLUMNS]),
        helper.make_tensor_value_info("span", TensorProto.INT32, ["b", 6]),
    ]
    outputs = [helper.make_tensor_value_info("objects", TensorProto.FLOAT, ["b", "t", COLUMNS])]
    _save(path, nodes, inputs, outputs, constants)


def _save(path: Path, nodes: list, inputs: list, outputs: list, constants: list) -> None:
    from onnx import helper, save_model

    graph = helper.make_graph(nodes, path.stem, inputs, outputs, constants)
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)
