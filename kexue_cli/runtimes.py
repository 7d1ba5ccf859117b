"""What runs a network, arrays in and arrays out: ONNX Runtime, or Keras on any of its backends.

A batch that is empty, or has length 0, is safe here; ONNX's recurrent nodes alone would end the process.
Letters: b batch, t positions.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kexue_cli.batching import Sample, by_length, collate, round_up
from kexue_cli.device import Device, DeviceError, prepare_backend
from kexue_cli.errors import KexueError
from kexue_cli.onnx_file import check_network
from kexue_cli.weights_file import check_weights

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
ONLY_FATAL = 4  # ONNX Runtime's log level: its errors are raised, and need not be printed too


class Runtime(Protocol):
    """A network that is ready to run, from several threads if need be."""

    @property
    def device(self) -> str:
        """Where it runs: cpu, gpu:0, ..."""
        ...

    def __call__(self, inputs: Sample) -> Sample:
        """Return the outputs (b, ...) of a batch of inputs (b, ...), each by its name."""
        ...


class OnnxRuntime:
    """A network.onnx under ONNX Runtime."""

    def __init__(self, path: str | Path, *, threads: int = 1, device: str = "cpu") -> None:
        """Read the network. threads: of the processor; device: cpu, or gpu:N where onnxruntime-gpu is installed.

        Raises KexueError if ONNX Runtime is not installed, the file is missing or damaged, or the device is not there.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise KexueError(f"onnxruntime cannot be imported ({error}); try: pip install onnxruntime") from None
        self.device = device
        self._path = _existing(path)
        check_network(self._path)
        providers = _providers(device, onnxruntime.get_available_providers())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ONLY_FATAL
        # All optimisations would take 20 ms longer to start, and save 0.3 ms a question.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        # Threads that spin while they wait were 2.5 times slower than one thread on a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(self._path, options, providers=providers)
            self._dtypes = {item.name: DTYPES[item.type] for item in self._session.get_inputs()}
        except Exception as error:  # its exceptions have no common base
            raise _damaged(self._path, error) from None
        if device != "cpu" and self._session.get_providers()[0] == "CPUExecutionProvider":
            raise DeviceError(f"onnxruntime cannot use {device}; its CUDA libraries may be missing; try: --device cpu")
        self._outputs = [item.name for item in self._session.get_outputs()]

    def __call__(self, inputs: Sample) -> Sample:
        """Return the outputs by name. Raises KexueError unless the inputs are those of the network."""
        _check_names(self._path, inputs, self._dtypes)
        feed = {name: self._cast(name, array) for name, array in _without_zeros(inputs).items()}
        try:
            outputs = self._session.run(self._outputs, feed)
        except Exception as error:  # its exceptions have no common base
            raise _damaged(self._path, error) from None
        return _rows_of(inputs, dict(zip(self._outputs, outputs, strict=True)))

    def _cast(self, name: str, array: np.ndarray) -> np.ndarray:
        try:
            return array.astype(self._dtypes[name], casting="same_kind", copy=False)
        except TypeError:
            wanted = np.dtype(self._dtypes[name])
            raise KexueError(f"{self._path}: input {name!r} has type {array.dtype}; expected {wanted}") from None


class KerasRuntime:
    """A network of Keras with its weights, on the backend that is there."""

    def __init__(
        self, build: Callable[[], Any], weights: str | Path, device: Device, *, precision: str = "float32",
        threads: int | None = None,
    ) -> None:  # fmt: skip
        """Build the network and read its weights. build: returns a keras.Model that has named inputs and outputs.

        Raises KexueError if the backend does not see the device, or the file is missing, damaged or of another network.
        """
        self._path = _existing(weights)
        prepare_backend(device, threads)
        check_weights(self._path)
        import keras

        self.device = device.name
        self._keras = keras
        self._lock = threading.Lock()  # one batch at a time: a GPU has no more to give, and Keras keeps state
        self._is_compiled_per_shape = keras.backend.backend() == "jax"
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
        try:
            with keras.device(self.device):
                self._network = build()
                self._network.load_weights(self._path)
        except (OSError, ValueError, KeyError) as error:
            raise _damaged(self._path, error) from None
        finally:
            keras.config.set_dtype_policy(policy)
        # XLA compiles each new shape for a second or more; JAX cannot do without, and so gets fewer shapes.
        self._network.jit_compile = self._is_compiled_per_shape
        self._lengths_vary = {item.name: item.ndim > 1 and item.shape[1] is None for item in self._network.inputs}

    def __call__(self, inputs: Sample) -> Sample:
        """Return the outputs by name, floats as float32. Raises KexueError unless the inputs are the network's."""
        _check_names(self._path, inputs, self._lengths_vary)
        feed = _without_zeros(inputs)
        if self._is_compiled_per_shape and len({len(array) for array in feed.values()}) == 1:
            feed = {name: round_up(array, 1 + self._lengths_vary[name]) for name, array in feed.items()}
        with self._lock, self._keras.device(self.device):
            outputs = self._network.predict_on_batch(feed)  # predict would cost 45 ms a call and print
        arrays = {name: np.asarray(array) for name, array in outputs.items()}
        rows = max(len(array) for array in inputs.values())
        floats = {name: array.astype(np.float32, copy=False) for name, array in arrays.items() if _is_float(array)}
        arrays = {name: array[:rows] for name, array in {**arrays, **floats}.items()}
        return _rows_of(inputs, arrays)


class FallbackRuntime:
    """A network on the GPU that goes on on the CPU, for good, when the GPU has no room for even one sample."""

    def __init__(self, first: Runtime, open_last: Callable[[], Runtime], warn: Callable[[str], None]) -> None:
        """open_last: opens the network on the CPU when it comes to that; warn: is told so, once."""
        self._runtime = first
        self._open_last: Callable[[], Runtime] | None = open_last
        self._warn = warn
        self._lock = threading.Lock()

    @property
    def device(self) -> str:
        """Where it runs now."""
        return self._runtime.device

    def __call__(self, inputs: Sample) -> Sample:
        """Return the outputs by name."""
        runtime = self._runtime
        try:
            return runtime(inputs)
        except Exception as error:
            is_one = all(len(array) <= 1 for array in inputs.values())
            if not (is_one and is_out_of_memory(error)):
                raise
        return self._last()(inputs)

    def _last(self) -> Runtime:
        with self._lock:
            if self._open_last is not None:
                self._warn(f"{self._runtime.device} is out of memory; going on on the CPU")
                self._runtime, self._open_last = self._open_last(), None
            return self._runtime


def run(runtime: Runtime, samples: Sequence[Sample], *, length: str, budget: int) -> list[Sample]:
    """Return the outputs of each sample, in the order of the samples.

    length: name of the array whose length counts; budget: tokens of a batch, padding included. Out of memory, the
    budget is halved until it fits. Sequences come out as long as their batch was: cropping them is the caller's.
    Raises KexueError if not even one sample fits.
    """
    results: dict[int, Sample] = {}
    lengths = [len(sample[length]) for sample in samples]
    waiting = by_length(lengths, budget)
    while waiting:
        batch = waiting.pop()  # the longest first: if memory is short, it shows at once
        try:
            outputs = runtime(collate([samples[index] for index in batch]))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise _too_long(runtime.device, lengths[batch[0]]) from error
            budget = min(budget, len(batch) * max(1, lengths[batch[-1]])) // 2
            left = sorted(index for indices in [*waiting, batch] for index in indices)
            waiting = [[left[place] for place in part] for part in by_length([lengths[i] for i in left], budget)]
            continue
        for row, index in enumerate(batch):
            results[index] = {name: array[row] for name, array in outputs.items()}
    return [results[index] for index in range(len(samples))]


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an exception of any framework means that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError"):
        return True
    signs = ("RESOURCE_EXHAUSTED", "Failed to allocate", "bad_alloc", "out of memory")
    return not isinstance(error, KexueError) and any(sign in str(error) for sign in signs)


def _too_long(device: str, length: int) -> KexueError:
    advice = "split the text" if device == "cpu" else "split the text, or try --device cpu"
    return KexueError(f"out of memory on {device} with a single sample of length {length}; {advice}")


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise KexueError(f"no file {path}; see: kexue models verify {path.parent.resolve()}")
    return path


def _damaged(path: Path, error: Exception) -> Exception:
    """Return what to raise when opening or running *path* ended in *error*: one line, or that memory ran out."""
    if is_out_of_memory(error):
        return MemoryError(str(error))
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rpartition("failed:")[2]
    return KexueError(f"cannot read {path}: {reason}; see: kexue models verify {path.parent.resolve()}")


def _providers(device: str, available: list[str]) -> list[Any]:
    """Return ONNX Runtime's own names for a device; what CUDA cannot do, the CPU does."""
    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in available:
        raise DeviceError(f"onnxruntime has no {device}; try: pip install onnxruntime-gpu, or --device cpu")
    return [("CUDAExecutionProvider", {"device_id": int(device.removeprefix("gpu:"))}), "CPUExecutionProvider"]


def _check_names(path: Path, inputs: Sample, known: dict[str, Any]) -> None:
    if inputs.keys() != known.keys():
        raise KexueError(
            f"{path} takes the inputs {', '.join(sorted(known))}; got {', '.join(sorted(inputs)) or 'none'}"
        )


def _without_zeros(inputs: Sample) -> Sample:
    """Return the inputs, those of no rows or of length 0 with one row or one position of padding."""
    padded = {}
    for name, array in inputs.items():
        missing = [(0, int(size == 0 and axis < 2)) for axis, size in enumerate(array.shape)]
        padded[name] = np.pad(array, missing) if 0 in array.shape[:2] else array
    return padded


def _rows_of(inputs: Sample, outputs: Sample) -> Sample:
    """Return the outputs without rows if an input had none."""
    is_empty = any(len(array) == 0 for array in inputs.values())
    return {name: array[:0] for name, array in outputs.items()} if is_empty else outputs


def _is_float(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"  # to NumPy the latter is of no kind
