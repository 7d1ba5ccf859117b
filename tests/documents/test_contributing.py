"""CONTRIBUTING speaks of the code as it is: its tree is whole, and what "how to add a task" names is there."""

import re

import pytest
from pages import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PACKAGE = ROOT / "kexue_cli"
TREE = TEXT.partition("## Where things are")[2].partition("## ")[0]
STEPS = TEXT.partition("## How to add a task in a day")[2]
PATH = re.compile(r"`((?:kexue_cli|tests|docs|models|data|benchmarks)/[\w./-]*)`")
NAMES = re.compile(r"((?:`\w+`(?:\([^)]*\))?(?:, | and )?)+)[^`.;]*? of `(kexue_cli/[\w/]+\.py)`")


def test_every_module_and_folder_of_the_package_stands_in_the_tree():
    parts = {
        path.name + ("/" if path.is_dir() else "")
        for path in PACKAGE.iterdir()
        if not path.name.startswith(("py.typed", "__pycache__"))
    }

    assert {part for part in parts if f"\n  {part} " not in TREE} == set()


@pytest.mark.parametrize("folder", ["tasks", "segmentation"])
def test_every_part_of_the_larger_folders_stands_in_the_tree(folder):
    parts = [path.stem for path in (PACKAGE / folder).iterdir() if not path.name.startswith("_")]

    assert [part for part in parts if not re.search(rf"\b{part}\b", TREE)] == []


def test_what_the_tree_names_is_there():
    named = re.findall(r"^  (\w+(?:\.py|/)) ", TREE, re.MULTILINE)

    assert len(named) > 15
    assert [name for name in named if not (PACKAGE / name).exists()] == []


def test_the_files_to_follow_are_there():
    paths = PATH.findall(STEPS)

    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_is_to_be_found_in_them_is_there():
    found = NAMES.findall(STEPS)

    assert len(found) >= 6
    for names, path in found:
        code = (ROOT / path).read_text("utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(?:class |def )?{name}\b", code, re.MULTILINE), f"{name} in {path}"
