"""The network: the same from ONNX Runtime as from Keras, whatever the batch and the padding."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.batching import collate
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.tasks.qa.config import NetworkConfig
from kexue_cli.tasks.qa.network import build, build_networks
from kexue_cli.training.graph import write_graph
from kexue_cli.training.trainer import NetworkRuntime

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = {"vocabulary_size": 20, "width": 8, "question_rates": (1, 2), "passage_rates": (1, 4)}
CONFIGS = {
    "as it comes": {"word_dimension": 4, "features": 7},
    "bare": {"has_alignment": False},
    "all": {"word_dimension": 4, "features": 3, "has_positions": True, "gate_noise": 0.1, "members": 2, "sources": 2},
}
TOLERANCE = 1e-5  # of probabilities; what training allows is 1e-4


def make_network(settings):
    network = build(NetworkConfig(**{**SMALL, **settings}))
    generator = np.random.default_rng(0)
    for variable in network.weights:
        if "seed" not in variable.path:
            variable.assign(generator.normal(0, 0.05, variable.shape))
    # pointers near 1/2 would be the same wherever they point
    network.get_layer("reader_0_start_pointer").kernel.assign(generator.normal(0, 5, (16, 1)))
    return network


def make_samples(settings, lengths, *, seed=1):
    """Texts of random characters. lengths: of question and passage of each sample."""
    generator = np.random.default_rng(seed)
    samples = []
    for sizes in lengths:
        sample = {}
        for name, size in zip(("question", "passage"), sizes, strict=True):
            sample[name] = generator.integers(1, 20, size).astype(np.int32)
            if settings.get("word_dimension"):
                sample[f"{name}_words"] = generator.normal(size=(size, 4)).astype(np.float32)
        if settings.get("features"):
            sample["features"] = generator.random((sizes[1], settings["features"]), np.float32)
        if settings.get("sources"):
            sample["source"] = np.array(generator.integers(settings["sources"] + 1), np.int32)
        samples.append(sample)
    return samples


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS)
def exported(request, tmp_path_factory):
    """A network with random weights: its settings, as Keras has it, its file."""
    pytest.importorskip("tf2onnx")
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    network = make_network(request.param)
    runtime = NetworkRuntime(network)
    runtime(collate(make_samples(request.param, [(2, 3)])))  # Keras exports only what has been called
    write_graph(network, path)
    return request.param, runtime, path


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


def test_the_exported_graph_has_no_loop_and_no_branch(exported):
    onnx = pytest.importorskip("onnx")
    _, _, path = exported

    kinds = set(node_types(onnx.load(path).graph))

    assert "MatMul" in kinds
    assert not kinds & {"Loop", "Scan", "If"}


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_onnx_runtime_answers_as_keras_does(exported, batch):
    settings, network, path = exported
    runtime = OnnxRuntime(path)

    for lengths in ([(1, 1)] * batch, [(7, 30)] * batch, [(3 + row, 200 - 40 * row) for row in range(batch)]):
        inputs = collate(make_samples(settings, lengths))
        expected, found = network(inputs), runtime(inputs)

        assert found.keys() == {"start", "end"}
        for name, array in found.items():
            assert array.shape == (*inputs["passage"].shape, settings.get("members", 1))
            np.testing.assert_allclose(array, expected[name], atol=TOLERANCE)


def test_a_row_is_the_same_alone_and_in_a_padded_batch(exported):
    settings, network, path = exported
    samples = make_samples(settings, [(4, 9), (1, 40), (12, 2), (0, 5), (3, 0)])

    for runtime in (network, OnnxRuntime(path)):
        batch = runtime(collate(samples))
        for row, sample in enumerate(samples):
            alone = runtime(collate([sample]))
            length = len(sample["passage"])
            for name in ("start", "end"):
                np.testing.assert_allclose(batch[name][row, :length], alone[name][0, :length], atol=TOLERANCE)
                assert not batch[name][row, length:].any()  # no probability at padding


def test_outputs_are_probabilities_that_depend_on_place_question_and_passage(exported):
    settings, network, _ = exported
    [one], [other] = (make_samples(settings, [(5, 30)], seed=seed) for seed in (1, 2))
    question = {name: array for name, array in other.items() if name.startswith("question")}

    first, asked = (network(collate([sample]))["start"] for sample in (one, {**one, **question}))

    assert ((first > 0) & (first < 1)).all()
    assert np.ptp(first) > 1e-3
    assert np.abs(first - asked).max() > 1e-6


@pytest.mark.parametrize(
    ("settings", "inputs"),
    [
        ({}, {"question", "passage"}),
        ({"features": 2}, {"question", "passage", "features"}),
        ({"word_dimension": 4}, {"question", "passage", "question_words", "passage_words"}),
    ],
)
def test_the_inputs_are_those_of_the_samples(settings, inputs):
    network = build(NetworkConfig(**SMALL, **settings))

    assert {tensor.name for tensor in network.inputs} == inputs


def test_noise_of_the_gates_is_for_training_only():
    settings = {"gate_noise": 0.9, "dropout": 0.0}
    network = make_network(settings)
    inputs = collate(make_samples(settings, [(5, 30)]))

    calm, again = (np.asarray(network(inputs)["start"]) for _ in range(2))
    disturbed = np.asarray(network(inputs, training=True)["start"])

    np.testing.assert_array_equal(calm, again)
    assert np.abs(calm - disturbed).max() > 1e-6


def test_members_share_no_weights():
    one, three = (build(NetworkConfig(**SMALL, members=members)) for members in (1, 3))

    assert three.count_params() == 3 * one.count_params()


def test_config_json_makes_the_network():
    network = build_networks({**SMALL, "question_rates": [1, 2], "passage_rates": [1, 4]})["network"]

    assert network.count_params() == build(NetworkConfig(**SMALL)).count_params()


def test_a_source_changes_the_pointers_and_none_is_as_if_there_were_no_sources():
    settings = {"sources": 2}
    network, plain = make_network(settings), build(NetworkConfig(**SMALL))
    others = [variable for variable in network.trainable_variables if "_sources" not in variable.path]
    for variable, value in zip(plain.trainable_variables, others, strict=True):
        variable.assign(value)
    [sample] = make_samples({}, [(5, 30)])

    none, first, second = (
        np.asarray(network(collate([{**sample, "source": np.array(number, np.int32)}]))["start"]) for number in range(3)
    )

    np.testing.assert_array_equal(none, np.asarray(plain(collate([sample]))["start"]))
    assert np.abs(first - none).max() > 1e-5
    assert np.abs(first - second).max() > 1e-5


@pytest.mark.parametrize("values", [{"widht": 8}, {"width": "8"}, {"passage_rates": [1, "2"]}])
def test_a_setting_that_is_not_known_or_of_another_type_is_refused(values):
    with pytest.raises(KexueError, match="network"):
        build_networks({**SMALL, "question_rates": [1], "passage_rates": [1], **values})
