"""The record of triple extraction: what is read, what is refused, what a check tells."""

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.tasks.triples.records import (
    UNRELATED,
    LabelledText,
    Triple,
    is_found,
    problems,
    read_labelled_text,
    sizes,
)

TEXT = "鲁迅原名周树人，鲁迅的妻子是许广平。"
WIFE = {"subject": "鲁迅", "predicate": "妻子", "object": "许广平"}


def record_of(*triples, text=TEXT, **more):
    return {"text": text, "triples": list(triples), **more}


def test_a_text_and_its_triples_are_read():
    assert read_labelled_text(record_of(WIFE)) == LabelledText(TEXT, (Triple("鲁迅", "妻子", "许广平"),), None)
    assert read_labelled_text(record_of()) == LabelledText(TEXT, ())


def test_types_and_places_are_read_if_they_are_given():
    subject = {"subject_type": "人物", "subject_start": 8, "subject_end": 10}
    object = {"object_type": "历史人物", "object_start": 14, "object_end": 17}

    (triple,) = read_labelled_text(record_of({**WIFE, **subject, **object, "score": 0.9})).triples

    assert triple == Triple("鲁迅", "妻子", "许广平", "人物", "历史人物", 8, 14)


def test_the_predicates_that_a_text_is_labelled_for_may_be_told():
    assert read_labelled_text(record_of(WIFE, labelled=["妻子", "父亲"])).labelled == {"妻子", "父亲"}
    assert read_labelled_text(record_of(labelled=[])).labelled == frozenset()


def test_pairs_of_names_that_have_nothing_to_do_with_each_other_may_be_told():
    pair = {"subject": "周树人", "object": "许广平", "object_start": 14}

    read = read_labelled_text(record_of(WIFE, unrelated=[pair]))

    assert read.triples == (Triple("鲁迅", "妻子", "许广平"),)
    assert read.unrelated == (Triple("周树人", UNRELATED, "许广平", object_start=14),)


def test_a_place_is_right_whatever_the_width_case_and_script():
    triple = {"subject": "DNA", "predicate": "简称", "object": "去氧", "subject_start": 1, "subject_end": 4}

    (read,) = read_labelled_text(record_of(triple, text="《ｄｎａ》是去氧核糖核酸")).triples

    assert read.subject_start == 1


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"subject_start": 1}, 'triples[0].subject_start must be where "鲁迅" begins in the text; found 1'),
        ({"object_start": -4}, 'triples[0].object_start must be where "许广平" begins in the text; found -4'),
        ({"object_start": "14"}, 'triples[0].object_start must be a whole number; found "14"'),
        (
            {"object_start": 14, "object_end": 16},
            'triples[0].object_end must be 17, where "许广平" ends in the text; found 16',
        ),
    ],
)
def test_a_place_where_nothing_of_the_kind_stands_is_refused(places, message):
    with pytest.raises(KexueError) as error:
        read_labelled_text(record_of({**WIFE, **places}))

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"triples": []}, "missing field 'text'; found ['triples']"),
        ({"text": TEXT}, "missing field 'triples'; found ['text']"),
        ({"text": 3, "triples": []}, "text must be a string; found 3"),
        ({"text": TEXT, "triples": {}}, "triples must be a list; found {}"),
        (record_of(WIFE, ["鲁迅"]), 'triples[1] must be an object; found ["鲁迅"]'),
        (record_of({"subject": "鲁迅", "predicate": "妻子"}),
         "triples[0]: missing field 'object'; found ['predicate', 'subject']"),
        (record_of({**WIFE, "object": " "}), "triples[0].object must not be empty"),
        (record_of({**WIFE, "subject_type": None}), "triples[0].subject_type must be a string; found null"),
        (record_of(WIFE, labelled="妻子"), 'labelled must be a list; found "妻子"'),
        (record_of(WIFE, labelled=[3]), "labelled[0] must be a string; found 3"),
        (record_of(WIFE, unrelated={}), "unrelated must be a list; found {}"),
        (record_of(WIFE, unrelated=["鲁迅"]), 'unrelated[0] must be an object; found "鲁迅"'),
        (record_of(WIFE, unrelated=[{"subject": "鲁迅"}]),
         "unrelated[0]: missing field 'object'; found ['predicate', 'subject']"),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_by_the_name_of_the_field(record, message):
    with pytest.raises(KexueError) as error:
        read_labelled_text(record)

    assert str(error.value) == message


@pytest.mark.parametrize(("part", "text"), [("ＤＮＡ", "dna双螺旋"), ("發現", "他发现了"), ("New York", "new york")])
def test_what_stands_in_the_text_is_found_whatever_its_width_case_and_script(part, text):
    assert is_found(part, text)


@pytest.mark.parametrize("part", ["周作人", "鲁迅 周树人"])
def test_what_does_not_stand_there_in_one_piece_is_not_found(part):
    assert not is_found(part, TEXT)


def found(record):
    return [(problem.field, problem.text, problem.is_error) for problem in problems(record)]


@pytest.mark.parametrize(
    "record", [record_of(WIFE), record_of(), {"text": TEXT}, WIFE, record_of(WIFE, labelled=["妻子"])]
)
def test_a_labelled_text_and_one_to_predict_from_and_a_fact_have_no_problems(record):
    assert found(record) == []


def test_a_subject_or_object_that_is_not_in_the_text_is_an_error_but_is_read():
    record = record_of(WIFE, {"subject": "周作人", "predicate": "妻子", "object": "羽太信子"})

    assert found(record) == [
        ("triples[1].subject", '"周作人" is not in the text', True),
        ("triples[1].object", '"羽太信子" is not in the text', True),
    ]
    assert len(read_labelled_text(record).triples) == 2


def test_a_name_of_an_unrelated_pair_that_is_not_in_the_text_is_an_error_too():
    record = record_of(WIFE, unrelated=[{"subject": "鲁迅", "object": "周作人"}], labelled=["妻子"])

    assert found(record) == [("unrelated[0].object", '"周作人" is not in the text', True)]


def test_a_predicate_that_the_text_is_not_labelled_for_is_an_error():
    told = '"妻子" is not in "labelled", the predicates that the text is labelled for'

    assert found(record_of(WIFE, labelled=["父亲"])) == [("triples[0].predicate", told, True)]


def test_a_triple_given_twice_is_worth_a_note_unless_it_stands_at_other_places():
    told = '["鲁迅", "妻子", "许广平"] is given twice'

    assert found(record_of(WIFE, {**WIFE, "object_type": "人物"})) == [("triples[1]", told, False)]
    assert found(record_of({**WIFE, "subject_start": 0}, {**WIFE, "subject_start": 8})) == []


def test_an_empty_text_is_an_error():
    assert found({"text": " "}) == [("text", "is empty", True)]


def test_a_record_that_cannot_be_read_is_one_error():
    assert found(record_of(3)) == [("", "triples[0] must be an object; found 3", True)]
    assert found({**WIFE, "subject": ""}) == [("", "subject must not be empty", True)]
    assert found({}) == [("", "missing field 'text'; found []", True)]


def test_triples_and_texts_without_any_are_counted():
    assert sizes(record_of(WIFE, WIFE)) == {"triples": 2}
    assert sizes(record_of()) == {"triples": 0, "texts without triples": 1}
    assert sizes({"text": TEXT}) == {"triples": 0}
    assert sizes(WIFE) == {"triples": 1}


def test_records_are_known_for_triples_by_their_fields(kexue):
    done = kexue("data", "check", stdin='{"text": "鲁迅", "triples": []}\n{"text": "巴金"}\n')

    assert (done.returncode, done.out) == (0, b"")
    assert done.stderr == (
        "standard input: read as JSON lines: 2 records, 0 triples, 1 texts without triples; errors: 0\n"
    )
