"""Entities: how they are read and written, and the base that labelled texts give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.entities import (
    COMPANIONS,
    Alias,
    Entity,
    Fact,
    derived,
    entity_record,
    problems,
    read_entity,
    sizes,
)
from kexue_cli.tasks.linking.records import LabelledText, Mention
from kexue_cli.text.normalization import normalize

RECORD = {
    "id": "K1",
    "name": "鲁迅",
    "aliases": ["周树人", {"name": "迅哥儿", "count": 2, "occurrences": 3}],
    "types": ["人物"],
    "facts": [{"predicate": "出生地", "object": "绍兴"}],
    "description": "作家。",
}
ENTITY = Entity("K1", "鲁迅", (Alias("周树人"), Alias("迅哥儿", 2, 3)), ("人物",), (Fact("出生地", "绍兴"),), "作家。")


def test_an_entity_is_read_and_written():
    assert read_entity(RECORD) == ENTITY
    assert entity_record(ENTITY) == RECORD


def test_only_the_id_and_the_name_must_be_there():
    record = {"id": "K1", "name": "鲁迅"}

    assert read_entity(record) == Entity("K1", "鲁迅")
    assert entity_record(Entity("K1", "鲁迅")) == record


NAME = st.text(min_size=1).filter(str.strip)
ENTITIES = st.builds(
    Entity,
    NAME,
    NAME,
    st.lists(st.builds(Alias, NAME, st.integers(0, 9), st.integers(0, 9))).map(tuple),
    st.lists(st.text()).map(tuple),
    st.lists(st.builds(Fact, st.text(), st.text())).map(tuple),
    st.text(),
)


@given(ENTITIES)
def test_what_is_written_is_read_as_it_was(entity):
    assert read_entity(entity_record(entity)) == entity


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"name": "鲁迅"}, "missing field 'id'; found ['name']"),
        ({"id": 1, "name": "鲁迅"}, "id must be a string; found 1"),
        ({"id": "K1", "name": " "}, "name must not be empty"),
        ({**RECORD, "aliases": "周树人"}, 'aliases must be a list; found "周树人"'),
        ({**RECORD, "aliases": ["周树人", ""]}, "aliases[1] must not be empty"),
        ({**RECORD, "aliases": [3]}, 'aliases[0] must be a string or {"name", "count", "occurrences"}; found 3'),
        ({**RECORD, "aliases": [{"count": 3}]}, "aliases[0]: missing field 'name'; found ['count']"),
        ({**RECORD, "aliases": [{"name": "周树人", "count": -1}]}, "aliases[0].count must not be negative; found -1"),
        ({**RECORD, "types": [None]}, "types[0] must be a string; found null"),
        ({**RECORD, "facts": [["出生地", "绍兴"]]}, 'facts[0] must be an object; found ["出生地", "绍兴"]'),
        ({**RECORD, "facts": [{"predicate": "出生地", "object": 3}]}, "facts[0].object must be a string; found 3"),
        ({**RECORD, "description": None}, "description must be a string; found null"),
    ],
)
def test_a_bad_record_is_refused_by_the_name_of_the_field(record, message):
    with pytest.raises(KexueError) as error:
        read_entity(record)

    assert str(error.value) == message
    assert [(problem.field, problem.text, problem.is_error) for problem in problems(record)] == [("", message, True)]


def found(**more):
    return [(problem.field, problem.text, problem.is_error) for problem in problems({**RECORD, **more})]


def test_what_a_check_tells_of_an_entity():
    assert found() == []
    assert found(aliases=["ＡＢ", "甲", "ab"]) == [("aliases[2]", '"ab" is given twice', False)]
    assert found(aliases=[{"name": "甲", "count": 3, "occurrences": 2}]) == [
        ("aliases[0]", "linked 3 times, but seen 2 times only", True)
    ]
    assert found(facts=[{"predicate": "出生地", "object": ""}]) == [("facts[0]", "is half empty", False)]


def test_the_sizes_of_an_entity_are_its_other_names_and_its_facts():
    assert sizes(RECORD) == {"aliases": 2, "facts": 1}
    assert sizes({"id": "K1", "name": "鲁迅"}) == {"aliases": 0, "facts": 0}


def test_a_file_of_entities_is_known_by_the_id_or_name(kexue):
    done = kexue("data", "check", stdin='{"id": "K1", "name": "鲁迅"}\n{"id": "K2"}\n')

    assert done.lines == ["standard input:2: missing field 'name'; found ['id']"]
    assert done.stderr == (
        "standard input: read as JSON lines: 2 records, 0 aliases, 0 facts, 1 unreadable; errors: 1\n"
    )


# ------------------------------------------------------------- the base of labelled texts


def text_of(text, *mentions):
    """A text and what it mentions, as (mention, id); each stands where it first does."""
    return LabelledText(text, tuple(Mention(mention, text.index(mention), id) for mention, id in mentions))


TEXTS = [
    text_of("苹果发布手机", ("苹果", "公司"), ("手机", "K3")),
    text_of("苹果公司的手机很贵", ("苹果公司", "公司"), ("手机", "K3")),
    text_of("苹果和梨都很甜", ("苹果", "水果"), ("梨", None)),
    text_of("苹果又涨价了"),
]


def test_there_is_an_entity_for_each_id_with_all_its_mentions_and_how_often_they_were_linked_and_seen():
    assert list(derived(TEXTS)) == [
        Entity("公司", "苹果", (Alias("苹果", 1, 4), Alias("苹果公司", 1, 1)), description="手机"),
        Entity("K3", "手机", (Alias("手机", 2, 2),), description="苹果、苹果公司"),
        Entity("水果", "苹果", (Alias("苹果", 1, 4),), description="梨"),
    ]


def test_the_most_frequent_mention_is_the_name():
    texts = [text_of("鲁迅", ("鲁迅", "K1")), *[text_of("周树人", ("周树人", "K1"))] * 2]

    (entity,) = derived(texts)

    assert (entity.name, entity.aliases) == ("周树人", (Alias("周树人", 2, 2), Alias("鲁迅", 1, 1)))


def test_what_is_not_in_the_base_or_not_linked_is_no_entity():
    text = LabelledText("鲁迅和绍兴", (Mention("鲁迅", 0), Mention("绍兴", 3, is_linked=False)))

    assert list(derived([text])) == []
    assert list(derived([])) == []


def test_texts_linked_by_name_give_entities_of_that_name():
    text = LabelledText("长江号停航", (Mention("长江号", 0, name="长江（轮船）"),))

    assert list(derived([text])) == [Entity("长江（轮船）", "长江（轮船）", (Alias("长江号", 1, 1),))]


def test_mentions_that_differ_in_width_case_or_script_are_one_name_written_as_mostly():
    texts = [text_of(text, (text, "K1")) for text in ("ｎｂａ", "NBA", "NBA", "聯賽", "联赛", "联赛")]

    (entity,) = derived(texts)

    assert entity.aliases == (Alias("NBA", 3, 3), Alias("联赛", 3, 3))


def test_a_mention_given_twice_counts_once():
    (entity,) = derived([text_of("鲁迅", ("鲁迅", "K1"), ("鲁迅", "K1"))])

    assert entity.aliases == (Alias("鲁迅", 1, 1),)


def test_names_are_seen_where_they_overlap():
    (entity,) = derived([text_of("哈哈哈", ("哈哈", "K1")), text_of("哈")])

    assert entity.aliases == (Alias("哈哈", 1, 2),)


def test_the_description_lists_what_is_mentioned_most_beside_the_entity():
    many = [(f"甲{i:02}", f"K{i}") for i in range(50)]
    texts = [
        text_of("雨" + "".join(name for name, _ in many), ("雨", "R"), *many),
        text_of("雨和甲07", ("雨", "R"), ("甲07", None)),
    ]

    beside_rain = next(derived(texts)).description.split("、")

    assert len(beside_rain) == COMPANIONS == 40
    assert beside_rain[:3] == ["甲07", "甲00", "甲01"]


LETTERS = st.text("甲乙丙AａA", min_size=1, max_size=8)


@given(st.lists(LETTERS, min_size=1), st.data())
def test_a_name_is_seen_as_often_as_it_stands_in_the_texts(strings, data):
    texts = []
    for string in strings:
        start = data.draw(st.integers(0, len(string) - 1))
        end = data.draw(st.integers(start + 1, len(string)))
        id = data.draw(st.sampled_from("KL"))
        texts.append(LabelledText(string, (Mention(string[start:end], start, id),)))

    aliases = [alias for entity in derived(texts) for alias in entity.aliases]

    for alias in aliases:
        name = normalize(alias.name)
        places = [
            string for string in map(normalize, strings) for at in range(len(string)) if string.startswith(name, at)
        ]
        assert alias.occurrences == len(places) >= alias.count
    assert sum(alias.count for alias in aliases) == len(texts)
