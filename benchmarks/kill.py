"""Trainings that are killed at random moments and resumed, beside one that is left alone: the result must be the same.

    python benchmarks/kill.py [--kills 200] [--seed 0] [--threads 1]

Trains a small reader on a part of data/qa-sample, with a checkpoint after each batch. One training runs undisturbed.
Further ones get SIGKILL again and again, and go on with --resume until they end; then their weights (array by array,
and the whole file, with that of the ONNX network) and the losses and scores of each epoch are compared with those of
the first. Whatever is under the model's name after a kill must be a whole model.

To save start-up, this process imports Keras and TensorFlow once and forks a child for each attempt, which calls the
command line as the shell would. That is safe because TensorFlow starts its threads at the first operation, which only
children compute. A child tells through shared memory how many batches it has done and what it is at. Most kills come
within half a second after its first batch, one in ten at its start, one in ten while it exports the model. Takes
about 6 s a kill on one core.
"""

import argparse
import json
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = {
    "encoder": '""', "network.width": 8, "network.question_rates": [1], "network.passage_rates": [1, 2],
    "preprocessor.words": '""', "training.checkpoint_seconds": 0, "training.batch_size": 8, "training.epochs": 24,
    "training.ema_momentum": 0.9, "training.learning_rate": 0.01, "training.decay_share": 0.5,
    "training.second_learning_rate": 0.001, "training.patience": 8,
}  # fmt: skip
QUESTIONS, DEVELOPMENT = 60, 20
WITHIN = 0.5  # seconds after the first batch in which most kills come
COMPILING = 2  # batches that only compile the network
PHASES = ("start", "batch", "save", "evaluation", "export")
START, BATCH, SAVE, EVALUATION, EXPORT = range(len(PHASES))


class Watch:
    """What a child is at, in memory that parent and child share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    def set(self, phase: int, batches: int) -> None:
        self._memory[:8] = struct.pack("II", phase, batches)

    def get(self) -> tuple[int, int]:
        """Return the phase and how many batches this child has done."""
        return struct.unpack("II", self._memory[:8])

    def install(self) -> None:
        """Let the training tell what it is at; in a child only."""
        import keras

        from kexue_cli.tasks.qa.trainee import Reader
        from kexue_cli.training import checkpoint
        from kexue_cli.training.trainer import Trainer

        def wrap(owner: Any, name: str, during: int | None, afterwards: int | None, batches: int = 0) -> None:
            function: Callable[..., Any] = getattr(owner, name)

            def wrapped(*arguments: Any, **options: Any) -> Any:
                phase, done = self.get()
                if phase == EXPORT:  # which evaluates, too
                    return function(*arguments, **options)
                self.set(phase if during is None else during, done)
                result = function(*arguments, **options)
                self.set(phase if afterwards is None else afterwards, self.get()[1] + batches)
                return result

            setattr(owner, name, wrapped)

        wrap(keras.Model, "train_on_batch", None, None, batches=1)
        wrap(checkpoint, "save", SAVE, BATCH)
        wrap(Reader, "evaluate", EVALUATION, BATCH)
        wrap(Trainer, "train", BATCH, EXPORT)


@dataclass
class Attempt:
    """A child that trains."""

    pid: int
    watch: Watch
    status: int | None = None

    def is_over(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait(self, is_ready: Callable[[], bool]) -> None:
        while not self.is_over() and not is_ready():
            time.sleep(0.0005)

    def kill(self) -> None:
        for kill in (os.killpg, os.kill):  # the group: the export is a process of its own
            with suppress(ProcessLookupError):
                kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)


class Trial:
    """Trainings of one reader in a folder."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.threads = threads
        lines = (Path(__file__).parents[1] / "data/qa-sample/train.jsonl").read_text("utf-8").splitlines(True)
        (folder / "train.jsonl").write_text("".join(lines[:QUESTIONS]), "utf-8")
        (folder / "dev.jsonl").write_text("".join(lines[QUESTIONS : QUESTIONS + DEVELOPMENT]), "utf-8")

    def start(self, name: str, resume: str) -> Attempt:
        """Fork a child that trains the model *name*."""
        watch = Watch()
        settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
        command = ["kexue", "train", "qa", "train.jsonl", "--dev", "dev.jsonl", "-o", name, "-q", resume,
                   "--threads", str(self.threads), *settings]  # fmt: skip
        pid = os.fork()
        if pid:
            return Attempt(pid, watch)
        status = 1
        try:
            os.setsid()
            os.chdir(self.folder)
            sys.argv = command
            watch.install()
            from kexue_cli.main import main

            main()
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            os._exit(status)

    def has_checkpoint(self, name: str) -> bool:
        return (self.folder / f".{name}.training" / "checkpoint.npz").is_file()

    def is_whole(self, name: str) -> bool:
        """Say whether there is no model of that name, or one whose files are all as they were written."""
        from kexue_cli.zoo import check_files

        folder = self.folder / name
        return not folder.exists() or set(check_files(folder).values()) == {"ok"}

    def result(self, name: str) -> tuple[dict[str, bytes], list[dict[str, float]], bytes]:
        """Return the weights' arrays, the course of the training without its times, and the network's files."""
        import h5py

        arrays: dict[str, bytes] = {}

        def take(path: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset):
                arrays[path] = node[()].tobytes()

        path = self.folder / name / "network.weights.h5"
        with h5py.File(path) as file:
            file.visititems(take)
        course = [json.loads(line) for line in (self.folder / name / "training.jsonl").read_text().splitlines()]
        files = path.read_bytes() + path.with_name("network.onnx").read_bytes()
        return arrays, [{**entry, "seconds": 0} for entry in course], files


def import_all(threads: int) -> None:
    """Import what training needs, and see that nothing has started a thread."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # of Arrow, which pandas takes if it is there
    from kexue_cli.device import prepare_backend, resolve

    prepare_backend(resolve("cpu", is_training=True), threads)
    import matplotlib.backends.backend_agg  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    import kexue_cli.commands.train
    import kexue_cli.tasks.qa.network
    import kexue_cli.tasks.qa.trainee
    import kexue_cli.training.trainer  # noqa: F401

    threads_now = len(list(Path("/proc/self/task").iterdir()))
    if threads_now > 1:
        sys.exit(f"{threads_now} threads run after the imports: to fork would not be safe")


def undisturbed(trial: Trial) -> float:
    """Train to the end; return the seconds of the export. Leaves the model "undisturbed"."""
    attempt = trial.start("undisturbed", "--no-resume")
    attempt.wait(lambda: attempt.watch.get()[0] == EXPORT)
    began = time.monotonic()
    attempt.wait(lambda: False)
    if attempt.status:
        sys.exit(f"the undisturbed training ended with exit status {attempt.status}")
    return time.monotonic() - began


def wait_for_moment(attempt: Attempt, moments: random.Random, export_seconds: float) -> None:
    """Wait until the child is to be killed, or has ended."""
    kind = moments.random()
    if kind < 0.1:
        seconds = moments.uniform(0, 3)
    elif kind < 0.2:
        attempt.wait(lambda: attempt.watch.get()[0] == EXPORT)
        seconds = moments.uniform(0, 1.1 * export_seconds)
    else:
        attempt.wait(lambda: attempt.watch.get()[1] > COMPILING or attempt.watch.get()[0] == EXPORT)
        seconds = moments.uniform(0, WITHIN)
    deadline = time.monotonic() + seconds
    attempt.wait(lambda: time.monotonic() >= deadline)
    if kind >= 0.2 and attempt.watch.get()[0] == EXPORT:  # it would be killed there over and over
        attempt.wait(lambda: False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    import_all(options.threads)
    moments = random.Random(options.seed)
    where: Counter[str] = Counter()
    resumed = ended = equal = same_file = broken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trial = Trial(folder, options.threads)
        export_seconds = undisturbed(trial)
        expected = trial.result("undisturbed")
        print(f"undisturbed: {len(expected[1])} epochs, {time.monotonic() - began:.0f} s", flush=True)
        is_going = False
        while where.total() < options.kills or is_going:
            resume = "--resume" if trial.has_checkpoint("killed") else "--no-resume"
            resumed += resume == "--resume"
            attempt = trial.start("killed", resume)
            if where.total() < options.kills:
                wait_for_moment(attempt, moments, export_seconds)
            else:
                attempt.wait(lambda: False)
            is_going = True
            if not attempt.is_over():
                phase = attempt.watch.get()[0]
                attempt.kill()
                where[PHASES[phase]] += 1
                broken += not trial.is_whole("killed")
                is_going = phase != EXPORT or trial.has_checkpoint("killed")
                if is_going:
                    continue
            elif attempt.status:
                sys.exit(f"attempt after {where.total()} kills ended with exit status {attempt.status}")
            is_going = False
            found = trial.result("killed")
            ended += 1
            equal += found[:2] == expected[:2]
            same_file += found[2] == expected[2]
            print(f"{where.total()} kills, training {ended} ended: {'equal' if equal == ended else 'DIFFERENT'}",
                  flush=True)  # fmt: skip
            if ended % 2:  # every second training replaces a model, the others write a new one
                shutil.rmtree(folder / "killed")
    places = ", ".join(f"{count} in {PHASES[phase]}" for phase in range(len(PHASES)) if (count := where[PHASES[phase]]))
    print(f"{where.total()} kills: {places}\n{resumed} times resumed; {ended} trainings ended, of which {equal} with "
          f"the weights, losses and scores of the undisturbed one and {same_file} with its files byte for byte\n"
          f"{broken} broken models; {time.monotonic() - began:.0f} s")  # fmt: skip
    sys.exit(broken > 0 or min(equal, same_file) < ended)


if __name__ == "__main__":
    main()
