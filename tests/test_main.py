"""The command as a whole: exit statuses, help anywhere, what is loaded, and no network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from conftest import COMMAND, one_error

import kexue_cli
from kexue_cli.commands.app import app_for

HEAVY = ("numpy", "numba", "llvmlite", "jieba", "onnxruntime", "keras", "tensorflow", "torch", "jax", "rich")


def command_paths() -> list[tuple[str, ...]]:
    """Return the path of every command and group: (), ("segment",), ("train",), ("train", "segmentation"), ..."""

    def walk(command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # type: ignore[no-untyped-def]
        yield path
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*path, name))

    return list(walk(typer.main.get_command(app_for()), ()))


PATHS = command_paths()
NAMES = [" ".join(("kexue", *path)) for path in PATHS]


def run(*arguments: str) -> str:
    """Return a program that runs the command."""
    return f"""
import contextlib, sys
from kexue_cli.main import main
sys.argv = {["kexue", *arguments]}
with contextlib.suppress(SystemExit):
    main()
"""


def all_modules_after(program: str) -> set[str]:
    """Return the modules that a new Python has loaded after running *program*."""
    report = "import sys; print(' '.join(sys.modules), file=sys.stderr)"
    program = f"import atexit\natexit.register(lambda: exec({report!r}))\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return set(done.stderr.split())


def modules_after(program: str) -> set[str]:
    """Return the top-level ones of them."""
    return {name.partition(".")[0] for name in all_modules_after(program)}


@pytest.mark.parametrize(
    "program",
    [
        "import kexue_cli",
        "import kexue_cli; kexue_cli.models()",
        "import kexue_cli; kexue_cli.segment('我爱北京')",
        run("--version"),
        run("doctor", "--json"),
        run("models", "list"),
        "\n".join(run(*path, "--help") for path in PATHS),
    ],
    ids=["import", "models()", "segment()", "--version", "doctor", "models list", "every --help"],
)
def test_nothing_heavy_is_loaded_that_is_not_used(program):
    loaded = modules_after(program)

    assert "kexue_cli" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_command_is_loaded_without_the_others():
    loaded = all_modules_after(run("segment", "--help"))

    assert "kexue_cli.commands.segment" in loaded
    assert loaded.isdisjoint({f"kexue_cli.commands.{name}" for name in ("train", "predict", "evaluate", "data")})


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "40"},
        {"PYTHONIOENCODING": "gbk", "NO_COLOR": "1", "TERM": "dumb"},
    ],
    ids=["narrow C locale", "dumb GBK terminal"],
)
def test_every_command_has_help_wherever_it_is_shown(kexue, path, env):
    done = kexue(*path, "--help", env=env)

    assert done.returncode == 0
    assert done.err == b""
    assert done.out.startswith(b"Usage: kexue " + " ".join(path).encode())
    assert b"--help" in done.out
    assert b"\x1b" not in done.out


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_help_describes_every_option(path):
    command = typer.main.get_command(app_for())
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]

    assert command.help
    for parameter in command.params:
        if parameter.name not in ("install_completion", "show_completion"):
            assert getattr(parameter, "help", None), parameter.name


def test_the_short_option_for_help_works_everywhere(kexue):
    assert kexue("-h").out == kexue("--help").out
    assert kexue("train", "segmentation", "-h").out == kexue("train", "segmentation", "--help").out


def test_the_version_is_shown_alone(kexue):
    for arguments in (["--version"], ["--version", "segment"]):
        done = kexue(*arguments)

        assert (done.returncode, done.stdout, done.stderr) == (0, f"kexue {kexue_cli.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["segmant"],
        ["segment", "--separater", "x"],
        ["segment", "--threads", "0"],
        ["segment", "--threads", "many"],
        ["segment", "--on-error", "ignore"],
        ["segment", "--encoding", "utf-9"],
        ["segment", "--separator", ""],
        ["segment", "--separator", "\n"],
        ["segment", "--conflicts"],
        ["segment", "--without-rule", "digit"],
        ["segment", "--engine", "jieba", "--model", "./x"],
        ["train", "segmentation"],
        ["train", "segmentation", "a.txt"],
        ["train", "segmentation", "a.txt", "-o", "m", "--max-memory", "1M"],
        ["train", "segmentation", "a.txt", "-o", "m", "--max-memory", "much"],
        ["train", "segmentation", "a.txt", "-o", "m", "--granularity", "2"],
        ["train", "segmentation", "a.txt", "-o", "m", "--method", "nlp-zero", "--dictionary", "jieba"],
        ["train", "segmentation", "a.txt", "-o", "m", "--format", "sighann"],
        ["train", "qa-and-more"],
        ["predict", "segmentation", "--device", "tpu"],
        ["predict", "segmentation", "a.jsonl", "b.jsonl"],
        ["evaluate", "segmentation", "--seed", "-1"],
        ["evaluate", "segmentation", "--engine", "jieba", "--model", "./x"],
        ["models", "show"],
        ["models", "show", "entropy-segmentation", "--contrast", "entropy-segmentation-jieba"],
        ["data", "convert", "--format", "sighann"],
        ["view", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_misuse_is_told_in_one_line_with_exit_status_2(kexue, arguments):
    done = kexue(*arguments)

    assert done.returncode == 2
    assert done.out == b""
    assert one_error(done)


@pytest.mark.parametrize("group", [[], ["train"], ["predict"], ["evaluate"], ["models"], ["data"]])
def test_a_group_without_a_command_shows_its_help_and_fails(kexue, group):
    done = kexue(*group)

    assert done.returncode == 2
    assert done.out == b""
    assert done.stderr.startswith(" ".join(["Usage: kexue", *group]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment", "none.txt"],
        ["segment", "--user-dict", "none.txt"],
        ["segment", "-m", "none"],
        ["segment", "-m", "./none"],
        ["predict", "segmentation", "none.txt"],
        ["predict", "segmentation", "-m", "./none"],
        ["predict", "segmentation", "--device", "gpu"],
        ["evaluate", "segmentation", "none.txt"],
        ["evaluate", "segmentation", "--words", "none.txt"],
        ["train", "segmentation", "none.txt", "-o", "model"],
        ["train", "segmentation", "/dev/null", "-o", "model", "--dictionary", "none.txt"],
        ["models", "show", "none"],
        ["models", "verify", "./none"],
        ["data", "show", "none"],
        ["data", "convert", "--format", "sighan", "none.txt"],
        ["view", "none.jsonl"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_named_in_one_line_with_exit_status_1(kexue, arguments):
    done = kexue(*arguments)

    assert done.returncode == 1
    assert done.out == b""
    assert "none" in one_error(done) or "gpu" in one_error(done)


def test_output_is_utf8_whatever_the_locale_says(kexue):
    for env in ({"PYTHONIOENCODING": "gbk"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = kexue("segment", stdin="我爱北京😀\n", env=env)

        assert (done.returncode, done.stdout) == (0, "我 爱 北京 😀\n")


def test_an_error_can_be_told_in_any_locale(kexue):
    for encoding in ("ascii", "gbk"):
        done = kexue("segment", "没有😀.txt", env={"PYTHONIOENCODING": encoding})

        assert done.returncode == 1
        assert done.err.startswith(b"kexue: cannot read ")
        assert done.err.count(b"\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_closed_standard_streams_are_an_error_and_not_a_crash(bash, closed):
    done = bash(f"echo 我爱北京 > a.txt; kexue segment - {closed}")

    assert done.returncode == 1
    assert "closed" in one_error(done)


def test_a_closed_standard_error_changes_nothing_else(bash):
    done = bash("echo 我爱北京 | kexue segment 2>&-; kexue segment none.txt 2>&-")

    assert (done.returncode, done.stdout) == (1, "我 爱 北京\n")


@pytest.mark.parametrize(
    "line",
    ["kexue --help", "kexue --version", "kexue doctor", "kexue models list", "kexue models show entropy-segmentation",
     "kexue models show entropy-segmentation --lexicon", "kexue data list"],
)  # fmt: skip
def test_a_full_disk_is_an_error_for_whatever_is_written(bash, line):
    done = bash(f"{line} > /dev/full")

    assert done.returncode == 1
    assert "No space left on device" in one_error(done)


@pytest.mark.parametrize("line", ["kexue segment --help", "kexue models show entropy-segmentation --lexicon"])
def test_a_reader_that_goes_away_is_a_quiet_success(bash, line):
    done = bash(f"{line} | head -n 0; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == ("0\n", "")


EVERYTHING = """
set -e
echo 我爱北京 | kexue segment
echo 我爱北京 | kexue segment --engine jieba
echo '{"text": "我爱北京"}' | kexue predict segmentation
echo 我 爱 北京 | kexue evaluate segmentation
printf '我爱北京\\n你爱北京\\n' > corpus.txt
kexue train segmentation corpus.txt -o ./model -q
echo 我爱北京 | kexue segment -m ./model > /dev/null
kexue models list
kexue models show ./model
kexue models verify ./model
kexue data list
kexue data show segmentation-sample
echo 我 爱 北京 | kexue data convert --format sighan
echo '{"text": "我爱北京", "words": ["我", "爱", "北京"]}' | kexue view -o page.html
echo '{"text": "我爱北京", "words": ["我", "爱", "北京"]}' | kexue view --terminal
kexue doctor
"""


def test_every_command_works_without_a_network(bash):
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system cannot take the network away from a process")
    python = " ".join(COMMAND)

    done = bash(f'kexue() {{ unshare -n {python} "$@"; }}; {EVERYTHING}')

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("我 爱 北京\n")


def test_every_command_works_without_a_home_and_a_cache(bash):
    done = bash(f"export HOME=/none XDG_CACHE_HOME=/dev/null/none; {EVERYTHING}")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("我 爱 北京\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_every_command_works_with_a_home_that_is_read_only(bash, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o500)

    done = bash(f"unset XDG_CACHE_HOME; export HOME={home}; {EVERYTHING}")

    assert done.returncode == 0, done.stderr
