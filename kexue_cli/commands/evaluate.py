"""kexue evaluate TASK: predict and score with the task's metric."""

import time
from contextlib import nullcontext
from itertools import islice
from typing import Annotated

import typer

from kexue_cli.commands import options
from kexue_cli.commands.evaluate_generation import evaluate_generation
from kexue_cli.commands.evaluate_linking import evaluate_linking
from kexue_cli.commands.evaluate_similarity import evaluate_similarity
from kexue_cli.commands.evaluate_triples import evaluate_triples
from kexue_cli.commands.scores import placed, report, table
from kexue_cli.commands.segment import Engine
from kexue_cli.errors import KexueError, RecordError, UsageError
from kexue_cli.records import dump, read_lines
from kexue_cli.streams import open_input, open_output, source_name
from kexue_cli.tasks import TASKS


def evaluate_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    words: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Known words, one a line: report the rate and recall of all others (OOV)."),
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

    Example: kexue evaluate segmentation gold.txt --words training_words.txt
    """
    if engine is not Engine.kexue and (model or without_rule):
        raise UsageError("--model and --without-rule are for --engine kexue")
    from kexue_cli.commands.segment import make_segmenter
    from kexue_cli.datasets.sighan import read_gold
    from kexue_cli.segmentation.metrics import Scores as SegmentationScores

    start = time.time()
    with open_input(file) as stream, open_output(output) as sink:
        known = read_words(words, encoding) if words else None
        segmenter = make_segmenter(engine, model, None, without_rule or [], encoding)
        scores = SegmentationScores()
        for gold in read_gold(read_lines(stream, file, encoding=encoding), source_name(file)):
            scores.add(gold, [span.word for span in segmenter.spans("".join(gold))], known)
        if not any(line.gold > 1 for line in scores.lines):
            problem = "no line has two words; gold text is words separated by white space, a sentence a line"
            raise RecordError(source_name(file), 1, problem)
        name = (model or TASKS["segmentation"].default_model) if engine is Engine.kexue else engine.value
        results = scores.results(has_known=known is not None, seed=seed)
        result = report("segmentation", name, file, len(scores.lines), start, results)
        sink.write(dump(result) if json else table(result).encode())


def read_words(path: str, encoding: str) -> frozenset[str]:
    """Return the words of a list, one a line."""
    from kexue_cli.segmentation.user_dictionary import read_list

    return frozenset(line.strip() for _, line in read_list(path, encoding))


def evaluate_qa(
    file: options.InputFile = "-",
    model: options.Model = None,
    output: options.OutputFile = None,
    threshold: options.Threshold = None,
    source: options.Source = None,
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
    """Score a reader on questions with answers: {"question", "passages": [{"text", "answers": [...]}]}.

    exact_match and f1 (over characters) are those of the WebQA and SogouQA contests, score is their mean. A question
    without an answer is right if null is answered. Intervals are 95 % bootstrap intervals over questions.

    Example: kexue evaluate qa dev.jsonl --errors wrong.jsonl
    """
    from kexue_cli import loader
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.qa.metrics import Scores as QuestionScores
    from kexue_cli.tasks.qa.metrics import score
    from kexue_cli.tasks.qa.records import read_question

    start = time.time()
    name = model or TASKS["qa"].default_model
    scores = QuestionScores()
    with open_output(output) as sink, open_output(errors) if errors else nullcontext() as wrong:
        reader = loader.load(name, task="qa", device=device, threads=threads)
        given = {"threshold": threshold, "source": source}
        reader = reader.with_settings(**{name: value for name, value in given.items() if value is not None})
        records = read_records([file], "qa", format, encoding)
        while group := list(islice(records, batch_size)):
            questions = [placed(where, read_question, record, with_answers=True) for where, record in group]
            answered = placed(group[0][0], list, reader.predict(record for _, record in group))
            for question, answer in zip(questions, answered, strict=True):
                scores.add(answer["answer"], question.answers)
                if wrong is not None and score(answer["answer"], question.answers)[0] < 1:
                    gold = {**answer.get("gold", {}), "answers": list(question.answers)}
                    wrong.write(dump({**answer, "gold": gold}))
        if not scores.f1:
            raise KexueError(f"{source_name(file)}: there is no question")
        result = report("qa", name, file, len(scores.f1), start, scores.results(seed=seed))
        sink.write(dump(result) if json else table(result).encode())


COMMANDS = {
    "qa": evaluate_qa,
    "triples": evaluate_triples,
    "linking": evaluate_linking,
    "similarity": evaluate_similarity,
    "generation": evaluate_generation,
    "segmentation": evaluate_segmentation,
}
