"""The table of promises names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")


def test_every_test_that_the_page_names_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py|benchmarks/\w+\.py)(?:::(\w+))?`", PAGE)

    assert len(named) > 40
    for path, test in named:
        assert f"def {test}" in (ROOT / path).read_text("utf-8"), f"{path}::{test}"


def test_every_promise_has_a_test():
    rows = re.findall(r"^\| (\d+) \| (.*?) \| (.*?) ?\|$", PAGE.replace("\\|", "/"), re.MULTILINE)

    assert [int(number) for number, _, _ in rows] == list(range(1, 35))
    assert [number for number, _, tests in rows if "`" not in tests] == ["33"]
