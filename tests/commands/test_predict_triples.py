"""kexue predict triples: texts in, triples out, as a shell would. The model: extractors.write_little_extractor."""

import json
import re
import shutil
import sys

import pytest
from conftest import one_error
from hypothesis import given
from hypothesis import strategies as st

import kexue_cli
from kexue_cli.errors import KexueError

FIELDS = ["subject", "predicate", "object", "subject_start", "subject_end", "object_start", "object_end", "score"]
BOOKS = "鲁迅生于绍兴，写有《呐喊》和《彷徨》。"
OF_BOOKS = [("鲁迅", "出生地", "绍兴", 0.56), ("呐喊", "作者", "鲁迅", 0.81), ("彷徨", "作者", "鲁迅", 0.72)]


def record_of(text: str, **others) -> str:
    return json.dumps({"text": text, **others}, ensure_ascii=False) + "\n"


def schema_of(*predicates: str) -> str:
    return "".join(json.dumps({"predicate": name}, ensure_ascii=False) + "\n" for name in predicates)


@pytest.fixture
def predict(kexue, little_extractor):
    """Read records with the little extractor."""

    def run(*arguments, **settings):
        return kexue("predict", "triples", "-m", little_extractor, *arguments, **settings)

    return run


@pytest.fixture
def extractor(little_extractor):
    """The same from Python."""
    return kexue_cli.load(str(little_extractor))


def answers_of(done) -> list[dict]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.lines]


def answer_of(done) -> dict:
    [answer] = answers_of(done)
    return answer


def told(answer) -> list[tuple]:
    """The triples of an answer, each with its score, where they stand in the text as they say."""
    for triple in answer["triples"]:
        assert list(triple) == FIELDS
        for name in ("subject", "object"):
            assert answer["text"][triple[f"{name}_start"] : triple[f"{name}_end"]] == triple[name]
    return [(one["subject"], one["predicate"], one["object"], one["score"]) for one in answer["triples"]]


# ------------------------------------------------------------- answers


def test_a_record_gets_its_triples_with_places_and_scores_in_the_order_of_the_text(predict):
    answer = answer_of(predict(stdin=record_of(BOOKS)))

    assert list(answer) == ["text", "triples"]
    assert told(answer) == OF_BOOKS
    places = [[one[name] for name in FIELDS[3:7]] for one in answer["triples"]]
    assert places == [[0, 2, 4, 6], [10, 12, 0, 2], [15, 17, 0, 2]]


def test_a_subject_may_have_many_objects(predict):
    assert told(answer_of(predict(stdin=record_of("《呐喊》：鲁迅、巴金、茅盾")))) == [
        ("呐喊", "作者", "鲁迅", 0.81),
        ("呐喊", "作者", "巴金", 0.538122),
        ("呐喊", "作者", "茅盾", 0.633206),
    ]


def test_the_same_triple_twice_is_told_once(predict):
    text = "鲁迅写《呐喊》。《呐喊》是鲁迅写的。"

    assert told(answer_of(predict(stdin=record_of(text)))) == [("呐喊", "作者", "鲁迅", 0.81)]


def test_a_text_without_triples_has_none(predict):
    texts = ["", "今天天气很好", "大家，鲁迅", "呐喊", "鲁迅", "😀"]

    answers = answers_of(predict(stdin="".join(map(record_of, texts))))

    assert answers == [{"text": text, "triples": []} for text in texts]


@pytest.mark.parametrize(
    ("text", "subject", "object"),
    [
        ("《吶喊》是魯迅寫的", "吶喊", "魯迅"),
        ("😀👨‍👩‍👧𠀀𰻝：鲁迅写《呐喊》", "呐喊", "鲁迅"),
        ("\ufeff第一行\r\n鲁迅\r\n呐喊\r\n", "呐喊", "鲁迅"),
        ("鲁\u200b迅与呐　喊", "呐　喊", "鲁\u200b迅"),
    ],
)
def test_names_are_what_stands_in_the_user_s_own_text(extractor, text, subject, object):
    [answer] = extractor.predict([{"text": text}])

    assert told(answer) == [(subject, "作者", object, 0.81)]


# ------------------------------------------------------------- options


def test_plain_lines_are_texts(predict):
    answers = answers_of(predict("--text", stdin=f"{BOOKS}\n\n今天\n"))

    assert [answer["text"] for answer in answers] == [BOOKS, "", "今天"]
    assert [told(answer) for answer in answers] == [OF_BOOKS, [], []]


def test_a_plain_line_without_text_is_told_of_the_option(predict):
    done = predict(stdin=f"{BOOKS}\n")

    assert done.returncode == 1
    assert one_error(done).endswith("; for plain lines add --text")


def test_triples_may_be_lines_of_three_columns(predict):
    done = predict("--text", "--tsv", stdin=f"{BOOKS}\n今天\n呐\t\r喊，鲁迅\n")

    # a tab inside a name would be another column
    expected = ["鲁迅\t出生地\t绍兴", "呐喊\t作者\t鲁迅", "彷徨\t作者\t鲁迅", "呐 喊\t作者\t鲁迅"]
    assert (done.returncode, done.lines) == (0, expected)


def test_a_schema_takes_some_of_the_predicates(predict, tmp_path):
    (tmp_path / "schema.jsonl").write_text(schema_of("出生地"), "utf-8")

    answer = answer_of(predict("--schema", "schema.jsonl", stdin=record_of(BOOKS)))

    assert told(answer) == [("鲁迅", "出生地", "绍兴", 0.56)]


def test_a_schema_with_a_predicate_that_the_model_does_not_know_is_one_error(predict, tmp_path):
    (tmp_path / "schema.jsonl").write_text(schema_of("作者", "出生日"), "utf-8")

    done = predict("--schema", "schema.jsonl", stdin=record_of(BOOKS))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith("no predicate named '出生日'; did you mean '出生地'?")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('[[drop]]\nobject_ends = ["迅"]', OF_BOOKS[:1]),
        ('[[drop]]\npredicates = ["作者"]\nsubject_ends = ["喊"]', [OF_BOOKS[0], OF_BOOKS[2]]),
        ("", OF_BOOKS),
    ],
)
def test_rules_are_applied(predict, tmp_path, rule, expected):
    (tmp_path / "rules.toml").write_text(rule, "utf-8")

    assert told(answer_of(predict("--rules", "rules.toml", stdin=record_of(BOOKS)))) == expected


def test_a_schema_hides_what_rules_may_still_infer_from(predict, tmp_path):
    (tmp_path / "rules.toml").write_text('[[inverse]]\npredicate = "作者"\ninverse = "出生地"', "utf-8")  # nonsense
    (tmp_path / "schema.jsonl").write_text(schema_of("出生地"), "utf-8")

    answer = answer_of(predict("--rules", "rules.toml", "--schema", "schema.jsonl", stdin=record_of("鲁迅：呐喊")))

    assert told(answer) == [("鲁迅", "出生地", "呐喊", 0.81)]


def test_rules_about_a_predicate_that_the_model_does_not_know_are_one_error(predict, tmp_path):
    (tmp_path / "rules.toml").write_text('[[inverse]]\npredicate = "丈夫"\ninverse = "妻子"', "utf-8")

    done = predict("--rules", "rules.toml", stdin=record_of(BOOKS))

    assert done.returncode == 1
    assert one_error(done).startswith("no predicate named '丈夫'")


def test_the_rules_of_a_model_are_its_own_until_the_user_gives_others(kexue, little_extractor, tmp_path):
    folder = tmp_path / "with-rules"
    shutil.copytree(little_extractor, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["rules"] = {"drop": [{"object_ends": ["迅"]}]}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "none.toml").write_text("", "utf-8")

    own, others = (kexue("predict", "triples", "-m", folder, *options, stdin=record_of(BOOKS))
                   for options in ([], ["--rules", "none.toml"]))  # fmt: skip

    assert told(answer_of(own)) == OF_BOOKS[:1]
    assert told(answer_of(others)) == OF_BOOKS


def test_the_threshold_is_of_the_score(predict):
    found = told(answer_of(predict("--threshold", "0.6", stdin=record_of(BOOKS))))

    assert found == [triple for triple in OF_BOOKS if triple[-1] >= 0.6]


@pytest.mark.parametrize(("threshold", "count"), [(0, 3), (0.55, 3), (0.57, 2), (0.8, 1), (0.82, 0), (1, 0)])
def test_thresholds(extractor, threshold, count):
    [answer] = extractor.with_settings(threshold=threshold).predict([{"text": BOOKS}])

    assert len(told(answer)) == count


@pytest.mark.parametrize("options", [["--threshold", "1.1"], ["--threshold", "half"], ["--batch-size", "0"]])
def test_misuse_is_status_2(predict, options):
    assert predict(*options, stdin="").returncode == 2


# ------------------------------------------------------------- long texts; windows of 64 share 16 characters


@pytest.mark.parametrize("place", [0, 31, 47, 48, 56, 57, 62, 63, 64, 95, 96, 111, 993])
def test_a_long_text_is_read_to_its_end_and_across_its_windows(extractor, place):
    text = ("一" * place + "《呐喊》鲁迅").ljust(1000, "一")

    [answer] = extractor.predict([{"text": text}])

    assert told(answer) == [("呐喊", "作者", "鲁迅", 0.81)]  # once, though two windows may show it
    assert answer["triples"][0]["subject_start"] == place + 1


def test_names_that_no_window_shows_together_are_not_connected(extractor):
    text = "呐喊" + "一" * 100 + "鲁迅"

    [answer] = extractor.predict([{"text": text}])

    assert answer["triples"] == []


def test_triples_of_different_windows_come_in_the_order_of_the_text(extractor):
    text = "绍兴鲁迅" + "一" * 70 + "彷徨，鲁迅" + "一" * 70 + "鲁迅，呐喊"

    [answer] = extractor.predict([{"text": text}])

    assert [(subject, object) for subject, _, object, _ in told(answer)] == [
        ("鲁迅", "绍兴"), ("彷徨", "鲁迅"), ("呐喊", "鲁迅")
    ]  # fmt: skip
    assert [one["subject_start"] for one in answer["triples"]] == [2, 74, 152]


def test_a_long_text_at_the_shell(predict):
    text = "一" * 3000 + "魯迅：吶喊"

    answer = answer_of(predict(stdin=record_of(text)))

    assert [(one["subject_start"], one["object_start"]) for one in answer["triples"]] == [(3003, 3000)]
    assert told(answer) == [("吶喊", "作者", "魯迅", 0.81)]


# ------------------------------------------------------------- records


def test_unknown_fields_pass_through_untouched(predict):
    others = {"id": 7, "来源": {"url": None, "深": [[]]}, "zahl": 12345678901234567890123}

    answer = answer_of(predict(stdin=record_of(BOOKS, **others)))

    assert {name: answer[name] for name in others} == others
    assert list(answer) == ["text", *others, "triples"]


def test_the_triples_of_a_labelled_record_move_to_gold(predict):
    gold = [{"subject": "呐喊", "predicate": "作者", "object": "周树人"}]

    answer = answer_of(predict(stdin=record_of(BOOKS, triples=gold, gold={"id": 3}, labelled=["作者"])))

    assert told(answer) == OF_BOOKS
    assert answer["gold"] == {"id": 3, "triples": gold}
    assert answer["labelled"] == ["作者"]


def test_predicting_twice_gives_the_same_as_once(predict):
    once = predict(stdin=record_of(BOOKS, id=7)).out

    assert predict(stdin=once).out == once


def test_no_records_have_no_answers(predict):
    done = predict(stdin="\n\n")

    assert (done.returncode, done.out, done.err) == (0, b"", b"")


TWENTY = [
    record_of("，".join(["鲁迅", "《呐喊》" + "一" * 9 * number, "绍兴，《彷徨》，巴金"][: 1 + number % 3]), id=number)
    for number in range(20)
]


def test_order_is_kept_and_neither_it_nor_the_batch_size_changes_an_answer(predict):
    one = predict("--threads", "1", stdin="".join(TWENTY))
    seven = predict("-b", "7", "--threads", "2", stdin="".join(TWENTY))
    backwards = predict("--batch-size", "100", stdin="".join(reversed(TWENTY)))

    answers = answers_of(one)
    assert [answer["id"] for answer in answers] == list(range(20))
    assert {len(told(answer)) for answer in answers} > {0, 1, 5}
    assert one.out == seven.out
    assert one.lines == backwards.lines[::-1]


PIECES = st.lists(
    st.sampled_from(["鲁迅", "呐喊", "彷徨", "绍兴", "巴金", "家", "鲁", "喊", "，", "一" * 20, "😀"]), max_size=9
)


@given(st.lists(PIECES.map("".join), max_size=5))
def test_whatever_the_texts_each_is_answered_as_if_it_were_alone(little_extractor, texts):
    extractor = kexue_cli.load(str(little_extractor))

    answers = list(extractor.predict([{"text": text} for text in texts]))

    for text, answer in zip(texts, answers, strict=True):
        assert [answer] == list(extractor.predict([{"text": text}]))
        triples = [one[:3] for one in told(answer)]
        assert len(set(triples)) == len(triples)
        starts = [(one["subject_start"], one["object_start"]) for one in answer["triples"]]
        assert starts == sorted(starts)


# ------------------------------------------------------------- mistakes

BAD = {
    "no text": ('{"id": 1}', "missing field 'text'; found ['id']"),
    "a number": ('{"text": 3}', "text must be a string; found 3"),
    "gold": ('{"text": "x", "triples": [{}], "gold": 3}', "field 'gold' must be an object"),
    "no object": ("[]", "not a JSON object; found list"),
    "no JSON": ("{", "not JSON at column"),
    "a surrogate": (r'{"text": "\ud800"}', "not JSON at column"),
}


@pytest.mark.parametrize(("line", "problem"), BAD.values(), ids=BAD)
def test_a_bad_record_is_named_by_file_and_line_after_the_answers_before_it(predict, tmp_path, line, problem):
    (tmp_path / "texts.jsonl").write_text(record_of(BOOKS) + "\n" + line + "\n" + record_of(BOOKS), "utf-8")

    done = predict("texts.jsonl", "--batch-size", "10")

    assert done.returncode == 1
    assert one_error(done).startswith(f"texts.jsonl:3: {problem}")
    assert [told(json.loads(line)) for line in done.lines] == [OF_BOOKS]


@pytest.mark.parametrize("size", [1, 4])
def test_bad_records_may_be_skipped_with_an_error_in_their_place(predict, size):
    lines = [text for line, _ in BAD.values() for text in (record_of(BOOKS), line + "\n")]

    done = predict("--on-error", "skip", "-b", size, stdin="".join(lines))

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert [told(answer) for answer in answers[::2]] == [OF_BOOKS] * len(BAD)
    for number, (answer, (_, problem)) in enumerate(zip(answers[1::2], BAD.values(), strict=True), 1):
        assert answer.keys() == {"error", "line"}
        assert answer["line"] == 2 * number
        assert answer["error"].startswith(problem)
    assert one_error(done) == f"{len(BAD)} bad records skipped, each with an error record in its place"


def test_bad_records_have_no_lines_of_three_columns(predict):
    done = predict("--on-error", "skip", "--tsv", stdin=record_of("鲁迅，呐喊") + "{}\n" + record_of("鲁迅，彷徨"))

    assert (done.returncode, done.lines) == (1, ["呐喊\t作者\t鲁迅", "彷徨\t作者\t鲁迅"])
    assert one_error(done).startswith("1 bad record skipped")


def test_a_model_that_is_damaged_is_one_error(kexue, little_extractor, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(little_extractor, folder)
    (folder / "objects.onnx").write_bytes(b"no network")

    done = kexue("predict", "triples", "-m", folder, stdin=record_of(BOOKS))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(f"cannot read {folder / 'objects.onnx'}: ")


@pytest.mark.parametrize("name", ["subjects.onnx", "objects.onnx", "schema.jsonl", "vocabulary.txt"])
def test_a_model_without_one_of_its_files_is_named(little_extractor, tmp_path, name):
    folder = tmp_path / "lost"
    shutil.copytree(little_extractor, folder)
    (folder / name).unlink()

    with pytest.raises(KexueError, match=re.escape(str(folder / name))):
        kexue_cli.load(str(folder))


def test_a_model_for_another_task_is_one_error(kexue, little_model):
    done = kexue("predict", "triples", "-m", little_model, stdin=record_of(BOOKS))

    assert one_error(done) == f"{little_model} is a model for segmentation, not for triples"


# ------------------------------------------------------------- pipes


def test_a_record_is_answered_before_the_next_one_comes(start, little_extractor):
    process = start("predict", "triples", "-m", little_extractor)
    for _ in range(2):
        process.stdin.write(record_of(BOOKS).encode())
        assert told(json.loads(process.stdout.readline())) == OF_BOOKS


def test_prediction_loads_no_framework(kexue, little_extractor):
    program = """
import contextlib, sys
from kexue_cli.main import main
with contextlib.suppress(SystemExit):
    main()
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    line = record_of(BOOKS)

    done = kexue("predict", "triples", "-m", little_extractor, stdin=line, command=(sys.executable, "-c", program))

    assert told(json.loads(done.stdout)) == OF_BOOKS
    assert "onnxruntime" in done.stderr.split()
    assert not {"tensorflow", "keras", "torch", "jax", "numba", "jieba", "sklearn"} & set(done.stderr.split())


def test_python_s_door_gives_what_the_shell_s_does(predict, little_extractor):
    line = record_of("魯迅，吶喊，绍兴", id=7)

    [answer] = kexue_cli.load(str(little_extractor)).predict([json.loads(line)])

    assert answer_of(predict(stdin=line)) == answer
