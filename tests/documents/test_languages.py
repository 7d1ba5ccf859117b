"""English and Chinese documents say the same: pages, commands, programs, figures and tables."""

import re

import pytest
from pages import ROOT, blocks, name, pages, translation

PAGES = [page for page in pages() if translation(page).exists()]
every_page = pytest.mark.parametrize("page", PAGES, ids=name)
NUMBER = re.compile(r"(?<![\w.,])\d[\d.,]*\d|(?<![\w.,])\d(?![\w.])")


def without_comments(block: str) -> list[str]:
    return [re.sub(r"\s+#.*", "", line) for line in block.splitlines()]


def figures(text: str) -> list[str]:
    """Return the figures of the tables of a page, from row to row."""
    return [number for row in text.splitlines() if row.startswith("|") for number in NUMBER.findall(row)]


def test_every_page_for_users_is_there_in_both_languages():
    translated = {name(page) for page in PAGES}
    chinese = {path.name for path in (ROOT / "docs" / "zh").glob("*.md")}

    assert {"README.md", "docs/python.md", "docs/training.md"} <= translated
    assert chinese == {page.name for page in PAGES if page.parent == ROOT / "docs"}


@every_page
@pytest.mark.parametrize("language", ["sh", "python", "json", "toml"])
def test_both_languages_have_the_same_examples(page, language):
    english = [without_comments(block) for block in blocks(page, language)]
    chinese = [without_comments(block) for block in blocks(translation(page), language)]

    assert chinese == english


@every_page
def test_both_languages_have_the_same_figures_in_their_tables(page):
    assert figures(translation(page).read_text("utf-8")) == figures(page.read_text("utf-8"))


@every_page
def test_both_languages_have_as_many_sections_and_tables(page):
    english, chinese = (path.read_text("utf-8") for path in (page, translation(page)))

    for mark in (r"^## ", r"^\|---", r"^- "):
        assert len(re.findall(mark, chinese, re.MULTILINE)) == len(re.findall(mark, english, re.MULTILINE)), mark
