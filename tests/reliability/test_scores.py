"""Our scores are those of the published definitions, on 10,000 random pairs of an answer and a gold one.

Each definition is written here once more, as literally as it can be read and without any of the code it is compared
with. The official programs themselves are not shipped: some have no licence.
"""

import random
import unicodedata

import pytest

from kexue_cli.segmentation import metrics as segmentation
from kexue_cli.tasks.linking import metrics as linking
from kexue_cli.tasks.qa import metrics as qa
from kexue_cli.tasks.triples import metrics as triples
from kexue_cli.tasks.triples.records import Triple

PAIRS = 10_000
CLOSE = pytest.approx


def f1(right: float, answered: float, gold: float) -> float:
    precision = right / answered if answered else 0
    recall = right / gold if gold else 0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


# ------------------------------------------------------------- segmentation: SIGHAN 2005


def cut(draw: random.Random, text: str) -> list[str]:
    """Return a text cut at random places."""
    places = [place for place in range(1, len(text)) if draw.random() < 0.5]
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def words_right(gold: list[str], answer: list[str]) -> int:
    """Return how many gold words the answer has, walking along both as one reads: a word is right if both its ends are.

    Emerson (2005), The Second International Chinese Word Segmentation Bakeoff. Its script aligns the words of both
    with diff, which finds the most words in common; where texts are equal, as here, that is these but for ties.
    """
    right = ours = theirs = 0
    answered = list(answer)
    for word in gold:
        while answered and theirs < ours:
            theirs += len(answered.pop(0))
        if answered and theirs == ours and answered[0] == word:
            right += 1
        ours += len(word)
    return right


def test_segmentation_is_scored_as_in_the_bakeoff():
    draw = random.Random(1)
    scores = segmentation.Scores()
    right = answered = given = unknown = unknown_right = 0
    known = frozenset("我爱北京天安门") | {"北京", "我爱"}
    for _ in range(PAIRS):
        text = "".join(draw.choices("我爱北京天安门", k=draw.randint(1, 12)))
        gold, answer = cut(draw, text), cut(draw, text)
        scores.add(gold, answer, known)
        right, answered, given = right + words_right(gold, answer), answered + len(answer), given + len(gold)
        ends = {sum(map(len, answer[: place + 1])): len(answer[place]) for place in range(len(answer))}
        for place, word in enumerate(gold):
            if word not in known:
                unknown += 1
                unknown_right += ends.get(sum(map(len, gold[: place + 1]))) == len(word)
    results = scores.results(has_known=True)

    assert results["precision"] == CLOSE(right / answered, abs=1e-9)
    assert results["recall"] == CLOSE(right / given, abs=1e-9)
    assert results["f1"] == CLOSE(f1(right, answered, given), abs=1e-9)
    assert results["oov_rate"] == CLOSE(unknown / given, abs=1e-9)
    assert results["oov_recall"] == CLOSE(unknown_right / unknown, abs=1e-9)


# ------------------------------------------------------------- question answering: CIPS-SOGOU, WebQA


def bare(text: str) -> str:
    """Return a text narrow, in lower case, without white space and punctuation, of which the list is ours."""
    kept = [one for one in text if not one.isspace()]
    words = [one for one in kept if unicodedata.category(one)[0] not in "PS"]
    return "".join(unicodedata.normalize("NFKC", one) if "！" <= one <= "～" else one for one in words or kept).lower()


def sogou(prediction: str, answers: list[str]) -> tuple[float, float]:
    """Return exact match and F1 of one answer, as https://kexue.fm/archives/5409 tells of the contest's program."""
    best = 0.0
    for answer in answers:
        ours, theirs = bare(prediction), bare(answer)
        if ours == theirs or {bare(part) for part in prediction.split()} == {bare(part) for part in answer.split()}:
            return 1.0, 1.0
        rest, shared = list(theirs), 0
        for one in ours:
            if one in rest:
                rest.remove(one)
                shared += 1
        best = max(best, f1(shared, len(ours), len(theirs)))
    return 0.0, best


def test_answers_are_scored_as_in_the_contest():
    draw = random.Random(2)
    scores = qa.Scores()
    expected = []

    def text() -> str:
        some = draw.choices("鲁迅周树人ＡAbB１1，。《》 +-　", k=draw.randint(1, 6))
        return "".join(some).strip() or "鲁"

    for _ in range(PAIRS):
        answers = [text() for _ in range(draw.randint(1, 3))]
        prediction = draw.choice([*answers, " ".join(reversed(answers[0].split())), text(), text()])
        scores.add(prediction, answers)
        expected.append(sogou(prediction, answers))
    for found, right in zip(zip(scores.exact_match, scores.f1, strict=True), expected, strict=True):
        assert abs(found[0] - right[0]) + abs(found[1] - right[1]) < 1e-9
    results = scores.results()
    exact, shared = (sum(column) / PAIRS for column in zip(*expected, strict=True))

    assert (results["exact_match"], results["f1"], results["score"]) == CLOSE(
        (exact, shared, (exact + shared) / 2), abs=1e-9
    )


# ------------------------------------------------------------- triples: LIC2019


def lic(predicted: list[Triple], gold: list[Triple], aliases: dict[str, set[str]]) -> tuple[int, int, int]:
    """Return right, predicted and gold of a text, as the description of LIC2019 says: a triple is right if the gold
    set has its subject, predicate and object, in lower case, or one of their aliases. Where we differ: the contest's
    script takes 《》 away, and lets several predicted triples be right by one gold triple and its aliases.
    """
    ours = {(one.subject.lower(), one.predicate, one.object.lower()) for one in predicted}
    theirs = {(one.subject.lower(), one.predicate, one.object.lower()) for one in gold}
    right = 0
    left = set(theirs)
    for subject, predicate, object in sorted(ours):
        if (subject, predicate, object) in left:
            left.discard((subject, predicate, object))
            right += 1
    for subject, predicate, object in sorted(ours - theirs):
        for other in sorted(left):
            same = [one == two or two in aliases.get(one, ()) or one in aliases.get(two, ())
                    for one, two in ((subject, other[0]), (object, other[2]))]  # fmt: skip
            if predicate == other[1] and all(same):
                left.discard(other)
                right += 1
                break
    return right, len(ours), len(theirs)


def random_triples(draw: random.Random, names: list[str]) -> list[Triple]:
    return [
        Triple(draw.choice(names), draw.choice(["作者", "主演"]), draw.choice(names)) for _ in range(draw.randint(0, 4))
    ]


@pytest.mark.parametrize("aliases", [{}, {"鲁迅": {"周树人"}}], ids=["names", "aliases"])
def test_triples_are_scored_as_in_the_contest(aliases):
    draw = random.Random(3)
    scores = triples.Scores({name: frozenset(others) for name, others in aliases.items()})
    right = predicted = gold = 0
    names = ["鲁迅", "周树人", "呐喊"] if aliases else ["鲁迅", "呐喊", "ABC", "abc"]
    for _ in range(PAIRS):
        found, told = random_triples(draw, names), random_triples(draw, names)
        if aliases:
            told = [one for one in told if "周树人" not in (one.subject, one.object)]
            found = [one for one in found if "鲁迅" not in (one.subject, one.object)]
        scores.add(found, told)
        counts = lic(found, told, aliases)
        right, predicted, gold = right + counts[0], predicted + counts[1], gold + counts[2]
    rates = scores.rates()

    assert (rates["precision"], rates["recall"]) == CLOSE((right / predicted, right / gold), abs=1e-9)
    assert rates["f1"] == CLOSE(f1(right, predicted, gold), abs=1e-9)


# ------------------------------------------------------------- linking: CCKS2019


def ccks(found: list[linking.Link], gold: list[linking.Link]) -> tuple[int, int, int]:
    """Return the links that are right, found and gold, as https://kexue.fm/archives/6919 has them: NIL is left out."""
    ours = {(one.start, one.end, one.id) for one in found if one.id is not None}
    theirs = {(one.start, one.end, one.id) for one in gold if one.id is not None}
    return sum(one in theirs for one in ours), len(ours), len(theirs)


def test_links_are_scored_as_in_the_contest():
    draw = random.Random(4)
    scores = linking.Scores()
    right = found_links = gold_links = 0

    def links() -> list[linking.Link]:
        starts = [draw.randint(0, 5) for _ in range(draw.randint(0, 4))]
        return [linking.Link(start, start + draw.randint(1, 2), draw.choice(["E1", "E2", None])) for start in starts]

    for _ in range(PAIRS):
        found, gold = links(), links()
        scores.add(gold, found, [])
        counts = ccks(found, gold)
        right, found_links, gold_links = right + counts[0], found_links + counts[1], gold_links + counts[2]
    rates = scores.rates()

    assert (rates["precision"], rates["recall"]) == CLOSE((right / found_links, right / gold_links), abs=1e-9)
    assert rates["f1"] == CLOSE(f1(right, found_links, gold_links), abs=1e-9)
