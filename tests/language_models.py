"""Reviews and couplets, and the tiny models that learn them by heart, in seconds; several tests share them.

Of each kind of review there are two, and how it begins tells which one it is.
"""

import functools
import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import COMMAND, PATIENCE

REVIEWS = {  # by what it is about, and whether it is good
    ("手机", 1): ["屏幕很好，我很喜欢", "手机很快，我很喜欢"],
    ("手机", 0): ["屏幕坏了，我要退货", "手机很慢，我要退货"],
    ("水果", 1): ["苹果很甜，我很喜欢", "梨子很脆，我很喜欢"],
    ("水果", 0): ["苹果坏了，我要退货", "梨子很酸，我要退货"],
}
KINDS = list(REVIEWS)
COUPLETS = {"天高": "地厚", "红花": "绿叶", "春风来": "秋雨去", "花开，鸟叫": "月落，鱼游"}  # first line to second
SETTINGS = {"network.width": 32, "network.depth": 2, "network.heads": 2, "network.condition": 8, "network.longest": 32,
            "network.buckets": 64, "network.run_size": 4, "network.dropout": 0.0, "training.epochs": 20,
            "training.batch_size": 8, "training.learning_rate": 0.01, "training.ema_momentum": 0.5}  # fmt: skip
TINY = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
REPEATS = 8  # of each text in the data
OF_REVIEWS = ["reviews.jsonl", "--dev", "dev.jsonl"]
OF_COUPLETS = ["couplets.jsonl", "--dev", "couplets.jsonl", "--condition-text", "first", "--target", "second",
               "--set", "decoding.mirror=true"]  # fmt: skip
DATA = {"reviews.jsonl", "dev.jsonl", "couplets.jsonl"}

Trained = tuple[tempfile.TemporaryDirectory, Path, list[str]]


def lines_of(*records: dict) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def condition_of(kind: tuple[str, int]) -> dict:
    return dict(zip(("cat", "label"), kind, strict=True))


def reviews() -> list[dict]:
    """A record of each review."""
    return [{"condition": condition_of(kind), "text": text} for kind, texts in REVIEWS.items() for text in texts]


def couplets() -> list[dict]:
    """A record of each couplet, with fields of its own."""
    return [{"first": first, "second": second} for first, second in COUPLETS.items()]


def write_data(folder: Path) -> None:
    """./reviews.jsonl with 64 texts, ./dev.jsonl with the 8 different ones, ./couplets.jsonl with 64."""
    (folder / "reviews.jsonl").write_text(lines_of(*reviews() * REPEATS), "utf-8")
    (folder / "dev.jsonl").write_text(lines_of(*reviews()), "utf-8")
    (folder / "couplets.jsonl").write_text(lines_of(*couplets() * 2 * REPEATS), "utf-8")


def train(folder: Path, *arguments: str) -> list[str]:
    """Train in a folder with data and return what is said meanwhile."""
    command = [*COMMAND, "train", "generation", *arguments, "-o", "model", "--threads", "1", *TINY]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr.splitlines()


def _trained(*arguments: str) -> Trained:
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    holder = tempfile.TemporaryDirectory(prefix="kexue-generation-")  # removed at the end of the process
    folder = Path(holder.name)
    write_data(folder)
    return holder, folder / "model", train(folder, *arguments)


@functools.cache
def trained_reviews() -> Trained:
    """The folder of a model of reviews, beside its data, and what was said meanwhile. Not to be changed."""
    return _trained(*OF_REVIEWS)


@functools.cache
def trained_couplets() -> Trained:
    """The folder of a model of second lines after first ones, beside its data, and what was said. Not to be changed."""
    return _trained(*OF_COUPLETS)
