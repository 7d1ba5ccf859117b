"""The shared model loader, and the Python door: load, segment, models."""

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kexue_cli
from kexue_cli import loader
from kexue_cli.config import read_json, write_json
from kexue_cli.errors import KexueError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # any text that can be written; halves of surrogates cannot


def test_a_sentence_is_cut_into_its_words():
    assert kexue_cli.segment("我爱北京天安门") == ["我", "爱", "北京", "天安门"]


def test_no_text_has_no_words():
    assert kexue_cli.segment("") == []


@given(TEXT)
def test_the_words_of_any_text_joined_are_the_text(text):
    words = kexue_cli.segment(text)

    assert "".join(words) == text
    assert "" not in words


@given(st.text(st.sampled_from("我爱北京天安门。，！ \t\r\n\u3000\xa0\u2028a1.@:/－年月日三百0x👨‍👩\u0301\ufe0f\x00")))
def test_the_words_of_mixed_text_joined_are_the_text(text):
    assert "".join(kexue_cli.segment(text)) == text


@given(TEXT)
def test_places_count_code_points(text):
    [record] = kexue_cli.load("entropy-segmentation-jieba").predict([{"text": text}])

    assert all(text[word["start"] : word["end"]] == word["word"] for word in record["words"])
    ends = [word["end"] for word in record["words"]]
    assert [word["start"] for word in record["words"]] == [0, *ends[:-1]][: len(ends)]
    assert ends[-1:] == [len(text)][: len(ends)]


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦家庭",  # one family of seven code points
        "e\u0301te\u0301",  # combining acute accents
        "𰻝𰻝面",  # U+30EDD: CJK extension G
        "葛\U000e0100城",  # an ideographic variation selector
        "我\u202e爱\u202c你",  # bidirectional controls
        "🇨🇳北京",
    ],
)
def test_uncommon_characters_keep_their_places(text):
    [record] = kexue_cli.load("entropy-segmentation-jieba").predict([{"text": text}])

    assert "".join(word["word"] for word in record["words"]) == text
    assert all(text[word["start"] : word["end"]] == word["word"] for word in record["words"])


def test_half_a_surrogate_pair_is_an_error_and_not_a_crash():
    with pytest.raises(KexueError, match="character 2 is a lone surrogate"):
        kexue_cli.segment("我爱\ud800")


def test_another_model_may_be_named(little_model):
    assert kexue_cli.segment("我爱北京天安门", model=str(little_model)) == ["我", "爱", "北京", "天安门"]
    assert kexue_cli.segment("我爱北京天安门", model="entropy-segmentation")


def test_a_loaded_model_answers_records_and_keeps_their_other_fields():
    [record] = kexue_cli.load("entropy-segmentation-jieba").predict([{"id": 7, "text": "北京"}])

    assert record == {"id": 7, "text": "北京", "words": [{"word": "北京", "start": 0, "end": 2}]}


def test_the_models_are_listed_with_five_fields():
    assert {tuple(vars(entry)) for entry in kexue_cli.models()} == {("name", "task", "default", "path", "bytes")}


def test_a_model_is_loaded_once(little_model):
    assert loader.load(str(little_model)) is loader.load(str(little_model))


def test_a_model_that_has_changed_is_loaded_anew(own_model):
    before = loader.load(str(own_model))
    later = (own_model / "config.json").stat().st_mtime_ns + 10**9

    os.utime(own_model / "config.json", ns=(later, later))

    assert loader.load(str(own_model)) is not before


def test_threads_that_load_at_once_share_one_model(own_model):
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(loader.load(str(own_model)))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(loaded) == 8
    assert len(set(map(id, loaded))) == 1


def test_threads_that_share_a_model_get_the_answers_of_one():
    texts = [f"我爱北京天安门，{number}年{number}月" * (number % 7 + 1) for number in range(100)]
    expected = [kexue_cli.segment(text) for text in texts]
    wrong = []

    def compare() -> None:
        wrong.extend(text for text, words in zip(texts, expected, strict=True) if kexue_cli.segment(text) != words)

    threads = [threading.Thread(target=compare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_segmentation_does_not_run_on_a_gpu(little_model):
    for device in ("gpu", "gpu:1"):
        with pytest.raises(KexueError, match=f"runs on the CPU only; leave out --device {device}"):
            loader.load(str(little_model), device=device)


def test_a_model_of_an_unknown_task_says_which_tasks_are_known(own_model):
    write_json(own_model / "config.json", {**read_json(own_model / "config.json"), "task": "segmentatoin"})

    with pytest.raises(KexueError, match="no task named 'segmentatoin'; did you mean 'segmentation'"):
        loader.load(str(own_model))
