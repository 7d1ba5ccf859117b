"""kexue predict generation: texts written under conditions."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.commands.prediction import predict
from kexue_cli.errors import ClosedPipe, KexueError, UsageError
from kexue_cli.records import Record, dump
from kexue_cli.streams import open_output
from kexue_cli.tasks import TASKS

if TYPE_CHECKING:
    from kexue_cli.tasks.generation import Generation
    from kexue_cli.tasks.generation.form import Form

MOST_SAMPLES = 10_000  # of a record; they are held until all are written
DRAWING = ("temperature", "top_p", "top_k")  # settings that a search by beam has no use for
Samples = Annotated[
    int, typer.Option("--samples", "-n", min=1, max=MOST_SAMPLES, metavar="N", help="Texts for each record.")
]
MaxLength = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Characters of a text at most, behind its prefix.")
]
Beam = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Keep the N likeliest beginnings, instead of drawing; 1 is greedy."),
]
Temperature = Annotated[
    float | None,
    typer.Option(min=0, metavar="T", help="Below 1 texts are more usual, above 1 less; 0 takes the likeliest."),
]
TopP = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="P", help="Draw among the likeliest characters that together have this share, above 0."
    ),
]
TopK = Annotated[int | None, typer.Option(min=0, metavar="K", help="Draw among the K likeliest characters; 0: all.")]
Guidance = Annotated[
    float | None,
    typer.Option(min=0, metavar="G", help="How much the condition counts: 1 as it was learned, 0 not at all, 2 more."),
]
Repetition = Annotated[
    float | None,
    typer.Option(min=0, metavar="R", help="How much is taken off the logit of what would repeat three characters."),
]
Lines = Annotated[
    str | None, typer.Option("--form", metavar="7x4|5,7,5", help="Characters of each line; punctuation is between.")
]
Acrostic = Annotated[str | None, typer.Option(metavar="TEXT", help="The first characters of the lines of --form.")]
Require = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE=CHARACTER",
        help="A character at a place, from 1; with --form punctuation is not counted. May be given again.",
    ),
]
Ban = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What no text may hold; may be given again.")]


def predict_generation(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    text: Annotated[
        bool, typer.Option("--text", help="Input lines are the texts that a model for --condition-text goes on from.")
    ] = False,
    samples: Samples = 1,
    prefix: Annotated[
        str | None, typer.Option(metavar="TEXT", help="How texts begin whose record has no prefix of its own.")
    ] = None,
    max_length: MaxLength = None,
    beam: Beam = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    guidance: Guidance = None,
    repetition: Repetition = None,
    form: Lines = None,
    acrostic: Acrostic = None,
    require: Require = None,
    ban: Ban = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Write plain text instead of records, each character as it comes.")
    ] = False,
    seed: options.Seed = 0,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    engine: options.Engine = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
) -> int:
    """Write a text for each record {"condition": {...}}: the record with "text", "sample" (1 to N) and "score".

    The condition holds what the model was trained with: kexue models show NAME tells. What is left out of it is left
    open. A record may have a "prefix", with which its text begins. The score is the mean log-probability of a
    character. What is drawn depends on seed, record and sample alone: the same record gives the same texts again.

    Example: echo '{"condition": {"cat": "手机", "label": 1}}' | kexue predict generation -n 5
    """
    settings: dict[str, Any] = {
        "samples": samples, "seed": seed, "form": _form(form, acrostic, require or [], ban or []), "prefix": prefix,
        "max_length": max_length, "beam": beam, "temperature": temperature, "top_p": top_p, "top_k": top_k,
        "guidance": guidance, "repetition": repetition,
    }  # fmt: skip
    _check(settings, is_streamed=stream, output=output)
    _check_text("--prefix", prefix)

    def condition(line: str) -> Record:
        """Return the record of a line of plain text."""
        from kexue_cli import loader

        name = model or TASKS["generation"].default_model
        loaded = cast("Generation", loader.load(name, task="generation", device=device, threads=threads))
        field = loaded.preprocessor.fields.config.text
        if not field:
            raise UsageError(f"{name} is not conditioned on another text; leave out --text and give records")
        return {"condition": {field: line}}

    def run(*, batch_size: int = batch_size, **more: Any) -> int:
        return predict(
            "generation", file, model, output, is_text=text, parse_text=condition, answers_each=samples,
            device=device, threads=threads, encoding=encoding, on_error=on_error, batch_size=batch_size,
            engine=engine, address=address, settings=settings, **more,
        )  # fmt: skip

    if not stream:
        return run()
    if engine is not None:
        raise UsageError("--stream shows texts as they are written here; leave out --engine")
    with open_output(None) as sink:
        last = "\n"

        def show(characters: str) -> None:
            nonlocal last
            sink.write(characters.encode())
            sink.flush()
            last = characters or last

        def end_line() -> None:
            if not last.endswith("\n"):  # a text that could not be written on
                show("\n")

        def write(answer: Record) -> bytes:
            if "sample" in answer:  # it is shown already
                return b""
            end_line()
            return dump(answer)

        settings["watch"] = lambda model: show  # what can be called is asked for the setting, as it needs the model
        try:
            return run(batch_size=1, write=write)
        except ClosedPipe:
            raise
        except KexueError:
            end_line()
            raise


def _check(settings: dict[str, Any], *, is_streamed: bool, output: str | None) -> None:
    """Raise UsageError for settings out of their limits, and for options that exclude one another."""
    from kexue_cli.tasks.generation.config import DecodingConfig

    names = {field.name for field in fields(DecodingConfig)}
    try:
        DecodingConfig(**{name: value for name, value in settings.items() if name in names and value is not None})
    except KexueError as error:
        raise UsageError(str(error).replace("decoding.", "--").replace("_", "-")) from None
    beam = settings["beam"]
    if beam and settings["samples"] > beam:
        raise UsageError(f"--beam {beam} has no {settings['samples']} texts; widen it, or ask for fewer with -n")
    drawing = [name for name in DRAWING if settings[name] is not None]
    if beam and drawing:
        options = " and ".join("--" + name.replace("_", "-") for name in drawing)
        raise UsageError(f"--beam searches and draws nothing; leave out {options}")
    if is_streamed and beam:
        raise UsageError("--beam knows no character of a text before its end; leave out --stream")
    if is_streamed and output is not None:
        raise UsageError("--stream shows texts on standard output as they are written; leave out --output")


def _form(lines: str | None, acrostic: str | None, require: list[str], ban: list[str]) -> "Form":
    """Return what is demanded of all texts. Raises UsageError for what cannot be."""
    from kexue_cli.tasks.generation import form

    if acrostic is not None and lines is None:
        raise UsageError("--acrostic needs lines; add --form, such as --form 5x4")
    if any(not text for text in ban):
        raise UsageError("--ban '' would leave no text; give what no text may hold")
    for option, texts in (("--acrostic", [acrostic]), ("--require", require), ("--ban", ban)):
        for text in texts:
            _check_text(option, text)
    try:
        lengths = form.read_lengths(lines) if lines is not None else ()
        required: dict[int, str] = {}
        for place, character in (*map(_place, require), *form.acrostic(lengths, acrostic or "").items()):
            if required.setdefault(place, character) != character:
                raise UsageError(f"place {place + 1} cannot be both {required[place]} and {character}")
        return form.of_lines(lengths, required, ban)
    except UsageError:
        raise
    except KexueError as error:
        raise UsageError(str(error)) from None


def _check_text(option: str, text: str | None) -> None:
    """Raise UsageError for an option that the shell gave in other bytes than UTF-8."""
    if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError(f"{option} {text!r} is not UTF-8")


def _place(text: str) -> tuple[int, str]:
    """Return the place, from 0, and the character of PLACE=CHARACTER."""
    place, _, character = text.partition("=")
    if not (place.isascii() and place.isdigit()) or int(place) < 1 or len(character) != 1:
        raise UsageError(f"--require {text!r} must be PLACE=CHARACTER, such as 1=春")
    return int(place) - 1, character
