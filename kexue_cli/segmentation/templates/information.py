"""What text costs in information when its templates are told as one, as its words were told as one before.

Article: https://kexue.fm/archives/5476 and 5577: characters, words, templates; each step is taken because it makes
the whole shorter. Told is a sequence of units. A unit is a word, or a template, behind which the blocks in its
placeholders are told in order; a block is one unit, or a list, which says how many blocks it has. So whoever reads the
units knows the words, and with them the text. A template is used where that is shorter, and else taken apart into its
words and blocks.

As for words, the information is that of the units' own shares in this text: units * entropy / characters, in bits. What
the list of all units would cost is not in it, so the figures are for comparing on one text, and a large one.
"""

import math
from collections import Counter
from collections.abc import Sequence

from kexue_cli.segmentation.templates.structure import Node
from kexue_cli.segmentation.templates.template import Words

Unit = str | Words | int  # a word, a template, the number of units of a list
Cost = tuple[float, list[Unit]]
ROUNDS = 20
LEAST_GAIN = 1e-4  # of the bits, in a round that is followed by another


def information(trees: Sequence[Node]) -> float:
    """Return the bits per character of lines with these structures; 0 without text.

    Trees are best made by templates that save (read_parser). Which of them are used depends on what the units cost, and
    the other way round: they are settled in turn, until the text gets hardly shorter. It is never longer than when all
    templates are taken apart.
    """
    characters = sum(tree["end"] for tree in trees)
    if not characters:
        return 0.0
    words = Counter(unit for tree in trees for unit in _words(tree))
    units = words + Counter(unit for tree in trees for unit in _all_units(tree))
    rounds: list[float] = [math.inf]
    for _ in range(ROUNDS):
        costs = _costs(units)
        units = Counter(unit for tree in trees for unit in _told(tree, costs, is_listed=False)[1])
        rounds.append(_bits(units))
        if rounds[-1] > rounds[-2] * (1 - LEAST_GAIN):
            break
    return min([_bits(words), *rounds]) / float(characters)


def _bits(units: Counter[Unit]) -> float:
    total = units.total()
    return -sum(count * math.log2(count / total) for count in units.values())


def _costs(units: Counter[Unit]) -> dict[Unit, float]:
    total = units.total()
    return {unit: -math.log2(count / total) for unit, count in units.items()}


def _words(node: Node) -> list[Unit]:
    return [node["word"]] if "word" in node else [unit for child in node["children"] for unit in _words(child)]


def _all_units(node: Node) -> list[Unit]:
    """Return the templates of a tree, and the lists that there would be with and without each."""
    if "word" in node:
        return []
    own: list[Unit] = [len(node["children"])]
    if node["template"] is not None:
        own.append(tuple(node["template"]))
    return own + [unit for child in node["children"] for unit in _all_units(child)]


def _told(node: Node, costs: dict[Unit, float], *, is_listed: bool) -> Cost:
    """Return the shortest way to tell a node: bits and units. is_listed: whether it must be one unit, or a list."""
    if "word" in node:
        return costs.get(node["word"], math.inf), [node["word"]]
    children = node["children"]
    parts = [_told(child, costs, is_listed=is_listed) for child in children]
    apart = _joined([len(children)] if is_listed else [], parts, costs)
    if node["template"] is None:
        return apart
    template = tuple(node["template"])
    fillers = [child for word, child in zip(template, children, strict=True) if word is None]
    whole = _joined([template], [_told(child, costs, is_listed=True) for child in fillers], costs)
    return min(whole, apart, key=lambda cost: cost[0])


def _joined(first: list[Unit], parts: list[Cost], costs: dict[Unit, float]) -> Cost:
    bits = sum(costs.get(unit, math.inf) for unit in first) + sum(part[0] for part in parts)
    return bits, first + [unit for part in parts for unit in part[1]]
