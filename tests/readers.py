"""Readers so small that one can work out their answers in the head, made without training."""

from dataclasses import asdict
from pathlib import Path

import pytest

from kexue_cli.config import FORMAT, write_json
from kexue_cli.zoo import write_sums

POINTERS = {  # probability that an answer starts, and that one ends, at a character
    "鲁": (0.9, 0),
    "迅": (0, 0.9),
    "周": (0.6, 0),
    "人": (0, 0.5),
    "巴": (0.3, 0),
    "金": (0, 0.3),
    "1": (0.7, 0),
    "年": (0, 0.7),
}
THRESHOLD = 0.05


def write_little_reader(folder: Path) -> Path:
    """Write a reader that knows what answers look like: 鲁迅, 周..人, 巴金, 1...年.

    A character of the question is never the end of an answer. 鲁迅 in one passage has p = .81 and the score .2660,
    周树人 .3 and .0647, 1936年 .49 and .1388, 巴金 .09 and .0074, which is below the threshold.
    """
    from kexue_cli.tasks.encoding import VOCABULARY, digests
    from kexue_cli.tasks.qa.config import AugmentationConfig, DecodingConfig, NetworkConfig, PreprocessorConfig
    from kexue_cli.text.vocabulary import Vocabulary

    folder.mkdir()
    vocabulary = Vocabulary(list(POINTERS))
    vocabulary.write(folder / VOCABULARY)
    preprocessor = PreprocessorConfig(words="", features=("match",))
    config = {
        "preprocessor": {**asdict(preprocessor), "digests": digests(preprocessor)},
        "augmentation": asdict(AugmentationConfig()),
        "network": asdict(NetworkConfig(vocabulary_size=len(vocabulary), features=5)),
        "decoding": asdict(DecodingConfig(threshold=THRESHOLD, across_marks=0.2)),
    }
    write_json(folder / "config.json", {"format": FORMAT, "task": "qa", **config})
    _write_pointers(folder / "network.onnx", [(0, 0), (0, 0), *POINTERS.values()])
    write_sums(folder)
    return folder


def _write_pointers(path: Path, table: list[tuple[float, float]]) -> None:
    """Write a network that looks the pointers of each id up, where the first feature (in the question) is 0."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, save_model

    nodes = [
        helper.make_node("Slice", ["features", "zero", "one", "last"], ["in_question_3d"]),
        helper.make_node("Squeeze", ["in_question_3d", "last"], ["in_question"]),
        helper.make_node("Sub", ["float_one", "in_question"], ["is_news"]),
    ]
    constants = [
        helper.make_tensor("zero", TensorProto.INT64, [1], [0]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("float_one", TensorProto.FLOAT, [], [1]),
    ]
    for name, values in zip(("start", "end"), zip(*table, strict=True), strict=True):
        nodes.append(helper.make_node("Gather", [f"{name}_table", "passage"], [f"{name}_pointer"]))
        nodes.append(helper.make_node("Mul", [f"{name}_pointer", "is_news"], [f"{name}_product"]))
        nodes.append(helper.make_node("Unsqueeze", [f"{name}_product", "last"], [name]))  # one member
        constants.append(helper.make_tensor(f"{name}_table", TensorProto.FLOAT, [len(table)], values))
    graph = helper.make_graph(
        nodes,
        "pointers",
        [
            helper.make_tensor_value_info("question", TensorProto.INT32, ["b", "u"]),
            helper.make_tensor_value_info("passage", TensorProto.INT32, ["b", "t"]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["b", "t", 5]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", "t", 1]) for name in ("start", "end")],
        constants,
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)
