"""A model folder of a stranger runs nothing, reads nothing outside and takes no memory for what it only claims."""

import contextlib
import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from conftest import one_error
from linkers import ENTITIES

from kexue_cli import loader
from kexue_cli.arrays import read_in_place
from kexue_cli.config import read_json, write_json
from kexue_cli.errors import KexueError
from kexue_cli.onnx_file import check_network
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.text.word_vectors import WordVectors
from kexue_cli.zoo import check_files, find_model, write_sums

HUGE = 10**12  # numbers; those of a terabyte or more


@pytest.fixture
def reader(little_reader: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(little_reader, tmp_path / "reader"))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Word vectors of two words."""
    folder = tmp_path / "words"
    folder.mkdir()
    write_json(folder / "config.json", {"format": 1, "task": "words"})
    (folder / "vocabulary.txt").write_text("<unknown>\n北京\n天安门\n", "utf-8")
    np.save(folder / "vectors.npy", np.eye(3, 4, dtype=np.float16))
    return folder


def refused(folder: Path) -> str:
    """Return the one line with which a model is refused."""
    with pytest.raises(KexueError) as error:
        loader.load(str(folder))
    return str(error.value)


# ------------------------------------------------------------- names and links


@pytest.mark.parametrize("name", ["../canary", "/etc/passwd", "a/../../canary", ".."])
def test_sums_that_name_a_file_elsewhere_are_refused(reader, name):
    (reader / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n", "utf-8")

    with pytest.raises(KexueError, match="SHA256SUMS:1: expected a SHA-256 sum, two spaces and a file name"):
        check_files(reader)


@pytest.mark.parametrize("name", ["config.json", "network.onnx", "vocabulary.txt", "README.md"])
def test_a_link_out_of_the_folder_is_refused(reader, tmp_path, name):
    (tmp_path / "secret").write_text("geheim", "utf-8")
    (reader / name).unlink(missing_ok=True)
    (reader / name).symlink_to(tmp_path / "secret")

    assert f"{name}: it is a link out of its folder" in refused(reader)


def test_what_a_link_leads_to_is_not_shown(reader, tmp_path, kexue):
    (tmp_path / "secret").write_text("geheim", "utf-8")
    (reader / "README.md").symlink_to(tmp_path / "secret")

    done = kexue("models", "show", reader)

    assert (done.returncode, done.stdout) == (1, "")
    assert "link out of its folder" in one_error(done)


def test_a_link_within_the_folder_and_one_to_the_folder_are_followed(reader, tmp_path):
    (reader / "config.json").rename(reader / "settings.json")
    (reader / "config.json").symlink_to("settings.json")
    (tmp_path / "link").symlink_to(reader)

    assert loader.load(str(tmp_path / "link"), task="qa")


@pytest.mark.parametrize("name", ["config.json", "network.onnx", "vocabulary.txt"])
def test_a_pipe_is_refused_and_not_waited_for(reader, name):
    (reader / name).unlink()
    os.mkfifo(reader / name)

    assert name in refused(reader)


@pytest.mark.parametrize("name", ["config.json", "network.onnx", "vocabulary.txt"])
def test_a_folder_or_a_device_in_place_of_a_file_is_refused(reader, name):
    (reader / name).unlink()
    (reader / name).mkdir()

    assert refused(reader)
    (reader / name).rmdir()
    (reader / name).symlink_to("/dev/zero")
    assert refused(reader)


# ------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "is not JSON"),
        ('{"a":' * 100_000, "is not JSON"),
        ('{"format": ' + "1" * 5_000 + "}", "is not JSON"),
        ('{"format": 1, "task": "' + "q" * 1_000_000 + '"}', "no task named"),
        ('{"format": 1, "task": "qa", "preprocessor": {"' + "w" * 1_000_000 + '": 1}}', "no setting named"),
        ('{"format": 1, "task": "qa", "preprocessor": "' + "w" * 1_000_000 + '"}', "must be an object"),
        ('{"format": 1, "task": "os"}', "no task named 'os'"),
        ('{"format": 1, "task": "kexue_cli.tasks.qa"}', "no task named"),
        ('{"format": NaN, "task": "qa"}', "has format nan"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "is not JSON"),
    ],
    ids=lambda value: value[:40],
)
def test_settings_of_any_form_are_one_short_line(reader, text, problem):
    (reader / "config.json").write_text(text, "utf-8")

    message = refused(reader)

    assert problem in message
    assert "\n" not in message
    assert len(message) < 2_000


def test_a_hundred_megabytes_of_json_are_not_even_read(reader):
    with (reader / "config.json").open("wb") as file:
        file.truncate(100_000_000)

    assert "more than 16,777,216 bytes" in refused(reader)


def test_an_entry_of_a_vocabulary_as_long_as_a_book_is_told_in_short(reader):
    (reader / "vocabulary.txt").write_text("<padding>\n<unknown>\n" + "字" * 5_000_000, "utf-8")

    message = refused(reader)

    assert "an entry must be one character" in message
    assert len(message) < 500


def test_what_is_told_of_a_file_has_no_control_characters(reader, kexue):
    write_json(reader / "config.json", {"format": "\x1b[2J\u202e\n" + "x" * 1_000_000, "task": "qa"})

    done = kexue("predict", "qa", "-m", reader)

    assert one_error(done).isprintable()
    assert len(done.stderr) < 3_000


# ------------------------------------------------------------- arrays


class Canary:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.path),))


def header(shape: str, descr: str = "'<f2'", order: str = "False") -> bytes:
    """Return the beginning of a .npy file, as NumPy writes it."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("form", ["bare", "array", "npz"])
def test_pickled_objects_in_place_of_vectors_are_never_loaded(words, tmp_path, form):
    canary = tmp_path / "canary"
    if form == "bare":
        (words / "vectors.npy").write_bytes(pickle.dumps(Canary(canary)))
    elif form == "array":
        np.save(words / "vectors.npy", np.array([[Canary(canary)]], object), allow_pickle=True)
    else:
        np.savez(words / "vectors.npz", a=np.array([Canary(canary)], object))
        (words / "vectors.npz").rename(words / "vectors.npy")

    assert "vectors.npy" in refused(words)
    assert not canary.exists()


@pytest.mark.parametrize(
    "content",
    [
        header(f"({HUGE}, 4)"),
        header(f"({2**62}, 4)"),
        header(f"({2**63}, 4)"),
        header(f"(0, {10**30})"),
        header("(-3, -4)") + bytes(24),
        header("(3, 4)", order="True") + bytes(24),
        header("(3, 4)", "'<f8'") + bytes(96),
        header("(3, 4)", "'|O'") + bytes(96),
        header("(3, 4)", "'|V0'"),
        header("(3, 4)", "[('a', '<f2')]") + bytes(24),
        header("(3, 4)", "'<U1000000000'"),
        header("(True, 4)") + bytes(8),
        header("(3, 4)") + bytes(23),
        header("(3, 4)") + bytes(25),
        header("(" * 900),
        header("().__class__"),
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 4_000_000_000),
        b"\x93NUMPY\x01\x00",
        b"PK\x03\x04" + bytes(100),
        b"",
    ],
    ids=lambda content: ascii(content[10:60]),
)
def test_an_array_of_any_form_but_ours_is_refused(words, content):
    (words / "vectors.npy").write_bytes(content)

    message = refused(words)

    assert "vectors.npy" in message
    assert len(message) < 500


def test_an_array_is_read_in_place(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.int32).reshape(2, 3))

    assert read_in_place(tmp_path / "a.npy", np.int32, 2).tolist() == [[0, 1, 2], [3, 4, 5]]
    np.save(tmp_path / "b.npy", np.zeros((0, 3), np.int32))
    assert read_in_place(tmp_path / "b.npy", np.int32, 2).shape == (0, 3)


def test_a_row_that_the_vectors_do_not_have_is_one_error(words):
    with pytest.raises(KexueError, match="has 3 rows; one that is not there is asked"):
        WordVectors.load(words).vectors(np.array([7]))


# ------------------------------------------------------------- networks


@pytest.fixture
def write_network(reader):
    """Write a network of one addition, x + w, with the tensor w, other nodes or more in place of the reader's."""
    pytest.importorskip("onnx")
    from onnx import helper

    def write(tensor=None, nodes=None, functions=()) -> Path:
        graph = helper.make_graph(
            nodes or [helper.make_node("Add", ["x", "w"], ["y"])],
            "addition",
            [helper.make_tensor_value_info("x", 1, [1])],
            [helper.make_tensor_value_info("y", 1, None)],
            [tensor] if tensor is not None else [],
        )
        opsets = [helper.make_opsetid("", 15), helper.make_opsetid("own", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
        (reader / "network.onnx").write_bytes(model.SerializeToString())
        return reader

    return write


def tensor(sizes, raw: bytes = b"", **external: object):
    from onnx import TensorProto

    made = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=sizes)
    if external:
        made.data_location = TensorProto.EXTERNAL
        for key, value in external.items():
            entry = made.external_data.add()
            entry.key, entry.value = key, str(value)
    else:
        made.raw_data = raw
    return made


@pytest.mark.parametrize("place", ["/etc/passwd", "../secret.bin", "own.bin", "link.bin", "\\\\host\\share"])
def test_a_network_with_data_in_another_file_is_refused(write_network, reader, place):
    (reader.parent / "secret.bin").write_bytes(bytes(16))
    (reader / "own.bin").write_bytes(bytes(16))

    message = refused(write_network(tensor([4], location=place, offset=0, length=16)))

    assert message.endswith("the data of its tensor 'w' are said to be in another file; no network of kexue's has that")


@pytest.mark.parametrize("sizes", [[HUGE], [2**32, 2**32], [-1], [2**62] * 8])
def test_a_network_whose_tensor_claims_more_than_the_file_is_refused(write_network, sizes):
    message = refused(write_network(tensor(sizes, bytes(16))))

    assert "claims to have" in message
    assert "more than the file can hold" in message


def test_a_tensor_inside_a_node_is_looked_at_too(write_network):
    from onnx import helper

    constant = helper.make_node("Constant", [], ["w"], value=tensor([4], location="/etc/passwd"))

    assert "said to be in another file" in refused(
        write_network(nodes=[constant, helper.make_node("Add", ["x", "w"], ["y"])])
    )


def test_a_network_with_a_loop_or_functions_is_refused(write_network):
    from onnx import helper

    endless = helper.make_graph([], "body", [], [])
    assert "a graph within its graph" in refused(
        write_network(nodes=[helper.make_node("Loop", ["", ""], ["y"], body=endless)])
    )
    function = helper.make_function("own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                    [helper.make_opsetid("", 15)])  # fmt: skip
    assert "functions of its own" in refused(write_network(functions=[function]))


def test_a_network_that_asks_for_too_much_memory_ends_in_one_line(write_network, kexue):
    from onnx import helper

    size = helper.make_tensor("size", 7, [1], [HUGE])
    nodes = [helper.make_node("ConstantOfShape", ["size"], ["w"]), helper.make_node("Add", ["x", "w"], ["y"])]
    folder = write_network(size, nodes)

    with pytest.raises(MemoryError):
        OnnxRuntime(folder / "network.onnx")({"x": np.zeros(1, np.float32)})
    done = kexue("predict", "qa", "-m", folder, stdin='{"question": "谁？", "passages": ["鲁迅。"]}\n')

    assert done.returncode == 1
    assert one_error(done)


@pytest.mark.parametrize("every", range(8))
def test_a_network_with_any_byte_changed_is_one_error_or_answers(write_network, reader, little_reader, every):
    whole = (little_reader / "network.onnx").read_bytes()
    for place in range(every, len(whole), 24):
        (reader / "network.onnx").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(KexueError):  # and nothing else
            check_network(reader / "network.onnx")


def test_every_changed_byte_of_a_model_is_found_by_its_sums(reader):
    for path in sorted(reader.iterdir()):
        whole = path.read_bytes()
        for place in range(0, len(whole), 1000):
            if path.name == "SHA256SUMS":
                continue
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert check_files(reader)[path.name] == "changed"
        path.write_bytes(whole)


def test_a_network_of_another_model_is_one_error(reader, little_extractor):
    shutil.copyfile(little_extractor / "subjects.onnx", reader / "network.onnx")
    reader_of = loader.load(str(reader))

    with pytest.raises(KexueError, match=r"takes the inputs|the network gives"):
        list(reader_of.predict([{"question": "谁？", "passages": ["鲁迅。"]}]))


# ------------------------------------------------------------- weights


@pytest.fixture
def weights(tmp_path):
    """The file of weights, open to be written."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "network.weights.h5"
    with h5py.File(path, "w") as file:
        yield file, path


def refused_weights(weights) -> str:
    from kexue_cli.weights_file import check_weights

    file, path = weights
    file.close()
    with pytest.raises(KexueError) as error:
        check_weights(path)
    return str(error.value)


def test_plain_weights_are_taken(weights):
    from kexue_cli.weights_file import check_weights

    file, path = weights
    file["layers/dense/vars/0"] = np.ones((3, 4), np.float32)
    file["layers/dense/vars/1"] = np.float32(1)
    file.close()

    check_weights(path)


def test_weights_that_link_elsewhere_are_refused(weights, tmp_path):
    import h5py

    file, _ = weights
    file["a"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/b")

    assert "'/a' is a link" in refused_weights(weights)


def test_weights_that_stand_in_another_file_are_refused(weights):
    file, _ = weights
    file.create_dataset("a", (4,), np.float32, external=[("/etc/passwd", 0, 16)])

    assert "'/a' is not kept as plain numbers in the file" in refused_weights(weights)


def test_weights_that_unpack_into_terabytes_are_refused(weights):
    file, _ = weights
    file.create_dataset("a", (HUGE,), np.float32, chunks=(1 << 20,), compression="gzip")

    assert "'/a' is not kept as plain numbers in the file" in refused_weights(weights)


def test_weights_that_claim_terabytes_are_refused(weights):
    file, _ = weights
    file.create_dataset("a", (HUGE,), np.float32)

    assert "claims 4,000,000,000,000 bytes of numbers" in refused_weights(weights)


def test_weights_that_are_no_numbers_are_refused(weights):
    import h5py

    file, _ = weights
    file.create_dataset("a", (2,), h5py.string_dtype())

    assert "no numbers" in refused_weights(weights)


def test_groups_in_a_ring_are_refused(weights):
    file, _ = weights
    file.create_group("a")["b"] = file["/"]

    assert "in a ring" in refused_weights(weights)


def test_a_keras_archive_in_place_of_weights_is_refused(weights):
    _, path = weights
    refused_path = path.with_name("other.weights.h5")
    refused_path.write_bytes(b"PK\x03\x04" + bytes(100))
    from kexue_cli.weights_file import check_weights

    with pytest.raises(KexueError, match=r"cannot read .*; see: kexue models verify"):
        check_weights(refused_path)


# ------------------------------------------------------------- bases


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kexue_cli.tasks.encoding import EncodingConfig, make_encoder
    from kexue_cli.tasks.linking.entities import read_entity
    from kexue_cli.tasks.linking.knowledge_base import compile_base
    from kexue_cli.text.vocabulary import Vocabulary

    folder = tmp_path_factory.mktemp("base")
    encoder = make_encoder(Vocabulary(""), EncodingConfig(segmentation="entropy-segmentation", words=""))
    compile_base(map(read_entity, ENTITIES), folder, encoder, {})
    return folder


@pytest.fixture
def base(compiled, tmp_path) -> Path:
    return Path(shutil.copytree(compiled, tmp_path / "base"))


def refused_base(folder: Path) -> str:
    from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase

    with pytest.raises(KexueError) as error:
        KnowledgeBase(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["names.marisa", "ids.marisa"])
def test_a_changed_byte_of_a_trie_is_found_before_the_trie_is_opened(base, name):
    whole = (base / name).read_bytes()
    for place in range(0, len(whole), len(whole) // 30):
        (base / name).write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])

        assert f"{name} is not as it was written" in refused_base(base)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("entity", lambda array: array + 1000, "places that are not among the 6 entities"),
        ("entity", lambda array: -1 - array, "places that are not among the 6 entities"),
        ("place", lambda array: array - 1, "places that are not among the 6 entities"),
        ("first", lambda array: array[::-1].copy(), "does not rise from 0"),
        ("begin", lambda array: array[::-1].copy(), "does not rise from 0"),
        ("begin", lambda array: array[:-1], "rows; expected 5"),
        ("count", lambda array: array[:-1], "rows; expected"),
        ("words", lambda array: array[:, :31].copy(), "31 columns; expected 32"),
        ("words", lambda array: array.astype(np.int64), "must hold 2 dimensions of int32"),
        ("is_own", lambda array: array.astype(np.int8), "must hold 1 dimension of bool"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(base, name, change, problem):
    path = base / f"{name}.npy"
    np.save(path, change(np.load(path)))

    assert problem in refused_base(base)


def test_an_index_of_any_form_is_refused(base):
    index = read_json(base / "index.json")
    for changed in (
        7,
        [],
        {**index, "sums": 7},
        {**index, "format": {}},
        {**index, "sums": {"../x": "y"}, "made_from": 1},
    ):
        write_json(base / "index.json", changed)
        (base / "names.marisa").unlink(missing_ok=True)

        assert refused_base(base)


def test_a_pipe_in_a_base_is_refused(base):
    (base / "index.json").unlink()
    os.mkfifo(base / "index.json")

    assert "neither a file nor a folder" in refused_base(base)


# ------------------------------------------------------------- what else may lie there


def test_files_that_other_programs_would_run_are_never_opened(reader, tmp_path):
    canary = tmp_path / "canary"
    for name in ("model.pkl", "model.keras", "conftest.py", "sitecustomize.py", "usercustomize.py", "network.py"):
        (reader / name).write_text(f"import os; os.mkdir({str(canary)!r})", "utf-8")
    write_sums(reader)

    assert find_model(str(reader)) == reader
    [answered] = loader.load(str(reader)).predict([{"question": "谁写的？", "passages": ["鲁迅写的。"]}])

    assert answered["answer"] == "鲁迅"
    assert not canary.exists()


def test_names_of_layers_and_classes_in_the_settings_mean_nothing(reader, tmp_path):
    canary = tmp_path / "canary"
    settings = read_json(reader / "config.json")
    call = {"class_name": "Lambda", "module": "os", "config": {"function": f"os.mkdir({str(canary)!r})"}}
    for place in ("network", "preprocessor", "decoding"):
        changed = json.loads(json.dumps(settings))
        changed[place]["layers"] = [call]
        write_json(reader / "config.json", changed)

        assert "no setting named 'layers'" in refused(reader)
    assert not canary.exists()
