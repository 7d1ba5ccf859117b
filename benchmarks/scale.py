"""Word discovery at 10 MB, 100 MB and 1 GB, within memory and beyond, in shards and on a Ray cluster.

    python benchmarks/scale.py sizes TEXT [--megabytes 10 100 1000] [--max-memory 500M] [--at-once]
    python benchmarks/scale.py shards TEXT [--megabytes 10]
    python benchmarks/scale.py ray TEXT [--megabytes 100] [--rounds 3]

TEXT is one file of plain text; it is written again and again until it is as large as wanted, so that a large corpus
has no more different strings than TEXT itself. The commands run as the shell would run them; memory is the largest
resident set of the process, as the system counts it. Where other programs run, too, seconds of the processor say more
than those of the clock. FOLDER keeps the corpora; give one on a disk with room for them.

sizes: kexue train segmentation with and without --max-memory; both must make the same bytes. --at-once gives both the
same share of a busy machine.
shards: the same model from 1, 2, 7 and 64 shards, counted in a random order, and SHA-256 of lexicon.tsv and
lexicon.trie together.
ray: counting only, one process with one thread against a Ray cluster of this machine. The start of Ray is left out;
the start of its workers, which import kexue, is told apart.
"""

import argparse
import hashlib
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from kexue_cli.errors import KexueError

KEXUE = (sys.executable, "-m", "kexue_cli")
MODEL_FILES = ("lexicon.tsv", "lexicon.trie")


class Cost(NamedTuple):
    seconds: float  # of the clock
    processor: float  # seconds
    megabytes: float  # of memory


def corpus_of(text: Path, megabytes: int, folder: Path) -> Path:
    """Write TEXT so often that the file has so many megabytes, the last time cut behind a line."""
    path = folder / f"{megabytes}.txt"
    if path.exists():
        return path
    data = text.read_bytes()
    left = megabytes * 1_000_000
    with path.open("wb") as file:
        while left > 0:
            part = data[: data.rfind(b"\n", 0, left) + 1] if left < len(data) else data
            file.write(part)
            left = left - len(part) if left >= len(data) else 0
    return path


def run(*arguments: object) -> Cost:
    start = time.monotonic()
    process = subprocess.Popen([*KEXUE, *map(str, arguments), "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"exit status {process.returncode}: kexue {' '.join(map(str, arguments))}")
    return Cost(time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def digest(model: Path) -> str:
    return hashlib.sha256(b"".join((model / name).read_bytes() for name in MODEL_FILES)).hexdigest()


def sizes(options: argparse.Namespace, folder: Path) -> None:
    limit = f"--max-memory {options.max_memory}"
    ways: dict[str, list[str]] = {"in memory": [], limit: limit.split()}
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    print("| text | | seconds | processor seconds | MB a processor second | peak MB | SHA-256 |")
    print("|---|---|---|---|---|---|---|", flush=True)

    def train(name: str) -> Cost:
        return run("train", "segmentation", corpus, "-o", folder / name.replace(" ", "-"), *ways[name])

    for megabytes in options.megabytes:
        corpus = corpus_of(options.text, megabytes, folder)
        with ThreadPoolExecutor(2 if options.at_once else 1) as threads:
            for (name, rows), cost in zip(costs.items(), threads.map(train, ways), strict=True):
                rows.append(cost)
                print(
                    f"| {megabytes} MB | {name} | {cost.seconds:.0f} | {cost.processor:.1f} "
                    f"| {megabytes / cost.processor:.1f} | {cost.megabytes:.0f} "
                    f"| {digest(folder / name.replace(' ', '-'))[:16]} |",
                    flush=True,
                )
        one, other = (rows[-1] for rows in costs.values())
        print(
            f"{megabytes} MB: {limit} takes {other.seconds / one.seconds:.2f} times the seconds, "
            f"{other.processor / one.processor:.2f} times those of the processor",
            flush=True,
        )
    for name, rows in costs.items():
        for (small, one), (large, other) in pairwise(zip(options.megabytes, rows, strict=True)):
            exponent = math.log(other.processor / one.processor) / math.log(large / small)
            print(f"{name}: processor seconds grow with the power {exponent:.2f} from {small} to {large} MB")


def shards(options: argparse.Namespace, folder: Path) -> None:
    corpus = corpus_of(options.text, options.megabytes[0], folder)
    run("train", "segmentation", corpus, "-o", folder / "model")
    expected = digest(folder / "model")
    print(f"| shards of {options.megabytes[0]} MB | SHA-256 |\n|---|---|\n| none, one run | {expected} |", flush=True)
    for of in (1, 2, 7, 64):
        counts = folder / f"counts-{of}"
        for number in random.Random(of).sample(range(1, of + 1), of):
            run("train", "segmentation", corpus, "--shard", f"{number}/{of}", "-o", counts)
        run("train", "segmentation", corpus, "--from-counts", counts, "-o", folder / f"model-{of}")
        found = digest(folder / f"model-{of}")
        print(f"| {of} | {found} |", flush=True)
        if found != expected:
            sys.exit("another model")


def count_alone(corpus: str) -> tuple[float, float, int]:
    """Return the seconds, those of the processor, and the number of n-grams, of counting in this process."""
    from kexue_cli.segmentation.corpus import Corpus
    from kexue_cli.segmentation.discovery import EntropyConfig
    from kexue_cli.segmentation.ngrams import count_ngrams
    from kexue_cli.segmentation.training import HAN_ONLY

    start = time.monotonic(), time.process_time()
    ngrams = count_ngrams(Corpus([corpus], memory=0), accepted=HAN_ONLY, least=2, scale=EntropyConfig.scale)
    return time.monotonic() - start[0], time.process_time() - start[1], len(ngrams.totals)


def timed(function, item) -> tuple[float, object]:  # type: ignore[no-untyped-def]
    start = time.process_time()
    result = function(item)
    return time.process_time() - start, result


def import_all(_: object) -> None:
    import kexue_cli.segmentation.shards  # noqa: F401

    time.sleep(0.5)  # so that each worker gets one


def count_on_ray(corpus: str, folder: Path, workers: int) -> tuple[float, float, float, int]:
    """Return the seconds, the processor seconds of the workers and of this process, and the number of n-grams."""
    from kexue_cli import engine
    from kexue_cli.commands.counts import SHARDS_A_WORKER, _counts_of
    from kexue_cli.segmentation.corpus import Corpus, Shard
    from kexue_cli.segmentation.discovery import EntropyConfig
    from kexue_cli.segmentation.ngrams import ngram_tree
    from kexue_cli.segmentation.shards import open_counts, shard_path
    from kexue_cli.segmentation.training import HAN_ONLY

    source = Corpus([corpus], memory=0)
    start = time.monotonic(), time.process_time()
    of = SHARDS_A_WORKER * workers
    todo = [Shard(number, of) for number in range(1, of + 1)]
    work = partial(timed, partial(_counts_of, source, accepted=HAN_ONLY, memory=None, folder=str(Path.cwd())))
    theirs = 0.0
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for index, (seconds, data) in engine.run_tasks(work, todo):
            shard_path(Path(place), todo[index]).write_bytes(data)
            theirs += seconds
        counts = open_counts(Path(place), source, HAN_ONLY)
        ngrams = ngram_tree(counts.size, counts.pieces(Path(place)), least=2, scale=EntropyConfig.scale)
    return time.monotonic() - start[0], theirs, time.process_time() - start[1], len(ngrams.totals)


@contextmanager
def patiently(engine):  # type: ignore[no-untyped-def]
    """Start Ray, again if the machine is too busy: it waits for 30 seconds, whatever one sets."""
    for left in (4, 3, 2, 1, 0):
        with ExitStack() as stack:
            try:
                workers = stack.enter_context(engine.connected())
            except KexueError:
                if not left:
                    raise
                continue
            yield workers
            return


def ray(options: argparse.Namespace, folder: Path) -> None:
    from kexue_cli import engine

    megabytes = options.megabytes[0]
    corpus = str(corpus_of(options.text, megabytes, folder))
    small = str(corpus_of(options.text, 1, folder))
    count_alone(small)  # compiled code into memory
    say = partial(print, file=sys.stdout, flush=True)  # the engine lets nothing else write to standard output
    began = time.monotonic()
    with patiently(engine) as workers:
        say(f"Ray started in {time.monotonic() - began:.1f} s with {workers} processors")
        began = time.monotonic()
        list(engine.run_tasks(import_all, range(workers)))
        say(f"its workers started in {time.monotonic() - began:.1f} s")
        say("| | one process: s | processor s | Ray: s | processor s of workers | and ours | one process / Ray |")
        say("|---|---|---|---|---|---|---|")
        for number in range(options.rounds):
            alone, processor, ngrams = count_alone(corpus)
            there, theirs, ours, others = count_on_ray(corpus, folder, workers)
            say(
                f"| {number + 1} | {alone:.1f} | {processor:.1f} | {there:.1f} | {theirs:.1f} | {ours:.1f} "
                f"| {alone / there:.2f} (processor only: {processor / (theirs / workers + ours):.2f}) |",
            )
            if ngrams != others:
                sys.exit(f"{ngrams} n-grams in one process, {others} on the cluster")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("sizes", "shards", "ray"))
    parser.add_argument("text", type=Path)
    parser.add_argument("--megabytes", type=int, nargs="+")
    parser.add_argument("--max-memory", default="500M")
    parser.add_argument("--at-once", action="store_true", help="run both trainings of a size side by side")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where corpora and models are written; default: a temporary one")
    options = parser.parse_args()
    options.megabytes = options.megabytes or {"sizes": [10, 100, 1000], "shards": [10], "ray": [100]}[options.part]
    with tempfile.TemporaryDirectory(prefix="kexue-scale-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        {"sizes": sizes, "shards": shards, "ray": ray}[options.part](options, folder)


if __name__ == "__main__":
    main()
