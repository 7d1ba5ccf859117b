"""The same drawings as text: what is marked stands in brackets, and nothing in it acts on the terminal."""

import pytest
from pictured import EPOCHS, HOSTILE, LATTICE, MENTIONS, QUESTION, RECORDS, STRUCTURE, TRIPLES

from kexue_cli.pictures.kinds import drawings
from kexue_cli.pictures.terminal import writer


def text_of(*records: dict, is_terminal: bool = False) -> str:
    return "".join(map(writer(is_terminal=is_terminal), drawings(enumerate(records, 1), "records")))


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (QUESTION, "《呐喊》的作者[鲁迅]○生于绍兴。"),
        (QUESTION, "[巴金]✗写了《家》。"),
        (TRIPLES, "✗ wrong   绍兴     作者       鲁迅    0.4"),
        (MENTIONS, "[小米→K2]✗发布了新[手机]✓。"),
        (LATTICE, "*  2–4    北京    kept  user"),
        (STRUCTURE, "├── 北京"),
        (EPOCHS[0], "1      1      3     0.25  10"),
    ],
)
def test_a_record_is_drawn_in_lines(record, line):
    assert line in text_of(record).splitlines()


def test_curves_are_drawn_with_the_first_and_last_values():
    rows = [line.split() for line in text_of(*EPOCHS).splitlines()]

    assert ["loss", "█▁", "3", "1", "1", "3"] in rows
    assert ["f1", "▁█", "0.25", "0.75", "0.25", "0.75"] in rows


def test_every_record_has_its_line_above_it():
    starts = [line.split(" · ")[0] for line in text_of(*RECORDS).splitlines() if line.endswith("───")]

    assert starts == ["1", "2", "3", "4", "5", "6", "7", "8", "10", "12", "13", "14"]


def test_text_cannot_act_on_the_terminal():
    text = text_of({**HOSTILE, "escape\x1b]0;title\x07": "\x1b[2J\x9b"})

    assert "\\u202e[反写]\\u202c" in text
    assert "escape\\u001b]0;title\\u0007: \\u001b[2J\\u009b" in text
    assert not [character for character in text if character != "\n" and not character.isprintable()]


def test_colours_are_for_terminals_and_only_if_they_are_wanted(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in text_of(QUESTION)
    assert "\x1b[1;31m巴金" in text_of(QUESTION, is_terminal=True)

    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in text_of(QUESTION, is_terminal=True)
    assert "巴金" in text_of(QUESTION, is_terminal=True)
