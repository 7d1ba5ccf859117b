"""The record of question answering: what is read, what is refused, what a check tells."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.qa.records import Passage, Question, is_found, problems, read_question, sizes

TEXT = "鲁迅原名周树人，1881年生于绍兴。"


def record_of(*answers, text=TEXT, question="鲁迅原名什么？"):
    return {"question": question, "passages": [{"text": text, "answers": list(answers)}]}


def test_a_labelled_record_is_read():
    assert read_question(record_of("周树人", "樟寿"), with_answers=True) == Question(
        "鲁迅原名什么？", (Passage(TEXT, ("周树人", "樟寿")),)
    )


def test_passages_to_predict_from_are_strings_or_objects_and_answers_are_not_looked_at():
    record = {"question": "谁？", "passages": ["鲁迅", {"text": "绍兴", "title": "x"}, {"text": TEXT, "answers": 3}]}

    assert read_question(record, with_answers=False) == Question(
        "谁？", (Passage("鲁迅"), Passage("绍兴"), Passage(TEXT))
    )


def test_where_the_answers_begin_may_be_told():
    passage = {"text": "看了又看", "answers": ["看"], "starts": [3]}

    question = read_question({"question": "？", "passages": [passage]}, with_answers=True)

    assert question.passages == (Passage("看了又看", ("看",), (3,)),)


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ([1], 'passages[0].starts[0] must be where "看" begins in the text; found 1'),
        ([-1], 'passages[0].starts[0] must be where "看" begins in the text; found -1'),
        (["0"], 'passages[0].starts[0] must be a whole number; found "0"'),
        ([], "passages[0].starts must have a number for each answer; found 0 for 1"),
    ],
)
def test_where_no_answer_begins_is_refused(starts, message):
    passage = {"text": "看了又看", "answers": ["看"], "starts": starts}

    with pytest.raises(KexueError) as error:
        read_question({"question": "？", "passages": [passage]}, with_answers=True)

    assert str(error.value) == message


def test_the_answers_of_a_question_are_those_of_all_passages_each_once():
    question = Question("谁？", (Passage(TEXT, ("鲁迅", "周树人")), Passage("绍兴"), Passage(TEXT, ("周树人", "先生"))))

    assert question.answers == ("鲁迅", "周树人", "先生")


@pytest.mark.parametrize("with_answers", [True, False])
@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"passages": []}, "missing field 'question'; found ['passages']"),
        ({"question": 3, "passages": []}, "question must be a string; found 3"),
        ({"question": "谁？"}, "missing field 'passages'; found ['question']"),
        ({"question": "谁？", "passages": "鲁迅"}, 'passages must be a list; found "鲁迅"'),
        ({"question": "谁？", "passages": [{"answers": []}]}, "passages[0]: missing field 'text'; found ['answers']"),
        (
            {"question": "谁？", "passages": [{"text": None, "answers": []}]},
            "passages[0].text must be a string; found null",
        ),
    ],
)
def test_a_bad_record_is_refused_by_the_name_of_the_field(record, message, with_answers):
    with pytest.raises(KexueError) as error:
        read_question(record, with_answers=with_answers)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("passage", "message"),
    [
        ("鲁迅", 'passages[2] must be {"text", "answers"}; found "鲁迅"'),
        ({"text": "鲁迅"}, "passages[2]: missing field 'answers'; found ['text']"),
        ({"text": "鲁迅", "answers": "鲁迅"}, 'passages[2].answers must be a list; found "鲁迅"'),
        ({"text": "鲁迅", "answers": [3]}, "passages[2].answers[0] must be a string; found 3"),
        (
            {"text": "鲁迅", "answers": ["鲁迅", " "]},
            "passages[2].answers[1] must not be empty; a passage without an answer has []",
        ),
    ],
)
def test_a_bad_label_is_refused_by_the_name_of_the_field(passage, message):
    good = {"text": "鲁迅", "answers": []}

    with pytest.raises(KexueError) as error:
        read_question({"question": "谁？", "passages": [good, good, passage]}, with_answers=True)

    assert str(error.value) == message


def test_a_bad_passage_to_predict_from_is_refused():
    with pytest.raises(KexueError) as error:
        read_question({"question": "谁？", "passages": ["鲁迅", 3]}, with_answers=False)

    assert str(error.value) == 'passages[1] must be a string or {"text"}; found 3'


@pytest.mark.parametrize(
    ("answer", "text"),
    [("ＤＮＡ", "dna双螺旋"), ("發現", "发现者"), ("巴西 印度", "印度、俄罗斯和巴西"), ("New York", "new york")],
)
def test_an_answer_is_found_whatever_its_width_case_and_script_and_in_parts(answer, text):
    assert is_found(answer, text)


@pytest.mark.parametrize(("answer", "text"), [("樟寿", TEXT), ("巴西 中国", "印度、俄罗斯和巴西"), ("周树 人们", TEXT)])
def test_an_answer_that_is_not_there_is_not_found(answer, text):
    assert not is_found(answer, text)


def found(record):
    return [(problem.field, problem.text, problem.is_error) for problem in problems(record)]


@pytest.mark.parametrize(
    "record",
    [
        record_of("周树人"),
        {"question": "谁？", "passages": ["鲁迅"]},
        {"question": "谁？", "passages": [{"text": "鲁迅"}]},
    ],
)
def test_a_good_record_has_no_problems(record):
    assert found(record) == []


def test_answers_of_which_none_is_in_the_passage_are_an_error():
    assert found(record_of("樟寿", "豫才")) == [
        ("passages[0].answers[0]", '"樟寿" is not in the passage', True),
        ("passages[0].answers[1]", '"豫才" is not in the passage', True),
    ]


def test_an_answer_beside_one_that_is_found_is_worth_a_note():
    assert found(record_of("周树人", "樟寿")) == [
        ("passages[0].answers[1]", '"樟寿" is not in the passage; another answer is', False)
    ]


def test_an_answer_given_twice_is_worth_a_note():
    assert found(record_of("鲁迅", "鲁迅")) == [("passages[0].answers[1]", '"鲁迅" is given twice', False)]


def test_a_question_without_an_answer_is_worth_a_note():
    assert found(record_of()) == [("passages", "no answer in any passage", False)]


def test_empty_parts_are_errors():
    assert found(record_of(text=" ", question="")) == [
        ("question", "is empty", True),
        ("passages[0].text", "is empty", True),
        ("passages", "no answer in any passage", False),
    ]
    assert found({"question": "谁？", "passages": []}) == [("passages", "there are none", True)]


def test_a_record_that_cannot_be_read_is_one_error():
    assert found(record_of(3)) == [("", "passages[0].answers[0] must be a string; found 3", True)]
    assert found({"passages": 3}) == [("", "missing field 'question'; found ['passages']", True)]


def test_passages_and_answers_are_counted():
    assert sizes(record_of()) == {"passages": 1, "answers": 0}
    assert sizes(record_of("鲁迅", "周树人")) == {"passages": 1, "answers": 2}
    assert sizes({"question": "谁？", "passages": ["鲁迅"]}) == {"passages": 1, "answers": 0}
    assert sizes({"question": "谁？", "passages": 3}) == {"passages": 0, "answers": 0}
