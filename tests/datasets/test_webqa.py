"""WebQA: one JSON document, questions and evidences by id."""

import json

import pytest

from kexue_cli.datasets import webqa
from kexue_cli.errors import KexueError

DOCUMENT = {
    "Q_TRN_1": {
        "question": "《狂人日记》的作者是谁？",
        "evidences": {
            "Q_TRN_1#00": {"evidence": "周树人笔名鲁迅，著有《狂人日记》。", "answer": ["鲁迅", "周树人", "鲁迅先生"]},
            "Q_TRN_1#01": {"evidence": "日记是一种文体。", "answer": ["no_answer"]},
        },
    }
}


def test_every_evidence_becomes_a_passage_and_answers_stay_alternatives():
    assert list(webqa.convert(DOCUMENT, "me_train.json")) == [
        (
            "Q_TRN_1",
            {
                "id": "Q_TRN_1",
                "question": "《狂人日记》的作者是谁？",
                "passages": [
                    {"text": "周树人笔名鲁迅，著有《狂人日记》。", "answers": ["鲁迅", "周树人", "鲁迅先生"]},
                    {"text": "日记是一种文体。", "answers": []},
                ],
            },
        )
    ]


def test_an_answer_given_twice_is_kept_once():
    document = {"Q": {"question": "谁？", "evidences": {"Q#0": {"evidence": "鲁迅", "answer": ["鲁迅", "鲁迅", ""]}}}}

    (_, record), = webqa.convert(document, "me_train.json")  # fmt: skip

    assert record["passages"] == [{"text": "鲁迅", "answers": ["鲁迅"]}]


@pytest.mark.parametrize("indent", [None, 0, 4])
def test_a_file_is_known_by_its_beginning(indent):
    assert webqa.looks_like(json.dumps(DOCUMENT, ensure_ascii=False, indent=indent)[:60])


@pytest.mark.parametrize(
    "head", ['{"question": "谁？", "passages": []}', '{"data": [{"paragraphs": []}]}', "[{", "我 爱"]
)
def test_other_files_are_not_taken_for_it(head):
    assert not webqa.looks_like(head)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "me.json must be an object; found []"),
        ({"Q": 3}, "me.json: Q must be an object; found 3"),
        ({"Q": {"question": "谁？"}}, "me.json: Q: missing field 'evidences'; found ['question']"),
        (
            {"Q": {"question": "谁？", "evidences": {"Q#0": {"evidence": "鲁迅", "answer": "鲁迅"}}}},
            'me.json: Q.evidences[Q#0].answer must be a list; found "鲁迅"',
        ),
        (
            {"Q": {"question": "谁？", "evidences": {"Q#0": {"evidence": "鲁迅", "answer": [3]}}}},
            "me.json: Q.evidences[Q#0].answer[0] must be a string; found 3",
        ),
    ],
)
def test_what_is_not_in_the_form_is_named_by_its_place(document, message):
    with pytest.raises(KexueError) as error:
        list(webqa.convert(document, "me.json"))

    assert str(error.value) == message
