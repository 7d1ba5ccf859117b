"""The records of segmentation: ``{"text"}``, with gold ``{"text", "words": [{"word", "start", "end"}...]}``."""

from collections.abc import Iterator

from kexue_cli.errors import KexueError
from kexue_cli.fields import member, shown
from kexue_cli.records import Problem, Record


def problems(record: Record) -> list[Problem]:
    """Return what is wrong with a record: unreadable fields, words that are not the text's or not at their places."""
    try:
        text = member(record, "text", str) if "text" in record or "words" not in record else None
        words = member(record, "words", list) if "words" in record else None
        found = [] if text is None or text.strip() else [Problem("empty", "text", "is empty")]
        return found if words is None else [*found, *_word_problems(words, text)]
    except KexueError as error:
        return [Problem("unreadable", "", str(error))]


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    words = record.get("words")
    return {"words": len(words)} if isinstance(words, list) else {}


def _word_problems(words: list[object], text: str | None) -> Iterator[Problem]:
    joined = ""
    for i, value in enumerate(words):
        place = f"words[{i}]"
        word = member(value, "word", str, place)
        joined += word
        if not word:
            yield Problem("empty", f"{place}.word", "is empty")
        if text is None or not isinstance(value, dict) or not value.keys() >= {"start", "end"}:
            continue
        start, end = value["start"], value["end"]
        if not (isinstance(start, int) and isinstance(end, int) and start >= 0 and text[start:end] == word):
            yield Problem("words out of place", place, f"{shown(word)} is not the text from {start} to {end}")
    if text is not None and joined.split() != text.split() and "".join(joined.split()) != "".join(text.split()):
        yield Problem("words unlike the text", "words", f"joined they are {shown(joined)}, the text is {shown(text)}")
