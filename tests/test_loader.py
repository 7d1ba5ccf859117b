"""The shared model loader, and the Python door: load, segment, models."""

import logging
import os
import shutil
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import doubled, write_sums_network

import kexue_cli
from kexue_cli import loader, runtimes
from kexue_cli.config import read_json, write_json
from kexue_cli.device import Device, DeviceError, resolve
from kexue_cli.errors import KexueError
from kexue_cli.tasks import TASKS, TaskEntry
from kexue_cli.zoo import write_sums

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


class Sums:
    """A task whose answer to numbers is twice their sum, from a network."""

    def __init__(self, folder, network):
        self.folder = folder
        self.network = network

    def predict(self, records):
        for record in records:
            outputs = self.network({"ids": np.array([record["numbers"]], "int32")})
            yield {**record, "total": float(outputs["total"][0])}


@pytest.fixture
def sums_model(tmp_path, monkeypatch):
    """A model of the task of sums, which is a task as long as the test runs."""
    module = types.ModuleType("sums_task")
    module.load = lambda folder, *, threads, open_network: Sums(folder, open_network("network"))
    monkeypatch.setitem(sys.modules, "sums_task", module)
    monkeypatch.setitem(TASKS, "sums", TaskEntry("sums_task", "sums", "Add up.", has_networks=True))
    folder = tmp_path / "sums"
    folder.mkdir()
    write_json(folder / "config.json", {"format": 1, "task": "sums", "network": {"width": 1}})
    write_sums_network(folder / "network.onnx")
    write_sums(folder)
    return folder


class Unable:
    """A network on a GPU without memory."""

    device = "gpu:0"

    def __init__(self, error):
        self.error = error

    def __call__(self, inputs):
        raise self.error


@pytest.fixture
def on_a_gpu(monkeypatch):
    """Make believe that there is a GPU with TensorFlow on it, and that opening a network there does this."""

    def make(open_network):
        monkeypatch.setattr(loader, "resolve", lambda name: Device("cpu" if name == "cpu" else "gpu:0", "tensorflow"))
        monkeypatch.setattr(runtimes, "KerasRuntime", open_network)

    return make


def total(model, numbers):
    [record] = model.predict([{"numbers": numbers}])
    return record["total"]


def test_a_model_with_a_network_gets_it_opened(sums_model):
    model = loader.load(str(sums_model))

    assert total(model, [1, 2, 3]) == 12
    assert model.network.device == "cpu"


def test_32_threads_answer_as_one(sums_model):
    questions = [list(range(number % 9)) for number in range(1000)]
    expected = [2 * sum(numbers) for numbers in questions]

    def answer_all(_):
        model = loader.load(str(sums_model), threads=1)
        return [total(model, numbers) for numbers in questions]

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(answer_all, range(32)))

    assert answers == [expected] * 32


def test_a_model_replaced_by_an_older_one_is_loaded_anew(sums_model, tmp_path):
    before = loader.load(str(sums_model))
    shutil.copytree(sums_model, tmp_path / "other")
    config = tmp_path / "other" / "config.json"
    write_json(config, {**read_json(config), "training": {}})
    os.utime(config, ns=(0, 0))

    sums_model.rename(tmp_path / "aside")
    (tmp_path / "other").rename(sums_model)

    assert loader.load(str(sums_model)) is not before


def test_devices_precisions_and_threads_do_not_mix(sums_model):
    model = loader.load(str(sums_model), threads=1)

    assert loader.load(str(sums_model), threads=2) is not model
    assert loader.load(str(sums_model), threads=1, device="cpu") is not model
    assert loader.load(str(sums_model), threads=1) is model


def test_the_models_used_longest_ago_make_room(sums_model, monkeypatch):
    size = sum(file.stat().st_size for file in sums_model.iterdir())
    monkeypatch.setattr(loader, "KEPT_BYTES", 2 * size)
    first, second = (loader.load(str(sums_model), threads=number) for number in (1, 2))

    assert loader.load(str(sums_model), threads=1) is first  # now the second was used longest ago
    loader.load(str(sums_model), threads=3)

    assert loader.load(str(sums_model), threads=1) is first
    assert loader.load(str(sums_model), threads=2) is not second


def test_a_model_larger_than_the_budget_is_kept_alone(sums_model, monkeypatch):
    monkeypatch.setattr(loader, "KEPT_BYTES", 1)

    assert loader.load(str(sums_model)) is loader.load(str(sums_model))
    assert len(loader._kept) == 1


def test_a_missing_network_is_named(sums_model):
    (sums_model / "network.onnx").unlink()

    with pytest.raises(KexueError, match=f"no file {sums_model}/network.onnx; see: kexue models verify {sums_model}"):
        loader.load(str(sums_model))


def test_a_damaged_network_is_named(sums_model):
    (sums_model / "network.onnx").write_bytes(b"\x00 onnx")

    with pytest.raises(KexueError, match=rf"cannot read {sums_model}/network.onnx: .*; see: kexue models verify"):
        loader.load(str(sums_model))


def test_one_flipped_bit_is_found_by_verify(sums_model, kexue):
    network = sums_model / "network.onnx"
    data = bytearray(network.read_bytes())
    data[len(data) // 2] ^= 1
    assert kexue("models", "verify", sums_model).returncode == 0

    network.write_bytes(data)
    done = kexue("models", "verify", sums_model)

    assert done.returncode == 1
    assert any("network.onnx" in line and "changed" in line for line in (done.stdout + done.stderr).splitlines())


def test_a_model_of_a_later_format_says_so(sums_model):
    write_json(sums_model / "config.json", {"format": 2, "task": "sums"})

    with pytest.raises(KexueError, match="has format 2; this version of kexue reads format 1"):
        loader.load(str(sums_model))


def test_a_gpu_that_is_not_there_is_refused(sums_model, tmp_path, monkeypatch):
    monkeypatch.setattr(loader, "resolve", lambda name: resolve(name, root=tmp_path))

    assert loader.load(str(sums_model), device="auto").network.device == "cpu"
    with pytest.raises(KexueError, match="no device gpu: 0 GPUs found"):
        loader.load(str(sums_model), device="gpu")


@pytest.mark.parametrize(
    ("precision", "problem"),
    [("float64", "no precision 'float64'; allowed: float32, bfloat16, float16"), ("float16", "needs a GPU")],
)
def test_a_precision_that_cannot_be_is_refused(sums_model, precision, problem):
    with pytest.raises(KexueError, match=problem):
        loader.load(str(sums_model), device="cpu", precision=precision)


def test_on_a_gpu_the_network_is_built_from_its_config_and_weights(sums_model, on_a_gpu, monkeypatch):
    module = types.ModuleType("sums_task.network")
    module.build_networks = lambda config: {"network": ("built", config)}
    monkeypatch.setitem(sys.modules, "sums_task.network", module)
    opened = []

    def open_network(build, weights, where, *, precision, threads):
        opened.append((build(), weights, where.name, precision, threads))
        return doubled

    on_a_gpu(open_network)
    model = loader.load(str(sums_model), device="gpu", precision="bfloat16", threads=1)

    assert opened == [(("built", {"width": 1}), sums_model / "network.weights.h5", "gpu:0", "bfloat16", 1)]
    assert total(model, [1, 2, 3]) == 12


def refuse(error):
    def open_network(*arguments, **options):
        raise error

    return open_network


def test_auto_goes_on_on_the_cpu_with_one_warning_where_the_gpu_cannot_be_used(sums_model, on_a_gpu, caplog):
    on_a_gpu(refuse(DeviceError("tensorflow sees no GPU")))

    with caplog.at_level(logging.WARNING):
        model = loader.load(str(sums_model))

    assert total(model, [1, 2, 3]) == 12
    assert caplog.messages == ["tensorflow sees no GPU; going on on the CPU"]


def test_a_gpu_asked_for_that_cannot_be_used_is_refused(sums_model, on_a_gpu):
    on_a_gpu(refuse(DeviceError("tensorflow sees no GPU")))

    with pytest.raises(KexueError, match="tensorflow sees no GPU"):
        loader.load(str(sums_model), device="gpu")


def test_auto_goes_on_on_the_cpu_with_one_warning_where_the_gpu_has_no_memory(sums_model, on_a_gpu, caplog):
    on_a_gpu(lambda *arguments, **options: Unable(MemoryError()))
    model = loader.load(str(sums_model))

    with caplog.at_level(logging.WARNING):
        answers = [total(model, numbers) for numbers in ([1, 2, 3], [4])]

    assert answers == [12, 8]
    assert caplog.messages == ["gpu:0 is out of memory; going on on the CPU"]


def test_damaged_weights_are_an_error_on_auto_too(sums_model, on_a_gpu):
    on_a_gpu(refuse(KexueError("cannot read network.weights.h5")))

    with pytest.raises(KexueError, match=r"cannot read network.weights.h5"):
        loader.load(str(sums_model))
