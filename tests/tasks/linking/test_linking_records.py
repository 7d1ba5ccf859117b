"""The record of entity linking: what is read, what is refused, what a check tells."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.records import LabelledText, Mention, problems, read_labelled_text, sizes

TEXT = "鲁迅生于绍兴，绍兴多雨。"
WRITER = {"mention": "鲁迅", "start": 0, "id": "K1"}
CITY = {"mention": "绍兴", "start": 4, "id": "K2"}


def record_of(*mentions, text=TEXT, **more):
    return {"text": text, "mentions": list(mentions), **more}


def read(*mentions, text=TEXT):
    return read_labelled_text(record_of(*mentions, text=text)).mentions


def test_a_text_and_its_mentions_are_read():
    assert read_labelled_text(record_of(WRITER, CITY)) == LabelledText(
        TEXT, (Mention("鲁迅", 0, "K1"), Mention("绍兴", 4, "K2"))
    )
    assert read_labelled_text(record_of()) == LabelledText(TEXT, ())


def test_a_mention_ends_where_its_last_character_does():
    (mention,) = read(CITY)

    assert TEXT[mention.start : mention.end] == "绍兴"


def test_a_mention_has_an_id_or_none_in_the_base_or_a_name_or_is_not_linked():
    assert read({"mention": "雨", "start": 10, "id": None}) == (Mention("雨", 10),)
    assert read({"mention": "绍兴", "start": 4, "name": "绍兴（城市）"}) == (Mention("绍兴", 4, name="绍兴（城市）"),)
    assert read({"mention": "雨", "start": 10}) == (Mention("雨", 10, is_linked=False),)


def test_what_was_predicted_is_read_too():
    predicted = {"end": 2, "name": "鲁迅", "score": 0.9, "candidates": []}

    assert read({**WRITER, **predicted}) == (Mention("鲁迅", 0, "K1"),)
    assert read({**WRITER, **predicted, "id": None, "name": None}) == (Mention("鲁迅", 0),)


def test_a_place_is_right_whatever_the_width_case_and_script():
    (mention,) = read({"mention": "NBA", "start": 1, "id": "K3"}, text="看ｎｂａ比赛")

    assert (mention.start, mention.end) == (1, 4)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"mentions": []}, "missing field 'text'; found ['mentions']"),
        ({"text": TEXT}, "missing field 'mentions'; found ['text']"),
        ({"text": TEXT, "mentions": {}}, "mentions must be a list; found {}"),
        (record_of(WRITER, "绍兴"), 'mentions[1] must be an object; found "绍兴"'),
        (record_of({"start": 0}), "mentions[0]: missing field 'mention'; found ['start']"),
        (record_of({**WRITER, "mention": " "}), "mentions[0].mention must not be empty"),
        (record_of({**WRITER, "start": "0"}), 'mentions[0].start must be a whole number; found "0"'),
        (record_of({**WRITER, "start": 1}), 'mentions[0].start must be where "鲁迅" begins in the text; found 1'),
        (record_of({**WRITER, "mention": "多雨", "start": -3}),
         'mentions[0].start must be where "多雨" begins in the text; found -3'),
        (record_of({**WRITER, "end": 3}), 'mentions[0].end must be 2, where "鲁迅" ends in the text; found 3'),
        (record_of({**WRITER, "id": 1}), "mentions[0].id must be a string; found 1"),
        (record_of({**WRITER, "id": ""}), "mentions[0].id must not be empty"),
        (record_of({"mention": "鲁迅", "start": 0, "name": None}), "mentions[0].name must be a string; found null"),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_by_the_name_of_the_field(record, message):
    with pytest.raises(KexueError) as error:
        read_labelled_text(record)

    assert str(error.value) == message


def found(record):
    return [(problem.field, problem.text, problem.is_error) for problem in problems(record)]


@pytest.mark.parametrize("record", [record_of(WRITER, CITY, {**CITY, "start": 7}), record_of(), {"text": TEXT}])
def test_a_labelled_text_and_one_to_predict_from_have_no_problems(record):
    assert found(record) == []


def test_a_name_within_another_is_no_problem():
    assert found(record_of({"mention": "绍", "start": 4}, CITY)) == []


def test_a_mention_given_twice_is_worth_a_note():
    assert found(record_of(CITY, WRITER, CITY)) == [("mentions[2]", '"绍兴" at 4 is given twice', False)]


@pytest.mark.parametrize("other", [{"id": None}, {"id": "K3"}])
def test_a_mention_of_two_entities_is_an_error(other):
    assert found(record_of(CITY, {**CITY, **other})) == [
        ("mentions[1]", '"绍兴" at 4 is linked to another entity too', True)
    ]


def test_an_empty_text_is_an_error():
    assert found({"text": " "}) == [("text", "is empty", True)]


def test_a_record_that_cannot_be_read_is_one_error():
    assert found(record_of(3)) == [("", "mentions[0] must be an object; found 3", True)]
    assert found({}) == [("", "missing field 'text'; found []", True)]


def test_mentions_and_texts_without_any_are_counted():
    nil, by_name, not_linked = (
        {**WRITER, "id": None},
        {"mention": "绍兴", "start": 4, "name": "绍兴"},
        {"mention": "雨"},
    )

    assert sizes(record_of(WRITER, CITY, by_name)) == {"mentions": 3}
    assert sizes(record_of(nil, CITY, not_linked)) == {
        "mentions": 3,
        "mentions not in the base": 1,
        "mentions not linked": 1,
    }
    assert sizes(record_of()) == {"mentions": 0, "texts without mentions": 1}
    assert sizes({"text": TEXT}) == {"mentions": 0}


def test_records_are_known_for_linking_by_their_mentions(kexue):
    done = kexue("data", "check", stdin='{"id": "T1", "text": "鲁迅", "mentions": []}\n{"text": "巴金"}\n')

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr == (
        "standard input: read as JSON lines: 2 records, 0 mentions, 1 texts without mentions; errors: 0\n"
    )
