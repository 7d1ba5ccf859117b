"""The inner loops, compiled by numba: the same functions as the plain ones, some hundred times faster.

Compiled code is kept in the user's cache folder under a name made from the sources, so an update never runs
stale code, an installation may be read-only, and two users never share files.
"""

import hashlib
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numba
from numba.extending import register_jitable

from kexue_cli.segmentation import counting, double_array, rules, viterbi
from kexue_cli.zoo import cache_folder

MODULES: tuple[ModuleType, ...] = (rules, viterbi, double_array, counting)


def _sources_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for module in MODULES:
        assert module.__file__ is not None
        with open(module.__file__, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:16]


def _use_cache() -> bool:
    """Point numba to our folder for these sources; return whether there is one."""
    folder = cache_folder()
    if folder is None:
        return False
    numba.config.CACHE_DIR = str(folder / "compiled" / _sources_digest())  # type: ignore[attr-defined]
    return True


HAS_CACHE = _use_cache()

for _module in MODULES:  # what a compiled function calls must be known to numba
    for _function in vars(_module).values():
        if isinstance(_function, FunctionType) and _function.__module__ == _module.__name__:
            register_jitable(_function)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled at its first call, or read from the cache; it runs without the GIL."""
    return numba.njit(nogil=True, cache=HAS_CACHE)(function)


segment_block = _compiled(viterbi.segment_block)
write_block = _compiled(viterbi.write_block)
insert_words = _compiled(double_array.insert_words)
find_words = _compiled(double_array.find_words)
encode_block = _compiled(counting.encode_block)
pack_grams = _compiled(counting.pack_grams)
sort_grams = _compiled(counting.sort_grams)
unique_grams = _compiled(counting.unique_grams)
merge_runs = _compiled(counting.merge_runs)
add_grams = _compiled(counting.add_grams)
link_suffixes = _compiled(counting.link_suffixes)
count_tokens = _compiled(counting.count_tokens)
cut_outside = _compiled(counting.cut_outside)
