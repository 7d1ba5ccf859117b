"""Strict reading of JSON values: what a field holds, or an error that names the field.

A place is the path of a value, as in ``passages[2].answers``; it may begin with a file, as in ``train.json: data[0]``.
"""

import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from kexue_cli.errors import KexueError

T = TypeVar("T", str, int, list[Any], dict[str, Any])
Read = TypeVar("Read")
Given = ParamSpec("Given")
Refuse = Callable[[KexueError], None]  # is given what is wrong, and raises it unless reading is to go on

KINDS: dict[object, str] = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}
SHOWN_CHARACTERS = 40


def shown(value: object) -> str:
    """Return a JSON value as messages show it: as it would be written, cut after some characters."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "lists and objects deep in one another"
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def within(place: str, name: str) -> str:
    """Return the place of the member *name* of the object at *place*."""
    return f"{place}.{name}" if place and not place.endswith(" ") else f"{place}{name}"


def expect(value: object, kind: type[T], place: str) -> T:
    """Return a value that must be of a kind: str, int, list or dict.

    Raises KexueError if it is something else.
    """
    if not isinstance(value, kind) or isinstance(value, bool):  # to Python a bool is an int
        raise KexueError(f"{place.strip(': ') or 'the record'} must be {KINDS[kind]}; found {shown(value)}")
    return value


def member(value: object, name: str, kind: type[T], place: str = "") -> T:
    """Return the member *name* of the object at *place*, which must be of a kind: str, int, list or dict.

    Raises KexueError if it is missing or something else.
    """
    members: dict[str, Any] = expect(value, dict, place)
    if name not in members:
        where = f"{place}: " if place and not place.endswith(" ") else place
        raise KexueError(f"{where}missing field {name!r}; found {sorted(members)}")
    return expect(members[name], kind, within(place, name))


def stop(error: KexueError) -> None:
    """Raise an error: the Refuse of those who need all of a record."""
    raise error


def tried(refuse: Refuse, read: Callable[Given, Read], *given: Given.args, **named: Given.kwargs) -> Read | None:
    """Return what a function reads; None where it raised a KexueError and *refuse* lets reading go on."""
    try:
        return read(*given, **named)
    except KexueError as error:
        refuse(error)
        return None
