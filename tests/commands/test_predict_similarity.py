"""kexue predict similarity: two texts compared, the nearest of a file, vectors. The model: sentence_encoders.py."""

import json
import math
import sys

import numpy as np
import pytest
from conftest import one_error
from sentence_encoders import lines_of, trained_model

import kexue_cli

TOLERANCE = 1e-5  # of scores, in whatever batch
FAQ = ["怎么借书", "怎么还书", "几点开门", "几点关门", "怎么办卡"]
ASKED = ["我想借书", "要还书了", "早上什么时候开门", "办卡"]


@pytest.fixture(scope="module")
def folder():
    """The folder of the model. Not to be changed."""
    return trained_model()[1]


@pytest.fixture(scope="module")
def model(folder):
    """The model from Python."""
    return kexue_cli.load(str(folder))


@pytest.fixture
def predict(kexue, folder, tmp_path):
    """Read records with the model, with a cache folder of its own."""

    def run(*arguments, **settings):
        return kexue(
            "predict",
            "similarity",
            "-m",
            folder,
            *arguments,
            env={"XDG_CACHE_HOME": str(tmp_path / "cache")},
            **settings,
        )

    return run


@pytest.fixture
def faq(tmp_path):
    """./faq.txt, with a blank line behind the first one."""
    (tmp_path / "faq.txt").write_text("\n\n".join(FAQ[:2]) + "\n" + "\n".join(FAQ[2:]) + "\n", "utf-8")
    return dict(zip(FAQ, [1, 3, 4, 5, 6], strict=True))


def answers_of(done, said="") -> list[dict]:
    assert (done.returncode, done.stderr) == (0, said)
    return [json.loads(line) for line in done.lines]


def cosine(model, text_a, text_b) -> float:
    one, other = model.vectors([text_a, text_b])
    return pytest.approx(float(one @ other), abs=TOLERANCE)


def nearest(model, text, texts) -> list[str]:
    """The texts from the nearest to the farthest."""
    scores = model.vectors(texts) @ model.vectors([text])[0]
    return [texts[place] for place in np.argsort(-scores, kind="stable")]


# ------------------------------------------------------------- two texts


def test_a_pair_gets_its_score_and_whether_it_is_similar(predict, model):
    pairs = [("怎么借书", "想借一本书"), ("怎么借书", "几点关门"), ("怎么还书", "怎么还书")]

    answers = answers_of(predict(stdin=lines_of(*({"text_a": one, "text_b": other} for one, other in pairs))))

    assert [list(answer) for answer in answers] == [["text_a", "text_b", "score", "similar"]] * 3
    for answer, pair in zip(answers, pairs, strict=True):
        assert (answer["text_a"], answer["text_b"]) == pair
        assert answer["score"] == cosine(model, *pair)
    assert [answer["similar"] for answer in answers] == [True, False, True]
    assert answers[2]["score"] == pytest.approx(1, abs=TOLERANCE)


def test_lines_of_two_texts_give_what_records_give(predict):
    record = {"text_a": "怎么借书", "text_b": "想 借 书"}

    assert predict("--text", stdin="怎么借书\t想 借 书\r\n").out == predict(stdin=lines_of(record)).out


@pytest.mark.parametrize(("line", "found"), [("怎么借书", 1), ("怎么借书\t借书\t1", 3), ("", 1)])
def test_a_line_of_other_than_two_texts_is_named(predict, tmp_path, line, found):
    (tmp_path / "pairs.txt").write_text(f"怎么借书\t借书\n{line}\n怎么还书\t还书\n", "utf-8")

    done = predict("--text", "pairs.txt")

    assert done.returncode == 1
    shown = json.dumps(line, ensure_ascii=False)
    assert one_error(done).startswith(
        f"pairs.txt:2: a line must be two texts with a TAB between them; found {found}: {shown}"
    )
    assert [json.loads(line)["text_b"] for line in done.lines] == ["借书"]  # what was before it is answered


def test_the_threshold_may_be_given(predict, model):
    record = lines_of({"text_a": "怎么借书", "text_b": "怎么还书"})
    score = cosine(model, "怎么借书", "怎么还书").expected
    found = []

    for threshold in (-1, score - 0.01, score + 0.01):
        [answer] = answers_of(predict(f"--threshold={threshold}", stdin=record))
        found.append(answer["similar"])

    assert found == [True, True, False]


def test_other_fields_pass_through_and_the_score_of_another_task_stays(predict, model):
    others = {"id": 12345678901234567890123, "来源": {"url": None, "深": [[]]}, "label": 1, "score": 7}
    record = {"text_a": "怎么借书", "text_b": "怎么还书", **others}

    [answer] = answers_of(predict(stdin=lines_of(record)))

    similarity = answer.pop("similarity_score")
    assert similarity == cosine(model, "怎么借书", "怎么还书")
    assert answer.pop("similar") in (True, False)
    assert answer == record
    assert list(answer) == list(record)


def test_bad_records_may_be_skipped_with_an_error_in_their_place(predict):
    good = {"text_a": "怎么借书", "text_b": "借书"}
    bad = ['{"text_a": "怎么借书"}', '{"text_a": "怎么借书", "text_b": 3}', "{", '{"text": "怎么借书"}']
    problems = ["missing field 'text_b'", "text_b must be a string; found 3", "not JSON at column", "missing field"]

    done = predict("--on-error", "skip", stdin="".join(lines_of(good) + line + "\n" for line in bad))

    answers = [json.loads(line) for line in done.lines]
    assert done.returncode == 1
    assert one_error(done) == "4 bad records skipped, each with an error record in its place"
    assert [answer["text_b"] for answer in answers[::2]] == ["借书"] * 4
    scores = [answer["score"] for answer in answers[::2]]
    assert scores == pytest.approx(scores[:1] * 4, abs=TOLERANCE)
    for place, (answer, problem) in enumerate(zip(answers[1::2], problems, strict=True), 1):
        assert (answer.keys(), answer["line"]) == ({"error", "line"}, 2 * place)
        assert answer["error"].startswith(problem)


def test_the_order_is_kept_and_the_batch_size_changes_nothing(predict):
    texts = [*FAQ, *ASKED, "怎么办卡" * 30, ""]
    records = lines_of(*({"text_a": one, "text_b": other} for one in texts for other in texts))

    batched = answers_of(predict(stdin=records))
    alone = answers_of(predict("-b", "1", "--threads", "2", stdin=records))

    assert [(answer["text_a"], answer["text_b"]) for answer in batched] == [(a, b) for a in texts for b in texts]
    for one, other in zip(batched, alone, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=TOLERANCE)
        assert -1 <= one["score"] <= 1 + TOLERANCE


# ------------------------------------------------------------- the nearest of a file


def test_each_line_gets_the_nearest_texts_of_a_file_with_their_lines(predict, model, faq):
    done = predict("--against", "faq.txt", "--text", "-q", stdin="".join(f"{text}\n" for text in ASKED))

    answers = answers_of(done)
    assert [answer["text"] for answer in answers] == ASKED
    for answer in answers:
        assert list(answer) == ["text", "matches"]
        assert [match["text"] for match in answer["matches"]] == nearest(model, answer["text"], FAQ)
        for match in answer["matches"]:
            assert match == {"text": match["text"], "score": match["score"], "line": faq[match["text"]]}
            assert match["score"] == cosine(model, answer["text"], match["text"])
    assert [answer["matches"][0]["line"] for answer in answers[:2]] == [1, 3]  # 借 and 还


def test_vectors_are_made_once_and_give_the_same_again(predict, tmp_path, faq):
    arguments = ("--against", "faq.txt", "--text")
    first = predict(*arguments, stdin="我想借书\n")
    [kept] = (tmp_path / "cache" / "kexue" / "vectors").iterdir()
    made = (kept / "vectors.npy").stat().st_mtime_ns
    again = predict(*arguments, stdin="我想借书\n")

    assert first.stderr == f"faq.txt: 5 texts, their vectors kept in {kept}\n"
    assert (again.stderr, again.out) == ("", first.out)
    assert (kept / "vectors.npy").stat().st_mtime_ns == made
    assert np.load(kept / "vectors.npy").shape[0] == 5


def test_a_file_of_records_tells_the_lines_of_its_records(predict, tmp_path):
    faq = lines_of({"standard": "怎么借书", "queries": ["想借一本书"]}, {"texts": ["怎么还书"]}, {"text": "几点开门"})
    (tmp_path / "faq.jsonl").write_text(faq, "utf-8")

    [answer] = answers_of(predict("--against", "faq.jsonl", "-q", stdin=lines_of({"text": "怎么借书", "id": 7})))

    assert answer["id"] == 7
    assert {match["text"]: match["line"] for match in answer["matches"]} == {
        "怎么借书": 1, "想借一本书": 1, "怎么还书": 2, "几点开门": 3
    }  # fmt: skip
    assert answer["matches"][0]["text"] == "怎么借书"


def test_there_are_as_many_matches_as_asked_for_and_none_below_the_threshold(predict, faq):
    asked = ("--against", "faq.txt", "--text", "-q")
    [answer] = answers_of(predict(*asked, stdin="怎么还书\n"))
    scores = [match["score"] for match in answer["matches"]]
    between = (scores[1] + scores[2]) / 2

    [two] = answers_of(predict(*asked, "--top-k", "2", stdin="怎么还书\n"))
    [near] = answers_of(predict(*asked, f"--threshold={between}", stdin="怎么还书\n"))
    [many] = answers_of(predict(*asked, "--top-k", "99", stdin="怎么还书\n"))

    assert scores == sorted(scores, reverse=True)
    assert two["matches"] == near["matches"] == answer["matches"][:2]
    assert many["matches"] == answer["matches"]


def test_matches_do_not_depend_on_the_batch_size(predict, faq):
    asked = ("--against", "faq.txt", "--text", "-q", "--top-k", "5")
    lines = "".join(f"{text}\n" for text in [*ASKED, *FAQ, "", "办卡" * 30])

    batched = answers_of(predict(*asked, stdin=lines))
    alone = answers_of(predict(*asked, "-b", "1", stdin=lines))

    for one, other in zip(batched, alone, strict=True):
        for match, same in zip(one["matches"], other["matches"], strict=True):
            assert (match["text"], match["line"]) == (same["text"], same["line"])
            assert match["score"] == pytest.approx(same["score"], abs=TOLERANCE)
    assert batched[-2] == {"text": "", "matches": []}


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_each_text_of_a_file_gets_the_others_and_not_itself(predict, tmp_path, batch_size):
    (tmp_path / "log.txt").write_text("怎么借书\n\n几点开门\n怎么借书\n \n", "utf-8")

    answers = answers_of(predict("--self", "log.txt", "--text", "-q", "-b", batch_size))

    assert [answer["text"] for answer in answers] == ["怎么借书", "", "几点开门", "怎么借书", " "]
    lines = [[match["line"] for match in answer["matches"]] for answer in answers]
    assert lines == [[4, 3], [], [1, 4], [1, 3], []]  # the equal one first; of equal ones the upper
    assert answers[0]["matches"][0]["score"] == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("name", ["log.jsonl", "log.json", "log"])
def test_records_that_are_asked_of_themselves_are_records_whatever_their_file_is_called(predict, tmp_path, name):
    (tmp_path / name).write_text(lines_of({"text": "怎么借书", "id": 1}, {"text": "几点开门", "id": 2}), "utf-8")

    one, other = answers_of(predict("--self", name, "-q"))

    assert (one["id"], [match["text"] for match in one["matches"]]) == (1, ["几点开门"])
    assert (other["id"], [match["text"] for match in other["matches"]]) == (2, ["怎么借书"])


def test_after_an_error_beside_it_a_text_still_does_not_match_itself(predict, tmp_path):
    bad = {"text": "几点开门", "matches": [], "gold": 0}
    (tmp_path / "asked.jsonl").write_text(lines_of({"text": "怎么借书"}, bad, {"text": "怎么还书"}), "utf-8")

    done = predict("--self", "asked.jsonl", "--on-error", "skip", "-q")

    first, error, last = (json.loads(line) for line in done.lines)
    assert (done.returncode, error["line"]) == (1, 2)
    assert "怎么借书" not in [match["text"] for match in first["matches"]]
    assert "怎么还书" not in [match["text"] for match in last["matches"]]


def test_a_bad_record_may_be_skipped_where_texts_are_asked_of_themselves(predict, tmp_path):
    (tmp_path / "asked.jsonl").write_text('{"text": "怎么借书"}\n{\n{"text": "怎么还书"}\n', "utf-8")

    done = predict("--self", "asked.jsonl", "--on-error", "skip", "-q")

    first, error, last = (json.loads(line) for line in done.lines)
    assert (done.returncode, error["line"]) == (1, 2)
    assert [match["line"] for match in first["matches"]] == [3]
    assert [match["line"] for match in last["matches"]] == [1]


@pytest.mark.parametrize("content", ['{"text": "怎么借书"}', '["怎么借书"]', '[{"text": "怎么借书"}]'])
def test_records_under_the_name_of_a_text_file_are_not_taken_for_texts(predict, tmp_path, content):
    (tmp_path / "faq.json").write_text(content + "\n", "utf-8")

    done = predict("--against", "faq.json", "--text", stdin="借书\n")

    assert done.returncode == 1
    assert one_error(done).startswith("faq.json:1: seems to be a JSON record")


def test_a_text_is_similar_to_itself_at_any_threshold(predict):
    texts = ["怎么借书", "怎么还书", "几点开门", "哈"]

    answers = answers_of(predict("--threshold", "1", stdin=lines_of(*({"text_a": t, "text_b": t} for t in texts))))

    assert [(answer["score"], answer["similar"]) for answer in answers] == [(1, True)] * 4


def test_a_label_is_none_of_prediction_s_business(predict):
    (answer,) = answers_of(predict(stdin=lines_of({"text_a": "借书", "text_b": "还书", "label": None})))

    assert answer["label"] is None


def test_a_bad_text_to_find_is_named(predict, tmp_path):
    (tmp_path / "faq.jsonl").write_text(lines_of({"text": "怎么借书"}, {"text": 3}), "utf-8")

    done = predict("--against", "faq.jsonl", "--text", stdin="借书\n")

    assert (done.returncode, one_error(done)) == (1, "faq.jsonl:2: text must be a string; found 3")


def test_a_file_without_a_text_is_one_error(predict, tmp_path):
    (tmp_path / "faq.txt").write_text("\n \n", "utf-8")

    done = predict("--against", "faq.txt", "--text", stdin="借书\n")

    assert (done.returncode, one_error(done)) == (1, "faq.txt: there is no text")


@pytest.mark.parametrize("options", [["--against", "none.txt"], ["--self", "none.txt"]])
def test_a_file_that_is_not_there_is_named_before_the_model_is_looked_for(kexue, options):
    done = kexue("predict", "similarity", "-m", "./no-model", "--text", *options)

    assert (done.returncode, one_error(done)) == (1, "cannot read none.txt: No such file or directory")


# ------------------------------------------------------------- vectors


def test_a_text_gets_its_vector(predict, model):
    [answer] = answers_of(predict("--vectors", stdin=lines_of({"text": "怎么借书", "id": 12345678901234567890123})))

    assert list(answer) == ["text", "id", "vector"]
    assert answer["vector"] == pytest.approx(model.vectors(["怎么借书"])[0].tolist(), abs=TOLERANCE)
    assert math.hypot(*answer["vector"]) == pytest.approx(1, abs=TOLERANCE)


def test_another_vector_becomes_gold_and_the_same_one_does_not(predict):
    once = predict("--vectors", stdin=lines_of({"text": "怎么借书", "vector": [1, 2]}))
    twice = predict("--vectors", stdin=once.out)

    [answer] = answers_of(once)
    assert answer["gold"] == {"vector": [1, 2]}
    assert twice.out == once.out


def test_vectors_are_written_as_one_array(predict, model, tmp_path):
    texts = [*FAQ, *ASKED, "怎么办卡" * 30]

    done = predict("--vectors", "--text", "-o", "x.npy", "-b", "4", stdin="".join(f"{text}\n" for text in texts))

    assert (done.returncode, done.out, done.err) == (0, b"", b"")
    array = np.load(tmp_path / "x.npy")
    assert (array.dtype, array.shape) == (np.float32, (len(texts), model.dimension))
    np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=TOLERANCE)
    np.testing.assert_allclose(array, model.vectors(texts), atol=TOLERANCE)


def test_no_texts_are_an_array_without_rows(predict, tmp_path):
    assert predict("--vectors", "-o", "x.npy", stdin="\n").returncode == 0
    assert len(np.load(tmp_path / "x.npy")) == 0


def test_a_bad_record_leaves_no_array(predict, tmp_path):
    done = predict("--vectors", "-o", "x.npy", stdin=lines_of({"text": "怎么借书"}, {"text": 3}))

    assert (done.returncode, done.out) == (1, b"")
    assert one_error(done) == "standard input:2: text must be a string; found 3"
    assert list(tmp_path.glob("*x.npy*")) == []


# ------------------------------------------------------------- mistakes

MISUSE = {
    "against and self": (["--against", "faq.txt", "--self"], "--against, --self and --vectors are three different"),
    "against and vectors": (["--against", "faq.txt", "--vectors"], "--against, --self and --vectors are three"),
    "self and vectors": (["--self", "--vectors"], "--against, --self and --vectors are three different things"),
    "self of a pipe": (["--self"], "--self reads its FILE twice; give the name of a file"),
    "against a pipe": (["--against", "-"], "--against must name a file"),
    "matches of pairs": (["--top-k", "3"], "--top-k goes with --against or --self"),
    "no matches": (["--against", "faq.txt", "--top-k", "0"], "Invalid value for '--top-k'"),
    "more than a cosine": (["--threshold", "1.5"], "Invalid value for '--threshold'"),
    "threshold of vectors": (["--vectors", "--threshold", "0.5"], "--threshold cuts scores; --vectors writes none"),
    "matches of vectors": (["--vectors", "--top-k", "3"], "--top-k goes with --against or --self"),
    "records in an array": (["--against", "faq.txt", "-o", "x.npy"], "a .npy file holds vectors; add --vectors"),
    "errors in an array": (["--vectors", "-o", "x.npy", "--on-error", "skip"], "--on-error skip leaves error records"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "problem"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_status_2(kexue, faq, tmp_path, options, problem):
    done = kexue("predict", "similarity", "-m", "./no-model", *options)

    assert (done.returncode, done.out) == (2, b"")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"faq.txt"}


def test_a_plain_line_without_text_is_told_of_the_option(predict):
    assert one_error(predict(stdin="怎么借书\t借书\n")).endswith("; for plain lines add --text")


def test_a_model_for_another_task_is_one_error(kexue, little_model):
    done = kexue("predict", "similarity", "-m", little_model, stdin="")

    assert one_error(done) == f"{little_model} is a model for segmentation, not for similarity"


# ------------------------------------------------------------- pipes


def test_a_record_is_answered_before_the_next_one_comes(start, folder):
    process = start("predict", "similarity", "--text", "-m", folder)
    for text in ASKED[:2]:
        process.stdin.write(f"怎么借书\t{text}\n".encode())
        assert json.loads(process.stdout.readline())["text_b"] == text


def test_prediction_loads_no_framework(kexue, folder):
    program = """
import contextlib, sys
from kexue_cli.main import main
with contextlib.suppress(SystemExit):
    main()
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    command = (sys.executable, "-c", program)

    done = kexue("predict", "similarity", "-m", folder, "--text", stdin="怎么借书\t借书\n", command=command)

    assert json.loads(done.stdout)["text_b"] == "借书"
    assert "onnxruntime" in done.stderr.split()
    assert not {"tensorflow", "keras", "torch", "jax", "numba", "jieba", "sklearn"} & set(done.stderr.split())


def test_python_s_door_gives_what_the_shell_s_does(predict, model):
    record = {"text_a": "怎麼借書", "text_b": "想借书", "id": 7}

    [answer] = model.predict([record])
    [same] = answers_of(predict(stdin=lines_of(record)))

    assert answer["score"] == pytest.approx(same.pop("score"), abs=TOLERANCE)
    assert {**same, "score": answer["score"]} == answer
    assert list(model.predict([])) == []
