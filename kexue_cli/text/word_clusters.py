"""Clusters of words by the map equation: groups that a walk from word to similar word rarely leaves.

Article: https://kexue.fm/archives/7006, whose settings these are: an arrow from each word to the nearest of the others,
50 at most, with a cosine of at least 0.6; two levels; a walk along the arrows that starts anew with probability 0.15.
The search for the shortest code is that of the package infomap.
"""

from typing import TYPE_CHECKING

import numpy as np

from kexue_cli.errors import KexueError
from kexue_cli.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import numpy.typing as npt

NEIGHBOURS = 50
LEAST_COSINE = 0.6
ROWS = 1000  # words compared at a time


def word_clusters(vectors: WordVectors, *, count: int = 10_000, seed: int = 0) -> list[list[str]]:
    """Return the clusters of the *count* most frequent words, the largest first; in each the most central word first.

    A word without a neighbour is in none. The same seed gives the same clusters.
    Raises KexueError if infomap is not installed.
    """
    try:
        from infomap import Infomap
    except ImportError:
        raise KexueError("clusters are found by infomap, which is not installed; pip install 'kexue[train]'") from None

    rows = np.arange(1, min(count + 1, len(vectors.words)), dtype=np.int32)
    arrows = nearest_neighbours(vectors.vectors(rows))
    if not arrows:
        return []
    network = Infomap(two_level=True, directed=True, silent=True, seed=seed + 1)
    network.add_links(arrows)
    nodes = network.run().nodes(states=True)
    clusters: dict[int, list[tuple[float, int]]] = {}
    for node in nodes:
        clusters.setdefault(node.module_id, []).append((-node.flow, node.node_id))
    members = [[row for _, row in sorted(cluster)] for cluster in clusters.values()]
    members.sort(key=lambda cluster: (-len(cluster), cluster))
    return [[vectors.words[row + 1] for row in cluster] for cluster in members]


def nearest_neighbours(table: "npt.NDArray[np.float32]") -> list[tuple[int, int, float]]:
    """Return arrows from each row of a table (n, dimension) to its nearest others: both rows, cosine."""
    unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    arrows = []
    for start in range(0, len(unit), ROWS):
        cosines = unit[start : start + ROWS] @ unit.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -1
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
        for row, others in enumerate(nearest.tolist()):
            near = cosines[row]
            arrows += [(start + row, other, float(near[other])) for other in others if near[other] >= LEAST_COSINE]
    return arrows
