"""kexue segment: lines in, segmented lines out."""

import gzip
import io
import json
import lzma
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import zstandard
from conftest import PATIENCE, one_error
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli import loader, records, zoo
from kexue_cli.errors import KexueError
from kexue_cli.records import Block
from kexue_cli.segmentation import task
from kexue_cli.segmentation.user_dictionary import read_user_dictionary

PROSE = "我们在北京的学校学习汉语，他们说这里的人很好。\n今天天气不好，我不想出去。\n"
TRADITIONAL = "我們在臺北的學校學習漢語，他們說這裡的人很好。\n今天天氣不好，我不想出去。\n"


def joined(text: str) -> str:
    """Return segmented text without its separators; for text without spaces of its own."""
    return text.replace(" ", "")


def words_of(line: str) -> list[str]:
    return [word["word"] for word in json.loads(line)["words"]]


# Lines


def test_a_line_is_cut_into_its_words(kexue):
    done = kexue("segment", stdin="我爱北京天安门\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, "我 爱 北京 天安门\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\ufeff", ""),
        ("\n", "\n"),
        ("\n\n北京\n\n", "\n\n北京\n\n"),
        ("北京", "北京\n"),  # a line feed is added where the last one lacks
        ("\ufeff我爱\n", "我 爱\n"),
        ("我爱\r\n北京\r\n", "我 爱\r\n北京\r\n"),
        ("   \n", "   \n"),
        ("我爱 北京\n", "我 爱 北京\n"),  # white space is passed through, and no separator is put beside it
        ("\u3000我爱\n", "\u3000我 爱\n"),
    ],
    ids=["empty", "only BOM", "empty line", "empty lines", "no line feed", "BOM", "CRLF", "blank", "space", "indent"],
)
def test_lines_in_are_lines_out(kexue, text, expected):
    done = kexue("segment", stdin=text)

    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


@pytest.mark.parametrize("text", ["我\r爱\n", "我\x00爱\n", "\x00\n", "\r\n", "\r\r\n", "\r"])
def test_odd_characters_are_kept(kexue, text):
    done = kexue("segment", stdin=text)

    assert done.returncode == 0
    assert joined(done.stdout) == (text if text.endswith("\n") else text + "\n")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="|\n")))
def test_without_the_separator_the_output_is_the_input(text):
    segmenter = loader.segmenter()

    output = segmenter.write(Block(text.encode(), 1), "|")

    assert output.decode().replace("|", "") == text
    assert not output.startswith(b"|")
    assert not output.endswith(b"|")


def test_the_usage_shows_that_several_files_may_be_given(kexue):
    assert kexue("segment", "--help").lines[0] == "Usage: kexue segment [OPTIONS] [FILE...]"


def test_several_files_are_one_stream(kexue, tmp_path):
    (tmp_path / "one.txt").write_text("我爱", "utf-8")
    (tmp_path / "two.txt").write_text("北京\n", "utf-8")

    done = kexue("segment", "one.txt", "-", "two.txt", stdin="天安门")

    assert done.stdout == "我 爱\n天安门\n北京\n"


def test_the_separator_may_be_any_text(kexue):
    for separator in ("/", " / ", "词", "\t", "\x1f"):
        done = kexue("segment", "--separator", separator, stdin="我爱北京\n")

        assert done.stdout == separator.join(["我", "爱", "北京"]) + "\n"


def test_rules_can_be_switched_off(kexue):
    line = "2024年5月\n"

    assert kexue("segment", stdin=line).stdout == "2024年 5月\n"
    done = kexue("segment", "--without-rule", "date", "--without-rule", "unit", stdin=line)
    assert done.stdout == "2024 年 5 月\n"


def test_another_model_may_be_named(kexue, little_model):
    done = kexue("segment", "-m", little_model, stdin="我爱北京天安门\n")

    assert done.stdout == "我 爱 北京 天安门\n"


@pytest.mark.parametrize("engine", ["jieba", "jieba-nohmm"])
def test_jieba_stands_behind_the_same_door(kexue, engine):
    text = "\ufeff我爱北京天安门\r\n\n我爱 北京"

    done = kexue("segment", "--engine", engine, stdin=text)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "我 爱 北京 天安门\r\n\n我 爱 北京\n"


def test_explain_shows_every_possible_word_and_marks_the_chosen(kexue):
    done = kexue("segment", "--explain", stdin="北京\n")

    rows = [line.split("\t") for line in done.lines if line]
    assert [row[:3] for row in rows if row[5] == "*"] == [["0", "2", "北京"]]
    assert ["0", "1", "北"] in [row[:3] for row in rows]


def test_explain_as_records_holds_the_lattice(kexue):
    done = kexue("segment", "--explain", "--json", stdin="\n我爱北京\n")

    empty, record = map(json.loads, done.lines)
    assert empty == {"text": "", "words": [], "lattice": []}
    chosen = [edge["word"] for edge in record["lattice"] if edge["is_chosen"]]
    assert chosen == words_of(done.lines[1]) == ["我", "爱", "北京"]


# Records


def test_json_gives_words_with_places(kexue):
    done = kexue("segment", "--json", stdin="我爱北京\n")

    assert json.loads(done.stdout) == {
        "text": "我爱北京",
        "words": [
            {"word": "我", "start": 0, "end": 1},
            {"word": "爱", "start": 1, "end": 2},
            {"word": "北京", "start": 2, "end": 4},
        ],
    }


def test_json_has_a_record_for_every_line(kexue):
    done = kexue("segment", "--json", stdin="\n北京\r\n\r\n我\r爱\n\x00")

    assert done.returncode == 0, done.stderr
    texts = [json.loads(line)["text"] for line in done.lines]
    assert texts == ["", "北京", "", "我\r爱", "\x00"]
    assert words_of(done.lines[0]) == []


UNCOMMON = [
    "👨‍👩‍👧‍👦去北京",  # joined by zero-width joiners: seven code points
    "cafe\u0301在北京",  # a combining accent
    "𰻝𰻝面在北京",  # U+30EDD: CJK extension G
    "葛\U000e0100城在北京",  # a variation selector
    "我\u202e爱\u202c北京",  # bidirectional controls
    "🇨🇳北京❤\ufe0f",
]


def test_places_count_code_points_of_uncommon_characters_too(kexue):
    done = kexue("segment", "--json", stdin="\n".join(UNCOMMON))

    recorded = [json.loads(line) for line in done.lines]
    assert [record["text"] for record in recorded] == UNCOMMON
    for record in recorded:
        text, words = record["text"], record["words"]
        assert all(text[word["start"] : word["end"]] == word["word"] for word in words)
        assert "".join(word["word"] for word in words) == text
        assert "北京" in [word["word"] for word in words]


def test_uncommon_characters_make_the_round_trip(kexue):
    text = "\n".join(UNCOMMON) + "\n"

    assert joined(kexue("segment", stdin=text).stdout) == text


# Encodings and compression


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(PROSE, "gbk"), (PROSE, "gb18030"), (TRADITIONAL, "big5"), (PROSE, "utf-16"), (TRADITIONAL, "utf-16-be")],
    ids=["gbk", "gb18030", "big5", "utf-16", "utf-16-be"],
)
def test_text_in_another_encoding_is_cut_as_in_utf8(kexue, text, encoding):
    done = kexue("segment", "--encoding", encoding, stdin=text.encode(encoding))

    assert done.returncode == 0
    assert done.stdout == kexue("segment", stdin=text).stdout


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(PROSE, "gbk"), (TRADITIONAL, "big5"), (PROSE, "utf-16"), (PROSE, "utf-16-le")],
    ids=["gbk", "big5", "utf-16", "utf-16-le"],
)
def test_a_wrong_encoding_is_an_error_with_the_option_that_helps(kexue, text, encoding):
    data = text.encode(encoding)

    done = kexue("segment", stdin=data)

    assert (done.returncode, done.out) == (1, b"")  # and no mojibake
    error = one_error(done)
    assert re.match(r"standard input:1: byte \d+ of the line \(0x..\) is not valid UTF-8; ", error)
    option = re.findall(r"--encoding \S+", error)[0].split()
    assert kexue("segment", *option, stdin=data).stdout == kexue("segment", stdin=text).stdout


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("damage", [b"\xe5\x8c", b"\xc0\xaf", b"\xed\xa0\x80", b"\xff"],
                         ids=["truncated", "overlong", "surrogate", "no byte of UTF-8"])  # fmt: skip
def test_the_lines_before_a_bad_byte_are_written(kexue, damage, threads):
    text = "我爱北京\n天安门\n".encode()

    done = kexue("segment", "--threads", threads, stdin=text + "我爱".encode() + damage + "\n北京\n".encode())

    assert (done.returncode, done.stdout) == (1, "我 爱 北京\n天安门\n")
    assert one_error(done).startswith(f"standard input:3: byte 6 of the line (0x{damage[0]:02x}) is not valid UTF-8")


def test_the_lines_before_a_bad_byte_are_written_in_another_encoding_too(kexue):
    data = "我爱北京\n".encode("gb18030") + b"\xff\n"

    done = kexue("segment", "--encoding", "gb18030", stdin=data)

    assert (done.returncode, done.stdout) == (1, "我 爱 北京\n")
    assert one_error(done).startswith("standard input:2: byte ")


def test_utf16_without_a_byte_order_mark_is_one_error_if_it_cannot_be_read(kexue):
    done = kexue("segment", "--encoding", "utf-16", stdin="我爱北京\n".encode("utf-16-be"))

    assert done.returncode in (0, 1)
    assert joined(done.stdout) == "我爱北京\n" if done.returncode == 0 else one_error(done)


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress],
    ids=["gz", "xz", "zst"],
)
def test_compressed_text_is_read_as_it_is(kexue, tmp_path, compress):
    data = compress("我爱北京\n".encode())
    (tmp_path / "text").write_bytes(data)

    assert kexue("segment", "text").stdout == "我 爱 北京\n"
    assert kexue("segment", stdin=data).stdout == "我 爱 北京\n"


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress],
    ids=["gz", "xz", "zst"],
)
def test_truncated_compressed_text_is_an_error(kexue, tmp_path, compress):
    whole = compress("".join(f"我爱北京{number}\n" for number in range(1000)).encode())
    (tmp_path / "text").write_bytes(whole[: len(whole) // 2])

    done = kexue("segment", "text", "-o", "words.txt")

    assert done.returncode == 1
    assert one_error(done).startswith("cannot read text: the compressed data ")
    assert not (tmp_path / "words.txt").exists()


def test_a_damaged_gzip_file_is_an_error(kexue, tmp_path):
    whole = bytearray(gzip.compress("我爱北京\n".encode()))
    whole[-5] ^= 0xFF  # the checksum
    (tmp_path / "text.gz").write_bytes(whole)

    done = kexue("segment", "text.gz")

    assert done.returncode == 1
    assert one_error(done).startswith("cannot read text.gz: ")


# Bad lines


def test_a_bad_line_may_be_skipped_with_an_error_in_its_place(kexue):
    done = kexue("segment", "--json", "--on-error", "skip", stdin="北京\n".encode() + b"\xff\n" + "天安门\n".encode())

    first, second, third = map(json.loads, done.lines)
    assert done.returncode == 1
    assert (first["text"], third["text"]) == ("北京", "天安门")
    assert second["line"] == 2
    assert "not valid UTF-8" in second["error"]
    assert one_error(done) == "1 bad line skipped, each with an error record in its place"


def test_bad_lines_at_both_ends_may_be_skipped(kexue):
    done = kexue("segment", "--on-error", "skip", "-q", stdin=b"\xff\n" + "北京\n".encode() + b"\xff")

    first, second, third = done.lines
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(first)["line"] == 1
    assert second == "北京"
    assert json.loads(third)["line"] == 3


# Long lines


def segmented(monkeypatch, text: str, *, block_bytes: int, user: Path | None = None) -> str:
    """Return the words of text that is read in blocks of a few bytes, with | between them."""
    monkeypatch.setattr(records, "BLOCK_BYTES", block_bytes)
    folder = zoo.find_model("entropy-segmentation-jieba")
    dictionary = read_user_dictionary(str(user)) if user else None
    segmenter = task.load(folder, user=dictionary).segmenter
    may_cut = segmenter.may_cut_at(records.SENTENCE_MARKS)
    blocks = records.read_blocks(io.BytesIO(text.encode()), may_cut=may_cut)
    return b"".join(segmenter.write(block, "|") for block in blocks).decode()


def test_a_long_line_is_cut_without_changing_the_result(monkeypatch):
    sentences = ["我爱北京天安门。", "真的！", "好吗？！", "“走吧。”他说。", "3.5。5", "……。。。", " 空 。 格", "a。b",
                 "。👨‍👩‍👧", "2024年。5月", "\u3000。\u3000"]  # fmt: skip
    text = "".join(first + second for first in sentences for second in sentences) + "\r\n北京\n"

    in_pieces = segmented(monkeypatch, text, block_bytes=40)

    assert in_pieces == segmented(monkeypatch, text, block_bytes=1 << 20)


@pytest.mark.parametrize("mark", ["\u0301", "\ufe00", "\ufe0f"], ids=["accent", "VS1", "VS16"])
def test_a_long_line_is_not_cut_before_what_belongs_to_a_sentence_mark(monkeypatch, mark):
    text = f"天安门！{mark}" * 20

    in_pieces = segmented(monkeypatch, text, block_bytes=40)

    assert in_pieces == "|".join(["天安门", f"！{mark}"] * 20)


def test_a_long_line_is_not_cut_within_a_word_of_the_user(monkeypatch, tmp_path):
    (tmp_path / "words.txt").write_text("你好。世界\n", "utf-8")
    text = "你好。世界" * 20

    in_pieces = segmented(monkeypatch, text, block_bytes=40, user=tmp_path / "words.txt")

    assert in_pieces == "|".join(["你好。世界"] * 20)


def test_a_line_without_sentence_marks_above_the_limit_is_one_error(kexue, tmp_path):
    program = (
        "from kexue_cli import records; records.LINE_LIMIT = 4096; records.BLOCK_BYTES = 1024\n"
        "from kexue_cli.main import main; main()"
    )
    (tmp_path / "long.txt").write_text("北京\n" + "我爱" * 10_000 + "\n", "utf-8")

    done = kexue("segment", "long.txt", command=(sys.executable, "-c", program))

    assert (done.returncode, done.stdout) == (1, "北京\n")
    assert one_error(done).startswith("long.txt:2: the line is longer than ")


def test_a_bad_byte_in_a_long_line_is_placed_within_the_line(kexue, tmp_path):
    program = "from kexue_cli import records; records.BLOCK_BYTES = 64; from kexue_cli.main import main; main()"
    (tmp_path / "long.txt").write_bytes("我爱北京。".encode() * 100 + b"\xff\n")

    done = kexue("segment", "long.txt", command=(sys.executable, "-c", program))

    assert done.returncode == 1
    assert one_error(done).startswith("long.txt:1: byte 1500 of the line (0xff)")  # 100 times 5 characters of 3 bytes


def test_a_long_line_that_is_skipped_leaves_one_error_record_on_a_line_of_its_own(kexue, tmp_path):
    program = "from kexue_cli import records; records.BLOCK_BYTES = 64; from kexue_cli.main import main; main()"
    (tmp_path / "long.txt").write_bytes("我爱北京。".encode() * 100 + b"\xff\n" + "天安门\n".encode())

    done = kexue("segment", "--on-error", "skip", "long.txt", command=(sys.executable, "-c", program))

    assert done.returncode == 1
    errors = [line for line in done.lines if "error" in line]
    assert [json.loads(line)["line"] for line in errors] == [1]
    assert done.lines[-1] == "天安门"


# The results do not depend on


def test_results_do_not_depend_on_the_size_of_the_input_or_the_threads(kexue):
    lines = [f"我爱北京天安门，{number}年{number % 12 + 1}月，他们说这里的人很好。" for number in range(8000)]
    few = kexue("segment", stdin="\n".join(lines[:40]) + "\n").lines  # plain Python

    for threads in ("1", "4"):
        many = kexue("segment", "--threads", threads, stdin="\n".join(lines) + "\n").lines  # compiled
        assert many[:40] == few
        assert len(many) == len(lines)
        assert [joined(line) for line in many] == lines


# Pipes, signals and full disks


def test_a_reader_that_has_enough_ends_the_work_quietly(bash):
    done = bash("yes 我爱北京 | kexue segment | head -n 1; echo ${PIPESTATUS[@]}")

    line, statuses = done.lines
    assert line == "我 爱 北京"
    assert statuses.split()[1:] == ["0", "0"]  # kexue and head; yes is ended by the closed pipe
    assert done.stderr == ""


def test_each_line_is_answered_before_the_next_is_sent(start):
    process = start("segment", "--line-buffered", stderr=subprocess.DEVNULL)
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()

    answers = []
    for line in ("我爱北京", "", "天安门", "(", "北京"):
        process.stdin.write(f"{line}\n".encode())
        answers.append(process.stdout.readline().decode())
    process.stdin.close()
    watchdog.cancel()

    assert answers == ["我 爱 北京\n", "\n", "天安门\n", "(\n", "北京\n"]
    assert process.wait(PATIENCE) == 0


def test_each_line_of_another_encoding_is_answered_before_the_next_is_sent(start):
    process = start("segment", "--line-buffered", "--encoding", "gb18030", "--json", stderr=subprocess.DEVNULL)
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()

    answers = []
    for line in ("我爱北京", "天安门"):
        process.stdin.write(f"{line}\n".encode("gb18030"))
        answers.append(json.loads(process.stdout.readline())["text"])
    process.stdin.close()
    watchdog.cancel()

    assert answers == ["我爱北京", "天安门"]
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_an_endless_stream_without_a_traceback(start, number, status):
    source = subprocess.Popen(["yes", "我爱北京"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process = start("segment", stdin=source.stdout)
    source.stdout.close()
    try:
        assert process.stdout.read(8) == "我 爱".encode() + b" "  # it has begun
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        source.kill()
        source.wait()

    assert process.returncode == status
    assert b"Traceback" not in err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_leaves_no_half_of_a_file(interrupt_while_reading, tmp_path, number, status):
    done = interrupt_while_reading("segment", "text", "-o", "words.txt", pipe=tmp_path / "text", number=number)

    assert done.returncode == status
    assert b"Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_full_disk_is_one_error(bash):
    for line in ("echo 我爱北京 | kexue segment > /dev/full", "echo 我爱北京 | kexue segment -o /dev/full"):
        done = bash(line)

        assert done.returncode == 1
        assert one_error(done).endswith(": No space left on device")


def test_an_output_file_appears_when_it_is_whole(kexue, tmp_path):
    (tmp_path / "text.txt").write_text("我爱北京\n", "utf-8")

    done = kexue("segment", "text.txt", "-o", "words.txt")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "words.txt").read_text("utf-8") == "我 爱 北京\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.txt", "words.txt"]


def test_a_file_may_be_replaced_by_its_own_words(kexue, tmp_path):
    (tmp_path / "text.txt").write_text("我爱北京\n", "utf-8")

    kexue("segment", "text.txt", "-o", "text.txt")

    assert (tmp_path / "text.txt").read_text("utf-8") == "我 爱 北京\n"


def test_a_failure_leaves_no_output_file(kexue, tmp_path):
    done = kexue("segment", "-o", "words.txt", stdin=b"\xff\n")

    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_an_output_in_a_place_that_cannot_be_written_is_one_error(kexue, tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")

    for path in ("none/words.txt", "file/words.txt", "."):
        done = kexue("segment", "-o", path, stdin="我爱北京\n")

        assert done.returncode == 1
        assert one_error(done).startswith(f"cannot write {path}: ")


def test_inputs_are_opened_before_a_model_is_loaded(kexue, own_model):
    (own_model / "config.json").write_text("{", "utf-8")

    done = kexue("segment", "-m", own_model, "none.txt")

    assert one_error(done) == "cannot read none.txt: No such file or directory"


# Models


@pytest.mark.parametrize("name", ["config.json", "lexicon.tsv"])
def test_a_model_without_one_of_its_files_is_an_error_that_names_it(kexue, own_model, name):
    (own_model / name).unlink()

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert (done.returncode, done.out) == (1, b"")
    assert name in one_error(done)


def test_a_model_without_its_compiled_lexicon_is_used_all_the_same(kexue, own_model):
    whole = kexue("segment", "-m", own_model, stdin="我爱北京\n")
    (own_model / "lexicon.trie").unlink()

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert (done.returncode, done.stdout) == (0, whole.stdout)


def test_a_word_of_two_scripts_in_the_lexicon_is_one_word(kexue):
    assert kexue("segment", stdin="穿T恤的人\n").stdout == "穿 T恤 的 人\n"


def test_any_flipped_byte_of_a_compiled_lexicon_is_noticed(own_model):
    path = own_model / "lexicon.trie"
    whole = path.read_bytes()

    for place in [*range(16), *range(48, 52), *range(64, len(whole), 7)]:  # all but the lexicon's sum and the padding
        path.unlink()  # the file is mapped into memory where it was read before
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(KexueError, match="is damaged"):
            task.load(own_model)


def test_a_damaged_compiled_lexicon_is_one_error(kexue, own_model):
    path = own_model / "lexicon.trie"
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done) == f"{path} is damaged; see: kexue models verify"


def test_an_edited_lexicon_is_used_and_compiled_into_the_cache_once(kexue, own_model, tmp_path):
    lexicon = own_model / "lexicon.tsv"
    lexicon.write_text(lexicon.read_text("utf-8") + "爱北京\t50\n", "utf-8")  # only word and weight are needed
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    first = kexue("segment", "-m", own_model, stdin="我爱北京\n", env=env)
    tries = list((tmp_path / "cache" / "kexue" / "tries").iterdir())
    second = kexue("segment", "-m", own_model, stdin="我爱北京\n", env=env)

    assert first.stdout == second.stdout == "我 爱北京\n"
    assert len(tries) == 1


def test_an_edited_lexicon_may_have_crlf_and_a_byte_order_mark(kexue, own_model, tmp_path):
    lexicon = own_model / "lexicon.tsv"
    lexicon.write_bytes(("\ufeff" + lexicon.read_text("utf-8") + "爱北京\t50\n").replace("\n", "\r\n").encode())

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n", env={"XDG_CACHE_HOME": str(tmp_path / "cache")})

    assert (done.stdout, done.stderr) == ("我 爱北京\n", "")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("爱北京", "expected a word, a TAB and a weight"),
        ("爱北京\theavy", "the weight must be a number"),
        ("爱北京\tnan", "the weight must be a number"),
        ("\t50", "expected a word, a TAB and a weight"),
        ("北京\t50", "the word '北京' stands there twice"),
        ("", None),
    ],
)
def test_a_bad_row_of_an_edited_lexicon_is_named(kexue, own_model, tmp_path, row, problem):
    lexicon = own_model / "lexicon.tsv"
    lexicon.write_text(lexicon.read_text("utf-8") + row + "\n", "utf-8")  # after a header and five words: line 7

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n", env={"XDG_CACHE_HOME": str(tmp_path / "cache")})

    if problem is None:  # an empty line
        assert (done.returncode, done.stdout) == (0, "我 爱 北京\n")
    else:
        assert done.returncode == 1
        assert one_error(done).startswith(f"{lexicon}:7: ")
        assert problem in done.stderr


def test_processes_that_compile_one_edited_lexicon_at_once_all_succeed(start, own_model, tmp_path, monkeypatch):
    lexicon = own_model / "lexicon.tsv"
    lexicon.write_text(lexicon.read_text("utf-8") + "爱北京\t50\n", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    processes = [start("segment", "-m", own_model) for _ in range(4)]
    answers = [process.communicate("我爱北京\n".encode(), PATIENCE) for process in processes]

    assert {out.decode() for out, _ in answers} == {"我 爱北京\n"}
    [trie] = (tmp_path / "cache" / "kexue" / "tries").iterdir()
    assert trie.suffix == ".trie"


def change_config(model: Path, **changes: object) -> None:
    config = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**config, **changes}), "utf-8")


def test_a_model_of_a_newer_format_is_one_error(kexue, own_model):
    change_config(own_model, format=2)

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert done.returncode == 1
    assert one_error(done).endswith("config.json has format 2; this version of kexue reads format 1")


def test_an_unknown_setting_of_a_model_is_one_error_with_the_nearest_known(kexue, own_model):
    decoding = json.loads((own_model / "config.json").read_text("utf-8"))["decoding"]
    change_config(own_model, decoding={**decoding, "unit_wieght": 1.0})

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert done.returncode == 1
    assert "no setting named 'unit_wieght'; did you mean 'unit_weight'?" in one_error(done)


@pytest.mark.parametrize(
    "change",
    [{"unknown_weight": "heavy"}, {"unknown_weight": float("nan")}, {"unit_weight": float("inf")},
     {"unit_weight": 10**400}, {"rules": ["digitz"]}, {"rules": "digits"}, {"unknown_weight": None}],
    ids=["text", "NaN", "infinite", "huge", "unknown rule", "no list", "null"],
)  # fmt: skip
def test_a_wrong_setting_of_a_model_is_one_error(kexue, own_model, change):
    decoding = json.loads((own_model / "config.json").read_text("utf-8"))["decoding"]
    change_config(own_model, decoding={**decoding, **change})

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert done.returncode == 1
    assert "config.json" in one_error(done)


def test_a_model_of_another_task_is_one_error(kexue, own_model):
    change_config(own_model, task="similarity")

    done = kexue("segment", "-m", own_model, stdin="我爱北京\n")

    assert done.returncode == 1
    assert one_error(done) == f"{own_model} is a model for similarity, not for segmentation"


# User dictionaries


@pytest.fixture
def cut(kexue, tmp_path):
    """Cut a line with the default model and a user dictionary."""

    def run(line: str, dictionary: str | bytes, *options: str) -> str:
        data = dictionary if isinstance(dictionary, bytes) else dictionary.encode()
        (tmp_path / "words.txt").write_bytes(data)
        done = kexue("segment", "--user-dict", "words.txt", *options, stdin=line + "\n")
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.removesuffix("\n")

    return run


def test_a_word_without_a_frequency_is_kept_against_the_lexicon(cut):
    assert cut("我爱北京天安门", "爱北\n") == "我 爱北 京 天安门"


def test_a_word_without_a_frequency_is_kept_against_the_rules(cut):
    assert cut("2024年5月", "年5\n") == "2024 年5 月"


def test_a_word_never_begins_or_ends_between_two_letters_or_digits(cut):
    assert cut("买A股", "A股\n") == "买 A股"
    assert "A股" not in cut("买BA股", "A股\n").split()
    assert "股A" not in cut("买股AB", "股A\n").split()


def test_of_overlapping_words_the_cut_that_covers_most_is_taken(cut):
    assert cut("我爱北京", "我爱\n爱北京\n") == "我 爱北京"  # three characters against two


def test_of_cuts_that_cover_the_same_the_one_with_fewest_words_is_taken(cut):
    assert cut("北京天安门", "北京\n天安门\n北京天安门\n") == "北京天安门"


def test_a_word_with_a_great_frequency_wins_over_the_lexicon(cut):
    assert cut("我爱北京", "爱北京 1000000000000\n") == "我 爱北京"


def test_a_small_frequency_takes_nothing_from_a_word_of_the_lexicon(cut):
    assert cut("我爱北京天安门", "北京 1\n天安门 1\n") == "我 爱 北京 天安门"


def test_a_dictionary_may_have_a_byte_order_mark_and_crlf_and_tags(cut):
    assert cut("我爱北京", b"\xef\xbb\xbf" + "# 注\r\n\r\n爱北京\r\n天安 3 ns\r\n".encode()) == "我 爱北京"


def test_a_word_may_hold_spaces_if_tabs_separate_the_cells(cut):
    assert cut("去New York玩", "New York\t\n", "--separator", "|") == "去|New York|玩"
    assert cut("去New York玩", "New York\t1000000000000\n", "--separator", "|") == "去|New York|玩"


@pytest.mark.parametrize(
    ("word", "line", "expected"),
    [
        ("C++", "学C++语言", "学 C++ 语言"),
        ("(北京)", "在(北京)住", "在 (北京) 住"),
        ("[京]", "在[京]住", "在 [京] 住"),
        ("京.门", "在京.门住", "在 京.门 住"),
        ("京.门", "在京城门住", None),  # the point stands for itself, not for any character
        ("北*", "北*京", "北* 京"),
        ("^我$", "我^我$我", "我 ^我$ 我"),
        ("\\d", "\\d", "\\d"),
    ],
)
def test_characters_of_regular_expressions_stand_for_themselves(cut, word, line, expected):
    result = cut(line, word + "\n")

    if expected is None:
        assert "京城门" not in result.split()
    else:
        assert result == expected


@pytest.mark.parametrize("frequency", ["0", "-3", "many", "nan", "inf", "1e999"])
def test_a_bad_frequency_is_named_by_file_and_line(kexue, tmp_path, frequency):
    (tmp_path / "words.txt").write_text(f"北京\n爱北京 {frequency}\n", "utf-8")

    done = kexue("segment", "--user-dict", "words.txt", stdin="我爱北京\n")

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(
        f"words.txt:2: the frequency of '爱北京' must be a number above 0; found {frequency!r}"
    )


def test_a_dictionary_without_words_is_one_error(kexue, tmp_path):
    for content in ("", "\ufeff", "# 注\n\n"):
        (tmp_path / "words.txt").write_text(content, "utf-8")

        done = kexue("segment", "--user-dict", "words.txt", stdin="我爱北京\n")

        assert done.returncode == 1
        assert one_error(done) == "words.txt holds no word"


@given(st.binary())
def test_any_bytes_are_a_dictionary_or_one_of_our_errors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_bytes(data)

    try:
        dictionary = read_user_dictionary(str(path))
    except KexueError:
        return

    assert all(dictionary.entries)


def test_the_later_of_two_entries_counts_and_is_reported(kexue, cut, tmp_path):
    dictionary = "爱北京 3\n爱北京\n"

    assert cut("我爱北京", dictionary) == "我 爱北京"
    done = kexue("segment", "--user-dict", "words.txt", "--conflicts")
    assert done.returncode == 0
    assert done.lines == ["2\t爱北京\tstands in line 1 with another frequency; line 2 counts"]


def test_conflicts_name_words_that_are_cut_even_so(kexue, tmp_path):
    (tmp_path / "words.txt").write_text("的是 1\n", "utf-8")

    done = kexue("segment", "--user-dict", "words.txt", "--conflicts")

    assert done.lines == ["1\t的是\tis cut even so: 的 是; leave out the frequency to keep it"]


def test_conflicts_name_words_that_overlap(kexue, tmp_path):
    (tmp_path / "words.txt").write_text("我爱\n爱北京\n", "utf-8")

    done = kexue("segment", "--user-dict", "words.txt", "--conflicts")

    assert done.lines == ["1\t我爱\toverlaps 爱北京 in 我爱北京, which is cut: 我 爱北京"]


def test_a_dictionary_without_conflicts_has_nothing_to_report(kexue, tmp_path):
    (tmp_path / "words.txt").write_text("天安门\n北京\n", "utf-8")

    done = kexue("segment", "--user-dict", "words.txt", "--conflicts", stdin="")

    assert (done.returncode, done.out, done.err) == (0, b"", b"")


def test_a_dictionary_of_a_million_words_is_used(cut):
    digits = "零一二三四五六七八九甲乙丙丁戊己庚辛壬癸"
    numbers = (f"{number:06d}" for number in range(1_000_000))
    ordinal = str.maketrans("0123456789", digits[10:])  # 甲 to 癸 stand for 0 to 9
    words = "\n".join("词" + number.translate(ordinal) for number in numbers)

    assert cut("我爱词乙丙丁戊己庚和词癸癸癸癸癸癸", words) == "我 爱 词乙丙丁戊己庚 和 词癸癸癸癸癸癸"
