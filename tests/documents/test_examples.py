"""The commands and programs of every document: what has all it needs is run, all else is parsed.

What needs data that the reader must bring is parsed as the command line parses it, and the settings are looked up. Each
page is followed from top to bottom in a folder of its own with a copy of data/.
"""

import doctest
import functools
import importlib
import re
import shutil
from pathlib import Path

import pytest
import typer
from pages import ROOT, Command, arguments, bash, blocks, commands, name, pages, translation

from kexue_cli import console
from kexue_cli.commands import app as command_line
from kexue_cli.commands.training import read_settings
from kexue_cli.errors import KexueError
from kexue_cli.zoo import find_model

# Files of the reader: what names one of them is parsed, not run.
OWN_FILES = (
    "$DATA", "articles.txt", "chat.log", "corpus.txt", "corpus/", "counts corpus", "dev_data.json",
    "me_test.ann.json", "my-base.jsonl", "my-questions.jsonl", "my-texts.jsonl", "names.txt", "news.txt",
    "notes.jsonl", "notes.txt", "novel.txt", "old.txt", "pairs.jsonl", "pairs.tsv", "part*.txt", "poems.jsonl",
    "questions.jsonl", "questions.log", "questions.txt", "questions/", "records.jsonl", "train.json",
)  # fmt: skip
SAMPLE_PAIRS = "similarity-sample/"  # holds a pairs.tsv, too
MAKING = ("cat >", "printf ", "echo ", "jq ")  # how pages make files; other programs are not for us to run
# A minute or two each, and tests/commands/test_train_*.py train such models, only smaller.
TRAININGS = tuple(f"kexue train {task} data/" for task in ("qa", "triples", "linking", "similarity", "generation"))
# What follows a training runs with a bundled model in the place of the one that is trained.
STAND_INS = {
    "my-reader": "dgcnn-qa",
    "my-triples": "dgcnn-triples",
    "my-linker": "dgcnn-linking",
    "my-similarity": "dgcnn-similarity",
    "linker": "dgcnn-linking",
}
# No bundled model writes of the goods of the sample; tests/commands/test_evaluate_generation.py evaluates a writer.
NOT_RUN = ("kexue evaluate generation data/generation-sample/dev.jsonl -m ./my-writer",)
EAGER = ("--version", "--install-completion", "--show-completion")
INCOMPLETE = ("MissingParameter", "NoArgsIsHelpError")  # a sentence need not name all that a command needs
WHOLE = command_line.app_for()
GROUPS = [entry.name for entry in (*WHOLE.registered_commands, *WHOLE.registered_groups)]
SETTINGS = {
    "qa": "qa.config.ReaderConfig",
    "triples": "triples.config.TriplesConfig",
    "linking": "linking.config.LinkingConfig",
    "similarity": "similarity.config.SimilarityConfig",
    "generation": "generation.config.GenerationConfig",
    "encoder": "encoder.config.LanguageModelConfig",
}

CALL = re.compile(rf"\bkexue (?={'|'.join(GROUPS)}|-)")
EVALUATION = re.compile(r"kexue evaluate \w+ data/[^\s|>]+( --errors wrong.jsonl)?( --by-predicate)?")
PAGES = [page for page in pages() if blocks(page, "sh")]
every_page = pytest.mark.parametrize("page", PAGES, ids=name)


def is_run(command: Command) -> bool:
    """Whether a command has all it needs here, and is quick."""
    if "kexue" not in command.text:
        return command.text.startswith(MAKING)
    needed = command.text.replace(f"{SAMPLE_PAIRS}pairs.tsv", "").replace("dev-pairs.tsv", "")
    return not any(own in needed for own in OWN_FILES) and not command.text.startswith((*TRAININGS, *NOT_RUN))


@pytest.fixture(scope="module")
def parse():
    """Parse a command line as the program does, without doing what it says; return the values of its options."""
    found = {}

    def replace(command):
        for child in getattr(command, "commands", {}).values():
            replace(child)
        if not hasattr(command, "commands"):
            command.callback = lambda **values: found.update(values)

    root = typer.main.get_command(WHOLE)
    replace(root)
    was_quiet = console.is_quiet

    def parse_one(words):
        found.clear()
        if words[0] in EAGER:  # does at once what it says, whoever asks
            return {}
        root.main(words, prog_name="kexue", standalone_mode=False)
        return dict(found)

    yield parse_one
    console.is_quiet = was_quiet


def check_settings(task: str, settings: list[str]) -> None:
    """Raise KexueError if a training of the task has no such settings."""
    module, _, kind = SETTINGS[task].rpartition(".")
    read_settings(getattr(importlib.import_module(f"kexue_cli.tasks.{module}"), kind), None, settings, seed=0)


def make_folder(folder: Path) -> Path:
    """Give a folder what the commands of a page find there."""
    shutil.copytree(ROOT / "data", folder / "data")
    for stand_in, model in STAND_INS.items():
        (folder / stand_in).symlink_to(find_model(model))
    return folder


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory):
    """Run an evaluation of a bundled model, which several pages show, once."""
    folder = make_folder(tmp_path_factory.mktemp("evaluations"))
    return functools.cache(lambda text: bash(text, folder))


@every_page
def test_a_page_runs_and_prints_what_is_shown(page, evaluate, tmp_path, monkeypatch):
    make_folder(tmp_path)

    for command in (command for block in blocks(page, "sh") for command in commands(block)):
        if is_run(command):
            is_shared = EVALUATION.fullmatch(command.text)
            done = evaluate(command.text) if is_shared else bash(command.text, tmp_path)

            assert done.returncode == 0, f"{command.text}\n{done.stderr.decode()}"
            if command.shown is not None:
                assert done.stdout.decode().rstrip("\n") == command.shown, command.text

    monkeypatch.chdir(tmp_path)  # programs read what the commands have written
    program = doctest.DocTestParser().get_doctest("\n".join(blocks(page, "python")), {}, name(page), str(page), 0)
    assert doctest.DocTestRunner().run(program).failed == 0


@every_page
def test_the_commands_of_a_page_are_understood(page, parse, tmp_path):
    for block in blocks(page, "sh"):
        script = "\n".join(command.text for command in commands(block))
        calls = arguments(script, tmp_path)

        assert len(calls) == len(CALL.findall(script)), script
        for words in calls:
            values = parse(words)
            if words[0] == "train" and values.get("settings"):
                check_settings(words[1], values["settings"])


@pytest.mark.parametrize("page", [*pages(), *filter(Path.exists, map(translation, pages()))], ids=name)
def test_commands_and_settings_named_in_a_sentence_exist(page, parse, tmp_path):
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    )

    for span in spans:
        if CALL.match(span) and "TASK" not in span and " / " not in span:
            for words in arguments(span, tmp_path):
                assert problem_of(parse, words) in (None, *INCOMPLETE), span
        elif span.startswith("--set "):
            settings = [part.strip() for part in span.split("--set ") if part.strip()]
            assert any(has_settings(task, settings) for task in SETTINGS), span


def problem_of(parse, words: list[str]) -> str | None:
    """Return what kind of error a command line is, if it is any."""
    try:
        parse(words)
    except typer.exceptions.TyperException as error:
        return type(error).__name__
    return None


def has_settings(task: str, settings: list[str]) -> bool:
    try:
        check_settings(task, settings)
    except KexueError:
        return False
    return True


def test_programs_are_shown_with_what_they_print():
    assert sum(block.count(">>> ") for page in PAGES for block in blocks(page, "python")) > 40


def test_the_readers_own_files_are_named_in_a_page():
    text = "".join(block for page in PAGES for block in blocks(page, "sh"))

    assert [own for own in OWN_FILES if own not in text] == []
