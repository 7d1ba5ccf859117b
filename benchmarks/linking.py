"""Entity linking: a linker beside what names and counts alone tell, and its speed with a base of any size.

    python benchmarks/linking.py TEST --kb FILE [-m dgcnn-linking]
    python benchmarks/linking.py --base-size N [-m dgcnn-linking] [--runs 3]

Scores in percent (kexue_cli/tasks/linking/metrics.py): of mentions by their places, of links, these with the 95 %
bootstrap interval of their F1 over texts, and of what is chosen for labelled mentions whose places are given. TEST and
FILE have any form that ``kexue evaluate linking`` reads; the base is compiled beside FILE. The systems:

longest match      the names of the base that stand in the text, the longest first, none over another, each linked to
                   the entity that it was linked to most often, the first of several
of mostly mentions the same with those names only that were linked at least 6 of 10 times that they were seen in text
random             any of the entities that the name may have, all equally likely; the mean of 100 times
character overlap  the one of which what the base says has most characters of the text, any of equals; as above
MODEL              kexue_cli.load(MODEL).predict, and .choose for the accuracies, on one thread of the processor

With --base-size, a base of N made-up entities is written, a fifth of its names shared by two or three of them, with
a sentence and three facts about each, and 10,000 texts with three of its names each. Times and memory are those of
whole processes on one core: of the first use of the base, which compiles it, of a later one with one text, and of one
with all texts; and the time to open the compiled base alone. N must be at most 3 million, or names come again.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import marisa_trie

from kexue_cli import loader
from kexue_cli.commands.knowledge_base import SUFFIX, open_base, read_entities
from kexue_cli.datasets.reader import read_records
from kexue_cli.errors import KexueError
from kexue_cli.records import Record, dump
from kexue_cli.tasks.linking.config import LONGEST_NAME
from kexue_cli.tasks.linking.entities import Alias, Entity, linked_by_id
from kexue_cli.tasks.linking.knowledge_base import fold
from kexue_cli.tasks.linking.metrics import Choice, Scores
from kexue_cli.tasks.linking.records import LabelledText, read_labelled_text
from kexue_cli.text.normalization import normalize

MOSTLY = 0.6  # of the times that a name is seen
DRAWS = 100  # random choices for each mention
COLUMNS = {
    "mention P": "mention_precision",
    "mention R": "mention_recall",
    "mention F1": "mention_f1",
    "P": "precision",
    "R": "recall",
    "F1": "f1",
    "ambiguous": "ambiguous_accuracy",
    "known": "known_accuracy",
    "nil": "nil_accuracy",
    "ceiling F1": "ceiling_f1",
}
ACCURACIES = ("ambiguous_accuracy", "known_accuracy", "nil_accuracy")

TEXTS = 10_000
SYLLABLES = "安白宝昌长辰春大德东丰福光广国海汉和恒红华怀惠吉嘉建江金景静居开康兰乐立林龙隆明南宁平清庆荣瑞"
SYLLABLES += "山顺泰天同文武西祥新兴秀阳永玉裕元云"
KINDS = {  # the end of a name: what its bearers may be
    "": ("歌手", "作家", "演员", "教授", "画家"),
    "镇": ("古镇", "乡镇", "渔村"),
    "河": ("河流", "运河", "支流"),
    "寺": ("寺庙", "遗址", "景点"),
    "公司": ("企业", "出版商", "制造商"),
    "大学": ("高校", "学院", "研究所"),
    "传": ("小说", "电视剧", "电影", "歌曲"),
    "号": ("飞船", "轮船", "列车"),
    "酥": ("小吃", "点心"),
    "杯": ("球赛", "棋赛"),
}
PLACES = ("北京", "上海", "广东", "四川", "湖北", "云南", "山东", "江苏", "福建", "陕西", "辽宁", "甘肃")
THINGS = ("历史", "建筑", "音乐", "美食", "风景", "科学", "传说", "体育", "文学", "贸易", "农业", "教育")
NAME_OF = (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9)  # of 13 entities, which of 10 names each has
STEP = 7_368_787  # prime, so that multiples of it are all different names before they begin again
SENTENCES = (
    "{place}的{0}以{thing}闻名，{1}和{2}也是。",
    "昨天，{0}在{place}介绍了{1}的{thing}，{2}没有来。",
    "说到{thing}，人们常常想起{0}、{1}和{place}的{2}。",
    "{0}与{1}的合作从{place}开始，后来{2}也加入了。",
)
OPEN = """import sys, time; from pathlib import Path
from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase
start = time.perf_counter(); KnowledgeBase(Path(sys.argv[1])); print(time.perf_counter() - start)"""

Choose = Callable[[str, Sequence[str]], str]  # (text, ids that a name in it may have) -> one of them


class Names:
    """The names of a base: what each may mean, and how often it is a mention."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        seen: Counter[str] = Counter()
        for entity in entities:
            for alias in (Alias(entity.name), *entity.aliases):
                if name := fold(alias.name):
                    counts[name][entity.id] += alias.count
                    seen[name] = max(seen[name], alias.occurrences)
        self.ids = {name: tuple(id for id, _ in found.most_common()) for name, found in counts.items()}
        self.shares = {name: counts[name].total() / times for name, times in seen.items() if times}  # that are mentions

    def choices(self, text: LabelledText, choose: Choose) -> list[Choice]:
        choices = []
        for mention in text.mentions:
            if mention.is_linked:
                ids = self.ids.get(fold(mention.mention), ())
                choices.append(Choice(mention.id, choose(text.text, ids) if ids else None, ids))
        return choices


def longest_matches(text: str, names: Names, known: marisa_trie.Trie) -> list[Record]:
    """The mentions of a text. known: the names that are looked for."""
    text = normalize(text)
    places = range(len(text))
    found = [(start, name) for start in places for name in known.prefixes(text[start : start + LONGEST_NAME])]
    is_taken = [False] * len(text)
    mentions = []
    for start, name in sorted(found, key=lambda item: (-len(item[1]), item[0])):
        end = start + len(name)
        if not any(is_taken[start:end]):
            is_taken[start:end] = [True] * len(name)
            mentions.append({"start": start, "end": end, "id": names.ids[name][0]})
    return mentions


def first(text: str, ids: Sequence[str]) -> str:
    return ids[0]


def overlap(entities: Iterable[Entity], generator: random.Random) -> Choose:
    characters = {}
    for entity in entities:
        facts = (part for fact in entity.facts for part in (fact.predicate, fact.object))
        names = (entity.name, *(alias.name for alias in entity.aliases))
        characters[entity.id] = set(normalize("".join((*names, *entity.types, *facts, entity.description))))

    def choose(text: str, ids: Sequence[str]) -> str:
        own = set(normalize(text))
        return max(ids, key=lambda id: (len(characters[id] & own), generator.random()))

    return choose


def show(name: str, results: dict[str, Any], columns: Iterable[str] = tuple(COLUMNS.values())) -> None:
    cells = {column: f"{100 * results[column]:.1f}" for column in columns if results[column] is not None}
    if "f1" in cells:
        low, high = results["interval"]["f1"]
        cells["f1"] += f" [{100 * low:.1f}, {100 * high:.1f}]"
    print(f"| {name} | {' | '.join(cells.get(column, '–') for column in COLUMNS.values())} |", flush=True)


def show_matches(name: str, texts: Sequence[LabelledText], names: Names, known: Iterable[str]) -> None:
    trie, scores = marisa_trie.Trie(known), Scores()
    for text in texts:
        scores.add_text(text, longest_matches(text.text, names, trie), names.choices(text, first))
    show(name, scores.results())


def show_choices(name: str, texts: Sequence[LabelledText], names: Names, choose: Choose) -> None:
    scores = Scores()
    for _ in range(DRAWS):
        for text in texts:
            scores.add_text(text, (), names.choices(text, choose))
    show(name, scores.rates(), ACCURACIES)


def show_model(model: str, records: Sequence[Record], kb: str) -> None:
    linker: Any = loader.load(model, task="linking", device="cpu", threads=1)
    linker = linker.with_settings(base=open_base(kb, linker))
    scores = Scores()
    for record, answer, choices in zip(records, linker.predict(records), linker.choose(records), strict=True):
        scores.add_text(read_labelled_text(record), answer["mentions"], choices)
    show(model, scores.results())


def quality(test: str, kb: str, model: str) -> None:
    entities = list(read_entities(kb))
    records = [record for _, record in read_records([test], "linking")]
    texts = linked_by_id(map(read_labelled_text, records), entities)
    names = Names(entities)
    mentions = sum(len(text.mentions) for text in texts)
    print(f"{len(texts):,} texts, {mentions:,} mentions; {len(entities):,} entities, {len(names.ids):,} names\n")
    print(f"| system | {' | '.join(COLUMNS)} |\n|---{'|---' * len(COLUMNS)}|")
    show_matches("longest match", texts, names, names.ids)
    if mostly := [name for name, share in names.shares.items() if share >= MOSTLY]:
        show_matches("longest match of names that are mostly mentions", texts, names, mostly)
    generator = random.Random(0)
    show_choices("random", texts, names, lambda text, ids: generator.choice(ids))
    show_choices("character overlap", texts, names, overlap(entities, generator))
    try:
        show_model(model, records, kb)
    except KexueError as error:
        print(f"no row for {model}: {error}", file=sys.stderr)


def made_up(number: int) -> Record:
    """An entity of a base."""
    draw = random.Random(number)
    turn, place_in_turn = divmod(number, len(NAME_OF))
    digits = STEP * (len(set(NAME_OF)) * turn + NAME_OF[place_in_turn])
    parts = []
    for entries in (tuple(KINDS), SYLLABLES, SYLLABLES, ("", *SYLLABLES)):
        digits, digit = divmod(digits, len(entries))
        parts.append(entries[digit])
    end, *syllables = parts
    name = "".join(syllables) + end
    place, thing, kind = (draw.choice(entries) for entries in (PLACES, THINGS, KINDS[end]))
    facts = {"地区": place, "年份": f"{draw.randrange(1900, 2025)}年", "特色": thing}
    return {
        "id": f"E{number}",
        "name": name,
        "types": [kind],
        "facts": [{"predicate": predicate, "object": object} for predicate, object in facts.items()],
        "description": f"{name}是{place}的一个{kind}，以{thing}闻名。",
    }


def made_up_texts(size: int) -> list[str]:
    """Texts with names of the first *size* entities; place and thing are those of one of them."""
    draw = random.Random(0)
    texts = []
    for number in range(TEXTS):
        entities = [made_up(draw.randrange(size)) for _ in range(3)]
        place, _, thing = (fact["object"] for fact in entities[draw.randrange(3)]["facts"])
        names = (entity["name"] for entity in entities)
        texts.append(SENTENCES[number % len(SENTENCES)].format(*names, place=place, thing=thing))
    return texts


@dataclass(frozen=True)
class Process:
    """What a process took."""

    seconds: float
    cpu_seconds: float
    megabytes: float  # of memory, at most

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.cpu_seconds:.2f} of them CPU, {self.megabytes:.0f} MB of memory"


def run(command: Sequence[str]) -> Process:
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)  # the resource module knows only the largest of all children so far
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Process(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def speed(size: int, model: str, runs: int, folder: Path) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # processes that are started inherit it
    base, output = folder / "base.jsonl", folder / "links.jsonl"
    with base.open("wb") as file:
        file.writelines(dump(made_up(number)) for number in range(size))
    texts = made_up_texts(size)

    def predict(texts: Sequence[str]) -> Process:
        lines = folder / "texts.txt"
        lines.write_text("".join(text + "\n" for text in texts), "utf-8")
        command = [sys.executable, "-m", "kexue_cli", "predict", "linking", "--text", str(lines), "--kb", str(base)]
        return run([*command, "-m", model, "-o", str(output), "--device", "cpu", "--quiet"])

    print(f"{model}, {size:,} entities, {base.stat().st_size / 1e6:.0f} MB; whole processes on one core\n", flush=True)
    print(f"first use of the base, one text: {predict(texts[:1])}", flush=True)
    print(f"later use, one text: {predict(texts[:1])}", flush=True)
    opened = [sys.executable, "-c", OPEN, f"{base}{SUFFIX}"]
    milliseconds = statistics.median(1000 * float(subprocess.check_output(opened)) for _ in range(runs))
    print(f"opening the compiled base: {milliseconds:.1f} ms", flush=True)
    for _ in range(runs):
        took = predict(texts)
        found = [mention for _, record in read_records([str(output)], "linking") for mention in record["mentions"]]
        linked = sum(mention["id"] is not None for mention in found)
        print(f"{len(texts):,} texts of {statistics.mean(map(len, texts)):.0f} characters: {took}; {len(found):,} "
              f"mentions, {linked:,} of them linked; {len(found) / took.seconds:,.0f} mentions/s, "
              f"{len(found) / took.cpu_seconds:,.0f} per CPU second", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", nargs="?", metavar="TEST")
    parser.add_argument("--kb", metavar="FILE")
    parser.add_argument("-m", "--model", default="dgcnn-linking")
    parser.add_argument("--base-size", type=int, metavar="N", help="only the speed, with so many entities")
    parser.add_argument("--runs", type=int, default=3, help="of the speed")
    options = parser.parse_args()
    if options.base_size:
        try:
            with tempfile.TemporaryDirectory() as folder:
                speed(options.base_size, options.model, options.runs, Path(folder))
        except subprocess.CalledProcessError as error:  # it has told why
            parser.exit(1, f"no speed of {options.model}: kexue ended with {error.returncode}\n")
    elif not (options.test and options.kb):
        parser.error("TEST and --kb are needed, or --base-size")
    else:
        quality(options.test, options.kb, options.model)


if __name__ == "__main__":
    main()
