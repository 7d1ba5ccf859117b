"""Segmentation: our models beside jieba, nlp-zero's and word-discovery's algorithms, sentencepiece.

    python benchmarks/segmentation.py DATA [--runs 3] [--quality | --speed]

DATA holds segmentation/ with the published corpora and rawtext/ with plain text, compressed with xz (see the
models' cards for the names). Quality is F1 on gold text that no model saw; all trainable systems read the same
raw text. Speed is that of whole processes on one thread, in pairs with jieba in the same run; ratios are what counts.
"""

import argparse
import json
import lzma
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

KEXUE = [sys.executable, "-m", "kexue_cli"]
HELD_OUT = 500  # last lines of the PKU training text, on which settings were chosen
SEGMENTED = ("sxu_train", "msr_training.random10pct", "weibo_train", "zx_train", "cityu_training.random10pct",
             "as_training.random10pct")  # fmt: skip
NEWS_LINES = 3200
SPEED_BYTES = 100_000_000


def lines_of(path: Path) -> list[str]:
    with lzma.open(path, "rt", encoding="utf-8-sig") as file:
        return file.read().splitlines()


def raw_corpus(data: Path) -> Iterator[str]:
    """The text that the bundled models were trained on, without white space and marks."""
    folder = data / "segmentation"
    segmented = lines_of(folder / "pku_training.reconstructed.utf8.xz")[:-HELD_OUT]
    segmented += [line.translate({91: None, 93: None}) for line in lines_of(folder / "pd199802.brackets.utf8.xz")]
    for name in SEGMENTED:
        segmented += lines_of(folder / f"{name}.utf8.xz")
    yield from ("".join(line.split()) for line in segmented)
    for line in lines_of(data / "rawtext" / "news_xwlb.jsonl.xz")[:NEWS_LINES]:
        yield json.loads(line)["text"]


def gold_files(data: Path, folder: Path) -> dict[str, Path]:
    gold = {
        "PKU-500": lines_of(data / "segmentation" / "pku_training.reconstructed.utf8.xz")[-HELD_OUT:],
        "MSR": lines_of(data / "segmentation" / "msr_test_gold.utf8.xz"),
        "CityU": lines_of(data / "segmentation" / "cityu_test_gold.utf8.xz"),
    }
    files = {}
    for name, lines in gold.items():
        files[name] = folder / f"{name}.txt"
        files[name].write_text("\n".join(lines) + "\n", "utf-8")
    return files


def scores(gold: dict[str, Path], arguments: list[str]) -> list[str]:
    row = []
    for path in gold.values():
        done = subprocess.run(
            [*KEXUE, "evaluate", "segmentation", path, "--json", *arguments], capture_output=True, check=True
        )
        result = json.loads(done.stdout)
        low, high = result["interval"]["f1"]
        row.append(f"{100 * result['f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]")
    return row


def sentencepiece_scores(corpus: Path, gold: dict[str, Path], folder: Path) -> list[str] | None:
    try:
        import sentencepiece
    except ImportError:
        return None
    from kexue_cli.segmentation.metrics import Scores

    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "sp"), vocab_size=16000, character_coverage=0.9995, minloglevel=2
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
    row = []
    for path in gold.values():
        result = Scores()
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            text = "".join(words)
            pieces = [piece.replace("▁", "") for piece in model.encode(text, out_type=str)]
            result.add(words, [piece for piece in pieces if piece])
        row.append(f"{100 * result.results()['f1']:.1f}")
    return row


def quality(data: Path, folder: Path) -> None:
    gold = gold_files(data, folder)
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(raw_corpus(data)) + "\n", "utf-8")
    print(f"F1 in percent with 95 % bootstrap intervals; corpus {corpus.stat().st_size / 1e6:.1f} MB\n")
    print(f"| system | {' | '.join(gold)} |")
    print("|---" * (len(gold) + 1) + "|")

    def show(name: str, row: list[str] | None) -> None:
        print(f"| {name} | {' | '.join(row)} |" if row else f"| {name} | not installed |", flush=True)

    show("entropy-segmentation-jieba (default)", scores(gold, ["-m", "entropy-segmentation-jieba"]))
    show("jieba, HMM off", scores(gold, ["--engine", "jieba-nohmm"]))
    show("jieba, HMM on", scores(gold, ["--engine", "jieba"]))
    show("entropy-segmentation (no dictionary)", scores(gold, ["-m", "entropy-segmentation"]))
    for name, options in {
        "word-discovery, 32 occurrences": ["--method", "word-discovery"],
        "word-discovery, 6 occurrences": ["--method", "word-discovery", "--min-count", "6"],
        "nlp-zero, 1e-7, PMI 1 (its default)": ["--method", "nlp-zero"],
        "nlp-zero, 1e-6, PMI 2": ["--method", "nlp-zero", "--min-probability", "1e-6", "--min-pmi", "2"],
        "nlp-zero, 2e-6, PMI 2": ["--method", "nlp-zero", "--min-probability", "2e-6", "--min-pmi", "2"],
        "nlp-zero, 4e-6, PMI 2": ["--method", "nlp-zero", "--min-probability", "4e-6", "--min-pmi", "2"],
        "nlp-zero, 2e-6, PMI 2.5": ["--method", "nlp-zero", "--min-probability", "2e-6", "--min-pmi", "2.5"],
    }.items():
        model = str(folder / "model")
        subprocess.run([*KEXUE, "train", "segmentation", "-q", corpus, *options, "-o", model], check=True)
        show(name, scores(gold, ["-m", model]))
    show("sentencepiece unigram, 16,000 pieces", sentencepiece_scores(corpus, gold, folder))


def seconds(command: list[object], stdin: bytes = b"") -> tuple[float, float]:
    """Wall and CPU seconds of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], input=stdin, stdout=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speed(data: Path, folder: Path, runs: int) -> None:
    text = folder / "text.txt"
    with text.open("w", encoding="utf-8") as file:
        size = 0
        for name in ("news_xwlb.jsonl", "laws.txt", "tech_articles.jsonl", "zhihu_question_titles.txt"):
            for line in lines_of(data / "rawtext" / f"{name}.xz"):
                size += file.write((json.loads(line)["text"] if "jsonl" in name else line).strip() + "\n")
    megabytes = text.stat().st_size / 1e6
    small = "我爱北京天安门\n".encode()
    commands = {
        "entropy-segmentation": [*KEXUE, "segment", "-m", "entropy-segmentation", "--threads", 1, text],
        "entropy-segmentation-jieba": [*KEXUE, "segment", "--threads", 1, text],
    }
    jieba = (
        "import logging, sys, jieba\njieba.setLogLevel(logging.WARNING)\n"
        "for line in open(sys.argv[1], encoding='utf-8'): print(' '.join(jieba.cut(line, HMM=False)), end='')"
    )
    for command in commands.values():
        seconds(command)  # compiled code and files into their caches
    print(f"\nwhole processes, one thread, {megabytes:.1f} MB, median of {runs} runs; CPU is user and system time\n")
    print("| system | wall s | CPU s | MB per CPU s | times jieba (HMM off) |\n|---|---|---|---|---|")
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(runs):
        times["jieba.cut, HMM off"].append(seconds([sys.executable, "-c", jieba, text]))
        for name, command in commands.items():
            times[name].append(seconds(command))
    base = [cpu for _, cpu in times["jieba.cut, HMM off"]]
    for name, values in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*values, strict=True))
        ratio = statistics.median(theirs / ours for theirs, (_, ours) in zip(base, values, strict=True))
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {megabytes / cpu:.1f} | {ratio:.1f} |", flush=True)
    one_line = statistics.median(seconds([*KEXUE, "segment"], small)[0] for _ in range(max(runs, 5)))
    print(f"\none line through kexue segment, whole process: {one_line:.2f} s (median)")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(raw_corpus(data)) + "\n", "utf-8")
    train = [*KEXUE, "train", "segmentation", "-q", corpus, "-o", folder / "timed"]
    seconds(train)
    spent = statistics.median(seconds(train)[1] for _ in range(runs))
    size_megabytes = corpus.stat().st_size / 1e6
    print(f"train segmentation, {size_megabytes:.1f} MB: {size_megabytes / spent:.1f} MB per CPU-second (median)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quality", action="store_true", help="only the table of F1")
    parser.add_argument("--speed", action="store_true", help="only the speed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not arguments.speed:
            quality(arguments.data, folder)
        if not arguments.quality:
            speed(arguments.data, folder, arguments.runs)


if __name__ == "__main__":
    main()
