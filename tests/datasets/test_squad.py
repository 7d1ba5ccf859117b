"""SQuAD's form and its variants: one JSON document, questions below paragraphs below articles."""

import json

import pytest

from kexue_cli.datasets import squad
from kexue_cli.errors import KexueError

CONTEXT = "鲁迅原名周树人，1881年生于绍兴。"


def document_of(*questions):
    return {
        "version": "v1.0",
        "data": [{"title": "鲁迅", "paragraphs": [{"context": CONTEXT, "qas": list(questions)}]}],
    }


def question_of(*texts, **more):
    answers = [{"text": text, "answer_start": CONTEXT.find(str(text))} for text in texts]
    return {"id": "Q1", "question": "鲁迅生于何处？", "answers": answers, **more}


def answers_of(*texts, **more):
    """The answers that are kept of a question with these."""
    ((_, record),) = squad.convert(document_of(question_of(*texts, **more)), "dev.json")
    return record if record == squad.YES_NO else record["passages"][0]["answers"]


def test_every_question_becomes_a_record_with_its_paragraph_as_the_passage():
    document = document_of(question_of("绍兴"), {**question_of("1881年"), "id": "Q2", "question": "鲁迅生于哪年？"})

    first = {"text": CONTEXT, "answers": ["绍兴"], "starts": [CONTEXT.index("绍兴")]}
    second = {"text": CONTEXT, "answers": ["1881年"], "starts": [CONTEXT.index("1881年")]}
    assert list(squad.convert(document, "dev.json")) == [
        ("Q1", {"id": "Q1", "question": "鲁迅生于何处？", "passages": [first]}),
        ("Q2", {"id": "Q2", "question": "鲁迅生于哪年？", "passages": [second]}),
    ]


@pytest.mark.parametrize("start", [0, -1, 10_000, None, "3"])
def test_a_start_that_is_wrong_is_left_out(start):
    question = {"id": "Q1", "question": "鲁迅生于何处？", "answers": [{"text": "绍兴", "answer_start": start}]}

    ((_, record),) = squad.convert(document_of(question), "dev.json")

    assert record["passages"] == [{"text": CONTEXT, "answers": ["绍兴"]}]


def test_answers_of_several_annotators_are_alternatives_each_kept_once():
    assert answers_of("绍兴", "绍兴", "浙江绍兴") == ["绍兴", "浙江绍兴"]


def test_an_impossible_question_has_no_answer():
    assert answers_of(is_impossible=True) == []
    assert answers_of("", "", "", is_impossible="true") == []


def test_a_question_said_to_be_impossible_has_an_answer_if_all_annotators_found_one():
    assert answers_of("绍兴", "绍兴", "", is_impossible="true") == []
    assert answers_of("绍兴", "绍兴", "绍兴", is_impossible="true") == ["绍兴"]


@pytest.mark.parametrize("texts", [("YES", "YES", "YES"), ("NO", "", "NO")])
def test_a_question_answered_by_yes_or_no_is_left_out(texts):
    assert answers_of(*texts, is_impossible="false") == squad.YES_NO


def test_yes_beside_a_span_is_no_answer():
    assert answers_of("绍兴", "YES", "绍兴", is_impossible="false") == ["绍兴"]


def test_numbers_from_a_spreadsheet_are_texts_and_null_is_no_answer():
    assert answers_of(1881) == ["1881"]
    assert answers_of(None) == []


def test_a_test_set_without_answers_becomes_records_for_prediction():
    document = document_of({"id": "Q1", "question": "鲁迅生于何处？"})

    assert [record["passages"] for _, record in squad.convert(document, "test.json")] == [[{"text": CONTEXT}]]


def test_a_question_without_an_id_is_named_by_its_place():
    document = document_of({"question": "鲁迅生于何处？", "answers": []})

    assert [place for place, _ in squad.convert(document, "dev.json")] == ["data[0].paragraphs[0].qas[0]"]


OLDER = [
    {
        "context_id": "TRIAL_0",
        "context_text": CONTEXT,
        "title": "鲁迅",
        "qas": [{"query_id": "TRIAL_0_0", "query_text": "鲁迅生于何处？", "answers": ["绍兴", "绍兴"]}],
    }
]


def test_the_older_form_of_cmrc2018_is_read_too():
    assert list(squad.convert(OLDER, "trial.json")) == [
        (
            "TRIAL_0_0",
            {"id": "TRIAL_0_0", "question": "鲁迅生于何处？", "passages": [{"text": CONTEXT, "answers": ["绍兴"]}]},
        )
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("document", [document_of(), {"data": [{"paragraphs": []}], "version": 1.1}, OLDER])
def test_a_file_is_known_by_its_beginning(document, indent):
    assert squad.looks_like(json.dumps(document, ensure_ascii=False, indent=indent)[:70])


@pytest.mark.parametrize("head", ['{"question": "谁？", "data": "x"}', '{"Q": {"question": "谁？"', "[1, 2]", "我 爱"])
def test_other_files_are_not_taken_for_it(head):
    assert not squad.looks_like(head)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"version": "1"}, "dev.json: missing field 'data'; found ['version']"),
        ({"data": [{"paragraphs": {}}]}, "dev.json: data[0].paragraphs must be a list; found {}"),
        (
            {"data": [{"paragraphs": [{"qas": []}]}]},
            "dev.json: data[0].paragraphs[0]: missing field 'context'; found ['qas']",
        ),
        (document_of(3), "dev.json: data[0].paragraphs[0].qas[0] must be an object; found 3"),
        (
            document_of({"question": "谁？", "answers": [{"text": ["鲁迅"]}]}),
            'dev.json: data[0].paragraphs[0].qas[0].answers[0] must be {"text"} or a string; found {"text": ["鲁迅"]}',
        ),
        (
            document_of({"question": "谁？", "answers": [{}]}),
            "dev.json: data[0].paragraphs[0].qas[0].answers[0]: missing field 'text'; found []",
        ),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_place(document, message):
    with pytest.raises(KexueError) as error:
        list(squad.convert(document, "dev.json"))

    assert str(error.value) == message
