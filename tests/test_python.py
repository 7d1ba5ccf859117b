"""Python is the second door: the same records through the command and through kexue_cli, typed, and light to import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kexue_cli
from kexue_cli.records import dump
from kexue_cli.tasks import default_models

PASSAGES = ["鲁迅在1923年出版了小说集《呐喊》。", "《呐喊》收有《狂人日记》。"]
RECORDS = {  # some of each task, with a field that is nobody's
    "qa": [
        {"id": 7, "question": "《呐喊》的作者是谁？", "passages": PASSAGES},
        {"question": "收有哪一篇？", "passages": [{"text": PASSAGES[1]}]},
    ],
    "triples": [{"id": 7, "text": "《围城》的作者是钱钟书。"}, {"text": "今天下雨。"}],
    "linking": [{"id": 7, "text": "早上喝了小米粥，又吃了一个苹果。"}, {"text": ""}],
    "similarity": [{"id": 7, "text_a": "借款怎么取消", "text_b": "不想借了怎么办"}],
    "generation": [{"id": 7, "condition": {"cat": "手机", "label": 1}}, {"condition": {"label": 0}, "prefix": "早餐"}],
    "segmentation": [{"id": 7, "text": "我爱北京天安门"}, {"text": " 2024年 "}],
}
SETTINGS = {  # the options of the command, and what they are called in Python
    "qa": (["--threshold", "0.9"], {"threshold": 0.9}),
    "triples": (["--threshold", "0.999"], {"threshold": 0.999}),
    "linking": (["--threshold", "0.9"], {"entity": 0.9}),
    "similarity": (["--threshold", "0.99"], {"threshold": 0.99}),
    "generation": (["-n", "2", "--seed", "3", "--max-length", "8"], {"samples": 2, "seed": 3, "max_length": 8}),
}
PROGRAM = '''
"""What a user may write, as a type checker reads it."""

from collections.abc import Iterator

import kexue_cli
from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity import Similarity
from kexue_cli.text.word_vectors import WordVectors


def answers(questions: list[str], passages: list[str]) -> Iterator[str | None]:
    reader = kexue_cli.load("dgcnn-qa", threads=2).with_settings(threshold=0.5)
    for record in reader.predict({"question": question, "passages": passages} for question in questions):
        yield record["answer"]


def lengths(text: str) -> list[int]:
    return [len(word) for word in kexue_cli.segment(text)]


def sizes() -> dict[str, int]:
    return {entry.name: entry.bytes for entry in kexue_cli.models() if entry.default}


def nearest(text: str, others: list[str]) -> str:
    model = kexue_cli.load("dgcnn-similarity")
    if not isinstance(model, Similarity):
        raise KexueError("not a similarity model")
    return others[int((model.vectors(others) @ model.vectors([text])[0]).argmax())]


def picture(records: list[dict[str, object]]) -> None:
    kexue_cli.view(records).save("page.html")


def neighbours(word: str) -> list[tuple[str, float]]:
    words = kexue_cli.load("word-vectors")
    assert isinstance(words, WordVectors)
    return words.nearest(word)
'''
MISTAKES = {
    "kexue_cli.segment(3)": 'incompatible type "int"; expected "str"',
    "kexue_cli.load(name='dgcnn-qa', devise='cpu')": 'Unexpected keyword argument "devise"',
    "kexue_cli.models()[0].title": '"ModelEntry" has no attribute "title"',
}
every_task = pytest.mark.parametrize("task", RECORDS)


def lines(records: object) -> bytes:
    return b"".join(map(dump, records))


@every_task
def test_both_doors_give_equal_records(task, kexue):
    records = RECORDS[task]
    model = kexue_cli.load(default_models()[task])

    done = kexue("predict", task, stdin=lines(records))

    assert done.returncode == 0
    assert lines(model.predict(records)) == done.out


@pytest.mark.parametrize("task", SETTINGS)
def test_options_of_the_command_are_settings_in_python(task, kexue):
    options, settings = SETTINGS[task]
    records = RECORDS[task]
    model = kexue_cli.load(default_models()[task])

    answers = lines(model.with_settings(**settings).predict(records))

    assert answers == kexue("predict", task, *options, stdin=lines(records)).out
    assert answers != lines(model.predict(records)), "the settings make a difference, and the model stays as it was"


def test_a_model_with_words_of_the_user_cuts_as_the_command_does(kexue, tmp_path):
    from kexue_cli.segmentation.user_dictionary import read_user_dictionary

    path = tmp_path / "own.txt"
    path.write_text("读者证\n", "utf-8")
    model = kexue_cli.load("entropy-segmentation-jieba")

    own = model.with_settings(user=read_user_dictionary(str(path)))

    done = kexue("segment", "--json", "--user-dict", path, stdin="凭读者证可借5册\n")
    assert lines(own.predict([{"text": "凭读者证可借5册"}])) == done.out
    assert "读者证" not in [word["word"] for word in next(model.predict([{"text": "凭读者证可借5册"}]))["words"]]


def test_rules_can_be_switched_off_in_python(kexue):
    model = kexue_cli.load("entropy-segmentation-jieba")
    rules = tuple(rule for rule in model.segmenter.decoding.rules if rule != "unit")

    [record] = model.with_settings(rules=rules).predict([{"text": "2024年"}])

    done = kexue("segment", "--json", "--without-rule", "unit", stdin="2024年\n")
    assert record == json.loads(done.stdout)
    assert [word["word"] for word in record["words"]] == ["2024", "年"]


def test_segment_gives_the_words_of_the_command(kexue):
    text = "研究生命的起源"

    assert kexue_cli.segment(text) == kexue("segment", stdin=text).stdout.split()
    assert kexue_cli.segment(text, model="entropy-segmentation") != []


def test_both_doors_list_the_same_models(kexue):
    entries = kexue_cli.models()

    assert len(entries) >= 7
    assert [vars(entry) for entry in entries] == [json.loads(line) for line in kexue("models", "list", "--json").lines]


def test_importing_loads_nothing_heavy():
    program = "import sys; import kexue_cli; print(*{name.partition('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    heavy = {"numpy", "numba", "onnxruntime", "jieba", "typer", "rich", "keras", "tensorflow", "orjson"}
    assert heavy & set(done.stdout.split()) == set()


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """Check a program strictly; return its errors."""
    pytest.importorskip("mypy")
    folder: Path = tmp_path_factory.mktemp("typed")

    def run(program: str) -> list[str]:
        (folder / "program.py").write_text(program, "utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "program.py"]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.splitlines()
        return [line for line in said if ": note: " not in line]

    return run


def test_a_program_of_a_user_is_typed(mypy):
    assert mypy(PROGRAM) == []


def test_mistakes_of_a_user_are_seen_by_the_type_checker(mypy):
    errors = mypy("import kexue_cli\n" + "\n".join(MISTAKES))

    assert len(errors) == len(MISTAKES)
    for (mistake, said), error in zip(MISTAKES.items(), errors, strict=True):
        assert said in error, mistake
