"""SogouQA: one JSON document, a list of questions."""

import json

import pytest

from kexue_cli.datasets import sogouqa
from kexue_cli.errors import KexueError

DOCUMENT = [
    {
        "id": "10000",
        "question": "金砖国家有哪些？",
        "passages": [
            {"passage": "巴西、俄罗斯和印度都在其中。", "answer": "巴西 俄罗斯 印度"},
            {"passage": "金砖可以砌墙。", "answer": ""},
        ],
    }
]


def test_each_answer_stays_whole_and_an_empty_one_is_none():
    assert list(sogouqa.convert(DOCUMENT, "SogouQA.json")) == [
        (
            "10000",
            {
                "id": "10000",
                "question": "金砖国家有哪些？",
                "passages": [
                    {"text": "巴西、俄罗斯和印度都在其中。", "answers": ["巴西 俄罗斯 印度"]},
                    {"text": "金砖可以砌墙。", "answers": []},
                ],
            },
        )
    ]


def test_a_test_set_without_answers_becomes_records_for_prediction():
    document = [{"question": "谁？", "passages": [{"passage": "鲁迅"}]}]

    assert list(sogouqa.convert(document, "test.json")) == [
        ("[0]", {"question": "谁？", "passages": [{"text": "鲁迅"}]})
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_is_known_by_its_beginning(indent):
    assert sogouqa.looks_like(json.dumps(DOCUMENT, ensure_ascii=False, indent=indent)[:100])


@pytest.mark.parametrize(
    "head", ['{"question": "谁？", "passages": []}', '[{"context_text": "鲁迅", "qas": []}]', "我 爱"]
)
def test_other_files_are_not_taken_for_it(head):
    assert not sogouqa.looks_like(head)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "sogou.json must be a list; found {}"),
        ([[]], "sogou.json: [0] must be an object; found []"),
        ([{"id": "1", "passages": []}], "sogou.json: [0]: missing field 'question'; found ['id', 'passages']"),
        (
            [{"question": "谁？", "passages": [{"passage": "鲁迅", "answer": ["鲁迅"]}]}],
            'sogou.json: [0].passages[0].answer must be a string; found ["鲁迅"]',
        ),
    ],
)
def test_what_is_not_in_the_form_is_named_by_its_place(document, message):
    with pytest.raises(KexueError) as error:
        list(sogouqa.convert(document, "sogou.json"))

    assert str(error.value) == message
