"""Thresholds that are best for texts read by an extractor that one can follow; see extractors.py."""

from dataclasses import asdict
from itertools import product

import pytest

import kexue_cli
from kexue_cli.tasks.triples.calibration import BELOW, LOW, POINTERS, SCORES, calibrated
from kexue_cli.tasks.triples.config import LIKELIEST, OBJECTS, SUBJECTS
from kexue_cli.tasks.triples.records import LabelledText, Triple
from kexue_cli.tasks.triples.rules import Drop, Rules
from kexue_cli.tasks.triples.trainee import score


@pytest.fixture
def task(little_extractor):
    return kexue_cli.load(str(little_extractor))


def written(text, *pairs, labelled=None):
    """A text with its triples, all of them about authors: "呐喊 鲁迅"."""
    triples = (pair.split() for pair in pairs)
    return LabelledText(text, tuple(Triple(book, "作者", author) for book, author in triples), labelled)


def thresholds(decoding):
    """The least pointers of subjects and of objects, and the least score."""
    assert decoding.subject_start - decoding.subject_end == pytest.approx(BELOW)
    assert decoding.object_start - decoding.object_end == pytest.approx(BELOW)
    return decoding.subject_start, decoding.object_start, decoding.threshold


def best_of(task, *texts):
    """The thresholds that are best, and their F1."""
    decoding = calibrated(task, texts)
    return thresholds(decoding), score(task.with_settings(**asdict(decoding)), texts)["f1"]


# ------------------------------------------------------------- by hand


def test_objects_that_are_wrong_are_shut_out(task):
    # of the subject 呐喊 with .9 and .9; 鲁迅 has the same, 巴金 .65 and .55, 茅盾 .55 and .9: scores .81, .54 and .63
    assert best_of(task, written("《呐喊》鲁迅，巴金，茅盾", "呐喊 鲁迅")) == ((0.2, 0.2, 0.65), 1)


def test_subjects_that_are_wrong_are_shut_out(task):
    # 家 has .45 and .45: 家 作者 鲁迅 has the score .405, 呐喊 作者 鲁迅 .81
    assert best_of(task, written("大家读鲁迅的《呐喊》", "呐喊 鲁迅")) == ((0.2, 0.2, 0.45), 1)


def test_subjects_that_are_right_are_let_in(task):
    text = written("鲁迅不是《家》的作者，但这里要算是", "家 鲁迅")
    assert score(task, [text])["f1"] == 0

    assert best_of(task, text) == ((0.2, 0.2, 0), 1)


def test_where_texts_disagree_the_most_triples_decide(task):
    # twice 家 is a book, once it is not: 2 * 3 / (4 + 3) with it is more than 2 * 1 / (1 + 3) without
    texts = [written("《家》鲁迅", "家 鲁迅")] * 2 + [written("大家，《呐喊》，鲁迅", "呐喊 鲁迅")]

    assert best_of(task, *texts) == ((0.2, 0.2, 0), pytest.approx(6 / 7))


def test_predicates_that_a_text_is_not_labelled_for_do_not_count(task):
    text = "《呐喊》的作者鲁迅生于绍兴"  # 鲁迅 出生地 绍兴 is found, and neither right nor wrong
    texts = [written(text, "呐喊 鲁迅", labelled=frozenset(["作者"])), written("大家，鲁迅")]

    assert best_of(task, *texts) == ((0.2, 0.2, 0.45), 1)


def test_rules_are_heeded(task):
    without = Rules(drop=(Drop(object_ends=("金", "盾")),))
    text = written("《呐喊》鲁迅，巴金，茅盾", "呐喊 鲁迅")

    decoding = calibrated(task.with_settings(rules=without), [text])

    assert thresholds(decoding) == (0.2, 0.2, 0)  # no threshold need do what the rule does


class Doubtful:
    """A network whose pointers are a sixth of another's."""

    device = "cpu"

    def __init__(self, network):
        self.network = network

    def __call__(self, inputs):
        outputs = self.network(inputs)
        return {name: array / 6 if name in (SUBJECTS, OBJECTS) else array for name, array in outputs.items()}


def test_where_the_networks_are_never_sure_the_likeliest_ends_and_low_scores_are_taken(task):
    texts = [written("《呐喊》鲁迅，巴金", "呐喊 鲁迅")]
    doubtful = task.with_settings(longest_name=9)
    doubtful.networks = {name: Doubtful(network) for name, network in task.networks.items()}

    decoding = calibrated(doubtful, texts)

    # all pointers are below .2: those of 呐喊 and 鲁迅 .15, a score of .0225; those of 巴金 .11 and .09, one of .015
    assert (decoding.ends, decoding.threshold) == (LIKELIEST, 0.02)
    assert {decoding.subject_start, decoding.subject_end, decoding.object_start, decoding.object_end} == {LOW}


# ------------------------------------------------------------- what stays


def test_the_other_settings_stay(task):
    decoding = calibrated(task.with_settings(longest_name=5), [written("《呐喊》鲁迅", "呐喊 鲁迅")])

    assert decoding.longest_name == 5


def test_no_thresholds_that_were_tried_are_better_than_those_that_were_chosen(task):
    texts = [
        written("大家读《呐喊》，鲁迅、巴金和茅盾", "呐喊 鲁迅", "呐喊 巴金"),
        written("《家》巴金，茅盾", "家 巴金"),
        written("《彷徨》茅盾，鲁迅", "彷徨 鲁迅"),
    ]

    _, best = best_of(task, *texts)

    for subject, object, least in product(POINTERS, POINTERS, SCORES):
        settings = {"subject_start": subject, "subject_end": subject - BELOW,
                    "object_start": object, "object_end": object - BELOW}  # fmt: skip
        assert score(task.with_settings(**settings, threshold=least), texts)["f1"] <= best + 1e-9


def test_a_long_text_is_judged_by_its_first_window(task):
    text = "《呐喊》鲁迅" + "，" * 100 + "茅盾"  # the window ends at 64

    assert thresholds(calibrated(task, [written(text, "呐喊 鲁迅")])) == (0.2, 0.2, 0)


@pytest.mark.parametrize("texts", [[], [written("")], [written("今天天气很好")]], ids=["none", "empty", "no triples"])
def test_where_nothing_can_be_learned_the_thresholds_stay_what_they_are(task, texts):
    assert calibrated(task, texts) == task.decoding
