"""What is drawn of a record: told by its fields, right beside wrong, with no field left out."""

import copy
import json
from collections.abc import Iterator
from functools import reduce

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given
from pictured import (
    DRAWINGS,
    EPOCHS,
    HOSTILE,
    LATTICE,
    MATCHES,
    MENTIONS,
    PAIR,
    QUESTION,
    RECORDS,
    SAMPLES,
    SKIPPED,
    STRUCTURE,
    TRIPLES,
    UNKNOWN,
)

from kexue_cli.errors import RecordError
from kexue_cli.pictures.drawing import Arcs, Curves, Drawing, Facts, Lattice, Structure, Table, Text, Words
from kexue_cli.pictures.kinds import drawings, tasks_of
from kexue_cli.pictures.terminal import writer

SHOW = writer(is_terminal=False)


def drawn(*records: dict) -> list[Drawing]:
    return list(drawings(enumerate(records, 1), "records.jsonl"))


def blocks(record: dict, kind: type) -> list:
    return [block for block in drawn(record)[0].blocks if isinstance(block, kind)]


def marked(text: Text) -> dict[str, str]:
    return {text.text[mark.start : mark.end]: mark.role for mark in text.marks}


@pytest.mark.parametrize(
    ("record", "tasks"),
    [
        (QUESTION, ["qa"]),
        (TRIPLES, ["triples"]),
        (MENTIONS, ["linking"]),
        (LATTICE, ["segmentation"]),
        (PAIR, ["similarity"]),
        (MATCHES, ["similarity"]),
        ({"texts": ["怎么退货", "如何退货"]}, ["similarity"]),
        (SAMPLES[0], ["generation"]),
        (EPOCHS[0], ["training"]),
        (SKIPPED, ["error"]),
        (UNKNOWN, ["other"]),
        ({"text": "没有答案"}, ["other"]),
        ({**TRIPLES, **MENTIONS}, ["triples", "linking"]),
    ],
)
def test_the_fields_of_a_record_tell_its_task(record, tasks):
    assert tasks_of(record) == tasks


def test_an_answer_is_marked_in_its_passage_and_so_is_the_right_one():
    first, second = blocks(QUESTION, Text)

    assert marked(first) == {"绍兴": "other", "鲁迅": "missed"}
    assert marked(second) == {"巴金": "wrong"}
    assert drawn(QUESTION)[0].verdict == "wrong"


def test_a_right_answer_is_marked_once():
    answer = {"answer": "鲁迅", "passage": 0, "start": 0, "end": 2}
    record = {"question": "谁？", "passages": [{"text": "鲁迅写的", "answers": ["鲁迅"]}], **answer}

    assert marked(blocks(record, Text)[0]) == {"鲁迅": "right"}
    assert drawn(record)[0].verdict == "right"


def test_without_gold_nothing_is_called_right_or_wrong():
    record = {"question": "谁？", "passages": ["鲁迅写的"], "answer": "鲁迅", "passage": 0, "start": 0, "end": 2}

    assert marked(blocks(record, Text)[0]) == {"鲁迅": "found"}
    assert drawn(record)[0].verdict == ""


def test_no_answer_is_right_where_there_is_none():
    record = {"question": "谁？", "passages": ["无人"], "answer": None, "score": 0.1, "gold": {"answers": []}}

    facts = dict(blocks(record, Facts)[0].rows)
    assert facts["Answer"] == "(no answer) ✓"
    assert facts["Right answer"] == "(no answer)"


def test_triples_are_arcs_and_rows_right_wrong_or_missed():
    (arcs,) = blocks(TRIPLES, Arcs)
    (table,) = blocks(TRIPLES, Table)

    assert [(arc.subject, arc.object, arc.label, arc.role) for arc in arcs.arcs] == [
        ((10, 12), (0, 2), "作者", "right"),
        ((4, 6), (0, 2), "作者", "wrong"),
        ((0, 2), (4, 6), "出生地", "missed"),  # a gold triple without places: where its parts stand first
    ]
    assert table.roles == ["right", "wrong", "missed"]
    assert table.rows[2] == ("鲁迅", "出生地", "绍兴", None)


def test_a_triple_that_is_not_in_the_text_is_in_the_table_alone():
    record = {"text": "他写了书", "triples": [{"subject": "鲁迅", "predicate": "作者", "object": "书"}]}

    assert blocks(record, Arcs)[0].arcs == []
    assert len(blocks(record, Table)[0].rows) == 1


def test_a_mention_tells_its_entity_the_candidates_and_what_is_right():
    (text,) = blocks(MENTIONS, Text)
    (table,) = blocks(MENTIONS, Table)

    assert marked(text) == {"小米": "wrong", "手机": "right"}
    assert dict(text.marks[0].card) == {
        "Linked to": "小米（粮食） K2", "Score": 0.6, "1. 小米（粮食） K2": 0.6, "2. 小米公司 K1": 0.4, "Right": "K1",
    }  # fmt: skip
    assert table.rows[1] == ["手机", "not in the base", 0.8, "", "not in the base"]


def test_gold_mentions_may_have_names_or_no_link_at_all():
    found = {"mention": "小米", "start": 0, "end": 2, "id": "K1", "name": "小米公司"}
    for gold, verdict in (({"name": "小米公司"}, "right"), ({"name": "小米粥"}, "wrong"), ({}, "right")):
        right = [{"mention": "小米", "start": 0, **gold}]
        record = {"text": "小米发布了", "mentions": [found], "gold": {"mentions": right}}

        assert drawn(record)[0].verdict == verdict


def test_words_are_compared_by_their_places():
    record = {"text": "我爱北京", "words": ["我爱", "北京"], "gold": {"words": ["我", "爱", "北京"]}}

    found, right = blocks(record, Words)
    assert found.roles == ["wrong", "right"]
    assert right.roles == ["missed", "missed", "right"]


def test_a_text_that_its_words_do_not_spell_is_shown_too():
    record = {"text": "我 爱北京", "words": ["我", "爱", "北京"]}

    assert [block.text for block in blocks(record, Text)] == ["我 爱北京"]
    assert blocks({**record, "text": "我爱北京"}, Text) == []


def test_a_lattice_keeps_every_edge():
    (lattice,) = blocks(LATTICE, Lattice)

    assert [(edge.word, edge.weight, edge.is_chosen) for edge in lattice.edges][2:] == [
        ("北", -7.0, False), ("北京", None, True), ("京", -8.0, False),
    ]  # fmt: skip


def test_a_structure_is_a_tree_of_templates_and_words():
    (structure,) = blocks(STRUCTURE, Structure)

    assert structure.root.label == "▢ 的 ▢"
    words = [(node.label, node.is_fixed) for node in structure.root.children]
    assert words == [("北京", False), ("的", True), ("天气", False)]


def test_a_pair_is_right_if_its_label_is_answered():
    assert drawn(PAIR)[0].verdict == "wrong"
    assert drawn({**PAIR, "gold": {"label": 0}})[0].verdict == "right"


def test_nearest_texts_of_the_same_meaning_are_marked():
    nearest, right = blocks(MATCHES, Table)

    assert nearest.roles == ["wrong", "right"]
    assert right.rows == [("如何退货",)]
    assert drawn(MATCHES)[0].verdict == "wrong"  # the nearest means something else


def test_the_samples_of_a_record_are_drawn_together():
    pictures = drawn(*SAMPLES, *SAMPLES, {**SAMPLES[1], "condition": {"cat": "酒店"}})

    assert [picture.line for picture in pictures] == [1, 3, 5]
    assert [row[1] for row in pictures[0].blocks[1].rows] == ["屏幕很大", "声音很好"]


def test_a_text_that_does_not_keep_to_its_condition_shows_what_was_found():
    record = {"condition": {"cat": "手机", "label": 1}, "text": "很差", "found": {"cat": "手机", "label": 0},
              "gold": {"text": "字大"}}  # fmt: skip

    assert drawn(record)[0].verdict == "wrong"
    assert blocks(record, Table)[1].roles == ["right", "wrong"]
    assert blocks(record, Text)[0].text == "字大"


def test_the_epochs_of_a_training_are_drawn_together_and_the_next_training_apart():
    pictures = drawn(*EPOCHS, *EPOCHS)

    assert [picture.line for picture in pictures] == [1, 3]
    (curves, _) = pictures[0].blocks
    assert curves == Curves([1, 2], [("loss", [3.0, 1.0]), ("f1", [0.25, 0.75])])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: ",".join(record)[:40])
def test_no_field_is_left_out(record):
    picture = drawn(record)[0]

    shown = json.dumps([vars(block) for block in picture.blocks], default=vars, ensure_ascii=False)
    words = ["".join(block.words) for block in picture.blocks if isinstance(block, Words)]
    for value in record.values():
        if isinstance(value, str) and value not in words:
            assert json.dumps(value, ensure_ascii=False) in shown


def test_unknown_records_are_shown_as_they_are_with_all_digits():
    (facts,) = blocks(UNKNOWN, Facts)

    assert dict(facts.rows) == {"title": "不是任务的记录", "size": "12345678901234567890123"}


def test_every_record_is_in_one_drawing():
    assert len(drawn(*RECORDS)) == DRAWINGS
    assert drawn(HOSTILE)[0].tasks == ["triples"]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({**QUESTION, "passages": [3]}, "passages[0] must be an object; found 3"),
        ({**QUESTION, "candidates": [{"answer": "巴金", "passage": 2, "start": 0, "end": 2}]},
         "candidates[0].passage must be 0 to 1, a passage of the record; found 2"),
        ({**QUESTION, "gold": {"answers": "鲁迅"}}, 'gold.answers must be a list; found "鲁迅"'),
        ({"text": "鲁迅", "triples": [{"subject": "鲁迅", "predicate": "作者"}]},
         "triples[0]: missing field 'object'; found ['predicate', 'subject']"),
        ({"text": "鲁迅", "mentions": [{"mention": "鲁迅", "start": 1}]},
         "mentions[0].start and end must be places in the text, 0 to 2; found 1 and 3"),
        ({"text": "鲁迅", "mentions": [{"mention": "鲁迅", "start": 0, "score": "high"}]},
         'mentions[0].score must be a number; found "high"'),
        ({"text": "我", "words": [{"start": -1, "end": 1}]},
         "words[0].start and end must be places in the text, 0 to 1; found -1 and 1"),
        ({"text": "我", "structure": {"start": 0, "end": 1, "template": "的", "children": [{"start": 0, "end": 1}]}},
         'structure.template must be a list; found "的"'),
        ({"text": "我", "matches": [{"score": 1}]}, "matches[0]: missing field 'text'; found ['score']"),
        ({"condition": {}, "text": 3}, "text must be a string; found 3"),
        ({**PAIR, "gold": []}, "gold must be an object; found []"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_file_line_and_field(record, problem):
    with pytest.raises(RecordError) as caught:
        drawn({"text": "好", "words": ["好"]}, record)

    assert str(caught.value) == f"records.jsonl:2: {problem}"


def test_a_structure_without_end_is_refused():
    node = {"start": 0, "end": 1}
    for _ in range(110):
        node = {"start": 0, "end": 1, "children": [node]}

    with pytest.raises(RecordError, match="more than 100 levels deep"):
        drawn({"text": "我", "structure": node})


def test_the_score_of_an_earlier_task_is_not_taken_for_another_s():
    record = {**QUESTION, "score": 0.125, "qa_score": 0.5}

    facts, others = blocks(record, Facts)
    assert dict(facts.rows)["Score"] == 0.5
    assert dict(others.rows) == {"id": "q-1", "score": "0.125"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places_of(value: object) -> Iterator[tuple]:
    """Yield the path of every value within a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (name,)
        yield from ((name, *rest) for rest in places_of(one))


@given(st.sampled_from(RECORDS), st.data())
def test_whatever_stands_in_a_field_the_record_is_drawn_or_named(record, data):
    record = copy.deepcopy(record)
    *path, last = data.draw(st.sampled_from(sorted(places_of(record), key=repr)))
    holder = reduce(lambda value, name: value[name], path, record)
    holder[last] = data.draw(JSON)

    try:
        (picture,) = drawn(record)
    except RecordError as error:
        problem = str(error)
    else:
        problem = ""
        assert json.loads(orjson.dumps(picture))["line"] == 1
        assert SHOW(picture)
    assert problem == "" or problem.startswith("records.jsonl:1: ")


def test_what_is_nested_without_end_is_named():
    record: dict = {}
    for _ in range(1100):
        record = {"a": record}

    with pytest.raises(RecordError, match="nested too deeply"):
        drawn(record)
