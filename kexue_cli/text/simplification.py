"""Traditional characters and the simplified ones they are read as, one for one, so that offsets stay.

Source: the character table of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0), in simplified.tsv.
Not here: words that differ (滑鼠 and 鼠标), and characters with several readings (乾 of 乾坤).
"""

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("simplified.tsv")


@cache
def simplified() -> dict[str, str]:
    """Return the simplified character of each traditional one."""
    pairs = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return dict(pairs)


@cache
def translation() -> dict[int, str]:
    """Return the same table for str.translate."""
    return str.maketrans(simplified())
