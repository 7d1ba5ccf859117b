"""kexue evaluate similarity: compare and score."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from kexue_cli.commands import options
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError, UsageError
from kexue_cli.records import SCORE_DIGITS, Record, add_answer
from kexue_cli.streams import source_name

if TYPE_CHECKING:
    import numpy as np

TOP = 3  # matches shown of a text that does not find its group
OTHERS = 5  # texts of its group shown, at most


class PlacedExample(NamedTuple):
    """A record of a file. where: FILE:LINE; read: the Pair or Group that it holds."""

    where: str
    record: Record
    read: Any


class GroupText(NamedTuple):
    """A text to be found. line: of its group in the file; group: its number, from 0."""

    text: str
    line: int
    group: int


def evaluate_similarity(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    threshold: options.Cosine = None,
    errors: options.Errors = None,
    format: options.Format = None,
    json: options.Json = False,
    batch_size: options.BatchSize = options.BATCH_SIZE,
    device: options.Device = "auto",
    threads: options.Threads = None,
    encoding: options.Encoding = "utf-8",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Score a model on labelled pairs, {"text_a", "text_b", "label"}, or on groups of one meaning, {"texts": [...]}.

    A file holds pairs or groups. Pairs: accuracy and f1 of the label 1, with the threshold, where all labels are 0 or
    1, and spearman, the correlation of the ranks of scores and labels. Groups: each text is looked for among all texts
    of the file; top1, top5 and top10 are the shares of texts that find another one of their group among the nearest 1,
    5 and 10, mrr is the mean of 1 / rank. A text alone in its group does not ask, but may be found. Intervals are 95 %
    bootstrap intervals over pairs, or over texts that ask. How wrong an answer is, for --errors: of a pair, how far its
    score lies beyond the threshold; of a text, the rank of the nearest of its group, then the score of the nearest.

    Example: kexue evaluate similarity dev.jsonl --errors wrong.jsonl
    """
    from kexue_cli.tasks.similarity.records import Pair

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        from kexue_cli import loader

        examples = _read_examples(file, format, encoding)
        first = next(examples, None)
        if first is None:
            raise KexueError(f"{source_name(file)}: there is no pair and no group")
        is_pair = isinstance(first.read, Pair)
        if threshold is not None and not is_pair:
            raise UsageError(f"--threshold is for pairs; {source_name(file)} holds groups")
        encoder: Any = loader.load(name, task="similarity", device=device, threads=threads)
        if threshold is not None:
            encoder = encoder.with_settings(threshold=threshold)
        batches = _batched(chain([first], examples), batch_size)
        return (_score_pairs if is_pair else _score_groups)(encoder, batches, wrong)

    Evaluation("similarity", file, model, compare, errors, output, json, seed).run(score)


def _read_examples(file: str, format: str | None, encoding: str) -> Iterator[PlacedExample]:
    """Yield the labelled pairs of a file, or its groups. Raises KexueError for a mixture, with its place."""
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.similarity.records import Pair, read_example

    first = None
    for where, record in read_records([file], "similarity", format, encoding):
        read = placed(where, read_example, record)
        kind = "pair" if isinstance(read, Pair) else "group"
        first = first or kind
        if kind != first:
            raise KexueError(f"{where}: a {kind} in a file of {first}s; a file holds pairs or groups, not both")
        if isinstance(read, Pair) and read.label is None:
            raise KexueError(f"{where}: missing field 'label'; found {sorted(record)}")
        yield PlacedExample(where, record, read)


def _batched(examples: Iterator[PlacedExample], size: int) -> Iterator[list[PlacedExample]]:
    while batch := list(islice(examples, size)):
        yield batch


def _score_pairs(encoder: Any, batches: Iterable[list[PlacedExample]], wrong: WrongAnswers | None) -> Scored:
    """Score pairs; those on the wrong side of the threshold are wrong answers."""
    from kexue_cli.tasks.similarity.decoding import cosines
    from kexue_cli.tasks.similarity.metrics import PairScores

    scores = PairScores()
    threshold = encoder.decoding.threshold
    for batch in batches:
        texts = [text for example in batch for text in (example.read.text_a, example.read.text_b)]
        found = cosines(placed(batch[0].where, encoder.vectors, texts))
        for (where, record, pair), score in zip(batch, found, strict=True):
            scores.add(score, pair.label)
            if wrong is None:
                continue
            if pair.label not in (0, 1):
                raise UsageError(f"{where}: --errors is for the labels 0 and 1; found {pair.label:g}; leave it out")
            is_similar = score >= threshold
            if is_similar != bool(pair.label):
                wrong.add(placed(where, _answered, record, score, is_similar), abs(score - threshold))
    more = {"threshold": threshold}
    return Scored(len(scores.scores), [scores.sheet(threshold)], partial(scores.results, threshold), more)


def _answered(record: Record, score: float, is_similar: bool) -> Record:
    """Return a pair as prediction does, its label in "gold"."""
    from kexue_cli.tasks.similarity.decoding import TASK

    answer = {"score": score, "similar": is_similar, "label": None}
    answered = add_answer(record, answer, TASK)
    del answered["label"]
    return answered


def _score_groups(encoder: Any, batches: Iterable[list[PlacedExample]], wrong: WrongAnswers | None) -> Scored:
    """Score groups; the texts whose nearest is of another group are wrong answers."""
    import numpy as np

    from kexue_cli.tasks.similarity.metrics import GroupScores, ranks

    texts: list[GroupText] = []
    parts = []
    count = 0
    for batch in batches:
        parts.append(placed(batch[0].where, encoder.vectors, [text for one in batch for text in one.read.texts]))
        for group, (where, _, read) in enumerate(batch, count):
            source, _, line = where.rpartition(":")
            texts += [GroupText(text, int(line), group) for text in read.texts]
        count += len(batch)
    vectors, groups = np.concatenate(parts), np.array([text.group for text in texts])
    found = ranks(vectors, groups)
    if not found.any():
        raise KexueError(f"{source}: no group has two texts, so no text has another one to find")
    if wrong is not None:
        for record, rank in _not_found(texts, vectors, groups, found):
            wrong.add(record, rank, record["matches"][0]["score"])
    scores = GroupScores(found.tolist())
    return Scored(count, [scores.sheet()], lambda seed: {"texts": len(texts), **scores.results(seed)})


def _not_found(
    texts: Sequence[GroupText], vectors: "np.ndarray", groups: "np.ndarray", ranks: "np.ndarray"
) -> Iterator[tuple[Record, int]]:
    """Yield the texts whose nearest is of another group, with the nearest and the others of its own, and its rank.

    vectors: (n, d), of all texts; groups: (n,), their groups, rising; ranks: (n,), as metrics.ranks gives them.
    """
    import numpy as np

    from kexue_cli.tasks.similarity.index import Index

    rows = np.flatnonzero(ranks > 1)  # (m,)
    scores, nearest = Index(vectors).search(vectors[rows], TOP, without=rows)  # (m, TOP) each
    for row, its_scores, its_nearest in zip(rows.tolist(), scores.tolist(), nearest.tolist(), strict=True):
        matches = [
            {"text": texts[other].text, "score": round(score, SCORE_DIGITS), "line": texts[other].line}
            for score, other in zip(its_scores, its_nearest, strict=True)
        ]
        first, end = np.searchsorted(groups, [groups[row], groups[row] + 1])
        others = [texts[other].text for other in range(first, end) if other != row]
        yield {"text": texts[row].text, "matches": matches, "gold": {"texts": others[:OTHERS]}}, int(ranks[row])
