"""The Typer app, and the one funnel from our errors to one line on standard error and an exit status."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from kexue_cli import __version__, console
from kexue_cli.errors import ClosedPipe, KexueError, Terminated

INTERRUPTED = 130
LONGEST_MESSAGE = 2000  # characters


def main() -> None:
    """Run the command line and end the process with its exit status."""
    if sys.argv[1:] == ["--version"]:  # before anything else is imported
        sys.exit(_guarded(lambda: print(f"kexue {__version__}", flush=True)))
    sys.exit(_guarded(_run))


def _run() -> object:
    gc.disable()  # looking for garbage among modules that stay would take 0.01 s
    from kexue_cli.commands.app import app_for

    app = app_for(sys.argv[1] if len(sys.argv) > 1 else None)
    gc.enable()
    return app(prog_name="kexue", standalone_mode=False)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated("terminated")


def _guarded(run: Callable[[], object]) -> int:
    """Call *run*; return the exit status of whatever happens."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # help under a locale without Chinese
    try:
        status = run()
        if sys.stdout is not None:
            sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, ClosedPipe):
        _abandon_output()
        return 0
    except SystemExit as error:  # Typer's own answer to a closed pipe, while it shows help
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        _abandon_output()
        return 0
    except Terminated as error:
        return error.exit_status
    except KexueError as error:
        console.show(one_line(f"kexue: {error}"))
        return error.exit_status
    except MemoryError:
        console.show("kexue: out of memory; try fewer --threads, shorter lines or --max-memory")
        return 1
    except OSError as error:
        _abandon_output()
        where = f" {error.filename}" if error.filename else ""
        console.show(one_line(f"kexue: the system says:{where} {error.strerror or error}"))
        return 1
    except Exception as error:
        if not _is_usage_error(error):
            raise
        return _show_usage_error(error)


def one_line(message: str) -> str:
    """Return a message as one line that a terminal may be shown, whatever a file brought into it."""
    shown = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in shown)


def _abandon_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter's own flush at exit cannot fail."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.close(devnull)


def _is_usage_error(error: Exception) -> bool:
    typer = sys.modules.get("typer")
    return typer is not None and isinstance(error, (typer.exceptions.TyperException, typer.Abort))


def _show_usage_error(error: Exception) -> int:
    """Show what Typer says as one line; return its exit status."""
    message = error.format_message() if hasattr(error, "format_message") else "aborted"
    message = message.replace("Value error, ", "")  # pydantic's way to speak
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kexue"
    if type(error).__name__ == "NoArgsIsHelpError":  # the message is the help
        console.show(message)
    else:
        console.show(one_line(f"kexue: {' '.join(message.split())} (see: {path} --help)"))
    return int(getattr(error, "exit_code", 1))


if __name__ == "__main__":
    main()
