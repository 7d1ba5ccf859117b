"""kexue models: list, show, verify."""

import json

import pytest
from conftest import one_error

import kexue_cli
from kexue_cli.tasks import default_models


def test_the_list_marks_the_default(kexue):
    done = kexue("models", "list")

    marked = [line.split()[1] for line in done.lines if line.startswith("*")]
    assert done.returncode == 0
    assert set(marked) == set(default_models().values())


def test_the_list_as_records_is_what_python_gets(kexue):
    done = kexue("models", "list", "--json")

    assert [json.loads(line) for line in done.lines] == [vars(entry) for entry in kexue_cli.models()]
    assert all(list(json.loads(line)) == ["name", "task", "default", "path", "bytes"] for line in done.lines)


def test_the_card_of_every_model_is_shown(kexue):
    for entry in kexue_cli.models():
        done = kexue("models", "show", entry.name)

        assert done.returncode == 0
        assert done.lines[0] == f"# {entry.name}"


def test_the_card_of_a_path_is_shown(kexue, little_model):
    assert kexue("models", "show", little_model).lines[0] == "# little"


def test_a_model_as_a_record_has_its_settings_and_files(kexue, little_model):
    record = json.loads(kexue("models", "show", little_model, "--json").stdout)

    assert (record["path"], record["task"], record["format"]) == (str(little_model), "segmentation", 1)
    assert record["metrics"]["words"] == 5
    assert record["files"].keys() == {path.name for path in little_model.iterdir()}


@pytest.mark.parametrize(("options", "problem"), [
    (["--lexicon", "--json"], "--lexicon prints lines with TABs; --json is for the settings and scores of a model"),
    (["--nearest", "北京", "--clusters"], "--nearest and --clusters show different things; give one of them"),
    (["--contrast", "word-vectors"], "--contrast goes with --lexicon"),
])  # fmt: skip
def test_what_shows_different_things_is_misuse(kexue, little_model, options, problem):
    done = kexue("models", "show", little_model, *options)

    assert (done.returncode, done.out) == (2, b"")
    assert one_error(done) == problem


def test_the_words_of_a_model_are_shown(kexue, little_model):
    done = kexue("models", "show", little_model, "--lexicon")

    assert done.out == (little_model / "lexicon.tsv").read_bytes()


def test_the_words_of_a_domain_come_first_against_another_model(kexue, little_model):
    done = kexue("models", "show", little_model, "--lexicon", "--contrast", "entropy-segmentation")

    header, *rows = (line.split("\t") for line in done.lines)
    assert header == ["word", "score", "count", "other_count"]
    assert {row[0] for row in rows} == {"北京", "天安门"}  # words of two or more characters
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_every_bundled_model_is_whole(kexue):
    for entry in kexue_cli.models():
        done = kexue("models", "verify", entry.name)

        assert done.returncode == 0
        assert all(line.endswith(": ok") for line in done.lines)


@pytest.mark.parametrize("name", ["lexicon.trie", "config.json", "README.md"])
def test_a_changed_file_is_named_with_exit_status_1(kexue, own_model, name):
    data = bytearray((own_model / name).read_bytes())
    data[-2] ^= 1  # within a word of the card, a number of the trie, the closing brace of the settings
    if name == "config.json":
        data[-2] ^= 1
        data[-1:] = b" \n"
    (own_model / name).write_bytes(data)

    done = kexue("models", "verify", own_model)

    assert done.returncode == 1
    assert f"{name}: changed" in done.lines
    assert name in one_error(done)


@pytest.mark.parametrize("name", ["lexicon.trie", "lexicon.tsv", "README.md"])
def test_a_missing_file_is_named_with_exit_status_1(kexue, own_model, name):
    (own_model / name).unlink()

    done = kexue("models", "verify", own_model)

    assert done.returncode == 1
    assert f"{name}: missing" in done.lines
    assert name in one_error(done)


def test_an_edited_lexicon_is_no_damage(kexue, own_model):
    with (own_model / "lexicon.tsv").open("a", encoding="utf-8") as file:
        file.write("爱北京\t50\n")

    done = kexue("models", "verify", own_model)

    assert done.returncode == 0
    assert "lexicon.tsv: edited" in done.lines
    assert "edited" in done.stderr
    assert kexue("models", "verify", "--quiet", own_model).err == b""


def test_an_edited_lexicon_with_a_bad_row_is_an_error_that_names_it(kexue, own_model):
    with (own_model / "lexicon.tsv").open("a", encoding="utf-8") as file:
        file.write("爱北京\n")

    done = kexue("models", "verify", own_model)

    assert done.returncode == 1
    assert one_error(done).startswith(f"{own_model / 'lexicon.tsv'}:7: ")


def test_a_file_that_is_not_listed_is_told_and_no_damage(kexue, own_model):
    (own_model / "note.txt").write_text("x", "utf-8")

    done = kexue("models", "verify", own_model)

    assert done.returncode == 0
    assert "note.txt: unlisted" in done.lines


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"no sums\n"], ids=["missing", "binary", "no sums"])
def test_sums_that_cannot_be_read_are_one_error(kexue, own_model, content):
    (own_model / "SHA256SUMS").unlink()
    if content is not None:
        (own_model / "SHA256SUMS").write_bytes(content)

    done = kexue("models", "verify", own_model)

    assert done.returncode == 1
    assert "SHA256SUMS" in one_error(done)


def test_a_folder_that_is_no_model_is_one_error(kexue, tmp_path):
    (tmp_path / "folder").mkdir()

    for command in (["show"], ["show", "--json"], ["show", "--lexicon"], ["verify"]):
        done = kexue("models", *command, "./folder")

        assert (done.returncode, done.out) == (1, b"")
        assert one_error(done) == "./folder is not a model folder: it has no config.json"


def test_a_contrast_without_the_lexicon_is_misuse(kexue, little_model):
    done = kexue("models", "show", little_model, "--contrast", "entropy-segmentation")

    assert done.returncode == 2
    assert one_error(done) == "--contrast goes with --lexicon"


def test_the_nearest_words_of_a_word_are_shown(kexue):
    done = kexue("models", "show", "word-vectors", "--nearest", "北京")
    rows = [line.split("\t") for line in done.lines]

    assert done.returncode == 0
    assert "上海" in [word for word, _ in rows]
    cosines = [float(cosine) for _, cosine in rows]
    assert cosines == sorted(cosines, reverse=True)


@pytest.mark.parametrize(
    ("model", "word", "problem"),
    [("word-vectors", "北京北京北京", "has no vector"), ("entropy-segmentation", "北京", "not word vectors")],
)
def test_nearest_words_need_a_vector(kexue, model, word, problem):
    done = kexue("models", "show", model, "--nearest", word)

    assert done.returncode == 1
    assert problem in one_error(done)
