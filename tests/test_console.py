"""Talk to the person at the terminal: on standard error, and only where it is wanted."""

import os
import pty
import re
import subprocess
import sys

import pytest
from conftest import COMMAND, PATIENCE

from kexue_cli import console


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr(console, "is_quiet", True)


def test_messages_go_to_standard_error_only(capsys):
    console.say("一行")
    console.warn("两行")
    console.show("三行")

    captured = capsys.readouterr()
    assert captured.err == "一行\nkexue: 两行\n三行\n"
    assert captured.out == ""


@pytest.mark.usefixtures("quiet")
def test_quiet_silences_all_but_errors(capsys):
    console.say("一行")
    console.warn("两行")
    console.show("出错了")

    assert capsys.readouterr().err == "出错了\n"


def test_a_closed_standard_error_is_no_failure(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)

    console.show("没人听")

    assert not console.is_terminal()
    assert capsys.readouterr().out == ""


def test_progress_is_not_drawn_where_nobody_sees_it(capsys):
    with console.progress("training", 10) as advance:
        advance(10)

    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def drawn_by_training(tmp_path, *options: str, **environment: str) -> str:
    """Return what a person at a terminal sees while a small model is trained."""
    (tmp_path / "corpus.txt").write_text("我爱北京天安门\n" * 50, "utf-8")
    ours, theirs = pty.openpty()
    arguments = ["train", "segmentation", "corpus.txt", "-o", "./model", *options]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert out == b""
    return seen.decode()


def test_a_person_at_a_terminal_sees_progress(tmp_path):
    assert "training" in drawn_by_training(tmp_path)


def test_quiet_draws_nothing_at_a_terminal(tmp_path):
    assert drawn_by_training(tmp_path, "--quiet") == ""


def test_no_color_draws_without_colours(tmp_path):
    colours = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|4\d|9\d|10\d)(?:;\d+)*m")

    assert not colours.search(drawn_by_training(tmp_path, NO_COLOR="1"))
