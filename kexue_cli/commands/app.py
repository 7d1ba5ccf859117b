"""The table of subcommands, in the order in which help shows them."""

import importlib
import logging
from typing import Annotated

import typer

from kexue_cli import __version__, console

CONTEXT = {"help_option_names": ["-h", "--help"]}


def _group(summary: str) -> typer.Typer:
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT,
    )


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"kexue {__version__}")
        raise typer.Exit


class _Warnings(logging.Handler):
    """Shows what the loader, which never talks itself, warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one warning."""
        console.warn(record.getMessage())


logging.getLogger("kexue_cli").addHandler(_Warnings())

SUMMARIES: dict[str, str | None] = {  # of the groups; a command's is in its own help
    "segment": None,
    "train": "Train a model on your own files.",
    "predict": "Answer records, one line each, in order.",
    "evaluate": "Predict and score with the task's metric.",
    "models": "List, show and check models.",
    "data": "List and show sample data; check records; convert published formats.",
    "view": None,
    "doctor": None,
}


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def app_for(name: str | None = None) -> typer.Typer:
    """Return the app; with the name of a command or group that alone, which takes half the time to import.

    A name that is not known gives the whole app, which knows what was meant.
    """
    app = _group(
        "Chinese NLP at the shell: text or JSON lines in, text or JSON lines out. Works offline, on your own files."
    )
    app.callback()(_root)
    for each in [name] if name is not None and name in SUMMARIES else SUMMARIES:
        module = importlib.import_module(f"kexue_cli.commands.{each}")
        summary = SUMMARIES[each]
        if summary is None:
            app.command(each)(getattr(module, each))
            continue
        group = _group(summary)
        for command, function in module.COMMANDS.items():
            group.command(command)(function)
        app.add_typer(group, name=each)
    return app
