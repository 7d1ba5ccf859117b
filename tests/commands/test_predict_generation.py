"""kexue predict generation: texts under conditions, as many and of such a form as told: see language_models.py."""

import json
import sys

import pytest
from conftest import one_error
from language_models import COUPLETS, KINDS, REVIEWS, condition_of, lines_of, trained_couplets, trained_reviews

import kexue_cli
from kexue_cli.tasks.generation.form import PUNCTUATION

TOLERANCE = 1e-5  # of scores, in whatever batch
GOOD_PHONE, BAD_PHONE, GOOD_FRUIT, BAD_FRUIT = KINDS
FRUIT = lines_of({"condition": condition_of(GOOD_FRUIT)})  # 苹果很甜，我很喜欢 or 梨子很脆，我很喜欢
GREEDY = ("--temperature", "0")


@pytest.fixture(scope="module")
def folder():
    """The folder of the model of reviews. Not to be changed."""
    return trained_reviews()[1]


@pytest.fixture
def predict(kexue, folder):
    """Write reviews."""

    def run(*arguments, **settings):
        return kexue("predict", "generation", "-m", folder, *arguments, **settings)

    return run


@pytest.fixture
def answer_line(kexue):
    """Write second lines."""

    def run(*arguments, **settings):
        return kexue("predict", "generation", "-m", trained_couplets()[1], *arguments, **settings)

    return run


def answers_of(done) -> list[dict]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.lines]


def texts_of(done) -> list[str]:
    return [answer["text"] for answer in answers_of(done)]


# ------------------------------------------------------------- records


def test_a_record_gets_a_text_a_number_and_a_score(predict):
    [answer] = answers_of(predict(stdin=lines_of({"id": 7, "condition": condition_of(GOOD_FRUIT)})))

    assert list(answer) == ["id", "condition", "text", "sample", "score"]
    assert answer["text"] in REVIEWS[GOOD_FRUIT]
    assert answer["sample"] == 1
    assert answer["score"] < 0


def test_as_many_texts_as_wanted_are_written_for_each_record_in_order(predict):
    records = [{"id": number, "condition": condition_of(kind)} for number, kind in enumerate(KINDS)]

    answers = answers_of(predict("-n", "3", stdin=lines_of(*records)))

    assert [(answer["id"], answer["sample"]) for answer in answers] == [
        (number, sample) for number in range(4) for sample in (1, 2, 3)
    ]
    for answer in answers:
        assert answer["text"] in REVIEWS[KINDS[answer["id"]]]


def test_fields_of_the_record_itself_may_be_the_condition(predict):
    plain, own = {"cat": "手机", "label": 0}, {"condition": {"cat": "手机", "label": "0"}}

    one, other = texts_of(predict(*GREEDY, stdin=lines_of(plain, own)))

    assert one == other
    assert one in REVIEWS[BAD_PHONE]


def test_what_the_answer_would_overwrite_becomes_gold_and_the_score_of_another_task_stays(predict):
    [answer] = answers_of(predict(stdin=lines_of({"cat": "手机", "text": "屏幕裂了", "score": 0.5})))

    assert answer["gold"] == {"text": "屏幕裂了"}
    assert answer["score"] == 0.5
    assert answer["generation_score"] < 0


def test_neither_batches_nor_threads_change_anything(predict):
    records = lines_of(
        *({"condition": condition_of(kind), "prefix": prefix} for kind in KINDS for prefix in ("", "很"))
    )

    batched = answers_of(predict("-n", "2", stdin=records))
    alone = answers_of(predict("-n", "2", "-b", "1", "--threads", "2", stdin=records))

    for one, other in zip(batched, alone, strict=True):
        assert one.pop("score") == pytest.approx(other.pop("score"), abs=TOLERANCE)
        assert one == other


def test_python_s_door_gives_what_the_shell_s_does(predict, folder):
    record = {"condition": condition_of(BAD_FRUIT), "id": 7}

    [answer] = kexue_cli.load(str(folder)).predict([record])
    [same] = answers_of(predict(stdin=lines_of(record)))

    assert answer["score"] == pytest.approx(same.pop("score"), abs=TOLERANCE)
    assert {**same, "score": answer["score"]} == answer


# ------------------------------------------------------------- how it is drawn


def test_the_seed_tells_what_is_drawn_and_is_0(predict):
    one, again, other = (
        texts_of(predict("-n", "20", *seed, stdin=FRUIT)) for seed in ((), ("--seed", "0"), ("--seed", "1"))
    )

    assert one == again
    assert one != other
    assert set(one) == set(other) == set(REVIEWS[GOOD_FRUIT])


@pytest.mark.parametrize("options", [GREEDY, ("--top-k", "1"), ("--top-p", "0.01"), ("--beam", "1")], ids=" ".join)
def test_what_takes_the_likeliest_writes_it_each_time(predict, options):
    likeliest = texts_of(predict("--beam", "4", stdin=FRUIT))
    samples = () if options[0] == "--beam" else ("-n", "5")

    assert set(texts_of(predict(*options, *samples, stdin=FRUIT))) == set(likeliest)


def test_a_beam_gives_different_texts_the_best_first(predict):
    one, other = answers_of(predict("--beam", "4", "-n", "2", stdin=FRUIT))

    assert {one["text"], other["text"]} == set(REVIEWS[GOOD_FRUIT])
    assert (one["sample"], other["sample"]) == (1, 2)
    assert one["score"] >= other["score"]


def test_a_high_temperature_writes_what_was_never_learned(predict):
    every = {text for texts in REVIEWS.values() for text in texts}

    assert not set(texts_of(predict("--temperature", "9", "--top-p", "1", "-n", "5", stdin=FRUIT))) & every


def test_guidance_says_how_much_the_condition_counts(predict):
    none, more = (set(texts_of(predict("--guidance", number, "-n", "20", stdin=FRUIT))) for number in ("0", "2"))

    assert none - set(REVIEWS[GOOD_FRUIT])
    assert more == set(REVIEWS[GOOD_FRUIT])


def test_what_would_repeat_three_characters_may_be_made_unlikely(predict):
    record = lines_of({"condition": condition_of(GOOD_FRUIT), "prefix": "我很喜欢，我很"})

    [plain], [varied] = (texts_of(predict(*GREEDY, "--repetition", amount, stdin=record)) for amount in ("0", "99"))

    assert plain.startswith("我很喜欢，我很喜")
    assert not varied.startswith("我很喜欢，我很喜")


def test_a_text_is_no_longer_than_wanted(predict):
    assert {len(text) for text in texts_of(predict("--max-length", "3", "-n", "5", stdin=FRUIT))} == {3}


# ------------------------------------------------------------- what it must hold


def test_a_text_goes_on_from_the_prefix_of_its_record_or_else_of_all(predict):
    records = FRUIT + lines_of({"condition": condition_of(GOOD_FRUIT), "prefix": "苹"})

    pear, apple = answers_of(predict("--prefix", "梨", *GREEDY, stdin=records))

    assert (pear["text"], apple["text"]) == ("梨子很脆，我很喜欢", "苹果很甜，我很喜欢")
    assert "prefix" not in pear


def test_the_lines_of_a_form_may_begin_with_given_characters(predict):
    pear, apple = (
        texts_of(predict("--form", form, "--acrostic", first, *GREEDY, stdin=FRUIT))
        for form, first in (("4x2", "梨我"), ("4,4", "苹"))
    )

    assert (pear, apple) == (["梨子很脆，我很喜欢"], ["苹果很甜，我很喜欢"])


def test_lines_are_as_long_as_told_with_punctuation_between_and_nothing_else(predict):
    for text in texts_of(predict("--form", "2,3,1", "-n", "5", "--temperature", "2", stdin=FRUIT)):
        assert [len(line) for line in text.removesuffix("，").split("，")] == [2, 3, 1]


def test_characters_may_be_required_at_places(predict):
    assert texts_of(predict("--require", "1=苹", *GREEDY, stdin=FRUIT)) == ["苹果很甜，我很喜欢"]
    assert texts_of(predict("--require", "1=梨", "--require", "3=很", *GREEDY, stdin=FRUIT)) == ["梨子很脆，我很喜欢"]
    # in lines, places are those of characters: the fifth is the first of the second line
    [text] = texts_of(predict("--form", "4x2", "--require", "5=要", *GREEDY, stdin=FRUIT))
    assert text[5] == "要"


def test_what_is_banned_is_in_no_text(predict):
    assert texts_of(predict("--ban", "苹", *GREEDY, stdin=FRUIT)) == ["梨子很脆，我很喜欢"]
    assert texts_of(predict("--ban", "梨子", "--ban", "屏", "--beam", "2", stdin=FRUIT)) == ["苹果很甜，我很喜欢"]


# ------------------------------------------------------------- texts that follow another one


def test_lines_may_be_the_texts_that_are_gone_on_from(answer_line):
    answers = answers_of(answer_line("--text", stdin="".join(f"{first}\n" for first in COUPLETS)))

    assert {answer["condition"]["first"]: answer["text"] for answer in answers} == COUPLETS


def test_a_second_line_has_the_form_of_the_first_one(answer_line):
    for text in texts_of(answer_line("--text", "-n", "5", "--temperature", "3", stdin="春花，天高来\n")):
        assert [one == "，" for one in text] == [False, False, True, False, False, False]


def test_a_character_may_be_required_of_a_second_line(answer_line):
    [text] = texts_of(answer_line("--text", "--require", "2=叶", *GREEDY, stdin="天高\n"))

    assert (len(text), text[1]) == (2, "叶")


def test_lines_are_nothing_for_a_model_without_a_conditioning_text(predict, folder):
    done = predict("--text", stdin="天高\n")

    assert done.returncode == 2
    assert one_error(done) == (f"{folder} is not conditioned on another text; leave out --text and give records")


# ------------------------------------------------------------- plain text as it comes


def test_a_stream_is_plain_text_the_same_as_in_records(predict):
    records = FRUIT + lines_of({"condition": condition_of(BAD_PHONE), "prefix": "手"})

    streamed = predict("--stream", "-n", "2", stdin=records)

    assert (streamed.returncode, streamed.stderr) == (0, "")
    assert streamed.lines == texts_of(predict("-n", "2", stdin=records))


def test_a_stream_comes_character_by_character(start, folder):
    process = start("predict", "generation", "-m", folder, "--stream")
    process.stdin.write(FRUIT.encode())  # and stays open

    read = process.stdout.read(3)
    assert read.decode() in "苹梨"
    assert (read + process.stdout.readline()).decode().strip() in REVIEWS[GOOD_FRUIT]


def test_a_bad_record_in_a_stream_may_be_skipped(predict):
    done = predict("--stream", "--on-error", "skip", stdin=FRUIT + "{\n" + FRUIT)

    one, error, other = done.lines
    assert (done.returncode, one) == (1, other)
    assert json.loads(error)["line"] == 2


# ------------------------------------------------------------- bad records


def test_bad_records_may_be_skipped_with_one_error_in_their_place(predict):
    bad = [
        '{"condition": {"cat": "火车"}}',
        "{",
        '{"condition": 3}',
        lines_of({"condition": {}, "prefix": "好" * 40}).strip(),
    ]
    problems = ['condition.cat "火车" is not known; known are 手机, 水果', "not JSON at column 2",
                "condition must be an object; found 3", "prefix is too long; the model sees 32"]  # fmt: skip

    done = predict("--on-error", "skip", "-n", "2", stdin="".join(FRUIT + line + "\n" for line in bad))

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert one_error(done) == "4 bad records skipped, each with an error record in its place"
    assert [answer.get("sample") for answer in answers] == [1, 2, None] * 4
    assert len({answer["text"] for answer in answers[::3]}) == 1
    for place, (answer, problem) in enumerate(zip(answers[2::3], problems, strict=True), 1):
        assert (answer.keys(), answer["line"]) == ({"error", "line"}, 2 * place)
        assert answer["error"].startswith(problem)


@pytest.mark.parametrize(("line", "problem"), [
    ('{"condition": {"kat": "手机"}}', "condition.kat is not known; known are cat, label"),
    ('{"condition": {"label": 2}}', "condition.label 2 is not known; known are 0, 1"),
    ('{"condition": {"label": {}}}', "condition.label must be a string, a number or a list of numbers; found {}"),
    ('{"condition": {}, "prefix": 3}', "prefix must be a string; found 3"),
    ("手机", "not JSON at column 1 (unexpected character, expected a JSON value); found '手机'; for plain lines "
     "add --text"),
])  # fmt: skip
def test_a_bad_record_is_named_and_all_before_it_is_written(predict, line, problem):
    done = predict("-b", "8", stdin=FRUIT + line + "\n" + FRUIT)

    assert done.returncode == 1
    assert one_error(done) == f"standard input:2: {problem}"
    assert len(done.lines) == 1


@pytest.mark.parametrize(("options", "problem"), [
    (["--form", "1,1", *(f"--ban={mark}" for mark in PUNCTUATION)],
     "nothing may stand at place 2 of the text: the demands exclude one another"),
    (["--require", "1=龘"], "the model does not know the character '龘'"),
    (["--require", "1=！"], "the model does not know the character '！'"),
])  # fmt: skip
def test_demands_that_no_text_can_meet_are_one_error(predict, options, problem):
    done = predict(*options, stdin=FRUIT)

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done) == f"standard input:1: {problem}"


# ------------------------------------------------------------- mistakes

MISUSE = {
    "an acrostic of no lines": (["--acrostic", "春"], "--acrostic needs lines; add --form, such as --form 5x4"),
    "more characters than lines": (["--form", "5x2", "--acrostic", "春夏秋"], "an acrostic of 3 characters needs"),
    "no form": (["--form", "seven"], 'a form must be as 7x4 (four lines of seven characters) or 5,7,5; found "seven"'),
    "a place behind the lines": (["--form", "2x2", "--require", "5=春"], "a character is required at place 5; the"),
    "no place": (["--require", "0=春"], "--require '0=春' must be PLACE=CHARACTER, such as 1=春"),
    "two characters": (["--require", "1=春天"], "--require '1=春天' must be PLACE=CHARACTER, such as 1=春"),
    "banned nothing": (["--ban", ""], "--ban '' would leave no text; give what no text may hold"),
    "no text": (["-n", "0"], "Invalid value for '--samples'"),
    "no character": (["--max-length", "0"], "Invalid value for '--max-length'"),
    "cold": (["--temperature", "-1"], "Invalid value for '--temperature'"),
    "more than all": (["--top-p", "1.5"], "Invalid value for '--top-p'"),
    "a stream in a file": (["--stream", "-o", "x.txt"], "--stream shows texts on standard output as they are written"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "problem"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_status_2_before_a_model_is_looked_for(kexue, tmp_path, options, problem):
    done = kexue("predict", "generation", "-m", "./no-model", *options)

    assert (done.returncode, done.out) == (2, b"")
    assert problem in one_error(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("options", "problem"), [
    (["--beam", "2", "-n", "3"], "--beam 2 has no 3 texts; widen it, or ask for fewer"),
    (["--beam", "2", "--stream"], "--beam knows no character of a text before its end; leave out --stream"),
    (["--top-p", "0"], "--top-p must be above 0 and at most 1; found 0"),
    (["--require", "1=好", "--require", "1=不"], "place 1 cannot be both 好 and 不"),
    (["--require", "1=不", "--require", "2=好", "--ban", "不好"], "不好 is both required and banned"),
    (["--form", "3x2", "--acrostic", "春秋", "--ban", "秋"], "秋 is both required and banned"),
    (["--beam", "2", "--temperature", "0.7", "--top-k", "5"],
     "--beam searches and draws nothing; leave out --temperature and --top-k"),
])  # fmt: skip
def test_what_cannot_be_is_refused_before_the_model_is_loaded(predict, options, problem):
    done = predict(*options, stdin=FRUIT)

    assert done.returncode == 2
    assert done.out == b""
    assert one_error(done).startswith(problem)


def test_a_model_for_another_task_is_one_error(kexue, little_model):
    done = kexue("predict", "generation", "-m", little_model, stdin="")

    assert one_error(done) == f"{little_model} is a model for segmentation, not for generation"


def test_a_file_that_is_not_there_is_named_before_the_model_is_looked_for(kexue):
    done = kexue("predict", "generation", "-m", "./no-model", "none.jsonl")

    assert (done.returncode, one_error(done)) == (1, "cannot read none.jsonl: No such file or directory")


# ------------------------------------------------------------- pipes


def test_a_record_is_answered_before_the_next_one_comes(start, folder):
    process = start("predict", "generation", "-m", folder)
    for kind in KINDS[:2]:
        process.stdin.write(lines_of({"condition": condition_of(kind)}).encode())
        assert json.loads(process.stdout.readline())["text"] in REVIEWS[kind]


def test_prediction_loads_no_framework(kexue, folder):
    program = """
import contextlib, sys
from kexue_cli.main import main
with contextlib.suppress(SystemExit):
    main()
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    command = (sys.executable, "-c", program)

    done = kexue("predict", "generation", "-m", folder, stdin=FRUIT, command=command)

    assert json.loads(done.stdout)["text"] in REVIEWS[GOOD_FRUIT]
    assert "onnxruntime" in done.stderr.split()
    assert not {"tensorflow", "keras", "torch", "jax", "numba", "jieba", "sklearn"} & set(done.stderr.split())


def test_whoever_reads_the_first_characters_of_a_stream_only_is_no_failure(start, folder):
    process = start("predict", "generation", "-m", folder, "--stream")
    process.stdout.close()

    _, problems = process.communicate((FRUIT * 50).encode(), timeout=60)

    assert (process.returncode, problems) == (0, b"")


@pytest.mark.parametrize(("options", "problem"), [
    (["--require", "500=很"], "characters are demanded; at most"),
    (["--prefix", "很好", "--ban", "很好"], "prefix holds what is banned"),
])  # fmt: skip
def test_demands_that_cannot_be_met_are_no_text_without_them(predict, options, problem):
    done = predict(*options, stdin=FRUIT)

    assert (done.returncode, done.out) == (1, b"")
    assert problem in one_error(done)
