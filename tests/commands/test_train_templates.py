"""kexue train templates, and what reads them: segment --structure, models show, evaluate segmentation."""

import json
import signal

import pytest
from conftest import one_error

LINES = ["如何 评价 北京 队", "如何 评价 上海 队", "如何 评价 天气", "我 爱 北京", "我 在 上海"] * 3
OPTIONS = ("--format", "sighan", "--min-probability", "0.02", "--min-pmi", "0.5", "--keep-trivial")
FILES = {"README.md", "SHA256SUMS", "config.json", "metrics.json", "templates.tsv"}


@pytest.fixture
def train(kexue, tmp_path):
    """Train templates on segmented text into ./model."""

    def run(*options: object, corpus: str = "\n".join(LINES)):
        (tmp_path / "corpus.txt").write_text(corpus, "utf-8")
        return kexue("train", "templates", "corpus.txt", "-o", "model", *OPTIONS, *options)

    return run


@pytest.fixture
def templates(tmp_path):
    """A model whose templates are written by hand."""
    folder = tmp_path / "hand"
    folder.mkdir()
    config = {"format": 1, "task": "templates", "segmentation": "entropy-segmentation-jieba", "parsing": {}}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "templates.tsv").write_text("[X] 和 [X]\t9\n[X] 可以 [X] 吗\t9\n我 爱 [X]\t9\n", "utf-8")
    return folder


def test_a_model_folder_holds_all_it_needs_and_can_be_parsed_by(train, kexue, tmp_path):
    done = train()

    assert (done.returncode, done.out) == (0, b""), done.stderr
    assert done.stderr.startswith("model: ")
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "model"}
    assert kexue("models", "verify", "./model").returncode == 0
    assert "kexue train templates corpus.txt -o model" in kexue("models", "show", "./model").stdout
    header, first, *_ = kexue("models", "show", "./model", "--templates").lines
    assert header == "template\tcount\tbits"
    assert first.split("\t")[0].startswith("如何 评价")
    parsed = kexue("segment", "--structure", "-t", "./model", stdin="如何评价上海队\n")
    assert parsed.stdout.replace("(", "").replace(")", "") == "如何 评价 上海 队\n"


def test_raw_text_is_cut_into_words(kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text("如何评价北京\n如何评价上海，我爱北京\n" * 3, "utf-8")

    done = kexue("train", "templates", "corpus.txt", "-o", "model", *OPTIONS[2:])

    assert done.returncode == 0, done.stderr
    words = {word for line in (tmp_path / "model" / "templates.tsv").read_text("utf-8").splitlines()[1:]
             for word in line.split("\t")[0].split()}  # fmt: skip
    assert {"如何", "评价", "北京"} <= words


def test_the_same_text_gives_the_same_templates(train, tmp_path):
    train()
    first = (tmp_path / "model" / "templates.tsv").read_bytes()
    train()

    assert (tmp_path / "model" / "templates.tsv").read_bytes() == first


@pytest.mark.parametrize(
    ("corpus", "problem"), [("", "holds no words"), ("，\n", "holds no words"), ("天 地\n", "no template has")]
)
def test_a_text_without_templates_is_one_error_and_leaves_nothing(train, tmp_path, corpus, problem):
    done = train(corpus=corpus)

    assert done.returncode == 1
    assert problem in one_error(done)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize(
    "options", [("--min-probability", "0"), ("--min-pmi", "nan"), ("--window", "17"), ("--field", "text"), ("-o", " ")]
)
def test_options_that_cannot_be_are_misuse(train, options):
    assert train(*options).returncode == 2


def test_a_signal_leaves_no_half_of_a_model(interrupt_while_reading, tmp_path):
    done = interrupt_while_reading(
        "train", "templates", "corpus", "-o", "model", pipe=tmp_path / "corpus", number=signal.SIGTERM
    )

    assert (done.returncode, b"Traceback" in done.err) == (143, False)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


# segment --structure


def test_clauses_are_shown_in_brackets(kexue, templates):
    text = "鸡蛋可以吃吗\n雪梨和苹果和香蕉，好吃！\n\n"

    done = kexue("segment", "--structure", "-t", templates, stdin=text)

    assert done.lines == ["(鸡蛋 可以 吃 吗)", "((雪梨 和 苹果) 和 香蕉) ， 好吃 ！", ""]


def test_a_record_has_the_tree_beside_the_words(kexue, templates):
    text = "雪梨和苹果可以吃吗"

    record = json.loads(kexue("segment", "--structure", "--json", "-t", templates, stdin=text + "\n").stdout)

    fruit = [{"word": "雪梨", "start": 0, "end": 2}, {"word": "和", "start": 2, "end": 3},
             {"word": "苹果", "start": 3, "end": 5}]  # fmt: skip
    block = {"start": 0, "end": 5, "template": [None, "和", None], "children": fruit}
    words = [{"word": "可以", "start": 5, "end": 7}, {"word": "吃", "start": 7, "end": 8},
             {"word": "吗", "start": 8, "end": 9}]  # fmt: skip
    template = [None, "可以", None, "吗"]
    assert record["structure"] == {"start": 0, "end": 9, "template": template, "children": [block, *words]}
    assert record["words"] == [*fruit, *words]


def test_the_bundled_templates_are_the_default(kexue):
    done = kexue("segment", "--structure", stdin="我的妈妈的朋友\n")

    assert (done.returncode, done.stdout) == (0, "((我 的 妈妈) 的 朋友)\n")


def test_python_has_the_same_structure():
    import kexue_cli

    (record,) = kexue_cli.load("entropy-templates").predict([{"text": "我的妈妈"}])

    assert record["structure"]["template"] == [None, "的", None]


def test_templates_of_words_that_another_model_cut_are_warned_of(kexue, templates, little_model):
    done = kexue("segment", "--structure", "-t", templates, "-m", little_model, stdin="我爱北京\n")

    assert (done.returncode, done.stdout) == (0, "(我 爱 北京)\n")
    assert done.stderr == (
        f"kexue: the templates of {templates} are of words cut by entropy-segmentation-jieba, "
        f"not by {little_model}; see --model\n"
    )


@pytest.mark.parametrize("command", ["segment", "train templates - -o x", "evaluate segmentation"])
def test_a_model_of_templates_cuts_no_words(kexue, templates, command):
    done = kexue(*command.split(), "-m", templates, stdin="我爱北京\n")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done) == f"{templates} is a model for templates, not for segmentation"


@pytest.mark.parametrize("options", [("-t", "./x"), ("--structure", "--explain"), ("--structure", "-t", "./nothing")])
def test_what_does_not_go_together_is_one_error(kexue, options):
    done = kexue("segment", *options, stdin="我\n")

    assert done.returncode == (1 if "./nothing" in options else 2)
    assert one_error(done)


# evaluate segmentation and models show


def test_each_step_is_told_in_bits_per_character(kexue, templates):
    gold = "我 爱 北京\n我 爱 上海\n我 爱 雪梨\n我 爱 苹果\n"

    result = json.loads(kexue("evaluate", "segmentation", "-t", templates, "--json", stdin=gold).stdout)

    # 8 units, the template 4 times and four words once: 16 bits for 16 characters
    assert result["information_templates"] == pytest.approx(1.0)
    assert result["information_characters"] > result["information"] > result["information_templates"]
    without = kexue("evaluate", "segmentation", "-t", "none", "--json", stdin=gold)
    assert "information_templates" not in json.loads(without.stdout)


def test_information_is_drawn_over_the_size_of_the_lexicon(kexue, tmp_path):
    pytest.importorskip("matplotlib")

    done = kexue("evaluate", "segmentation", "-t", "none", "--plot", "curve.png", stdin="我 爱 北京\n")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_another_kind_is_misuse(kexue):
    done = kexue("evaluate", "segmentation", "--plot", "curve.svg", stdin="我 爱 北京\n")

    assert done.returncode == 2
    assert one_error(done) == "--plot draws a PNG; 'curve.svg' must end with .png"


def test_a_model_shows_what_it_has_and_no_more(kexue, little_model):
    assert "has no templates" in one_error(kexue("models", "show", little_model, "--templates"))
    assert kexue("models", "show", little_model, "--templates", "--lexicon").returncode == 2
