"""Sorted runs in files: merged, they are what one run of all would be."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import runs
from kexue_cli.segmentation.runs import merged_runs, pieces_of_run, read_note, write_run

Counts = dict[tuple[int, int], int]  # by high and low word of a key


def write(path, counts: Counts) -> None:
    keys = sorted(counts)
    columns = (np.array([key[0] for key in keys], np.uint64), np.array([key[1] for key in keys], np.uint32))
    write_run(path, pieces_of_run((*columns, np.array([counts[key] for key in keys], np.int64))), {"name": "甲"})


def as_list(pieces) -> list[tuple[tuple[int, int], int]]:
    return [
        ((high, low), count)
        for piece in pieces
        for high, low, count in zip(*(column.tolist() for column in piece), strict=True)
    ]


few = st.integers(0, 3) | st.just(2**32 - 1)
counts = st.dictionaries(st.tuples(few | st.just(2**64 - 1), few), st.integers(1, 2**40), max_size=12)


@settings(max_examples=80)
@given(st.lists(counts, max_size=7), st.integers(1, 4), st.integers(2, 8))
def test_merged_runs_are_sorted_and_add_up(tmp_path_factory, parts, piece_keys, most_runs):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "PIECE_KEYS", piece_keys)
        patch.setattr(runs, "MOST_RUNS", most_runs)
        paths = [folder / f"{number}.run" for number in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            write(path, part)
        total: Counter[tuple[int, int]] = Counter()
        for part in parts:
            total.update(part)

        assert as_list(merged_runs(paths, folder / "work")) == sorted(total.items())
        assert not (folder / "work").exists() or not list((folder / "work").iterdir())


def test_a_note_tells_what_a_file_holds(tmp_path):
    write(tmp_path / "a.run", {(1, 2): 3, (1, 3): 4})

    note = read_note(tmp_path / "a.run")

    assert (note["name"], note["keys"]) == ("甲", 2)


@pytest.mark.parametrize("length", [0, 5, 30, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path, length):
    write(tmp_path / "a.run", {(1, 2): 3})
    data = (tmp_path / "a.run").read_bytes()
    (tmp_path / "a.run").write_bytes(data[:length])

    with pytest.raises(KexueError, match=r"a\.run is cut short or damaged; remove it"):
        read_note(tmp_path / "a.run")


def test_a_byte_that_is_changed_in_a_piece_is_noticed(tmp_path):
    write(tmp_path / "a.run", {(number, number): number + 1 for number in range(50)})
    data = bytearray((tmp_path / "a.run").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "a.run").write_bytes(data)

    with pytest.raises(KexueError, match=r"a\.run is damaged; remove it"):
        as_list(merged_runs([tmp_path / "a.run"], tmp_path))
