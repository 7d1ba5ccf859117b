"""Rules of inference and cleaning: each kind by hand, the order of the kinds, and what a file of rules may hold."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.tasks.triples.decoding import Found
from kexue_cli.tasks.triples.rules import Rules

COUPLE = '[[inverse]]\npredicate = "丈夫"\ninverse = "妻子"\n'


def rules(text):
    """The rules of a file that holds this."""
    return from_mapping(Rules, tomllib.loads(text), "rules")


def spot(text, subject, predicate, object, score=0.9):
    """A triple found where its subject and its object first stand in the text."""
    left, start = text.index(subject), text.index(object)
    return Found(left, left + len(subject), predicate, start, start + len(object), score)


def applied(declared, text, *triples):
    """The triples that rules make of some, as (subject, predicate, object, score)."""
    found = rules(declared).apply(text, [spot(text, *triple) for triple in triples])
    return [
        (text[one.subject_start : one.subject_end], one.predicate, text[one.object_start : one.object_end], one.score)
        for one in found
    ]


def test_without_rules_all_stays():
    assert applied("", "甲娶乙", ("甲", "妻子", "乙", 0.7)) == [("甲", "妻子", "乙", 0.7)]


# ------------------------------------------------------------- inverse


def test_an_inverse_follows_both_ways_and_keeps_the_score():
    assert applied(COUPLE, "甲娶乙", ("甲", "妻子", "乙", 0.7)) == [
        ("甲", "妻子", "乙", 0.7),
        ("乙", "丈夫", "甲", 0.7),
    ]
    assert applied(COUPLE, "甲娶乙", ("乙", "丈夫", "甲", 0.7)) == [
        ("乙", "丈夫", "甲", 0.7),
        ("甲", "妻子", "乙", 0.7),
    ]


def test_an_inverse_that_was_found_stays_as_it_was():
    both = [("甲", "妻子", "乙", 0.7), ("乙", "丈夫", "甲", 0.6)]

    assert applied(COUPLE, "甲娶乙", *both) == both


def test_an_inverse_found_elsewhere_in_the_text_is_the_same():
    found = [Found(0, 1, "妻子", 2, 3, 0.7), Found(2, 3, "丈夫", 4, 5, 0.6)]

    assert rules(COUPLE).apply("甲娶乙，甲", found) == found


def test_a_symmetric_predicate_is_its_own_inverse():
    declared = '[[inverse]]\npredicate = "同义词"\ninverse = "同义词"\n'

    twins = [("感冒", "同义词", "伤风", 0.8), ("伤风", "同义词", "感冒", 0.8)]

    assert applied(declared, "感冒又称伤风", twins[0]) == twins
    assert applied(declared, "感冒又称伤风", *twins) == twins


# ------------------------------------------------------------- drop


@pytest.mark.parametrize(
    ("condition", "dropped"),
    [
        ('object_ends = ["出版社", "公司"]', {("呐喊", "作者", "新潮出版社"), ("呐喊", "出版社", "新潮出版社")}),
        ('object_ends = ["出版社"]\npredicates = ["作者"]', {("呐喊", "作者", "新潮出版社")}),
        ('object_ends = ["出版社"]\nexcept_for = ["出版社"]', {("呐喊", "作者", "新潮出版社")}),
        ('subject_ends = ["出版社"]', {("新潮出版社", "创始人", "鲁迅")}),
        ('subject_ends = ["出版社"]\nobject_ends = ["出版社"]', set()),  # both have to be true
        ("is_self = true", {("呐喊", "改编自", "呐喊")}),
        ('is_self = true\nexcept_for = ["改编自"]', set()),
    ],
)
def test_what_is_dropped(condition, dropped):
    text = "《呐喊》由新潮出版社出版，作者鲁迅"
    triples = {
        ("呐喊", "作者", "鲁迅"),
        ("呐喊", "作者", "新潮出版社"),
        ("呐喊", "出版社", "新潮出版社"),
        ("新潮出版社", "创始人", "鲁迅"),
        ("呐喊", "改编自", "呐喊"),
    }

    stayed = applied(f"[[drop]]\n{condition}\n", text, *triples)

    assert triples - {triple[:3] for triple in stayed} == dropped


def test_script_and_width_make_no_difference():
    text = "《ＡＢＣ》，人民文學出版社"

    assert applied('[[drop]]\nobject_ends = ["文学出版社"]', text, ("ＡＢＣ", "作者", "人民文學出版社")) == []
    assert applied('[[drop]]\nobject_ends = ["文學出版社"]', text, ("ＡＢＣ", "作者", "人民文學出版社")) == []
    assert applied('[[drop]]\nsubject_ends = ["bc"]', text, ("ＡＢＣ", "作者", "人民文學出版社")) == []


# ------------------------------------------------------------- split

SPLIT = '[[split]]\npredicates = ["主演", "作者"]\nat = "、，"\n'


def test_a_list_is_split_into_its_parts():
    cast = applied(SPLIT, "《雷雨》由甲丙、 乙，丁主演", ("雷雨", "主演", "甲丙、 乙，丁", 0.7))

    assert cast == [("雷雨", "主演", part, 0.7) for part in ("甲丙", "乙", "丁")]


def test_marks_at_the_ends_make_no_empty_parts():
    assert applied(SPLIT, "《雷雨》由、甲、、主演", ("雷雨", "主演", "、甲、、")) == [("雷雨", "主演", "甲", 0.9)]


def test_what_holds_no_mark_stays_whole():
    assert applied(SPLIT, "雷雨 由Tom Li主演", ("雷雨", "主演", "Tom Li")) == [("雷雨", "主演", "Tom Li", 0.9)]
    assert applied(SPLIT, "雷雨 由 甲主演", ("雷雨", "主演", " 甲")) == [("雷雨", "主演", " 甲", 0.9)]


def test_other_predicates_are_not_split():
    whole = ("雷雨", "所属专辑", "风、雨", 0.9)

    assert applied(SPLIT, "歌曲雷雨，专辑风、雨", whole) == [whole]


def test_a_part_that_was_found_already_has_the_higher_score():
    found = [("雷雨", "主演", "甲、乙", 0.7), ("雷雨", "主演", "甲", 0.9), ("雷雨", "主演", "乙", 0.6)]

    cast = applied(SPLIT, "雷雨由甲、乙主演", *found)

    assert cast == [("雷雨", "主演", "甲", 0.9), ("雷雨", "主演", "乙", 0.7)]


def test_subjects_can_be_split_too():
    songs = applied('[[split]]\nslot = "subject"\n', "风、雨是甲唱的", ("风、雨", "歌手", "甲"))

    assert songs == [("风", "歌手", "甲", 0.9), ("雨", "歌手", "甲", 0.9)]


# ------------------------------------------------------------- nested

NESTED = '[[nested]]\nexcept_for = ["民族"]\nunless_beside = "和的"\n'


@pytest.mark.parametrize("short", ["上海", "大学", "海大"])
def test_of_nested_objects_the_longer_stays(short):
    found = [("甲", "毕业院校", short, 0.9), ("甲", "毕业院校", "上海大学", 0.6)]

    assert applied(NESTED, "甲，毕业于上海大学", *found) == found[1:]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "甲，毕业于上海，上海大学",
            [("甲", "毕业院校", "上海"), ("甲", "毕业院校", "上海大学")],
        ),  # not one in the other
        ("甲，毕业于上海大学", [("甲", "出生地", "上海"), ("甲", "毕业院校", "上海大学")]),  # other predicates
        ("甲、乙毕业于上海大学", [("甲", "毕业院校", "上海"), ("乙", "毕业院校", "上海大学")]),  # other subjects
        ("甲，毕业于上海大学", [("甲", "毕业院校", "上海大"), ("甲", "毕业院校", "海大学")]),  # they overlap
        ("甲，汉族", [("甲", "民族", "汉"), ("甲", "民族", "汉族")]),  # labelled both ways
        ("雷雨，丙和丁主演", [("雷雨", "主演", "丙"), ("雷雨", "主演", "丙和丁")]),  # two names, not a longer one
        ("雷雨，丙和丁主演", [("雷雨", "主演", "丁"), ("雷雨", "主演", "丙和丁")]),
        ("雷雨", [("雷雨", "作者", "雷")]),
    ],
)
def test_what_is_not_nested_stays(text, found):
    assert [triple[:3] for triple in applied(NESTED, text, *found)] == found


@pytest.mark.parametrize("short", ["丙", "丁"])
def test_what_is_beside_the_longer_name_makes_no_difference(short):
    found = [("雷雨", "主演", short), ("雷雨", "主演", "丙丁")]

    assert [triple[:3] for triple in applied(NESTED, "雷雨和丙丁的事", *found)] == found[1:]


def test_subjects_have_a_rule_of_their_own():
    found = [("红楼", "作者", "曹雪芹"), ("红楼梦", "作者", "曹雪芹")]

    assert [triple[:3] for triple in applied(NESTED, "《红楼梦》，曹雪芹著", *found)] == found
    stayed = applied('[[nested]]\nslot = "subject"\n', "《红楼梦》，曹雪芹著", *found)
    assert [triple[:3] for triple in stayed] == found[1:]


# ------------------------------------------------------------- exclusive


def test_of_exclusive_predicates_the_surest_stays():
    declared = '[[exclusive]]\npredicates = ["父亲", "丈夫"]\n'
    found = [
        ("乙", "丈夫", "甲", 0.6),
        ("乙", "父亲", "甲", 0.8),
        ("乙", "创始人", "甲", 0.5),
        ("乙", "丈夫", "丙", 0.5),
    ]

    stayed = applied(declared, "甲乙丙", *found)

    assert stayed == found[1:]  # 创始人 is none of them, and 丙 another object


def test_a_rule_may_say_which_stays():
    declared = '[[exclusive]]\npredicates = ["出版社", "作者"]\nkeep = "first"\n'
    found = [("呐喊", "作者", "新潮社", 0.9), ("呐喊", "出版社", "新潮社", 0.5)]

    assert applied(declared, "《呐喊》，新潮社", *found) == found[1:]
    assert applied(declared, "《呐喊》，新潮社", found[0]) == found[:1]  # nothing stands against it


# ------------------------------------------------------------- one pair


def test_of_all_pairs_that_of_the_surest_triple_stays_in_both_directions():
    found = [
        ("甲", "收购", "乙", 0.6),
        ("乙", "被收购", "甲", 0.5),
        ("甲", "竞争", "丙", 0.5),
        ("乙", "合作", "丙", 0.55),
    ]

    assert applied("[[one_pair]]\n", "甲乙丙", *found) == found[:2]
    assert applied("[[one_pair]]\n", "甲乙丙") == []


def test_the_pair_may_be_that_of_some_predicates_and_the_others_stay():
    declared = '[[one_pair]]\nexcept_for = ["合作"]\n'
    found = [("甲", "收购", "乙", 0.5), ("甲", "竞争", "丙", 0.6), ("乙", "合作", "丙", 0.9)]

    assert applied(declared, "甲乙丙", *found) == found[1:]


# ------------------------------------------------------------- all together


def test_kinds_apply_in_their_order_whatever_that_of_the_file():
    declared = COUPLE + '[[drop]]\nobject_ends = ["等人"]\n[[split]]\n'

    stayed = applied(declared, "甲娶乙、丙等人", ("甲", "妻子", "乙、丙等人"))

    assert stayed == [("甲", "妻子", "乙", 0.9), ("乙", "丈夫", "甲", 0.9)]


def test_a_contradiction_is_settled_after_what_follows_from_both_sides():
    declared = COUPLE + '[[exclusive]]\npredicates = ["丈夫", "妻子"]\n'

    stayed = applied(declared, "甲娶乙", ("甲", "丈夫", "乙", 0.4), ("乙", "丈夫", "甲", 0.9))

    assert stayed == [("乙", "丈夫", "甲", 0.9), ("甲", "妻子", "乙", 0.9)]


TEXT = "甲和乙、丙，乙"
EVERY_KIND = (
    COUPLE
    + "[[split]]\n[[drop]]\nis_self = true\n[[nested]]\n"
    + '[[nested]]\nslot = "subject"\n[[exclusive]]\npredicates = ["丈夫", "妻子"]\n'
)
SPANS = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, 4)).map(lambda span: (span[0], min(sum(span), 7)))
FOUND = st.builds(
    lambda subject, predicate, object, score: Found(*subject, predicate, *object, score),
    SPANS,
    st.sampled_from(["丈夫", "妻子", "同乡"]),
    SPANS,
    st.sampled_from([0.5, 0.7, 0.9]),
)


@given(st.lists(FOUND, max_size=6))
def test_rules_make_up_no_scores_and_no_empty_spans(found):
    for one in rules(EVERY_KIND).apply(TEXT, found):
        assert 0 <= one.subject_start < one.subject_end <= len(TEXT)
        assert 0 <= one.object_start < one.object_end <= len(TEXT)
        assert one.score in {given.score for given in found}


@given(st.lists(FOUND, max_size=6))
def test_exclusive_rules_leave_no_contradiction(found):
    kept = rules(EVERY_KIND).apply(TEXT, found)

    def pairs(predicate):
        spans = [one for one in kept if one.predicate == predicate]
        return {(TEXT[a.subject_start : a.subject_end], TEXT[a.object_start : a.object_end]) for a in spans}

    assert not pairs("丈夫") & pairs("妻子")


# ------------------------------------------------------------- files


def test_rules_are_read_from_a_file_and_name_their_predicates(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(COUPLE + '[[drop]]\nis_self = true\nexcept_for = ["改编自", "妻子"]\n', "utf-8")

    declared = Rules.read(path)

    assert declared == rules(path.read_text("utf-8"))
    assert declared.names == ("改编自", "妻子", "丈夫")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[inverse]]\npredicate = "丈夫"\n', "rules.inverse[0]: missing setting 'inverse'"),
        ("[[drops]]\nis_self = true\n", "rules: no setting named 'drops'; did you mean 'drop'?"),
        ("[[drop]]\nis_same = true\n", "rules.drop[0]: no setting named 'is_same'; did you mean 'is_self'?"),
        ('[[drop]]\nobject_ends = "公司"\n', "rules.drop[0].object_ends must be of type tuple; found '公司'"),
        (
            '[[drop]]\npredicates = ["作者"]\n',
            "drop must say of which triples: give subject_ends, object_ends or is_self",
        ),
        ('[[nested]]\nslot = "predicate"\n', "nested.slot must be one of subject, object; found 'predicate'"),
        ('[[split]]\nslot = "all"\n', "split.slot must be one of subject, object; found 'all'"),
        ('[[split]]\nat = ""\n', 'split.at must hold the characters to split at, as in "、"'),
        ('[[exclusive]]\npredicates = ["字"]\n', "exclusive.predicates must name two or more; found ['字']"),
        (
            '[[exclusive]]\npredicates = ["字", "号"]\nkeep = "last"\n',
            "exclusive.keep must be one of surest, first; found 'last'",
        ),
    ],
)
def test_a_bad_rule_is_named(tmp_path, text, message):
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(KexueError) as error:
        Rules.read(path)

    assert str(error.value).startswith(f"{path}: {message}")


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("[[drop", "utf-8")

    with pytest.raises(KexueError, match=r"rules\.toml is not TOML: "):
        Rules.read(path)
    with pytest.raises(KexueError, match=r"^cannot read .*none\.toml: No such file"):
        Rules.read(tmp_path / "none.toml")
