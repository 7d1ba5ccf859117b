"""What several tests share: the command as a shell runs it, and a model small enough to check by hand."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from extractors import write_little_extractor
from readers import write_little_reader

hypothesis.settings.register_profile("kexue", deadline=None)  # how long an example takes is not what is tested
hypothesis.settings.load_profile("kexue")

COMMAND = (sys.executable, "-m", "kexue_cli")
PATIENCE = 120  # seconds after which a command counts as hanging; nothing here should take a tenth of it

CORPUS = "我爱北京天安门\n天安门在北京\n我爱天安门\n"
DICTIONARY = "北京 100\n天安门 50\n我 1000\n爱 500\n在 900\n"


TRAINED = ("language_models", "linkers", "sentence_encoders")  # what several files take a trained model from


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker of pytest-xdist, and all that take a trained model from one helper.

    Each worker would train it anew.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        taken = {getattr(value, "__module__", "") for name, value in vars(item.module).items() if "trained" in name}  # type: ignore[attr-defined]
        group = next((helper for helper in TRAINED if helper in taken), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(group))


@dataclass(frozen=True)
class Finished:
    """A command that has ended. out, err: the bytes it wrote; stdout, stderr: the same as text."""

    returncode: int
    out: bytes
    err: bytes

    @property
    def stdout(self) -> str:
        return self.out.decode("utf-8")

    @property
    def stderr(self) -> str:
        return self.err.decode("utf-8")

    @property
    def lines(self) -> list[str]:
        return self.stdout.removesuffix("\n").split("\n") if self.out else []


Kexue = Callable[..., Finished]


@pytest.fixture
def kexue(tmp_path: Path) -> Kexue:
    """Run ``kexue ARGUMENTS`` in an empty folder, as a shell would."""

    def run(*arguments: object, stdin: str | bytes = b"", env: dict[str, str] | None = None, cwd: Path | None = None,
            command: tuple[str, ...] = COMMAND) -> Finished:  # fmt: skip
        done = subprocess.run(
            [*command, *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env={**os.environ, **(env or {})},
            cwd=cwd or tmp_path,
            timeout=PATIENCE,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``kexue ARGUMENTS`` with pipes and do not wait for it; whatever still runs is killed at the end."""
    with contextlib.ExitStack() as stack:

        def run(*arguments: object, **pipes: object) -> subprocess.Popen[bytes]:
            settings = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
            process = subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=tmp_path, bufsize=0, **settings)  # type: ignore[call-overload]
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield run


@pytest.fixture
def bash(tmp_path: Path) -> Callable[[str], Finished]:
    """Run a line of bash in which ``kexue`` is our command."""

    def run(line: str) -> Finished:
        script = f'kexue() {{ "{sys.executable}" -m kexue_cli "$@"; }}; {line}'
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script], capture_output=True, cwd=tmp_path, timeout=PATIENCE, check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def little_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of five words: 我, 爱, 在, 北京, 天安门. Not to be changed; see own_model."""
    folder = tmp_path_factory.mktemp("little")
    (folder / "corpus.txt").write_text(CORPUS, "utf-8")
    (folder / "words.txt").write_text(DICTIONARY, "utf-8")
    arguments = ["train", "segmentation", "corpus.txt", "--dictionary", "words.txt", "-o", "little", "-q"]
    subprocess.run([*COMMAND, *arguments], cwd=folder, check=True, timeout=PATIENCE)
    return folder / "little"


@pytest.fixture(scope="session")
def little_reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader that answers 鲁迅, 周树人, 巴金 and years; see readers.write_little_reader. Not to be changed."""
    return write_little_reader(tmp_path_factory.mktemp("readers") / "little-reader")


@pytest.fixture(scope="session")
def little_extractor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extractor that knows 呐喊, 鲁迅, 绍兴, ...; see extractors.write_little_extractor. Not to be changed."""
    return write_little_extractor(tmp_path_factory.mktemp("extractors") / "little-extractor")


@pytest.fixture
def own_model(little_model: Path, tmp_path: Path) -> Path:
    """A copy of the little model that a test may change or damage."""
    return Path(shutil.copytree(little_model, tmp_path / "own"))


def open_when_read(pipe: Path, process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor that writes to a named pipe as soon as the process reads from it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.01)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


@pytest.fixture
def interrupt_while_reading(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Finished]:
    """Run a command on the named pipe *pipe*, and send it a signal once it has begun to read."""

    def run(*arguments: object, pipe: Path, number: signal.Signals) -> Finished:
        os.mkfifo(pipe)
        process = start(*arguments)
        descriptor = open_when_read(pipe, process)
        os.write(descriptor, "我爱北京天安门\n".encode())
        process.send_signal(number)
        os.close(descriptor)  # a read that began in the very moment of the signal returns and lets it be seen
        out, err = process.communicate(timeout=PATIENCE)
        return Finished(process.returncode, out, err)

    return run


def one_error(done: Finished) -> str:
    """Return the only line on standard error, which must be ours and not a traceback."""
    lines = done.stderr.splitlines() or [""]
    assert len(lines) == 1, lines[-1]
    assert lines[0].startswith("kexue: ")
    return lines[0].removeprefix("kexue: ")
