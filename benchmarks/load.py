"""Much work at once: does memory stay as it was, and does every line come back?

    python benchmarks/load.py predictions [--count 100000]   in one process, a call each: similarity; a tenth of it
                                                             with question answering and segmentation
    python benchmarks/load.py segment [--megabytes 1000]     a stream through kexue segment
    python benchmarks/load.py similarity [--lines 1000000]   a stream through kexue predict similarity
    python benchmarks/load.py refusals                       hostile model folders: seconds and megabytes until refused

The streams are made here and never stand on a disk, nor does what comes back; Linux only, for /proc tells the memory.
Memory is read after each tenth of the work; after the first, models, machine code and caches are there.
"""

import argparse
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import kexue_cli

KEXUE = [sys.executable, "-m", "kexue_cli"]
ROOT = Path(__file__).resolve().parent.parent
SENTENCES = (ROOT / "data/segmentation-sample/raw.txt").read_text("utf-8").splitlines()
QUESTIONS = (ROOT / "data/qa-sample/dev.jsonl").read_text("utf-8").splitlines()
FAQ = (ROOT / "data/similarity-sample/faq.txt").read_text("utf-8").splitlines()
KIBIBYTE = 1024
CHUNK = 1 << 20  # bytes written to a command at once


def resident(process: int | str = "self") -> float:
    """Return the memory that a process holds now, in megabytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Course:
    """Tells the memory of a process after each tenth of its work."""

    def __init__(self, what: str, process: int | str = "self") -> None:
        self.what, self.process = what, process
        self.found: list[float] = []

    def reach(self, share: float) -> None:
        while len(self.found) < int(10 * share + 1e-9):
            self.found.append(resident(self.process))
            growth = 100 * (self.found[-1] / self.found[0] - 1)
            print(f"{self.what}: {10 * len(self.found)} %: {self.found[-1]:.1f} MB ({growth:+.2f} %)", flush=True)


# ------------------------------------------------------------- one process


def predictions(count: int) -> None:
    pairs = [{"text_a": one, "text_b": FAQ[place - 1]} for place, one in enumerate(FAQ)]
    questions = [json.loads(line) for line in QUESTIONS]
    shorter = [{**record, "passages": record["passages"][:1]} for record in questions]
    sentences = [{"text": sentence} for sentence in SENTENCES if len(sentence) < 100]
    work = (("dgcnn-similarity", pairs), ("dgcnn-qa", shorter), ("entropy-segmentation-jieba", sentences))
    for name, records in work:
        _call_often(name, records, count if records is pairs else count // 10)


def _call_often(name: str, records: list[dict], count: int) -> None:
    course = Course(f"{count:,} predictions of {name}")
    for number in range(count):
        [_] = kexue_cli.load(name).predict([records[number % len(records)]])
        course.reach((number + 1) / count)


# ------------------------------------------------------------- streams


def sentences(megabytes: float) -> Iterator[bytes]:
    """Yield chunks of text, so many megabytes, whose lines all end."""
    text = ("\n".join(SENTENCES) + "\n").encode()
    piece = text * (1 + CHUNK // len(text))
    left = int(megabytes * 1e6)
    while left > 0:
        yield piece
        left -= len(piece)


def pairs(lines: int) -> Iterator[bytes]:
    """Yield chunks of so many pairs of short texts, no two alike."""
    made = (f"第{number}个问题怎么办\t问题{number * 7 % lines}\n" for number in range(lines))
    while chunk := "".join(islice(made, 10_000)):
        yield chunk.encode()


def stream(what: str, command: list[str], chunks: Iterator[bytes], size: Callable[[bytes], int], whole: float) -> None:
    """Send chunks through a command and count the lines of both. size: of a chunk; whole: of all together."""
    lines = {"in": 0, "out": 0}
    with subprocess.Popen([*KEXUE, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def count() -> None:
            while piece := process.stdout.read(CHUNK):
                lines["out"] += piece.count(b"\n")

        reader = threading.Thread(target=count)
        reader.start()
        sent, course = 0.0, Course(what, process.pid)
        for chunk in chunks:
            process.stdin.write(chunk)
            lines["in"] += chunk.count(b"\n")
            sent += size(chunk)
            course.reach(min(1.0, sent / whole))
        process.stdin.close()
        reader.join()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIBIBYTE / 1e6
    counts = f"{lines['in']:,} lines in, {lines['out']:,} out"
    print(f"{what}: {counts}, exit status {process.returncode}, peak {peak:.0f} MB")
    if lines["in"] != lines["out"] or process.returncode:
        sys.exit("lines are missing")


# ------------------------------------------------------------- hostile folders


def refusals() -> None:
    with tempfile.TemporaryDirectory() as place:
        for name, spoil in SPOILED.items():
            folder = Path(place) / name.replace(" ", "-")
            shutil.copytree(ROOT / "models" / ("word-vectors" if "array" in name else "dgcnn-qa"), folder)
            spoil(folder)
            command = (
                ["models", "show", str(folder), "--nearest", "北京"] if "array" in name else ["predict", "qa", "-m"]
            )
            _refuse(name, command if "array" in name else [*command, str(folder)])


def _refuse(name: str, command: list[str]) -> None:
    child = subprocess.Popen([*KEXUE, *command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    message = child.stderr.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss * KIBIBYTE / 1e6
    result = f"exit status {os.waitstatus_to_exitcode(status)}, {seconds:.2f} s of the processor, {megabytes:.0f} MB"
    print(f"{name}: {result}: {message.strip()[:150]}", flush=True)


def _large(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _claiming(folder: Path) -> None:
    import onnx

    network = onnx.load(folder / "network.onnx")
    del network.graph.initializer[0].dims[:]
    network.graph.initializer[0].dims.append(10**12)
    onnx.save(network, folder / "network.onnx")


def _pipe(folder: Path) -> None:
    (folder / "network.onnx").unlink()
    os.mkfifo(folder / "network.onnx")


def _array(folder: Path) -> None:
    header = b"{'descr': '<f2', 'fortran_order': False, 'shape': (1000000000000, 128), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    (folder / "vectors.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)


SPOILED: dict[str, Callable[[Path], object]] = {
    "nothing changed": lambda folder: None,
    "100 MB of settings": lambda folder: _large(folder / "config.json", 100_000_000),
    "100,000 brackets": lambda folder: (folder / "config.json").write_text("[" * 100_000),
    "a terabyte of vocabulary": lambda folder: _large(folder / "vocabulary.txt", 10**12),
    "a tensor of a million million": _claiming,
    "a pipe for a network": _pipe,
    "an array of a million million": _array,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["predictions", "segment", "similarity", "refusals"])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    asked = parser.parse_args()
    if asked.work == "predictions":
        predictions(asked.count)
    elif asked.work == "refusals":
        refusals()
    elif asked.work == "segment":
        stream("kexue segment", ["segment"], sentences(asked.megabytes), len, asked.megabytes * 1e6)
    else:
        command = ["predict", "similarity", "--text"]
        stream("kexue predict similarity", command, pairs(asked.lines), lambda chunk: chunk.count(b"\n"), asked.lines)


if __name__ == "__main__":
    main()
