"""The documents as tests read them: pages, their blocks of code, and the commands in these.

A block of shell holds commands, or it is a transcript: lines after ``$`` are commands, the others what they print.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHINESE = "zh"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HERE_DOCUMENT = re.compile(r"<<'(\w+)'")
INPUT = re.compile(r"(?<![<\d])<\s*[^\s<(]+")  # < FILE, which need not be there
PROMPT = "$ "
COMMENT = re.compile(r"(^|\s)\s*# .*$")


@dataclass(frozen=True)
class Command:
    """A shell command. shown: what the page says that it prints; None if it says nothing."""

    text: str
    shown: str | None = None


def pages() -> list[Path]:
    """Return the documents for users in English: those in the root, in docs/, and the cards."""
    found = (ROOT.glob("*.md"), (ROOT / "docs").glob("*.md"), ROOT.glob("models/*/*.md"), ROOT.glob("data/*/*.md"))
    return sorted(path for paths in found for path in paths if path.suffixes == [".md"])


def translation(page: Path) -> Path:
    """Return where the Chinese page beside an English one is."""
    return page.with_suffix(".zh.md") if page.parent == ROOT else page.parent / CHINESE / page.name


def name(page: Path) -> str:
    """Return how tests call a page: its path from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code of a page that are in a language."""
    return [text for found, text in BLOCK.findall(page.read_text("utf-8")) if found == language]


def commands(block: str) -> Iterator[Command]:
    """Yield the commands of a block of shell, without comments."""
    is_transcript = block.startswith(PROMPT)
    lines = iter(block.splitlines())
    command: str | None = None
    printed: list[str] = []
    for line in lines:
        if is_transcript and not line.startswith(PROMPT):
            printed.append(line)
            continue
        if command is not None:
            yield Command(command, "\n".join(printed))
            command, printed = None, []
        text = _whole(line.removeprefix(PROMPT), lines)
        if is_transcript:
            command = text
        elif text:
            yield Command(text)
    if command is not None:
        yield Command(command, "\n".join(printed))


def _whole(line: str, more: Iterator[str]) -> str:
    """Return a command with the lines that belong to it: after a backslash, and of a here-document."""
    text = line
    while text.endswith("\\"):
        text += "\n" + next(more)
    if mark := HERE_DOCUMENT.search(text):
        while text.splitlines()[-1] != mark[1]:
            text += "\n" + next(more)
        return text
    return COMMENT.sub("", text).rstrip()


def bash(script: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a script in a folder; ``kexue`` is our command."""
    head = f'kexue() {{ "{sys.executable}" -m kexue_cli "$@"; }}\n'
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", head + script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=variables or {**os.environ, "LC_ALL": "C.UTF-8"},
        check=False,
    )


# What is found by no other name may run kexue itself, as xargs and ssh do: its words say so.
RECORDER = r"""
kexue() { printf '%s\0' "$@" $'\x1e' >> "$RECORD"; }  # the ends of a pipe record at once: no line feed, one write
command_not_found_handle() {
  while [ $# -gt 0 ]; do
    case "$1" in
      kexue) shift; kexue "$@"; return ;;
      "kexue "*) eval "$1" ;;
    esac
    shift
  done
}
"""


def arguments(script: str, folder: Path) -> list[list[str]]:
    """Return the arguments of each ``kexue`` of a script, as the shell would give them; nothing else is run.

    Whatever else the script calls is not found, so pipes and substitutions are empty.
    """
    record = folder / "arguments"
    script = INPUT.sub("< /dev/null", script)
    bash(f"{RECORDER}{script}\nwait", folder, PATH="/nowhere", RECORD=str(record), DATA="/DATA")
    if not record.exists():
        return []
    calls = record.read_bytes().decode().split("\0\x1e\0")
    record.unlink()
    return [call.split("\0") for call in calls if call]
