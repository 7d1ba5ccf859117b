"""A page holds all it needs, and nothing in it acts but its own script."""

import base64
import hashlib
import json
import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from pictured import HOSTILE, QUESTION, RECORDS

import kexue_cli
from kexue_cli.errors import KexueError, RecordError
from kexue_cli.pictures import page as pages
from kexue_cli.pictures.characters import HIDDEN, visible


def elements(html: str, name: str) -> list[str]:
    return re.findall(rf"<{name}[^>]*>(.*?)</{name}>", html, re.DOTALL)


def lines_of(html: str) -> list[dict]:
    return [json.loads(line) for line in elements(html, "script")[1].split("\n")]


def test_the_page_names_its_own_script_and_style_and_forbids_all_else():
    html = kexue_cli.view(RECORDS).html

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    for source, kind in ((elements(html, "script")[-1], "script"), (elements(html, "style")[0], "style")):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_names_nothing_outside_itself():
    html = kexue_cli.view(QUESTION).html

    assert set(re.findall(r"https?://[^\s'\"]*", html)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert re.findall(r'(?:src|href)="([^"]*)"', html) == ["data:,"]
    assert "@import" not in html
    assert "url(" not in html


def test_text_ends_no_element_of_the_page():
    html = kexue_cli.view([HOSTILE, HOSTILE]).html

    assert len(elements(html, "script")) == html.count("<script") == html.count("</script>") == 3
    assert "<img" not in html
    assert lines_of(html)[0]["blocks"][0]["text"] == HOSTILE["text"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_through_whole_and_without_hidden_characters(text):
    html = kexue_cli.view({"text": text, "words": [text]}).html

    assert lines_of(html)[0]["blocks"][0]["words"] == [text]
    data = elements(html, "script")[1]
    assert not [c for c in data if c != "\n" and any(first <= ord(c) <= last for first, last in HIDDEN)]
    assert "<" not in data


def test_hidden_characters_are_shown_as_escapes():
    assert visible("a\u202eb\x1b[2J\u200bc\U000e0041\n") == "a\\u202eb\\u001b[2J\\u200bc\\U000e0041\n"
    assert visible("中文，标点　和 emoji 👍") == "中文，标点　和 emoji 👍"


def test_the_script_never_reads_text_as_html():
    for path in pages.WEB.glob("*.js"):
        source = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", source)
        assert "</" not in source


def test_every_script_is_in_the_page():
    assert set(pages.SCRIPTS) == {path.name for path in pages.WEB.glob("*.js")}


def test_too_much_for_a_browser_is_refused(monkeypatch):
    monkeypatch.setattr(pages, "DATA_LIMIT", 1 << 20)

    with pytest.raises(KexueError, match=r"records: a page takes up to 1 MiB, which is reached at line \d+;"):
        kexue_cli.view([QUESTION] * 10_000)


def test_a_page_is_saved_whole(tmp_path):
    page = kexue_cli.view(iter(RECORDS))

    page.save(tmp_path / "page.html")

    assert (tmp_path / "page.html").read_text("utf-8") == page.html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_notebook_gets_a_frame_that_reaches_nothing_else():
    page = kexue_cli.view(QUESTION)

    frame = page._repr_html_()

    assert 'sandbox="allow-scripts"' in frame
    assert frame.count("<") == 2  # the frame, its end, and no other element outside of it


def test_records_may_hold_arrays_and_must_be_records():
    html = kexue_cli.view({"vector": np.array([0.5, 0.25], np.float32)}).html

    assert lines_of(html)[0]["blocks"][0]["rows"] == [["vector", "[0.5, 0.25]"]]
    for record, problem in (
        ({"x": object()}, "not a record"),
        (["x"], "not a JSON object"),
        ({"x": "\ud800"}, "not a"),
    ):
        with pytest.raises(RecordError, match=rf"^records:2: {problem}"):
            kexue_cli.view([QUESTION, record])
