"""kexue doctor: what is installed and what this machine offers."""

import json
import os
import platform

import pytest

import kexue_cli
from kexue_cli.commands import doctor
from kexue_cli.commands.doctor import PACKAGES

FRAMEWORKS = {  # programs that stand in for them: the real ones take seconds
    "onnxruntime": "get_available_providers = lambda: ['AzureExecutionProvider', 'CPUExecutionProvider']",
    "tensorflow": "import sys; print('talk'); sys.stderr.write('more talk'); config = sys.modules[__name__]\n"
    "experimental = config; device_type = 'CPU'; list_physical_devices = lambda: [config]\n"
    "get_device_details = lambda item: {}",
    "jax": "class Gpu: device_kind = 'NVIDIA H200'\ndevices = lambda: [Gpu(), Gpu()]",
    "torch": "raise ImportError('no libcudart.so.13')",
}


@pytest.fixture
def frameworks(tmp_path):
    """An environment in which all frameworks are installed, each in its own state."""
    folder = tmp_path / "frameworks"
    folder.mkdir()
    for name, code in FRAMEWORKS.items():
        (folder / f"{name}.py").write_text(code)
        (folder / f"{name}-99.0.dist-info").mkdir()
        (folder / f"{name}-99.0.dist-info/METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n")
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def examine(kexue, frameworks):
    """Return what doctor says, as JSON."""

    def run(**environment):
        return json.loads(kexue("doctor", "--json", env={**frameworks, **environment}).stdout)

    return run


def test_doctor_says_what_is_installed_and_what_for(examine):
    facts = examine()

    assert facts["kexue"] == kexue_cli.__version__
    assert facts["python"] == platform.python_version()
    assert facts["threads"] >= 1
    assert facts["packages"].keys() == PACKAGES.keys()
    # what the project depends on
    for name in ("typer", "numpy", "numba", "llvmlite", "jieba", "orjson", "zstandard", "rich"):
        assert facts["packages"][name]["version"], name


def test_people_get_the_same_facts_as_lines(kexue, examine, frameworks):
    facts = examine()

    done = kexue("doctor", env=frameworks)

    assert (done.returncode, done.err) == (0, b"")
    assert [line.split()[0] for line in done.lines] == [
        *(name for name in facts if name not in ("packages", "extras", "warnings")),
        *facts["packages"],
        *(f"kexue[{name}]" for name in facts["extras"]),
        *("warning" for _ in facts["warnings"]),
    ]
    assert any(line.endswith("finds NVIDIA H200, NVIDIA H200") for line in done.lines)
    assert any(line.endswith("broken: ImportError: no libcudart.so.13") for line in done.lines)


def test_each_framework_is_asked_for_its_devices(examine):
    packages = examine()["packages"]

    assert packages["onnxruntime"]["devices"] == ["cpu"]
    assert packages["tensorflow"]["devices"] == ["cpu"]
    assert packages["jax"]["devices"] == ["NVIDIA H200", "NVIDIA H200"]
    assert packages["torch"]["devices"] == []
    assert packages["torch"]["problem"] == "ImportError: no libcudart.so.13"


def test_a_framework_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    monkeypatch.setattr(doctor, "PROBES", {"jax": "import time; time.sleep(100)"})

    assert doctor._probe(["jax"]) == {"jax": {"devices": [], "problem": "did not answer within 0.2 s"}}


def test_a_file_of_the_user_is_not_taken_for_a_framework(kexue, tmp_path, frameworks):
    (tmp_path / "jax.py").write_text("raise SystemExit('I am the homework of a student')")

    facts = json.loads(kexue("doctor", "--json", env=frameworks).stdout)

    assert facts["packages"]["jax"]["problem"] is None


@pytest.mark.parametrize(
    ("requirement", "installed", "missing"),
    [
        ("gensim; extra == 'train'", {}, ["gensim"]),
        ("gensim; extra == 'train'", {"gensim": "4.3"}, []),
        ("keras>=3.15; extra == 'train'", {"keras": "3.9.2"}, ["keras>=3.15"]),
        ("keras>=3.15; extra == 'train'", {"keras": "3.15.0"}, []),
        ("tensorflow-cpu>=2.21; extra == 'train'", {"tensorflow": "2.22.0"}, []),
        ('ray[data]; extra == "train"', {}, ["ray"]),
    ],
)
def test_doctor_tells_what_an_extra_lacks(monkeypatch, requirement, installed, missing):
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["typer>=0.26", requirement])
    monkeypatch.setattr(doctor.device, "version", installed.get)

    assert doctor._extras() == {"train": {"missing": missing, "for": "training neural models"}}


def test_doctor_warns_of_a_core_that_is_older_than_the_processor(monkeypatch):
    monkeypatch.setattr(doctor, "_has_avx512", lambda: True)
    warnings = []
    for core in ("Haswell", "SkylakeX"):
        monkeypatch.setenv("OPENBLAS_CORETYPE", core)
        warnings.append(doctor._warnings([]))

    assert warnings == [["OPENBLAS_CORETYPE=Haswell keeps NumPy from AVX-512, half its speed here; unset it"], []]


def test_doctor_warns_of_a_gpu_that_nothing_runs_on(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr(doctor.device, "gpu_runtime", lambda: None)

    assert doctor._warnings(["0"]) == ["there is a GPU, and nothing that runs on it; try: pip install 'kexue[gpu]'"]


def test_doctor_warns_of_a_backend_that_is_not_there(examine):
    facts = examine(KERAS_BACKEND="theano", OPENBLAS_CORETYPE="")

    assert facts["warnings"] == ["KERAS_BACKEND=theano is not installed; known: tensorflow, jax, torch"]
    assert facts["backend"].startswith("none")


def test_doctor_tells_a_cache_that_cannot_be_written(examine):
    good = examine()
    bad = examine(XDG_CACHE_HOME="/dev/null/none")

    assert good["cache"].endswith("kexue")
    assert "XDG_CACHE_HOME" in bad["cache"]


def test_doctor_tells_where_models_and_data_are(examine):
    facts = examine()

    paths = {entry.path for entry in kexue_cli.models()}
    assert paths
    assert all(path.startswith(facts["models"] + os.sep) for path in paths)


def test_the_frameworks_that_are_really_here_answer(kexue):
    packages = json.loads(kexue("doctor", "--json").stdout)["packages"]

    for name in doctor.PROBES:
        if packages[name]["version"]:
            assert packages[name]["problem"] is None
            assert packages[name]["devices"]
