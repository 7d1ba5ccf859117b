"""What runs a network: arrays in, arrays out, whatever the memory."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import doubled, write_recurrent_network, write_sums_network

from kexue_cli.device import Device
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import FallbackRuntime, KerasRuntime, OnnxRuntime, is_out_of_memory, run
from kexue_cli.training.graph import write_graph

SAMPLES = [{"ids": np.arange(1, length + 1, dtype="int32")} for length in (3, 1, 0, 5)]
TOTALS = [12, 2, 0, 30]  # 2 x (1 + 2 + 3), ...


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name."""


class SmallMemory:
    """The network of sums on a device that holds so many tokens."""

    device = "gpu:0"

    def __init__(self, tokens: int, error: Exception | None = None) -> None:
        self.tokens = tokens
        self.error = error or MemoryError()
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, inputs):
        self.shapes.append(inputs["ids"].shape)
        if inputs["ids"].size > self.tokens:
            raise self.error
        return doubled(inputs)


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    return write_sums_network(tmp_path_factory.mktemp("sums") / "network.onnx")


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory):
    return write_recurrent_network(tmp_path_factory.mktemp("recurrent") / "network.onnx")


def test_outputs_have_their_names(sums):
    outputs = OnnxRuntime(sums)({"ids": np.array([[1, 2], [3, 0]], "int32")})

    assert outputs["doubled"].tolist() == [[2, 4], [6, 0]]
    assert outputs["total"].tolist() == [6, 6]


def test_whole_numbers_of_another_size_will_do(sums):
    assert OnnxRuntime(sums)({"ids": np.array([[1]], "int64")})["total"].tolist() == [2]


def test_fractions_for_whole_numbers_will_not(sums):
    with pytest.raises(KexueError, match="input 'ids' has type float64; expected int32"):
        OnnxRuntime(sums)({"ids": np.array([[1.5]])})


@pytest.mark.parametrize("names", [(), ("id",), ("ids", "question")])
def test_wrong_inputs_are_named(sums, names):
    with pytest.raises(KexueError, match=f"takes the inputs ids; got {', '.join(names) or 'none'}"):
        OnnxRuntime(sums)({name: np.array([[1]]) for name in names})


@pytest.mark.parametrize("shape", [(0, 3, 1), (3, 0, 1), (0, 0, 1)])
def test_a_recurrent_network_survives_an_empty_batch_and_length_0(recurrent, shape):
    assert OnnxRuntime(recurrent)({"x": np.zeros(shape, "float32")})["state"].shape == (shape[0], 1)


def test_a_missing_network_is_named(tmp_path):
    with pytest.raises(KexueError, match=rf"no file {tmp_path}/network.onnx; see: kexue models verify {tmp_path}"):
        OnnxRuntime(tmp_path / "network.onnx")


@pytest.mark.parametrize("kept", [0, 100])
def test_a_network_cut_short_is_named(sums, tmp_path, kept):
    damaged = tmp_path / "network.onnx"
    damaged.write_bytes(sums.read_bytes()[:kept])

    with pytest.raises(KexueError, match=rf"cannot read {damaged}: .*; see: kexue models verify {tmp_path}"):
        OnnxRuntime(damaged)


def test_without_onnx_runtime_one_line_says_what_to_install(sums, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(KexueError, match="pip install onnxruntime"):
        OnnxRuntime(sums)


def test_a_gpu_that_onnx_runtime_cannot_use_is_refused(sums):
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime-gpu is installed")

    with pytest.raises(KexueError, match="onnxruntime has no gpu:0; try: pip install onnxruntime-gpu"):
        OnnxRuntime(sums, device="gpu:0")


def test_each_sample_has_its_outputs_in_the_order_of_the_samples(sums):
    results = run(OnnxRuntime(sums), SAMPLES, length="ids", budget=6)

    assert [result["total"] for result in results] == TOTALS
    assert results[1]["doubled"][:1].tolist() == [2]


def test_no_samples_have_no_outputs():
    assert run(SmallMemory(0), [], length="ids", budget=8) == []


@given(st.lists(st.lists(st.integers(0, 1000), max_size=30), max_size=20), st.integers(1, 200), st.integers(30, 100))
def test_outputs_do_not_depend_on_the_budget_nor_on_memory(rows, budget, memory):
    samples = [{"ids": np.array(row, "int32")} for row in rows]

    results = run(SmallMemory(memory), samples, length="ids", budget=budget)

    assert [result["total"] for result in results] == [2 * sum(row) for row in rows]


def test_out_of_memory_halves_the_budget():
    runtime = SmallMemory(tokens=5)

    results = run(runtime, [{"ids": np.ones(2, "int32")} for _ in range(6)], length="ids", budget=100)

    assert [result["total"] for result in results] == [4] * 6
    assert runtime.shapes == [(6, 2), (3, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 2)]  # 12, 6, then 3 tokens


def test_a_sample_too_long_for_the_memory_is_refused_with_advice():
    with pytest.raises(KexueError, match=r"out of memory on gpu:0 with a single sample of length 9; .* --device cpu"):
        run(SmallMemory(tokens=5), [{"ids": np.ones(9, "int32")}], length="ids", budget=100)


def test_other_errors_are_not_taken_for_want_of_memory():
    with pytest.raises(ZeroDivisionError):
        run(SmallMemory(1, ZeroDivisionError()), [{"ids": np.ones(9, "int32")}], length="ids", budget=100)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ResourceExhaustedError("OOM when allocating tensor"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[ONNXRuntimeError] : 1 : FAIL : ... Failed to allocate memory for requested buffer of size 4"),
    ],
)
def test_every_framework_is_understood_when_it_has_no_memory(error):
    assert is_out_of_memory(error)


def test_the_last_resort_is_the_cpu_with_one_warning():
    gpu, cpu, warnings = SmallMemory(tokens=3), SmallMemory(tokens=100), []
    cpu.device = "cpu"
    runtime = FallbackRuntime(gpu, lambda: cpu, warnings.append)

    results = run(runtime, [{"ids": np.ones(length, "int32")} for length in (9, 8, 2)], length="ids", budget=20)

    assert [result["total"] for result in results] == [18, 16, 4]
    assert warnings == ["gpu:0 is out of memory; going on on the CPU"]
    assert runtime.device == "cpu"


@pytest.fixture(scope="module")
def keras_network(tmp_path_factory):
    """A network of Keras, random, as its weights and as ONNX; and what builds it."""
    pytest.importorskip("keras")
    pytest.importorskip("tf2onnx")
    from kexue_cli.device import prepare_backend, quiet_stderr

    prepare_backend(Device("cpu", "tensorflow"))
    import keras

    def build():
        ids = keras.Input((None,), dtype="int32", name="ids")
        vectors = keras.layers.Embedding(100, 8)(ids)
        scores = keras.layers.Conv1D(1, 3, padding="same", activation="sigmoid", dtype="float32")(vectors)
        return keras.Model({"ids": ids}, {"scores": keras.ops.squeeze(scores, -1)})

    folder = tmp_path_factory.mktemp("keras")
    keras.utils.set_random_seed(0)
    network = build()
    network({"ids": np.ones((1, 2), "int32")})
    network.save_weights(folder / "network.weights.h5")
    with quiet_stderr():
        write_graph(network, folder / "network.onnx")
    return build, folder


def test_keras_and_onnx_agree(keras_network, capfd):
    build, folder = keras_network
    samples = [{"ids": np.arange(1, length + 1, dtype="int32")} for length in (1, 2, 7, 30, 30, 0)]

    ours = run(OnnxRuntime(folder / "network.onnx"), samples, length="ids", budget=64)
    theirs = run(KerasRuntime(build, folder / "network.weights.h5", Device("cpu", "tensorflow")), samples,
                 length="ids", budget=64)  # fmt: skip

    for one, other in zip(ours, theirs, strict=True):
        assert one["scores"].dtype == other["scores"].dtype == np.float32
        assert np.abs(one["scores"] - other["scores"]).max() < 1e-4
    assert capfd.readouterr() == ("", "")


def test_keras_survives_an_empty_batch_and_length_0(keras_network):
    build, folder = keras_network
    runtime = KerasRuntime(build, folder / "network.weights.h5", Device("cpu", "tensorflow"))

    assert runtime({"ids": np.zeros((0, 3), "int32")})["scores"].shape == (0, 3)
    assert runtime({"ids": np.zeros((2, 0), "int32")})["scores"].shape == (2, 1)


def test_few_bits_inside_give_float32_outside(keras_network):
    build, folder = keras_network
    weights = folder / "network.weights.h5"
    exact = KerasRuntime(build, weights, Device("cpu", "tensorflow"))
    rough = KerasRuntime(build, weights, Device("cpu", "tensorflow"), precision="bfloat16")
    inputs = {"ids": np.array([[1, 2, 3]], "int32")}

    difference = np.abs(exact(inputs)["scores"] - rough(inputs)["scores"]).max()

    assert 0 < difference < 0.01
    assert rough(inputs)["scores"].dtype == np.float32


def test_missing_and_damaged_weights_are_named(keras_network, tmp_path):
    build, _ = keras_network
    damaged = tmp_path / "network.weights.h5"

    with pytest.raises(KexueError, match=f"no file {damaged}; see: kexue models verify"):
        KerasRuntime(build, damaged, Device("cpu", "tensorflow"))
    damaged.write_bytes(b"\x89HDF")
    with pytest.raises(KexueError, match=f"cannot read {damaged}: .*; see: kexue models verify"):
        KerasRuntime(build, damaged, Device("cpu", "tensorflow"))
