"""A compiled base: what is written into it is found in texts, by its names and by its ids."""

import json
import tempfile
from pathlib import Path

import pytest
from characters import CharacterEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.linking.config import ENTITY_WORDS, LONGEST_NAME
from kexue_cli.tasks.linking.entities import Alias, Entity, Fact
from kexue_cli.tasks.linking.knowledge_base import (
    ARRAYS,
    DESCRIBED_CHARACTERS,
    IDS,
    INDEX,
    NAMES,
    RECORDS,
    KnowledgeBase,
    compile_base,
    described,
    described_rows,
    fold,
    is_of_base,
)
from kexue_cli.text.normalization import normalize

ENCODER = CharacterEncoder("电脑公司水果生在树上")
COMPANY = Entity(
    "K1",
    "苹果公司",
    (Alias("苹果", 2, 9), Alias("Apple", 5, 6)),
    ("公司",),
    (Fact("产品", "电脑"),),
    "生产电脑的公司",
)
FRUIT = Entity("K2", "苹果", (Alias("苹果", 3, 9),), ("水果",))
NOVELS = Entity("K3", "《吶喊》", (Alias("ＮＡＨＡＮ"),), (), (Fact("作者", "鲁迅"),))
ENTITIES = (COMPANY, FRUIT, NOVELS)


def open_base(folder, *entities, encoder=ENCODER):
    """The base of some entities."""
    compile_base(entities, folder, encoder, {"bytes": 3})
    return KnowledgeBase(folder)


@pytest.fixture
def base(tmp_path):
    return open_base(tmp_path, *ENTITIES)


def named(base, text):
    """The names that are found in a text, as it has them, with their places."""
    normal = normalize(text)
    return [(text[match.start : match.end], match.start) for match in base.find(normal)]


def candidates(base, name):
    """The entities of a name, each by its id, with how often it was meant and whether it is its own name."""
    found = base.candidates(base.number(name))
    return [
        (base.entity(place).id, count, own)
        for place, count, own in zip(found.entities.tolist(), found.counts.tolist(), found.is_own.tolist(), strict=True)
    ]


# ------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Apple", "apple"),
        ("ＡＢＣ", "abc"),
        ("吶喊", "呐喊"),
        ("《呐喊》", "呐喊"),
        ("〈呐喊〉", "呐喊"),
        (" 呐喊 ", "呐喊"),
        ("《呐喊》的作者", "呐喊》的作者"),  # of marks inside nothing is said
        ("《》", ""),
    ],
)
def test_a_name_is_looked_up_without_width_case_script_and_title_marks(name, folded):
    assert fold(name) == folded


@pytest.mark.parametrize("name", ["呐喊", "《呐喊》", "吶喊", "nahan", "NaHan", "ｎａｈａｎ"])
def test_an_entity_is_found_by_any_way_to_write_its_names(base, name):
    assert candidates(base, name)[0][0] == "K3"


def test_a_name_that_no_entity_has_has_no_number(base):
    assert base.number("彷徨") is None
    assert base.number("苹") is None
    assert base.number("苹果公司的") is None
    assert base.number("") is None


def test_names_are_found_in_a_text_however_they_are_written_there(base):
    assert named(base, "用ＡＰＰＬＥ電腦讀《吶喊》") == [("ＡＰＰＬＥ", 1), ("吶喊", 10)]


def test_overlapping_names_are_all_found(tmp_path):
    base = open_base(tmp_path, *(Entity(name, name) for name in ("北京", "北京大学", "大学", "学")))

    assert named(base, "北京大学") == [("北京", 0), ("北京大学", 0), ("大学", 2), ("学", 3)]


def test_a_name_that_stands_twice_is_found_twice(base):
    assert named(base, "苹果苹果") == [("苹果", 0), ("苹果", 2)]


def test_a_match_tells_the_number_of_its_name(base):
    [match] = base.find("吃苹果")

    assert (match.start, match.end, match.name) == (1, 3, base.number("苹果"))


def test_endless_names_are_not_looked_for_in_texts(tmp_path):
    longest = "长" * LONGEST_NAME
    base = open_base(tmp_path, Entity("K1", longest), Entity("K2", "短" + longest))

    assert named(base, "短" + longest) == [(longest, 1)]
    assert candidates(base, "短" + longest) == [("K2", 0, True)]  # whoever asks for one gets it


def test_what_is_nothing_but_title_marks_is_no_name(tmp_path):
    base = open_base(tmp_path, Entity("K1", "《》"), Entity("K2", "呐喊"))

    assert base.number("《》") is None
    assert named(base, "《》") == []
    assert base.place("K1") == 0


WORDS = st.text("甲乙丙", min_size=1, max_size=3)


@settings(max_examples=40)
@given(st.sets(WORDS, min_size=1, max_size=6), st.text("甲乙丙丁", max_size=8))
def test_looking_up_names_finds_what_trying_all_places_finds(names, text):
    with tempfile.TemporaryDirectory() as folder:
        base = open_base(Path(folder), *(Entity(name, name) for name in names))

        assert sorted(named(base, text)) == sorted(
            (name, start) for name in names for start in range(len(text)) if text.startswith(name, start)
        )


# ------------------------------------------------------------- candidates


def test_the_entities_of_a_name_come_by_how_often_they_were_meant(base):
    assert candidates(base, "苹果") == [("K2", 3, True), ("K1", 2, False)]
    assert candidates(base, "苹果公司") == [("K1", 0, True)]
    assert candidates(base, "apple") == [("K1", 5, False)]


def test_those_that_were_meant_as_often_come_as_in_the_file(tmp_path):
    base = open_base(tmp_path, *(Entity(f"K{number}", "李娜") for number in (3, 1, 2)))

    assert candidates(base, "李娜") == [("K3", 0, True), ("K1", 0, True), ("K2", 0, True)]


def test_two_ways_to_write_a_name_are_counted_together(tmp_path):
    base = open_base(tmp_path, Entity("K1", "Apple", (Alias("APPLE", 2), Alias("ａｐｐｌｅ", 3))))

    assert candidates(base, "apple") == [("K1", 5, True)]


def test_how_often_a_name_was_linked_and_seen(base):
    assert base.seen(base.number("苹果")) == (5, 9)  # both entities tell of the same 9 times
    assert base.seen(base.number("apple")) == (5, 6)
    assert base.seen(base.number("呐喊")) == (0, 0)


# ------------------------------------------------------------- entities


def test_an_entity_is_found_by_its_id(base):
    assert [base.place(id) for id in ("K1", "K2", "K3")] == [0, 1, 2]
    assert base.place("K") is None
    assert base.place("k1") is None
    assert len(base) == 3


def test_an_entity_is_found_by_its_own_name_only(base):
    assert base.place_of_name("苹果") == 1  # K1 is called so too, but has another name
    assert base.place_of_name("apple") is None
    assert base.place_of_name("彷徨") is None
    assert base.place_of_name("呐喊") == 2


def test_of_several_with_one_name_it_is_the_most_frequent(tmp_path):
    singer, player = (Entity(id, "李娜", (Alias("李娜", count),)) for id, count in (("K1", 1), ("K2", 4)))

    assert open_base(tmp_path, singer, player).place_of_name("李娜") == 1


def test_an_entity_is_read_as_it_was(base):
    assert tuple(map(base.entity, range(3))) == ENTITIES


TEXT = st.text('甲乙𠮷a"\\\n ', max_size=3)
NAME = TEXT.filter(str.strip)
ANY = st.builds(
    Entity,
    NAME,
    NAME,
    st.lists(st.builds(Alias, NAME, st.integers(0, 9), st.integers(0, 9)), max_size=3).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(st.builds(Fact, TEXT, TEXT), max_size=2).map(tuple),
    TEXT,
)


@settings(max_examples=40)
@given(st.lists(ANY, min_size=1, max_size=5, unique_by=lambda entity: entity.id))
def test_whatever_is_compiled_is_read_as_it_was_by_its_id_and_its_names(entities):
    with tempfile.TemporaryDirectory() as folder:
        base = open_base(Path(folder), *entities)

        for place, entity in enumerate(entities):
            assert base.place(entity.id) == place
            assert base.entity(place) == entity
            for name in (entity.name, *(alias.name for alias in entity.aliases)):
                if fold(name):
                    assert place in base.candidates(base.number(name)).entities


# ------------------------------------------------------------- what is said of entities


def test_an_entity_is_described_by_its_types_its_description_and_its_facts():
    assert described(COMPANY) == "公司。生产电脑的公司。产品：电脑"
    assert described(FRUIT) == "水果"
    assert described(Entity("K4", "彷徨")) == ""


def test_what_is_said_is_cut_to_a_budget():
    facts = tuple(Fact("产品", f"第{number}代电脑") for number in range(200))

    said = described(Entity("K1", "苹果公司", facts=facts))

    assert said.startswith("产品：第0代电脑。产品：第1代电脑。")
    assert len(said) == DESCRIBED_CHARACTERS
    assert len(described(Entity("K1", "长", description="长" * 999))) == DESCRIBED_CHARACTERS


def test_the_words_of_what_is_said_are_kept_once_in_their_order_those_without_a_vector_left_out(base):
    rows = described_rows("生产电脑的公司。电脑", ENCODER)

    assert rows.shape == (ENTITY_WORDS,)
    assert ENCODER.read(rows) == "生电脑公司"
    assert [ENCODER.read(row) for row in base.words] == ["公司生电脑", "水果", ""]
    assert base.is_described.tolist() == [True, False, False]  # a type and facts are no description


def test_no_more_words_are_kept_than_networks_are_shown():
    encoder = CharacterEncoder("".join(chr(0xAC00 + number) for number in range(2 * ENTITY_WORDS)))

    assert encoder.read(described_rows(encoder.known, encoder)) == encoder.known[:ENTITY_WORDS]


# ------------------------------------------------------------- what cannot be compiled


def test_two_entities_with_one_id_are_refused(tmp_path):
    with pytest.raises(KexueError) as error:
        open_base(tmp_path, COMPANY, FRUIT, Entity("K1", "李娜"))

    assert str(error.value) == "the base has two entities with the id 'K1'; ids must differ"


def test_a_base_without_entities_is_refused(tmp_path):
    with pytest.raises(KexueError, match=r"^a base must have at least one entity$"):
        open_base(tmp_path)


# ------------------------------------------------------------- files


def test_the_files_of_a_base_and_what_it_was_made_from(base, tmp_path):
    files = {NAMES, IDS, RECORDS, INDEX, *(f"{name}.npy" for name in ARRAYS)}

    assert {file.name for file in tmp_path.iterdir()} == files
    assert all(map(is_of_base, files))
    assert not any(map(is_of_base, ("config.json", "mentions.onnx", "vocabulary.txt")))
    assert base.made_from == {"bytes": 3}
    assert (tmp_path / RECORDS).read_text("utf-8").splitlines()[1] == (
        '{"id":"K2","name":"苹果","aliases":[{"name":"苹果","count":3,"occurrences":9}],"types":["水果"]}'
    )


def test_how_much_was_read_is_told(tmp_path):
    told = []

    compile_base(ENTITIES, tmp_path, ENCODER, {}, told.append)

    assert len(told) == 3
    assert sum(told) == (tmp_path / RECORDS).stat().st_size


@pytest.mark.parametrize("file", [NAMES, IDS, RECORDS, INDEX, *(f"{name}.npy" for name in ARRAYS)])
@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_a_damaged_base_is_told_in_one_line(base, tmp_path, file, damage):
    (tmp_path / file).unlink()
    if damage == "empty":
        (tmp_path / file).touch()

    with pytest.raises(KexueError) as error:
        KnowledgeBase(tmp_path)

    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", [NAMES, IDS, INDEX, *(f"{name}.npy" for name in ARRAYS)])
def test_a_file_that_is_cut_off_is_told_in_one_line(base, tmp_path, file):
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(KexueError) as error:
        KnowledgeBase(tmp_path)

    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([], "was compiled by another version of kexue; compile it again"),
        ({"format": 999, "made_from": {}}, "was compiled by another version of kexue; compile it again"),
        ({"format": 1}, "is damaged ('made_from'); remove it to compile it again"),
    ],
)
def test_a_base_of_another_version_is_refused(base, tmp_path, index, message):
    (tmp_path / INDEX).write_text(json.dumps(index), "utf-8")

    with pytest.raises(KexueError) as error:
        KnowledgeBase(tmp_path)

    assert str(error.value).endswith(message)
    assert str(tmp_path) in str(error.value)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot read .*/nowhere/index\.json: No such file or directory$"):
        KnowledgeBase(tmp_path / "nowhere")
