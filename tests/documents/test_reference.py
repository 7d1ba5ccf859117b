"""docs/commands.md is the help of every command, and every document leads somewhere."""

import importlib.util
import re

import pytest
from pages import ROOT, name, pages, translation

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SCRIPT = re.compile(r"python (benchmarks/\w+\.py|docs/\w+\.py)((?: [^`\n|;]*)?)")
ALL = [*pages(), *(translation(page) for page in pages() if translation(page).exists())]


@pytest.fixture(scope="module")
def reference():
    """The script that writes the page."""
    specification = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_what_help_says(reference, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")  # a narrow terminal makes no difference

    assert reference.text() == reference.PAGE.read_text("utf-8")


def test_the_page_of_commands_has_no_colours(reference):
    assert "\x1b" not in reference.text()


@pytest.mark.parametrize("page", ALL, ids=name)
def test_links_lead_to_files_that_are_there(page):
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ALL, ids=name)
def test_scripts_that_give_a_figure_exist_and_have_the_options_named(page):
    for script, options in SCRIPT.findall(page.read_text("utf-8")):
        code = (ROOT / script).read_text("utf-8")

        for option in re.findall(r"--[a-z-]+", options):
            assert f'"{option}"' in code, f"{script} {option}"
