"""Where a network runs: found without importing a framework, obeyed or refused with a reason."""

import os
import subprocess
import sys
import types

import pytest

from kexue_cli import device
from kexue_cli.device import Device, gpus, quiet_stderr, resolve
from kexue_cli.errors import KexueError


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No choice made by the user, and no framework imported or installed."""
    for name in ("CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    install(monkeypatch)


def install(monkeypatch, **versions):
    """Make believe that just these packages are installed: module=version."""
    monkeypatch.setattr(device, "version", lambda name: versions.get(name.replace("-", "_")))
    monkeypatch.setattr(device, "is_installed", lambda module: module.replace(".", "_") in versions)


@pytest.fixture
def machine(tmp_path):
    """Make the root of a file system with that many GPUs."""

    def make(number=0, *, is_bare=False):
        root = tmp_path / "root"
        (root / "dev").mkdir(parents=True)
        (root / "dev/nvidiactl").touch()  # belongs to the driver, not to a GPU
        for index in range(number):
            if is_bare:
                (root / f"proc/driver/nvidia/gpus/0000:{index:02}:00.0").mkdir(parents=True)
            else:
                (root / f"dev/nvidia{index}").touch()
        return root

    return make


TENSORFLOW = {"keras": "3.15", "tensorflow": "2.21", "nvidia_cudnn": "9"}


@pytest.mark.parametrize("number", [0, 1, 11])
def test_gpus_are_counted_by_their_nodes(machine, number):
    assert gpus(machine(number)) == [str(index) for index in range(number)]


def test_gpus_whose_nodes_are_not_made_yet_are_counted_by_the_driver(machine):
    assert gpus(machine(2, is_bare=True)) == ["0", "1"]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [("", []), ("-1", []), ("1", ["1"]), ("2, 0", ["2", "0"]), ("0,-1,2", ["0"]), ("GPU-8932f937", ["GPU-8932f937"])],
)
def test_only_visible_gpus_count(machine, monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert gpus(machine(3)) == expected


def test_auto_takes_the_cpu_where_there_is_no_gpu(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW)

    assert resolve("auto", root=machine()) == Device("cpu", "onnxruntime")


def test_auto_takes_the_cpu_where_nothing_runs_on_the_gpu(machine, monkeypatch):
    root = machine(1)
    for versions in ({}, {"keras": "3.15", "tensorflow_cpu": "2.21"}, {"keras": "3.15", "tensorflow": "2.21"},
                     {"tensorflow": "2.21", "nvidia_cudnn": "9"}, {"keras": "3.15", "jax": "0.10"},
                     {"keras": "3.15", "torch": "2.13+cpu"}):  # fmt: skip
        install(monkeypatch, **versions)

        assert resolve("auto", root=root) == Device("cpu", "onnxruntime"), versions


@pytest.mark.parametrize(
    ("versions", "runtime"),
    [
        (TENSORFLOW, "tensorflow"),
        ({"keras": "3.15", "jax": "0.10", "jax_cuda13_plugin": "0.10"}, "jax"),
        ({"keras": "3.15", "torch": "2.13"}, "torch"),
        ({"onnxruntime_gpu": "1.31"}, "onnxruntime"),
    ],
)
def test_auto_takes_the_gpu_where_something_runs_on_it(machine, monkeypatch, versions, runtime):
    install(monkeypatch, **versions)

    assert resolve("auto", root=machine(1)) == Device("gpu:0", runtime)


def test_a_cuda_of_the_system_is_found_too(machine, monkeypatch):
    install(monkeypatch, keras="3.15", tensorflow="2.21")
    root = machine(1)
    (root / "usr/local/cuda/lib64").mkdir(parents=True)
    (root / "usr/local/cuda/lib64/libcudnn.so.9").touch()

    assert resolve("auto", root=root) == Device("gpu:0", "tensorflow")


def test_the_backend_of_keras_may_be_chosen(machine, monkeypatch, tmp_path):
    install(monkeypatch, **TENSORFLOW, torch="2.13")
    root = machine(1)

    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/keras.json").write_text('{"backend": "torch"}')
    assert resolve("gpu", root=root) == Device("gpu:0", "torch")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert resolve("gpu", root=root) == Device("gpu:0", "tensorflow")


def test_a_backend_in_use_cannot_be_changed(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW, torch="2.13")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    backend = types.SimpleNamespace(backend=lambda: "torch")
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(backend=backend))

    assert resolve("gpu", root=machine(1)) == Device("gpu:0", "torch")


def test_gpus_are_numbered(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW)
    root = machine(2)

    assert resolve("gpu", root=root).name == "gpu:0"
    assert resolve("gpu:1", root=root).name == "gpu:1"
    with pytest.raises(KexueError, match=r"no device gpu:2: 2 GPUs found in .*; allowed here: auto, cpu, gpu:0, gpu:1"):
        resolve("gpu:2", root=root)


def test_the_cpu_is_obeyed(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW)

    assert resolve("cpu", root=machine(1)).name == "cpu"


@pytest.mark.parametrize("name", ["tpu", "gpu:", "gpu:-1", "gpu:first", "cuda:0", ""])
def test_what_is_no_device_is_refused(machine, monkeypatch, name):
    install(monkeypatch, **TENSORFLOW)

    with pytest.raises(KexueError, match=f"no device '{name}'; allowed: auto, cpu, gpu, gpu:N"):
        resolve(name, root=machine(1))


def test_a_gpu_that_is_not_there_is_refused_with_what_was_looked_for(machine):
    with pytest.raises(KexueError) as refused:
        resolve("gpu", root=machine())

    assert str(refused.value) == (
        "no device gpu: 0 GPUs found in /dev/nvidia* and /proc/driver/nvidia/gpus; allowed here: auto, cpu"
    )


def test_a_gpu_that_is_hidden_is_refused_with_the_reason(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    with pytest.raises(KexueError, match=r"0 GPUs found in .* with CUDA_VISIBLE_DEVICES='-1'"):
        resolve("gpu", root=machine(1))


def test_a_gpu_that_nothing_runs_on_is_refused_with_what_to_install(machine):
    with pytest.raises(
        KexueError, match=r"there is a GPU, but nothing .* is installed; try: pip install 'kexue\[gpu\]'"
    ):
        resolve("gpu", root=machine(1))


def test_a_gpu_that_the_chosen_backend_cannot_use_is_refused_by_its_name(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW)
    monkeypatch.setenv("KERAS_BACKEND", "jax")

    with pytest.raises(KexueError, match="there is a GPU, but KERAS_BACKEND=jax cannot use one here"):
        resolve("gpu", root=machine(1))


def test_training_needs_keras_on_the_cpu_too(machine, monkeypatch):
    root = machine()

    with pytest.raises(KexueError, match=r"training needs Keras and TensorFlow, not installed; .*'kexue\[train\]'"):
        resolve("auto", is_training=True, root=root)
    install(monkeypatch, keras="3.15", tensorflow="2.21")
    assert resolve("auto", is_training=True, root=root) == Device("cpu", "tensorflow")
    install(monkeypatch, keras="3.15", torch="2.13+cpu")
    assert resolve("cpu", is_training=True, root=root) == Device("cpu", "torch")


def test_training_does_not_run_on_onnx_runtime(machine, monkeypatch):
    install(monkeypatch, **TENSORFLOW, onnxruntime_gpu="1.31")

    assert resolve("gpu", is_training=True, root=machine(1)).runtime == "tensorflow"


def run_python(code, **environment):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, **environment})  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_what_a_block_writes_to_standard_error_is_kept_from_the_user():
    code = (
        "import os, sys; from kexue_cli.device import quiet_stderr\n"
        "with quiet_stderr(): os.write(2, b'I am a C++ library'); print('and I am Python', file=sys.stderr)\n"
        "print('back', file=sys.stderr)"
    )

    assert run_python(code) == (0, "", "back\n")


def write_and_fail():
    with quiet_stderr():
        os.write(2, b"no libcudart\n")
        raise ImportError


def test_what_was_kept_is_shown_when_the_block_fails(capfd):
    with pytest.raises(ImportError):
        write_and_fail()

    assert capfd.readouterr().err == "no libcudart\n"


def test_looking_for_a_device_imports_no_framework():
    code = (
        "import sys; from kexue_cli.device import resolve; resolve('auto')\n"
        "print({'keras', 'tensorflow', 'jax', 'torch', 'onnxruntime', 'numpy'} & sys.modules.keys())"
    )

    assert run_python(code) == (0, "set()\n", "")


def test_a_broken_keras_is_one_line_and_what_it_wrote(tmp_path):
    (tmp_path / "keras.py").write_text("import os; os.write(2, b'its last words\\n'); raise ImportError('no libfoo')")
    code = (
        "from kexue_cli import device\n"
        "try: device.prepare_backend(device.Device('cpu', 'jax'))\n"
        "except device.KexueError as error: print(error)"
    )

    status, out, err = run_python(code, PYTHONPATH=str(tmp_path))

    assert (status, out) == (0, "cannot import keras with KERAS_BACKEND=jax: no libfoo\n")
    assert err == "its last words\n"


def test_a_framework_starts_quietly_with_the_threads_asked_for_no_gpu_and_nothing_that_is_not_used():
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    code = (
        "import os, sys; from kexue_cli import device; assert 'keras' not in sys.modules\n"
        "device.prepare_backend(device.Device('cpu', 'tensorflow'), threads=1, is_alone=True)\n"
        "print({name for name in device.TAKEN_ALONG if name in sys.modules}); import sklearn, matplotlib.figure\n"
        "import keras, tensorflow; print(keras.backend.backend(), tensorflow.config.list_physical_devices('GPU'))\n"
        "print(os.environ['TF_NUM_INTRAOP_THREADS'], os.environ['OMP_NUM_THREADS'])\n"
        "try: device.prepare_backend(device.Device('gpu:0', 'tensorflow'))\n"
        "except device.KexueError as error: print(error)"
    )

    status, out, err = run_python(code)

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "set()",
        "tensorflow []",
        "1 1",
        "tensorflow sees no GPU, not gpu:0; see: kexue doctor; try: pip install 'kexue[gpu]', or --device cpu",
    ]
