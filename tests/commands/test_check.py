"""kexue data check: what is wrong in and between files, and the copy in which it is put right."""

import json
from collections import Counter

import pytest
from conftest import Finished, one_error
from hypothesis import given
from hypothesis import strategies as st

from kexue_cli import console
from kexue_cli.commands.app import app_for
from kexue_cli.datasets.checks import Checker, File
from kexue_cli.datasets.mixture import encoding_of
from kexue_cli.datasets.repair import nearest, repaired
from kexue_cli.errors import UsageError


def lines_of(*records) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def pair(text_a, text_b, **others):
    return {"text_a": text_a, "text_b": text_b, **others}


def linked(text, *mentions):
    return {
        "text": text,
        "mentions": [dict(zip(("mention", "start", "id"), mention, strict=True)) for mention in mentions],
    }


@pytest.fixture
def check(tmp_path, monkeypatch, capsysbinary):
    """Run ``kexue data check ARGUMENTS`` in an empty folder, in this process: starting others takes ten times as long.

    What a shell run shows beside that, errors in one line and exit status 2, is tested by shell runs at the end.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "is_quiet", False)  # --quiet sets it

    def run(*arguments):
        status = app_for()(["data", "check", *arguments], prog_name="kexue", standalone_mode=False)
        return Finished(status or 0, *capsysbinary.readouterr())

    return run


@pytest.fixture
def findings(check, tmp_path):
    """The findings in a file of these bytes or this text, without its name; and the exit status."""

    def run(content, *options, name="data.jsonl"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        done = check(name, "-q", *options)
        assert done.stderr == ""
        return [line.removeprefix(f"{name}:") for line in done.lines], done.returncode

    return run


@pytest.fixture
def fixed(check, tmp_path):
    """What --fix says of a file, the records that it writes, and the exit status."""

    def run(content, *options, name="data.jsonl"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        done = check(name, "--fix", "copy.jsonl", "-q", *options)
        written = (tmp_path / "copy.jsonl").read_text("utf-8")
        again = check("copy.jsonl", "-q", "--fix", "again.jsonl") if written else None
        if again:
            assert (again.returncode, (tmp_path / "again.jsonl").read_text("utf-8")) == (0, written)
            assert "(fixed)" not in again.stdout
        records = [json.loads(line) for line in written.splitlines()]
        return [line.removeprefix(f"{name}:") for line in done.lines], records, done.returncode

    return run


# ------------------------------------------------------------- encodings

MIXED = lines_of(pair("怎么借书", "借书要怎么办", label=1)).encode() + lines_of(
    pair("几点可以还书", "什么时候能还书", label=1)
).encode("gb18030")


def test_lines_in_another_encoding_are_told_and_read(findings):
    assert findings(MIXED) == (["2: is in gb18030, not in utf-8"], 1)


def test_they_are_written_in_utf_8(fixed):
    told, records, status = fixed(MIXED)

    assert (told, status) == (["2: is in gb18030, not in utf-8 (fixed)"], 0)
    assert [record["text_a"] for record in records] == ["怎么借书", "几点可以还书"]


def test_utf_8_in_a_file_of_another_encoding_is_told_too(findings):
    told = findings(MIXED, "--encoding", "gb18030")

    assert told == (["1: is in utf-8, not in gb18030"], 1)


def test_in_rows_of_a_published_format_as_well(findings):
    data = "怎么借书\t借书要怎么办\t1\n".encode() + "几点可以还书\t什么时候能还书\t1\n".encode("gb18030")

    assert findings(data, name="data.tsv") == (["2: is in gb18030, not in utf-8"], 1)


def test_damaged_text_is_not_taken_for_another_encoding(findings):
    whole = lines_of(pair("怎么借书", "借书要怎么办", label=1)).encode()
    damaged = (
        lines_of(pair("几点可以还书", "什么时候能还书", label=1)).encode().replace("几".encode(), "几".encode()[:2])
    )

    (told,), status = findings(whole + damaged)

    assert told.startswith("2: byte 12 of the line (0xe5) is not valid UTF-8")
    assert status == 1


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=8), st.data())
def test_a_line_that_lost_a_byte_is_in_no_encoding(text, data):
    raw = text.encode()
    place = data.draw(st.integers(0, len(raw) - 1))

    assert encoding_of(raw[:place] + raw[place + 1 :]) is None


def test_byte_order_marks_are_told_and_taken_away(findings, fixed):
    mark = "\ufeff".encode()
    line = lines_of(pair("怎么借书", "借书要怎么办", label=1)).encode()
    other = lines_of(pair("怎么还书", "还书要怎么办", label=1)).encode()

    assert findings(mark + line) == (["1: begins with a byte order mark (note)"], 0)
    assert findings(line + mark + other) == (["2: begins with a byte order mark, though not the first line"], 1)
    told, records, status = fixed(mark + line + mark + other)
    assert [one.endswith("(fixed)") for one in told] == [True, True]
    assert (len(records), status) == (2, 0)


# ------------------------------------------------------------- duplicates, leaks, contradictions

SAME = pair("怎么借书", "借书要怎么办", label=1)


def test_what_stands_twice_is_a_note_and_is_dropped_from_the_copy(findings, fixed):
    data = lines_of(SAME, {**SAME, "id": 7})

    assert findings(data) == (["2: is the same as data.jsonl:1 (note)"], 0)
    assert fixed(data) == (["2: is the same as data.jsonl:1 (fixed)"], [SAME], 0)


def test_width_case_and_script_make_no_other_text(findings, fixed):
    data = lines_of(pair("ＤＮＡ是什么", "發現", label=1), pair("dna是什么", "发现", label=1))

    told = ["2: says the same as data.jsonl:1, written otherwise or with other fields (note)"]
    assert findings(data) == (told, 0)
    assert len(fixed(data)[1]) == 2  # which of them is meant is not known


def test_one_label_contradicts_another_whatever_the_order_of_the_texts(findings, fixed):
    data = lines_of(SAME, pair("借书要怎么办", "怎么借书", label=0))

    told = "2: the same pair is labelled otherwise at data.jsonl:1"
    assert findings(data) == ([told], 1)
    assert fixed(data) == ([f"{told} (left out)"], [SAME], 1)


def test_a_text_in_two_groups_contradicts(findings):
    data = lines_of({"texts": ["怎么借书", "想借书"]}, {"texts": ["怎么还书", "想借书"]})

    assert findings(data) == (["2: the same text is labelled otherwise at data.jsonl:1"], 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (linked("小米很好", ("小米", 0, "K1")), linked("小米很好", ("小米", 0, "K2"))),
        ({"text": "鲁迅写《呐喊》", "triples": []},
         {"text": "鲁迅写《呐喊》", "triples": [{"subject": "呐喊", "predicate": "作者", "object": "鲁迅"}]}),
        ({"words": [{"word": "我爱"}]}, {"words": [{"word": "我"}, {"word": "爱"}]}),
        ({"question": "谁写的？", "passages": [{"text": "鲁迅和巴金", "answers": ["鲁迅"]}]},
         {"question": "谁写的？", "passages": [{"text": "鲁迅和巴金", "answers": ["巴金"]}]}),
        ({"id": "K1", "name": "小米"}, {"id": "K1", "name": "苹果"}),
    ],
)  # fmt: skip
def test_every_task_has_its_contradictions(findings, first, second):
    (told,), status = findings(lines_of(first, second))

    assert "data.jsonl:1" in told
    assert not told.endswith("(note)")
    assert status == 1


def test_other_texts_under_a_condition_are_none_and_a_text_under_two_is_a_note(findings):
    good, other = {"condition": {"label": 1}, "text": "很好"}, {"condition": {"label": 1}, "text": "不错"}

    assert findings(lines_of(good, other)) == ([], 0)
    told, status = findings(lines_of(good, {**good, "condition": {"label": 0}}))
    assert (told, status) == (["2: the same text is under another condition at data.jsonl:1 (note)"], 0)


def test_between_files_duplicates_are_notes_and_against_a_file_leaks(check, tmp_path):
    (tmp_path / "train.jsonl").write_text(lines_of(SAME), "utf-8")
    (tmp_path / "dev.jsonl").write_text(lines_of(pair("怎么还书", "还书", label=1), SAME), "utf-8")

    together = check("-q", "train.jsonl", "dev.jsonl")
    apart = check("-q", "train.jsonl", "--against", "dev.jsonl")

    assert (together.lines, together.returncode) == (["dev.jsonl:2: is the same as train.jsonl:1 (note)"], 0)
    assert (apart.lines, apart.returncode) == (["train.jsonl:1: the same pair is at dev.jsonl:2"], 1)


def test_a_question_with_other_passages_is_repeated(findings):
    question = {"question": "谁写了《呐喊》？", "passages": [{"text": "鲁迅写了《呐喊》。", "answers": ["鲁迅"]}]}
    data = lines_of(question, {**question, "passages": [{"text": "《呐喊》是鲁迅写的。", "answers": ["鲁迅"]}]})

    assert findings(data) == (["2: the same question is at data.jsonl:1 (note)"], 0)


# ------------------------------------------------------------- fields, bases, labels


def test_misspelt_fields_are_told_and_renamed(findings, fixed):
    data = lines_of(pair("怎么借书", "想借书", lable=1), {"texts": ["几点开门", "开门了吗"]})

    assert findings(data) == (["1: lable: is not read; did you mean 'label'?"], 1)
    told, records, status = fixed(data)
    assert (told, status) == (["1: lable: renamed to 'label' (fixed)"], 0)
    assert records[0] == pair("怎么借书", "想借书", label=1)


def test_fields_in_lists_are_looked_at_too(findings):
    data = lines_of({"text": "鲁迅", "mentions": [{"mention": "鲁迅", "start": 0, "nmae": "鲁迅"}]})

    assert findings(data) == (["1: mentions[0].nmae: is not read; did you mean 'name'?"], 1)


def test_fields_that_nothing_reads_are_noted_once(findings):
    data = lines_of({**SAME, "colour": "red"}, pair("怎么还书", "还书", label=0, colour="blue"))

    assert findings(data) == (["1: colour: is not read by similarity; told once a file (note)"], 0)


BASE = lines_of({"id": "K1", "name": "小米", "types": ["公司"]}, {"id": "K2", "name": "小米", "types": ["谷物"]})


def test_mentions_must_be_in_the_base(findings, tmp_path):
    (tmp_path / "base.jsonl").write_text(BASE, "utf-8")
    data = lines_of(linked("小米很好", ("小米", 0, "K3")), linked("小米发布新手机", ("小米", 0, "K1")))

    assert findings(data, "--kb", "base.jsonl") == (['1: mentions[0].id: "K3" is not in the base'], 1)


def test_ids_are_cleaned(findings, fixed):
    data = lines_of({"id": "Ｋ１ ", "name": "小米"}, {"id": "K2", "name": "苹果"})

    (told,), status = findings(data)
    assert (told, status) == ('1: id: "Ｋ１ " has white space around it, or characters in full width', 1)
    told, records, status = fixed(data)
    assert (told, [record["id"] for record in records], status) == (
        ['1: id: "Ｋ１ " made "K1" (fixed)'],
        ["K1", "K2"],
        0,
    )


def test_a_label_that_nearly_all_have_is_noted(check, tmp_path):
    records = [pair(f"{number}点开门吗", f"{number}点开不开门", label=int(number != 7)) for number in range(50)]
    (tmp_path / "data.jsonl").write_text(lines_of(*records), "utf-8")

    done = check("data.jsonl", "-q")

    assert (done.lines, done.returncode) == (["data.jsonl: label: 1 in 49 of 50 (98.0%) (note)"], 0)


# ------------------------------------------------------------- free texts for generation, schemas

REVIEW = {"cat": "书", "label": 1, "review": "字很清楚，翻着不累。"}
FIELDS = ("--condition", "cat,label", "--target", "review")


def test_texts_with_fields_of_other_names_are_checked_as_they_are_trained_on(findings):
    data = lines_of(REVIEW, {**REVIEW, "review": " "}, {"cat": "书", "review": "好"}, {**REVIEW, "label": 0}, REVIEW)

    assert findings(data, *FIELDS) == (
        [
            "2: text: is empty",
            "3: missing field 'label'; found ['cat', 'review']",
            "4: the same text is under another condition at data.jsonl:1 (note)",
            "5: is the same as data.jsonl:1 (note)",
        ],
        1,
    )


def test_they_are_written_as_records_of_ours(fixed):
    told, records, status = fixed(lines_of(REVIEW, REVIEW), *FIELDS)

    assert (told, status) == (["2: is the same as data.jsonl:1 (fixed)"], 0)
    assert records == [{"condition": {"cat": "书", "label": 1}, "text": REVIEW["review"]}]


def test_they_may_leak_into_a_file_of_the_same_fields(findings, tmp_path):
    (tmp_path / "dev.jsonl").write_text(lines_of(REVIEW), "utf-8")

    told = findings(lines_of(REVIEW), *FIELDS, "--against", "dev.jsonl")

    assert told == (["1: the same text and condition is at dev.jsonl:1"], 1)


def test_lines_of_a_schema_are_checked(findings):
    line = {"predicate": "作者", "subject_type": "图书", "object_type": "人物"}

    told, status = findings(lines_of(line, {**line, "object_type": 3}, {**line, "object_type": {"@value": "人物"}}))

    assert (told, status) == (["2: object_type must be a string or {slot: type}; found 3"], 1)


# ------------------------------------------------------------- rows


def test_rows_behind_a_wrong_one_are_checked_too(findings):
    data = "怎么借书\t想借书\t1\n怎么还书\t1\n几点开门\t开门了吗\tx\n \t关门了吗\t0\n"

    told, status = findings(data, name="data.tsv")

    assert [line.partition(":")[0] for line in told] == ["2", "3", "4"]
    assert told[1] == '3: label must be a number, or "?" if it is not told; found "x"'
    assert status == 1


def test_rows_of_two_texts_are_pairs_without_labels_and_no_segmented_text(kexue):
    done = kexue("data", "check", stdin="怎么借书\t想借书\n几点开门\t开门了吗\n")

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr.startswith("standard input: read as pairs: 2 records, 2 pairs, 2 pairs without a label;")


def test_in_a_document_questions_behind_a_wrong_one_are_checked_too(findings):
    document = {"Q1": {"question": "谁？", "evidences": []}, "Q2": {"question": " ", "evidences": {}}}

    told, status = findings(json.dumps(document), name="data.json")

    assert told == [
        "Q1: evidences must be an object; found []",
        "Q2: question: is empty",
        "Q2: passages: there are none",
    ]
    assert status == 1


# ------------------------------------------------------------- places


@pytest.mark.parametrize(("start", "place"), [(0, 0), (2, 0), (3, 5), (4, 5), (99, 5)])
def test_a_part_is_looked_for_where_it_is_nearest(start, place):
    assert nearest("鲁迅", "鲁迅是谁？鲁迅是作家。", start) == place


def test_spans_move_to_where_their_words_stand(fixed):
    data = lines_of(linked("李娜爱吃小米", ("小米", 3, "K2")), linked("今天很好", ("明天", 0, "K1")))

    told, records, status = fixed(data)

    assert told == [
        '1: mentions[0].start: "小米": 3 made 4 (fixed)',
        '2: mentions[0].start must be where "明天" begins in the text; found 0 (left out)',
    ]
    assert records == [linked("李娜爱吃小米", ("小米", 4, "K2"))]
    assert status == 1


def test_every_place_that_is_wrong_is_told(findings):
    fact = {"subject": "呐喊", "predicate": "作者", "object": "鲁迅"}
    texts = lines_of(
        linked("李娜爱吃小米", ("李娜", 1, "K1"), ("小米", 4, "K2"), ("小米", 9, "K2")),
    )
    triples = lines_of({"text": "鲁迅写《呐喊》", "triples": [{**fact, "subject_start": 3, "object_start": 1}, 7]})
    passages = [{"text": "鲁迅和巴金", "answers": ["鲁迅", "巴金"], "starts": [1, 2]}, {"text": 3, "answers": []}]

    must = "must be where"
    assert findings(texts)[0] == [
        f'1: mentions[0].start {must} "李娜" begins in the text; found 1',
        f'1: mentions[2].start {must} "小米" begins in the text; found 9',
    ]
    assert findings(triples)[0] == [
        f'1: triples[0].subject_start {must} "呐喊" begins in the text; found 3',
        f'1: triples[0].object_start {must} "鲁迅" begins in the text; found 1',
        "1: triples[1] must be an object; found 7",
    ]
    assert findings(lines_of({"question": "谁？", "passages": passages}))[0] == [
        f'1: passages[0].starts[0] {must} "鲁迅" begins in the text; found 1',
        f'1: passages[0].starts[1] {must} "巴金" begins in the text; found 2',
        "1: passages[1].text must be a string; found 3",
    ]


def test_starts_of_answers_move_too(fixed):
    passage = {"text": "《呐喊》是鲁迅写的。", "answers": ["鲁迅"], "starts": [4]}

    told, (record,), _ = fixed(lines_of({"question": "谁写的？", "passages": [passage]}))

    assert told == ['1: passages[0].starts[0]: "鲁迅": 4 made 5 (fixed)']
    assert record["passages"][0]["starts"] == [5]


def test_published_data_are_written_as_records_of_ours(fixed):
    told, records, status = fixed("怎么借书\t借书要怎么办\t1\n错\n", name="data.tsv")

    assert (records, status) == ([SAME], 1)
    (line,) = told
    assert line.startswith("2: a row must be text_a, text_b, label")
    assert line.endswith("(left out)")


TEXTS = st.sampled_from(["小米", "李娜爱小米", "Ａpp 很好", "", "小米小米", "  ", "發現小米"])
NUMBERS = st.integers(-2, 8) | st.sampled_from(["3", None])
IDS = st.sampled_from(["K1", " K1", "Ｋ２", "", None])
MENTIONS = st.fixed_dictionaries(
    {"mention": TEXTS, "start": NUMBERS}, optional={"end": NUMBERS, "id": IDS, "nmae": TEXTS, "name": TEXTS}
)
TRIPLES = st.fixed_dictionaries(
    {"subject": TEXTS, "predicate": TEXTS, "object": TEXTS},
    optional={"subject_start": NUMBERS, "object_strat": NUMBERS},
)
PASSAGES = st.fixed_dictionaries({"text": TEXTS, "answers": st.lists(TEXTS, max_size=2)},
                                 optional={"starts": st.lists(NUMBERS, max_size=2)})  # fmt: skip
RECORDS = {
    "linking": st.fixed_dictionaries({"text": TEXTS, "mentions": st.lists(MENTIONS, max_size=2)}),
    "triples": st.fixed_dictionaries({"text": TEXTS, "triples": st.lists(TRIPLES, max_size=2)}),
    "qa": st.fixed_dictionaries({"question": TEXTS, "passages": st.lists(PASSAGES, max_size=2)}),
    "similarity": st.fixed_dictionaries(
        {"text_a": TEXTS, "text_b": TEXTS}, optional={"label": st.sampled_from([0, 1, "1", "x"]), "lable": st.just(1)}
    ),
    "knowledge-base": st.fixed_dictionaries({"id": IDS, "name": TEXTS}, optional={"alias": st.lists(TEXTS)}),
    "generation": st.fixed_dictionaries({"condition": st.just({"label": 1}), "text": TEXTS}),
    "segmentation": st.fixed_dictionaries(
        {"text": TEXTS, "words": st.lists(st.fixed_dictionaries({"word": TEXTS, "start": NUMBERS, "end": NUMBERS}))}
    ),
}


@pytest.mark.parametrize("task", RECORDS)
@given(data=st.data())
def test_in_a_repaired_copy_nothing_is_wrong_and_nothing_is_left_to_repair(task, data):
    records = data.draw(st.lists(RECORDS[task], max_size=4))
    written: list[dict] = []
    file, again = (File("data", Checker(), Counter()) for _ in range(2))
    file.task = again.task = task

    list(file.fix([(f"data:{line}", record) for line, record in enumerate(records, 1)], written.append))

    found = list(again.check([(f"data:{line}", record) for line, record in enumerate(written, 1)]))
    assert not [finding for finding in found if finding.level == "error" or finding.problem.kind == "duplicates"]
    assert all(repaired(task, record) == (record, []) for record in written)


def test_every_record_is_written_or_told(fixed):
    records = [SAME, pair("", "还书", label=0), {**SAME, "label": "1"}, pair("几点开门", "开门了吗", label="x"), SAME]

    told, written, status = fixed(lines_of(*records))

    assert written == [SAME]
    assert [line.partition(":")[0] for line in told] == ["2", "3", "4", "5"]
    assert status == 1


# ------------------------------------------------------------- misuse


def test_one_file_is_repaired_at_a_time(kexue, tmp_path):
    done = kexue("data", "check", "a.jsonl", "b.jsonl", "--fix", "c.jsonl")

    assert (done.returncode, one_error(done)) == (
        2, "--fix writes one file, so it takes one; check the others with --against"
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--target", "review", "--format", "pairs"],
         "--condition and --target name fields of JSON lines; leave out --format"),
        (["--condition", "cat,,label"], "fields must be named as in cat,label; found 'cat,,label'"),
        (["--condition", "cat,text"], "--target text is what is to be written; it cannot be a condition, too"),
    ],
)  # fmt: skip
def test_fields_that_cannot_be_are_misuse(check, options, problem):
    with pytest.raises(UsageError) as error:
        check("data.jsonl", *options)

    assert str(error.value) == problem


def test_a_file_that_is_not_there_is_told_before_anything_is_written(kexue, tmp_path):
    done = kexue("data", "check", "--kb", "none.jsonl", "--fix", "c.jsonl", stdin=lines_of(SAME))

    assert (done.returncode, one_error(done)) == (1, "cannot read none.jsonl: No such file or directory")
    assert list(tmp_path.iterdir()) == []
