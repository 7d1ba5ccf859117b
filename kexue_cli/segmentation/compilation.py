"""The inner loops, compiled by numba: the same functions as the plain ones, some hundred times faster.

Training calls them here; the decoder's are made into machine code that is loaded without numba (machine_code.py).
Compiled code is kept in the user's cache folder under a name made from the sources, so an update never runs
stale code, an installation may be read-only, and two users never share files.
"""

import hashlib
from types import FunctionType, ModuleType
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types

from kexue_cli.segmentation import counting, double_array, rules, viterbi
from kexue_cli.segmentation.templates import numbering, paths
from kexue_cli.zoo import cache_folder

MODULES: tuple[ModuleType, ...] = (rules, viterbi, double_array, counting, numbering, paths)


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


def _compiled_functions() -> dict[str, Any]:
    """Return all functions of the modules by name, so that each calls the compiled ones.

    A function is compiled, without the GIL, at its first call or read from the cache.
    """
    namespace: dict[str, Any] = {}
    for module in MODULES:
        namespace.update(vars(module))
    for module in MODULES:
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                bound = FunctionType(function.__code__, namespace, name, function.__defaults__)
                bound.__module__ = module.__name__
                namespace[name] = numba.njit(nogil=True, cache=HAS_CACHE and name in ENTRY_POINTS)(bound)
    return namespace


ENTRY_POINTS = (
    "insert_words",
    "find_words",
    "encode_block",
    "pack_grams",
    "sort_grams",
    "unique_grams",
    "merge_runs",
    "add_grams",
    "link_suffixes",
    "count_tokens",
    "cut_outside",
    "word_starts",
    "number_tokens",
    "move_tokens",
    "add_to_table",
    "count_buckets",
    "count_pairs",
    "link_words",
    "first_frontier",
    "weigh",
    "extend",
    "merge_alike",
)  # what training calls, and what is cached
_functions = _compiled_functions()

insert_words = _functions["insert_words"]
find_words = _functions["find_words"]
encode_block = _functions["encode_block"]
pack_grams = _functions["pack_grams"]
sort_grams = _functions["sort_grams"]
unique_grams = _functions["unique_grams"]
merge_runs = _functions["merge_runs"]
add_grams = _functions["add_grams"]
link_suffixes = _functions["link_suffixes"]
count_tokens = _functions["count_tokens"]
cut_outside = _functions["cut_outside"]
word_starts = _functions["word_starts"]
number_tokens = _functions["number_tokens"]
move_tokens = _functions["move_tokens"]
add_to_table = _functions["add_to_table"]
count_buckets = _functions["count_buckets"]
count_pairs = _functions["count_pairs"]
link_words = _functions["link_words"]
first_frontier = _functions["first_frontier"]
weigh = _functions["weigh"]
extend = _functions["extend"]
merge_alike = _functions["merge_alike"]

DECODER = ("highest_base", "segment_block", "write_block")
ELEMENTS = {  # what stands in the arrays among the decoder's parameters; all others are whole numbers
    **dict.fromkeys(("data", "is_start", "separator", "output"), types.uint8),
    **dict.fromkeys(("table", "user_table"), types.int32),
    **dict.fromkeys(("units", "user_units", "weights", "best", "previous", "symbols", "offsets"), types.int64),
}


def machine_code() -> tuple[bytes, bool]:
    """Return the decoder's functions as an object file for this processor, and whether it works without numba.

    They take pointers for arrays: numba counts no references to those, and so calls nothing of its own.
    """
    module = llvm.parse_assembly("")
    for name in DECODER:
        function = _functions[name].py_func
        parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
        signature = [types.CPointer(ELEMENTS[each]) if each in ELEMENTS else types.int64 for each in parameters]
        callback = numba.cfunc(types.int64(*signature))(function)
        part = llvm.parse_assembly(callback.inspect_llvm())
        # The callback makes Python exceptions of errors; it is left out, the function that it calls is kept.
        part.get_function(callback.native_name).linkage = "available_externally"
        part.get_function(callback.native_name.removeprefix("cfunc.")).name = name
        module.link_in(part)
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, codemodel="jitdefault"
    )
    code: bytes = machine.emit_object(module)
    outside = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    return code, not any(name.encode() in code for name in outside)
