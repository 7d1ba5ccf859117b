"""Writes commands.md, the help of every command: python docs/reference.py. A test compares the two."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 100  # columns, whatever the terminal
HEAD = """\
# Commands

What `kexue COMMAND --help` says of each command, at {width} columns.
Written by `python docs/reference.py`; do not edit it here.
"""


def sections(command: Any, parent: Any = None, name: str = "kexue") -> Iterator[tuple[str, str]]:
    """Yield the full name and the help of a command and of all below it, in the order in which help shows them.

    command: of Typer's own copy of Click, which has no public types.
    """
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield context.command_path, command.get_help(context)
    for child in command.commands.values() if hasattr(command, "commands") else ():
        yield from sections(child, context, child.name)


def text() -> str:
    """Return the page."""
    import typer

    from kexue_cli.commands.app import app_for

    command = typer.main.get_command(app_for())
    parts = [f"## {name}\n\n```text\n{help.strip()}\n```\n" for name, help in sections(command)]
    return "\n".join([HEAD.format(width=WIDTH), *parts])


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
