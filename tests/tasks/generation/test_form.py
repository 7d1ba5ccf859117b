"""What a text must or must not hold, on a vocabulary of a few characters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.form import (
    ANY,
    NEVER,
    PUNCTUATION,
    Demands,
    Form,
    acrostic,
    of_lines,
    of_text,
    read_lengths,
)
from kexue_cli.text.vocabulary import PADDING, SPACE, UNKNOWN

IDS = {"春": 2, "夏": 3, "秋": 4, "冬": 5, "，": 6, "。": 7}
BEGIN, END = 8, 9
CHARACTERS = {number: character for character, number in IDS.items()}


def allowed(form, text="", row=None):
    """The characters that may follow a text, and "末" if it may end."""
    row = np.zeros(10, np.float32) if row is None else row
    Demands(IDS, BEGIN, END, form).apply(row, [IDS[one] for one in text])
    return "".join(CHARACTERS.get(number, "末" if number == END else "?") for number in np.flatnonzero(row > NEVER))


def refusal(function, *arguments):
    with pytest.raises(KexueError) as error:
        function(*arguments)
    return str(error.value)


# ------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("text", "lengths"),
    [("7x4", (7, 7, 7, 7)), ("5x1", (5,)), ("5,7,5", (5, 7, 5)), ("11", (11,)), ("1x2", (1, 1)), ("999", (999,))],
)
def test_lengths_of_lines_are_read(text, lengths):
    assert read_lengths(text) == lengths


@pytest.mark.parametrize("text", ["", "x", "7x", "7x0", "0x4", "5,", ",5", "5,,7", "5, 7", "-5", "7x4x2", "1000", "五"])
def test_anything_else_is_no_form(text):
    assert refusal(read_lengths, text) == (
        f'a form must be as 7x4 (four lines of seven characters) or 5,7,5; found "{text}"'
    )


def test_lines_have_punctuation_between_them_and_maybe_behind_the_last():
    assert of_lines((2, 1), {}) == Form((ANY, ANY, PUNCTUATION, ANY), PUNCTUATION)


def test_places_in_lines_do_not_count_punctuation():
    assert of_lines((2, 1), {1: "春", 2: "秋"}).slots == (ANY, "春", PUNCTUATION, "秋")


def test_without_lines_places_are_those_of_the_text():
    assert of_lines((), {1: "春"}, ["冬"]) == Form((), "", {1: "春"}, ("冬",))


@pytest.mark.parametrize(("lengths", "required", "banned"), [
    ((), {1: "春"}, "春"),
    ((), {1: "春", 2: "天"}, "春天"),
    ((3, 3), {0: "春", 3: "秋"}, "秋"),
])  # fmt: skip
def test_what_is_required_must_not_be_banned(lengths, required, banned):
    with pytest.raises(KexueError, match=f"^{banned} is both required and banned$"):
        of_lines(lengths, required, ["冬", banned])


@pytest.mark.parametrize(("lengths", "required"), [((), {0: "春", 2: "天"}), ((1, 1), {0: "春", 1: "天"})])
def test_a_word_whose_characters_are_required_apart_may_be_banned(lengths, required):
    assert of_lines(lengths, required, ["春天"]).banned == ("春天",)


def test_a_place_behind_the_last_line_is_an_error_that_counts_from_1():
    assert of_lines((2, 2), {3: "春"}).slots[-1] == "春"
    assert refusal(of_lines, (2, 2), {4: "春"}) == "a character is required at place 5; the lines have 4"


def test_an_acrostic_is_the_first_characters_of_lines():
    assert acrostic((5, 7, 5), "春夏秋") == {0: "春", 5: "夏", 12: "秋"}
    assert acrostic((5, 7, 5), "春") == {0: "春"}
    assert acrostic((5, 7, 5), "") == {}
    assert of_lines((2, 2), acrostic((2, 2), "春夏")).slots == ("春", ANY, PUNCTUATION, "夏", ANY)


def test_an_acrostic_needs_a_line_for_each_character():
    assert refusal(acrostic, (5, 5), "春夏秋") == "an acrostic of 3 characters needs as many lines; there are 2"


def test_the_form_of_another_text_is_its_length_and_its_punctuation():
    assert of_text("春眠，不晓。", ["冬"]) == Form((ANY, ANY, "，", ANY, ANY, "。"), "", None, ("冬",))


# ------------------------------------------------------------- what may follow


def test_where_nothing_is_demanded_all_but_marks_and_what_is_unknown_may_follow():
    assert allowed(Form()) == allowed(Form(), "春，") == "春夏秋冬，。末"


def test_what_may_follow_keeps_its_logits():
    row = np.arange(10, dtype=np.float32)

    allowed(Form(slots=(PUNCTUATION,)), "", row)

    assert row.tolist() == [NEVER] * 6 + [6, 7] + [NEVER] * 2


def test_padding_the_unknown_and_the_mark_of_the_beginning_are_never_written():
    row = np.zeros(10, np.float32)

    Demands(IDS, BEGIN, END, Form()).apply(row, [])

    assert np.flatnonzero(row).tolist() == [PADDING, UNKNOWN, BEGIN]
    assert set(row[[PADDING, UNKNOWN, BEGIN]]) == {np.float32(NEVER)}


@pytest.mark.parametrize(
    ("text", "may_follow"),
    [
        ("", "春夏秋冬"),
        ("春", "春夏秋冬"),
        ("春春", "，。"),
        ("春春，", "秋"),
        ("春春，秋", "，。末"),  # an ending
        ("春春，秋。", "末"),
        ("春春，秋。秋", "末"),  # a prefix that is too long
    ],
)
def test_slot_by_slot(text, may_follow):
    assert allowed(of_lines((2, 1), {2: "秋"}), text) == may_follow


def test_a_text_in_the_form_of_another_ends_as_the_other_does():
    form = of_text("秋夏。")

    assert [allowed(form, text) for text in ("", "春", "春春", "春春。")] == ["春夏秋冬", "春夏秋冬", "。", "末"]


def test_required_characters_stand_at_their_places_and_the_text_goes_on_until_they_do():
    form = Form(required={0: "春", 2: "夏"})

    assert [allowed(form, text) for text in ("", "春", "春，", "春，夏")] == [
        "春", "春夏秋冬，。", "夏", "春夏秋冬，。末"
    ]  # fmt: skip


def test_what_is_banned_is_never_completed():
    form = Form(banned=("春夏秋", "冬"))

    assert allowed(form) == "春夏秋，。末"
    assert allowed(form, "春夏") == "春夏，。末"
    assert allowed(form, "夏春夏") == "春夏，。末"
    assert allowed(form, "夏") == allowed(form, "春夏夏") == "春夏秋，。末"


def test_whitespace_is_banned_as_texts_have_it():
    demands = Demands({**IDS, SPACE: 10}, BEGIN, END, Form(banned=("春 \n夏",)))
    row = np.zeros(11, np.float32)

    demands.apply(row, [IDS["春"], 10])

    assert row[IDS["夏"]] == NEVER


def test_a_banned_string_that_the_model_cannot_write_and_an_empty_one_forbid_nothing():
    assert allowed(Form(banned=("雪", "春雪", "雪春", "")), "春") == "春夏秋冬，。末"


def test_a_required_character_that_the_model_does_not_know_is_an_error():
    for form in (Form(required={0: "雪"}), of_lines((5, 5), acrostic((5, 5), "春雪"))):
        assert refusal(Demands, IDS, BEGIN, END, form) == "the model does not know the character '雪'"


def test_punctuation_that_is_required_must_be_known_too():
    assert allowed(Form(required={0: "。"})) == "。"
    assert refusal(Demands, IDS, BEGIN, END, Form(required={0: "!"})) == "the model does not know the character '!'"


def test_punctuation_of_another_text_that_the_model_does_not_know_is_replaced_and_no_error():
    assert allowed(of_text("春!春"), "春") != ""


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Form(required={0: "春"}, banned=("春",)), ""),
        (Form(required={1: "夏"}, banned=("春夏",)), "春"),
        (of_lines((1, 1), {}, ["，", "。"]), "春"),
        (of_text("春，", ["，"]), "春"),
    ],
)
def test_where_demands_exclude_one_another_nothing_may_follow(form, text):
    assert allowed(form, text) == ""


@pytest.mark.parametrize("prefix", ["", "春", "春春", "春春，", "春春，秋", "春春，秋。"])
def test_a_prefix_that_fits_the_form_is_no_error(prefix):
    Demands(IDS, BEGIN, END, of_lines((2, 1), {2: "秋"})).check([IDS[one] for one in prefix])


@pytest.mark.parametrize(
    ("prefix", "place"),
    [("，", 1), ("春，", 2), ("春春春", 3), ("春春，夏", 4), ("春春，秋秋", 5), ("春春，秋。秋", 6)],
)
def test_a_prefix_that_does_not_fit_the_form_is_an_error_that_tells_the_place(prefix, place):
    demands = Demands(IDS, BEGIN, END, of_lines((2, 1), {2: "秋"}))

    assert refusal(demands.check, [IDS[one] for one in prefix]) == f"prefix does not fit the demands at place {place}"


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.lists(st.text("春夏秋冬", min_size=1, max_size=2), max_size=1),
    st.integers(0, 2**32 - 1),
)
def test_a_text_that_always_follows_the_demands_has_the_form_and_nothing_that_is_banned(lengths, banned, seed):
    generator = np.random.default_rng(seed)
    form, text = of_lines(lengths, {}, banned), ""
    for _ in range(30):
        chosen = generator.choice(list(allowed(form, text)))
        if chosen == "末":
            break
        text += chosen

    lines = text.replace("。", "，").removesuffix("，").split("，")
    assert [len(line) for line in lines] == lengths
    assert not any(one in text for one in banned)
