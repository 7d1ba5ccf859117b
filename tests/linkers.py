"""A little base and the linker that learns it by heart, in half a minute; train and predict share it."""

import functools
import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE

ENTITIES = [
    {"id": "E1", "name": "苹果公司", "aliases": ["苹果", "Apple"], "types": ["公司"],
     "facts": [{"predicate": "产品", "object": "手机"}], "description": "生产手机和电脑的美国科技公司。"},
    {"id": "E2", "name": "苹果", "types": ["水果"], "description": "蔷薇科的水果，味道甜，可以吃。"},
    {"id": "E3", "name": "小米科技", "aliases": ["小米"], "types": ["公司"], "description": "生产手机的科技公司。"},
    {"id": "E4", "name": "小米", "types": ["粮食"], "description": "一种粮食，可以煮粥，吃起来很香。"},
    {"id": "E5", "name": "《呐喊》", "types": ["作品"], "description": "鲁迅的小说集。"},
    {"id": "E6", "name": "鲁迅", "types": ["人物"], "description": "中国作家，写小说。"},
]  # fmt: skip
NAMES = {entity["id"]: entity["name"] for entity in ENTITIES} | {"E9": "北京"}  # the last one only texts tell
OF_COMPANIES = ["{}公司的手机卖得很好。", "{}发布了新的手机。", "我买了{}的电脑和手机。", "{}的股票涨了，公司很高兴。"]
OF_FOOD = ["妈妈煮的{}很香。", "多吃{}对身体好。", "他在市场买了水果和{}。", "{}又甜又好吃。"]
OF_BOOKS = [
    "《呐喊》是鲁迅的小说。",
    "鲁迅写了《呐喊》这本书。",
    "我喜欢鲁迅的《呐喊》。",
    "鲁迅在《呐喊》里写故乡。",
]
SETTINGS = {"encoder": '""', "network.width": 16, "network.rates": [1, 2], "network.compared": 16,
            "network.dropout": 0.0, "network.gate_dropout": 0.0, "preprocessor.window": 64, "preprocessor.overlap": 16,
            "augmentation.drop_words": 0.0, "loss.choice_weight": 1.0, "training.epochs": 2,
            "training.batch_size": 6, "training.learning_rate": 0.02, "training.ema_momentum": 0.8,
            "training.patience": 20}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
TRAIN = ["train", "linking", "train.jsonl", "--dev", "dev.jsonl", "-o", "linker", "--threads", "1"]
BASE = ["--kb", "entities.jsonl"]
DATA = {"train.jsonl", "dev.jsonl", "spans.jsonl", "entities.jsonl"}


def line_of(text: str, mentions: dict[str, str | None] | list[str], **others) -> str:
    """A record; mentions: each once in the text, with its id, or without ids."""
    written = [{"mention": name, "start": text.index(name)} for name in mentions]
    if isinstance(mentions, dict):
        written = [one | {"id": id} for one, id in zip(written, mentions.values(), strict=True)]
    return json.dumps({"text": text, "mentions": written, **others}, ensure_ascii=False) + "\n"


def lines_of(entities: list[dict]) -> str:
    return "".join(json.dumps(entity, ensure_ascii=False) + "\n" for entity in entities)


def write_data(folder: Path) -> None:
    """./train.jsonl with 22 texts, each ten times, ./dev.jsonl, ./spans.jsonl without ids, and ./entities.jsonl."""
    training = [
        line_of(form.format(name), {name: id})
        for name, company, food in (("苹果", "E1", "E2"), ("小米", "E3", "E4"))
        for forms, id in ((OF_COMPANIES, company), (OF_FOOD, food))
        for form in forms
    ]
    training += [line_of(text, {"鲁迅": "E6", "呐喊": "E5"}) for text in OF_BOOKS]
    training += [
        line_of("王芳今天吃了苹果。", {"王芳": None, "苹果": "E2"}),
        line_of("鲁迅住在北京。", {"鲁迅": "E6", "北京": "E9"}),  # which ./entities.jsonl does not have
    ]
    development = [
        line_of("小米公司发布了手机。", {"小米": "E3"}),
        line_of("他煮的小米又香又甜。", {"小米": "E4"}),
        line_of("苹果的新电脑和手机。", {"苹果": "E1"}),
        line_of("王芳喜欢鲁迅。", {"王芳": None, "鲁迅": "E6"}),
    ]
    spans = [line_of("王芳在北京。", ["王芳", "北京"]), line_of("王芳喜欢鲁迅。", ["王芳", "鲁迅"])]
    (folder / "train.jsonl").write_text("".join(training) * 10, "utf-8")
    (folder / "dev.jsonl").write_text("".join(development), "utf-8")
    (folder / "spans.jsonl").write_text("".join(spans), "utf-8")
    (folder / "entities.jsonl").write_text(lines_of(ENTITIES), "utf-8")


@functools.cache
def trained_linker() -> tuple[tempfile.TemporaryDirectory, Path, list[str]]:
    """The folder of a linker that has learned, beside its data, and what was said meanwhile. Not to be changed."""
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    holder = tempfile.TemporaryDirectory(prefix="kexue-linker-")  # removed at the end of the process
    folder = Path(holder.name)
    write_data(folder)
    command = [*COMMAND, *TRAIN, *BASE, "--mentions", "spans.jsonl", *TINY]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return holder, folder / "linker", done.stderr.splitlines()
