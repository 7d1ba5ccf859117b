"""The records of entity linking: a text, and which things of a knowledge base it mentions where.

Training and evaluation: ``{"text", "mentions": [{"mention", "start", "id"}]}``. The id null says that the base does not
have what is meant (NIL). A mention may have "name" instead of "id", the name of its entity in the base; with neither it
is labelled as a mention, and what is meant is not told. "end", exclusive, may be given and must be right.
Prediction: ``{"text"}``. Further fields are of no concern here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kexue_cli.errors import KexueError
from kexue_cli.fields import Refuse, member, shown, stop, tried, within
from kexue_cli.records import Problem, Record
from kexue_cli.text.normalization import normalize


@dataclass(frozen=True)
class Mention:
    """A piece of a text that names something; start: its place there, in characters."""

    mention: str
    start: int
    id: str | None = None  # of the entity; None: not in the base, or known by its name, or not told
    name: str | None = None  # of the entity, if that is given instead of the id
    is_linked: bool = True  # False: labelled as a mention only

    @property
    def end(self) -> int:
        """Where it ends, exclusive."""
        return self.start + len(self.mention)


@dataclass(frozen=True)
class LabelledText:
    """A text and its mentions."""

    text: str
    mentions: tuple[Mention, ...]


def read_labelled_text(record: Record, refuse: Refuse = stop) -> LabelledText:
    """Return the text of a record and its mentions; width, case and script may differ between the two.

    refuse: is given each mention that is wrong, which is left out then.
    Raises KexueError that names the field, as in ``mentions[2].start must be a whole number; found "3"``.
    """
    text = member(record, "text", str)
    values = enumerate(member(record, "mentions", list))
    mentions = [tried(refuse, _read_mention, value, text, f"mentions[{i}]") for i, value in values]
    return LabelledText(text, tuple(mention for mention in mentions if mention is not None))


def _read_mention(value: object, text: str, place: str) -> Mention:
    mention = filled(value, "mention", place)
    assert isinstance(value, dict)  # member has seen to it
    start = member(value, "start", int, place)
    end = start + len(mention)
    if start < 0 or normalize(text[start:end]) != normalize(mention):
        raise KexueError(f"{place}.start must be where {shown(mention)} begins in the text; found {start}")
    if "end" in value and member(value, "end", int, place) != end:
        found = value["end"]
        raise KexueError(f"{place}.end must be {end}, where {shown(mention)} ends in the text; found {found}")
    if "id" in value:  # a predicted mention has a name beside it, which says nothing new
        return Mention(mention, start, id=None if value["id"] is None else filled(value, "id", place))
    if "name" in value:
        return Mention(mention, start, name=filled(value, "name", place))
    return Mention(mention, start, is_linked=False)


def filled(value: object, name: str, place: str = "") -> str:
    """Return the member *name* of the object at *place*. Raises KexueError if it is no string, or blank."""
    text = member(value, name, str, place)
    if not text.strip():
        raise KexueError(f"{within(place, name)} must not be empty")
    return text


def problems(record: Record) -> list[Problem]:
    """Return what is wrong, or worth a note, with a record: a labelled text, or one to predict from."""
    wrong: list[KexueError] = []
    try:
        is_labelled = "mentions" in record
        read = (
            read_labelled_text(record, wrong.append) if is_labelled else LabelledText(member(record, "text", str), ())
        )
    except KexueError as error:
        wrong.append(error)
    if wrong:
        return [Problem("unreadable", "", str(error)) for error in wrong]
    found = [] if read.text.strip() else [Problem("empty", "text", "is empty")]
    return [*found, *_mention_problems(read)]


def sizes(record: Record) -> dict[str, int]:
    """Return how many of what a record holds, for the summary of a check."""
    mentions = record.get("mentions")
    if not isinstance(mentions, list):
        return {"mentions": 0}
    named = [value for value in mentions if isinstance(value, dict)]
    counts = {
        "mentions not in the base": sum("id" in value and value["id"] is None for value in named),
        "mentions not linked": sum("id" not in value and "name" not in value for value in named),
        "texts without mentions": int(not mentions),
    }
    return {"mentions": len(mentions)} | {name: count for name, count in counts.items() if count}


def _mention_problems(read: LabelledText) -> Iterator[Problem]:
    seen: dict[tuple[int, int], Mention] = {}
    for i, mention in enumerate(read.mentions):
        first = seen.setdefault((mention.start, mention.end), mention)
        if first is mention:
            continue
        if (first.id, first.name) == (mention.id, mention.name):
            told = f"{shown(mention.mention)} at {mention.start} is given twice"
            yield Problem("mentions given twice", f"mentions[{i}]", told, is_error=False)
        else:
            told = f"{shown(mention.mention)} at {mention.start} is linked to another entity too"
            yield Problem("mentions linked twice", f"mentions[{i}]", told)
