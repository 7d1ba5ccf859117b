"""The README says what is true: its examples run, its commands and options exist, both languages show the same."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CHINESE = ROOT / "README.zh.md"


def code_blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.DOTALL)


def commands_without_comments(block: str) -> list[str]:
    return [line.partition("  #")[0].strip() for line in block.splitlines() if line.strip()]


def options_in(text: str) -> set[tuple[str, str]]:
    """Pairs of a subcommand and a long option that stand in one shell command."""
    found = set()
    for line in text.splitlines():
        for command in re.split(r"[|<>&]+", line.partition("  #")[0]):
            match = re.search(r"\bkexue ((?:train|predict|evaluate|models|data) \w+|segment|doctor)\b(.*)", command)
            if match:
                found |= {(match[1], option) for option in re.findall(r"--[a-z-]+", match[2])}
    return found


def test_the_python_examples_run():
    examples = doctest.DocTestParser().get_doctest("\n".join(code_blocks(README, "python")), {}, "README", None, None)

    results = doctest.DocTestRunner().run(examples)

    assert results.attempted >= 4
    assert results.failed == 0


def test_the_first_example_gives_what_is_shown():
    shown = code_blocks(README, "sh")[0].splitlines()
    text = re.fullmatch(r"\$ echo (.*) \| kexue segment", shown[0])[1]

    done = subprocess.run(
        [sys.executable, "-m", "kexue_cli", "segment"], input=text.encode(), capture_output=True, check=True
    )

    assert done.stdout.decode().strip() == shown[1]


@pytest.mark.parametrize(("command", "option"), sorted(options_in("\n".join(code_blocks(README, "sh")))))
def test_options_in_the_examples_exist(command, option):
    done = subprocess.run(
        [sys.executable, "-m", "kexue_cli", *command.split(), "--help"], capture_output=True, check=True
    )

    assert option in done.stdout.decode()


def test_both_languages_have_the_same_examples():
    for language in ("sh", "python"):
        english = [commands_without_comments(block) for block in code_blocks(README, language)]
        chinese = [commands_without_comments(block) for block in code_blocks(CHINESE, language)]

        assert english == chinese


def test_every_module_of_segmentation_stands_in_the_tree():
    tree = README.read_text("utf-8").partition("## Where things are")[2]

    for path in (ROOT / "kexue_cli" / "segmentation").glob("[a-z]*.py"):
        assert path.stem in tree
