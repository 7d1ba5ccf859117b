"""kexue evaluate segmentation: score words against gold text, and say what the text costs in information."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli.commands import options
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import Scores
from kexue_cli.commands.segment import Engine
from kexue_cli.errors import RecordError, UsageError
from kexue_cli.records import read_lines
from kexue_cli.streams import open_input, source_name
from kexue_cli.tasks import TASKS

if TYPE_CHECKING:
    from kexue_cli.segmentation.segmenter import Span

NO_TEMPLATES = "none"


def evaluate_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    words: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Known words, one a line: report the rate and recall of all others (OOV)."),
    ] = None,
    templates: Annotated[
        str | None,
        typer.Option(
            "--templates",
            "-t",
            metavar="NAME|PATH|none",
            help="The sentence templates to tell the text with; default entropy-templates.",
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw the information per character over the size of the lexicon. Needs pip install 'kexue[train]'.",
        ),
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What cuts the lines.")] = Engine.kexue,
    without_rule: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Switch a rule off; see kexue segment --help.")
    ] = None,
    errors: options.Errors = None,
    json: options.Json = False,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Score a segmentation model on gold text: words separated by white space, one sentence a line.

    Words count by their spans, as in the SIGHAN bake-offs. Intervals are 95 % bootstrap intervals over lines; for
    information there is none, as a line that is drawn twice brings no new words. How wrong a line is, for --errors:
    the number of words that are in one of both segmentations only, then their share of its words.
    Information is in bits per character: of the text told in characters, in the words that are found, and in words and
    templates. The shares are those of this text, so little text makes large units look better than they are.

    Example: kexue evaluate segmentation gold.txt --words training_words.txt
    """
    if engine is not Engine.kexue and (model or compare or without_rule or plot):
        raise UsageError("--model, --compare, --without-rule and --plot are for --engine kexue")
    if plot is not None and not plot.lower().endswith(".png"):
        raise UsageError(f"--plot draws a PNG; {plot!r} must end with .png")
    from kexue_cli.commands.segment import make_segmenter
    from kexue_cli.datasets.sighan import placed_words, read_gold
    from kexue_cli.segmentation import metrics

    known = read_words(words, encoding) if words else None
    parser = _parser(templates or TASKS["templates"].default_model)

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        scores = metrics.Scores()
        lines = []
        with open_input(file) as stream:
            own_name = name if engine is Engine.kexue else None
            segmenter = make_segmenter(engine, own_name, None, without_rule or [], encoding)
            for gold in read_gold(read_lines(stream, file, encoding=encoding), source_name(file)):
                lines.append(segmenter.spans("".join(gold)))
                counts = scores.add(gold, [span.word for span in lines[-1]], known)
                if wrong is not None and counts.wrong:
                    answer = {"text": "".join(gold), "words": [vars(span) for span in lines[-1]]}
                    record = {**answer, "gold": {"words": placed_words(gold)}}
                    wrong.add(record, counts.wrong, counts.wrong / (counts.gold + counts.answer))
        if not any(line.gold > 1 for line in scores.lines):
            problem = "no line has two words; gold text is words separated by white space, a sentence a line"
            raise RecordError(source_name(file), 1, problem)
        information = scores.information() | _with_templates(parser, lines)
        if plot is not None:
            _draw(plot, name, segmenter, lines, information)
        has_known = known is not None
        sheets = [scores.sheet(has_known=has_known)]

        def results(seed: int) -> Scores:
            found = scores.results(seed, has_known=has_known)
            bounds = found.pop("interval")
            return {**found, **information, "interval": bounds}

        return Scored(len(scores.lines), sheets, results, information)

    name = model if engine is Engine.kexue else engine.value
    others = {"--plot": plot}
    Evaluation("segmentation", file, name, compare, errors, output, json, seed, others).run(score)


def _with_templates(parser: Any, lines: "Sequence[Sequence[Span]]") -> dict[str, float]:
    """Return what the text costs in words and templates; nothing if there are none."""
    if parser is None:
        return {}
    from kexue_cli.segmentation.templates.information import information
    from kexue_cli.segmentation.templates.structure import structure

    return {"information_templates": information([structure(parser, spans) for spans in lines])}


def _draw(
    path: str, name: str, segmenter: Any, lines: "Sequence[Sequence[Span]]", information: dict[str, float]
) -> None:
    """Draw what the text costs over the size of the model's lexicon."""
    from kexue_cli import zoo
    from kexue_cli.commands.information_plot import draw, information_curve

    texts = ["".join(span.word for span in spans) for spans in lines]
    draw(path, information_curve(Path(zoo.find_model(name)), segmenter.decoding, texts), information)


def _parser(templates: str) -> Any:
    """Return a parser by the templates of a model that save information; None for none."""
    if templates == NO_TEMPLATES:
        return None
    from kexue_cli import zoo
    from kexue_cli.segmentation.templates import read_parser

    return read_parser(zoo.find_model(templates), only_saving=True)


def read_words(path: str, encoding: str) -> frozenset[str]:
    """Return the words of a list, one a line."""
    from kexue_cli.segmentation.user_dictionary import read_list

    return frozenset(line.strip() for _, line in read_list(path, encoding))
