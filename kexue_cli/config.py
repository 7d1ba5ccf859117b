"""Frozen dataclasses to JSON and back, strict about unknown keys and wrong types."""

import dataclasses
import json
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from kexue_cli.errors import KexueError, cut, unknown_name
from kexue_cli.streams import read_whole

Config = TypeVar("Config")

FORMAT = 1  # of config.json
MOST_JSON = 16 << 20  # bytes of a JSON file of a model

Share = typing.Annotated[float, "from 0 to 1"]  # a setting that is a share or a probability


def from_mapping(kind: type[Config], values: Any, where: str) -> Config:
    """Return a dataclass of *kind* from a JSON object.

    Raises KexueError naming *where* and the key if a key is unknown or missing, or its value has another type.
    """
    if not isinstance(values, dict):
        raise KexueError(f"{where} must be an object; found {type(values).__name__}")
    hints = typing.get_type_hints(kind, include_extras=True)
    for key in values:
        if key not in hints:
            raise KexueError(f"{where}: {unknown_name('setting', key, hints)}")
    known: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in values:
            known[field.name] = _checked(values[field.name], hints[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise KexueError(f"{where}: missing setting {field.name!r}")
    return kind(**known)


def part_of(values: dict[str, Any], name: str, kind: type[Config], folder: Path) -> Config:
    """Return what a model's config.json holds under a name, as a dataclass. values: of the file; folder: the model's.

    Raises KexueError as from_mapping does, naming the file.
    """
    return from_mapping(kind, values.get(name), f"{folder / 'config.json'}: {name}")


def check_given(network: Any, own: dict[str, Any], where: str, hint: str) -> None:
    """Raise KexueError for a setting of a task's network that is neither the default nor what the model *where* has.

    own: what that has. hint: what to do.
    """
    default = type(network)()
    for name, value in own.items():
        if getattr(network, name) not in (value, getattr(default, name)):
            raise KexueError(f"network.{name} is {json.dumps(value)} in {where}; {hint}")


def network_of_start(start: str, own: Config, given: Config, free: Sequence[str]) -> Config:
    """Return the network of a model that a training begins from, with the free settings of what is *given*.

    own: of the model of that name. Raises KexueError for another setting that is given and is not that of the model.
    """
    fixed = {name: value for name, value in vars(own).items() if name not in free}
    check_given(given, fixed, f"{start}, from which the training begins", "leave it out, or begin without --from")
    return dataclasses.replace(own, **{name: getattr(given, name) for name in free})  # type: ignore[type-var]


def _checked(value: Any, hint: Any, where: str) -> Any:
    """Return *value* as the type *hint* says. Raises KexueError if it is of another."""
    origin = typing.get_origin(hint)
    if hint == Share:
        if 0 <= (number := _checked(value, float, where)) <= 1:
            return number
        raise KexueError(f"{where} must be from 0 to 1; found {number}")
    if origin is tuple:
        if isinstance(value, list):
            item = typing.get_args(hint)[0]
            return tuple(_checked(element, item, f"{where}[{index}]") for index, element in enumerate(value))
    elif origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _checked(value, next(part for part in typing.get_args(hint) if part is not type(None)), where)
    elif dataclasses.is_dataclass(hint):
        return from_mapping(hint, value, where)  # type: ignore[arg-type]
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= sys.float_info.max:  # neither infinite nor NaN
            return float(value)
        raise KexueError(f"{where} must be a finite number; found {str(value)[:40]}")
    elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    name = getattr(hint, "__name__", str(hint))
    raise KexueError(f"{where} must be of type {name}; found {cut(value)}")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises KexueError if it cannot be read, is not JSON or larger than MOST_JSON.
    """
    data = read_whole(path, MOST_JSON)
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise KexueError(f"{path} is not JSON: {error}") from None


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises KexueError if it cannot be read or is not TOML.
    """
    import tomllib

    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise KexueError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise KexueError(f"{path} is not TOML: {error}") from None


def write_json(path: Path, values: Any) -> None:
    """Write *values* to a JSON file that a person can read."""
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", "utf-8", newline="\n")
