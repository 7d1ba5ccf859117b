"""Drawings at a terminal, with rich: marked texts, tables, trees. What is marked is in [brackets], colours or not."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text as Line
from rich.tree import Tree

from kexue_cli.pictures import drawing
from kexue_cli.pictures.characters import visible
from kexue_cli.pictures.drawing import ROLES, Block, Cell, Drawing, Mark, Role
from kexue_cli.pictures.kinds import KINDS

STYLES: dict[Role, str] = {
    "found": "bold yellow", "right": "bold green", "wrong": "bold red", "missed": "bold blue", "gold": "green",
    "other": "dim",
}  # fmt: skip
LEVELS = "▁▂▃▄▅▆▇█"
PIPED_WIDTH = 100  # columns, where no terminal says how many it has


def writer(*, is_terminal: bool) -> Callable[[Drawing], str]:
    """Return the function that makes text of a drawing: in colours for a terminal only, and not if NO_COLOR is set."""
    width = None if is_terminal or "COLUMNS" in os.environ else PIPED_WIDTH
    console = Console(
        file=io.StringIO(), force_terminal=is_terminal, width=width, highlight=False, emoji=False, markup=False
    )

    def write(picture: Drawing) -> str:
        with console.capture() as capture:
            console.print(render(picture))
        text = capture.get()
        return text if is_terminal else "".join(f"{line.rstrip()}\n" for line in text.split("\n")[:-1])

    return write


def render(picture: Drawing) -> RenderableType:
    """Return a drawing as rich shows it."""
    titles = " + ".join(KINDS[task].title for task in picture.tasks)
    sign = f" · {ROLES[picture.verdict][0]} {picture.verdict}" if picture.verdict else ""
    style = STYLES[picture.verdict] if picture.verdict else "dim"
    rule = Rule(Line(f"{picture.line} · {titles}{sign}", style=style), align="left", style="dim", characters="─")
    return Group(rule, *(part for block in picture.blocks for part in _block(block)), Line(""))


def _block(block: Block) -> Iterator[RenderableType]:
    draws: dict[type, Callable[[Any], Iterator[RenderableType]]] = {
        drawing.Text: _text, drawing.Table: _table, drawing.Arcs: _arcs, drawing.Words: _words,
        drawing.Lattice: _lattice, drawing.Structure: _structure, drawing.Curves: _curves, drawing.Facts: _facts,
    }  # fmt: skip
    return draws[type(block)](block)


def _heading(text: str) -> Iterator[Line]:
    if text:
        yield Line(visible(text), style="bold")


def _text(block: drawing.Text) -> Iterator[RenderableType]:
    yield from _heading(block.heading)
    yield _marked(block.text, [mark for mark in block.marks if mark.role != "other"])  # a table has those


def _marked(text: str, marks: Sequence[Mark]) -> Line:
    """Return a text with each mark in brackets, its sign and its label behind it."""
    line = Line()
    places = sorted({0, len(text), *(place for mark in marks for place in (mark.start, mark.end))})
    for start, end in zip(places, [*places[1:], len(text)], strict=True):
        for mark in marks:
            if mark.end == start:
                label = f"→{visible(mark.label)}" if mark.label else ""
                line.append(f"{label}]{ROLES[mark.role][0]}", STYLES[mark.role])
        here = [mark for mark in marks if mark.start <= start < mark.end]
        line.append("[" * sum(mark.start == start for mark in here), STYLES[here[-1].role] if here else "")
        line.append(visible(text[start:end]), STYLES[here[0].role] if here else "")
    return line


def _cell(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return visible(value)
    return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"


def _table(block: drawing.Table) -> Iterator[RenderableType]:
    yield from _heading(block.heading)
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    if block.roles:
        grid.add_column("")
    for name in block.columns:
        grid.add_column(visible(name), overflow="fold")
    for i, row in enumerate(block.rows):
        role = block.roles[i] if block.roles else None
        sign = [f"{ROLES[role][0]} {role}"] if role else []
        grid.add_row(*(Line(cell) for cell in [*sign, *map(_cell, row)]), style=STYLES[role] if role else "")
    yield grid


def _arcs(block: drawing.Arcs) -> Iterator[RenderableType]:
    """Yield the text with subjects and objects marked; the table behind it says how they belong together."""
    roles = {span: arc.role for arc in reversed(block.arcs) for span in (arc.subject, arc.object)}
    yield _marked(
        block.text, [Mark(*span, "found" if role != "missed" else role) for span, role in sorted(roles.items())]
    )


def _words(block: drawing.Words) -> Iterator[RenderableType]:
    yield from _heading(block.heading)
    line = Line()
    for i, word in enumerate(block.words):
        role = block.roles[i] if block.roles else None
        sign = ROLES[role][0] if role in ("wrong", "missed") else ""
        line.append(f"{visible(word)}{sign}", STYLES[role] if role and sign else "")
        line.append(" / " if i + 1 < len(block.words) else "", "dim")
    yield line


def _lattice(block: drawing.Lattice) -> Iterator[RenderableType]:
    yield from _heading("Lattice (* in the best cut; weights in nats)")
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    for name in ("", "place", "word", "weight", "source"):
        grid.add_column(name, justify="right" if name == "weight" else "left")
    for edge in block.edges:
        weight = "kept" if edge.weight is None else f"{edge.weight:.2f}"
        cells = (
            "*" if edge.is_chosen else "",
            f"{edge.start}–{edge.end}",
            visible(edge.word),
            weight,
            visible(edge.source),
        )
        grid.add_row(*map(Line, cells), style="bold green" if edge.is_chosen else "")
    yield grid


def _structure(block: drawing.Structure) -> Iterator[RenderableType]:
    def grow(tree: Tree, node: drawing.Node) -> Tree:
        for child in node.children:
            grow(tree.add(name(child)), child)
        return tree

    def name(node: drawing.Node) -> Line:
        style = "bold" if node.children else "cyan" if node.is_fixed else ""
        return Line(visible(node.label) or "·", style=style)

    yield grow(Tree(name(block.root), guide_style="dim"), block.root)


def _curves(block: drawing.Curves) -> Iterator[RenderableType]:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    for name in ("", "epochs", "first", "last", "least", "most"):
        grid.add_column(name, overflow="fold")
    for name, values in block.curves:
        known = [value for value in values if value is not None]
        if known:
            numbers = (known[0], known[-1], min(known), max(known))
            grid.add_row(*map(Line, (visible(name), _levels(known), *map(_cell, numbers))))
    yield grid


def _levels(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    step = (high - low) / (len(LEVELS) - 1) or 1
    return "".join(LEVELS[round((value - low) / step)] for value in values)


def _facts(block: drawing.Facts) -> Iterator[RenderableType]:
    yield from _heading(block.heading)
    for name, value in block.rows:
        yield Line.assemble((f"{visible(name)}: ", "dim"), _cell(value))
