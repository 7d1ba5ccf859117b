"""Triples: an extractor beside distant supervision and the BiLSTM baseline, which learn from the same texts.

    python benchmarks/triples.py TRAIN... --dev DEV [--partial FILE...] [-m dgcnn-triples] [--epochs 10]
    python benchmarks/triples.py --dev DEV --speed [-m dgcnn-triples] [--runs 3]
    python benchmarks/triples.py --dev DEV --labels

Precision, recall and F1 of exact triples (kexue_cli/tasks/triples/metrics.py) on DEV in percent, F1 with its 95 %
bootstrap interval over texts. TRAIN, DEV and FILE have any form that ``kexue train triples`` reads; --partial is as
there. Of what DEV holds all triples count, as for ``kexue evaluate triples``. The systems:

known pairs     all that a training triple says of a subject and an object that both stand in the text
with the word   of these the triples whose predicate stands in the text too
BiLSTM          https://github.com/bojone/kg-2019-baseline: characters (128), dropout 0.25, two BiLSTMs (64+64), the
                maximum over the text beside each position, a convolution (128, 3), sigmoids for the ends of subjects;
                for the ends of objects a softmax over no object and all predicates, given the vectors at both ends of
                the subject. Adam with 1e-3, batches of 64, the subjects' loss times 2.5, thresholds of 0.5
MODEL           kexue_cli.load(MODEL).predict on one thread of the processor

What the BiLSTM shares with our own training is what the author's lacks: all occurrences of a name are labelled, the
weights are averaged, and those of the best epoch on DEV are kept. Its second row has the thresholds that are best on
DEV, as a model of ``kexue train triples --dev DEV`` has.

Speed is that of ``kexue predict triples --text`` on 10,000 sentences, the texts of DEV again and again: whole
processes on one core, with their start.

Labels says how complete those of DEV are: what a text tells, a longer one that holds it tells too. So of the triples
of each text that lies within another, how many are labelled there as well?
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from kexue_cli import console, loader
from kexue_cli.commands.train_triples import labelled_in_part, read_texts
from kexue_cli.datasets.reader import read_records
from kexue_cli.device import prepare_backend, resolve
from kexue_cli.errors import KexueError
from kexue_cli.tasks.task import Task
from kexue_cli.tasks.triples.config import (
    OBJECTS,
    SPAN_POINTS,
    SUBJECTS,
    AugmentationConfig,
    DecodingConfig,
    NetworkConfig,
    TriplesConfig,
)
from kexue_cli.tasks.triples.metrics import Scores
from kexue_cli.tasks.triples.records import LabelledText, Triple, read_labelled_text
from kexue_cli.tasks.triples.schema import Schema
from kexue_cli.text.normalization import normalize
from kexue_cli.training.config import TrainingConfig

SENTENCES = 10_000
SUBJECT_WEIGHT = 2.5
SHORTEST, MARKS = (
    6,
    "，。！？；：、,!?;:… ",
)  # characters of a text that is looked for in others, without those at its ends
AUTHOR = TriplesConfig(  # what is not here is ours or makes no difference to the BiLSTM
    encoder="",
    network=NetworkConfig(width=128, dropout=0.25, word_dimension=0),
    preprocessor=replace(TriplesConfig().preprocessor, words=""),
    augmentation=AugmentationConfig(longest_text=512),
    decoding=DecodingConfig(subject_start=0.5, subject_end=0.5, object_start=0.5, object_end=0.5),
)

System = Callable[[Sequence[str]], list[list[Triple]]]  # texts -> the triples of each


@dataclass(frozen=True)
class Data:
    """What the systems learn from, and the texts that the networks choose their best epoch on."""

    training: list[LabelledText]
    development: list[LabelledText]
    schema: Schema


def read_data(training: Sequence[str], dev: str, partial: Sequence[str]) -> Data:
    texts = read_texts(training, None, "utf-8")
    schema = Schema.of(texts)
    development = read_texts([dev], None, "utf-8", schema)
    kept = {labelled.text for labelled in development}
    for path in partial:
        more = labelled_in_part(read_texts([path], None, "utf-8", schema))
        texts += [labelled for labelled in more if labelled.text not in kept]
    return Data(texts, development, schema)


def known_pairs(data: Data, *, with_word: bool) -> System:
    """Distant supervision. with_word: the predicate must stand in the text too."""
    known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # subject -> object -> predicates
    for labelled in data.training:
        for triple in labelled.triples:
            known[normalize(triple.subject)][normalize(triple.object)].add(triple.predicate)

    def extract(text: str) -> list[Triple]:
        text = normalize(text)
        return [
            Triple(subject, predicate, object)
            for subject in known
            if subject in text
            for object, predicates in known[subject].items()
            if object in text
            for predicate in predicates
            if not with_word or normalize(predicate) in text
        ]

    return lambda texts: [extract(text) for text in texts]


def predictions(task: Task) -> System:
    def predict(texts: Sequence[str]) -> list[list[Triple]]:
        records = task.predict({"text": text} for text in texts)
        names = ("subject", "predicate", "object")
        return [[Triple(*(one[name] for name in names)) for one in record["triples"]] for record in records]

    return predict


def bilstm_network(config: NetworkConfig) -> Any:
    """The baseline's networks as one, as kexue_cli.tasks.triples.network.build has them; letters as there."""
    import keras
    from keras import ops

    from kexue_cli.layers.embedding import Embedding
    from kexue_cli.layers.span import SpanVectors

    width, count = config.width, config.predicates

    def convolved(parts: Sequence[Any], mask: Any) -> Any:
        x = ops.concatenate(parts, axis=-1) * mask
        return keras.layers.Conv1D(width, 3, padding="same", activation="relu")(x)

    inputs = {"text": keras.Input((None,), dtype="int32", name="text")}
    inputs["boundaries"] = keras.Input((None, 2), name="boundaries")  # of words, which the baseline does not know
    is_text = inputs["text"] > 0
    mask = ops.cast(ops.expand_dims(is_text, -1), "float32")
    x = Embedding(config.vocabulary_size, width)(inputs["text"])
    x = keras.layers.Dropout(config.dropout)(x) * mask
    for _ in range(2):
        recurrent = keras.layers.LSTM(width // 2, return_sequences=True)
        x = keras.layers.Bidirectional(recurrent)(x, mask=is_text) * mask
    whole = ops.max(x - (1 - mask) * 1e9, axis=1, keepdims=True) * mask  # (b, t, d)
    ends = keras.layers.Dense(2, activation="sigmoid")(convolved([x, whole], mask)) * mask
    subjects = keras.Model(inputs, {SUBJECTS: ends, "states": x, "whole": whole, "mask": mask}, name=SUBJECTS)

    encoded = {name: keras.Input((None, width), name=name) for name in ("states", "whole")}
    encoded["mask"] = mask = keras.Input((None, 1), name="mask")
    encoded["span"] = keras.Input((SPAN_POINTS,), dtype="int32", name="span")
    points = SpanVectors()(encoded["states"], encoded["span"])  # (b, 6, d)
    subject = [ops.expand_dims(points[:, place], 1) * mask for place in (-1, 0)]
    hidden = convolved([encoded["states"], encoded["whole"], *subject], mask)
    softmaxes = [keras.layers.Dense(count + 1, activation="softmax")(hidden) for _ in range(2)]
    found = ops.concatenate([part[..., 1:] * mask for part in softmaxes], axis=-1)  # (b, t, 2p), without no object
    objects = keras.Model(encoded, {OBJECTS: found}, name=OBJECTS)

    outputs = subjects(inputs)
    span = keras.Input((SPAN_POINTS,), dtype="int32", name="span")
    given = {name: outputs[name] for name in ("states", "whole", "mask")}
    return keras.Model(
        {**inputs, "span": span}, {SUBJECTS: outputs[SUBJECTS], **objects({**given, "span": span})}, name="bilstm"
    )


def softmax_loss(ignored: float) -> Callable[[Any, Any], Any]:
    """The cross entropy of probabilities (b, t, 2p) without those of no object, summed over both ends of objects.

    Where several answers agree with the labels - an end of the objects of several predicates, or no object or one of
    a predicate that is *ignored* - it is that of any of them.
    """
    from keras import ops

    from kexue_cli.losses import LEAST

    def loss(labels: Any, probabilities: Any) -> Any:
        shape = (*ops.shape(probabilities)[:2], 2, probabilities.shape[-1] // 2)
        labels, probabilities = ops.reshape(labels, shape), ops.reshape(probabilities, shape)
        none = ops.relu(1 - ops.sum(probabilities, axis=-1))
        right = ops.sum(probabilities * ops.cast(labels == 1, probabilities.dtype), axis=-1)
        unknown = ops.sum(probabilities * ops.cast(labels == ignored, probabilities.dtype), axis=-1)
        allowed = ops.where(ops.any(labels == 1, axis=-1), right, none + unknown)
        return -ops.mean(ops.sum(ops.log(allowed + LEAST), axis=-1))

    return loss


def bilstm(data: Data, epochs: int) -> dict[str, System]:
    """Train the baseline; return it with the author's thresholds, and with those that are best for development."""
    prepare_backend(resolve("cpu", is_training=True), threads=1)
    from kexue_cli.losses import doubtful_binary_crossentropy
    from kexue_cli.tasks.triples import TripleExtraction
    from kexue_cli.tasks.triples.calibration import calibrated
    from kexue_cli.tasks.triples.preprocessor import UNLABELLED
    from kexue_cli.tasks.triples.trainee import Extractor
    from kexue_cli.training.trainer import Reports, Trainer

    class Baseline(Extractor):
        def build(self) -> Any:
            return bilstm_network(self.config.network)

        def losses(self) -> dict[str, Any]:
            return {
                SUBJECTS: doubtful_binary_crossentropy(weight=SUBJECT_WEIGHT),
                OBJECTS: softmax_loss(UNLABELLED),
            }

    def tell(entry: dict[str, Any]) -> None:
        console.say(f"BiLSTM, epoch {entry['epoch']}: loss {entry['loss']:.3f}, F1 {100 * entry['f1']:.1f}, "
                    f"{entry['seconds']:.0f} s")  # fmt: skip

    trainee = Baseline(data.training, data.development, data.schema, AUTHOR)
    training = TrainingConfig(epochs=epochs, batch_size=64, learning_rate=1e-3, patience=epochs, ema_momentum=0.99)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(trainee, training, Path(folder), "")
        position = trainer.train(Reports(epoch=tell))
    console.say(f"BiLSTM: {trainer.network.count_params():,} parameters, {position.seconds:.0f} s")
    networks = {name: trainer.open_network(name) for name in (SUBJECTS, OBJECTS)}
    config = trainee.config
    task = TripleExtraction(trainee.encoder, networks, data.schema, config.preprocessor, config.decoding)
    fitted = task.with_settings(**asdict(calibrated(task, data.development)))
    name = f"BiLSTM, epoch {position.best_epoch} of {epochs}"
    return {name: predictions(task), f"{name}, thresholds of DEV": predictions(fitted)}


def show(name: str, system: System, gold: Sequence[LabelledText]) -> None:
    scores = Scores()
    for labelled, found in zip(gold, system([labelled.text for labelled in gold]), strict=True):
        scores.add(found, labelled.triples, labelled.labelled)
    results: dict[str, Any] = scores.results()
    low, high = results["interval"]["f1"]
    shares = " | ".join(f"{100 * results[column]:.1f}" for column in ("precision", "recall", "f1"))
    print(f"| {name} | {shares} [{100 * low:.1f}, {100 * high:.1f}] |", flush=True)


def quality(data: Data, gold: Sequence[LabelledText], model: str, epochs: int) -> None:
    triples = sum(len(labelled.triples) for labelled in gold)
    print(f"{len(data.training):,} texts to learn from, {len(data.schema.predicates)} predicates; {len(gold):,} texts "
          f"with {triples:,} triples to score\n")  # fmt: skip
    print("| system | precision | recall | F1 |\n|---|---|---|---|")
    show("known pairs", known_pairs(data, with_word=False), gold)
    show("known pairs with the word", known_pairs(data, with_word=True), gold)
    for name, system in bilstm(data, epochs).items():
        show(name, system, gold)
    try:
        task = loader.load(model, task="triples", device="cpu", threads=1)
    except KexueError as error:
        print(f"no row for {model}: {error}", file=sys.stderr)
    else:
        show(model, predictions(task), gold)


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a whole process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speed(gold: Sequence[LabelledText], model: str, runs: int) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # processes that are started inherit it
    texts = [" ".join(labelled.text.split()) for labelled in gold]
    characters = statistics.mean(map(len, texts))
    with tempfile.TemporaryDirectory() as folder:
        sentences, one = Path(folder) / "sentences.txt", Path(folder) / "one.txt"
        sentences.write_text("".join(text + "\n" for text in islice(cycle(texts), SENTENCES)), "utf-8")
        one.write_text(texts[0] + "\n", "utf-8")
        command = [sys.executable, "-m", "kexue_cli", "predict", "triples", "--text", "-m", model, "--device", "cpu"]
        seconds([*command, str(one)])  # compiled code and files into their caches
        times = [seconds([*command, str(sentences)]) for _ in range(runs)]
    wall, cpu = (SENTENCES / statistics.median(column) for column in zip(*times, strict=True))
    print(f"{model}, whole process on one core, {SENTENCES:,} sentences of {characters:.0f} characters, median of "
          f"{runs}: {wall:.0f} sentences/s, {cpu:.0f} per CPU second")  # fmt: skip


def labels(gold: Sequence[LabelledText]) -> None:
    texts = [normalize(labelled.text).strip(MARKS) for labelled in gold]
    told = [{(one.subject, one.predicate, one.object) for one in labelled.triples} for labelled in gold]
    within = [
        (inner, outer)
        for inner, text in enumerate(texts)
        for outer, longer in enumerate(texts)
        if SHORTEST <= len(text) < len(longer) and text in longer
    ]
    triples = [(triple, outer) for inner, outer in within for triple in told[inner]]
    repeated = sum(triple in told[outer] for triple, outer in triples)
    print(f"{len(gold):,} texts; {len(within):,} times one lies within another; of the {len(triples):,} triples of the "
          f"shorter {repeated:,} are labelled in the longer, too")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", nargs="*", metavar="TRAIN")
    parser.add_argument("--dev", required=True, metavar="DEV")
    parser.add_argument("--partial", nargs="+", default=[], metavar="FILE")
    parser.add_argument("-m", "--model", default="dgcnn-triples")
    parser.add_argument("--epochs", type=int, default=10, help="of the BiLSTM")
    parser.add_argument("--speed", action="store_true", help="only the speed")
    parser.add_argument("--labels", action="store_true", help="only how complete the labels of DEV are")
    parser.add_argument("--runs", type=int, default=3, help="of the speed")
    options = parser.parse_args()
    gold = [read_labelled_text(record) for _, record in read_records([options.dev], "triples")]
    if options.speed:
        try:
            speed(gold, options.model, options.runs)
        except subprocess.CalledProcessError as error:  # it has told why
            parser.exit(1, f"no speed of {options.model}: kexue ended with {error.returncode}\n")
    elif options.labels:
        labels(gold)
    elif not options.training:
        parser.error("TRAIN is missing: the files to learn from")
    else:
        quality(read_data(options.training, options.dev, options.partial), gold, options.model, options.epochs)


if __name__ == "__main__":
    main()
