"""A Ray cluster of several nodes on this machine, two of which are killed while they work; run as a program.

    python clusters.py CORPUS RECORDS MODEL OUTPUT

Counts CORPUS on the cluster and trains OUTPUT/model with the counts; then answers RECORDS with MODEL into
OUTPUT/answers. Either time two nodes have begun when one of them is killed, and only then may the others go on.
"""

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

SECONDS = 150  # after which a node is taken to hang
TRIES, CANNOT_START = 3, 4  # times; exit status


def wait_until(is_so, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            os._exit(3)
        time.sleep(0.05)


def patiently(start):
    """Call what starts a node, again if the machine is too busy for it: Ray waits for 30 seconds, whatever one sets."""
    for _ in range(TRIES):
        try:
            return start()
        except Exception as error:
            problem = error
            time.sleep(5)
    print(problem, file=sys.stderr)
    sys.exit(CANNOT_START)


def begin(place: Path) -> None:
    """Tell that this node has begun, and wait until a node has been killed."""
    import ray

    (place / f"begun-{ray.get_runtime_context().get_node_id()}").touch()
    wait_until((place / "go").exists)


def kill_one(cluster, place: Path) -> None:
    """Wait until two nodes have begun, and kill one of them."""
    place.mkdir()

    def kill() -> None:
        wait_until(lambda: len(list(place.glob("begun-*"))) >= 2)
        begun = {path.name.removeprefix("begun-") for path in place.glob("begun-*")}
        node = next(node for node in cluster.worker_nodes if node.node_id in begun)
        cluster.remove_node(node, allow_graceful=False)
        (place / "go").touch()

    threading.Thread(target=kill, daemon=True).start()


def count_later(place: Path, *arguments, **options):
    from kexue_cli.commands.counts import _counts_of

    begin(place)
    return _counts_of(*arguments, **options)


def dump_later(place: Path, record) -> bytes:
    from kexue_cli.records import dump

    begin(place)
    return dump(record)


def main() -> None:
    corpus, records, model, output = sys.argv[1:]
    from ray.cluster_utils import Cluster

    from kexue_cli.commands import cluster as commands
    from kexue_cli.commands import counts
    from kexue_cli.commands.options import OnError
    from kexue_cli.commands.prediction import Answering
    from kexue_cli.segmentation.corpus import Corpus
    from kexue_cli.segmentation.training import HAN_ONLY, TrainingConfig, train

    cluster = patiently(
        lambda: Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    )
    for _ in range(3):
        patiently(lambda: cluster.add_node(num_cpus=1, object_store_memory=80 << 20))
    folder = Path(output)

    kill_one(cluster, folder / "counting")
    counts._counts_of = partial(count_later, folder / "counting")
    source = Corpus([corpus])
    with counts.counted_on_cluster(
        source, folder / "model", accepted=HAN_ONLY, address=cluster.address, memory=None
    ) as counted:
        train(source, folder / "model", TrainingConfig(), command="", counts=counted)

    kill_one(cluster, folder / "answering")
    work = Answering(
        "segmentation", model, "cpu", None, OnError.stop, is_text=True, write=partial(dump_later, folder / "answering")
    )
    commands.predict_on_cluster(
        work, records, str(folder / "answers"), encoding="utf-8", batch_size=2, address=cluster.address
    )
    print(len(cluster.worker_nodes))
    cluster.shutdown()


if __name__ == "__main__":
    main()
