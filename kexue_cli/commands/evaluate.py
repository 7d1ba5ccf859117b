"""kexue evaluate TASK: predict and score with the task's metric."""

from itertools import islice

from kexue_cli.commands import options
from kexue_cli.commands.evaluate_generation import evaluate_generation
from kexue_cli.commands.evaluate_linking import evaluate_linking
from kexue_cli.commands.evaluate_segmentation import evaluate_segmentation
from kexue_cli.commands.evaluate_similarity import evaluate_similarity
from kexue_cli.commands.evaluate_triples import evaluate_triples
from kexue_cli.commands.evaluation import Evaluation, Scored, WrongAnswers
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError
from kexue_cli.streams import source_name


def evaluate_qa(
    file: options.InputFile = "-",
    model: options.Model = None,
    compare: options.Compare = None,
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
        given = {"threshold": threshold, "source": source}
        reader = reader.with_settings(**{name: value for name, value in given.items() if value is not None})
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
