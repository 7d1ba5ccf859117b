"""Published data formats, one reader a file; DATASETS names them all."""

from typing import NamedTuple


class DatasetEntry(NamedTuple):
    """module: holds ``looks_like(line)`` and ``convert(lines)``; task: whose records it gives; summary: for help."""

    module: str
    task: str
    summary: str


DATASETS = {
    "sighan": DatasetEntry(
        "kexue_cli.datasets.sighan", "segmentation", "segmented text: words separated by white space, a sentence a line"
    ),
}
