"""Questions of a library and the tiny model that learns them by heart, in seconds; train and predict share it."""

import functools
import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE

GROUPS = [
    ["怎么借书", "借书要怎么办", "想借一本书"],
    ["怎么还书", "还书在哪里", "我要还一本书"],
    ["几点开门", "什么时候开门", "早上几点开门"],
    ["几点关门", "什么时候关门", "晚上几点关门"],
    ["怎么办卡", "办卡要什么", "想办一张卡"],
    ["可以停车吗"],
]
PAIRS = [
    ("怎么借书", "想借一本书", 1),
    ("怎么借书", "怎么还书", 0),
    ("几点开门", "什么时候开门", 1),
    ("几点开门", "几点关门", 0),
    ("怎么办卡", "办卡要什么", 1),
    ("怎么办卡", "怎么借书", 0),
    ("怎么办卡", "几点开门", "?"),
]
DEVELOPMENT_GROUPS = [["怎么借书", "想借书"], ["怎么还书", "要还书"], ["几点关门", "晚上什么时候关门"]]
DEVELOPMENT_PAIRS = [("怎么借书", "想借书", 1), ("怎么借书", "要还书", 0), *PAIRS[:6]]  # to be learned by heart
SETTINGS = {"encoder": '""', "network.width": 8, "network.vector": 8, "network.pairs": 8, "network.dropout": 0.0,
            "network.gate_dropout": 0.0, "augmentation.delete_characters": 0.0, "training.epochs": 8,
            "training.batch_size": 6, "training.learning_rate": 0.05, "training.ema_momentum": 0.5}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
FILES = ["groups.jsonl", "pairs.tsv", "--dev", "dev.jsonl", "--dev", "dev.tsv"]
DATA = {"groups.jsonl", "pairs.tsv", "dev.jsonl", "dev.tsv"}


def lines_of(*records: dict) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def groups_of(groups: list[list[str]]) -> str:
    return lines_of(*({"texts": texts} for texts in groups))


def rows_of(pairs: list[tuple]) -> str:
    return "".join("\t".join(map(str, pair)) + "\n" for pair in pairs)


def write_data(folder: Path) -> None:
    """./groups.jsonl with 6 groups of 16 texts, ./pairs.tsv with 7 pairs, one without a label, and both for --dev."""
    (folder / "groups.jsonl").write_text(groups_of(GROUPS), "utf-8")
    (folder / "pairs.tsv").write_text(rows_of(PAIRS), "utf-8")
    (folder / "dev.jsonl").write_text(groups_of(DEVELOPMENT_GROUPS), "utf-8")
    (folder / "dev.tsv").write_text(rows_of(DEVELOPMENT_PAIRS), "utf-8")


def train(folder: Path, *arguments: str) -> list[str]:
    """Train in a folder with data and return what is said meanwhile."""
    command = [*COMMAND, "train", "similarity", *arguments, "-o", "model", "--threads", "1", *TINY]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr.splitlines()


@functools.cache
def trained_model() -> tuple[tempfile.TemporaryDirectory, Path, list[str]]:
    """The folder of a model that has learned, beside its data, and what was said meanwhile. Not to be changed."""
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    holder = tempfile.TemporaryDirectory(prefix="kexue-similarity-")  # removed at the end of the process
    folder = Path(holder.name)
    write_data(folder)
    return holder, folder / "model", train(folder, *FILES)
