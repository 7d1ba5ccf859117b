"""kexue train templates: sentence templates from text."""

import math
import shlex
import sys
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.errors import UsageError, unknown_name


def train_templates(
    corpus: options.Corpus,
    output: options.ModelOutput,
    model: options.Model = None,
    window: Annotated[
        int,
        typer.Option(min=1, max=16, metavar="N", help="A word is bound to one at most N places on; 1 finds phrases."),
    ] = 5,
    min_probability: Annotated[
        float, typer.Option(metavar="P", help="Least share of a bound pair among pairs, of a template among paths.")
    ] = 1e-5,
    min_pmi: Annotated[
        float, typer.Option(metavar="NATS", help="Least mutual information of two words that are bound.")
    ] = 2.0,
    min_count: Annotated[int, typer.Option(min=1, metavar="N", help="Leave out templates seen less often.")] = 2,
    max_paths: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Leave out clauses with more paths: they would outweigh all others, and say little.",
        ),
    ] = 100_000,
    keep_trivial: Annotated[
        bool,
        typer.Option(
            "--keep-trivial",
            help="Keep one word between placeholders, as [X] 的 [X]: it saves nothing, but nests blocks.",
        ),
    ] = False,
    field: options.TextField = None,
    format: Annotated[
        str | None, typer.Option(metavar="sighan", help="The corpus is segmented text: words with white space between.")
    ] = None,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Find the templates of sentences, such as [X] 是 [X] 意思, for kexue segment --structure to parse by.

    Words that are bound (frequent together in a clause, and more than chance has it) are joined to paths, as long as
    they get. A path with [X] for what it passes over is a template, counted as often as there are such paths. Templates
    stand in the order of the bits that they save: n (log2(p / product of p(w)) - log2 e) for a template seen n times
    with the words w, where p = n / words of the corpus.

    The text is read once and kept as numbers on disk, 15 bytes a word and 20 a path, while the model is made; in memory
    are the different words, the pairs that may be frequent enough, and the templates.

    Example: kexue train templates questions.txt -o ./my-templates && kexue models show ./my-templates --templates
    """
    if not 0 < min_probability < 1 or not math.isfinite(min_pmi):
        raise UsageError("--min-probability must lie between 0 and 1, --min-pmi must be a finite number")
    if format not in (None, "sighan"):
        raise UsageError(unknown_name("format", str(format), ["sighan"]))
    if format is not None and (field is not None or model is not None):
        raise UsageError(
            "--format sighan is for segmented lines, --field for JSON lines, --model for raw text; give one"
        )
    target = options.target_folder(output)
    from kexue_cli import loader
    from kexue_cli.segmentation.corpus import Corpus
    from kexue_cli.segmentation.templates.finder import FinderConfig
    from kexue_cli.segmentation.templates.training import train
    from kexue_cli.tasks import TASKS

    source = Corpus(corpus, field, encoding=encoding, is_mixed=True)
    source.check()
    segmentation = model or TASKS["segmentation"].default_model
    segmenter = loader.segmenter(segmentation) if format is None else None
    config = FinderConfig(window, min_probability, min_pmi, min_count, max_paths, keep_trivial)
    with console.progress("reading", source.total_bytes(), is_bytes=True) as advance:
        metrics = train(
            source, target, segmenter, config,
            command="kexue " + shlex.join(sys.argv[1:]), segmentation=segmentation, advance=advance,
        )  # fmt: skip
    if metrics["clauses_left_out"]:
        console.warn(f"{metrics['clauses_left_out']:,} clauses have more than {max_paths:,} paths and were left out")
    templates, words = metrics["templates"], metrics["corpus_words"]
    console.say(f"{target}: {templates:,} templates from {words:,} words in {metrics['seconds']} s")
