"""Train a template model: text to a model folder."""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.provenance import provenance
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.templates import TASK, ParsingConfig
from kexue_cli.segmentation.templates.clauses import read_clauses
from kexue_cli.segmentation.templates.finder import FinderConfig, Found, find_templates
from kexue_cli.segmentation.templates.template import TEMPLATES, shown, write_templates
from kexue_cli.zoo import CARD, CONFIG, METRICS, new_folder, write_sums

if TYPE_CHECKING:
    from kexue_cli.segmentation.segmenter import Segmenter

SHOWN = 10  # templates on the card


def train(
    corpus: Corpus,
    target: Path,
    segmenter: "Segmenter | None",
    config: FinderConfig,
    *,
    command: str,
    segmentation: str,
    advance: Callable[[int], None] = lambda size: None,
) -> dict[str, Any]:
    """Make a folder of templates from a corpus, which is read once, and return its metrics.

    segmenter: cuts the text; None if words are separated by white space in it. segmentation: name of the model whose
    words the templates are made of. command: what the user typed, for the card.
    Raises KexueError if the corpus cannot be read, there is no template in it, or *target* cannot be written.
    """
    start = time.time()
    with new_folder(target) as folder:
        with tempfile.TemporaryDirectory(dir=folder) as work:
            clauses = read_clauses(corpus, segmenter, Path(work) / "clauses", advance)
            found = find_templates(clauses, config, Path(work))
        _check(found, config)
        write_templates(folder / TEMPLATES, found.templates)
        parts = {
            "segmentation": segmentation,
            "parsing": dataclasses.asdict(ParsingConfig()),
            "training": dataclasses.asdict(config),
        }
        write_json(folder / CONFIG, {"format": FORMAT, "task": TASK, **parts})
        metrics = {
            "templates": len(found.templates),
            "bound_pairs": found.pairs,
            "corpus_words": int(clauses.counts.sum()),
            "clauses": found.clauses,
            "clauses_left_out": found.left_out,
            "paths": int(found.paths),
            "most_paths_of_a_clause": int(found.largest),
            "seconds": round(time.time() - start, 1),
            **provenance("numpy", "numba"),
        }
        write_json(folder / METRICS, metrics)
        (folder / CARD).write_text(_card(target.name, config, found, command, metrics), "utf-8")
        write_sums(folder)
    return metrics


def _check(found: Found, config: FinderConfig) -> None:
    """Raise KexueError if there is no template."""
    if not found.clauses and not found.left_out:
        raise KexueError("the corpus holds no words")
    if not found.templates:
        floor = f"a share of {config.min_probability} of {found.paths:,.0f} paths, and {config.min_count} of them"
        raise KexueError(
            f"no template has {floor}; give more text, a smaller --min-probability, --min-count or --min-pmi, "
            f"or, if few clauses have most of the paths, a smaller --max-paths (the most is {found.largest:,.0f})"
        )


def _card(name: str, config: FinderConfig, found: Found, command: str, metrics: dict[str, Any]) -> str:
    """Return the card of a model: what it is, the command that made it, its numbers."""
    best = "\n".join(f"| {shown(each.words)} | {each.count:,} | {each.bits:,.0f} |" for each in found.templates[:SHOWN])
    left_out = f" {found.left_out:,} clauses with more than {config.max_paths:,} paths were left out."
    return f"""# {name}

{metrics["templates"]:,} sentence templates: words that stand together across a few others, [X], from a text of
{metrics["corpus_words"]:,} words. It has {found.clauses:,} clauses with {metrics["bound_pairs"]:,} kinds of bound pairs
and {metrics["paths"]:,} paths along them.{left_out if found.left_out else ""}

Made on {metrics["date"]} in {metrics["seconds"]} s by

```sh
{command}
```

Those that save most:

| template | paths | bits saved |
|---|---|---|
{best}

`kexue segment --structure` parses by them. They are in `templates.tsv`, which may be edited.
"""
