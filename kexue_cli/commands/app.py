"""The table of subcommands, in the order in which help shows them."""

import logging
from typing import Annotated

import typer

from kexue_cli import __version__, console
from kexue_cli.commands import data, doctor, evaluate, models, predict, segment, train, view

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

app = _group(
    "Chinese NLP at the shell: text or JSON lines in, text or JSON lines out. Works offline, on your own files."
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("segment")(segment.segment)

for _name, _module, _summary in (
    ("train", train, "Train a model on your own files."),
    ("predict", predict, "Answer records, one line each, in order."),
    ("evaluate", evaluate, "Predict and score with the task's metric."),
    ("models", models, "List, show and check models."),
    ("data", data, "List and show sample data; check records; convert published formats."),
):
    _sub = _group(_summary)
    for _command, _function in _module.COMMANDS.items():
        _sub.command(_command)(_function)
    app.add_typer(_sub, name=_name)

app.command("view")(view.view)
app.command("doctor")(doctor.doctor)
