"""Questions of Baidu Zhidao: one JSON list over many lines, or an object a line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.datasets import zhidao
from kexue_cli.datasets.reader import detect
from kexue_cli.errors import KexueError

PAGE = "http://zhidao.example/question"
RETURN = {"url": f"{PAGE}/1.html", "question": "图书馆的书怎么还", "tags": ["图书馆", "还书"]}
RENEW = {"url": f"{PAGE}/2.html", "question": "借的书{}看不完，[怎么]续借?", "tags": []}
GROUPS = [
    {"texts": ["图书馆的书怎么还"], "url": f"{PAGE}/1.html", "tags": ["图书馆", "还书"]},
    {"texts": ["借的书{}看不完，[怎么]续借?"], "url": f"{PAGE}/2.html", "tags": []},
]


def written(value, **form):
    return json.dumps(value, ensure_ascii=False, **form)


def placed_groups(text):
    return list(zhidao.convert(enumerate(text.split("\n"), 1), "zhidao.json"))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"{written(RETURN)}\n\n{written(RENEW)}", ["1", "3"]),
        (f"[\n{written(RETURN)},\n{written(RENEW)}\n]\n", ["2", "3"]),
        (f"[{written(RETURN)},\n {written(RENEW)}]", ["1", "2"]),
        (f"[{written(RETURN)}\n,{written(RENEW)} , ]", ["1", "2"]),
        (written([RETURN, RENEW]), ["1", "1"]),
        (written([RETURN, RENEW], indent=4), ["2", "10"]),  # eight lines an object, as it was published
        (written([RETURN, RENEW], indent="\t"), ["2", "10"]),
        (written([RETURN, RENEW], indent=0), ["2", "10"]),
    ],
)
def test_a_question_is_a_group_of_one_however_the_list_is_broken_into_lines(text, places):
    assert placed_groups(text) == list(zip(places, GROUPS, strict=True))


@pytest.mark.parametrize("text", ["", "[]", "[\n\n]"])
def test_a_list_without_questions_has_no_groups(text):
    assert placed_groups(text) == []


@given(st.lists(st.tuples(st.text(), st.lists(st.text())), min_size=1), st.sampled_from([None, 0, 4]))
def test_whatever_stands_in_a_question_is_no_end_of_it(questions, indent):
    values = [{"url": PAGE, "question": question, "tags": tags} for question, tags in questions]

    assert [(record["texts"], record["tags"]) for _, record in placed_groups(json.dumps(values, indent=indent))] == [
        ([question], tags) for question, tags in questions
    ]


def test_no_more_is_read_than_the_question_that_is_asked_for():
    lines = iter(enumerate(written([RETURN, RENEW], indent=4).split("\n"), 1))

    assert next(iter(zhidao.convert(lines, "zhidao.json"))) == ("2", GROUPS[0])
    assert next(lines)[0] == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[\n{written(RETURN)},\n图书馆",
         'zhidao.json:3: expected the beginning of an object {"url", "question", "tags"}; found "图书馆"'),
        ('[\n{"url": "",\n"question" "",\n"tags": []}]',
         'zhidao.json:3: not JSON ('),
        ('[{"url": "",\n"question": ""', 'zhidao.json:2: not JSON ('),
        (f'{written(RETURN)}\n{{"url": "", "tags": []}}',
         "zhidao.json:2: missing field 'question'; found ['tags', 'url']"),
        ('{"question": 3}', "zhidao.json:1: question must be a string; found 3"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_line(text, message):
    with pytest.raises(KexueError) as error:
        placed_groups(text)

    assert str(error.value).startswith(message)


@pytest.mark.parametrize("form", [{}, {"indent": 4}, {"indent": "\t"}, {"separators": (",", ":")}])
@pytest.mark.parametrize("value", [RETURN, [RETURN], [RETURN] * 100])
def test_a_file_is_known_by_its_first_object(value, form):
    assert detect(written(value, **form)[:8192], "zhidao.json") == "zhidao"


@pytest.mark.parametrize(
    "head",
    [
        '{"question": "怎么还书", "url": "", "passages": []}',
        '{"question": "怎么还书"}\n{"url": "", "tags": []}',
        written(GROUPS[0]),
        '"url": "", "question": "", "tags": []',
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not zhidao.looks_like(head)


def test_the_commands_tell_the_format_and_convert_to_ours(kexue):
    text = written([RETURN, RENEW], indent=4)

    assert [json.loads(line) for line in kexue("data", "convert", stdin=text).lines] == GROUPS
    assert kexue("data", "check", stdin=text).stderr == (
        "standard input: read as zhidao: 2 records, 2 groups, 2 texts, 2 groups of one text; errors: 0\n"
    )
