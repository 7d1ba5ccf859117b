"""Counting by many processes: what is put together is what one process would have counted, to the byte."""

import gzip
import hashlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND, PATIENCE, one_error
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.segmentation.corpus import Corpus, Shard
from kexue_cli.segmentation.ngrams import count_ngrams, ngram_tree
from kexue_cli.segmentation.shards import count_shard, open_counts
from kexue_cli.segmentation.training import ACCEPTED, HAN_ONLY, TrainingConfig, train

# 葡萄 and 蜘蛛 are only ever seen together; what stands beside them changes.
FRUIT = "葡萄很甜\n葡萄很酸\n我买葡萄\n他吃葡萄\n蜘蛛很大\n蜘蛛很小\n我怕蜘蛛\n他看蜘蛛\n" * 10
POEM = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。\n寒来暑往，秋收冬藏。\n" * 7


@pytest.fixture
def orchard(tmp_path):
    """Three files: plain, compressed, and one without a line feed at its end."""
    (tmp_path / "a.txt").write_text(FRUIT, "utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(POEM.encode()))
    (tmp_path / "c.txt").write_text("我买葡萄很甜\r\n\n他吃葡萄", "utf-8")
    return Corpus([str(tmp_path / name) for name in ("a.txt", "b.txt.gz", "c.txt")])


def digest_of_model(corpus: Corpus, target: Path, counts: Path | None = None) -> str:
    train(corpus, target, TrainingConfig(), command="", counts=counts)
    return hashlib.sha256(b"".join((target / f"lexicon.{end}").read_bytes() for end in ("tsv", "trie"))).hexdigest()


def lines_of_shards(corpus: Corpus, of: int) -> list[bytes]:
    parts = [Corpus(corpus.paths, shard=Shard(number, of)).stream() for number in range(1, of + 1)]
    return [block.data for part in parts for block in part]


def test_any_number_of_shards_in_any_order_and_again_gives_the_same_bytes(orchard, tmp_path):
    expected = digest_of_model(orchard, tmp_path / "one-run")

    for of in (1, 2, 7, 64):
        folder = tmp_path / f"counts-{of}"
        numbers = list(range(1, of + 1))
        random.Random(of).shuffle(numbers)
        for number in [*numbers, *numbers[:2]]:  # two of them are delivered twice
            count_shard(orchard, Shard(number, of), folder, accepted=HAN_ONLY)

        assert digest_of_model(orchard, tmp_path / f"model-{of}", folder) == expected, of
        assert len(list(folder.iterdir())) == of


@settings(max_examples=60)
@given(st.text(alphabet="天地人\r\n a", max_size=60), st.integers(1, 9))
def test_each_line_is_in_one_shard(tmp_path_factory, text, of):
    path = tmp_path_factory.mktemp("corpus") / "text"
    path.write_text(text, "utf-8", newline="")

    parts = lines_of_shards(Corpus([str(path)]), of)

    assert b"".join(parts) == text.encode()  # in order, as the file is cut into ranges
    assert all(part.endswith(b"\n") for part in parts[:-1])


def test_blocks_of_what_cannot_be_cut_are_dealt_out(tmp_path, monkeypatch):
    monkeypatch.setattr("kexue_cli.records.BLOCK_BYTES", 64)
    lines = [f"第{number}行\n" for number in range(200)]
    (tmp_path / "text.gz").write_bytes(gzip.compress("".join(lines).encode()))
    (tmp_path / "text.gb").write_text("".join(lines), "gb18030")

    for corpus in (Corpus([str(tmp_path / "text.gz")]), Corpus([str(tmp_path / "text.gb")], encoding="gb18030")):
        parts = [
            b"".join(
                block.data for block in Corpus(corpus.paths, None, False, corpus.encoding, shard=Shard(i, 4)).stream()
            )
            for i in (1, 2, 3, 4)
        ]

        assert sorted(b"".join(parts).decode().splitlines(keepends=True)) == sorted(lines)
        assert max(map(len, parts)) < 1.5 * min(map(len, parts))


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("lines.jsonl", "".join(f'{{"text": "{line}"}}\n' for line in FRUIT.splitlines()), {"field": "text"}),
        ("words.txt", " ".join(FRUIT), {"is_segmented": True}),
        ("gb.txt", FRUIT, {"encoding": "gb18030"}),
    ],
)
def test_shards_are_those_of_every_form_of_text(tmp_path, name, content, options):
    (tmp_path / name).write_text(content, options.get("encoding", "utf-8"))
    corpus = Corpus([str(tmp_path / name)], **options)
    expected = count_ngrams(corpus, accepted=HAN_ONLY)

    for number in (2, 3, 1):
        count_shard(corpus, Shard(number, 3), tmp_path / "counts", accepted=HAN_ONLY)
    counts = open_counts(tmp_path / "counts", corpus, HAN_ONLY)

    ngrams = ngram_tree(counts.size, counts.pieces(tmp_path))
    assert ngrams.totals.tobytes() == expected.totals.tobytes()
    assert ngrams.characters.tobytes() == expected.characters.tobytes()
    assert ngrams.size == expected.size


def test_the_counts_are_those_of_a_database(orchard, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    for number in range(1, 8):
        count_shard(orchard, Shard(number, 7), tmp_path / "counts", accepted=HAN_ONLY)
    counts = open_counts(tmp_path / "counts", orchard, HAN_ONLY)
    ngrams = ngram_tree(counts.size, counts.pieces(tmp_path), least=2)
    text = FRUIT + POEM + "我买葡萄很甜\r\n\n他吃葡萄"

    rows = duckdb.execute(
        """
        WITH runs AS (SELECT unnest(regexp_extract_all(?, '[一-龥]+')) AS run),
             grams AS (SELECT substr(run, i, n) AS gram
                       FROM runs, range(1, 7) AS lengths(n), range(1, 100) AS places(i)
                       WHERE i + n - 1 <= length(run))
        SELECT gram, count(*) FROM grams GROUP BY gram HAVING count(*) >= 2
        """,
        [text],
    ).fetchall()

    words = ngrams.words(np.arange(len(ngrams.totals)))
    assert dict(zip(words, ngrams.totals.tolist(), strict=True)) == dict(rows)


def test_a_bad_line_of_a_shard_is_named_as_in_the_whole(tmp_path):
    (tmp_path / "bad.txt").write_bytes("葡萄\n".encode() * 50 + b"\xff\n" + "葡萄\n".encode() * 5)

    with pytest.raises(Exception, match=r"bad\.txt:51: byte 0 of the line \(0xff\) is not valid UTF-8"):
        count_shard(Corpus([str(tmp_path / "bad.txt")]), Shard(5, 5), tmp_path, accepted=HAN_ONLY)


def test_a_brace_in_the_middle_of_plain_text_is_no_record(tmp_path):
    (tmp_path / "code.txt").write_text("葡萄很甜\n{葡萄}\n" * 20, "utf-8")

    for number in range(1, 11):
        count_shard(Corpus([str(tmp_path / "code.txt")]), Shard(number, 10), tmp_path / "counts", accepted=HAN_ONLY)

    assert open_counts(tmp_path / "counts", Corpus([str(tmp_path / "code.txt")]), HAN_ONLY).size == 20 * 6


# ------------------------------------------------------------- the command


@pytest.fixture
def counts(tmp_path):
    """A corpus and the folder of its three shards."""
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")
    corpus = Corpus(["corpus.txt"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for number in (1, 2, 3):
            count_shard(corpus, Shard(number, 3), tmp_path / "counts", accepted=HAN_ONLY)
    return tmp_path / "counts"


def test_shards_are_counted_and_put_together_by_commands(kexue, tmp_path):
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")
    kexue("train", "segmentation", "corpus.txt", "-o", "one-run")

    for number in (2, 1):
        done = kexue("train", "segmentation", "corpus.txt", "--shard", f"{number}/2", "-o", "counts")
        assert (done.returncode, done.out) == (0, b"")
        assert done.stderr.startswith(f"counts/000{number}-of-0002.counts: 1")
    done = kexue("train", "segmentation", "--from-counts", "counts", "corpus.txt", "-o", "model")

    assert done.returncode == 0, done.stderr
    for name in ("lexicon.tsv", "lexicon.trie"):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "one-run" / name).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"corpus.txt", "counts", "model", "one-run"}


def test_a_shard_that_is_killed_adds_nothing_and_is_counted_again(tmp_path, kexue):
    (tmp_path / "corpus.txt").write_text(FRUIT * 20, "utf-8")
    corpus = Corpus([str(tmp_path / "corpus.txt")])
    expected = digest_of_model(corpus, tmp_path / "one-run")
    count_shard(corpus, Shard(1, 2), tmp_path / "counts", accepted=HAN_ONLY)
    killed_while_sorting = (  # some 2,000 characters are a run; the third one is the last thing it does
        "import os, signal\n"
        "from kexue_cli import records\n"
        "from kexue_cli.segmentation import ngrams\n"
        "records.BLOCK_BYTES, ngrams.FEW_CHARACTERS, ngrams.FIXED_BYTES = 5000, 2000, 1 << 40\n"
        "sort, runs = ngrams.sorted_run, []\n"
        "def sorted_run(codes):\n"
        "    runs.append(1)\n"
        "    return sort(codes) if len(runs) < 3 else os.kill(os.getpid(), signal.SIGKILL)\n"
        "ngrams.sorted_run = sorted_run\n"
        "from kexue_cli.main import main; main()"
    )
    arguments = ["train", "segmentation", "corpus.txt", "--shard", "2/2", "-o", "counts", "--max-memory", "500M"]

    done = kexue(*arguments, command=(sys.executable, "-c", killed_while_sorting))

    assert done.returncode == -9
    assert not (tmp_path / "counts" / "0002-of-0002.counts").exists()
    assert len(list((tmp_path / "counts" / ".0002-of-0002.runs").glob("*.run"))) == 2
    missing = kexue("train", "segmentation", "--from-counts", "counts", "corpus.txt", "-o", "model")
    assert one_error(missing) == "counts lacks shard 2 of 2; count it with: --shard 2/2"

    assert kexue(*arguments).returncode == 0

    assert sorted(path.name for path in (tmp_path / "counts").iterdir()) == [
        "0001-of-0002.counts",
        "0002-of-0002.counts",
    ]
    assert digest_of_model(corpus, tmp_path / "model", tmp_path / "counts") == expected


def refused(folder: Path, method: str = "entropy", **options: object) -> str:
    corpus = Corpus([str(folder.parent / "corpus.txt")], **options)
    with pytest.raises(KexueError) as problem:
        list(open_counts(folder, corpus, ACCEPTED[method]).pieces(folder))
    return str(problem.value).removeprefix(f"{folder}")


def test_what_does_not_belong_together_is_refused(counts, tmp_path):
    second = counts / "0002-of-0003.counts"
    whole = second.read_bytes()

    assert "counted with --field none; here it is text" in refused(counts, field="text")
    assert "counted with --encoding utf-8; here it is gb18030" in refused(counts, encoding="gb18030")
    assert "counted with --format sighan no; here it is yes" in refused(counts, is_segmented=True)
    assert refused(counts, method="nlp-zero").endswith("was counted with another --method; give the same one here")

    second.write_bytes(whole[:-7])
    assert refused(counts).startswith("/0002-of-0003.counts is cut short or damaged; remove it and count ")
    second.write_bytes(whole[:100] + bytes(8) + whole[108:])
    assert refused(counts).startswith("/0002-of-0003.counts is damaged; remove it and count ")
    second.write_bytes((counts / "0001-of-0003.counts").read_bytes())
    assert refused(counts) == "/0002-of-0003.counts holds shard 1 of 3, not what its name says"
    second.unlink()
    assert refused(counts) == " lacks shard 2 of 3; count it with: --shard 2/3"
    second.write_bytes(whole)
    (counts / "0001-of-0002.counts").write_bytes(whole)
    assert refused(counts).startswith(" holds counts of corpora cut into 2 and 3 shards; ")
    (counts / "0001-of-0002.counts").unlink()

    (tmp_path / "corpus.txt").write_text(FRUIT.replace("甜", "酸"), "utf-8")
    assert "another corpus: the same names and sizes, but other text" in refused(counts)
    (tmp_path / "corpus.txt").write_text(FRUIT + "葡萄\n", "utf-8")
    assert "another corpus: corpus.txt (1,040 bytes); here it is corpus.txt (1,047 bytes)" in refused(counts)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--shard", "0/3"], "--shard '0/3' must be I/N with I from 1 to N, such as 3/7"),
        (["--shard", "4/3"], "--shard '4/3' must be I/N"),
        (["--shard", "1/3", "--from-counts", "counts"], "three ways to count"),
        (["--shard", "1/3", "--compact"], "--shard only counts"),
        (["--address", "auto"], "--address goes with --engine ray"),
    ],
)
def test_what_makes_no_sense_is_misuse(kexue, counts, options, problem):
    done = kexue("train", "segmentation", "corpus.txt", "-o", "model", *options)

    assert done.returncode == 2
    assert problem in one_error(done)


def test_a_shard_cannot_come_from_a_pipe(kexue):
    done = kexue("train", "segmentation", "-", "--shard", "1/2", "-o", "counts", stdin=FRUIT)

    assert done.returncode == 1
    assert "- is not a file; shards are counted by several processes" in one_error(done)


def test_two_processes_that_count_the_same_shard_both_succeed(tmp_path, kexue):
    (tmp_path / "corpus.txt").write_text(FRUIT, "utf-8")
    command = [*COMMAND, "train", "segmentation", "corpus.txt", "--shard", "1/1", "-o", "counts"]

    processes = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    assert [path.name for path in (tmp_path / "counts").iterdir()] == ["0001-of-0001.counts"]
