"""The decoder's machine code: made once, kept for this machine only, and never trusted when damaged."""

import subprocess
import sys
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import pytest

from kexue_cli.segmentation import compilation, machine_code
from kexue_cli.segmentation.machine_code import MachineCode, kept_code


class Maker:
    """Makes another code each time, so that what was kept can be told from what was made anew."""

    def __init__(self, *, may_be_kept: bool = True) -> None:
        self.made = 0
        self.may_be_kept = may_be_kept

    def __call__(self) -> tuple[bytes, bool]:
        self.made += 1
        return b"code %d" % self.made, self.may_be_kept


def only_file(cache: Path) -> Path:
    (path,) = (cache / "compiled").iterdir()
    return path


def test_code_is_made_once(tmp_path):
    make = Maker()

    assert [kept_code(tmp_path, make) for _ in range(3)] == [b"code 1"] * 3


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:-1], lambda content: content[:36]])
def test_code_that_is_cut_off_is_made_anew(tmp_path, damage):
    make = Maker()
    kept_code(tmp_path, make)
    path = only_file(tmp_path)
    path.write_bytes(damage(path.read_bytes()))

    assert kept_code(tmp_path, make) == kept_code(tmp_path, make) == b"code 2"


def test_any_flipped_byte_is_noticed(tmp_path):
    kept_code(tmp_path, Maker())
    path = only_file(tmp_path)
    whole = path.read_bytes()

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        make = Maker()
        kept_code(tmp_path, make)

        assert make.made == 1, place


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (llvm, "get_host_cpu_name", lambda: "another"),
        (llvm, "get_host_cpu_features", lambda: llvm.FeatureMap({"another": True})),
        (llvm, "get_process_triple", lambda: "another-unknown-linux-gnu"),
        (llvmlite, "__version__", "another"),
        (machine_code, "SOURCES", ("rules.py",)),
    ],
)
def test_code_for_another_machine_or_of_other_sources_is_not_used(tmp_path, monkeypatch, place, name, value):
    make = Maker()
    kept_code(tmp_path, make)
    with monkeypatch.context() as other:
        other.setattr(place, name, value)

        assert kept_code(tmp_path, make) == b"code 2"

    assert kept_code(tmp_path, make) == b"code 1"


@pytest.mark.parametrize("cache", [None, Path("/dev/null")])
def test_without_a_cache_that_can_be_written_code_is_made_each_time(cache):
    make = Maker()

    assert [kept_code(cache, make) for _ in range(2)] == [b"code 1", b"code 2"]


def test_code_that_needs_numba_is_not_kept(tmp_path):
    make = Maker(may_be_kept=False)

    assert [kept_code(tmp_path, make) for _ in range(2)] == [b"code 1", b"code 2"]


def test_the_decoder_needs_nothing_of_numba():
    code, may_be_kept = compilation.machine_code()

    assert may_be_kept
    assert b"numba_" not in code
    assert b"PyErr_" not in code
    assert b"NRT_" not in code
    assert MachineCode(code).function("highest_base")(bytes(8), 1) == 0


def test_numba_and_numpy_are_not_loaded_to_segment_much_text():
    machine_code.load()  # into the cache
    program = """
import sys
from kexue_cli.loader import segmenter
from kexue_cli.records import Block
text = "我爱北京天安门\\n".encode() * 10_000
assert segmenter().write(Block(text, 1), " ").count(b"\\n") == 10_000
print("llvmlite" in sys.modules, "numba" in sys.modules, "numpy" in sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert done.stdout.split() == ["True", "False", "False"]
