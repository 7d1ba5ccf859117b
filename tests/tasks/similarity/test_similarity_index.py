"""The nearest of many vectors are those that comparing each pair would give, however the work is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity import index
from kexue_cli.tasks.similarity.index import Graph, Index, has_usearch, open_graph

EAST, NORTH, WEST, NORTHEAST = (1, 0), (0, 1), (-1, 0), (0.6, 0.8)


def array(*vectors):
    return np.array(vectors, np.float32)


def units(n, dimension=16, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def by_hand(vectors, queries, k, without=None):
    """Score each pair alone and sort."""
    rows, scores = [], []
    for place, query in enumerate(queries):
        all_scores = [np.float32((vector.astype(float) * query.astype(float)).sum()) for vector in vectors]
        order = sorted(range(len(vectors)), key=lambda row: (-all_scores[row], row))
        order = [row for row in order if without is None or row != without[place]][:k]
        rows.append(order)
        scores.append([all_scores[row] for row in order])
    return np.array(scores, np.float32), np.array(rows)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks that a small example has several of."""
    monkeypatch.setattr(index, "ROWS", 7)
    monkeypatch.setattr(index, "QUERIES", 3)
    monkeypatch.setattr(index, "PAIRS", 5)


# ------------------------------------------------------------- all compared


def test_the_nearest_come_first_with_their_cosines():
    scores, rows = Index(array(WEST, EAST, NORTHEAST)).search(array(EAST, NORTH), 2)

    assert rows.tolist() == [[1, 2], [2, 0]]
    assert scores == pytest.approx(array((1, 0.6), (0.8, 0)))
    assert (scores.dtype, rows.dtype) == (np.float32, np.int64)


def test_of_equal_scores_the_lower_row_comes_first():
    _, rows = Index(array(EAST, NORTH, EAST, NORTH, EAST)).search(array(EAST), 4)

    assert rows.tolist() == [[0, 2, 4, 1]]


def test_a_query_does_not_find_the_row_it_must_not_find():
    vectors = array(EAST, NORTHEAST, EAST)

    _, rows = Index(vectors).search(vectors, 2, without=np.array([0, 1, -1]))

    assert rows.tolist() == [[2, 1], [0, 2], [0, 2]]


@pytest.mark.parametrize(
    ("k", "without", "found"), [(5, None, 3), (5, [-1], 3), (5, [1], 2), (2, [1], 2), (0, None, 0)]
)
def test_there_are_no_more_matches_than_rows(k, without, found):
    without = None if without is None else np.array(without)

    scores, rows = Index(array(EAST, NORTH, WEST)).search(array(NORTHEAST), k, without=without)

    assert scores.shape == rows.shape == (1, found)


@pytest.mark.parametrize(("n", "without"), [(0, None), (1, [0])])
def test_of_nothing_nothing_is_found(n, without):
    without = None if without is None else np.array(without)

    assert Index(units(n)).search(units(1), 3, without=without)[1].shape == (1, 0)


def test_no_queries_find_nothing():
    assert Index(units(3)).search(units(0), 2)[1].shape == (0, 2)


@given(
    n=st.integers(1, 60), q=st.integers(1, 12), k=st.integers(1, 60), copies=st.integers(1, 9),
    is_without=st.booleans(), seed=st.integers(0, 1000),
)  # fmt: skip
def test_what_is_found_is_what_comparing_each_pair_gives(n, q, k, copies, is_without, seed):
    vectors = np.tile(units(-(-n // copies), seed=seed), (copies, 1))[:n]  # some are the same
    queries = np.concatenate([vectors, units(q, seed=seed + 1)])[:q]
    without = np.random.default_rng(seed).integers(0, n, q) if is_without else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "ROWS", 7)
        patch.setattr(index, "QUERIES", 3)
        patch.setattr(index, "PAIRS", 5)
        scores, rows = Index(vectors).search(queries, k, without=without)
    expected_scores, expected_rows = by_hand(vectors, queries, k, without)

    assert np.array_equal(rows, expected_rows.reshape(rows.shape))
    assert np.array_equal(scores, expected_scores.reshape(scores.shape))


def test_rows_that_come_better_and_better_are_all_found(small_blocks):
    angles = np.linspace(np.pi, 0, 50)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    assert Index(vectors).search(array(EAST), 3)[1].tolist() == [[49, 48, 47]]


def test_results_do_not_depend_on_the_blocks_nor_on_other_queries(monkeypatch):
    vectors, queries = units(5000, 128), units(50, 128, seed=1)
    scores, rows = Index(vectors).search(queries, 10)

    for block, some in ((64, 1), (999, 17), (8192, 50)):
        monkeypatch.setattr(index, "ROWS", block)
        parts = [Index(vectors).search(queries[at : at + some], 10) for at in range(0, 50, some)]
        assert np.array_equal(np.concatenate([part[0] for part in parts]), scores)
        assert np.array_equal(np.concatenate([part[1] for part in parts]), rows)


def test_vectors_may_lie_on_disk(tmp_path):
    np.save(tmp_path / "vectors.npy", units(100))

    found = Index(np.load(tmp_path / "vectors.npy", mmap_mode="r")).search(units(5, seed=1), 3)

    assert np.array_equal(found[1], Index(units(100)).search(units(5, seed=1), 3)[1])


def test_never_are_all_scores_in_memory_at_once(monkeypatch):
    import tracemalloc

    vectors, queries = units(40_000), units(1000, seed=1)  # 160 MB of scores
    tracemalloc.start()
    Index(vectors).search(queries, 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 60e6


# ------------------------------------------------------------- a graph

needs_usearch = pytest.mark.skipif(not has_usearch(), reason="usearch is not installed")


@needs_usearch
def test_a_graph_finds_nearly_what_comparing_finds(tmp_path):
    vectors, queries = units(2000), units(50, seed=1)
    exact_scores, exact = Index(vectors).search(queries, 5)

    scores, rows = open_graph(vectors, tmp_path / "graph", threads=1).search(queries, 5)

    is_same = rows == exact
    assert is_same.mean() > 0.9
    assert np.array_equal(scores[is_same], exact_scores[is_same])  # scores are exact, whatever the graph holds


@needs_usearch
def test_a_graph_leaves_out_the_row_a_query_must_not_find(tmp_path):
    vectors = array(EAST, NORTHEAST, EAST)

    _, rows = open_graph(vectors, tmp_path / "graph").search(vectors, 5, without=np.array([0, 1, 2]))

    assert rows.tolist() == [[2, 1], [0, 2], [0, 1]]


@needs_usearch
def test_one_query_is_as_good_as_many(tmp_path):
    graph = open_graph(array(EAST, NORTH, WEST), tmp_path / "graph")

    assert graph.search(array(NORTHEAST), 2)[1].tolist() == [[1, 0]]


@needs_usearch
def test_a_graph_is_built_once_and_again_if_its_file_is_damaged_or_of_other_vectors(tmp_path):
    built = []

    def opened(n):
        built.append(0)

        def count(rows):
            built[-1] += rows

        return open_graph(units(n), tmp_path / "graph", advance=count)

    opened(30)
    opened(30)
    opened(31)
    for damage in (b"", b"usearch", (tmp_path / "graph").read_bytes()[:500]):
        (tmp_path / "graph").write_bytes(damage)
        assert opened(31).search(units(1), 1)[1].tolist() == [[0]]

    assert built == [30, 0, 31, 31, 31, 31]
    assert [path.name for path in tmp_path.iterdir()] == ["graph"]


@needs_usearch
def test_a_graph_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot write .*none/graph: No such file or directory$"):
        open_graph(units(3), tmp_path / "none" / "graph")


def test_what_a_graph_gives_too_little_of_is_searched_for_everywhere():
    class Ends:  # a graph in which nothing leads on from row 1
        def search(self, queries, count, threads):
            keys = np.full((len(queries), count), 2**64 - 1, np.uint64)
            keys[:, 0] = 1
            return type("Found", (), {"keys": keys, "counts": np.ones(len(queries), np.uint64)})

    _, rows = Graph(array(EAST, NORTH, WEST), Ends()).search(array(EAST, NORTH), 2, without=np.array([-1, 1]))

    assert rows.tolist() == [[0, 1], [0, 2]]
