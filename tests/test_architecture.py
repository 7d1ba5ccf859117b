"""The layout holds what the README says of it: imports point one way, files stay small."""

import ast
from pathlib import Path

import kexue_cli

PACKAGE = Path(kexue_cli.__file__).parent
LEVELS = {  # a module may import modules of a lower level, and of its own
    "main": 10,
    "__main__": 11,
    "commands": 9,
    "engine": 8,
    "loader": 8,
    "training": 8,
    "pictures": 8,
    "datasets": 8,
    "tasks": 7,
    "runtimes": 6,
    "segmentation": 6,
    "layers": 5,
    "text": 5,
    "records": 4,
    "arrays": 4,
    "onnx_file": 4,
    "weights_file": 4,
    "zoo": 4,
    "provenance": 4,
    "batching": 3,
    "bootstrap": 3,
    "fields": 3,
    "streams": 3,
    "encoding": 3,
    "config": 3,  # reads files with streams
    "device": 3,
    "errors": 1,
    "__init__": 0,
}
ANYWHERE = {"console"}  # imported by main, commands and training only


def level_of(module: str) -> int:
    return LEVELS[[*module.split("."), "__init__"][1]]


def imported_modules(path: Path) -> list[str]:
    """The modules of ours that a file imports when it is imported, not on use."""
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "kexue_cli":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if node.module == "kexue_cli" else node.module for name in names]
    return found


def test_imports_point_one_way():
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        for module in imported_modules(path):
            part = module.split(".")[1]
            if part in ANYWHERE:
                assert parts[0] in ("main", "commands", "training"), f"{path} must not talk to the terminal"
            elif part in LEVELS:
                assert level_of(module) <= LEVELS[parts[0]], f"{path} must not import {module}"


def test_only_the_engine_knows_ray():
    knowing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "ray" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ray")
    }

    assert knowing == {"engine.py"}


def test_no_module_is_longer_than_500_lines():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}

    assert max(lengths.values()) <= 500, max(lengths, key=lengths.get)


def test_every_module_says_what_it_is():
    silent = [str(path) for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert silent == []
