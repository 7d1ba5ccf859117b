"""kexue view: records become a page or lines; what is wrong is named by file and line."""

import gzip
import json
import os
import pty
import subprocess

import pytest
from conftest import COMMAND, PATIENCE, one_error
from pictured import DRAWINGS, EPOCHS, MENTIONS, QUESTION, RECORDS, TRIPLES

import kexue_cli
from kexue_cli.commands.view import LIMIT


def lines(*records: dict) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def drawings(html: str) -> list[dict]:
    data = html.partition('id="lines">')[2].partition("</script>")[0]
    return [json.loads(line) for line in data.split("\n")] if data else []


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text(lines(*RECORDS), "utf-8")
    return path


def test_a_page_is_written_with_all_records(kexue, records, tmp_path):
    done = kexue("view", "records.jsonl", "-o", "page.html")

    assert (done.returncode, done.out, done.err) == (0, b"", b"")
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "<title>records.jsonl – kexue view</title>" in html
    assert len(drawings(html)) == DRAWINGS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "records.jsonl"]


def test_python_draws_the_same_page(kexue, records):
    html = kexue("view", records).stdout

    assert drawings(html) == drawings(kexue_cli.view(RECORDS).html)


def test_a_filter_reads_standard_input_and_writes_standard_output(kexue):
    html = kexue("view", stdin=lines(QUESTION)).stdout

    assert "<title>standard input – kexue view</title>" in html
    assert drawings(html)[0]["tasks"] == ["qa"]


def test_no_records_are_an_empty_page(kexue):
    done = kexue("view")

    assert done.returncode == 0
    assert drawings(done.stdout) == []


def test_compressed_files_and_other_encodings_are_read(kexue, tmp_path):
    (tmp_path / "records.gz").write_bytes(gzip.compress(lines(MENTIONS).encode("gb18030")))

    done = kexue("view", "records.gz", "--encoding", "gb18030")

    assert drawings(done.stdout)[0]["blocks"][0]["text"] == MENTIONS["text"]


def test_the_lattice_that_segment_explains_is_drawn(bash):
    done = bash("echo 我爱北京 | kexue segment --json --explain | kexue view --terminal")

    assert "我 / 爱 / 北京" in done.lines
    assert [line.split()[1:3] for line in done.lines if line.startswith("*")] == [
        ["0–1", "我"],
        ["1–2", "爱"],
        ["2–4", "北京"],
    ]


def test_wrong_answers_of_evaluate_stand_beside_the_right_ones(bash, little_reader, tmp_path):
    question = {"question": "谁写了呐喊？", "passages": [{"text": "鲁迅写了呐喊。", "answers": ["呐喊"]}]}
    (tmp_path / "dev.jsonl").write_text(lines(question), "utf-8")

    done = bash(
        f"kexue evaluate qa dev.jsonl -m {little_reader} --errors wrong.jsonl -q > scores; kexue view wrong.jsonl"
    )

    (picture,) = drawings(done.stdout)
    marks = [mark for block in picture["blocks"] if block["type"] == "text" for mark in block["marks"]]
    assert {(mark["start"], mark["end"], mark["role"]) for mark in marks} == {(0, 2, "wrong"), (4, 6, "missed")}
    assert picture["verdict"] == "wrong"


def test_a_model_folder_shows_its_training_curves(kexue, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/training.jsonl").write_text(lines(*EPOCHS), "utf-8")

    html = kexue("view", "model").stdout

    assert "<title>model – kexue view</title>" in html
    assert drawings(html)[0]["blocks"][0]["curves"] == [["loss", [3.0, 1.0]], ["f1", [0.25, 0.75]]]


def test_a_folder_without_curves_is_an_error(kexue, tmp_path):
    (tmp_path / "model").mkdir()

    done = kexue("view", "model")

    assert done.returncode == 1
    assert one_error(done).startswith("model has no training.jsonl; ")


HINT = "view draws JSON records, as kexue predict and kexue segment --json write them"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("我 爱", f"not JSON at column 1 (unexpected character, expected a JSON value); found '我 爱'; {HINT}"),
        ('{"text": "鲁迅", "triples": ["呐喊"]}', 'triples[0] must be an object; found "呐喊"'),
    ],
)
def test_a_bad_record_is_named_by_file_and_line_and_nothing_is_written(kexue, tmp_path, line, problem):
    (tmp_path / "records.jsonl").write_text(lines(QUESTION) + line + "\n", "utf-8")
    (tmp_path / "page.html").write_text("an older page")

    done = kexue("view", "records.jsonl", "-o", "page.html")

    assert done.returncode == 1
    assert one_error(done) == f"records.jsonl:2: {problem}"
    assert (tmp_path / "page.html").read_text() == "an older page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "records.jsonl"]


def test_a_bad_record_may_be_skipped_with_its_error_in_its_place(kexue):
    done = kexue("view", "--on-error", "skip", stdin=lines(QUESTION) + "{\n" + lines(TRIPLES))

    assert done.returncode == 1
    assert one_error(done) == "1 bad record skipped, each with its error in its place"
    first, second, third = drawings(done.stdout)
    assert [first["tasks"], second["tasks"], third["tasks"]] == [["qa"], ["error"], ["triples"]]
    assert (second["line"], second["blocks"][0]["rows"][1][1]) == (2, "2")


def test_too_many_records_for_a_page_are_refused_unless_some_are_taken(kexue, tmp_path):
    (tmp_path / "many.jsonl").write_text(lines({"title": "一"}) * (LIMIT + 2), "utf-8")

    refused = kexue("view", "many.jsonl", "-o", "page.html")
    some = kexue("view", "many.jsonl", "--limit", 3)

    assert refused.returncode == 1
    assert one_error(refused).startswith(f"many.jsonl:{LIMIT + 1}: there are more than {LIMIT} records, ")
    assert not (tmp_path / "page.html").exists()
    assert len(drawings(some.stdout)) == 3
    assert "At most the first 3 records of the file." in some.stdout


def test_the_terminal_takes_any_number_of_records_as_they_come(start):
    process = start("view", "--terminal")

    for number in range(3):
        process.stdin.write(lines({**MENTIONS, "number": number}).encode())
    process.stdin.close()
    text = process.stdout.read().decode()

    assert text.count("[小米→K2]✗发布了新[手机]✓。") == 3
    assert "\x1b" not in text


def test_a_reader_that_goes_away_is_a_quiet_success(bash, records):
    done = bash(f"kexue view {records} --terminal | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == ("0\n", "")


def on_terminal(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the command with a terminal as its standard output; return status, output and errors."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=side,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    errors = process.communicate(timeout=PATIENCE)[1]
    os.close(main)
    return process.returncode, shown.decode(), errors.decode()


def test_a_page_is_not_thrown_at_a_terminal(records):
    status, shown, errors = on_terminal("view", str(records))

    assert (status, shown) == (2, "")
    assert errors == (
        "kexue: a page is not for the terminal; add -o page.html, or --terminal to see the records here\n"
    )


def test_a_terminal_gets_colours_unless_it_wants_none(records):
    _, shown, _ = on_terminal("view", str(records), "--terminal")
    _, plain, _ = on_terminal("view", str(records), "--terminal", NO_COLOR="1")

    assert "\x1b[1;31m" in shown
    assert "31m" not in plain
    assert "巴金" in plain


def test_a_full_disk_is_an_error(bash, records):
    done = bash(f"kexue view {records} > /dev/full")

    assert done.returncode == 1
    assert "No space left on device" in one_error(done)
