"""kexue evaluate segmentation: score words against gold text, and say what the text costs in information."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from kexue_cli.commands import options
from kexue_cli.commands.scores import report, table
from kexue_cli.commands.segment import Engine
from kexue_cli.errors import RecordError, UsageError
from kexue_cli.records import dump, read_lines
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS

NO_TEMPLATES = "none"


def evaluate_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
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
    json: options.Json = False,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Score a segmentation model on gold text: words separated by white space, one sentence a line.

    Words count by their spans, as in the SIGHAN bake-offs. Intervals are 95 % bootstrap intervals over lines.
    Information is in bits per character: of the text told in characters, in the words that are found, and in words and
    templates. The shares are those of this text, so little text makes large units look better than they are.

    Example: kexue evaluate segmentation gold.txt --words training_words.txt
    """
    if engine is not Engine.kexue and (model or without_rule or plot):
        raise UsageError("--model, --without-rule and --plot are for --engine kexue")
    from kexue_cli.commands.segment import make_segmenter
    from kexue_cli.datasets.sighan import read_gold
    from kexue_cli.segmentation.metrics import Scores

    start = time.time()
    name = (model or TASKS["segmentation"].default_model) if engine is Engine.kexue else engine.value
    with open_input(file) as stream, open_output(output) as sink:
        known = read_words(words, encoding) if words else None
        segmenter = make_segmenter(engine, model, None, without_rule or [], encoding)
        parser = _parser(templates or TASKS["templates"].default_model)
        scores = Scores()
        lines = []
        for gold in read_gold(read_lines(stream, file, encoding=encoding), source_name(file)):
            lines.append(segmenter.spans("".join(gold)))
            scores.add(gold, [span.word for span in lines[-1]], known)
        if not any(line.gold > 1 for line in scores.lines):
            problem = "no line has two words; gold text is words separated by white space, a sentence a line"
            raise RecordError(source_name(file), 1, problem)
        results = scores.results(has_known=known is not None, seed=seed)
        if parser is not None:
            from kexue_cli.segmentation.templates.information import information
            from kexue_cli.segmentation.templates.structure import structure

            results["information_templates"] = information([structure(parser, spans) for spans in lines])
        if plot is not None:
            from kexue_cli import zoo
            from kexue_cli.commands.information_plot import draw, information_curve

            texts = ["".join(span.word for span in spans) for spans in lines]
            curve = information_curve(Path(zoo.find_model(name)), segmenter.decoding, texts)
            draw(plot, curve, results)
        result = report("segmentation", name, file, len(scores.lines), start, results)
        sink.write(dump(result) if json else table(result).encode())


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
