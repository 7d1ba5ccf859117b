"""Question answering: a reader beside three simple systems, on the same questions in the same run.

    python benchmarks/question_answering.py FILE... [-m dgcnn-qa] [--without TRAINING_FILE...]

Exact match and character F1 (kexue_cli/tasks/qa/metrics.py) in percent with 95 % bootstrap intervals over questions.
Each FILE has any form that ``kexue evaluate qa`` reads. The systems, each with its best over all passages:

clause     the clause that shares most characters with the question; 12 characters where no punctuation parts the text
rare word  the word that is not in the question with the highest idf x closeness to the question's words (jieba.cut)
rules      what the question asks for (person, place, time, number, a kind of thing) by regular expressions; of the
           candidates by jieba's parts of speech the best by the same idf x closeness; if there is none, the rare word
MODEL      kexue_cli.load(MODEL).predict on one thread of the processor

The idf is that of the passages of FILE itself; answers are not looked at. The expressions and constants of the rules
were chosen on 800 training questions of WebQA. With --without, there is a second table for each FILE, of the questions
that are no near-duplicates of one in the training files (Jaccard similarity of their pairs of characters below 0.6).
Speed is questions per CPU second of this process, over all questions, with neither loading nor the counting of idf.
"""

import argparse
import logging
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jieba
import jieba.posseg

import kexue_cli
from kexue_cli.datasets.reader import read_records
from kexue_cli.errors import KexueError
from kexue_cli.tasks.qa.metrics import Scores
from kexue_cli.tasks.qa.records import read_question

NEAR_DUPLICATE = 0.6
WINDOW = 12  # characters of a "clause" in a text without punctuation
FAR = 3  # characters at which a word of the question counts half
CLAUSE_ENDS = re.compile(r"[，。；：！？,;:!?\n]+")

QUESTION_TYPES = {  # the first that is found in the question counts; 那 is a common slip for 哪
    "time": re.compile("[哪那]一?[年天]|何[时年]|什么时[候间]|几月|几[日号]|什么年代"),
    "number": re.compile("多少|几(?!乎)|多[高长大重远深宽久]"),
    "person": re.compile(
        "谁|[哪那]一?[位名]|哪个人|[什何]么?人|[哪那]个.{0,4}(?<!国)[家人星手员帝]"
        "|(?:作者|导演|演员|[^国大][家人星手帝者]|妻子|丈夫|老婆|儿子|女儿|[哥弟姐妹]+|父亲|母亲)(?:[叫是为]|$)"
    ),
    "place": re.compile(
        "[哪那][里儿国]|何[处地]|什么地方|[哪那]一?[个座]?(?:国|省|城|市|州|洲|县|区|地)|位于|首都|省会"
        "|(?:国家|城市|产地|省)(?:在哪|[叫是为在]|$)"
    ),
}
KIND = re.compile("(?:什么|[哪那]一?[个种部本首家所支只条座届])(.+)|(.+?)(?:[叫是为]+(?:什么|哪个|指)?的?)?[?？]?$")
JOINED = {("m", "m"), ("m", "q"), ("nr", "nr")}
TAGS = {"person": {"nr"}, "place": {"ns"}, "kind": {"nr", "ns", "nt", "nz"}}
DIGIT = "[\\d一二三四五六七八九十零〇]"
DATE = re.compile(f"(?:公元前?)?{DIGIT}+(?:年|月|世纪)(?:{DIGIT}+[月日号])*")
TITLE = re.compile("《[^》]+》")


class Word(NamedTuple):
    text: str
    start: int
    tag: str = ""  # part of speech


class Idf:
    """How rare words are in some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        words = [set(jieba.cut(text)) for text in texts]
        self.texts = len(words)
        self.found = Counter(word for text in words for word in text)

    def __call__(self, word: str) -> float:
        return math.log((1 + self.texts) / (1 + self.found[word]))


System = Callable[[str, Sequence[str], Idf], str]  # (question, passages, idf) -> answer


def clause(question: str, passages: Sequence[str], idf: Idf) -> str:
    clauses: list[str] = []
    for text in passages:
        found = [part for part in CLAUSE_ENDS.split(text) if part]
        windows = (text[start : start + WINDOW] for start in range(max(1, len(text) - WINDOW + 1)))
        clauses += found if len(found) > 1 else windows
    return max(clauses, key=lambda part: len(set(question) & set(part)), default="")


def best_candidate(candidates: Sequence[Sequence[Word]], question: str, passages: Sequence[str], idf: Idf) -> str:
    """The candidate, of those of each passage, with the highest idf x sum of idf / distance of the question's words."""
    asked = [word for word in set(jieba.cut(question)) if re.search(r"\w", word)]
    best, answer = -1.0, ""
    for words, text in zip(candidates, passages, strict=True):
        found = [(place.span(), idf(word)) for word in asked for place in re.finditer(re.escape(word), text)]
        for word in words:
            start, end = word.start, word.start + len(word.text)
            closeness = sum(weight / (FAR + max(start - right, left - end, 0)) for (left, right), weight in found)
            score = closeness * (1 + idf(word.text))
            if score > best:
                best, answer = score, word.text
    return answer


def placed(words: Iterable[tuple[str, str]]) -> Iterator[Word]:
    start = 0
    for text, tag in words:
        yield Word(text, start, tag)
        start += len(text)


def is_new(word: Word, question: str) -> bool:
    return word.text not in question and bool(re.search(r"\w", word.text))


def rare_word(question: str, passages: Sequence[str], idf: Idf) -> str:
    words = [placed((word, "") for word in jieba.cut(text)) for text in passages]
    candidates = [[word for word in text if len(word.text) > 1 and is_new(word, question)] for text in words]
    return best_candidate(candidates, question, passages, idf)


def tagged(text: str, question: str) -> list[Word]:
    """The words of a passage, numbers with their unit and parts of a person's name as one, without tag if not new."""
    joined: list[Word] = []
    for word in placed(tuple(pair) for pair in jieba.posseg.cut(text)):
        tag = word.tag if is_new(word, question) or word.tag in ("m", "q") else ""
        if joined and (joined[-1].tag, tag) in JOINED:
            last = joined.pop()
            word = Word(last.text + word.text, last.start)
        joined.append(word._replace(tag=tag))
    return joined


def kind_of_thing(question: str) -> str:
    """The noun after 什么 or 哪个, or the last one of the question; "" if there is none."""
    found = KIND.search(question)
    words = jieba.posseg.cut(found[1] or found[2]) if found else []
    nouns = [word.word for word in words if word.flag.startswith("n")]
    return nouns[0 if found and found[1] else -1] if nouns else ""


def candidates_in(text: str, question: str) -> list[Word]:
    """What of a passage may answer a question of its type."""
    kind = next((name for name, pattern in QUESTION_TYPES.items() if pattern.search(question)), "kind")
    words = tagged(text, question)
    if kind == "time":
        dates = [Word(found[0], found.start()) for found in DATE.finditer(text)]
        return dates or [word for word in words if word.tag == "t"]
    if kind == "number":
        return [word for word in words if re.match(f"{DIGIT}|[两百千万亿]", word.text)]
    nouns = [word for word in words if word.tag.startswith("n")]
    if kind == "kind":
        noun = kind_of_thing(question)
        for ending in (noun, noun[-1:]):  # 海峡: 马六甲海峡; 大洲: 欧洲
            if ending and (found := [word for word in nouns if word.text.endswith(ending) and word.text != ending]):
                return found
    titles = [Word(found[0], found.start()) for found in TITLE.finditer(text) if kind == "kind"]
    return titles + [word for word in nouns if word.tag in TAGS[kind]] or (nouns if kind == "kind" else [])


def rules(question: str, passages: Sequence[str], idf: Idf) -> str:
    candidates = [[word for word in candidates_in(text, question) if is_new(word, question)] for text in passages]
    return best_candidate(candidates, question, passages, idf) or rare_word(question, passages, idf)


SYSTEMS: dict[str, System] = {"clause": clause, "rare word": rare_word, "rules": rules}


def pairs(text: str) -> set[str]:
    """Pairs of neighbouring characters, without punctuation and case."""
    text = re.sub(r"\W", "", text.lower())
    return {text[i : i + 2] for i in range(max(1, len(text) - 1))}


def near_duplicates(questions: Sequence[str], others: Iterable[str]) -> set[int]:
    """Which questions are nearly one of the others."""
    known = [pairs(question) for question in dict.fromkeys(others)]
    having: dict[str, list[int]] = defaultdict(list)
    for index, found in enumerate(known):
        for pair in found:
            having[pair].append(index)
    near = set()
    for i, question in enumerate(questions):
        own = pairs(question)
        rest = len(own) - math.ceil(NEAR_DUPLICATE * len(own))  # at most so many may be missing, so that of the
        rarest = sorted(own, key=lambda pair: len(having.get(pair, ())))[: rest + 1]  # rarest one more one is there
        candidates = {index for pair in rarest for index in having.get(pair, ())}
        if any(len(own & known[j]) / len(own | known[j]) >= NEAR_DUPLICATE for j in candidates):
            near.add(i)
    return near


def show(title: str, scores: dict[str, Scores], speeds: dict[str, float], kept: Sequence[int]) -> None:
    print(f"\n{title}: {len(kept)} questions\n")
    if not kept:
        return
    print("| system | exact match | character F1 | questions per CPU second |\n|---|---|---|---|")
    for name, score in scores.items():
        part = Scores([score.exact_match[i] for i in kept], [score.f1[i] for i in kept]).results()
        cells = []
        for column in ("exact_match", "f1"):
            low, high = part["interval"][column]
            cells.append(f"{100 * part[column]:.1f} [{100 * low:.1f}, {100 * high:.1f}]")
        print(f"| {name} | {' | '.join(cells)} | {speeds[name]:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("-m", "--model", default="dgcnn-qa")
    parser.add_argument("--without", nargs="+", default=[], metavar="TRAINING_FILE")
    options = parser.parse_args()
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    try:
        model = kexue_cli.load(options.model, device="cpu", threads=1)
    except KexueError as error:
        model = None
        print(f"no row for {options.model}: {error}")
    known = [record["question"] for _, record in read_records(options.without, "qa")]
    for file in options.files:
        records = [record for _, record in read_records([file], "qa")]
        questions = [read_question(record, with_answers=True) for record in records]
        texts = [[passage.text for passage in question.passages] for question in questions]
        idf = Idf({text for passages in texts for text in passages})
        scores, speeds = {}, {}
        for name in (*SYSTEMS, *([options.model] if model else [])):
            start = time.process_time()
            if name in SYSTEMS:
                paired = zip(questions, texts, strict=True)
                answers = [SYSTEMS[name](question.question, passages, idf) for question, passages in paired]
            else:
                answers = [answer["answer"] for answer in model.predict(records)]
            speeds[name] = len(questions) / (time.process_time() - start)
            scores[name] = Scores()
            for answer, question in zip(answers, questions, strict=True):
                scores[name].add(answer, question.answers)
        show(Path(file).name, scores, speeds, range(len(questions)))
        if options.without:
            near = near_duplicates([question.question for question in questions], known)
            kept = [i for i in range(len(questions)) if i not in near]
            show(f"{Path(file).name} without near-duplicates", scores, speeds, kept)


if __name__ == "__main__":
    main()
