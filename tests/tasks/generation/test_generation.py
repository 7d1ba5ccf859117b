"""Writing with a model that knows eight reviews and four couplets by heart; see language_models.py."""

import json
import shutil

import numpy as np
import pytest
from language_models import COUPLETS, KINDS, REVIEWS, condition_of, trained_couplets, trained_reviews

import kexue_cli
from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation import Writer
from kexue_cli.tasks.generation.form import PUNCTUATION, of_lines
from kexue_cli.tasks.generation.records import Text

TOLERANCE = 1e-4
LONGEST = 32  # characters that the models see at once
GOOD_PHONE, BAD_PHONE, GOOD_FRUIT, BAD_FRUIT = KINDS
GREEDY = {"temperature": 0.0}


@pytest.fixture(scope="module")
def model():
    """The model of reviews."""
    return kexue_cli.load(str(trained_reviews()[1]))


@pytest.fixture(scope="module")
def couplets():
    """The model of second lines, which have the form of the first ones."""
    return kexue_cli.load(str(trained_couplets()[1]))


def record_of(kind, prefix=""):
    return {"condition": condition_of(kind), "prefix": prefix}


def texts_of(model, *records, **settings):
    return [answer["text"] for answer in model.with_settings(**settings).predict(records)]


def same(one, other):
    """Say whether two answers are the same, but for the rounding of scores."""
    assert one["score"] == pytest.approx(other["score"], abs=TOLERANCE)
    return {**one, "score": 0} == {**other, "score": 0}


# ------------------------------------------------------------- what is written


def test_what_was_learned_under_a_condition_is_written_under_it(model):
    for kind, text in zip(KINDS, texts_of(model, *map(record_of, KINDS), **GREEDY), strict=True):
        assert text in REVIEWS[kind]


def test_both_reviews_of_a_kind_are_drawn_sooner_or_later(model):
    for kind in KINDS:
        assert set(texts_of(model, record_of(kind), samples=30)) == set(REVIEWS[kind])


def test_a_record_gets_its_texts_with_their_numbers_and_scores(model):
    [one, other] = model.with_settings(samples=2).predict([{"id": 7, **record_of(GOOD_PHONE)}])

    assert list(one) == ["id", "condition", "prefix", "text", "sample", "score"]
    assert (one["id"], one["sample"], other["id"], other["sample"]) == (7, 1, 7, 2)
    assert one["score"] < 0


def test_the_score_is_the_mean_log_probability_of_a_character_and_the_end_is_one(model):
    [answer] = model.with_settings(**GREEDY).predict([record_of(GOOD_FRUIT)])

    [[total, count]] = model.log_likelihoods([Text(condition_of(GOOD_FRUIT), answer["text"])])

    assert count == 9 + 1
    # what may never be written, such as the unknown character, is left out of the one and not of the other
    assert answer["score"] == pytest.approx(total / count, abs=1e-2)


def test_fields_of_the_record_itself_may_be_the_condition(model):
    condition = condition_of(BAD_FRUIT)

    own, plain = texts_of(model, {"condition": condition}, {**condition, "id": 3}, **GREEDY)

    assert own == plain


def test_what_is_left_out_is_left_open(model):
    written = set(texts_of(model, {"condition": {}}, samples=30))

    assert sum(bool(written & set(texts)) for texts in REVIEWS.values()) > 2  # kinds
    written = set(texts_of(model, {"cat": None}, samples=30))
    assert sum(bool(written & set(texts)) for texts in REVIEWS.values()) > 2


def test_a_record_that_tells_nothing_at_all_is_refused(model):
    with pytest.raises(KexueError, match="missing field 'condition'; found \\['conditon'\\]"):
        list(model.predict([{"conditon": {"cat": "手机"}}]))


def test_no_record_is_no_text(model):
    assert list(model.predict([])) == []


# ------------------------------------------------------------- what a text depends on

MIXED = [
    record_of(GOOD_PHONE),
    record_of(BAD_FRUIT, "苹果"),
    record_of(BAD_PHONE),
    {"condition": {"label": 1}},
    record_of(GOOD_FRUIT, "梨"),
    {"condition": {}},
]


@pytest.mark.parametrize("settings", [{}, GREEDY, {"guidance": 2.0}, {"beam": 2}], ids=str)
def test_a_record_gets_the_same_texts_wherever_it_stands_and_whatever_is_beside_it(model, settings):
    task = model.with_settings(samples=2, **settings)
    together = list(task.predict(MIXED * 5))  # more than are written at once
    turned = list(task.predict(MIXED[::-1]))
    pairs = zip(turned[::2][::-1], turned[1::2][::-1], strict=True)
    turned = [answer for pair in pairs for answer in pair]

    alone = [answer for record in MIXED for answer in task.predict([record])]

    for one, again, other, another in zip(alone, together, together[-len(alone) :], turned, strict=False):
        assert same(one, again)
        assert same(one, other)
        assert same(one, another)


def test_first_lines_of_different_lengths_are_answered_as_each_alone(couplets):
    records = [{"condition": {"first": first}} for first in COUPLETS]
    task = couplets.with_settings(samples=2)

    together = list(task.predict(records))

    alone = [answer for record in records for answer in task.predict([record])]
    assert len(alone) == len(together)
    assert all(map(same, alone, together))


def test_the_seed_tells_what_is_drawn(model):
    one, again, other = (texts_of(model, record_of(GOOD_PHONE), samples=20, seed=seed) for seed in (1, 1, 2))

    assert one == again
    assert one != other


def test_more_samples_begin_with_those_of_fewer(model):
    few, many = (texts_of(model, record_of(GOOD_PHONE), samples=samples) for samples in (3, 20))

    assert many[:3] == few


# ------------------------------------------------------------- guidance


def test_guidance_of_one_is_none(model):
    records = [record_of(kind) for kind in KINDS]

    plain, guided = (list(model.with_settings(guidance=guidance).predict(records)) for guidance in (1.0, 1 + 1e-9))

    assert all(map(same, plain, guided))


def test_guidance_of_zero_takes_no_account_of_the_condition(model):
    [without] = model.with_settings(**GREEDY).predict([{"condition": {}}])

    for answer in model.with_settings(guidance=0.0, **GREEDY).predict([record_of(kind) for kind in KINDS]):
        assert answer["text"] == without["text"]
        assert answer["score"] == pytest.approx(without["score"], abs=TOLERANCE)


def test_more_guidance_keeps_closer_to_the_condition(model):
    none, more = (texts_of(model, record_of(BAD_PHONE), guidance=guidance, samples=20) for guidance in (0.0, 2.0))

    assert set(none) - set(REVIEWS[BAD_PHONE])
    assert set(more) == set(REVIEWS[BAD_PHONE])


def test_guidance_is_there_for_a_conditioning_text_too(couplets):
    records = [{"condition": {"first": first}} for first in COUPLETS]

    assert texts_of(couplets, *records, guidance=1.5, **GREEDY) == list(COUPLETS.values())


# ------------------------------------------------------------- prefixes


@pytest.mark.parametrize(("kind", "prefix", "text"), [
    (GOOD_FRUIT, "苹", "苹果很甜，我很喜欢"),
    (GOOD_FRUIT, "梨子", "梨子很脆，我很喜欢"),
    (BAD_FRUIT, "苹", "苹果坏了，我要退货"),
    (BAD_PHONE, "手机很慢，我要退货", "手机很慢，我要退货"),
])  # fmt: skip
def test_a_text_goes_on_from_its_prefix(model, kind, prefix, text):
    assert texts_of(model, record_of(kind, prefix), **GREEDY) == [text]


def test_a_prefix_of_all_holds_for_records_without_their_own(model):
    records = [{"condition": condition_of(GOOD_FRUIT)}, record_of(GOOD_FRUIT, "苹"), record_of(GOOD_FRUIT, "")]

    pear, apple, any_one = texts_of(model, *records, prefix="梨", **GREEDY)

    assert (pear, apple) == ("梨子很脆，我很喜欢", "苹果很甜，我很喜欢")
    assert any_one in REVIEWS[GOOD_FRUIT]


def test_a_prefix_costs_nothing(model):
    [whole] = model.with_settings(**GREEDY).predict([record_of(BAD_PHONE, "手机很慢，我要退")])

    assert whole["score"] > -0.05  # what is left is sure


def test_a_prefix_that_leaves_no_room_is_an_error(model):
    longest = "好" * (LONGEST - 2)  # the mark that begins a text is one, the character to be written another

    assert len(texts_of(model, record_of(GOOD_PHONE, longest))) == 1
    with pytest.raises(KexueError, match=r"^prefix is too long; the model sees 32 characters at once$"):
        texts_of(model, record_of(GOOD_PHONE, longest + "好好"))


@pytest.mark.parametrize("length", [1, 3, 9])
def test_no_more_characters_are_written_than_wanted(model, length):
    [text] = texts_of(model, record_of(GOOD_FRUIT), **GREEDY)

    assert texts_of(model, record_of(GOOD_FRUIT), max_length=length, **GREEDY) == [text[:length]]
    assert texts_of(model, record_of(GOOD_FRUIT), max_length=length, beam=1) == [text[:length]]


# ------------------------------------------------------------- watching


def test_each_character_is_told_as_it_is_written(model):
    told = []
    records = [record_of(GOOD_PHONE), record_of(BAD_FRUIT, "苹果")]

    watched = texts_of(model, *records, samples=2, watch=told.append)

    assert "".join(told) == "".join(f"{text}\n" for text in watched)
    assert watched == texts_of(model, *records, samples=2)  # and it changes nothing
    first = told[: told.index("\n")]
    assert [part for part in first if part] == list(watched[0])
    assert "苹果坏" in told  # a prefix comes with the first character behind it


def test_a_beam_cannot_be_watched(model):
    with pytest.raises(KexueError, match=r"^a beam search knows no character of a text before its end; draw it"):
        model.with_settings(beam=2, watch=print)


# ------------------------------------------------------------- beams


def test_a_beam_of_one_takes_the_likeliest(model):
    records = [record_of(kind) for kind in KINDS]

    assert texts_of(model, *records, beam=1) == texts_of(model, *records, **GREEDY)


def test_a_beam_finds_both_reviews_the_likelier_one_first(model):
    for kind in KINDS:
        one, other = model.with_settings(beam=4, samples=2).predict([record_of(kind)])

        assert {one["text"], other["text"]} == set(REVIEWS[kind])
        assert one["score"] >= other["score"]


def test_a_beam_may_be_wider_than_there_are_characters(model):
    [text] = texts_of(model, record_of(GOOD_FRUIT), beam=100)

    assert text in REVIEWS[GOOD_FRUIT]


def test_a_beam_has_no_more_texts_than_its_width(model):
    with pytest.raises(KexueError, match=r"^a beam of 2 has no 3 texts; widen it, or ask for fewer$"):
        model.with_settings(beam=2, samples=3)


# ------------------------------------------------------------- forms


def test_a_text_keeps_to_a_form(model):
    form = of_lines([4, 4], {0: "梨", 4: "我"})

    assert texts_of(model, record_of(GOOD_FRUIT), form=form, **GREEDY) == ["梨子很脆，我很喜欢"]
    assert texts_of(model, record_of(GOOD_FRUIT), form=form, beam=2) == ["梨子很脆，我很喜欢"]


def test_what_is_banned_is_not_written(model):
    texts = texts_of(model, record_of(GOOD_FRUIT), form=of_lines([], {}, ["苹果", "梨子很"]), samples=20)

    assert not [text for text in texts if "苹果" in text or "梨子很" in text]


def test_demands_that_exclude_one_another_are_an_error(model):
    with pytest.raises(KexueError, match=r"^nothing may stand at place 2 of the text: the demands exclude one"):
        texts_of(model, record_of(GOOD_FRUIT), form=of_lines([1, 1], {}, PUNCTUATION))  # none between the lines


@pytest.mark.parametrize("character", ["龘", "！"])
def test_a_required_character_that_is_not_known_is_an_error(model, character):
    with pytest.raises(KexueError, match=f"^the model does not know the character '{character}'$"):
        texts_of(model, record_of(GOOD_FRUIT), form=of_lines([], {0: character}))


@pytest.mark.parametrize("settings", [{}, {"beam": 2}, {"temperature": 2.0, "seed": 3}], ids=str)
def test_a_second_line_has_the_length_and_the_punctuation_of_the_first(couplets, settings):
    unseen = ["春花，天高来", "花", "风，来，高", "红花红花春风，天高"]

    seconds = texts_of(couplets, *({"condition": {"first": first}} for first in unseen), **settings)

    for first, second in zip(unseen, seconds, strict=True):
        assert [one == "，" for one in second] == [one == "，" for one in first]


def test_a_form_that_is_asked_for_goes_before_that_of_the_first_line(couplets):
    [text] = texts_of(couplets, {"condition": {"first": "天高"}}, form=of_lines([3], {}), **GREEDY)

    assert len(text.rstrip("，")) == 3


# ------------------------------------------------------------- conditions


@pytest.mark.parametrize(("condition", "problem"), [
    ({"kat": "手机"}, r"^condition\.kat is not known; known are cat, label$"),
    ({"cat": "火车"}, r'^condition\.cat "火车" is not known; known are 手机, 水果$'),
    ({"label": 2}, r"^condition\.label 2 is not known; known are 0, 1$"),
    ({"cat": [1, 2]}, r"^condition\.cat \[1, 2\] is not known; known are 手机, 水果$"),
])  # fmt: skip
def test_a_condition_that_is_not_known_is_named_with_those_that_are(model, condition, problem):
    with pytest.raises(KexueError, match=problem):
        list(model.predict([{"condition": condition}]))


def test_a_conditioning_text_must_be_one(couplets):
    with pytest.raises(KexueError, match=r"^condition\.first must be a text; found 3$"):
        list(couplets.predict([{"condition": {"first": 3}}]))


# ------------------------------------------------------------- likelihoods


def ids_of(model, text):
    """The ids of a text between the marks of its beginning and its end (1, t)."""
    return model.preprocessor.ids(text)[0][None]


def writer_of(model, *texts):
    return Writer(model, model.conditions([text.condition for text in texts]))


def log_shares(logits):
    """The logarithms (t, V) of the shares that logits stand for."""
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def test_texts_that_were_learned_are_much_likelier_than_others(model):
    fitting = [Text(condition_of(kind), text) for kind, texts in REVIEWS.items() for text in texts]
    elsewhere = [Text(condition_of(GOOD_FRUIT), text) for text in REVIEWS[BAD_PHONE]]

    assert model.log_likelihoods(fitting)[:, 0].min() > -2.5  # ln 2 were it perfect: of two, one is drawn
    assert model.log_likelihoods(elsewhere)[:, 0].max() < -2.5


def test_likelihoods_do_not_depend_on_what_is_beside(model):
    texts = [Text(condition_of(kind), text) for kind in KINDS for text in ("苹果很甜", "", "屏幕" * 30, "龘")]

    alone = np.concatenate([model.log_likelihoods([text]) for text in texts])

    np.testing.assert_allclose(model.log_likelihoods(texts), alone, atol=1e-3)
    assert alone[:, 1].tolist() == [len(text.text) + 1 for text in texts]


def test_a_text_longer_than_the_window_has_each_character_counted_once(model):
    # 40 characters and the end. The first window sees the mark and 31 characters, and so tells places 0 to 31; the
    # second begins half a window later, with character 16, and tells the nine that are left.
    text = Text(condition_of(GOOD_PHONE), "屏幕很好，手机很快，" * 4)
    [ids] = ids_of(model, text)
    first = log_shares(writer_of(model, text).logits(ids[None, :32], np.array([0]))[0])
    second = log_shares(writer_of(model, text).logits(ids[None, 16:41], np.array([0]))[0])
    by_hand = sum(first[place, ids[place + 1]] for place in range(32))
    by_hand += sum(second[place - 16, ids[place + 1]] for place in range(32, 41))

    [[total, count]] = model.log_likelihoods([text])

    assert count == 41
    assert total == pytest.approx(by_hand, abs=1e-3)


def test_the_conditioning_text_in_front_is_not_counted(couplets):
    text = Text({"first": "春风来"}, "秋雨去")

    [[total, count]] = couplets.log_likelihoods([text])

    assert count == 3 + 1
    assert total > -0.1


# ------------------------------------------------------------- keys and values that are kept


@pytest.mark.parametrize("begun", [1, 4])
def test_character_by_character_gives_what_the_whole_at_once_gives(model, begun):
    texts = [Text(condition_of(kind), REVIEWS[kind][0]) for kind in KINDS]
    ids = np.concatenate([ids_of(model, text) for text in texts])
    rows = np.arange(len(texts))
    whole = writer_of(model, *texts).logits(ids, rows)

    writer = writer_of(model, *texts)
    steps = [writer(ids[:, :begun], rows)]
    steps += [writer(ids[:, place : place + 1], rows) for place in range(begun, ids.shape[1])]

    np.testing.assert_allclose(np.stack(steps, axis=1), whole[:, begun - 1 :], atol=TOLERANCE)


def test_rows_may_go_on_from_any_rows(model):
    texts = [Text(condition_of(GOOD_PHONE), "屏幕很好"), Text(condition_of(BAD_FRUIT), "苹果坏了")]
    ids = np.concatenate([ids_of(model, text) for text in texts])
    writer = writer_of(model, *texts)

    writer(ids[:, :3], np.array([0, 1]))
    forked = writer(ids[[1, 1, 0], 3:4], np.array([1, 1, 0]))
    kept = writer(ids[[1, 0], 4:5], np.array([0, 2]))

    whole = writer_of(model, *texts).logits(ids, np.array([0, 1]))
    np.testing.assert_allclose(forked, whole[[1, 1, 0], 3], atol=TOLERANCE)
    np.testing.assert_allclose(kept, whole[[1, 0], 4], atol=TOLERANCE)


# ------------------------------------------------------------- damaged folders


@pytest.fixture
def own_folder(tmp_path):
    """A model folder that a test may damage."""
    return shutil.copytree(trained_reviews()[1], tmp_path / "own")


def test_a_vocabulary_of_another_network_is_an_error(own_folder):
    with (own_folder / "vocabulary.txt").open("a", encoding="utf-8") as file:
        file.write("龘\n")

    with pytest.raises(KexueError, match=r"vocabulary\.txt has \d+ entries; the network knows \d+; see: kexue models"):
        kexue_cli.load(str(own_folder))


@pytest.mark.parametrize("values", ["{", "[]", '{"cat": "手机"}', json.dumps({"cat": [1], "label": ["0"]})])
def test_values_that_are_none_are_an_error(own_folder, values):
    (own_folder / "values.json").write_text(values, "utf-8")

    with pytest.raises(KexueError, match=r"values\.json"):
        kexue_cli.load(str(own_folder))
