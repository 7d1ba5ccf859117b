"""The wheel is all that a user needs: installed without TensorFlow it predicts for every task, with it it trains.

The wheel is built and installed for real. What it depends on is linked from here into the new environment, nothing but
what pip would have installed, instead of being downloaded again.
"""

import functools
import json
import re
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from pages import ROOT

pytest.importorskip("hatchling")
from packaging.requirements import Requirement

INPUTS = {  # a record of each task, and what its answer must hold
    "qa": ({"question": "《呐喊》的作者是谁？", "passages": ["鲁迅在1923年出版了小说集《呐喊》。"]}, "鲁迅"),
    "triples": ({"text": "《围城》的作者是钱钟书。"}, '"predicate":"作者"'),
    "linking": ({"text": "早上喝了小米粥，又吃了一个苹果。"}, '"id":"K125"'),
    "similarity": ({"text_a": "借款怎么取消", "text_b": "不想借了怎么办"}, '"similar":true'),
    "generation": ({"condition": {"cat": "手机", "label": 1}}, '"sample":1'),
    "segmentation": ({"text": "我爱北京天安门"}, '"word":"天安门"'),
}
TRAINING = [
    "train", "qa", "questions.jsonl", "--dev", "questions.jsonl", "-o", "./reader", "-q", "--set", "encoder=",
    "--set", "preprocessor.words=", "--set", "network.width=8", "--set", "training.epochs=1",
]  # fmt: skip
FRAMEWORKS = {"tensorflow", "keras", "jax", "torch", "onnx", "tf2onnx", "gensim", "matplotlib", "sklearn"}


def tracked(*folders: str) -> set[str]:
    """Return the files of a checkout that are kept in it."""
    done = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout")
    return set(done.stdout.split("\0")) - {""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@functools.cache
def requirements(wheel: Path, extra: str = "") -> set[str]:
    """Return the names of all distributions that pip installs for a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        wanted = HeaderParser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    found: set[str] = set()
    waiting = [(line, {extra}) for line in wanted]
    while waiting:
        line, extras = waiting.pop()
        requirement = Requirement(line)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": each}) for each in extras or {""}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name not in found:
            found.add(name)
            try:
                waiting += [(more, requirement.extras) for more in distribution(name).requires or ()]
            except PackageNotFoundError:
                pytest.skip(f"{name} is not installed here")
    return found


def link(names: set[str], folder: Path) -> None:
    """Put distributions that are installed here into another environment's folder of packages."""
    for name in names:
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if not (folder / part).exists():
                (folder / part).symlink_to(found.locate_file(part))


class Environment:
    """A new environment with the wheel in it."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = str(folder / "bin" / "python")
        (self.packages,) = folder.glob("lib/python*/site-packages")
        pip = [sys.executable, "-m", "pip", "--python", self.python]
        options = ["--no-index", "--no-deps", "--quiet", "--no-compile", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *options, str(wheel)], check=True, capture_output=True)

    def kexue(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the command that was installed, in the environment's own folder."""
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        command = [str(self.folder / "bin" / "kexue"), *arguments]
        return subprocess.run(
            command, input=stdin, cwd=self.folder, env=variables, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Environment:
    """Where `pip install kexue` was run."""
    made = Environment(tmp_path_factory.mktemp("clean") / "environment", wheel)
    link(requirements(wheel), made.packages)
    return made


def test_the_wheel_holds_every_model_sample_and_card(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix("kexue_cli/") for name in archive.namelist()}

    assert {name for name in tracked("models", "data") if name not in held} == set()
    assert {"py.typed", "text/simplified.tsv"} <= held


def test_the_wheel_holds_no_tests(wheel):
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}

    assert sorted(re.sub(r"-[\d.]+\.", ".", folder) for folder in folders) == ["kexue.dist-info", "kexue_cli"]


def test_the_source_distribution_holds_everything_but_the_settings_of_git():
    from hatchling.builders.sdist import SdistBuilder

    held = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}

    assert tracked() - held - {".gitignore", "pyproject.toml"} == set()  # pyproject.toml is put there by hatchling


def test_no_framework_is_installed_with_the_wheel(environment):
    installed = {path.name for path in environment.packages.iterdir()}

    assert FRAMEWORKS & installed == set()
    assert {"numpy", "onnxruntime", "kexue_cli"} <= installed


@pytest.mark.parametrize("task", INPUTS)
def test_every_task_predicts_in_a_clean_environment(environment, task):
    record, expected = INPUTS[task]

    done = environment.kexue("predict", task, stdin=json.dumps(record))

    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout


def test_models_and_samples_are_found_in_a_clean_environment(environment):
    models = environment.kexue("models", "list", "--json").stdout.splitlines()
    samples = environment.kexue("data", "list", "--json").stdout.splitlines()

    assert {json.loads(line)["name"] for line in models} == {path.name for path in (ROOT / "models").iterdir()}
    assert {json.loads(line)["name"] for line in samples} == {path.name for path in (ROOT / "data").iterdir()}
    assert all(json.loads(line)["path"].startswith(str(environment.packages)) for line in (*models, *samples))


def test_training_without_its_extra_says_what_to_install(environment):
    (environment.folder / "questions.jsonl").write_bytes((ROOT / "data/qa-sample/dev.jsonl").read_bytes())

    done = environment.kexue(*TRAINING)

    assert done.returncode == 1
    assert "kexue[train]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_training_works_where_the_extra_is_installed_on_top(environment, wheel):
    lines = (ROOT / "data/qa-sample/dev.jsonl").read_text("utf-8").splitlines(keepends=True)
    (environment.folder / "questions.jsonl").write_text("".join(lines[:32]), "utf-8")
    link(requirements(wheel, "train"), environment.packages)

    done = environment.kexue(*TRAINING)

    assert done.returncode == 0, done.stderr
    assert environment.kexue("predict", "qa", "-m", "./reader", stdin=lines[0]).returncode == 0
