"""What every kexue evaluate prints: one JSON object, or the same as lines and tables for people."""

import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.fields import within
from kexue_cli.streams import source_name

Scores = dict[str, Any]

NAME_COLUMNS = 15  # of the terminal, for the names of scores; longer ones widen it


def report(task: str, model: str, file: str, records: int, start: float, scores: Scores) -> Scores:
    """Return the scores with what was scored. start: time.time() before it."""
    seconds = round(time.time() - start, 3)
    return {"task": task, "model": model, "data": source_name(file), "records": records, "seconds": seconds, **scores}


def table(result: Scores) -> str:
    """Return scores as lines for people: name, value, interval.

    A score of a group is named as in relaxed.f1; groups of one kind (a dict of dicts) make a table at the end.
    """
    intervals = dict(_flat(result.get("interval", {})))
    values = dict(_flat({name: value for name, value in result.items() if name != "interval"}))
    groups = {name: values.pop(name) for name in list(values) if isinstance(values[name], dict)}
    width = max(NAME_COLUMNS, *map(len, values))
    lines = []
    for name, value in values.items():
        low_high = "  [{:.4f}, {:.4f}]".format(*intervals[name]) if name in intervals else ""
        lines.append(f"{name:<{width}} {str(value) if name == 'seconds' else _shown(value)}{low_high}\n")
    for name, rows in groups.items():
        lines += _grid(name, rows) if rows else []
    return "".join(lines)


def comparison_table(result: Scores) -> str:
    """Return two models side by side as lines for people."""
    rows = [("", "first", "second", "difference", "95 % interval", "p")]
    for name, score in result["scores"].items():
        low_high = "[{:+.4f}, {:+.4f}]".format(*score["interval"]) if score["interval"] else "-"
        values = [f"{score['first']:.4f}", f"{score['second']:.4f}", f"{score['difference']:+.4f}"]
        rows.append((name, *values, low_high, "-" if score["p"] is None else f"{score['p']:.3f}"))
    widths = [max(_columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    first, second = result["models"]
    head = {name: value for name, value in result.items() if name not in ("models", "scores")}
    head = {"task": head.pop("task"), "first": first, "second": second, **head}
    lines = [f"{name:<{NAME_COLUMNS}} {value}\n" for name, value in head.items()]
    for name, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name + " " * (widths[0] - _columns(name)), *padded]).rstrip() + "\n")
    return "".join(lines)


def _flat(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its place, as in relaxed.f1; a dict of dicts is one value."""
    for name, value in values.items():
        if isinstance(value, dict) and not all(isinstance(row, dict) for row in value.values()):
            yield from _flat(value, within(place, name))
        else:
            yield within(place, name), value


def _grid(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table: a line for each row, under the names of what the first one holds."""
    lines = [(name, list(next(iter(rows.values()))))]
    lines += [(row, [_shown(value) for value in values.values()]) for row, values in rows.items()]
    width = max(_columns(first) for first, _ in lines)
    for first, cells in lines:
        yield first + " " * (width - _columns(first)) + "".join(f" {cell:>9}" for cell in cells) + "\n"


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def placed(where: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function; an error it raises is told with the place of the record."""
    try:
        return function(*arguments, **options)
    except KexueError as error:
        raise KexueError(f"{where}: {error}") from None
