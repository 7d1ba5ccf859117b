"""Ray: nodes are killed in the middle of the work, and the bytes are those of one process; see clusters.py."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from clusters import CANNOT_START
from conftest import COMMAND, PATIENCE

from kexue_cli import engine
from kexue_cli.errors import KexueError

PROGRAM = Path(__file__).with_name("clusters.py")
FRUIT = "葡萄很甜\n葡萄很酸\n我买葡萄\n他吃葡萄\n蜘蛛很大\n蜘蛛很小\n我怕蜘蛛\n他看蜘蛛\n" * 10


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs kexue[ray]")
def test_a_node_that_is_killed_changes_nothing(tmp_path, little_model):
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")
    (tmp_path / "texts.txt").write_text("我爱北京天安门\n" * 40, "utf-8")
    output = tmp_path / "cluster"
    output.mkdir()

    process = subprocess.Popen(
        [sys.executable, PROGRAM, tmp_path / "corpus.txt", tmp_path / "texts.txt", little_model, output],
        env={**os.environ, "RAY_AUTH_MODE": "disabled"}, cwd=tmp_path, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        out = process.communicate(timeout=3 * PATIENCE)[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    if process.returncode == CANNOT_START:
        pytest.skip("this machine is too busy to start Ray")
    assert (process.returncode, out) == (0, b"1\n")  # one node is left of three
    for arguments in (
        ("train", "segmentation", "corpus.txt", "-o", "model"),
        ("predict", "segmentation", "texts.txt", "--text", "-m", little_model, "-o", "answers.jsonl"),
    ):
        subprocess.run([*COMMAND, *arguments, "-q"], cwd=tmp_path, check=True, timeout=PATIENCE)
    for name in ("lexicon.tsv", "lexicon.trie"):
        assert (output / "model" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()
    manifest = json.loads((output / "answers" / "manifest.json").read_text("utf-8"))
    answers = [output / "answers" / file["name"] for file in manifest["files"]]
    assert b"".join(path.read_bytes() for path in answers) == (tmp_path / "answers.jsonl").read_bytes()
    assert manifest["records"] == 40


def test_an_address_where_nobody_listens_is_told_at_once():
    with socket.socket() as closed:  # bound, but it does not listen
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(KexueError, match=f"^there is no Ray cluster at {address}: Connection refused$"):
            engine.connected(address).__enter__()
