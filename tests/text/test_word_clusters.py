"""Words that are alike are in one cluster."""

import numpy as np
import pytest

from kexue_cli.text.word_clusters import nearest_neighbours, word_clusters
from kexue_cli.text.word_vectors import UNKNOWN, WordVectors

FRUIT, CITIES = ["苹果", "香蕉", "雪梨"], ["北京", "上海"]


@pytest.fixture
def vectors(tmp_path):
    """Fruit points one way, cities another; 的 is like neither."""
    rows = [[0, 0, 0], [9, 1, 0], [9, 0, 0], [9, 0, 1], [0, 9, 0], [0, 9, 1], [0, 0, -9]]
    return WordVectors([UNKNOWN, *FRUIT, *CITIES, "的"], np.array(rows, np.float16), tmp_path)


def test_two_groups_come_out_and_a_word_without_a_neighbour_is_in_none(vectors):
    pytest.importorskip("infomap")

    clusters = word_clusters(vectors)

    assert [set(cluster) for cluster in clusters] == [set(FRUIT), set(CITIES)]
    assert word_clusters(vectors) == clusters


def test_only_the_most_frequent_words_are_taken(vectors):
    pytest.importorskip("infomap")

    assert [set(cluster) for cluster in word_clusters(vectors, count=3)] == [set(FRUIT)]


def test_arrows_lead_to_words_with_a_high_cosine():
    arrows = nearest_neighbours(np.array([[1, 0], [4, 3], [0, 2]], np.float32))  # cosines 0.8, 0, 0.6

    assert [(one, other) for one, other, _ in arrows] == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert [cosine for *_, cosine in arrows] == pytest.approx([0.8, 0.8, 0.6, 0.6])
