"""The decoder's inner loops as machine code, made once by numba and kept in the user's cache folder.

From then on LLVM alone loads it: numba takes 0.3 s to start. The code stands for itself, so it needs nothing of
numba, NumPy or Python when it runs. Its file bears a name made from all that it depends on: the sources, LLVM, and
the processor, for machines may share a home folder. In the file a SHA-256 stands before the code.
"""

import ctypes
import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from kexue_cli.zoo import cache_folder

SOURCES = ("rules.py", "viterbi.py", "compilation.py")
_lock = threading.Lock()


class MachineCode:
    """Code that can be called. Safe to call from several threads, and holds no lock of Python's while it runs."""

    def __init__(self, code: bytes) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault")
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self.engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
        self.engine.finalize_object()

    def function(self, name: str) -> Callable[..., int]:
        """Return a function of viterbi.py; it takes whole numbers and, for arrays, bytes or writable buffers."""
        return functools.partial(self._call, ctypes.CFUNCTYPE(ctypes.c_int)(self.engine.get_function_address(name)))

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        """Call by numba's convention: a place for the result, one for an exception, then the arguments."""
        result = ctypes.c_int64()
        if function(ctypes.byref(result), ctypes.byref(ctypes.c_void_p()), *map(_argument, arguments)) != 0:
            raise RuntimeError("compiled code failed")
        return result.value


def _argument(value: Any) -> Any:
    if isinstance(value, int):
        return ctypes.c_int64(value)
    if isinstance(value, bytes):
        return ctypes.c_char_p(value)
    return ctypes.byref(ctypes.c_char.from_buffer(value))


def _make() -> tuple[bytes, bool]:
    from kexue_cli.segmentation import compilation

    return compilation.machine_code()


@functools.cache
def _load() -> MachineCode:
    return MachineCode(kept_code(cache_folder(), _make))


def load() -> MachineCode:
    """Return the code for this machine; it is made if it is not in the cache, which takes some seconds."""
    with _lock:
        return _load()


def kept_code(cache: Path | None, make: Callable[[], tuple[bytes, bool]]) -> bytes:
    """Return the code from the cache folder, or make it and keep it there if that can be.

    make: returns the code, and whether it may be kept.
    """
    path = cache and cache / "compiled" / f"{_digest_of_dependencies()}.code"
    if path:
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            return content[32:]
    code, may_be_kept = make()
    if path and may_be_kept:
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(partial, path)
        except OSError:
            pass  # the cache is a convenience
    return code


def _digest_of_dependencies() -> str:
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    # numba asks for one release of llvmlite, so another numba has another one
    for part in (
        llvmlite.__version__,
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ):
        digest.update(f"\n{part}".encode())
    return digest.hexdigest()[:32]
