"""kexue evaluate generation: how likely real texts are, and how varied, controlled and original those written are."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli.commands import options
from kexue_cli.commands.scores import Scores, placed, report, table
from kexue_cli.commands.train_generation import read_texts
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import Record, dump
from kexue_cli.streams import check_readable, open_output, source_name
from kexue_cli.tasks import TASKS

if TYPE_CHECKING:
    from kexue_cli.tasks.generation.metrics import Judge
    from kexue_cli.tasks.generation.records import Text


def evaluate_generation(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    train: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The training data, to score how conditions are kept and what is copied."),
    ] = None,
    errors: options.Errors = None,
    json: options.Json = False,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Score a model on texts with their conditions: {"condition": {...}, "text"}, or fields as the model was trained.

    perplexity per character of these texts, their ends counted, and unknown_share, the share of characters that the
    model does not know: for perplexity they are one character. A text is written for each record; of those texts,
    distinct_1 and distinct_2 are the shares of different characters and pairs of neighbours (distinct_2_real: of the
    real texts, as many pairs), self_bleu tells how alike 200 of them are, and unended is the share that was cut at the
    greatest length. With --train, control_accuracy is how often a linear classifier of character n-grams, fitted on
    that file, finds the condition in what was written, the mean over the fields (control_accuracy_real: in the real
    texts; above it texts are more typical than real ones), and copied the share of texts that have 20 characters in a
    row in common with that file. For a model whose texts have the form of another text (decoding.mirror), the couplet's
    rule: same_form (1, as it is forced), same_repetition of characters, opposite_tones; _real of the real texts.
    Intervals are 95 % bootstrap intervals over texts.

    Example: kexue evaluate generation dev.jsonl --train train.jsonl
    """
    from kexue_cli import loader
    from kexue_cli.tasks.generation.metrics import Judge, scores

    start = time.time()
    name = model or TASKS["generation"].default_model
    if train is not None:
        check_readable(train)
    elif errors is not None:
        raise UsageError("--errors writes the texts that do not keep to their conditions; add --train FILE")
    with open_output(output) as sink, open_output(errors) if errors else nullcontext() as wrong:
        writer: Any = loader.load(name, task="generation", device=device, threads=threads)
        writer = writer.with_settings(seed=seed)
        texts = _texts(writer, file, encoding)
        training = _texts(writer, train, encoding) if train else []
        judge = Judge(training, writer.preprocessor.fields.config.categories) if train else None
        likelihoods = writer.log_likelihoods(texts)
        written, unended = _written(writer, texts)
        found = {"unknown_share": _unknown_share(writer, texts), "unended": unended}
        found |= scores(likelihoods, written, texts, judge, (text.text for text in training), seed=seed)
        if writer.decoding.mirror:
            _add_couplets(
                found, [writer.preprocessor.fields.source(text.condition) for text in texts], written, texts, seed
            )
        if wrong is not None and judge is not None:
            for record in _not_kept(judge, written, texts):
                wrong.write(dump(record))
        result = report("generation", name, file, len(texts), start, found)
        shown = {key: value for key, value in result.items() if value is not None}  # for people: what there is
        sink.write(dump(result) if json else table(shown).encode())


def _texts(writer: Any, file: str, encoding: str) -> "list[Text]":
    """Return the texts of a file, whose conditions the model knows. Raises KexueError for others, with their place."""
    config = writer.preprocessor.fields.config
    texts: list[Text] = []
    for where, text in read_texts([file], writer.preprocessor.fields.names, config.target, encoding):
        placed(where, writer.preprocessor.condition, text.condition)
        texts.append(text)
    if not texts:
        raise KexueError(f"{source_name(file)}: there is no text")
    return texts


def _unknown_share(writer: Any, texts: "list[Text]") -> float:
    """Return the share of the characters of texts that the model does not know."""
    from kexue_cli.text.vocabulary import UNKNOWN

    ids = [one for text in texts for one in writer.preprocessor.prefix(text.text)]
    return ids.count(UNKNOWN) / max(1, len(ids))


def _written(writer: Any, texts: "list[Text]") -> tuple[list[str], float]:
    """Return a text for each record, and the share of those that were cut at the greatest length.

    Of several under the same condition, each is drawn anew; a search finds the same again.
    """
    from kexue_cli.tasks.generation import Draft
    from kexue_cli.tasks.generation.records import Request

    counts: Counter[str] = Counter()
    drafts = []
    for text in texts:
        key = repr(text.condition)
        counts[key] += 1
        drafts.append(Draft(Request(text.condition), 1 if writer.decoding.beam else counts[key]))
    written = writer.write(drafts)
    unended = sum(not text.is_ended for text in written) / len(written)
    return [writer.text(draft.request, text) for draft, text in zip(drafts, written, strict=True)], unended


def _add_couplets(found: Scores, sources: list[str], written: list[str], texts: "list[Text]", seed: int) -> None:
    """Add how well second lines stand to first lines: those written, and with _real those that are there."""
    from kexue_cli.tasks.generation.couplets import couplet_scores

    for suffix, lines in (("", written), ("_real", [text.text for text in texts])):
        scores = couplet_scores(list(zip(sources, lines, strict=True)), seed=seed)
        for place, values in ((found["interval"], scores.pop("interval")), (found, scores)):
            place |= {f"{name}{suffix}": value for name, value in values.items()}


def _not_kept(judge: "Judge", written: list[str], texts: "list[Text]") -> Iterator[Record]:
    """Yield the texts in which another value of a field is found than in their conditions, and what is found."""
    from kexue_cli.tasks.generation.metrics import kept

    for text, found, real in zip(written, judge.found(written), texts, strict=True):
        if not all(kept(found, real.condition).values()):
            yield {"condition": real.condition, "text": text, "found": found, "gold": {"text": real.text}}
