"""kexue train words: word vectors from raw text."""

import shlex
import sys
from typing import Annotated

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.errors import UsageError


def train_words(
    corpus: options.Corpus,
    output: options.ModelOutput,
    vector_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4096,
            metavar="N",
            help="Numbers in a vector. Default: the least above 8.33 ln of the number of words; 91 for 50,000.",
        ),
    ] = None,
    words: Annotated[int, typer.Option(min=1, metavar="N", help="Keep the N most frequent words.")] = 50_000,
    min_count: Annotated[int, typer.Option(min=1, metavar="N", help="Leave out words seen less often.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the text.")] = 5,
    window: Annotated[int, typer.Option(min=1, metavar="N", help="Neighbours on either side.")] = 5,
    negative: Annotated[
        int, typer.Option(min=1, metavar="N", help="Words drawn at random against each neighbour.")
    ] = 8,
    sample: Annotated[
        float, typer.Option(metavar="P", help="Pass over some occurrences of words with a larger share of the text.")
    ] = 1e-4,
    field: options.TextField = None,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    threads: Annotated[
        int, typer.Option(min=1, metavar="N", help="With 1 the same text gives the same bytes; more are only faster.")
    ] = 1,
    quiet: options.Quiet = False,
) -> None:
    """Cut raw text into words and learn a vector for each of the most frequent ones (skip-gram).

    The vectors are for the training of other tasks. Needs pip install 'kexue[train]'.

    Example: kexue train words news.txt novels/*.txt.xz -o ./my-vectors
    """
    from kexue_cli.tasks import TASKS

    if not 0 < sample <= 1:
        raise UsageError(f"--sample must be above 0 and at most 1; found {sample}")
    target = options.target_folder(output)
    from kexue_cli.segmentation.corpus import Corpus

    source = Corpus(corpus, field, encoding=encoding, is_mixed=True)
    source.check()
    from kexue_cli import loader
    from kexue_cli.training.word_vectors import Progress, WordVectorsConfig, check_gensim, train

    check_gensim()
    config = WordVectorsConfig(vector_size, words, min_count, epochs, window, negative, sample, seed, threads)
    segmentation = TASKS["segmentation"].default_model
    size = source.total_bytes()
    with console.progress("training", size * (1 + epochs), is_bytes=True) as advance:
        metrics = train(
            source, target, loader.segmenter(segmentation), config,
            command="kexue " + shlex.join(sys.argv[1:]), segmentation=segmentation,
            progress=Progress(advance, lambda: advance(size)),
        )  # fmt: skip
    kept, total = metrics["words"], metrics["corpus_words"]
    console.say(f"{target}: vectors of {kept:,} words from {total:,} in {metrics['seconds']} s")
