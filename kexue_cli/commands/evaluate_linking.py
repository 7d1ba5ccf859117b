"""kexue evaluate linking: predict and score."""

from itertools import islice
from typing import Any

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError
from kexue_cli.streams import check_readable, source_name


def evaluate_linking(
    file: options.InputFile = "-",
    kb: options.Base = None,
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    threshold: options.LinkThreshold = None,
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
    """Score a model on texts with linked mentions: {"text", "mentions": [{"mention", "start", "id"}, ...]}.

    mention_precision, mention_recall and mention_f1 count mentions by their places, whether the base has them or not;
    precision, recall and f1 links, whose id must be right too. Mentions labelled with the id null are left out, found
    ones with the id null only of the links. The accuracies are of
    labelled mentions whose places are given to the model: nil_accuracy where null is right or the id is not among
    those that the name may have, ambiguous_accuracy where it is one of several, known_accuracy where it is one of
    them. ceiling_f1 is what perfect linking to this base would have as f1. Intervals are 95 % bootstrap intervals over
    texts. How wrong a text is, for --errors: the number of mentions and links that were missed or are wrong, then the
    highest score of a wrong one.

    Example: kexue evaluate linking dev.jsonl --kb entities.jsonl --errors wrong.jsonl
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.linking.metrics import Scores, surest_wrong
    from kexue_cli.tasks.linking.records import read_labelled_text

    check_readable(kb)

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        from kexue_cli import loader
        from kexue_cli.commands.knowledge_base import open_base

        scores = Scores()
        linker: Any = loader.load(name, task="linking", device=device, threads=threads)
        linker = linker.with_settings(base=open_base(kb, linker, encoding) if kb else None, entity=threshold)
        records = read_records([file], "linking", format, encoding)
        while group := list(islice(records, batch_size)):
            texts = [placed(where, read_labelled_text, record) for where, record in group]
            answers = placed(group[0][0], list, linker.predict(record for _, record in group))
            choices = placed(group[0][0], list, linker.choose(record for _, record in group))
            for text, answer, chosen in zip(texts, answers, choices, strict=True):
                counts = scores.add_text(text, answer["mentions"], chosen)
                if wrong is not None and counts.wrong:  # its "gold" is what the record had instead
                    wrong.add(answer, counts.wrong, surest_wrong(text, answer["mentions"], chosen))
        if not scores.texts:
            raise KexueError(f"{source_name(file)}: there is no text")
        if scores.rates()["ceiling_f1"] == 0:
            problem = "no mention has its id among those that its name has in the base"
            console.warn(f"{source_name(file)}: {problem}; is this the base that it is linked to? See --kb")
        return Scored(len(scores.texts), [scores.sheet()], scores.results)

    Evaluation("linking", file, model, compare, errors, output, json, seed).run(score)
