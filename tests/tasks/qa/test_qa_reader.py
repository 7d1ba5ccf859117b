"""The reader as a whole, from Python. The model: readers.write_little_reader."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kexue_cli
from kexue_cli.errors import KexueError
from kexue_cli.loader import segmenter
from kexue_cli.tasks.encoding import Encoder
from kexue_cli.tasks.qa import QuestionAnswering
from kexue_cli.tasks.qa.config import DecodingConfig, PreprocessorConfig
from kexue_cli.tasks.qa.preprocessor import Preprocessor
from kexue_cli.tasks.qa.records import Passage, Question
from kexue_cli.text.normalization import normalize
from kexue_cli.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def reader(little_reader):
    return kexue_cli.load(str(little_reader))


def record_of(*passages, question="谁？"):
    return {"question": question, "passages": list(passages)}


TEXT = st.text(st.sampled_from("鲁魯迅周人１年巴金，。 一\r\n😀𠀀"), max_size=30)
RECORDS = st.lists(st.builds(record_of, TEXT, TEXT, question=st.sampled_from(["谁？", "鲁迅？", ""])), max_size=4)


@given(RECORDS)
def test_whatever_is_answered_stands_where_the_answer_says(reader, records):
    for record, answer in zip(records, reader.predict(records), strict=True):
        for item in answer["candidates"]:
            text = record["passages"][item["passage"]]
            assert text[item["start"] : item["end"]] == item["answer"] != ""
        best = answer["candidates"][:1]
        assert answer["answer"] == (best[0]["answer"] if best and best[0]["score"] >= 0.05 else None)
        assert not set(normalize(answer["answer"] or "")[:1]) & set(record["question"])


@given(RECORDS)
def test_records_do_not_change_each_other_s_answers(reader, records):
    together = list(reader.predict(records))

    assert together == [answer for record in records for answer in reader.predict([record])]


@given(st.lists(TEXT, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_passages_changes_their_numbers_only(reader, passages, random):
    shuffled = random.sample(passages, len(passages))

    found, again = (reader.answer([Question("谁？", tuple(map(Passage, texts)))])[0] for texts in (passages, shuffled))

    assert {item.answer: item.score for item in found} == {item.answer: item.score for item in again}


def test_a_bad_record_is_an_error_that_names_the_field(reader):
    with pytest.raises(KexueError, match=r"passages\[1\] must be a string"):
        list(reader.predict([record_of("鲁迅", 3)]))


@pytest.mark.parametrize("record", [record_of("鲁迅\ud800"), record_of("鲁迅", question="谁\ud800")])
def test_half_a_surrogate_pair_is_an_error_and_not_a_crash(reader, record):
    with pytest.raises(KexueError, match="is a lone surrogate"):
        list(reader.predict([record]))


def test_settings_are_changed_in_a_reader_of_its_own(reader):
    strict = reader.with_settings(threshold=0.9)

    [refused], [answered] = (list(task.predict([record_of("鲁迅")])) for task in (strict, reader))

    assert (refused["answer"], answered["answer"]) == (None, "鲁迅")


def test_each_passage_is_compared_with_the_others():
    preprocessor = Preprocessor(Encoder(Vocabulary(""), segmenter(), None), PreprocessorConfig(features=("hand",)))
    task = QuestionAnswering(preprocessor, None, DecodingConfig())
    question = Question("谁？", (Passage("北京"), Passage("北京"), Passage("上海")))

    shares = [sample["features"][0, 1] for _, _, sample in task.samples(question)]  # of the passages, in others

    assert shares == pytest.approx([1 / 3, 1 / 3, 0])


def test_a_long_passage_has_a_sample_for_each_window(reader):
    question = Question("谁？", (Passage("一" * 600), Passage(""), Passage("一")))

    found = [(passage, window.start, len(sample["passage"])) for passage, window, sample in reader.samples(question)]

    assert found == [(0, 0, 512), (0, 448, 152), (1, 0, 0), (2, 0, 1)]


# ------------------------------------------------------------- damaged folders


@pytest.fixture
def damaged(little_reader, tmp_path):
    """Return a copy of the reader in which one part of config.json is another."""

    def copy(part, **settings):
        folder = shutil.copytree(little_reader, tmp_path / "damaged")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config[part].update(settings)
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        return str(folder)

    return copy


@pytest.mark.parametrize(
    ("part", "settings", "problem"),
    [
        ("decoding", {"treshold": 0.5}, "no setting named 'treshold'; did you mean 'threshold'"),
        ("decoding", {"source": "webqa"}, "no source named 'webqa' (the reader does not tell training files apart)"),
        ("decoding", {"voting": "loudest"}, "decoding.voting must be one of squares, sum, max; found 'loudest'"),
        ("preprocessor", {"window": "192"}, "window must be of type int"),
        ("preprocessor", {"overlap": 512}, "overlap must be at least 0 and less than preprocessor.window, 512"),
        ("preprocessor", {"features": ["mach"]}, "no group of features named 'mach'; did you mean 'match'"),
        ("preprocessor", {"segmentation": "no-such-model"}, "no model named 'no-such-model'"),
        ("network", {"vocabulary_size": 9}, "vocabulary.txt has 10 entries; the network knows 9"),
    ],
)
def test_a_folder_whose_settings_cannot_be_is_refused(damaged, part, settings, problem):
    folder = damaged(part, **settings)

    with pytest.raises(KexueError) as error:
        kexue_cli.load(folder)

    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_inputs_that_the_network_does_not_take_are_refused(damaged):
    folder = damaged("preprocessor", features=[])

    with pytest.raises(KexueError, match="takes the inputs features, passage, question; got passage, question"):
        list(kexue_cli.load(folder).predict([record_of("鲁迅")]))
