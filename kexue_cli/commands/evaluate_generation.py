"""kexue evaluate generation: how likely real texts are, and how varied, controlled and original those written are."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kexue_cli.commands import options
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.commands.train_generation import read_texts
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import Record
from kexue_cli.streams import check_readable, source_name

if TYPE_CHECKING:
    from kexue_cli.bootstrap import Sheet, Sums
    from kexue_cli.tasks.generation.metrics import Judge
    from kexue_cli.tasks.generation.records import Text


def evaluate_generation(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
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
    Intervals are 95 % bootstrap intervals over texts; those of distinct_n come from halves of the texts instead, as a
    text drawn twice brings no new characters. How wrong a text is, for --errors: the number of fields in which another
    value is found, then by how much the classifier prefers that to the next one. With --compare, perplexities compare
    only if both models know the same characters: see unknown_share.

    Example: kexue evaluate generation dev.jsonl --train train.jsonl
    """
    if train is not None:
        check_readable(train)
    elif errors is not None:
        raise UsageError("--errors writes the texts that do not keep to their conditions; add --train FILE")

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        from kexue_cli import loader
        from kexue_cli.tasks.generation.metrics import Judge, mean, scores, sheets

        writer: Any = loader.load(name, task="generation", device=device, threads=threads)
        writer = writer.with_settings(seed=seed)
        texts = _texts(writer, file, encoding)
        training = _texts(writer, train, encoding) if train else []
        judge = Judge(training, writer.preprocessor.fields.config.categories) if train else None
        likelihoods = writer.log_likelihoods(texts)
        written, are_ended = _written(writer, texts)
        unended = mean("unended", [float(not is_ended) for is_ended in are_ended])
        found: list[Sheet] = [_unknown(writer, texts), *([unended] if unended else [])]
        found += sheets(likelihoods, written, texts, judge, (text.text for text in training), seed=seed)
        if writer.decoding.mirror:
            found += _couplets(writer, written, texts)
        if wrong is not None and judge is not None:
            for record, *measure in _not_kept(judge, written, texts):
                wrong.add(record, *measure)
        return Scored(len(texts), found, lambda seed: scores(found, judge, seed=seed))

    Evaluation("generation", file, model, compare, errors, output, json, seed).run(score)


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


def _unknown(writer: Any, texts: "list[Text]") -> "Sums":
    """Return the share of the characters of texts that the model does not know."""
    from kexue_cli.bootstrap import Sums
    from kexue_cli.text.vocabulary import UNKNOWN

    ids = [writer.preprocessor.prefix(text.text) for text in texts]
    columns = {"unknown": [one.count(UNKNOWN) for one in ids], "characters": [len(one) for one in ids]}
    return Sums(columns, lambda sums: {"unknown_share": sums["unknown"] / (sums["characters"] or 1)})


def _written(writer: Any, texts: "list[Text]") -> tuple[list[str], list[bool]]:
    """Return a text for each record, and whether it ended; the others were cut at the greatest length.

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
    lines = [writer.text(draft.request, text) for draft, text in zip(drafts, written, strict=True)]
    return lines, [text.is_ended for text in written]


def _couplets(writer: Any, written: list[str], texts: "list[Text]") -> "list[Sums]":
    """Return how well second lines stand to first lines: those written, and with _real those that are there."""
    from kexue_cli.tasks.generation.couplets import couplets

    sources = [writer.preprocessor.fields.source(text.condition) for text in texts]
    pairs, real = ([*zip(sources, lines, strict=True)] for lines in (written, [text.text for text in texts]))
    return [couplets(pairs), couplets(real, "_real")]


def _not_kept(judge: "Judge", written: list[str], texts: "list[Text]") -> Iterator[tuple[Record, int, float]]:
    """Yield the texts in which another value of a field is found than in their conditions, and what is found.

    With each, how many fields those are, and by how much the classifier is surest of one.
    """
    from kexue_cli.tasks.generation.metrics import kept

    for text, found, margins, real in zip(written, judge.found(written), judge.margins(written), texts, strict=True):
        wrong = [name for name, is_kept in kept(found, real.condition).items() if not is_kept]
        if wrong:
            record = {"condition": real.condition, "text": text, "found": found, "gold": {"text": real.text}}
            yield record, len(wrong), max(margins[name] for name in wrong)
