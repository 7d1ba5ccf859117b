"""The metric of triples, on triples few enough to count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import RecordError
from kexue_cli.tasks.triples.metrics import Counts, Scores, count, is_alike, read_aliases
from kexue_cli.tasks.triples.records import Triple

NAMES = st.sampled_from(["鲁迅", "鲁迅先生", "周树人", "《呐喊》", "呐喊", "ＤＮＡ", "dna"])
TRIPLES = st.lists(st.builds(Triple, NAMES, st.sampled_from(["作者", "出版社"]), NAMES), max_size=6)
ALIASES = {"鲁迅": frozenset({"周树人"}), "呐喊": frozenset({"鲁迅的小说集"})}


def triples(*written: str) -> list[Triple]:
    """Triples from "subject predicate object"."""
    return [Triple(*parts.split()) for parts in written]


def total(predicted: list[Triple], gold: list[Triple], aliases=None) -> Counts:
    return Scores(aliases or {}).add(predicted, gold)


def test_a_triple_is_right_if_all_three_parts_are():
    gold = triples("呐喊 作者 鲁迅")

    assert total(triples("呐喊 作者 鲁迅"), gold).right == 1
    for other in ("彷徨 作者 鲁迅", "呐喊 主角 鲁迅", "呐喊 作者 巴金", "鲁迅 作者 呐喊"):
        assert total(triples(other), gold).right == 0


@pytest.mark.parametrize("subject", ["ＤＮＡ", "dna", "DNA"])
def test_width_and_case_of_names_do_not_count(subject):
    assert total([Triple(subject, "發現者", "沃森")], [Triple("DNA", "發現者", "沃森")]).right == 1


def test_script_of_names_does_not_count():
    assert total(triples("吶喊 作者 魯迅"), triples("呐喊 作者 鲁迅")).right == 1


def test_a_triple_counts_once_wherever_it_stands():
    found = [Triple("呐喊", "作者", "鲁迅", subject_start=start) for start in (1, 20)]
    gold = [Triple("呐喊", "作者", "鲁迅", "图书作品", "人物"), Triple("呐喊", "作者", "鲁迅")]

    assert total(found, gold) == Counts(gold=1, predicted=1, right=1, relaxed=1)


def test_the_counts_of_a_text_by_predicate():
    found = triples("呐喊 作者 鲁迅", "家 作者 鲁迅", "鲁迅 出生地 绍兴")
    gold = triples("呐喊 作者 鲁迅", "家 作者 巴金", "家 出版社 开明书店")

    assert count(found, gold) == {
        "作者": Counts(gold=2, predicted=2, right=1, relaxed=1),
        "出版社": Counts(gold=1, predicted=0, right=0, relaxed=0),
        "出生地": Counts(gold=0, predicted=1, right=0, relaxed=0),
    }


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("鲁迅", "鲁迅先生", True),  # twice as long
        ("鲁迅", "鲁迅的呐喊", False),  # more than twice
        ("呐喊", "《呐喊》", True),
        ("1936年", "1937年", False),
        ("人民文学", "文学出版社", False),  # they overlap, but neither contains the other
        ("鲁迅", "鲁迅", True),
        ("", "鲁", False),
    ],
)
def test_names_are_alike_if_one_contains_the_other_and_is_at_most_twice_as_long(one, other, expected):
    assert is_alike(one, other) is is_alike(other, one) is expected


def test_a_relaxed_triple_needs_both_names_alike_and_the_same_predicate():
    gold = triples("呐喊 作者 鲁迅")

    assert total(triples("《呐喊》 作者 鲁迅先生"), gold) == Counts(1, 1, 0, 1)
    assert total(triples("《呐喊》 作者 周树人"), gold) == Counts(1, 1, 0, 0)
    assert total(triples("《呐喊》 主角 鲁迅先生"), gold) == Counts(1, 1, 0, 0)


def test_a_gold_triple_makes_one_predicted_triple_right():
    found = triples("呐喊 作者 鲁迅", "《呐喊》 作者 鲁迅")

    assert total(found, triples("呐喊 作者 鲁迅")) == Counts(gold=1, predicted=2, right=1, relaxed=1)


def test_gold_triples_are_shared_out_so_that_most_predictions_are_right():
    # 鲁迅先生 agrees with both gold triples, 鲁迅先生的 with 鲁迅先生 only: the first must leave it that one
    found = triples("呐喊 作者 鲁迅先生", "呐喊 作者 鲁迅先生的")
    gold = triples("呐喊 作者 鲁迅先生", "呐喊 作者 鲁迅")

    assert total(found, gold).relaxed == 2


def test_with_aliases_either_name_is_right():
    assert total(triples("呐喊 作者 周树人"), triples("呐喊 作者 鲁迅")).right == 0
    assert total(triples("呐喊 作者 周树人"), triples("呐喊 作者 鲁迅"), ALIASES) == Counts(1, 1, 1, 1)
    assert total(triples("呐喊 作者 鲁迅"), triples("鲁迅的小说集 作者 周树人"), ALIASES).right == 1
    assert total(triples("呐喊 作者 巴金"), triples("呐喊 作者 鲁迅"), ALIASES).right == 0


def test_two_names_for_one_gold_triple_are_one_right_and_one_wrong():
    found = triples("呐喊 作者 鲁迅", "呐喊 作者 周树人")

    assert total(found, triples("呐喊 作者 鲁迅"), ALIASES) == Counts(1, 2, 1, 1)


def test_aliases_are_lines_with_tabs(tmp_path):
    (tmp_path / "aliases.txt").write_text("鲁迅\t周树人\t豫才\n# 注释\n\nＤＮＡ\t脱氧核糖核酸 \n鲁迅\t迅哥\n", "utf-8")

    assert read_aliases(str(tmp_path / "aliases.txt")) == {
        "鲁迅": {"周树人", "豫才", "迅哥"},
        "dna": {"脱氧核糖核酸"},
    }


@pytest.mark.parametrize("line", ["鲁迅", "鲁迅\t", "鲁迅 周树人"])
def test_a_name_without_an_alias_is_an_error_with_its_line(tmp_path, line):
    (tmp_path / "aliases.txt").write_text(f"巴金\t李尧棠\n{line}\n", "utf-8")

    with pytest.raises(RecordError, match=r"aliases\.txt:2: .* has no alias; allowed: "):
        read_aliases(str(tmp_path / "aliases.txt"))


def test_only_given_predicates_are_scored():
    scores = Scores()

    counts = scores.add(triples("呐喊 作者 鲁迅", "鲁迅 国籍 中国"), triples("家 作者 巴金", "家 体裁 小说"), {"作者"})

    assert counts == Counts(gold=1, predicted=1)
    assert list(scores.results()["by_predicate"]) == ["作者"]


def example() -> Scores:
    """Three texts: 4 gold triples, 5 predicted, 2 right, and one more when relaxed."""
    scores = Scores()
    scores.add(triples("呐喊 作者 鲁迅", "鲁迅 出生地 绍兴"), triples("呐喊 作者 鲁迅", "鲁迅 出生地 绍兴市"))
    scores.add(triples("家 作者 巴金", "家 作者 老舍"), triples("家 作者 巴金", "家 出版社 开明书店"))
    scores.add(triples("春 作者 巴金"), [])
    return scores


def test_scores_are_sums_over_texts():
    results = example().results()

    assert list(results) == ["precision", "recall", "f1", "relaxed", "by_predicate", "interval"]
    assert (results["precision"], results["recall"], results["f1"]) == (2 / 5, 2 / 4, 2 * 2 / (5 + 4))
    assert results["relaxed"] == {"precision": 3 / 5, "recall": 3 / 4, "f1": 2 * 3 / (5 + 4)}
    assert example().rates() == {name: results[name] for name in ("precision", "recall", "f1")}


def test_each_predicate_has_scores_and_the_most_frequent_comes_first():
    assert list(example().results()["by_predicate"].items()) == [
        ("作者", {"gold": 2, "predicted": 4, "right": 2, "precision": 1 / 2, "recall": 1.0, "f1": 4 / 6}),
        ("出版社", {"gold": 1, "predicted": 0, "right": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}),
        ("出生地", {"gold": 1, "predicted": 1, "right": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}),
    ]


def test_each_score_has_an_interval_around_it():
    results, again = example().results(seed=3), example().results(seed=3)

    intervals = results["interval"]
    assert intervals == again["interval"]
    for values, bounds in ((results, intervals), (results["relaxed"], intervals["relaxed"])):
        for name in ("precision", "recall", "f1"):
            low, high = bounds[name]
            assert 0 <= low <= values[name] <= high <= 1
            assert low < high


def test_where_there_is_nothing_scores_are_0():
    zeros = {"precision": 0.0, "recall": 0.0, "f1": 0.0}

    assert Scores().results() == {**zeros, "relaxed": zeros, "by_predicate": {}, "interval": {"relaxed": {}}}
    scores = Scores()
    assert scores.add([], []).wrong == 0
    assert scores.rates() == zeros


@given(TRIPLES, TRIPLES)
def test_exact_matches_are_what_two_sets_share(predicted, gold):
    ours, theirs = ({(t.subject.replace("ＤＮＡ", "dna"), t.predicate, t.object.replace("ＤＮＡ", "dna")) for t in side}
                    for side in (predicted, gold))  # fmt: skip

    assert total(predicted, gold)[:3] == (len(theirs), len(ours), len(ours & theirs))


@given(TRIPLES, TRIPLES, st.randoms())
def test_the_order_of_triples_changes_nothing(predicted, gold, random):
    shuffled = random.sample(predicted, len(predicted)), random.sample(gold, len(gold))

    assert count(*shuffled, ALIASES) == count(predicted, gold, ALIASES)


@given(TRIPLES, TRIPLES)
def test_aliases_and_relaxing_only_add_and_never_beyond_what_is_there(predicted, gold):
    exact, with_aliases = total(predicted, gold), total(predicted, gold, ALIASES)

    assert exact.right <= with_aliases.right <= with_aliases.relaxed <= min(exact.gold, exact.predicted)
    assert exact.right <= exact.relaxed <= with_aliases.relaxed


@given(TRIPLES, TRIPLES)
def test_predicted_and_gold_may_be_exchanged(predicted, gold):
    one, other = total(predicted, gold, ALIASES), total(gold, predicted, ALIASES)

    assert (one.right, one.relaxed) == (other.right, other.relaxed)


def test_a_text_is_right_if_nothing_is_missing_and_nothing_too_much():
    one, two = triples("呐喊 作者 鲁迅"), triples("呐喊 作者 鲁迅", "鲁迅 出生地 绍兴")

    assert total(two, two).wrong == 0
    assert total(one, two).wrong == 1
    assert total(two, one).wrong == 1


@given(TRIPLES)
def test_what_is_gold_is_right(gold):
    assert total(gold, gold).wrong == 0
