"""The pipe formats: lines and records, in and out."""

import contextlib
import gzip
import io
import itertools
import json
import lzma
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli import encoding, records, streams
from kexue_cli.errors import KexueError, RecordError, UsageError

POEM = "床前明月光\n疑是地上霜\n"  # Li Bai
PROSE = "我们在北京的学校学习汉语，他们说这里的人很好。\n今天天气不好，我不想出去。\n"
TRADITIONAL = "我們在臺北的學校學習漢語，他們說這裡的人很好。\n今天天氣不好，我不想出去。\n"

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


class Dripping(io.RawIOBase):
    """A stream that hands out its bytes in the given portions, as a slow pipe does."""

    def __init__(self, portions: list[bytes]) -> None:
        self.portions = [portion for portion in portions if portion]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        if not self.portions:
            return 0
        portion = self.portions[0]
        count = min(len(portion), len(buffer))
        buffer[:count] = portion[:count]
        self.portions[0] = portion[count:]
        if not self.portions[0]:
            del self.portions[0]
        return count


def lines_of(data: bytes, **options: object) -> list[tuple[int, str]]:
    return list(records.read_lines(io.BytesIO(data), "poem.txt", **options))  # type: ignore[arg-type]


def lines_and_error(data: bytes, **options: object) -> tuple[list[str], str]:
    """Return the lines before the error, and the error."""
    lines = []
    reader = records.read_lines(io.BytesIO(data), "poem.txt", **options)  # type: ignore[arg-type]
    with pytest.raises(RecordError) as caught:
        lines.extend(line for _, line in reader)
    return lines, str(caught.value)


def test_lines_are_numbered_from_one_and_lose_their_endings():
    assert lines_of(POEM.encode()) == [(1, "床前明月光"), (2, "疑是地上霜")]


def test_the_last_line_needs_no_line_feed():
    assert lines_of("床前\n明月".encode()) == [(1, "床前"), (2, "明月")]


def test_carriage_returns_are_dropped_before_a_line_feed_only():
    assert lines_of("床\r前\r\n明月\r".encode()) == [(1, "床\r前"), (2, "明月")]


def test_only_line_feeds_end_a_line():
    text = "一\x00二\x0b三\x0c四\x85五\u2028六\u2029七"

    assert lines_of(text.encode()) == [(1, text)]


def test_empty_lines_are_lines():
    assert lines_of("\n\n床\n\n".encode()) == [(1, ""), (2, ""), (3, "床"), (4, "")]


def test_empty_input_and_a_lone_byte_order_mark_hold_no_lines():
    assert lines_of(b"") == []
    assert lines_of(b"\xef\xbb\xbf") == []


def test_a_byte_order_mark_is_dropped_at_the_start_of_the_input_only():
    assert lines_of("\ufeff床\n\ufeff前".encode()) == [(1, "床"), (2, "\ufeff前")]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5hkscs", "utf-16", "utf-16-be"])
def test_a_byte_order_mark_is_dropped_when_it_comes_byte_by_byte(encoding):
    data = TRADITIONAL.encode(encoding)
    if encoding == "utf-8":
        data = b"\xef\xbb\xbf" + data
    stream = io.BufferedReader(Dripping([data[index : index + 1] for index in range(len(data))]))

    groups = records.live_groups(stream, "poem.txt", encoding=encoding, size=9)

    assert [line for group in groups for _, line in group] == TRADITIONAL.splitlines()


@given(
    st.text(st.sampled_from("我爱北京\r\n\ufeff a0")),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
    st.lists(st.integers(0, 60)),
)
def test_lines_do_not_depend_on_the_portions_in_which_they_arrive(text, encoding, cuts):
    data = text.encode(encoding)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    portions = [data[start:end] for start, end in itertools.pairwise(places)]
    stream = io.BufferedReader(Dripping(portions))

    groups = list(records.live_groups(stream, "poem.txt", encoding=encoding, size=2))

    assert [line for group in groups for line in group] == lines_of(data, encoding=encoding)
    assert all(1 <= len(group) <= 2 for group in groups)


def test_a_line_does_not_wait_for_the_next_one():
    stream = io.BufferedReader(Dripping(["一\n二\n".encode(), "三\n".encode()]))

    groups = [[line for _, line in group] for group in records.live_groups(stream, size=9)]

    assert groups == [["一", "二"], ["三"]]


@given(st.binary(), st.sampled_from(["utf-8", "gb18030", "utf-16", "big5hkscs", "euc_jp"]))
def test_bytes_become_lines_or_one_of_our_errors(data, encoding):
    try:
        lines = lines_of(data, encoding=encoding)
    except KexueError:
        return

    assert [number for number, _ in lines] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(
    ("damage", "place", "found"),
    [
        (b"\xe5\x8c", 6, "0xe5"),  # 北 without its third byte
        (b"\xc0\xaf", 6, "0xc0"),  # an overlong slash
        (b"\xed\xa0\x80", 6, "0xed"),  # half a surrogate pair
        (b"\xf4\x90\x80\x80", 6, "0xf4"),  # beyond U+10FFFF
        (b"\x80", 6, "0x80"),  # a continuation of nothing
    ],
    ids=["truncated", "overlong", "surrogate", "too high", "continuation"],
)
def test_bytes_that_are_not_utf8_are_named_by_line_and_byte_after_the_lines_before(damage, place, found):
    lines, error = lines_and_error("床前\n我爱".encode() + damage + b"\n")

    assert lines == ["床前"]
    assert error.startswith(f"poem.txt:2: byte {place} of the line ({found}) is not valid UTF-8; ")
    assert "--encoding" in error


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (PROSE, "gbk"),
        (PROSE, "gb18030"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "big5hkscs"),
        (PROSE, "utf-16"),
        (PROSE, "utf-16-le"),
        (TRADITIONAL, "utf-16"),
    ],
    ids=["gbk", "gb18030", "big5", "big5hkscs", "utf-16", "utf-16-le", "utf-16 traditional"],
)
def test_the_encoding_that_an_error_proposes_reads_the_text(text, encoding):
    data = text.encode(encoding)
    _, error = lines_and_error(data)
    proposed = error.rpartition("it may be --encoding ")[2]

    lines = lines_of(data, encoding=proposed)

    assert [line for _, line in lines] == text.splitlines()


def test_a_byte_order_mark_tells_the_encoding_of_all_lines():
    data = "\n".join(PROSE.split("，")).encode("utf-16")

    errors = [str(line) for _, line in records.try_lines(io.BytesIO(data)) if isinstance(line, KexueError)]

    assert len(errors) > 1
    assert {error.rpartition("it may be --encoding ")[2] for error in errors} == {"utf-16"}


def test_no_wrong_encoding_is_proposed_for_utf32():
    _, error = lines_and_error(PROSE.encode("utf-32"))

    assert "utf-16" not in error


@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs", "utf-16-le"])
def test_the_lines_before_a_bad_byte_are_read_in_every_encoding(encoding):
    damage = b"\xff" if encoding != "utf-16-le" else b"\x00\xdc"  # a low surrogate alone

    lines, error = lines_and_error(TRADITIONAL.encode(encoding) + damage + "好\n".encode(encoding), encoding=encoding)

    assert lines == TRADITIONAL.splitlines()
    assert error.startswith("poem.txt:3: ")


def test_a_bad_byte_is_placed_right_where_characters_hold_the_byte_of_a_line_feed():
    data = "上上上\n好\n".encode("utf-16-le") + b"\x00\xdc"  # 上 is U+4E0A: its first byte is that of a line feed

    _, error = lines_and_error(data, encoding="utf-16-le")

    assert error.startswith("poem.txt:3: byte 12 ")  # 6 characters of 2 bytes stand before it


def test_a_wrong_encoding_option_is_answered_with_the_right_one():
    for wrong in ("ascii", "gb18030"):
        _, error = lines_and_error("我们在北京的学校。\n".encode(), encoding=wrong)

        assert "--encoding utf-8" in error


def test_unknown_encodings_and_codecs_that_are_no_text_are_misuse():
    for name in ("utf-9", "hex", ""):
        with pytest.raises(UsageError, match="unknown encoding"):
            encoding.check_encoding(name)


def test_encodings_have_aliases():
    assert encoding.check_encoding("UTF8") == "utf-8"
    assert encoding.check_encoding("GBK") == "gbk"


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_files_are_read_as_they_are(tmp_path, kind):
    path = tmp_path / "poem"  # told by the first bytes, not by the name
    path.write_bytes(COMPRESSORS[kind](POEM.encode()))

    with streams.open_input(str(path)) as stream:
        assert stream.read() == POEM.encode()


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_file_is_compressed_as_its_name_says(tmp_path, kind):
    path = str(tmp_path / f"poem.jsonl.{kind}")
    with streams.open_output(path) as output:
        for line in POEM.splitlines(keepends=True):
            output.write(line.encode())
            output.flush()

    assert streams.is_compressed(path)
    with streams.open_input(path) as stream:
        assert stream.read() == POEM.encode()


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_to_hand_over_what_nobody_sees_yet_makes_no_file_larger(tmp_path, kind):
    paths = [tmp_path / f"{name}.{kind}" for name in ("one", "other")]
    for path, is_flushed in zip(paths, (True, False), strict=True):
        with streams.open_output(str(path)) as output:
            for line in POEM.splitlines(keepends=True):
                output.write(line.encode())
                if is_flushed:
                    output.flush()

    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_compressed_file_that_is_not_finished_is_not_there(tmp_path, kind):
    with contextlib.suppress(KexueError), streams.open_output(str(tmp_path / f"poem.{kind}")) as output:
        output.write(POEM.encode())
        raise KexueError("a bad record")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_parts_one_after_another_are_one_text(tmp_path, kind):
    path = tmp_path / "poem"
    path.write_bytes(COMPRESSORS[kind]("床前\n".encode()) + COMPRESSORS[kind]("明月\n".encode()))

    with streams.open_input(str(path)) as stream:
        assert lines_of(stream.read()) == [(1, "床前"), (2, "明月")]


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damaged_compressed_files_are_an_error(tmp_path, kind, damage):
    whole = COMPRESSORS[kind](os.urandom(3000) + POEM.encode())
    path = tmp_path / "poem"
    if damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    else:  # zstandard has no checksum by default: hit its header of the block
        place = len(whole) - 3 if kind != "zst" else 6
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])

    with streams.open_input(str(path)) as stream, pytest.raises(KexueError, match=r"cannot read .*poem: "):
        list(records.read_lines(stream, str(path), encoding="latin-1"))


@pytest.mark.parametrize("text", ["(", "(北\n", "\x1f\n", "\x1f"])
def test_short_text_that_begins_like_a_compressed_file_is_text(tmp_path, text):
    path = tmp_path / "short.txt"
    path.write_text(text, "utf-8")

    with streams.open_input(str(path)) as stream:
        assert stream.read() == text.encode()


def test_a_missing_file_and_a_folder_are_errors_that_name_them(tmp_path):
    for path, problem in ((tmp_path / "none.txt", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(KexueError, match=f"cannot read {path}: {problem}"):
            streams.check_readable(str(path))
        with pytest.raises(KexueError, match=f"cannot read {path}: {problem}"), streams.open_input(str(path)):
            pass


def test_a_line_that_is_too_long_is_named_after_the_lines_before(monkeypatch):
    monkeypatch.setattr(records, "BLOCK_BYTES", 32)
    monkeypatch.setattr(records, "LINE_LIMIT", 256)

    lines, error = lines_and_error("床前\n明月\n".encode() + b"a" * 1000 + b"\n")

    assert lines == ["床前", "明月"]
    assert error.startswith("poem.txt:3: the line is longer than ")


def test_a_line_up_to_the_limit_is_read(monkeypatch):
    monkeypatch.setattr(records, "BLOCK_BYTES", 32)
    monkeypatch.setattr(records, "LINE_LIMIT", 256)

    assert lines_of(b"a" * 256) == [(1, "a" * 256)]


def test_a_long_line_is_cut_behind_sentence_marks_if_that_is_allowed(monkeypatch):
    monkeypatch.setattr(records, "BLOCK_BYTES", 32)
    text = "我爱北京天安门。" * 20

    blocks = list(records.read_blocks(io.BytesIO(text.encode()), "poem.txt", may_cut=True))

    assert len(blocks) > 1
    assert b"".join(block.data for block in blocks).decode() == text
    assert all(block.data.decode().endswith("。") for block in blocks)
    assert [block.line_offset > 0 for block in blocks] == [False] + [True] * (len(blocks) - 1)
    assert {block.first_line for block in blocks} == {1}


def test_a_sentence_mark_and_what_doubles_it_stay_together(monkeypatch):
    monkeypatch.setattr(records, "BLOCK_BYTES", 24)
    text = "天安门！！！" * 10

    blocks = list(records.read_blocks(io.BytesIO(text.encode()), "poem.txt", may_cut=True))

    assert all(not block.data.decode().startswith("！") for block in blocks)


def test_a_record_is_a_json_object():
    assert records.parse_record('{"text": "床前"}', "poem.jsonl", 3) == {"text": "床前"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "床前"', "not JSON at column 14"),
        ("床前明月光", "not JSON at column 1"),
        ('["床前"]', "not a JSON object; found list"),
        ("7", "not a JSON object; found int"),
        ("null", "not a JSON object; found NoneType"),
        ('{"text": NaN}', "not JSON at column 10"),
        (r'{"text": "\ud800"}', "not JSON"),  # half a surrogate pair
    ],
)
def test_a_bad_record_is_named_by_file_and_line(line, problem):
    with pytest.raises(RecordError, match=r"^poem\.jsonl:17: ") as caught:
        records.parse_record(line, "poem.jsonl", 17)

    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_empty_lines_are_no_records_but_count():
    stream = io.BytesIO(b'{"a": 1}\n\n  \n{"a": 2}\n')

    assert list(records.read_records(stream, "poem.jsonl")) == [(1, {"a": 1}), (4, {"a": 2})]


def test_a_field_that_must_be_text_is_named_when_it_is_not():
    assert records.text_field({"text": "床前"}, "text", "poem.jsonl", 1) == "床前"
    with pytest.raises(RecordError, match=r"poem\.jsonl:2: missing field 'text'; found \['title'\]"):
        records.text_field({"title": "静夜思"}, "text", "poem.jsonl", 2)
    with pytest.raises(RecordError, match=r"poem\.jsonl:3: field 'text' must be a string; found int"):
        records.text_field({"text": 3}, "text", "poem.jsonl", 3)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, JSON, max_size=3))
def test_a_record_written_and_read_is_the_same_on_one_line(record):
    line = records.dump(record)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert records.parse_record(line.decode(), "poem.jsonl", 1) == record
    assert json.loads(line) == record


def test_records_are_written_as_utf8_without_escapes():
    assert records.dump({"text": "床前"}) == '{"text":"床前"}\n'.encode()


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    target = tmp_path / "poem.txt"

    with streams.open_output(str(target)) as output:
        output.write("床前".encode())
        output.flush()
        assert not target.exists()
        output.write("明月".encode())

    assert target.read_text("utf-8") == "床前明月"
    assert [path.name for path in tmp_path.iterdir()] == ["poem.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "poem.txt"
    target.write_text("旧", "utf-8")

    def write_and_fail() -> None:
        with streams.open_output(str(target)) as output:
            output.write("新".encode())
            raise RecordError("poem.jsonl", 17, "not JSON")

    with pytest.raises(RecordError):
        write_and_fail()

    assert target.read_text("utf-8") == "旧"
    assert [path.name for path in tmp_path.iterdir()] == ["poem.txt"]


def test_an_output_file_has_the_permissions_of_any_new_file(tmp_path):
    target = tmp_path / "poem.txt"
    mask = os.umask(0o027)
    try:
        with streams.open_output(str(target)) as output:
            output.write(b"")
    finally:
        os.umask(mask)

    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_an_output_that_is_a_link_is_written_through_and_stays_a_link(tmp_path):
    # as with shell redirection and sort -o; /dev/stdout is such a link and must not be replaced by a file
    (tmp_path / "disk").mkdir()
    target = tmp_path / "disk" / "poem.txt"
    target.write_text("旧", "utf-8")
    link = tmp_path / "poem.txt"
    link.symlink_to(target)

    with streams.open_output(str(link)) as output:
        output.write("新".encode())

    assert link.is_symlink()
    assert target.read_text("utf-8") == "新"


def test_a_device_is_written_to_and_not_replaced():
    with streams.open_output(os.devnull) as output:
        output.write("床前".encode())

    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_outputs_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    for path in (tmp_path, tmp_path / "none" / "poem.txt", tmp_path / "file" / "poem.txt"):
        with pytest.raises(KexueError, match=f"cannot write {path}: "), streams.open_output(str(path)):
            pass


class Narrow(io.RawIOBase):
    """A stream that takes 3 bytes at a time, as standard output under PYTHONUNBUFFERED may."""

    def __init__(self):
        self.taken = b""

    def write(self, data):
        self.taken += bytes(data[:3])
        return min(3, len(data))


def test_a_stream_that_takes_a_part_is_given_the_rest():
    stream = Narrow()

    streams.Output(stream, "a").write("我爱北京".encode())

    assert stream.taken.decode() == "我爱北京"


def test_a_full_disk_is_an_error_that_names_the_output():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")

    def fill() -> None:
        with streams.open_output("/dev/full") as output:
            output.write(b"x" * 100_000)

    with pytest.raises(KexueError, match="cannot write /dev/full: No space left on device"):
        fill()


def test_text_that_is_cut_off_is_not_said_to_be_in_another_encoding():
    with pytest.raises(RecordError, match="the text is damaged or cut off there, unless"):
        lines_of("我爱北京天安门，我们的学校在这里".encode()[:-1])


@pytest.mark.parametrize("name", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_whole_text_is_read_as_utf_8_without_the_byte_order_mark(name):
    stream = io.BytesIO("我爱\n北京".encode(name))

    assert records.read_text(stream, encoding=name.removesuffix("-sig")).decode() == "我爱\n北京"


def test_what_was_looked_at_of_a_stream_is_read_again():
    head, stream = streams.peek(io.BytesIO(b"0123456789"), 4, "input")

    assert (head, stream.read()) == (b"0123", b"0123456789")


def test_of_a_short_stream_all_is_seen():
    head, stream = streams.peek(io.BytesIO(b"01"), 4, "input")

    assert (head, stream.read()) == (b"01", b"01")


def test_of_a_record_with_an_answer_that_is_answered_twice_gold_is_its_own():
    first = records.add_answer({"text": "第三名是孙磊", "answer": "孙磊"}, {"answer": "刘洋", "score": 0.5}, "qa")
    second = records.add_answer(first, {"answer": "第三名", "score": 0.25}, "qa")

    assert first["gold"] == {"answer": "孙磊"}
    assert second == {
        "text": "第三名是孙磊",
        "answer": "第三名",
        "score": 0.25,
        "gold": {"answer": "孙磊"},
    }


def test_a_second_task_s_score_is_called_after_the_task():
    answer = {"score": 0.9, "similar": True}

    assert records.add_answer({"score": 0.5, "answer": "鲁迅"}, answer, "similarity") == {
        "score": 0.5, "answer": "鲁迅", "similarity_score": 0.9, "similar": True,
    }  # fmt: skip
    twice = records.add_answer({"score": 0.5, "similarity_score": 0.9, "similar": True}, answer, "similarity")
    assert twice == {"score": 0.5, "similarity_score": 0.9, "similar": True}
    again = {"score": 0.5, "similar": False}  # what the same task answered before
    assert records.add_answer(again, answer, "similarity") == {**answer, "gold": again}
