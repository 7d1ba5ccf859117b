"""The metric of linking, on links few enough to count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.tasks.linking.metrics import Choice, Counts, Link, Scores
from kexue_cli.tasks.linking.records import LabelledText, Mention

SIX = ["mention_precision", "mention_recall", "mention_f1", "precision", "recall", "f1"]
SHARES = ["nil_accuracy", "ambiguous_accuracy", "known_accuracy", "ceiling_f1"]

# 小米 the company (K1) and the grain (K2), 苹果 the company (K3) and the fruit (K4), 李娜 the player (K5)
TEXT = "小米和苹果都请李娜代言"
XIAOMI, APPLE, LI_NA = (0, 2), (3, 5), (7, 9)

IDS = st.sampled_from([None, "K1", "K2", "K3"])
SPANS = st.sampled_from([(0, 2), (1, 2), (3, 5), (4, 7)])
LINKS = st.lists(st.builds(lambda span, id: Link(*span, id), SPANS, IDS), max_size=5, unique_by=lambda link: link.span)
CANDIDATES = st.lists(st.sampled_from(["K1", "K2", "K3"]), unique=True).map(tuple)


def rates(gold: list[Link], found: list[Link], unlinked=()) -> tuple[dict, dict]:
    """Precision, recall and F1 of mentions, and of links."""
    scores = Scores()
    scores.add(gold, found, [], unlinked)
    values = [scores.rates()[name] for name in SIX]
    names = SIX[3:]
    return dict(zip(names, values[:3], strict=True)), dict(zip(names, values[3:], strict=True))


def accuracies(*choices: Choice) -> dict:
    """The scores that are about choices."""
    scores = Scores()
    scores.add([], [], choices)
    return {name: scores.rates()[name] for name in SHARES}


def test_a_link_is_right_if_start_end_and_id_are():
    gold = [Link(*XIAOMI, "K1")]

    assert rates(gold, [Link(0, 2, "K1")])[1]["f1"] == 1
    for other in (Link(0, 2, "K2"), Link(0, 3, "K1"), Link(1, 2, "K1")):
        assert rates(gold, [other])[1]["f1"] == 0


def test_a_mention_is_right_if_its_span_is_whatever_the_id():
    gold = [Link(*XIAOMI, "K1"), Link(*APPLE, "K3")]
    found = [Link(*XIAOMI, "K2"), Link(*APPLE, "K3"), Link(*LI_NA, "K5")]

    mentions, links = rates(gold, found)

    assert mentions == {"precision": 2 / 3, "recall": 2 / 2, "f1": 4 / 5}
    assert links == {"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5}


def test_a_gold_nil_is_not_to_be_found():
    gold = [Link(*XIAOMI, "K1"), Link(*LI_NA, None)]

    assert rates(gold, [Link(*XIAOMI, "K1")]) == rates(gold[:1], [Link(*XIAOMI, "K1")])


def test_a_gold_nil_that_is_linked_is_a_wrong_link_but_no_wrong_mention():
    gold = [Link(*XIAOMI, "K1"), Link(*LI_NA, None)]

    mentions, links = rates(gold, [Link(*XIAOMI, "K1"), Link(*LI_NA, "K5")])

    assert mentions["f1"] == 1
    assert links == {"precision": 1 / 2, "recall": 1, "f1": 2 / 3}


def test_what_is_found_without_an_id_is_a_mention_but_no_link():
    gold = [Link(*XIAOMI, "K1"), Link(*LI_NA, None)]

    mentions, links = rates(gold, [Link(*XIAOMI, None), Link(*APPLE, None), Link(*LI_NA, None)])

    assert mentions == {"precision": 1 / 2, "recall": 1, "f1": 2 / 3}  # 李娜 is left out, labelled and found
    assert links == {"precision": 0, "recall": 0, "f1": 0}


def test_where_nothing_is_said_of_links_mentions_count_and_links_do_not():
    gold = [Link(*XIAOMI, "K1")]
    found = [Link(*XIAOMI, "K1"), Link(*APPLE, "K3"), Link(*LI_NA, "K5")]

    mentions, links = rates(gold, found, unlinked=[APPLE, (8, 10)])

    assert mentions == {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    assert links == {"precision": 1, "recall": 1, "f1": 1}  # 李娜 shares a character with the second span


def test_links_beside_an_unlinked_mention_count():
    counts = Scores().add([], [Link(3, 5, "K3")], [], unlinked=[(2, 3), (5, 7)])

    assert counts.found_links == 1


def test_the_same_twice_counts_once():
    counts = Scores().add([Link(*XIAOMI, "K1")] * 2, [Link(*XIAOMI, "K1")] * 3, [])

    assert counts == Counts(1, 1, 1, 1, 1, 1)


def test_known_is_a_gold_id_among_the_candidates_and_ambiguous_one_of_several():
    results = accuracies(
        Choice("K1", "K1", ("K1", "K2")),  # right
        Choice("K1", "K2", ("K1", "K2")),  # another
        Choice("K3", None, ("K4", "K3")),  # none
        Choice("K5", "K5", ("K5",)),  # right, without another candidate
    )

    assert (results["ambiguous_accuracy"], results["known_accuracy"]) == (1 / 3, 2 / 4)
    assert (results["nil_accuracy"], results["ceiling_f1"]) == (None, 1)


def test_nil_is_right_where_the_gold_id_is_none_or_no_candidate():
    results = accuracies(
        Choice(None, None, ()),  # right
        Choice(None, None, ("K1", "K2")),  # right
        Choice(None, "K1", ("K1", "K2")),  # linked all the same
        Choice("K3", "K1", ("K1", "K2")),  # linked, though the right one is not there
    )

    assert (results["nil_accuracy"], results["ambiguous_accuracy"], results["known_accuracy"]) == (2 / 4, None, None)


def test_the_ceiling_is_the_f1_of_linking_all_that_can_be_linked():
    # of four gold mentions in the base three are among the candidates: precision 1, recall 3/4
    known = [Choice("K1", None, ("K1",))] * 3
    unknown, nil = Choice("K3", None, ("K4",)), Choice(None, None, ("K4",))

    assert accuracies(*known, unknown, nil)["ceiling_f1"] == 2 * (3 / 4) / (1 + 3 / 4)
    assert accuracies(unknown, nil)["ceiling_f1"] == 0


def test_without_choices_what_is_about_them_is_none_and_the_others_are_0():
    nothing = dict.fromkeys(SIX, 0.0) | dict.fromkeys(SHARES)

    assert Scores().results() == {**nothing, "interval": {}}
    scores = Scores()
    assert scores.add([], [], []).wrong == 0
    assert scores.rates() == nothing
    assert scores.results()["interval"] == {name: [0.0, 0.0] for name in SIX}


@pytest.mark.parametrize(
    ("found", "is_right"),
    [
        ([Link(*XIAOMI, "K1"), Link(*APPLE, "K3")], True),
        ([Link(*XIAOMI, "K1"), Link(*APPLE, "K3"), Link(*LI_NA, None)], True),  # NIL, and said so
        ([Link(*XIAOMI, "K1"), Link(*APPLE, "K3"), Link(*LI_NA, "K5")], False),  # NIL, but linked
        ([Link(*XIAOMI, "K1"), Link(*APPLE, "K4")], False),
        ([Link(*XIAOMI, "K2"), Link(*APPLE, "K3")], True),  # nothing is said of the link of 小米 ...
        ([Link(*APPLE, "K3")], False),  # ... but that it is a mention
    ],
)
def test_a_text_is_right_if_nothing_is_missing_and_nothing_too_much(found, is_right):
    gold = [Link(*APPLE, "K3"), Link(*LI_NA, None)]

    assert (Scores().add(gold, found, [], unlinked=[XIAOMI]).wrong == 0) is is_right


def test_a_labelled_text_is_scored_with_the_ids_that_its_names_have():
    # 小米 is linked by its name, which is K1 in the base; 苹果 is labelled as a mention only; 李娜 is not in the base
    mentions = (
        Mention("小米", 0, name="小米科技"),
        Mention("苹果", 3, is_linked=False),
        Mention("李娜", 7, name="李娜（小说人物）"),
    )
    found = [
        {"mention": "小米", "start": 0, "end": 2, "id": "K1", "name": "小米科技", "score": 0.9},
        {"mention": "苹果", "start": 3, "end": 5, "id": "K4", "name": "苹果", "score": 0.8},
        {"mention": "李娜", "start": 7, "end": 9, "id": None, "name": None, "score": 0.7},
    ]
    choices = [Choice("K1", "K1", ("K1", "K2")), Choice(None, "K5", ("K5",))]
    scores = Scores()

    counts = scores.add_text(LabelledText(TEXT, mentions), found, choices)

    assert counts[:6] == (2, 2, 2, 1, 1, 1)  # mentions 小米 and 苹果, link 小米
    assert counts.wrong == 0
    assert (scores.rates()["nil_accuracy"], scores.rates()["known_accuracy"]) == (0, 1)


def test_a_labelled_text_needs_a_choice_for_each_linked_mention():
    text = LabelledText(TEXT, (Mention("小米", 0, "K1"), Mention("苹果", 3, "K3")))

    with pytest.raises(ValueError, match="zip"):
        Scores().add_text(text, [], [Choice("K1", "K1", ("K1",))])


def example() -> Scores:
    """Four texts: 5 gold links, 4 found, 2 right; a NIL, and one id of 5 that is no candidate."""
    scores = Scores()
    scores.add(
        [Link(0, 2, "K1"), Link(3, 5, "K3")],
        [Link(0, 2, "K1"), Link(3, 5, "K4")],
        [Choice("K1", "K1", ("K1", "K2")), Choice("K3", "K4", ("K3", "K4"))],
    )
    scores.add([Link(0, 2, "K5")], [Link(0, 2, "K5")], [Choice("K5", "K5", ("K5",))])
    scores.add([Link(0, 2, "K1"), Link(4, 6, None)], [Link(2, 4, "K6")], [Choice("K1", None, ("K1", "K2")),
                                                                         Choice(None, None, ())])  # fmt: skip
    scores.add([Link(0, 2, "K7")], [], [Choice("K7", None, ("K8",))])
    return scores


def test_scores_are_sums_over_texts():
    results = example().results()

    assert list(results) == [*SIX, *SHARES, "interval"]
    assert [results[name] for name in SIX] == [3 / 4, 3 / 5, 6 / 9, 2 / 4, 2 / 5, 4 / 9]
    assert [results[name] for name in SHARES] == [2 / 2, 1 / 3, 2 / 4, 8 / 9]  # R = 4 / 5: 2R / (1 + R) = 8 / 9
    assert example().rates() == {name: results[name] for name in [*SIX, *SHARES]}


def test_each_score_has_an_interval_around_it():
    results, again = example().results(seed=3), example().results(seed=3)

    assert list(results["interval"]) == [*SIX, *SHARES]
    assert results["interval"] == again["interval"]
    for name, (low, high) in results["interval"].items():
        assert 0 <= low <= results[name] <= high <= 1
        assert low < high or name == "nil_accuracy"  # which is 1 in all texts


def test_a_score_that_is_not_there_has_no_interval():
    scores = Scores()
    scores.add([Link(0, 2, "K5")], [], [Choice("K5", "K5", ("K5",))])

    assert list(scores.results()["interval"]) == [*SIX, "known_accuracy", "ceiling_f1"]


def test_where_few_texts_have_something_to_choose_intervals_are_numbers_all_the_same():
    scores = Scores()
    scores.add([Link(0, 2, "K5")], [], [Choice("K5", "K5", ("K5",))])
    for _ in range(3):  # more than a quarter of all draws leave out the one text above
        scores.add([], [], [])

    assert scores.results()["interval"]["known_accuracy"] == [1.0, 1.0]


@given(LINKS)
def test_what_is_gold_is_right(gold):
    scores = Scores()

    assert scores.add(gold, gold, []).wrong == 0
    if any(link.id for link in gold):
        assert {scores.rates()[name] for name in SIX} == {1.0}


@given(LINKS, LINKS, st.lists(SPANS), st.randoms())
def test_the_order_of_links_changes_nothing(gold, found, unlinked, random):
    shuffled = (random.sample(links, len(links)) for links in (gold, found, unlinked))

    assert rates(*shuffled) == rates(gold, found, unlinked)


@given(LINKS, LINKS, st.lists(SPANS))
def test_as_many_are_right_as_two_sets_share_at_most(gold, found, unlinked):
    counts = Scores().add(gold, found, [], unlinked)

    assert counts.right_links <= counts.right_spans <= min(counts.gold_spans, counts.found_spans)
    assert counts.right_links <= min(counts.gold_links, counts.found_links)


@given(LINKS, LINKS)
def test_gold_and_found_links_may_be_exchanged(gold, found):
    gold = [link for link in gold if link.id]

    (_, one), (_, other) = rates(gold, found), rates(found, gold)

    if all(link.id for link in found):
        assert (one["precision"], one["recall"], one["f1"]) == (other["recall"], other["precision"], other["f1"])


@given(st.lists(st.tuples(IDS, CANDIDATES), max_size=6))
def test_who_always_chooses_right_reaches_the_ceiling(mentions):
    choices = [Choice(gold, gold if gold in candidates else None, candidates) for gold, candidates in mentions]
    gold = [Link(2 * i, 2 * i + 2, choice.gold) for i, choice in enumerate(choices)]
    found = [Link(2 * i, 2 * i + 2, choice.chosen) for i, choice in enumerate(choices)]
    scores = Scores()

    scores.add(gold, found, choices)

    rates = scores.rates()
    assert rates["f1"] == pytest.approx(rates["ceiling_f1"] or 0)
    assert {rates["nil_accuracy"], rates["ambiguous_accuracy"], rates["known_accuracy"]} <= {1.0, None}
