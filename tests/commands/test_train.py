"""kexue train segmentation: a model folder from the user's own files."""

import gzip
import json
import signal
import sys

import pytest
from conftest import CORPUS, DICTIONARY, PATIENCE, one_error

# 葡萄 and 蜘蛛 are only ever seen together; what stands beside them changes.
FRUIT = "葡萄很甜\n葡萄很酸\n我买葡萄\n他吃葡萄\n蜘蛛很大\n蜘蛛很小\n我怕蜘蛛\n他看蜘蛛\n" * 10


@pytest.fixture
def train(kexue, tmp_path):
    """Train on a small corpus into ./model."""

    def run(*options: object, corpus: str | bytes = CORPUS, **settings: object):
        data = corpus if isinstance(corpus, bytes) else corpus.encode()
        (tmp_path / "corpus.txt").write_bytes(data)
        return kexue("train", "segmentation", "corpus.txt", "-o", "model", *options, **settings)

    return run


def lexicon_in(folder) -> list[str]:
    return [line.split("\t")[0] for line in (folder / "lexicon.tsv").read_text("utf-8").splitlines()[1:]]


def test_a_model_folder_holds_all_it_needs(train, kexue, tmp_path):
    done = train(corpus=FRUIT)

    assert (done.returncode, done.out) == (0, b"")
    names = {"README.md", "SHA256SUMS", "config.json", "lexicon.trie", "lexicon.tsv", "metrics.json"}
    assert {path.name for path in (tmp_path / "model").iterdir()} == names
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}
    assert kexue("models", "verify", "./model").returncode == 0


def test_characters_that_always_meet_are_found_to_be_words(train, kexue, tmp_path):
    train(corpus=FRUIT)

    assert {"葡萄", "蜘蛛"} <= set(lexicon_in(tmp_path / "model"))
    assert "葡萄" in kexue("segment", "-m", "./model", stdin="葡萄很甜\n").stdout.split()


@pytest.mark.parametrize("method", ["entropy", "nlp-zero", "word-discovery"])
def test_every_method_makes_a_model_that_can_be_used(train, kexue, method):
    done = train("--method", method, "--min-count", "2", corpus=FRUIT)

    assert done.returncode == 0, done.stderr
    words = kexue("segment", "-m", "./model", stdin="葡萄很甜\n")
    assert words.stdout.replace(" ", "") == "葡萄很甜\n"


def test_a_dictionary_gives_the_words(train, kexue, tmp_path):
    (tmp_path / "words.txt").write_text(DICTIONARY, "utf-8")

    train("--dictionary", "words.txt")

    assert set(lexicon_in(tmp_path / "model")) == {"北京", "天安门", "我", "爱", "在"}


@pytest.mark.parametrize("row", ["天安门", "天安门 many", "天安门 -1", "天安门 nan"])
def test_a_bad_row_of_a_dictionary_is_named(train, tmp_path, row):
    (tmp_path / "words.txt").write_text(f"北京 100\n{row}\n", "utf-8")

    done = train("--dictionary", "words.txt")

    assert done.returncode == 1
    assert one_error(done).startswith("words.txt:2: expected WORD FREQUENCY; found ")
    assert not (tmp_path / "model").exists()


def test_the_card_has_the_command_that_made_the_model(train, tmp_path):
    train("--min-count", "2", corpus=FRUIT)

    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert "kexue train segmentation corpus.txt -o model --min-count 2" in card


def test_training_reports_in_one_line_unless_it_is_to_be_quiet(train):
    assert "words from" in train(corpus=FRUIT).stderr
    assert train("--quiet", corpus=FRUIT).err == b""


def test_the_same_text_gives_the_same_lexicon_however_it_is_written(train, kexue, tmp_path):
    def lexicon() -> bytes:
        return (tmp_path / "model" / "lexicon.tsv").read_bytes()

    train(corpus=FRUIT)
    expected = lexicon()
    as_records = "".join(json.dumps({"id": 1, "text": line}) + "\n" for line in FRUIT.splitlines())

    for corpus, options in (
        (gzip.compress(FRUIT.encode()), []),
        (FRUIT.encode("gb18030"), ["--encoding", "gb18030"]),
        ("\ufeff" + FRUIT.replace("\n", "\r\n"), []),
        (as_records, ["--field", "text"]),
        (" ".join(FRUIT).replace(" \n ", "\n"), ["--format", "sighan"]),
    ):
        done = train(*options, corpus=corpus)

        assert done.returncode == 0, done.stderr
        assert lexicon() == expected, options


def test_the_corpus_may_come_through_a_pipe_or_in_several_files(train, kexue, tmp_path):
    train(corpus=FRUIT)
    expected = (tmp_path / "model" / "lexicon.tsv").read_bytes()
    half = len(FRUIT) // 2
    (tmp_path / "one.txt").write_text(FRUIT[:half], "utf-8")
    (tmp_path / "two.txt").write_text(FRUIT[half:], "utf-8")

    piped = kexue("train", "segmentation", "-", "-o", "piped", stdin=FRUIT)
    kexue("train", "segmentation", "one.txt", "two.txt", "-o", "several")

    assert piped.returncode == 0, piped.stderr
    assert (tmp_path / "piped" / "lexicon.tsv").read_bytes() == expected
    assert (tmp_path / "several" / "lexicon.tsv").read_bytes() == expected


def test_the_same_corpus_gives_the_same_model_whatever_the_hash_seed(train, tmp_path):
    models = []
    for seed in ("0", "1"):
        assert train(corpus=FRUIT, env={"PYTHONHASHSEED": seed}).returncode == 0
        models.append([(tmp_path / "model" / name).read_bytes() for name in ("lexicon.tsv", "lexicon.trie")])

    assert models[0] == models[1]


@pytest.mark.parametrize(
    ("corpus", "problem"),
    [("", "no Han characters"), ("\ufeff", "no Han characters"), ("all Latin\n123\n", "no Han characters"),
     ("一二三四五六", "no word was found")],
    ids=["empty", "only BOM", "Latin", "nothing repeats"],
)  # fmt: skip
def test_a_corpus_without_words_is_one_error_and_leaves_nothing(train, tmp_path, corpus, problem):
    done = train("--min-count", "2", corpus=corpus)

    assert done.returncode == 1
    assert problem in one_error(done)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_bytes_that_are_not_valid_are_named_and_nothing_is_left(train, tmp_path):
    done = train(corpus="葡萄\n".encode() + b"\xff\n")

    assert done.returncode == 1
    assert one_error(done).startswith("corpus.txt:2: byte 0 of the line (0xff) is not valid UTF-8")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "葡萄"', "not JSON"),
        ('{"title": "葡萄"}', "missing field 'text'"),
        ('{"text": 7}', "must be a string"),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(train, tmp_path, line, problem):
    done = train("--field", "text", corpus=f'{{"text": "葡萄很甜"}}\n{line}\n')

    assert done.returncode == 1
    assert one_error(done).startswith("corpus.txt:2: ")
    assert problem in done.stderr
    assert not (tmp_path / "model").exists()


def test_what_is_not_a_model_is_never_overwritten(train, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "letter.txt").write_text("妈妈", "utf-8")

    done = train(corpus=FRUIT)

    assert done.returncode == 1
    assert one_error(done).startswith("will not overwrite model: ")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["letter.txt"]


def test_a_model_is_replaced_by_the_new_one(train, tmp_path):
    train(corpus=FRUIT)
    train(corpus=CORPUS)

    assert "葡萄" not in lexicon_in(tmp_path / "model")
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}


def test_an_output_in_a_place_that_cannot_be_written_is_one_error(kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")

    done = kexue("train", "segmentation", "corpus.txt", "-o", "corpus.txt/model")

    assert done.returncode == 1
    assert one_error(done).startswith(("cannot write ", "will not overwrite "))
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_leaves_no_half_of_a_model(interrupt_while_reading, tmp_path, number, status):
    done = interrupt_while_reading(
        "train", "segmentation", "corpus", "-o", "model", pipe=tmp_path / "corpus", number=number
    )

    assert done.returncode == status
    assert b"Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_signal_leaves_the_old_model_as_it_was(train, interrupt_while_reading, kexue, tmp_path):
    train(corpus=FRUIT)
    before = (tmp_path / "model" / "lexicon.tsv").read_bytes()

    interrupt_while_reading(
        "train", "segmentation", "pipe", "-o", "model", pipe=tmp_path / "pipe", number=signal.SIGTERM
    )

    assert (tmp_path / "model" / "lexicon.tsv").read_bytes() == before
    assert kexue("models", "verify", "./model").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model", "pipe"}


def test_two_processes_that_write_one_model_at_once_both_succeed(start, kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")

    processes = [start("train", "segmentation", "corpus.txt", "-o", "model") for _ in range(2)]
    errors = [process.communicate(timeout=PATIENCE)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], errors
    assert kexue("models", "verify", "./model").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}


@pytest.mark.parametrize(
    ("value", "status"), [("1G", 0), ("1500MiB", 0), ("1.5g", 0), ("1M", 2), ("2X", 2), ("-1G", 2)]
)
def test_the_memory_to_use_is_a_size(train, value, status):
    assert train("--max-memory", value, corpus=FRUIT).returncode == status


def test_a_full_disk_leaves_the_old_model_as_it_was(train, kexue, tmp_path):
    corpus = "".join(f"{chr(0x4E00 + number)}{chr(0x5E00 + number)}很好\n" * 3 for number in range(500))
    train(corpus=corpus)
    before = (tmp_path / "model" / "SHA256SUMS").read_bytes()
    small_files_only = (  # stands for a full disk: writing the lexicon fails half-way
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from kexue_cli.main import main; main()"
    )

    done = train(corpus=corpus, command=(sys.executable, "-c", small_files_only))

    assert done.returncode == 1
    assert one_error(done).startswith("cannot write ")
    assert (tmp_path / "model" / "SHA256SUMS").read_bytes() == before
    assert kexue("models", "verify", "./model").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}


@pytest.mark.parametrize("task", ["generation", "triples"])
def test_a_training_begins_from_one_model(task, kexue):
    done = kexue("train", task, "data.jsonl", "-o", "begun", "--from", "./one", "--from", "./other")

    assert done.returncode == 2
    assert one_error(done) == "--from takes one model for this task; given: ./one, ./other"


@pytest.mark.parametrize("task", ["generation", "qa", "triples"])
def test_that_there_is_no_such_model_is_told_before_the_data_are_read(task, kexue):
    done = kexue("train", task, "there-is-none.jsonl", "-o", "begun", "--from", "./no-model")

    assert done.returncode == 1
    assert "no-model" in one_error(done)
    assert "there-is-none" not in done.stderr
