"""The records of question answering: a question and the passages that may answer it.

Training and evaluation: ``{"question", "passages": [{"text", "answers": [str...]}]}``, where several answers of a
passage are alternatives, any of which is right; training uses those that stand in the text, scoring uses all.
Prediction: passages are plain strings or ``{"text"}``. Further fields are of no concern here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kexue_cli.errors import KexueError
from kexue_cli.fields import Refuse, expect, member, shown, stop, tried
from kexue_cli.records import Problem, Record
from kexue_cli.text.normalization import normalize


@dataclass(frozen=True)
class Passage:
    """A text and the answers found there: none in prediction, or if it holds none."""

    text: str
    answers: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()  # where each answer begins in the text, if that is known


@dataclass(frozen=True)
class Question:
    """A question and the passages that may answer it."""

    question: str
    passages: tuple[Passage, ...]
    source: str = ""  # the training file it is from

    @property
    def answers(self) -> tuple[str, ...]:
        """All right answers, each once, in the order of the passages; none if the question has no answer."""
        return tuple(dict.fromkeys(answer for passage in self.passages for answer in passage.answers))


def read_question(record: Record, *, with_answers: bool, refuse: Refuse = stop) -> Question:
    """Return the question of a record; with_answers: for training and evaluation, where each passage has answers.

    refuse: is given each passage that is wrong, which is left out then, and each start.
    Raises KexueError that names the field, as in ``passages[2].answers[0] must be a string; found 3``.
    """
    question = member(record, "question", str)
    values = enumerate(member(record, "passages", list))
    read = _read_labelled if with_answers else _read_plain
    passages = [tried(refuse, read, value, f"passages[{i}]", refuse) for i, value in values]
    return Question(question, tuple(passage for passage in passages if passage is not None))


def _read_plain(value: object, place: str, refuse: Refuse) -> Passage:
    if isinstance(value, str):
        return Passage(value)
    if not isinstance(value, dict):
        raise KexueError(f'{place} must be a string or {{"text"}}; found {shown(value)}')
    return Passage(member(value, "text", str, place))


def _read_labelled(value: object, place: str, refuse: Refuse) -> Passage:
    if not isinstance(value, dict):
        raise KexueError(f'{place} must be {{"text", "answers"}}; found {shown(value)}')
    answers = member(value, "answers", list, place)
    for i, answer in enumerate(answers):
        if not expect(answer, str, f"{place}.answers[{i}]").strip():
            raise KexueError(f"{place}.answers[{i}] must not be empty; a passage without an answer has []")
    text = member(value, "text", str, place)
    return Passage(text, tuple(answers), _read_starts(value, text, answers, place, refuse))


def _read_starts(value: Record, text: str, answers: list[str], place: str, refuse: Refuse) -> tuple[int, ...]:
    """Return "starts", which a passage may have: where each of its answers begins, so that no other place counts."""
    if "starts" not in value:
        return ()
    starts = member(value, "starts", list, place)
    if len(starts) != len(answers):
        raise KexueError(f"{place}.starts must have a number for each answer; found {len(starts)} for {len(answers)}")
    for i, (start, answer) in enumerate(zip(starts, answers, strict=True)):
        tried(refuse, _check_start, start, answer, text, f"{place}.starts[{i}]")
    return tuple(starts)


def _check_start(start: object, answer: str, text: str, place: str) -> None:
    number = expect(start, int, place)
    if number < 0 or not text.startswith(answer, number):
        raise KexueError(f"{place} must be where {shown(answer)} begins in the text; found {number}")


def is_found(answer: str, text: str) -> bool:
    """Say whether an answer stands in a text, in one piece or in the parts that have spaces between them.

    Width, case and script make no difference (text.normalization), as in training.
    """
    text = normalize(text)
    return all(part in text for part in normalize(answer).split())


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record of either form."""
    wrong: list[KexueError] = []
    try:
        question = read_question(record, with_answers=_is_labelled(record), refuse=wrong.append)
    except KexueError as error:
        wrong.append(error)
    if wrong:
        return [Problem("unreadable", "", str(error)) for error in wrong]
    found = list(_empty_parts(question))
    for i, passage in enumerate(question.passages):
        found += _answer_problems(passage, f"passages[{i}]")
    if _is_labelled(record) and question.passages and not question.answers:
        found.append(Problem("without an answer", "passages", "no answer in any passage", is_error=False))
    return found


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check: no answers are enough for prediction only."""
    passages = record.get("passages")
    passages = passages if isinstance(passages, list) else []
    answers = [passage.get("answers") for passage in passages if isinstance(passage, dict)]
    return {"passages": len(passages), "answers": sum(len(found) for found in answers if isinstance(found, list))}


def _is_labelled(record: Record) -> bool:
    passages = record.get("passages")
    return isinstance(passages, list) and any(isinstance(value, dict) and "answers" in value for value in passages)


def _empty_parts(question: Question) -> Iterator[Problem]:
    if not question.question.strip():
        yield Problem("empty", "question", "is empty")
    if not question.passages:
        yield Problem("without passages", "passages", "there are none")
    for i, passage in enumerate(question.passages):
        if not passage.text.strip():
            yield Problem("empty", f"passages[{i}].text", "is empty")


def _answer_problems(passage: Passage, place: str) -> Iterator[Problem]:
    is_there = [is_found(answer, passage.text) for answer in passage.answers]
    for i, answer in enumerate(passage.answers):
        field = f"{place}.answers[{i}]"
        if not is_there[i]:
            # beside an answer that is found this is another way to say it: scoring takes it, training has the other
            rest = "; another answer is" if any(is_there) else ""
            text = f"{shown(answer)} is not in the passage{rest}"
            yield Problem("answers not in the passage", field, text, is_error=not any(is_there))
        if answer in passage.answers[:i]:
            yield Problem("answers given twice", field, f"{shown(answer)} is given twice", is_error=False)
