"""Search for bytes that make a reader fail with anything but one of our errors, along the branches of its code.

    pip install atheris
    python benchmarks/fuzz.py records --seconds 60      what to read: records, data, settings, lexicon, dictionary,
                                                        vocabulary, trie, network, array

What is found is kept in fuzz-TARGET/ as libFuzzer names it (crash-..., oom-..., timeout-...), with the corpus so far;
a run begins from there. tests/reliability/test_fuzz.py asks the same in a few examples.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kexue_cli"]):
    import numpy as np

    from kexue_cli import records
    from kexue_cli.arrays import read_in_place
    from kexue_cli.config import read_json
    from kexue_cli.datasets import DATASETS
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.errors import KexueError
    from kexue_cli.onnx_file import check_network
    from kexue_cli.segmentation.lexicon import read_weights
    from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter
    from kexue_cli.segmentation.trie import read_trie
    from kexue_cli.segmentation.user_dictionary import read_user_dictionary
    from kexue_cli.text.vocabulary import Vocabulary
    from kexue_cli.zoo import read_config, read_sums

ROOT = Path(__file__).resolve().parent.parent
MEGABYTES = 2048  # that a run may hold: more counts as found
PLACE = Path(tempfile.mkdtemp())
FILE = PLACE / "config.json"
DECODING = DecodingConfig(-9.0, -7.0, -2.0, 1.0, -1.0)


def of_any_format(data: bytes) -> None:
    names = list(DATASETS)
    name = names[data[0] % len(names)] if data else names[0]
    FILE.write_bytes(data[1:])
    for _, record in read_records([str(FILE)], DATASETS[name].task, name):
        records.dump(record)


def of_a_line(data: bytes) -> None:
    records.dump(records.parse_record(data.decode("utf-8", "ignore"), "line", 1))


def of_settings(data: bytes) -> None:
    FILE.write_bytes(data)
    (PLACE / "SHA256SUMS").write_bytes(data)
    for read in (read_config, read_sums, lambda folder: read_json(folder / FILE.name)):
        try:
            read(PLACE)
        except KexueError:
            continue


def of_a_trie(data: bytes) -> None:
    FILE.write_bytes(data)
    Segmenter(read_trie(FILE)[0], DECODING).segment("我爱北京天安门")


def in_a_file(read: Callable[[Path], object]) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        FILE.write_bytes(data)
        read(FILE)

    return target


TARGETS: dict[str, Callable[[bytes], None]] = {
    "records": of_a_line,
    "data": of_any_format,
    "settings": of_settings,
    "lexicon": in_a_file(read_weights),
    "dictionary": in_a_file(lambda path: read_user_dictionary(str(path))),
    "vocabulary": in_a_file(Vocabulary.read),
    "trie": of_a_trie,
    "network": in_a_file(check_network),
    "array": in_a_file(lambda path: read_in_place(path, np.float16, 2)),
}


SEEDS = {  # what a first run begins from: bytes drawn at random would hardly pass the first check
    "records": "data/qa-sample/dev.jsonl",
    "settings": "models/dgcnn-qa/config.json",
    "network": "models/cln-generation/condition.onnx",
    "array": "models/dgcnn-linking/begin.npy",
}
MOST_SEED = 8192  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    folder = Path(f"fuzz-{asked.target}")
    folder.mkdir(exist_ok=True)
    if asked.target in SEEDS and not any(folder.iterdir()):
        (folder / "seed").write_bytes((ROOT / SEEDS[asked.target]).read_bytes()[:MOST_SEED])

    def run(data: bytes) -> None:
        with contextlib.suppress(KexueError):
            TARGETS[asked.target](data)

    limits = [f"-max_total_time={asked.seconds}", f"-rss_limit_mb={MEGABYTES}", "-timeout=5"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}{os.sep}", str(folder)], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
