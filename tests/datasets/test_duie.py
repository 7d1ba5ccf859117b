"""DuIE and CMeIE: a JSON object a line, with a "spo_list"."""

import json

import pytest

from kexue_cli.datasets import cmeie, duie
from kexue_cli.errors import KexueError

TEXT = "赵一在《夜航》里饰演船长周山，该剧由钱二执导。"
DIRECTOR = {"predicate": "导演", "subject_type": "影视作品", "object_type": "人物", "subject": "夜航", "object": "钱二"}


def line_of(*triples, **more):
    return json.dumps({"text": TEXT, "spo_list": list(triples), **more}, ensure_ascii=False)


def triples_of(*triples):
    ((_, record),) = duie.convert([(1, line_of(*triples))], "train.jsonl")
    return record["triples"]


def test_triples_are_kept_with_their_types_and_the_words_of_the_text_are_not():
    lines = [(1, line_of(DIRECTOR, postag=[{"word": "赵一", "pos": "nr"}])), (2, ""), (3, line_of())]

    triple = {
        "subject": "夜航",
        "predicate": "导演",
        "object": "钱二",
        "subject_type": "影视作品",
        "object_type": "人物",
    }
    assert list(duie.convert(lines, "train.jsonl")) == [
        ("1", {"text": TEXT, "triples": [triple]}),
        ("3", {"text": TEXT, "triples": []}),
    ]


def test_each_slot_of_an_object_becomes_a_triple():
    role = {
        "predicate": "饰演",
        "subject": "赵一",
        "subject_type": "娱乐人物",
        "object": {"@value": "周山", "inWork": "夜航"},
        "object_type": {"@value": "人物", "inWork": "影视作品"},
    }

    actor = {"subject": "赵一", "subject_type": "娱乐人物"}
    assert triples_of(role) == [
        {**actor, "predicate": "饰演", "object": "周山", "object_type": "人物"},
        {**actor, "predicate": "饰演_inWork", "object": "夜航", "object_type": "影视作品"},
    ]


def test_an_empty_slot_stands_for_none():
    role = {"predicate": "饰演", "subject": "赵一", "object": {"@value": "周山", "inWork": " ", "period": ""}}

    assert triples_of(role) == [{"subject": "赵一", "predicate": "饰演", "object": "周山"}]


def test_a_triple_may_be_a_list_and_spaces_around_its_parts_do_not_count():
    assert triples_of(["夜航 ", "导演", " 钱二"]) == [{"subject": "夜航", "predicate": "导演", "object": "钱二"}]


def test_the_places_of_deepke_are_kept_where_they_are_right():
    triple = {"subject": "夜航", "predicate": "导演", "object": "钱二"}
    subject_start, object_start = TEXT.index("夜航"), TEXT.index("钱二")

    assert triples_of({**triple, "subject_offset": subject_start, "object_offset": object_start}) == [
        {**triple, "subject_start": subject_start, "object_start": object_start}
    ]
    for wrong in (0, subject_start - len(TEXT), 10_000, "4", None):
        assert triples_of({**triple, "subject_offset": wrong, "object_offset": object_start}) == [
            {**triple, "object_start": object_start}
        ]


def test_a_test_set_without_triples_becomes_records_for_prediction():
    line = json.dumps({"text": TEXT, "postag": []}, ensure_ascii=False)

    assert list(duie.convert([(1, line)], "test.jsonl")) == [("1", {"text": TEXT})]


@pytest.mark.parametrize("line", [line_of(DIRECTOR), '{"postag": [{"word": "赵一", "pos": "nr"}], "text": "赵一'])
def test_a_file_is_known_by_its_beginning(line):
    assert duie.looks_like(line)
    assert not cmeie.looks_like(line)


@pytest.mark.parametrize(
    "head",
    [
        json.dumps({"text": '他写了"spo_list": []'}, ensure_ascii=False),
        '{"text": "赵一", "triples": []}',
        '[{"text": "赵一", "spo_list": []}]',
        "赵一 在 夜航",
        "",
    ],
)
def test_other_files_are_not_taken_for_it(head):
    assert not duie.looks_like(head)


MEDICAL = {
    "text": "肺炎常有发热。",
    "spo_list": [
        {
            "Combined": False,
            "predicate": "临床表现",
            "subject": "肺炎",
            "subject_type": "疾病",
            "object": {"@value": "发热"},
            "object_type": {"@value": "症状"},
        }
    ],
}
SYMPTOM = {"subject": "肺炎", "predicate": "临床表现", "object": "发热", "subject_type": "疾病", "object_type": "症状"}


def test_cmeie_is_known_by_combined_and_read_in_the_same_way():
    line = json.dumps(MEDICAL, ensure_ascii=False)

    assert cmeie.looks_like(line)
    assert list(cmeie.convert([(1, line)], "dev.jsonl")) == [("1", {"text": "肺炎常有发热。", "triples": [SYMPTOM]})]


@pytest.mark.parametrize(("name", "line"), [("duie", line_of(DIRECTOR)), ("cmeie", json.dumps(MEDICAL))])
def test_the_commands_tell_the_format_and_convert_what_checks_as_ours(kexue, name, line):
    checked = kexue("data", "check", stdin=line)
    converted = kexue("data", "convert", stdin=line)

    assert checked.stderr == f"standard input: read as {name}: 1 records, 1 triples; errors: 0\n"
    assert kexue("data", "convert", "--format", name, stdin=line).out == converted.out
    assert kexue("data", "check", stdin=converted.out).stderr == (
        "standard input: read as JSON lines: 1 records, 1 triples; errors: 0\n"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "train.jsonl:7: not a JSON object; found list; allowed: {...}"),
        ('{"spo_list": []}', "train.jsonl:7: missing field 'text'; found ['spo_list']"),
        ('{"text": "", "spo_list": {}}', "train.jsonl:7: spo_list must be a list; found {}"),
        (line_of(3), "train.jsonl:7: spo_list[0] must be an object; found 3"),
        (line_of(DIRECTOR, {"subject": "夜航"}),
         "train.jsonl:7: spo_list[1]: missing field 'predicate'; found ['subject']"),
        (line_of({"subject": "夜航", "predicate": "导演"}),
         "train.jsonl:7: spo_list[0]: missing field 'object'; found ['predicate', 'subject']"),
        (line_of({**DIRECTOR, "object": ["钱二"]}),
         'train.jsonl:7: spo_list[0].object must be a string or {"@value"}; found ["钱二"]'),
        (line_of({**DIRECTOR, "object": {"@value": 2}}),
         "train.jsonl:7: spo_list[0].object.@value must be a string; found 2"),
        (line_of(["夜航", "钱二"]),
         'train.jsonl:7: spo_list[0] must be [subject, predicate, object]; found ["夜航", "钱二"]'),
    ],
)  # fmt: skip
def test_what_is_not_in_the_form_is_named_by_its_place(line, message):
    with pytest.raises(KexueError) as error:
        list(duie.convert([(7, line)], "train.jsonl"))

    assert str(error.value) == message
