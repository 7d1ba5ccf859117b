"""n-gram counting: ours against a Python dictionary, both on the same text, strings and run.

    python benchmarks/counting.py TEXT [--dictionary-megabytes 100] [--longest 6]

Ours always counts strings of 1 to 6 characters. For 100 MB of text the dictionary needs some 10 GB of memory; with
--longest 4 it counts only as far as nlp-zero does.
"""

import argparse
import re
import resource
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.counting import DEPTH
from kexue_cli.segmentation.discovery import EntropyConfig
from kexue_cli.segmentation.ngrams import count_ngrams
from kexue_cli.segmentation.training import HAN_ONLY


def count_with_dictionary(text: str, longest: int) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for run in re.findall("[\u3400-\u9fff]+", text):
        for length in range(1, longest + 1):
            for start in range(len(run) - length + 1):
                counts[run[start : start + length]] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--dictionary-megabytes", type=float, default=100)
    parser.add_argument("--longest", type=int, default=DEPTH, help="characters of the dictionary's strings")
    arguments = parser.parse_args()
    data = arguments.text.read_bytes()
    head = data[: int(arguments.dictionary_megabytes * 1e6)].decode(errors="ignore")
    size, head_size = len(data) / 1e6, len(head.encode()) / 1e6
    del data
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as warm:  # compiled code into memory
        warm.write(head[:100_000])
        warm.flush()
        count_ngrams(Corpus([warm.name]), accepted=HAN_ONLY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.process_time()
    corpus = Corpus([str(arguments.text)], memory=0)
    ngrams = count_ngrams(corpus, accepted=HAN_ONLY, least=2, scale=EntropyConfig.scale)
    ours = size / (time.process_time() - start)
    extra = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    start = time.process_time()
    count_with_dictionary(head, arguments.longest)
    theirs = head_size / (time.process_time() - start)
    print(f"ours:       {ours:6.1f} MB per CPU-second on {size:.0f} MB, {len(ngrams.totals):,} n-grams kept")
    print(
        f"            {extra / size / 1e6:6.1f} bytes of memory per byte of text, beyond {before / 1e6:.0f} MB before"
    )
    print(f"dictionary: {theirs:6.1f} MB per CPU-second on {head_size:.0f} MB, strings of 1 to {arguments.longest}")
    print(f"ratio:      {ours / theirs:6.1f}")


if __name__ == "__main__":
    main()
