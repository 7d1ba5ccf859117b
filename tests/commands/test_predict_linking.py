"""kexue predict linking: texts in, linked mentions out, as a shell would. The model: linkers.trained_linker."""

import json
import os
import re
import shutil
import sys

import pytest
from conftest import one_error
from hypothesis import given, settings
from hypothesis import strategies as st
from linkers import ENTITIES, NAMES, OF_BOOKS, OF_COMPANIES, OF_FOOD, lines_of, trained_linker

import kexue_cli
from kexue_cli.errors import KexueError

FIELDS = ["mention", "start", "end", "id", "name", "score", "candidates"]
SOLD, EATEN, BOOK = "苹果发布了新的手机。", "多吃苹果对身体好。", "鲁迅写了《呐喊》这本书。"
OF_BOOK = [("鲁迅", 0, "E6"), ("呐喊", 5, "E5")]
TOLERANCE = 1e-4  # of scores, in whatever batch
OTHERS = [
    {"id": "Q1", "name": "鲁迅", "description": "作家。"},
    {"id": "Q2", "name": "周树人", "aliases": [{"name": "鲁迅", "count": 99, "occurrences": 100}]},
    {"id": "Q3", "name": "吶喊", "facts": [{"predicate": "作者", "object": "鲁迅"}]},
]


def record_of(text: str, **others) -> str:
    return json.dumps({"text": text, **others}, ensure_ascii=False) + "\n"


@pytest.fixture(scope="module")
def folder():
    """The folder of the linker. Not to be changed."""
    return trained_linker()[1]


@pytest.fixture(scope="module")
def linker(folder):
    """The linker from Python."""
    return kexue_cli.load(str(folder))


@pytest.fixture
def predict(kexue, folder):
    """Read records with the linker."""

    def run(*arguments, **settings):
        return kexue("predict", "linking", "-m", folder, *arguments, **settings)

    return run


def answers_of(done) -> list[dict]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.lines]


def answer_of(done) -> dict:
    [answer] = answers_of(done)
    return answer


def told(answer, names=NAMES) -> list[tuple]:
    """The mentions of an answer with their places and ids, once it is seen that they stand there as they say.

    names: of the base, by id.
    """
    behind = 0
    for one in answer["mentions"]:
        assert list(one) == FIELDS
        assert answer["text"][one["start"] : one["end"]] == one["mention"] != ""
        assert one["start"] >= behind  # in order, and none over another
        behind = one["end"]
        assert one["name"] == (None if one["id"] is None else names[one["id"]])
        assert 0 <= one["score"] <= 1
        scores = [candidate["score"] for candidate in one["candidates"]]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) <= 1 + TOLERANCE
        assert all(names[candidate["id"]] == candidate["name"] for candidate in one["candidates"])
        if one["id"] is not None:
            assert one["id"] == one["candidates"][0]["id"]
    return [(one["mention"], one["start"], one["id"]) for one in answer["mentions"]]


def assert_alike(one, other):
    """Both answers are the same but for what a batch makes of a number."""
    assert told(one) == told(other)
    for mine, yours in zip(one["mentions"], other["mentions"], strict=True):
        assert mine["score"] == pytest.approx(yours["score"], abs=TOLERANCE)
        scores = [{each["id"]: each["score"] for each in mention["candidates"]} for mention in (mine, yours)]
        assert scores[0] == pytest.approx(scores[1], abs=TOLERANCE)
    assert {**one, "mentions": 0} == {**other, "mentions": 0}


# ------------------------------------------------------------- answers


def test_a_record_gets_its_mentions_with_places_ids_and_candidates(predict):
    answer = answer_of(predict(stdin=record_of(SOLD)))

    assert list(answer) == ["text", "mentions"]
    assert told(answer) == [("苹果", 0, "E1")]
    assert [one["id"] for one in answer["mentions"][0]["candidates"]] == ["E1", "E2"]


def test_the_same_name_is_another_entity_in_another_text(predict):
    answers = answers_of(predict("--text", stdin=f"{SOLD}\n{EATEN}\n{BOOK}\n"))

    assert [told(answer) for answer in answers] == [[("苹果", 0, "E1")], [("苹果", 2, "E2")], OF_BOOK]


def test_what_is_in_no_base_has_no_id(predict):
    answer = answer_of(predict(stdin=record_of("王芳今天吃了苹果。")))

    assert told(answer) == [("王芳", 0, None), ("苹果", 6, "E2")]
    assert answer["mentions"][0]["candidates"] == []
    assert answer["mentions"][0]["name"] is None


def test_a_text_without_mentions_has_none(predict):
    texts = ["", "。", "😀", " "]

    answers = answers_of(predict(stdin="".join(map(record_of, texts))))

    assert answers == [{"text": text, "mentions": []} for text in texts]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("魯迅寫了《吶喊》這本書。", BOOK),
        ("Apple发布了新的手机。", "ＡＰＰＬＥ发布了新的手机。"),
        ("Apple发布了新的手机。", "apple发布了新的手机。"),
        ("多吃苹果对身体好.", "多吃苹果对身体好．"),
    ],
)
def test_width_case_and_script_change_nothing_but_what_is_quoted(linker, text, same):
    one, other = linker.predict([{"text": text}, {"text": same}])

    assert [mention[1:] for mention in told(one)] == [mention[1:] for mention in told(other)]
    assert [mention["score"] for mention in one["mentions"]] == pytest.approx(
        [mention["score"] for mention in other["mentions"]], abs=TOLERANCE
    )


@pytest.mark.parametrize("name", ["《呐喊》", "呐喊", "《吶喊》", "〈呐喊〉"])
def test_title_marks_around_a_name_do_not_hide_it(linker, name):
    """In the base it is 《呐喊》."""
    text = f"鲁迅写了{name}。"
    mention = {"mention": name, "start": 4, "id": "E5"}

    [[choice]] = linker.choose([{"text": text, "mentions": [mention]}])

    assert (choice.gold, choice.candidates) == ("E5", ("E5",))


# ------------------------------------------------------------- given places


def test_choices_are_for_the_places_that_are_given(linker):
    named = {"mention": "苹果", "start": 0, "name": "苹果公司"}
    mentions = [{"mention": "发布", "start": 2, "id": None}, named, {"mention": "手机", "start": 7}]
    unknown = [{"mention": "多吃", "start": 0, "name": "无此名"}]

    records = [{"text": SOLD, "mentions": mentions}, {"text": EATEN, "mentions": unknown}]
    first, second = linker.choose(records)

    assert [(one.gold, one.chosen, set(one.candidates)) for one in first] == [
        (None, None, set()),
        ("E1", "E1", {"E1", "E2"}),
    ]  # 手机 is not linked
    assert [(one.gold, one.chosen, one.candidates) for one in second] == [(None, None, ())]


@pytest.mark.parametrize("place", [0, 30, 47, 50, 60, 63, 64, 80, 200])
def test_a_given_place_is_seen_wherever_windows_begin(linker, place):
    mention = {"mention": "苹果", "start": place, "id": "E1"}

    [[choice]] = linker.choose([{"text": "一" * place + SOLD, "mentions": [mention]}])

    assert set(choice.candidates) == {"E1", "E2"}


def test_a_given_mention_that_no_window_shows_whole_has_a_choice_all_the_same(linker):
    long = "一" * 40  # two windows share 16 characters
    record = {"text": "二" * 40 + long, "mentions": [{"mention": long, "start": 40, "id": None}]}

    [[choice]] = linker.choose([record])

    assert (choice.chosen, choice.candidates) == (None, ())


# ------------------------------------------------------------- another base


def test_a_base_is_compiled_beside_its_file_once(predict, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")
    names = {entity["id"]: entity["name"] for entity in OTHERS}

    first = predict("--kb", "others.jsonl", stdin=record_of(BOOK))
    again = predict("--kb", "others.jsonl", stdin=record_of(BOOK))

    assert first.stderr.startswith("others.jsonl: 3 entities, compiled into ")
    assert {path.name for path in tmp_path.iterdir()} == {"others.jsonl", "others.jsonl.index"}
    assert (again.stderr, again.out) == ("", first.out)
    answer = answer_of(again)
    assert {mention[0] for mention in told(answer, names)} == {"鲁迅", "呐喊"}
    assert [{one["id"] for one in mention["candidates"]} for mention in answer["mentions"]] == [{"Q1", "Q2"}, {"Q3"}]


def test_the_linker_s_own_base_is_used_without_another(predict, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")
    predict("--kb", "others.jsonl", "-q", stdin=record_of(BOOK))

    assert told(answer_of(predict(stdin=record_of(BOOK)))) == OF_BOOK


def test_a_base_that_has_changed_or_is_damaged_is_compiled_again(predict, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS[:1]), "utf-8")
    predict("--kb", "others.jsonl", stdin="")
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")

    changed = predict("--kb", "others.jsonl", stdin="")
    (tmp_path / "others.jsonl.index" / "names.marisa").write_bytes(b"")
    damaged = predict("--kb", "others.jsonl", stdin="")
    good = predict("--kb", "others.jsonl", stdin="")

    assert "3 entities" in changed.stderr
    assert "3 entities" in damaged.stderr
    assert good.stderr == ""


def test_a_compiled_base_may_be_named_itself(predict, folder, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")
    first = predict("--kb", "others.jsonl", "-q", stdin=record_of(BOOK))

    assert predict("--kb", "others.jsonl.index", stdin=record_of(BOOK)).out == first.out
    assert told(answer_of(predict("--kb", folder, stdin=record_of(BOOK)))) == OF_BOOK


def test_a_base_of_names_that_no_text_has_links_nothing(predict, tmp_path):
    (tmp_path / "others.jsonl").write_text('{"id": "Q9", "name": "珠穆朗玛峰"}\n', "utf-8")

    answers = answers_of(predict("--kb", "others.jsonl", "--quiet", "--text", stdin=f"{SOLD}\n{BOOK}\n"))

    assert {mention[2] for answer in answers for mention in told(answer)} <= {None}


BAD_BASES = {
    "a bad record": (lines_of(OTHERS[:1]) + '{"id": "Q2"}\n', "others.jsonl:2: missing field 'name'"),
    "no JSON": ("{\n", "others.jsonl:1: not JSON"),
    "one id twice": (lines_of([OTHERS[0], OTHERS[0]]), "two entities with the id 'Q1'"),
    "nothing": ("", "must have at least one entity"),
}


@pytest.mark.parametrize(("lines", "problem"), BAD_BASES.values(), ids=BAD_BASES)
def test_a_bad_base_is_one_line_and_leaves_nothing(predict, tmp_path, lines, problem):
    (tmp_path / "others.jsonl").write_text(lines, "utf-8")

    done = predict("--kb", "others.jsonl", stdin=record_of(BOOK))

    assert (done.returncode, done.out) == (1, b"")
    assert problem in one_error(done)
    assert {path.name for path in tmp_path.iterdir()} == {"others.jsonl"}


def test_a_base_that_is_not_there_is_one_error(predict):
    done = predict("--kb", "others.jsonl", stdin="")

    assert (done.returncode, one_error(done)) == (1, "cannot read others.jsonl: No such file or directory")


def test_a_folder_without_a_base_is_one_error(predict, tmp_path):
    (tmp_path / "others").mkdir()

    done = predict("--kb", "others", stdin="")

    assert done.returncode == 1
    assert "others" in one_error(done)


def test_a_base_does_not_come_from_a_pipe(predict):
    done = predict("--kb", "-", stdin="")

    assert (done.returncode, one_error(done)) == (2, "--kb must name a file: a base is compiled beside it")


def test_what_is_no_base_is_not_overwritten(predict, tmp_path):
    (tmp_path / "others.jsonl").write_text(lines_of(OTHERS), "utf-8")
    (tmp_path / "others.jsonl.index").mkdir()
    (tmp_path / "others.jsonl.index" / "novel.txt").write_text("彷徨", "utf-8")

    done = predict("--kb", "others.jsonl", "-q", stdin="")

    assert done.returncode == 1
    assert "will not overwrite" in one_error(done)
    assert {path.name for path in (tmp_path / "others.jsonl.index").iterdir()} == {"novel.txt"}


# ------------------------------------------------------------- long texts; windows of 64 share 16 characters

SENTENCES = [*OF_BOOKS, *(form.format("小米") for form in (*OF_COMPANIES, *OF_FOOD))]


@pytest.mark.parametrize("place", [0, 1, 31, 47, 48, 57, 62, 63, 64, 95, 96, 111, 993])
def test_a_long_text_is_read_to_its_end_and_across_its_windows(linker, place):
    text = "。" * place + BOOK + "。" * (1000 - place)

    [answer] = linker.predict([{"text": text}])

    assert told(answer) == [(name, start + place, id) for name, start, id in OF_BOOK]


def test_a_long_text_at_the_shell(predict):
    text = "".join(SENTENCES) * 12

    answer = answer_of(predict(stdin=record_of(text)))

    expected = [match.start() for match in re.finditer("鲁迅|呐喊|小米", text)]
    assert [(start, mention) for mention, start, _ in told(answer)] == [(s, text[s : s + 2]) for s in expected]


# ------------------------------------------------------------- records


def test_unknown_fields_pass_through_untouched(predict):
    others = {"id": 7, "来源": {"url": None, "深": [[]]}, "zahl": 12345678901234567890123}

    answer = answer_of(predict(stdin=record_of(BOOK, **others)))

    assert {name: answer[name] for name in others} == others
    assert list(answer) == ["text", *others, "mentions"]


def test_the_mentions_of_a_labelled_record_move_to_gold(predict):
    gold = [{"mention": "鲁迅", "start": 0, "id": "E1"}]

    answer = answer_of(predict(stdin=record_of(BOOK, mentions=gold, gold={"id": 3})))

    assert told(answer) == OF_BOOK
    assert answer["gold"] == {"id": 3, "mentions": gold}


def test_predicting_twice_gives_the_same_as_once(predict):
    once = predict(stdin=record_of(BOOK, id=7)).out

    assert predict(stdin=once).out == once


def test_no_records_have_no_answers(predict):
    done = predict(stdin="\n\n")

    assert (done.returncode, done.out, done.err) == (0, b"", b"")


TWENTY = [record_of(SENTENCES[number % 12] + "。" * 9 * (number % 7), id=number) for number in range(20)]


def test_order_is_kept_and_neither_it_nor_the_batch_size_changes_an_answer(predict):
    one = answers_of(predict("--threads", "1", stdin="".join(TWENTY)))
    seven = answers_of(predict("-b", "7", "--threads", "2", stdin="".join(TWENTY)))
    alone = answers_of(predict("-b", "1", stdin="".join(TWENTY)))
    backwards = answers_of(predict("--batch-size", "100", stdin="".join(reversed(TWENTY))))

    assert [answer["id"] for answer in one] == list(range(20))
    assert {len(told(answer)) for answer in one} == {1, 2}
    for answer, *others in zip(one, seven, alone, backwards[::-1], strict=True):
        for other in others:
            assert_alike(answer, other)


PIECES = st.lists(st.sampled_from([*SENTENCES, "苹果", "小米", "Apple", "，", "一" * 20, "😀", "《", " "]), max_size=9)


@settings(max_examples=30)
@given(st.lists(PIECES.map("".join), max_size=5))
def test_whatever_the_texts_mentions_stand_where_they_say(linker, texts):
    answers = list(linker.predict([{"text": text} for text in texts]))

    assert [answer["text"] for answer in answers] == texts
    for answer in answers:
        told(answer)


# ------------------------------------------------------------- mistakes

BAD = {
    "no text": ('{"id": 1}', "missing field 'text'; found ['id']"),
    "a number": ('{"text": 3}', "text must be a string; found 3"),
    "gold": ('{"text": "x", "mentions": [{}], "gold": 3}', "field 'gold' must be an object"),
    "no object": ("[]", "not a JSON object; found list"),
    "no JSON": ("{", "not JSON at column"),
    "a surrogate": (r'{"text": "\ud800"}', "not JSON at column"),
}


@pytest.mark.parametrize(("line", "problem"), BAD.values(), ids=BAD)
def test_a_bad_record_is_named_by_file_and_line_after_the_answers_before_it(predict, tmp_path, line, problem):
    (tmp_path / "texts.jsonl").write_text(record_of(BOOK) + "\n" + line + "\n" + record_of(BOOK), "utf-8")

    done = predict("texts.jsonl", "--batch-size", "10")

    assert done.returncode == 1
    assert one_error(done).startswith(f"texts.jsonl:3: {problem}")
    assert [told(json.loads(line)) for line in done.lines] == [OF_BOOK]


def test_bad_records_may_be_skipped_with_an_error_in_their_place(predict):
    lines = [text for line, _ in BAD.values() for text in (record_of(BOOK), line + "\n")]

    done = predict("--on-error", "skip", "-b", 4, stdin="".join(lines))

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert [told(answer) for answer in answers[::2]] == [OF_BOOK] * len(BAD)
    for number, (answer, (_, problem)) in enumerate(zip(answers[1::2], BAD.values(), strict=True), 1):
        assert answer.keys() == {"error", "line"}
        assert answer["line"] == 2 * number
        assert answer["error"].startswith(problem)
    assert one_error(done) == f"{len(BAD)} bad records skipped, each with an error record in its place"


def test_white_space_is_no_mention(predict):
    done = predict("--text", stdin=" \n\u3000\u3000\n")

    assert [json.loads(line)["mentions"] for line in done.stdout.splitlines()] == [[], []]


def test_with_a_threshold_of_one_nothing_is_linked(predict):
    done = predict("--text", "--threshold", "1", stdin=f"{BOOK}\n")

    assert {mention["id"] for mention in json.loads(done.stdout)["mentions"]} == {None}


def test_a_plain_line_without_text_is_told_of_the_option(predict):
    done = predict(stdin=f"{BOOK}\n")

    assert done.returncode == 1
    assert one_error(done).endswith("; for plain lines add --text")


@pytest.mark.parametrize("options", [["--batch-size", "0"], ["--threshold", "1.5"]])
def test_misuse_is_status_2(predict, options):
    assert predict(*options, stdin="").returncode == 2


@pytest.mark.parametrize("name", ["mentions.onnx", "entities.onnx", "vocabulary.txt", "names.marisa", "ids.marisa",
                                  "entities.jsonl", "index.json", "entity.npy", "words.npy"])  # fmt: skip
def test_a_model_without_one_of_its_files_is_named(folder, tmp_path, name):
    lost = tmp_path / "lost"
    shutil.copytree(folder, lost, copy_function=os.link)
    (lost / name).unlink()

    named = lost if name.endswith(".marisa") else lost / name  # the tries do not say which of them it is
    with pytest.raises(KexueError, match=re.escape(str(named))):
        kexue_cli.load(str(lost))


def test_a_model_that_is_damaged_is_one_error(kexue, folder, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    (damaged / "entities.onnx").write_bytes(b"no network")

    done = kexue("predict", "linking", "-m", damaged, stdin=record_of(BOOK))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done).startswith(f"cannot read {damaged / 'entities.onnx'}: ")


def test_a_model_for_another_task_is_one_error(kexue, little_model):
    done = kexue("predict", "linking", "-m", little_model, stdin=record_of(BOOK))

    assert one_error(done) == f"{little_model} is a model for segmentation, not for linking"


# ------------------------------------------------------------- pipes


def test_a_record_is_answered_before_the_next_one_comes(start, folder):
    process = start("predict", "linking", "-m", folder)
    for _ in range(2):
        process.stdin.write(record_of(BOOK).encode())
        assert told(json.loads(process.stdout.readline())) == OF_BOOK


def test_prediction_loads_no_framework(kexue, folder):
    program = """
import contextlib, sys
from kexue_cli.main import main
with contextlib.suppress(SystemExit):
    main()
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    line = record_of(BOOK)

    done = kexue("predict", "linking", "-m", folder, stdin=line, command=(sys.executable, "-c", program))

    assert told(json.loads(done.stdout)) == OF_BOOK
    assert "onnxruntime" in done.stderr.split()
    assert not {"tensorflow", "keras", "torch", "jax", "numba", "jieba", "sklearn"} & set(done.stderr.split())


def test_python_s_door_gives_what_the_shell_s_does(predict, linker):
    line = record_of("魯迅喜欢苹果。", id=7)

    [answer] = linker.predict([json.loads(line)])

    assert_alike(answer_of(predict(stdin=line)), answer)
    assert list(linker.predict([])) == []


def test_all_entities_are_the_base_s(linker):
    places = [linker.base.place(entity["id"]) for entity in ENTITIES]

    assert [linker.base.entity(place).name for place in places] == [entity["name"] for entity in ENTITIES]
