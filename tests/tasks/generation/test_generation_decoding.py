"""Drawing and beam search over languages of two characters, so small that all of their texts can be listed."""

from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.config import DecodingConfig
from kexue_cli.tasks.generation.decoding import (
    Written,
    demanded,
    draw,
    guided,
    log_probabilities,
    search_beam,
    truncated,
    write_drawn,
)
from kexue_cli.tasks.generation.form import NEVER, Demands, Form, of_lines

IDS = {"甲": 2, "乙": 3}
BEGIN, END, SIZE = 4, 5, 6
PLAIN = DecodingConfig(temperature=1, top_p=1)
GREEDY = DecodingConfig(temperature=0)
SEEDS = st.integers(0, 2**32 - 1)

# The probabilities of 甲, of 乙 and of the end, by what was written last. The likeliest texts:
#   甲乙  .6 * .5 * .9  = .27, the cube root of which is .65
#   乙    .4 * .9       = .36, the square root of which is .6
#   甲    .6 * .3       = .18, .42
AFTER = {"": (0.6, 0.4, 0), "甲": (0.2, 0.5, 0.3), "乙": (0.06, 0.04, 0.9)}


class Language:
    """Tells what follows a text, as a network does: the last ids, and which row each of them goes on from.

    shares: makes the probabilities of 甲, of 乙 and of the end of what was written. calls: the sizes of its batches.
    """

    def __init__(self, shares, rows=1, prefix=""):
        self.shares, self.texts, self.calls = shares, [prefix] * rows, []

    def __call__(self, ids, rows):
        names = {number: character for character, number in IDS.items()}
        self.texts = [self.texts[row] + names[one] for row, one in zip(rows.tolist(), ids.tolist(), strict=True)]
        self.calls.append(len(rows))
        return self.logits()

    def logits(self):
        rows = np.full((len(self.texts), SIZE), 3, np.float32)  # the marks are likely; they must not be written
        for row, text in zip(rows, self.texts, strict=True):
            row[[*IDS.values(), END]] = [log(share) if share else NEVER for share in self.shares(text)]
        return rows


def markov(text):
    return AFTER[text[-1:]]


def random_language(seed):
    """A language in which all that was written tells what follows."""

    def shares(text):
        return np.random.default_rng((seed, *map(IDS.get, text))).dirichlet(np.ones(3))

    return shares


def begun(prefix="", form=None):
    return Written([IDS[one] for one in prefix], Demands(IDS, BEGIN, END, form or Form()))


def shown(text):
    """A text as it was written, with "…" behind it if it has not ended."""
    names = {number: character for character, number in IDS.items()}
    return "".join(names[one] for one in text.ids) + ("" if text.is_ended else "…")


def generators_of(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def drawn(shares, seeds, config=PLAIN, room=20, prefix="", form=None):
    """The texts that are drawn at once, each with its seed."""
    language = Language(shares, len(seeds), prefix)
    texts = [begun(prefix, form) for _ in seeds]
    for _ in write_drawn(language, language.logits(), texts, generators_of(*seeds), config, room):
        pass
    return texts


def searched(shares, beam, room=20, prefix="", form=None, **config):
    language = Language(shares, 1, prefix)
    return search_beam(language, language.logits(), begun(prefix, form), DecodingConfig(beam=beam, **config), room)


def log_probability(shares, text, is_ended=True):
    """The log-probability of a text, and of its end, by the language's own account."""
    found = [shares(text[:place])[list(IDS).index(one)] for place, one in enumerate(text)]
    return sum(map(log, [*found, shares(text)[2]] if is_ended else found))


# ------------------------------------------------------------- probabilities


def shares_of(scores):
    return np.exp(np.asarray(scores, "float64")).round(4).tolist()


def logs(*shares):
    return np.array([[log(share) if share else NEVER for share in shares]])


def test_log_probabilities_are_logits_of_which_the_shares_are_one():
    logits = np.array([[0, log(3), NEVER], [1000, 1000, 1000]])

    assert shares_of(log_probabilities(logits)) == [[0.25, 0.75, 0], [0.3333, 0.3333, 0.3333]]
    assert logits.tolist() == [[0, log(3), NEVER], [1000, 1000, 1000]]  # as it was


@pytest.mark.parametrize(
    ("guidance", "shares"),
    [
        (0, [0.5, 0.5]),
        (1, [0.8, 0.2]),
        (2, [0.64 / 0.68, 0.04 / 0.68]),  # .8² / .5 and .2² / .5, together 1.36
        (0.5, [2 / 3, 1 / 3]),  # roots of .8 * .5 and .2 * .5, one twice the other
    ],
)
def test_guidance_goes_from_what_is_likely_at_all_through_what_is_likely_under_the_condition(guidance, shares):
    found = log_probabilities(guided(logs(0.8, 0.2) + 7, logs(0.5, 0.5) - 5, guidance))

    np.testing.assert_allclose(np.exp(found), [shares], rtol=1e-6)


def test_temperature_makes_a_power_of_the_shares():
    # squares of .5, .3 and .2 are .25, .09 and .04, together .38; roots of .64 and .36 are .8 and .6, together 1.4
    cold = truncated(logs(0.5, 0.3, 0.2), DecodingConfig(temperature=0.5, top_p=1))
    hot = truncated(logs(0.64, 0.36), DecodingConfig(temperature=2, top_p=1))

    np.testing.assert_allclose(np.exp(cold), [[0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38]], rtol=1e-6)
    np.testing.assert_allclose(np.exp(hot), [[0.8 / 1.4, 0.6 / 1.4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, [0.45, 0.3, 0.2, 0.05]),
        ({"top_k": 1}, [0.45, 0, 0, 0]),
        ({"top_k": 3}, [0.45, 0.3, 0.2, 0]),
        ({"top_k": 4}, [0.45, 0.3, 0.2, 0.05]),
        ({"top_k": 9}, [0.45, 0.3, 0.2, 0.05]),
        ({"top_p": 0.01}, [0.45, 0, 0, 0]),  # there is always one
        ({"top_p": 0.44}, [0.45, 0, 0, 0]),
        ({"top_p": 0.46}, [0.45, 0.3, 0, 0]),  # the one that crosses is kept
        ({"top_p": 0.76}, [0.45, 0.3, 0.2, 0]),
        ({"top_p": 0.99}, [0.45, 0.3, 0.2, 0.05]),
        ({"top_k": 2, "top_p": 0.58}, [0.45, 0, 0, 0]),  # .45 is .6 of what top_k leaves
        ({"top_k": 2, "top_p": 0.62}, [0.45, 0.3, 0, 0]),
        ({"temperature": 0.5, "top_p": 0.6}, [0.45**2 / 0.335, 0, 0, 0]),  # .2025 + .09 + .04 + .0025, so .604
    ],
)
def test_the_likeliest_are_kept(settings, kept):
    scores = truncated(logs(0.45, 0.3, 0.2, 0.05), DecodingConfig(**{"temperature": 1, "top_p": 1, **settings}))

    np.testing.assert_allclose(np.exp(scores), [kept], atol=1e-6)


def test_each_row_keeps_its_own_likeliest_wherever_they_stand():
    rows = np.concatenate([logs(0.1, 0.6, 0.3), logs(0.5, 0.1, 0.4)])

    assert shares_of(truncated(rows, DecodingConfig(temperature=1, top_p=1, top_k=2))) == [[0, 0.6, 0.3], [0.5, 0, 0.4]]
    assert shares_of(truncated(rows, DecodingConfig(temperature=1, top_p=0.7))) == [[0, 0.6, 0.3], [0.5, 0, 0.4]]


def test_of_equals_no_more_are_kept_than_are_wanted():
    kept = np.exp(truncated(logs(0.4, 0.2, 0.2, 0.2), DecodingConfig(temperature=1, top_p=1, top_k=2))) > 0

    assert kept.sum() == 2
    assert kept[0, 0]


# ------------------------------------------------------------- drawing one character


def test_frequencies_agree_with_probabilities():
    count = 20_000
    scores = np.repeat(logs(0.45, 0.3, 0, 0.2, 0.05), count, axis=0)

    chosen = draw(scores, [np.random.default_rng(0)] * count, PLAIN)

    found = np.bincount(chosen, minlength=5) / count
    np.testing.assert_allclose(found, [0.45, 0.3, 0, 0.2, 0.05], atol=0.015)  # four deviations of .0035


def test_frequencies_agree_with_what_truncation_leaves():
    count = 20_000
    scores = np.repeat(logs(0.45, 0.3, 0.2, 0.05), count, axis=0)

    chosen = draw(scores, [np.random.default_rng(0)] * count, DecodingConfig(temperature=1, top_p=0.6))

    np.testing.assert_allclose(np.bincount(chosen, minlength=4) / count, [0.6, 0.4, 0, 0], atol=0.015)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8), st.integers(0, 4), st.floats(0.05, 1), SEEDS)
def test_only_what_is_kept_is_drawn(logits, top_k, top_p, seed):
    config = DecodingConfig(temperature=0.7, top_k=top_k, top_p=top_p)
    scores = log_probabilities(np.array([logits]))

    [chosen] = draw(scores, generators_of(seed), config)

    assert truncated(scores, config)[0, chosen] > NEVER


def test_at_temperature_0_the_likeliest_is_taken_and_nothing_is_drawn():
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state

    assert draw(np.concatenate([logs(0.3, 0.7), logs(0.7, 0.3)]), [generator] * 2, GREEDY).tolist() == [1, 0]
    assert generator.bit_generator.state == before


def test_each_row_is_drawn_by_its_own_generator():
    scores = np.repeat(logs(0.3, 0.3, 0.4), 3, axis=0)

    together = draw(scores, generators_of(1, 2, 3), PLAIN)
    alone = [draw(scores[:1], generators_of(seed), PLAIN)[0] for seed in (1, 2, 3)]

    assert together.tolist() == alone


# ------------------------------------------------------------- repetition


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("", (1, 1, 1)),
        ("甲乙", (1, 1, 1)),
        ("甲乙甲", (1, 1, 1)),
        ("甲乙甲乙", (1 / 2, 1, 1)),  # 甲乙 was followed by 甲
        ("甲乙甲乙甲", (1, 1 / 2, 1)),  # 乙甲 was followed by 乙
        ("甲甲甲", (1 / 2, 1, 1)),
        ("甲乙甲乙乙甲乙", (1 / 2, 1 / 2, 1)),  # 甲乙 was followed by both
        ("甲乙乙甲甲", (1, 1, 1)),
    ],
)
def test_what_would_repeat_three_characters_is_less_likely(text, weights):
    logits = np.zeros((1, SIZE), np.float32)
    config = DecodingConfig(repetition=log(2))

    found = np.exp(demanded(logits, [begun(text)], config))[0]

    np.testing.assert_allclose(found[[2, 3, END]], np.array(weights) / sum(weights), rtol=1e-5)
    assert not logits.any()  # what was given stays as it was


def test_repetition_is_allowed_unless_told_otherwise():
    found = np.exp(demanded(np.zeros((1, SIZE), np.float32), [begun("甲乙甲乙")], PLAIN))[0]

    np.testing.assert_allclose(found[[2, 3, END]], [1 / 3] * 3, rtol=1e-5)


# ------------------------------------------------------------- drawing texts


def test_texts_are_drawn_as_often_as_they_are_likely():
    count = 2000

    texts = [shown(text) for text in drawn(markov, range(count))]

    for text, share in {"乙": 0.36, "甲乙": 0.27, "甲": 0.18, "甲甲": 0.6 * 0.2 * 0.3}.items():
        assert texts.count(text) / count == pytest.approx(share, abs=0.045)  # four deviations of .011
    assert "" not in texts


@given(SEEDS)
def test_the_same_seed_draws_the_same_text_and_a_text_does_not_depend_on_those_beside_it(seed):
    shares = random_language(seed)

    together = drawn(shares, [seed, 1, 2, seed])

    assert shown(together[0]) == shown(together[3])
    assert [shown(drawn(shares, [one])[0]) for one in (seed, 1, 2)] == [shown(text) for text in together[:3]]


def test_other_seeds_draw_other_texts():
    assert len({shown(text) for text in drawn(markov, range(50))}) > 5


@given(SEEDS)
def test_the_score_is_the_log_probability_of_what_was_written_whatever_it_was_drawn_from(seed):
    shares = random_language(seed)

    for text in drawn(shares, [seed, seed + 1], DecodingConfig(temperature=0.5, top_p=0.9), room=4):
        characters = shown(text).removesuffix("…")
        assert text.count == len(characters) + text.is_ended
        assert text.score == pytest.approx(log_probability(shares, characters, text.is_ended), abs=1e-4)
        assert text.mean == text.score / text.count


def test_a_prefix_is_part_of_the_text_but_not_of_its_score():
    [text] = drawn(markov, [0], GREEDY, prefix="甲")

    assert shown(text) == "甲乙"
    assert text.count == 2
    assert text.mean == pytest.approx(log(0.5 * 0.9) / 2, rel=1e-5)


def test_a_text_that_was_not_written_scores_0():
    assert begun("甲").mean == 0


def test_without_room_texts_stay_open():
    texts = drawn(lambda text: (1, 0, 0), [0, 1], room=3)

    assert [shown(text) for text in texts] == ["甲甲甲…"] * 2
    assert [text.count for text in texts] == [3, 3]


def test_texts_are_written_character_by_character_and_those_that_ended_cost_nothing_more():
    lengths = {"甲": 1, "乙": 3}  # a text that begins so ends there

    def shares(text):
        if not text:
            return (0.5, 0.5, 0)
        return (0, 0, 1) if len(text) == lengths[text[0]] else (1, 0, 0)

    language = Language(shares, 2)
    texts = [begun(form=Form(required={0: one})) for one in "甲乙"]
    steps = []
    for _ in write_drawn(language, language.logits(), texts, generators_of(0, 1), PLAIN, 20):
        steps.append([shown(text) for text in texts])

    assert steps == [["甲…", "乙…"], ["甲", "乙甲…"], ["甲", "乙甲甲…"], ["甲", "乙甲甲"]]
    assert language.calls == [2, 1, 1]


def test_what_is_demanded_is_what_is_drawn():
    form = of_lines((3,), {1: "乙"}, ["甲乙"])

    texts = {shown(text) for text in drawn(lambda text: (0.4, 0.1, 0.5), range(30), form=Form(required={0: "乙"}))}

    assert all(text.startswith("乙") for text in texts)
    assert len(texts) > 3
    assert {len(shown(text)) for text in drawn(markov, range(30), form=of_lines((3,), {}))} == {3}
    assert {shown(text)[:2] for text in drawn(markov, range(30), form=form, prefix="乙")} == {"乙乙"}


def test_demands_that_exclude_one_another_are_an_error():
    form = Form(required={0: "甲"}, banned=("甲",))

    for write in (lambda: drawn(markov, [0], form=form), lambda: searched(markov, 2, form=form)):
        with pytest.raises(KexueError, match=r"^nothing may stand at place 1 of the text"):
            write()


def test_what_can_be_written_otherwise_is_no_dead_end_of_a_search():
    # 甲 is likelier at first, but 乙 must follow and must not follow 甲
    found = searched(markov, 2, form=Form(required={1: "乙"}, banned=("甲乙",)))

    assert shown(found[0]) == "乙乙"


# ------------------------------------------------------------- beam search


def test_by_hand_the_best_text_has_the_best_mean_and_not_the_best_sum():
    found = searched(markov, 2)

    assert [shown(text) for text in found] == ["甲乙", "乙"]
    assert [exp(text.score) for text in found] == pytest.approx([0.27, 0.36], rel=1e-5)
    assert [exp(text.mean) for text in found] == pytest.approx([0.27 ** (1 / 3), 0.6], rel=1e-5)


def test_a_beam_finds_what_the_likeliest_first_character_hides():
    # 甲 is the likeliest, but what follows it is not sure: .6 * .4, against .4 * .9
    after = {"": (0.6, 0.4, 0), "甲": (0.3, 0.3, 0.4), "乙": (0.05, 0.05, 0.9)}

    def shares(text):
        return after[text[-1:]]

    assert shown(drawn(shares, [0], GREEDY)[0]) == "甲"
    assert [shown(searched(shares, beam)[0]) for beam in (1, 2)] == ["甲", "乙"]


def test_texts_that_end_do_not_narrow_the_beam():
    # after two steps 乙 has ended, .36, and 甲 too, .18; 甲乙 and 甲甲, .3 and .12, go on
    language = Language(markov)

    search_beam(language, language.logits(), begun(), DecodingConfig(beam=2), 3)

    assert language.calls[:2] == [2, 2]


def test_a_search_goes_on_from_a_prefix():
    [first, _] = searched(markov, 2, prefix="甲")

    assert shown(first) == "甲乙"
    assert first.count == 2
    assert exp(first.score) == pytest.approx(0.45, rel=1e-5)


def test_a_search_keeps_to_a_form():
    found = searched(markov, 2, form=of_lines((3,), {2: "甲"}))

    assert [len(text.ids) for text in found] == [3, 3]
    assert {shown(text)[2:] for text in found} == {"甲"}


def test_without_room_a_search_returns_what_ended_before_what_did_not():
    # 甲 goes on for ever and is much likelier than the end
    found = searched(lambda text: (0.9, 0, 0.1), 3, room=2)

    assert [shown(text) for text in found] == ["甲", "", "甲甲…"]  # means of .3, .1 and .9


def test_a_search_does_not_depend_on_what_was_searched_before():
    assert [shown(text) for text in searched(markov, 2)] == [shown(text) for text in searched(markov, 2)]


@pytest.mark.parametrize("room", [1, 2, 3, 5, 20])
@given(seed=SEEDS)
def test_law_a_beam_of_1_takes_the_likeliest(room, seed):
    shares = random_language(seed)

    [found] = searched(shares, 1, room)
    [greedy] = drawn(shares, [0], GREEDY, room)

    assert shown(found) == shown(greedy)
    assert found.mean == pytest.approx(greedy.mean)


def listed(shares, room):
    """All texts that can be written in some steps, and their means: the ended ones first, the best of each first."""
    found = []
    for length in range(room + 1):
        for text in map("".join, product(IDS, repeat=length)):
            if length < room:
                found.append((0, -log_probability(shares, text) / (length + 1), text))
            else:
                found.append((1, -log_probability(shares, text, is_ended=False) / length, text + "…"))
    return [(text, -mean) for _, mean, text in sorted(found)]


@pytest.mark.parametrize("room", [1, 2, 3, 4])
@given(seed=SEEDS)
def test_law_a_beam_as_wide_as_all_texts_finds_all_of_them_the_best_first(room, seed):
    shares = random_language(seed)
    expected = listed(shares, room)

    found = searched(shares, len(expected), room)

    assert [shown(text) for text in found] == [text for text, _ in expected]
    assert [text.mean for text in found] == pytest.approx([mean for _, mean in expected], abs=1e-4)


@given(SEEDS, st.integers(1, 5))
def test_law_what_a_beam_finds_is_scored_as_it_is_likely_and_comes_in_order(seed, beam):
    shares = random_language(seed)

    found = searched(shares, beam, room=6)

    assert 1 <= len(found) <= beam
    assert len({shown(text) for text in found}) == len(found)
    assert found == sorted(found, key=lambda text: (not text.is_ended, -text.mean))
    for text in found:
        assert text.score == pytest.approx(log_probability(shares, shown(text).rstrip("…"), text.is_ended), abs=1e-4)


# ------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_p": 0}, "decoding.top_p must be above 0 and at most 1; found 0"),
        ({"top_p": 1.1}, "decoding.top_p must be above 0 and at most 1; found 1.1"),
        ({"temperature": -0.1}, "decoding.temperature must be a number of at least 0 and at most 100; found -0.1"),
        (
            {"temperature": float("nan")},
            "decoding.temperature must be a number of at least 0 and at most 100; found nan",
        ),
        ({"guidance": float("inf")}, "decoding.guidance must be a number of at least 0 and at most 100; found inf"),
        ({"top_k": -1}, "decoding.top_k must be a number of at least 0; found -1"),
        ({"beam": -1}, "decoding.beam must be a number of at least 0 and at most 100; found -1"),
        ({"guidance": -1}, "decoding.guidance must be a number of at least 0 and at most 100; found -1"),
        ({"repetition": -1}, "decoding.repetition must be a number of at least 0; found -1"),
        ({"max_length": 0}, "decoding.max_length must be at least 1; found 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(KexueError) as error:
        DecodingConfig(**settings)

    assert str(error.value) == message
