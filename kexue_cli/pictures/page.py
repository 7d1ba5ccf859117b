"""A page of drawings: one HTML file that holds all it needs and asks the network for nothing.

The drawings are embedded once, as a line of JSON each, which the page's own script reads and draws some at a time: a
page of 10,000 records opens with the first 20. The script makes elements and sets their text; it never reads text as
HTML.
"""

import base64
import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kexue_cli.errors import KexueError, RecordError
from kexue_cli.pictures import characters
from kexue_cli.pictures.drawing import ROLES, Drawing
from kexue_cli.pictures.kinds import KINDS, Numbered, drawings
from kexue_cli.records import Record, dump, parse_record
from kexue_cli.streams import open_output

WEB = Path(__file__).parent / "web"
SCRIPTS = (
    "elements.js", "marks.js", "table.js", "rows.js", "arcs.js", "lattice.js", "structure.js", "curves.js", "record.js",
    "page.js",
)  # fmt: skip
DATA_LIMIT = 64 << 20  # bytes of JSON; more makes browsers slow to open a page
FRAME_HEIGHT = 560  # pixels in a notebook
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # in JSON they stand in strings only


@dataclass(frozen=True)
class Page:
    """A page that is done. html: all of it."""

    html: str

    def save(self, path: str | Path) -> None:
        """Write the page; the file appears when it is whole. Raises KexueError if it cannot be written."""
        with open_output(str(path)) as sink:
            sink.write(self.html.encode())

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for a notebook: it may run its script and reach nothing else."""
        source = html.escape(self.html)
        style = f"width:100%;height:{FRAME_HEIGHT}px;border:1px solid #8888;resize:vertical"
        return f'<iframe title="kexue view" sandbox="allow-scripts" style="{style}" srcdoc="{source}"></iframe>'


def page(drawn: Iterable[Drawing], title: str, *, note: str = "") -> Page:
    """Return the page of some drawings. title: where they are from; note: what else is told above them.

    Raises KexueError if they are too many for a browser.
    """
    import orjson

    lines = []
    size = 0
    tasks: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for drawing in drawn:
        line = orjson.dumps(drawing)
        size += len(line)
        if size > DATA_LIMIT:
            raise KexueError(
                f"{title}: a page takes up to {DATA_LIMIT >> 20} MiB, which is reached at line {drawing.line}; "
                f"take fewer records (--limit), or look at all of them with --terminal"
            )
        lines.append(line)
        tasks.update(drawing.tasks)
        verdicts.update([drawing.verdict] if drawing.verdict else [])
    header = {
        "tasks": {task: {"title": KINDS[task].title, "count": count} for task, count in tasks.items()},
        "verdicts": verdicts,
        "roles": {role: {"sign": sign, "meaning": meaning} for role, (sign, meaning) in ROLES.items()},
        "hidden": characters.HIDDEN,
        "names": characters.names(),
    }
    return Page(_filled(title, note, _safe(orjson.dumps(header)), _safe(b"\n".join(lines))))


def page_of_records(records: Iterable[Record]) -> Page:
    """Return the page of records, which may hold arrays. Raises RecordError for one that cannot be drawn, by number."""
    source = "records"

    def numbered() -> Iterator[Numbered]:
        for number, record in enumerate(records, 1):
            try:
                yield number, parse_record(dump(record).decode(), source, number)
            except (TypeError, ValueError) as error:
                raise RecordError(source, number, f"not a record: {error}") from None

    return page(drawings(numbered(), source), source)


def _safe(data: bytes) -> str:
    """Return JSON that can stand in a script element: it ends no element, and turns no text around."""
    text = re.sub("[<>&]", lambda match: UNSAFE[match[0]], data.decode())
    return "\n".join(map(characters.in_json, text.split("\n")))


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _filled(title: str, note: str, header: str, lines: str) -> str:
    style = (WEB / "page.css").read_text("utf-8")
    script = "\n".join(["'use strict';", *((WEB / name).read_text("utf-8") for name in SCRIPTS)])
    values = {
        "title": html.escape(characters.visible(title)),
        "note": html.escape(characters.visible(note)),
        "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        "style": style,
        "header": header,
        "lines": lines,
        "script": script,
    }
    template = (WEB / "page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)
