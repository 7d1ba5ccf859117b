"""A schema: read in the forms of its data sets, counted from texts, written and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.tasks.triples.records import UNRELATED, LabelledText, Triple
from kexue_cli.tasks.triples.schema import Schema

FOUNDED = '{"predicate": "成立日期", "subject_type": "%s", "object_type": "Date"}\n'
AUTHOR = '{"object_type": "人物", "predicate": "作者", "subject_type": "图书作品"}\n'
LITTLE = Schema({"作者": (("图书作品", "人物"),), "出版社": (("书籍", "出版社"),)})


@pytest.fixture
def read(tmp_path):
    """Read a schema as if it stood in a file."""

    def read(text):
        path = tmp_path / "schema.jsonl"
        path.write_text(text, "utf-8")
        return Schema.read(path)

    return read


def test_that_pairs_are_unrelated_can_be_a_predicate_of_networks_and_is_not_told():
    learned = LITTLE.with_unrelated()

    assert learned.predicates == ("作者", "出版社", UNRELATED)
    assert learned.without_unrelated() == LITTLE
    assert LITTLE.without_unrelated() == LITTLE


# ------------------------------------------------------------- reading


def test_a_line_is_a_predicate_and_a_pair_of_types(read):
    schema = read(AUTHOR)

    assert schema.predicates == ("作者",)
    assert schema.types("作者") == (("图书作品", "人物"),)


def test_a_predicate_may_have_several_pairs_and_stands_where_it_came_first(read):
    schema = read(FOUNDED % "机构" + AUTHOR + FOUNDED % "企业" + FOUNDED % "机构")

    assert schema.predicates == ("成立日期", "作者")
    assert schema.types("成立日期") == (("机构", "Date"), ("企业", "Date"))


def test_a_slot_of_the_object_is_a_predicate_of_its_own(read):
    line = '{"predicate": "饰演", "subject_type": "娱乐人物", "object_type": {"@value": "人物", "inWork": "影视作品"}}'

    schema = read(line)

    assert schema.predicates == ("饰演", "饰演_inWork")
    assert schema.types("饰演") == (("娱乐人物", "人物"),)
    assert schema.types("饰演_inWork") == (("娱乐人物", "影视作品"),)


def test_types_may_be_left_out(read):
    assert read('{"predicate": "同义词"}\n').types("同义词") == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"predicate": 3}', "predicate must be a string; found 3"),
        ('{"predicate": " "}', "predicate must not be empty"),
        ('{"name": "作者"}', "missing field 'predicate'; found ['name']"),
        ('{"predicate": "作者", "subject_type": "书"}', "missing field 'object_type'"),
        ('{"predicate": "作者", "object_type": "人物"}', "missing field 'subject_type'"),
        (
            '{"predicate": "作者", "subject_type": "书", "object_type": 3}',
            "object_type must be a string or {slot: type}; found 3",
        ),
        (
            '{"predicate": "作者", "subject_type": "书", "object_type": {}}',
            "object_type must be a string or {slot: type}; found {}",
        ),
        (
            '{"predicate": "作者", "subject_type": "书", "object_type": {"@value": 3}}',
            "object_type.@value must be a string; found 3",
        ),
        ("作者", "not JSON at column 1"),
    ],
)
def test_a_bad_line_is_named(read, line, message):
    with pytest.raises(KexueError) as error:
        read(AUTHOR + line)

    place, _, rest = str(error.value).partition("schema.jsonl:2: ")
    assert place
    assert rest.startswith(message)


def test_a_schema_holds_something(read):
    with pytest.raises(KexueError, match=r"schema\.jsonl holds no predicate; a schema has \{\"predicate\", "):
        read("\n")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KexueError, match=r"^cannot read .*none\.jsonl: No such file"):
        Schema.read(tmp_path / "none.jsonl")


# ------------------------------------------------------------- checking


def test_a_predicate_that_is_unknown_is_named_with_the_nearest():
    LITTLE.check("作者")
    message = r"^no predicate named '出版'; did you mean '出版社'\? \(known: 作者, 出版社\)$"

    with pytest.raises(KexueError, match=message):
        LITTLE.check("出版")
    with pytest.raises(KexueError, match=message):
        LITTLE.types("出版")


def test_triples_with_other_predicates_are_left_out():
    author = Triple("狂人日记", "作者", "鲁迅", "歌曲", "人物")  # its types are not asked for
    country = Triple("鲁迅", "国籍", "中国")

    assert LITTLE.restrict([country, author]) == (author,)


# ------------------------------------------------------------- counting and writing


def test_a_schema_can_be_counted_from_texts_the_most_frequent_first():
    texts = [
        LabelledText("鲁迅，浙江绍兴人", (Triple("鲁迅", "出生地", "浙江绍兴", "人物", "地点"),)),
        LabelledText("《呐喊》，鲁迅著", (Triple("呐喊", "作者", "鲁迅", "书籍", "人物"),)),
        LabelledText("《背影》，朱自清著", (Triple("背影", "作者", "朱自清", "散文", "人物"),)),
        LabelledText("《荷塘月色》，朱自清著", (Triple("荷塘月色", "作者", "朱自清", "散文", "人物"),)),
    ]

    schema = Schema.of(texts)

    assert schema.predicates == ("作者", "出生地")
    assert schema.types("作者") == (("散文", "人物"), ("书籍", "人物"))


def test_types_are_counted_where_they_are_given():
    triples = (Triple("呐喊", "作者", "鲁迅"), Triple("鲁迅", "国籍", "中国", object_type="国家"))

    schema = Schema.of([LabelledText("鲁迅", triples)])

    assert schema == Schema({"作者": (), "国籍": ()})


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.dictionaries(NAMES, st.lists(st.tuples(NAMES, NAMES), unique=True, max_size=3).map(tuple), min_size=1))
def test_what_is_written_is_read_again(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("schema") / "schema.jsonl"

    Schema(pairs).write(path)

    assert list(Schema.read(path).pairs.items()) == list(pairs.items())
