"""Every training on a disk that is full sooner or later: one line, status 1, and no half of a model?

    python benchmarks/full_disk.py [TASK ...] [--kibibytes 2 500 3000]

The limit on the size of a file (ulimit -f) stands for the disk. Each training is one of a tiny network on the sample
data, first under each limit, then once more without, in the same folder: what the full disk left there must not be in
its way. A limit that all files of a training stay below changes nothing; it is told as such.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
SMALL = ["--set", "training.epochs=1", "--threads", "1"]
WORDLESS = ["--set", "encoder=", "--set", "network.width=16", "--set", "preprocessor.words="]
KNOWLEDGE = str(DATA / "linking-sample/entities.jsonl")
TRAININGS = {
    "segmentation": [str(DATA / "segmentation-sample/raw.txt")],
    "templates": [str(DATA / "segmentation-sample/raw.txt")],
    "words": [str(DATA / "segmentation-sample/raw.txt"), "--epochs", "1"],
    "encoder": [str(DATA / "segmentation-sample/raw.txt"), *SMALL],
    "qa": [str(DATA / "qa-sample/dev.jsonl"), *SMALL, *WORDLESS],
    "triples": [str(DATA / "triples-sample/train.jsonl"), *SMALL, *WORDLESS],
    "linking": [str(DATA / "linking-sample/train.jsonl"), "--kb", KNOWLEDGE, *SMALL],
    "similarity": [str(DATA / "similarity-sample/groups.jsonl"), *SMALL],
    "generation": [str(DATA / "generation-sample/reviews.jsonl"), *SMALL, "--set", "network.width=16"],
}


def run(task: str, folder: Path, kibibytes: int | None) -> subprocess.CompletedProcess[str]:
    """Train, where no file may grow above some KiB."""
    command = [sys.executable, "-m", "kexue_cli", "train", task, *TRAININGS[task], "-o", "model", "-q"]
    limited = ["bash", "-c", f'ulimit -f {kibibytes or "unlimited"}; exec "$@"', "bash", *command]
    return subprocess.run(limited, cwd=folder, capture_output=True, text=True, check=False)


def outcome(done: subprocess.CompletedProcess[str], folder: Path) -> str:
    """What became of a training under a limit; an answer that begins with WRONG is one that breaks a promise."""
    is_there = (folder / "model").exists()
    lines = [line for line in done.stderr.splitlines() if line]
    if done.returncode == 0:
        return "all files were smaller" if is_there else "WRONG: status 0 without a model"
    if done.returncode != 1 or len(lines) != 1 or not lines[0].startswith("kexue: "):
        return f"WRONG: status {done.returncode}, {len(lines)} lines: {lines[-1:]}"
    return "WRONG: half of a model" if is_there else lines[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TRAININGS)}; all if none is given")
    parser.add_argument("--kibibytes", type=int, nargs="+", default=[2, 500, 3000], help="limits on the size of a file")
    options = parser.parse_args()
    if unknown := set(options.tasks) - set(TRAININGS):
        parser.error(f"there is no training of {', '.join(sorted(unknown))}")
    is_wrong = False
    for task in options.tasks or TRAININGS:
        with tempfile.TemporaryDirectory() as holder:
            folder = Path(holder)
            for kibibytes in (*options.kibibytes, None):
                began = time.perf_counter()
                done = run(task, folder, kibibytes)
                found = outcome(done, folder) if kibibytes else ("a model" if done.returncode == 0 else done.stderr)
                is_wrong |= found.startswith("WRONG") or (kibibytes is None and done.returncode != 0)
                limit = f"{kibibytes} KiB" if kibibytes else "no limit"
                print(f"{task}, {limit}: {found.strip()} ({time.perf_counter() - began:.0f} s)", flush=True)
                if kibibytes and done.returncode == 0:
                    subprocess.run(["rm", "-r", "model"], cwd=folder, check=False)
    sys.exit(is_wrong)


if __name__ == "__main__":
    main()
