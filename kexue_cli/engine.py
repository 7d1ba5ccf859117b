"""Ray: work for all machines of a cluster. The only file that knows it.

Functions and what they are given go to the workers pickled, so kexue must be installed there, in the same version.
What goes wrong for the user comes back as a value: Ray would make another exception of it, and a log of that.
"""

import logging
import os
import pickle
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TypeVar

from kexue_cli.device import usable_cores
from kexue_cli.errors import KexueError

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 10.0  # seconds until a machine must have answered
RETRIES = 8  # of a task whose worker was lost
WAITING = 2  # tasks for each processor, so that none is idle
SETTINGS = {  # of Ray, unless the user has set them
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str | None = None) -> Iterator[int]:
    """Connect to a cluster, or start one of this machine alone if there is no address; yield its processors.

    Raises KexueError if there is none at the address.
    """
    if address is not None:
        _check_reachable(address)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    options: dict[str, Any] = {"log_to_driver": False}
    if address is None:
        options |= {"num_cpus": usable_cores(), "include_dashboard": False}
    on_terminate = signal.getsignal(signal.SIGTERM)
    with _silence():
        try:
            ray.init(address or "local", **options)
        except KexueError:
            raise
        except Exception as error:  # Ray raises any kind, a bare Exception when a machine is too busy to start it
            problem = str(error).strip().splitlines() or [type(error).__name__]
            where = f"there is no Ray cluster at {address}" if address else "cannot start Ray"
            raise KexueError(f"{where}: {problem[0]}") from None
        finally:
            signal.signal(signal.SIGTERM, on_terminate)  # Ray puts its own in place
        try:
            yield processors()
        finally:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise KexueError if nobody listens at HOST:PORT: Ray would wait for minutes, and answer no signal meanwhile."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # auto, say
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        problem = getattr(error, "strerror", None) or error
        raise KexueError(f"there is no Ray cluster at {address}: {problem}") from None


@contextmanager
def _silence() -> Iterator[None]:
    """Let Ray talk to nobody: it logs, warns, prints what happens to nodes, and its C++ part writes to descriptor 2.

    What has opened standard output before goes on; sys.stderr is another one, with which we still reach the user.
    """
    logging.disable(logging.CRITICAL)
    with ExitStack() as stack:
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        nowhere = stack.enter_context(open(os.devnull, "w"))
        stack.enter_context(redirect_stdout(nowhere))
        if sys.stderr is not None:
            sys.stderr.flush()
            kept = os.dup(2)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            stack.enter_context(redirect_stderr(stack.enter_context(os.fdopen(kept, "w", closefd=False))))
            os.dup2(nowhere.fileno(), 2)
        yield


def processors() -> int:
    """Return how many processors the cluster has."""
    return int(_resources().get("CPU", 1))


def _resources() -> dict[str, float]:
    import ray

    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def run_tasks(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """Let the cluster call a function for each item; yield (index, result) as they come.

    What a lost machine had is done again elsewhere. Raises the KexueError that a call raises.
    """
    import ray

    def guarded(item: Item) -> Any:
        try:
            return function(item)
        except KexueError as error:
            return error

    task = ray.remote(num_cpus=1, max_retries=RETRIES)(guarded)
    todo = list(enumerate(items))[::-1]
    running: dict[Any, int] = {}
    while todo or running:
        while todo and len(running) < WAITING * processors():
            index, item = todo.pop()
            running[task.remote(item)] = index
        done, _ = ray.wait(list(running), num_returns=1)
        index = running.pop(done[0])
        try:
            result = ray.get(done[0])
        except ray.exceptions.RayError as error:
            raise KexueError(f"Ray gave up: {str(error).strip().splitlines()[0]}") from None
        del done
        if isinstance(result, KexueError):
            raise result
        yield index, result


def map_in_order(
    read: Callable[[Item], Iterator[Any]],
    make: Callable[[], Callable[[Any], Any]],
    items: Sequence[Item],
    *,
    gpus: int = 0,
    processors_each: int = 1,
) -> Iterator[Any]:
    """Yield make()(part) for each part of read(item) of each item, in order, from workers of a cluster (Ray Data).

    Each worker calls *make* once. Parts stream: no more of them are under way than workers and their store can hold.
    gpus, processors_each: of a worker. Raises the KexueError that a call raises, in its place.
    """
    import ray
    from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy

    have = _resources()
    if gpus and not have.get("GPU"):
        raise KexueError("no machine of the Ray cluster has a GPU; leave out --device gpu")
    most = int(have["GPU"] // gpus if gpus else have.get("CPU", 1) // processors_each) or 1
    context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = 1  # so each part goes to a worker by itself
    rows = ray.data.from_items([{"data": pickle_any(item)} for item in items], override_num_blocks=len(items))
    parts = rows.map_batches(
        _Reader(read), batch_size=1, batch_format="pyarrow", num_cpus=0, compute=TaskPoolStrategy(size=4)
    )
    workers = ActorPoolStrategy(min_size=1, max_size=most)
    results = parts.map_batches(
        _Worker, fn_constructor_args=(make,), batch_size=None, batch_format="pyarrow", compute=workers,
        num_cpus=0 if gpus else processors_each, num_gpus=gpus or None,
    )  # fmt: skip
    try:
        for batch in results.iter_batches(batch_size=None, batch_format="pyarrow"):
            for data in batch["data"].to_pylist():  # type: ignore[union-attr]
                result = pickle.loads(data)
                if isinstance(result, KexueError):
                    raise result
                yield result
    except ray.exceptions.RayError as error:
        raise KexueError(f"Ray gave up: {str(error).strip().splitlines()[0]}") from None


def pickle_any(value: Any) -> bytes:
    """Return a value, which may be a function made by another one, as bytes."""
    from ray import cloudpickle

    data: bytes = cloudpickle.dumps(value)  # type: ignore[no-untyped-call]
    return data


def _table(value: Any) -> Any:
    import pyarrow

    return pyarrow.table({"data": pyarrow.array([pickle_any(value)], pyarrow.large_binary())})


class _Reader:
    """Reads the parts of an item."""

    def __init__(self, read: Callable[[Any], Iterator[Any]]) -> None:
        self.read = read

    def __call__(self, batch: Any) -> Iterator[Any]:
        for data in batch["data"].to_pylist():
            try:
                for part in self.read(pickle.loads(data)):
                    yield _table(part)
            except KexueError as error:
                yield _table(error)


class _Worker:
    """Does the work on parts."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self.work: Any = None
        try:
            self.work = make()
        except KexueError as error:
            self.problem = error

    def __call__(self, batch: Any) -> Iterator[Any]:
        for data in batch["data"].to_pylist():
            part = pickle.loads(data)
            yield _table(self._done(part))

    def _done(self, part: Any) -> Any:
        if isinstance(part, KexueError):
            return part
        if self.work is None:
            return self.problem
        try:
            return self.work(part)
        except KexueError as error:
            return error
