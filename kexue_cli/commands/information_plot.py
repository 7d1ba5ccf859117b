"""What a text costs over the size of the lexicon: the curve, and its picture.

Article: https://kexue.fm/archives/5476: each word that is worth its place lowers the information per character.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kexue_cli.errors import KexueError
from kexue_cli.records import Block
from kexue_cli.segmentation.lexicon import LEXICON, read_weights
from kexue_cli.segmentation.metrics import information_per_character
from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter
from kexue_cli.segmentation.trie import build_trie, whole_weight
from kexue_cli.streams import open_output

STEPS = (1, 3)  # sizes are 100, 300, 1,000, ...
SMALLEST = 100
SEPARATOR = "\x00"

Curve = list[tuple[int, float]]  # words of the lexicon, bits per character


def information_curve(folder: Path, decoding: DecodingConfig, texts: Sequence[str]) -> Curve:
    """Return the information per character of texts, cut with the most frequent words of a model's lexicon only.

    The words come in the order of the lexicon, which is that of their counts in the corpus.
    """
    weights = list(read_weights(folder / LEXICON).items())
    block = Block("".join(f"{text}\n" for text in texts).encode(), 1)
    curve = []
    for size in _sizes(len(weights)):
        trie = build_trie({word: whole_weight(weight) for word, weight in weights[:size]})
        cut = Segmenter(trie, decoding).write(block, SEPARATOR).decode()
        words = Counter(cut.replace("\n", SEPARATOR).split(SEPARATOR))
        del words[""]
        curve.append((size, information_per_character(words)))
    return curve


def _sizes(most: int) -> list[int]:
    sizes = [step * SMALLEST * 10**power for power in range(7) for step in STEPS]
    return [size for size in sizes if size < most] + [most]


def draw(path: str, curve: Curve, scores: Mapping[str, Any]) -> None:
    """Write a PNG of the curve, with lines for characters and for templates.

    Raises KexueError if matplotlib is not installed or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise KexueError("--plot draws with matplotlib, which is not installed; pip install 'kexue[train]'") from None

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axhline(scores["information_characters"], color="tab:grey", linestyle="--", label="characters")
    axes.plot([size for size, _ in curve], [bits for _, bits in curve], marker="o", color="tab:blue", label="words")
    if "information_templates" in scores:
        axes.axhline(scores["information_templates"], color="tab:green", linestyle="--", label="words and templates")
    axes.set(xscale="log", xlabel="words in the lexicon", ylabel="bits per character")
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, metadata={"Software": None})
    with open_output(path) as sink:
        sink.write(picture.getvalue())
