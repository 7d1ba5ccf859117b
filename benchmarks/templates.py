"""Sentence templates: counted paths beside the original's listed ones, in MB of tokenised text per CPU second.

    python benchmarks/templates.py DATA [--lines 200000] [--runs 3]

DATA holds rawtext/ with zhihu_question_titles.txt.xz, news_xwlb.jsonl.xz and tech_articles.jsonl.xz. Their first lines,
at most 20 MB of each, are cut into words beforehand by the default model.
Both read the same tokenised text, words with white space between, and must find the same templates as often. The
original is the algorithm of nlp-zero's Template_Finder (https://kexue.fm/archives/5577), written anew: it counts words
and pairs, then lists all paths of each clause. Ours is warm: it has run once on the same text, so what numba compiles
is loaded; it reads the text from a file, the other one from memory. The last text is one clause of 18 different words,
all linked, 52,656 paths, five times.
"""

import argparse
import json
import lzma
import math
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.templates.clauses import read_clauses
from kexue_cli.segmentation.templates.finder import FinderConfig, find_templates
from kexue_cli.segmentation.templates.template import Words, is_word

Clause = list[str]
LINKED_WORDS = 18
LINKED_CLAUSES = 5
LARGEST = 20_000_000  # bytes of a text


def clauses_of(text: str) -> list[Clause]:
    """The clauses of tokenised text: what stands between tokens that are no words."""
    clauses: list[Clause] = [[]]
    for token in text.replace("\n", " 。 ").split():
        if is_word(token):
            clauses[-1].append(token)
        elif clauses[-1]:
            clauses.append([])
    return [clause for clause in clauses if clause]


def all_paths(edges: dict[int, list[int]], size: int) -> list[list[int]]:
    """Every path from a node that no edge leads to, to one that no edge leaves; of a lone node the node."""

    def paths_from(node: int) -> list[list[int]]:
        if node not in edges:
            return [[node]]
        return [[node, *path] for following in edges[node] for path in paths_from(following)]

    ends = {end for followers in edges.values() for end in followers}
    return [path for node in range(size) if node not in ends for path in paths_from(node)]


def template_of(clause: Clause, path: list[int]) -> Words:
    """The words of a path, and None for what it passes over."""
    words: list[str | None] = [] if path[0] == 0 else [None]
    for place, node in enumerate(path):
        if place and node - path[place - 1] > 1:
            words.append(None)
        words.append(clause[node])
    return (*words, None) if path[-1] != len(clause) - 1 else tuple(words)


def list_templates(clauses: Iterable[Clause], config: FinderConfig) -> dict[Words, int]:
    """The templates of clauses with their counts, by listing all paths, as the original does."""
    clauses = list(clauses)
    words: dict[str, int] = defaultdict(int)
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    for clause in clauses:
        for place, word in enumerate(clause):
            words[word] += 1
            for other in clause[place + 1 : place + 1 + config.window]:
                pairs[word, other] += 1
    log_words, log_pairs = math.log(sum(words.values()) or 1), math.log(sum(pairs.values()) or 1)
    log_least = math.log(config.min_probability)
    share = {word: math.log(count) - log_words for word, count in words.items()}
    bound = set()
    for (one, other), count in pairs.items():
        log_share = math.log(count) - log_pairs
        if log_share > log_least and log_share - share[one] - share[other] > config.min_pmi:
            bound.add((one, other))
    templates: dict[Words, int] = defaultdict(int)
    for clause in clauses:
        edges: dict[int, list[int]] = defaultdict(list)
        for place, word in enumerate(clause):
            for distance, other in enumerate(clause[place + 1 : place + 1 + config.window], 1):
                if (word, other) in bound:
                    edges[place].append(place + distance)
        for path in all_paths(edges, len(clause)):
            templates[template_of(clause, path)] += 1
    log_total = math.log(sum(templates.values()) or 1)
    return {
        template: count
        for template, count in templates.items()
        if math.log(count) - log_total > log_least and count >= config.min_count
    }


def count_templates(path: Path, config: FinderConfig) -> dict[Words, int]:
    """The same by this project, from a file of tokenised text."""
    with tempfile.TemporaryDirectory() as work:
        clauses = read_clauses(Corpus([str(path)]), None, Path(work) / "clauses")
        return {each.words: each.count for each in find_templates(clauses, config, Path(work)).templates}


def tokenised(path: Path, lines: int) -> str:
    """The first lines of a file of texts, or of JSON lines with a text, as words with spaces between."""
    from kexue_cli import loader

    segmenter = loader.segmenter()
    parts: list[str] = []
    size = 0
    with lzma.open(path, "rt", encoding="utf-8") as file:
        texts = (json.loads(line)["text"] if ".jsonl" in path.name else line for line in file)
        for line in islice((line for text in texts for line in text.splitlines()), lines):
            parts.append(" ".join(segmenter.segment(line.strip())) + "\n")
            size += len(parts[-1].encode())
            if size > LARGEST:
                break
    return "".join(parts)


def linked_text() -> str:
    """Clauses of words that all are linked, since each pair of them is seen only together."""
    clause = " ".join(chr(ord("一") + number) for number in range(LINKED_WORDS))
    return f"{clause}\n" * LINKED_CLAUSES


def seconds(function: Callable[[], dict[Words, int]]) -> tuple[float, dict[Words, int]]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def measure(name: str, text: str, config: FinderConfig, runs: int) -> None:
    size = len(text.encode()) / 1e6
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        count_templates(Path(file.name), config)
        rows = []
        for _ in range(runs):
            listed, expected = seconds(lambda: list_templates(clauses_of(text), config))
            counted, found = seconds(lambda: count_templates(Path(file.name), config))
            if found != expected:
                raise SystemExit(f"{name}: the templates differ: {Counter(found) - Counter(expected)}")
            rows.append((listed, counted, listed / counted))
    listed, counted, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"| {name} | {size:.3f} | {len(found):,} | {listed:.3f} | {counted:.3f} | {size / listed:.3f} | "
        f"{size / counted:.3f} | {ratio:.0f}x |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()

    print("| text | MB | templates | listed, CPU s | counted, CPU s | listed, MB/s | counted, MB/s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    folder = arguments.data / "rawtext"
    titles = tokenised(folder / "zhihu_question_titles.txt.xz", arguments.lines)
    for window in (5, 8):
        config = FinderConfig(window=window, keep_trivial=True)
        measure(f"Zhihu titles, window {window}", titles, config, arguments.runs)
    for name, file in (("news", "news_xwlb.jsonl.xz"), ("technical articles", "tech_articles.jsonl.xz")):
        text = tokenised(folder / file, arguments.lines)
        measure(f"{name}, window 5", text, FinderConfig(keep_trivial=True), arguments.runs)
    config = FinderConfig(min_probability=1e-4, min_pmi=0.5, keep_trivial=True, max_paths=10**9)
    measure(f"{LINKED_CLAUSES} clauses of {LINKED_WORDS} linked words", linked_text(), config, arguments.runs)


if __name__ == "__main__":
    main()
