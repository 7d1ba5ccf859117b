"""Generation: perplexity beside that of a Kneser-Ney model, speed of writing, and what parts of the network are worth.

    python benchmarks/generation.py --perplexity TRAIN DEV --condition cat,label [-m MODEL] [--order 5]
    python benchmarks/generation.py --beam [-m MODEL] [--length 64] [--texts 20] [--rounds 5]
    python benchmarks/generation.py --conditioning TRAIN DEV --condition cat,label [--epochs 5] [--width 96] [--depth 2]
    python benchmarks/generation.py --prefix-attention TRAIN DEV --condition-text in --target out [--epochs 5]

TRAIN and DEV are JSON lines, compressed or not, whose fields --condition, --condition-text and --target name; without
the first two they are {"condition": {...}, "text"}. Empty texts are left out.

--perplexity: per character of DEV, each text's end counted as one, those outside the vocabulary as what they are
together. Both systems predict the same ids:

Kneser-Ney  an interpolated modified Kneser-Ney model of characters (class KneserNey), fitted on the texts of TRAIN; it
            does not see the condition
MODEL       kexue_cli.load(MODEL), whose vocabulary both use; without such a model the vocabulary is that of a training
            on TRAIN, and the first system is the only one

The 95 % intervals are bootstrap ones over the texts of DEV.

--beam: characters written a CPU second by one process on one core, with a beam of 4, for all conditions that the
fields of the model can make, or so many spread over them. The end of a text is forbidden, so that all have one length.
Without the cache the exported decoder is given the whole prefix, and nothing that it has seen before, at each step;
the search is the same, and both must write the same texts. The decoder makes logits for each place that it is given,
of which the search needs the last only: what share of the multiplications those others are is shown, since a network
made to run without a cache would leave them out. Both take turns, each beginning every other round; a ratio is that of
one round. Then texts are drawn, one at a time and 16 at once.

--conditioning: small networks are trained on TRAIN by the same settings, seeds and batches, for so many epochs in
which the learning rate falls to 0; nothing is chosen on DEV. The last averaged weights give the perplexity per
character of DEV, and a text is drawn for the condition of each text of DEV; control accuracy is how often a linear
classifier of character n-grams that was fitted on TRAIN finds the condition in it
(kexue_cli/tasks/generation/metrics.py), in percent. The last row is that of the texts of DEV themselves. Of several
seeds: mean and standard deviation.

--prefix-attention: the same without and with the conditioning text standing before the one to be written, beside the
vector that is made of it for the normalizations; perplexity only.
"""

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from kexue_cli import console, loader
from kexue_cli.batching import Sample
from kexue_cli.bootstrap import Sums, intervals
from kexue_cli.commands.train_generation import read_texts
from kexue_cli.device import prepare_backend, resolve
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import Runtime
from kexue_cli.tasks import TASKS
from kexue_cli.tasks.generation import Draft, Generation
from kexue_cli.tasks.generation.config import CONDITION, DECODER, FieldsConfig, GenerationConfig, NetworkConfig
from kexue_cli.tasks.generation.metrics import Judge, kept, perplexity
from kexue_cli.tasks.generation.preprocessor import Preprocessor
from kexue_cli.tasks.generation.records import Condition, Request, Text
from kexue_cli.tasks.generation.trainee import LanguageModel
from kexue_cli.training.config import TrainingConfig

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FALLBACK = (0.5, 1.0, 1.5)  # discounts where there are too few n-grams to estimate them, as in KenLM
BEAM = 4
AT_ONCE = 16  # texts that are drawn
NEVER = -1e9  # logit of what is forbidden


class KneserNey:
    """An n-gram model with interpolated modified Kneser-Ney smoothing (Chen and Goodman, 1998).

    A text is its ids between one begin mark and its end mark; all but the begin mark are predicted, each from the
    order - 1 ids before it, or from as many as there are. The count of an n-gram of the highest order is how often it
    occurs, that of a lower one how many ids precede it, and of one that starts with the begin mark, which nothing
    precedes, how often it occurs, as in KenLM. Each order has its own discounts of counts of 1, 2 and more, estimated
    from the counts of counts. Below the unigrams all symbols are equally likely.

    The n-grams of an order are sorted numbers, context * size + id, the context being the place of the first n - 1 ids
    among the n-grams of the order below: with any vocabulary they fit into 64 bits.
    """

    def __init__(self, texts: Sequence[npt.NDArray[np.int32]], order: int, size: int, symbols: int) -> None:
        """texts: ids, both marks included; size: more than any id; symbols: how many ids can be predicted."""
        self.size, self.symbols = size, symbols
        self.keys: list[Ids] = []  # by order: the n-grams
        counts: list[Ids] = []  # and what they count
        ids, places = joined(texts)
        contexts, grams = np.zeros_like(ids), ids  # of the n-gram that ends at each place
        for n in range(1, order + 1):
            ends = np.flatnonzero(places >= n - 1)
            wanted = contexts[ends] * size + ids[ends]
            keys, first, numbers = np.unique(wanted, return_index=True, return_inverse=True)
            if n > 1:
                preceded = np.bincount(grams[ends[first]], minlength=len(self.keys[-1]))
                beginning = grams[places == n - 2] if n > 2 else ids[:0]
                counts.append(preceded + np.bincount(beginning, minlength=len(preceded)))
            self.keys.append(keys)
            grams = np.full(len(ids), -1)
            grams[ends] = numbers
            contexts = np.roll(grams, 1)
        counts.append(np.bincount(numbers[places[ends] > 0], minlength=len(self.keys[-1])))  # those that are predicted
        self.discounts = [estimated_discounts(its) for its in counts]
        self.shares: list[Floats] = []  # by order: the discounted share of each n-gram of its context; then 0
        self.left: list[Floats] = []  # by order: what discounts left of each context to the order below; then 1
        for keys, its, discounts, longer in zip(
            self.keys, counts, self.discounts, [1, *map(len, self.keys)], strict=False
        ):
            taken = discounts[np.minimum(its, len(discounts) - 1)]
            totals = np.bincount(keys // size, its, longer)
            self.shares.append(np.append((its - taken) / np.maximum(totals[keys // size], 1), 0))
            left = np.bincount(keys // size, taken, longer) / np.maximum(totals, 1)
            self.left.append(np.append(np.where(totals > 0, left, 1), 1))

    def log_likelihoods(self, texts: Sequence[npt.NDArray[np.int32]]) -> Floats:
        """Return for each text the sum of the log-probabilities of its ids and how many there are (n, 2)."""
        ids, places = joined(texts)
        logs = np.log(self.probabilities(ids, places))
        owners = np.cumsum(places == 0) - 1
        is_predicted = places > 0
        sums = np.bincount(owners[is_predicted], logs[is_predicted], len(texts))
        return np.stack([sums, np.bincount(owners[is_predicted], minlength=len(texts))], axis=1)

    def probabilities(self, ids: Ids, places: Ids) -> Floats:
        """Return the probability of each id, given those before it in its text; that of a begin mark means nothing."""
        found = np.full(len(ids), 1 / self.symbols)
        contexts = np.zeros_like(ids)
        for n, (keys, shares, left) in enumerate(zip(self.keys, self.shares, self.left, strict=True), 1):
            contexts = np.where(places >= n - 1, contexts, -1)
            wanted = contexts * self.size + ids
            grams = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            grams = np.where((contexts >= 0) & (keys[grams] == wanted), grams, -1)
            found = shares[grams] + left[contexts] * found
            contexts = np.roll(grams, 1)
        return found


def joined(texts: Sequence[npt.NDArray[np.int32]]) -> tuple[Ids, Ids]:
    """Return the ids of all texts, and the place of each in its text."""
    lengths = np.array([len(text) for text in texts])
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.concatenate(texts).astype(np.int64), np.arange(len(starts)) - starts


def estimated_discounts(counts: Ids) -> Floats:
    """Return what is taken off counts of 0, 1, 2 and more (4,)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].astype(float)  # how many n-grams count 1, 2, 3, 4
    if not n.all():
        return np.array([0, *FALLBACK])
    ratio = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * ratio * n[k] / n[k - 1] for k in (1, 2, 3)]
    return np.array([0, *found]) if all(0 <= one <= k for k, one in enumerate(found, 1)) else np.array([0, *FALLBACK])


def stream(texts: Sequence[Text], preprocessor: Preprocessor) -> list[npt.NDArray[np.int32]]:
    """Return the ids of texts as a model has them, from the mark that begins a text to the one that ends it."""
    found = [preprocessor.ids(text) for text in texts]
    return [ids[lead - 1 :] for ids, lead in found]


def compare_perplexity(training: list[Text], dev: list[Text], options: argparse.Namespace) -> None:
    model: Generation | None = None
    try:
        loaded: Any = loader.load(options.model, task="generation", device="cpu", threads=1)
        model = loaded
    except KexueError as error:
        print(f"no row for {options.model}: {error}", file=sys.stderr)
    config = GenerationConfig(fields=FieldsConfig(text=options.condition_text, target=options.target))
    preprocessor = model.preprocessor if model else LanguageModel(training, dev, config).preprocessor
    size = preprocessor.network.vocabulary_size
    start = time.process_time()
    n_grams = KneserNey(stream(training, preprocessor), options.order, size, size - 2)  # never padding, nor a begin
    seconds = time.process_time() - start
    columns = n_grams.log_likelihoods(stream(dev, preprocessor)).T
    sums = {f"Kneser-Ney, order {options.order}": columns[0]}
    if model:
        found = model.log_likelihoods(dev).T
        if not np.array_equal(found[1], columns[1]):
            raise KexueError(f"{options.model} counts {found[1].sum():,.0f} characters, not {columns[1].sum():,.0f}")
        sums[options.model] = found[0]
    print(f"{len(training):,} texts to learn from, {len(dev):,} of {columns[1].sum():,.0f} characters to score, "
          f"{size - 2:,} symbols; Kneser-Ney was fitted in {seconds:.1f} CPU seconds\n")  # fmt: skip
    show_perplexity({"count": columns[1], **sums})


def show_perplexity(columns: dict[str, Floats]) -> None:
    """columns: how many characters each text has, then by system their log-likelihood; the first is the baseline."""
    _, baseline, *_ = columns

    def scores(sums: dict[str, float]) -> dict[str, float]:
        values = {name: float(np.exp(-sums[name] / sums["count"])) for name in columns if name != "count"}
        return values | {f"ratio of {name}": value / values[baseline] for name, value in values.items()}

    found = scores({name: float(column.sum()) for name, column in columns.items()})
    bounds = intervals(Sums({name: column.tolist() for name, column in columns.items()}, scores))

    def cell(name: str, digits: int) -> str:
        low, high = bounds[name]
        return f"{found[name]:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    print("| system | perplexity per character | ratio to Kneser-Ney |\n|---|---|---|")
    for name in list(columns)[1:]:
        print(f"| {name} | {cell(name, 2)} | {'1' if name == baseline else cell(f'ratio of {name}', 3)} |")


class Endless:
    """A decoder that never ends a text."""

    def __init__(self, decoder: Runtime, end: int) -> None:
        self.decoder, self.device, self.end = decoder, decoder.device, end

    def __call__(self, inputs: Sample) -> Sample:
        outputs = self.decoder(inputs)
        outputs["characters"][..., self.end] = NEVER
        return outputs


class WithoutCache:
    """A decoder called as one with a cache is, which reads the whole prefix of each row at every step.

    For one search after another: a call without a past begins the next.
    """

    def __init__(self, decoder: Runtime) -> None:
        self.decoder, self.device = decoder, decoder.device
        self.seen: Sample = {}  # of each place of each row so far, (n, t, ...)
        self.nothing: Sample = {}  # the past of one row, of no places

    def __call__(self, inputs: Sample) -> Sample:
        past = {name: array for name, array in inputs.items() if name.startswith("past_")}
        seen = {name: array for name, array in inputs.items() if name not in (*past, CONDITION, "parents")}
        if next(iter(past.values())).shape[2]:
            parents = inputs["parents"]
            seen = {name: np.concatenate([self.seen[name][parents], array], axis=1) for name, array in seen.items()}
        else:
            self.nothing = {name: array[:1] for name, array in past.items()}
        self.seen = seen
        rows = np.arange(len(seen["ids"]), dtype=np.int32)
        nothing = {name: array[np.zeros_like(rows)] for name, array in self.nothing.items()}
        return self.decoder({**nothing, **seen, CONDITION: inputs[CONDITION], "parents": rows})


def all_requests(model: Generation, most: int) -> list[Request]:
    """Return a request for each condition that the category fields can make, or *most* of them from first to last."""
    values = model.preprocessor.fields.values
    found = [Request(dict(zip(values, one, strict=True))) for one in itertools.product(*values.values())]
    if len(found) <= most:
        return found
    return [found[place] for place in np.linspace(0, len(found) - 1, most).round().astype(int)]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def wasted(network: NetworkConfig) -> float:
    """Return what share of a decoder's multiplications for one place are its logits, at most."""
    logits = network.vocabulary_size * network.width
    return logits / (
        logits + 12 * network.depth * network.width**2
    )  # 4 of attention's projections, 8 of the hidden layer


def speed(options: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    loaded: Any = loader.load(options.model, task="generation", device="cpu", threads=1)
    model: Generation = loaded
    network = model.preprocessor.network
    decoder = Endless(model.networks[DECODER], network.end)
    searches = {
        name: Generation(
            model.preprocessor, {**model.networks, DECODER: one}, model.decoding
        ).with_settings(beam=BEAM, guidance=1.0, max_length=options.length)
        for name, one in (("with", decoder), ("without", WithoutCache(decoder)))
    }  # fmt: skip
    requests = all_requests(model, options.texts)
    drafts = [Draft(request) for request in requests]
    for search in searches.values():
        search.write(drafts[:1])  # warm
    print(f"{options.model}, {len(drafts)} texts, one core\n")
    print(f"Beam of {BEAM}, characters a CPU second. Of the multiplications without the cache at most "
          f"{100 * wasted(network):.0f} % are for logits of places before the last.\n")  # fmt: skip
    print("| round | with the cache | without | ratio |\n|---|---|---|---|", flush=True)
    ratios = []
    for number in range(options.rounds):
        names = list(searches) if number % 2 else list(reversed(searches))
        took = {name: timed(partial(searches[name].write, drafts)) for name in names}
        (with_cache, texts), (without, others) = took["with"], took["without"]
        if [text.ids for text in texts] != [text.ids for text in others]:
            raise KexueError("the texts written with the cache are not those written without it")
        count = sum(len(text.ids) for text in texts)
        ratios.append(without / with_cache)
        print(f"| {number + 1} | {count / with_cache:,.0f} | {count / without:,.0f} | {ratios[-1]:.2f} |", flush=True)
    lengths = sorted({len(text.ids) for text in texts})
    print(f"\nmedian ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}; "
          f"the same {len(drafts)} texts of {' or '.join(map(str, lengths))} characters\n", flush=True)  # fmt: skip
    show_drawing(searches["with"].with_settings(beam=0), requests, options.rounds)


def show_drawing(model: Generation, requests: Sequence[Request], rounds: int) -> None:
    drafts = [Draft(requests[place % len(requests)], 1 + place // len(requests)) for place in range(AT_ONCE)]
    ways: dict[str, Callable[[], Any]] = {
        "one": lambda: [model.write([draft])[0] for draft in drafts],
        "many": lambda: model.write(drafts),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways) if number % 2 else reversed(ways):
            seconds, texts = timed(ways[name])
            rates[name].append(sum(len(text.ids) for text in texts) / seconds)
    print("| drawn | characters a CPU second, median | lowest | highest |\n|---|---|---|---|")
    for name, shown in (("one", "one text at a time"), ("many", f"{AT_ONCE} texts at once")):
        its = rates[name]
        print(f"| {shown} | {statistics.median(its):,.0f} | {min(its):,.0f} | {max(its):,.0f} |", flush=True)


class LastWeights(LanguageModel):
    """Keeps the last averaged weights: each epoch passes for better than the one before."""

    epochs = 0

    def evaluate(self, open_network: Any) -> dict[str, float]:
        self.epochs += 1
        return {self.monitor: self.epochs}


def trained(training: list[Text], dev: list[Text], config: GenerationConfig, loop: TrainingConfig) -> Generation:
    """Return a model that was trained, whose networks Keras runs."""
    import keras

    from kexue_cli.training.trainer import Reports, Trainer

    keras.utils.clear_session()  # what the last network left in memory
    trainee = LastWeights(training, dev, config)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(trainee, loop, Path(folder), "")
        trainer.train(Reports())
    networks: dict[str, Runtime] = {name: trainer.open_network(name) for name in (CONDITION, DECODER)}
    return Generation(trainee.preprocessor, networks, trainee.config.decoding)


def parameters(model: Generation) -> int:
    from kexue_cli.tasks.generation.network import build

    count: int = build(model.preprocessor.network).count_params()
    return count


def compare_networks(
    training: list[Text], dev: list[Text], options: argparse.Namespace, variants: dict[str, dict[str, Any]]
) -> None:
    """Train networks that differ in the settings of the variants, and show their scores."""
    prepare_backend(resolve(options.device, is_training=True), threads=1)
    fields = FieldsConfig(text=options.condition_text, target=options.target)
    shape = NetworkConfig(width=options.width, depth=options.depth)
    shown: list[str] = []
    judge: Judge | None = None
    conditions = [text.condition for text in dev]
    print(f"{len(training):,} texts to learn from, {len(dev):,} to score; width {shape.width}, depth {shape.depth}, "
          f"{options.epochs} epochs, {options.seeds} seeds\n", flush=True)  # fmt: skip
    for variant, settings in variants.items():
        config = GenerationConfig(fields=fields, network=replace(shape, **settings))
        rows: list[list[float]] = []
        for seed in range(options.seeds):
            start = time.perf_counter()
            loop = TrainingConfig(epochs=options.epochs, patience=options.epochs, decay_share=1.0, seed=seed)
            model = trained(training, dev, config, loop)
            categories = model.preprocessor.fields.config.categories
            rows.append([perplexity(model.log_likelihoods(dev))])
            if categories:
                judge = judge or Judge(training, categories)
                rows[-1] += control(judge, written(model.with_settings(seed=seed), conditions), conditions).values()
            console.say(f"{variant}, seed {seed}: {rows[-1][0]:.2f}; {time.perf_counter() - start:.0f} s")
        columns = np.array(rows).T
        digits = [2, *[1] * (len(columns) - 1)]
        cells = [spread(column, places) for column, places in zip(columns, digits, strict=True)]
        shown.append(f"| {variant} | {parameters(model):,} | {' | '.join(cells)} |")
    fitted = control(judge, [text.text for text in dev], conditions) if judge else {}
    names = ["network", "parameters", "perplexity per character", *(f"control accuracy, {name}" for name in fitted)]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", *shown, sep="\n")
    if fitted:
        print(f"| texts of DEV | – | – | {' | '.join(f'{score:.1f}' for score in fitted.values())} |")


def written(model: Generation, conditions: Sequence[Condition]) -> list[str]:
    """Return a text drawn for each condition: of several under the same one, each anew."""
    drafts, counts = [], Counter[str]()
    for condition in conditions:
        counts[repr(condition)] += 1
        drafts.append(Draft(Request(condition), counts[repr(condition)]))
    return [model.preprocessor.text(text.ids) for text in model.write(drafts)]


def control(judge: Judge, texts: Sequence[str], conditions: Sequence[Condition]) -> dict[str, float]:
    """Return for each field in what percentage of the texts its value is found."""
    rows = [kept(found, condition) for found, condition in zip(judge.found(texts), conditions, strict=True)]
    return {name: 100 * statistics.mean(row[name] for row in rows) for name in judge.classifiers}


def spread(values: npt.NDArray[Any], digits: int) -> str:
    """Return the mean, and the standard deviation if there are several."""
    deviation = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{deviation}"


CONDITIONING: dict[str, dict[str, Any]] = {
    "condition in the normalizations, rotary positions": {},
    "condition in the mark that begins a text, rotary positions": {"is_conditional": False},
    "condition in the normalizations, learned positions": {"is_rotary": False},
}
PREFIX_ATTENTION: dict[str, dict[str, Any]] = {
    "conditioning text in the normalizations only": {"has_prefix": False},
    "and before the text to be written": {"has_prefix": True},
}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--perplexity", nargs=2, metavar=("TRAIN", "DEV"))
    what.add_argument("--beam", action="store_true")
    what.add_argument("--conditioning", nargs=2, metavar=("TRAIN", "DEV"))
    what.add_argument("--prefix-attention", nargs=2, metavar=("TRAIN", "DEV"))
    parser.add_argument("-m", "--model", default=TASKS["generation"].default_model, metavar="MODEL")
    parser.add_argument("--condition", default="", metavar="FIELD[,FIELD]", help="fields that are the condition")
    parser.add_argument("--condition-text", default="", metavar="FIELD", help="field of the condition that is a text")
    parser.add_argument("--target", default="text", metavar="FIELD", help="field of the text that is to be written")
    parser.add_argument("--order", type=int, default=5, metavar="N", help="characters of an n-gram")
    parser.add_argument("--length", type=int, default=64, metavar="N", help="characters of a text, of --beam")
    parser.add_argument("--texts", type=int, default=20, metavar="N", help="at most, of --beam")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of --beam")
    parser.add_argument("--epochs", type=int, default=5, metavar="N")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--width", type=int, default=96, metavar="D", help="of the networks that are trained")
    parser.add_argument("--depth", type=int, default=2, metavar="N", help="layers of the networks that are trained")
    parser.add_argument("--device", default="cpu", help="that trains")
    parser.add_argument("--most", type=int, metavar="N", help="read the first N texts of each file only")
    return parser.parse_args()


def read(file: str, names: Sequence[str], options: argparse.Namespace) -> list[Text]:
    """Return the texts of a file that are not empty, as a training has them."""
    texts = itertools.islice(read_texts([file], names, options.target, "utf-8"), options.most)
    return [text for _, text in texts if text.text.strip()]


def measure(options: argparse.Namespace) -> None:
    if options.beam:
        speed(options)
        return
    names = [name for name in (*options.condition.split(","), options.condition_text) if name]
    files = options.perplexity or options.conditioning or options.prefix_attention
    training, dev = (read(file, names, options) for file in files)
    if options.perplexity:
        compare_perplexity(training, dev, options)
    elif options.conditioning:
        compare_networks(training, dev, options, CONDITIONING)
    else:
        compare_networks(training, dev, options, PREFIX_ATTENTION)


def main() -> None:
    options = read_options()
    try:
        with threadpool_limits(1):
            measure(options)
    except KexueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
