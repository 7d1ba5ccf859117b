"""kexue evaluate TASK: predict and score with the task's metric."""

from functools import partial
from itertools import islice
from typing import Annotated

import typer

from kexue_cli.commands import options
from kexue_cli.commands.evaluate_generation import evaluate_generation
from kexue_cli.commands.evaluate_linking import evaluate_linking
from kexue_cli.commands.evaluate_similarity import evaluate_similarity
from kexue_cli.commands.evaluate_triples import evaluate_triples
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.commands.segment import Engine
from kexue_cli.errors import KexueError, RecordError, UsageError
from kexue_cli.records import read_lines
from kexue_cli.streams import open_input, source_name


def evaluate_segmentation(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    words: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Known words, one a line: report the rate and recall of all others (OOV)."),
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

    Example: kexue evaluate segmentation gold.txt --words training_words.txt
    """
    if engine is not Engine.kexue and (model or without_rule or compare):
        raise UsageError("--model, --compare and --without-rule are for --engine kexue")
    from kexue_cli.commands.segment import make_segmenter
    from kexue_cli.datasets.sighan import placed_words, read_gold
    from kexue_cli.segmentation.metrics import Scores as SegmentationScores
    from kexue_cli.segmentation.metrics import information_per_character

    known = read_words(words, encoding) if words else None

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        scores = SegmentationScores()
        with open_input(file) as stream:
            own_name = name if engine is Engine.kexue else None
            segmenter = make_segmenter(engine, own_name, None, without_rule or [], encoding)
            for gold in read_gold(read_lines(stream, file, encoding=encoding), source_name(file)):
                found = segmenter.spans("".join(gold))
                counts = scores.add(gold, [span.word for span in found], known)
                if wrong is not None and counts.wrong:
                    answer = {"text": "".join(gold), "words": [vars(span) for span in found]}
                    record = {**answer, "gold": {"words": placed_words(gold)}}
                    wrong.add(record, counts.wrong, counts.wrong / (counts.gold + counts.answer))
        if not any(line.gold > 1 for line in scores.lines):
            problem = "no line has two words; gold text is words separated by white space, a sentence a line"
            raise RecordError(source_name(file), 1, problem)
        has_known = known is not None
        sheets = [scores.sheet(has_known=has_known)]
        more = {"information": information_per_character(scores.words)}
        return Scored(len(scores.lines), sheets, partial(scores.results, has_known=has_known), more)

    name = model if engine is Engine.kexue else engine.value
    Evaluation("segmentation", file, name, compare, errors, output, json, seed).run(score)


def read_words(path: str, encoding: str) -> frozenset[str]:
    """Return the words of a list, one a line."""
    from kexue_cli.segmentation.user_dictionary import read_list

    return frozenset(line.strip() for _, line in read_list(path, encoding))


def evaluate_qa(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
    output: options.OutputFile = None,
    threshold: options.Threshold = None,
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
    without an answer is right if null is answered. Intervals are 95 % bootstrap intervals over questions. How wrong an
    answer is, for --errors: 1 less its f1, then its score, so that what was answered with certainty comes first.

    Example: kexue evaluate qa dev.jsonl --errors wrong.jsonl
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.qa.metrics import Scores as QuestionScores
    from kexue_cli.tasks.qa.records import read_question

    def score(name: str, wrong: WrongAnswers | None) -> Scored:
        from kexue_cli import loader

        scores = QuestionScores()
        reader = loader.load(name, task="qa", device=device, threads=threads)
        if threshold is not None:
            reader = reader.with_settings(threshold=threshold)
        records = read_records([file], "qa", format, encoding)
        while group := list(islice(records, batch_size)):
            questions = [placed(where, read_question, record, with_answers=True) for where, record in group]
            answered = placed(group[0][0], list, reader.predict(record for _, record in group))
            for question, answer in zip(questions, answered, strict=True):
                exact_match, f1 = scores.add(answer["answer"], question.answers)
                if wrong is not None and exact_match < 1:
                    gold = {**answer.get("gold", {}), "answers": list(question.answers)}
                    sureness = answer.get("qa_score", answer["score"]) if answer["answer"] else 0.0
                    wrong.add({**answer, "gold": gold}, 1 - f1, sureness)
        if not scores.f1:
            raise KexueError(f"{source_name(file)}: there is no question")
        return Scored(len(scores.f1), [scores.sheet()], scores.results)

    Evaluation("qa", file, model, compare, errors, output, json, seed).run(score)


COMMANDS = {
    "qa": evaluate_qa,
    "triples": evaluate_triples,
    "linking": evaluate_linking,
    "similarity": evaluate_similarity,
    "generation": evaluate_generation,
    "segmentation": evaluate_segmentation,
}
