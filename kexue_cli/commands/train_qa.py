"""kexue train qa: a reader from questions with passages and answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    from kexue_cli.tasks.qa.records import Question


def train_qa(
    data: options.TrainingData,
    output: options.ModelOutput,
    start: options.Starts = None,
    dev: options.DevelopmentData = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    resume: options.Resume = None,
    format: options.Format = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Learn to answer questions from passages; records are {"question", "passages": [{"text", "answers": [...]}]}.

    Example: kexue train qa questions.jsonl -o ./my-reader && kexue predict qa -m ./my-reader new.jsonl
    """
    from kexue_cli.commands.training import parted, read_settings, train_network
    from kexue_cli.tasks.qa import beginning
    from kexue_cli.tasks.qa.config import ReaderConfig

    target = options.target_folder(output)
    reader, training = read_settings(ReaderConfig, config, settings, seed)
    reader = replace(reader, start=tuple(start or reader.start))
    if reader.start:
        beginning.check(reader)  # what is wrong with them is told before the data are read
    questions = read_questions(data, format, encoding)
    if dev is None:
        questions, development = parted(questions, seed)
    else:
        development = read_questions([dev], format, encoding)

    def make() -> Any:
        from kexue_cli.tasks.qa.trainee import Reader

        return Reader(questions, development, reader)

    train_network(
        "qa", make, target, training, settings=reader, records=[*questions, *development],
        data={"files": " ".join(Path(path).name for path in data), "questions": len(questions),
              "development questions": len(development)},
        is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip


def read_questions(paths: Sequence[str], format: str | None, encoding: str) -> "list[Question]":
    """Return the questions of files, and tell how many there are and what is odd about them.

    Raises KexueError at the first record that is wrong, with its place.
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.qa.records import is_found, read_question

    left_out: Counter[str] = Counter()
    odd: Counter[str] = Counter()
    questions = []
    read = ((path, found) for path in paths for found in read_records([path], "qa", format, encoding, left_out))
    for path, (where, record) in read:
        try:
            question = replace(read_question(record, with_answers=True), source=Path(path).name.split(".")[0])
        except KexueError as error:
            raise KexueError(f"{where}: {error}") from None
        questions.append(question)
        odd["without an answer"] += not question.answers
        odd["whose answer is not in the passage"] += any(
            passage.answers and not any(is_found(answer, passage.text) for answer in passage.answers)
            for passage in question.passages
        )
    if not questions:
        raise KexueError(f"{', '.join(paths)}: there is no question")
    notes = [f"{count:,} {kind}" for kind, count in odd.items() if count]
    notes += [f"{count:,} left out ({reason})" for reason, count in left_out.items()]
    console.say(
        f"{', '.join(Path(path).name for path in paths)}: {len(questions):,} questions"
        + "".join(f", {note}" for note in notes)
    )
    return questions
