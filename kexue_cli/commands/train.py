"""kexue train TASK: a model folder from the user's own files."""

import math
import re
import shlex
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import counts, options
from kexue_cli.commands.train_encoder import train_encoder
from kexue_cli.commands.train_generation import train_generation
from kexue_cli.commands.train_linking import train_linking
from kexue_cli.commands.train_qa import train_qa
from kexue_cli.commands.train_similarity import train_similarity
from kexue_cli.commands.train_templates import train_templates
from kexue_cli.commands.train_triples import train_triples
from kexue_cli.commands.train_words import train_words
from kexue_cli.errors import UsageError, unknown_name

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LEAST_MEMORY = 500 << 20


class Method(StrEnum):
    """How words are found."""

    entropy = "entropy"
    nlp_zero = "nlp-zero"
    word_discovery = "word-discovery"


def parse_size(value: str) -> int:
    """Return a size such as 800M or 2G in bytes; for Typer."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B?", value, re.IGNORECASE)
    if not match:
        raise UsageError(f"{value!r} is not a size; allowed: 800M, 2G, ...")
    size = int(float(match[1]) * UNITS[match[2].upper()])
    if size < LEAST_MEMORY:
        raise UsageError(f"--max-memory {value} is too little; at least {LEAST_MEMORY >> 20}M are needed")
    return size


def train_segmentation(
    corpus: options.Corpus,
    output: options.ModelOutput,
    method: Annotated[
        Method, typer.Option(help="entropy: this project's; nlp-zero and word-discovery: the articles' own.")
    ] = Method.entropy,
    dictionary: Annotated[
        str,
        typer.Option(
            metavar="none|jieba|FILE",
            help="Take words and frequencies from a dictionary (WORD FREQUENCY a line); raw text tunes them.",
        ),
    ] = "none",
    granularity: Annotated[
        float | None,
        typer.Option(
            metavar="NATS",
            help="With --dictionary: bonus of each word; more of it, finer words. Default 1.56.",
        ),
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Leave out strings seen less often; default 2 (entropy; large corpora more), 1, 32.",
        ),
    ] = None,
    min_probability: Annotated[
        float, typer.Option(metavar="P", help="nlp-zero: least share of a pair and of a word.")
    ] = 1e-7,
    min_pmi: Annotated[
        float, typer.Option(metavar="NATS", help="nlp-zero: least mutual information of a pair that is glued.")
    ] = 1.0,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read JSON lines and take the text from this field.")
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="sighan", help="The corpus is segmented text: take out the white space before counting."),
    ] = None,
    max_memory: Annotated[
        int | None,
        typer.Option(
            parser=parse_size,
            metavar="SIZE",
            help="Memory to use (800M, 2G); counts that need more go to disk and survive a kill.",
        ),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Take longer to make the compiled lexicon smaller and a little faster.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Only count the I-th of N parts of CORPUS, and add its file to the folder DIR."
        ),
    ] = None,
    from_counts: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Take the counts of all N parts from here, instead of counting CORPUS."),
    ] = None,
    engine: options.Engine = None,
    address: options.Address = None,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Discover the words of raw text and write a segmentation model.

    Example: kexue train segmentation novel.txt -o ./my-words && kexue segment -m ./my-words novel.txt
    """

    if method is not Method.entropy and dictionary != "none":
        raise UsageError("--dictionary goes with --method entropy")
    if granularity is not None and dictionary == "none":
        raise UsageError("--granularity goes with --dictionary")
    if format not in (None, "sighan"):
        raise UsageError(unknown_name("format", str(format), ["sighan"]))
    if format is not None and field is not None:
        raise UsageError("--format sighan is for plain lines, --field for JSON lines; give one of them")
    if granularity is not None and not math.isfinite(granularity):
        raise UsageError(f"--granularity must be a finite number; found {granularity}")
    if not 0 < min_probability < 1 or not math.isfinite(min_pmi):
        raise UsageError("--min-probability must lie between 0 and 1, --min-pmi must be a finite number")
    options.check_engine(engine, address)
    if sum(way is not None for way in (shard, from_counts, engine)) > 1:
        raise UsageError("--shard, --from-counts and --engine are three ways to count; give one of them")
    if shard is not None and (dictionary != "none" or min_count is not None or compact):
        raise UsageError("--shard only counts; --dictionary, --min-count and --compact go with --from-counts")
    part = counts.parse_shard(shard) if shard is not None else None
    target = Path(output) if part is not None else options.target_folder(output)
    from kexue_cli.segmentation.corpus import Corpus
    from kexue_cli.segmentation.training import ACCEPTED, Progress, TrainingConfig, train

    source = Corpus(corpus, field, format == "sighan", encoding, memory=(max_memory or 1 << 33) // 8)
    source.check()
    accepted = ACCEPTED[method.value]
    if part is not None:
        counts.count_shard(source, part, target, accepted=accepted, memory=max_memory)
        return
    config = TrainingConfig(
        method.value, dictionary, granularity, min_count, min_probability, min_pmi, is_compact=compact
    )
    command = "kexue " + shlex.join(sys.argv[1:])
    passes = (4 if method is Method.entropy else 2) - (from_counts is not None or engine is not None)
    with ExitStack() as stack:
        folder = Path(from_counts) if from_counts is not None else None
        if engine is not None:
            counting = counts.counted_on_cluster(source, target, accepted=accepted, address=address, memory=max_memory)
            folder = stack.enter_context(counting)
        bar = console.progress("training", passes * source.total_bytes(), is_bytes=True)
        progress = Progress(advance=stack.enter_context(bar))
        metrics = train(source, target, config, command=command, memory=max_memory, counts=folder, progress=progress)
    words, characters = metrics["words"], metrics["corpus_characters"]
    console.say(f"{target}: {words:,} words from {characters:,} characters in {metrics['seconds']} s")


COMMANDS = {
    "qa": train_qa,
    "triples": train_triples,
    "linking": train_linking,
    "similarity": train_similarity,
    "generation": train_generation,
    "segmentation": train_segmentation,
    "words": train_words,
    "templates": train_templates,
    "encoder": train_encoder,
}
