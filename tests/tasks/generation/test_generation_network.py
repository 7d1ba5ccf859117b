"""The networks that write: the same from ONNX Runtime as from Keras, whatever was seen before and is beside.

Sizes: 20 characters, 8 numbers in the vector of one, 2 layers of 2 heads of 4 numbers, 6 numbers of the condition.
"""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.batching import collate
from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.tasks.generation.config import CONDITION, DECODER, NetworkConfig, past_names
from kexue_cli.tasks.generation.network import build, build_networks
from kexue_cli.training.graph import write_graph
from kexue_cli.training.trainer import NetworkRuntime

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = {"vocabulary_size": 20, "values": [3, 4], "width": 8, "depth": 2, "heads": 2, "condition": 6, "longest": 12,
         "runs": [], "buckets": 16, "run_size": 3, "dropout": 0.0}  # fmt: skip
CONFIGS = {
    "the article's": {},
    "runs of characters, a projected condition": {"runs": [2, 3], "hidden": 4},
    "the condition in the first character, learned places": {"is_conditional": False, "is_rotary": False},
}
ALL_KINDS = {"numbers": 2, "vector_size": 3, "has_text": True}  # beside the categories
TOLERANCE = 1e-5
BEGIN = 18  # the last but one of 20


def make_networks(settings):
    """The networks with random weights, so strong that every part is heard."""
    networks = build_networks({**SMALL, **settings})
    generator = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.trainable_variables:
            variable.assign(generator.normal(0, 0.4, variable.shape))
    return networks


def make_inputs(settings, rows, length, *, seed=1):
    """Texts of random characters behind the mark of their beginning, nothing before them, under random conditions."""
    generator = np.random.default_rng(seed)
    runs = settings.get("runs", [])
    ids = generator.integers(2, 18, (rows, length)).astype(np.int32)
    ids[:, 0] = BEGIN
    inputs = {
        "ids": ids,
        CONDITION: generator.normal(size=(rows, 6)).astype(np.float32),
        "parents": np.arange(rows, dtype=np.int32),
        **dict.fromkeys(past_names(2), np.zeros((rows, 2, 0, 4), np.float32)),
    }
    if runs:
        inputs["runs"] = generator.integers(0, 16, (rows, length, len(runs))).astype(np.int32)
    return inputs


def part(inputs, places, parents=None, past=None):
    """The inputs of some places, behind the outputs of those before them."""
    parents = np.arange(len(inputs["ids"])) if parents is None else np.array(parents)
    some = {name: array[:, places] if name in ("ids", "runs") else array for name, array in inputs.items()}
    before = {name: past[name.removeprefix("past_")] for name in past_names(2)} if past else {}
    return {**some, "parents": parents.astype(np.int32), **before}


def logits_of(runtime, inputs):
    return runtime(inputs)["characters"]


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS)
def exported(request, tmp_path_factory):
    """A decoder with random weights: its settings, as Keras has it, its file."""
    pytest.importorskip("tf2onnx")
    path = tmp_path_factory.mktemp("network") / "decoder.onnx"
    network = make_networks(request.param)[DECODER]
    runtime = NetworkRuntime(network)
    runtime(make_inputs(request.param, 2, 3))  # Keras exports only what has been called
    write_graph(network, path)
    return request.param, runtime, path


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


# ------------------------------------------------------------- the decoder


def test_the_exported_graph_has_no_loop_and_no_branch(exported):
    onnx = pytest.importorskip("onnx")

    kinds = set(node_types(onnx.load(exported[2]).graph))

    assert not kinds & {"Loop", "Scan", "If"}


def test_the_vectors_of_characters_are_stored_once(exported):
    onnx = pytest.importorskip("onnx")

    shapes = [tuple(sorted(tensor.dims)) for tensor in onnx.load(exported[2]).graph.initializer]

    assert shapes.count((8, 20)) == 1


@pytest.mark.parametrize(("rows", "length"), [(1, 1), (1, 9), (3, 1), (4, 12)])
def test_onnx_runtime_answers_as_keras_does(exported, rows, length):
    settings, network, path = exported
    inputs = make_inputs(settings, rows, length)

    expected, found = network(inputs), OnnxRuntime(path)(inputs)

    assert expected.keys() == found.keys() == {"characters", "key_0", "value_0", "key_1", "value_1"}
    for name, array in expected.items():
        assert found[name].shape == array.shape
        np.testing.assert_allclose(found[name], array, atol=TOLERANCE)
    assert found["characters"].shape == (rows, length, 20)
    assert found["key_0"].shape == (rows, 2, length, 4)


def test_in_steps_the_answers_are_those_of_the_whole(exported):
    settings, network, path = exported
    inputs = make_inputs(settings, 3, 12)
    whole = logits_of(network, inputs)

    for runtime in (network, OnnxRuntime(path)):
        first = runtime(part(inputs, slice(0, 5)))
        second = runtime(part(inputs, slice(5, 6), past=first))
        third = runtime(part(inputs, slice(6, 12), past=second))

        steps = [logits["characters"] for logits in (first, second, third)]
        np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, atol=TOLERANCE)


def test_rows_go_on_from_their_parents(exported):
    settings, network, path = exported
    inputs = make_inputs(settings, 3, 6)
    expected = logits_of(network, inputs)[:, 5]

    for runtime in (network, OnnxRuntime(path)):
        before = runtime(part(inputs, slice(0, 5)))
        chosen = [2, 0, 2, 1, 1]
        turned = {name: array[chosen] for name, array in inputs.items()}
        after = runtime(part(turned, slice(5, 6), chosen, before))

        np.testing.assert_allclose(after["characters"][:, 0], expected[chosen], atol=TOLERANCE)


def test_a_character_is_told_by_those_before_it_only(exported):
    settings, network, _ = exported
    inputs = make_inputs(settings, 1, 8)
    before = logits_of(network, inputs)

    for place in range(1, 8):
        changed = {**inputs, "ids": inputs["ids"].copy()}
        changed["ids"][0, place] = 2 + (inputs["ids"][0, place] - 1) % 16
        after = logits_of(network, changed)
        np.testing.assert_allclose(after[:, :place], before[:, :place], atol=TOLERANCE)
        assert np.abs(after[:, place:] - before[:, place:]).max(axis=-1).min() > 1e-4, place


def test_the_order_of_characters_is_heard(exported):
    settings, network, _ = exported
    inputs = make_inputs(settings, 1, 6)
    turned = {**inputs, "ids": inputs["ids"][:, [0, 2, 1, 4, 3, 5]]}

    assert np.abs(logits_of(network, inputs) - logits_of(network, turned))[0, -1].max() > 1e-3


def test_the_condition_is_heard_at_every_place(exported):
    settings, network, _ = exported
    inputs, other = make_inputs(settings, 1, 6), make_inputs(settings, 1, 6, seed=2)

    found = [logits_of(network, {**inputs, CONDITION: each[CONDITION]}) for each in (inputs, other)]

    assert np.abs(found[0] - found[1]).max(axis=-1).min() > 1e-3


def test_rows_do_not_know_of_one_another(exported):
    settings, network, path = exported
    inputs = make_inputs(settings, 4, 7)

    for runtime in (network, OnnxRuntime(path)):
        together = logits_of(runtime, inputs)
        for row in range(4):
            alone = {name: array[row : row + 1] for name, array in inputs.items()} | {"parents": np.zeros(1, np.int32)}
            np.testing.assert_allclose(logits_of(runtime, alone)[0], together[row], atol=TOLERANCE)


def test_the_condition_in_the_first_character_is_seen_there_and_kept():
    settings = {"is_conditional": False}
    network = NetworkRuntime(make_networks(settings)[DECODER])
    inputs, other = make_inputs(settings, 1, 6), make_inputs(settings, 1, 6, seed=2)

    first = network(part(inputs, slice(0, 1)))
    rest = part(inputs, slice(1, 6), past=first)

    found = [logits_of(network, {**rest, CONDITION: each[CONDITION]}) for each in (inputs, other)]
    np.testing.assert_array_equal(*found)  # it is in what is kept already


def test_before_the_first_step_the_condition_changes_nothing():
    # its projections begin as zero, so that the network is a plain language model: https://kexue.fm/archives/7124
    network = NetworkRuntime(build_networks(SMALL)[DECODER])
    inputs, other = make_inputs({}, 2, 6), make_inputs({}, 2, 6, seed=2)

    found = [logits_of(network, {**inputs, CONDITION: each[CONDITION]}) for each in (inputs, other)]

    np.testing.assert_array_equal(*found)


def test_every_normalization_has_a_scale_and_a_shift_of_the_condition():
    decoder = build_networks(SMALL)[DECODER]

    projections = [variable.path for variable in decoder.trainable_variables if variable.shape == (6, 8)]

    # of the embedding, of both parts of two layers, and of what is behind them
    assert len(projections) == 2 * (1 + 2 * 2 + 1)


def test_the_weights_of_a_decoder_by_hand():
    values = {**SMALL, "is_conditional": False}

    count = build_networks(values)[DECODER].count_params()

    of_layer = 4 * (8 * 8 + 8) + (8 * 32 + 32) + (32 * 8 + 8)  # query, key, value, output; there and back
    normalizations = 6 * 2 * 8
    assert count == 20 * 8 + 20 + 2 * of_layer + normalizations + (6 * 8 + 8)  # characters are stored once


# ------------------------------------------------------------- the condition


def conditions():
    """Everything told, but with another text; then nothing."""
    told = {
        "categories": np.array([1, 5], np.int32),
        "numbers": np.array([0.5, -1, 1, 1], np.float32),
        "vector": np.array([1, 0, -1, 1], np.float32),
        "source": np.array([4, 5, 6], np.int32),
    }
    longer = {**told, "source": np.array([4, 5, 6, 7, 8, 9, 10], np.int32)}
    nothing = {"categories": np.array([0, 3], np.int32), "source": np.zeros(0, np.int32)}
    return [told, longer, {name: nothing.get(name, np.zeros(4, np.float32)) for name in told}]


@pytest.fixture(scope="module")
def condition(tmp_path_factory):
    """The condition of all kinds at once: as Keras has it, and its file."""
    pytest.importorskip("tf2onnx")
    path = tmp_path_factory.mktemp("network") / "condition.onnx"
    network = make_networks(ALL_KINDS)[CONDITION]
    runtime = NetworkRuntime(network)
    runtime(collate(conditions()))
    write_graph(network, path)
    return runtime, OnnxRuntime(path)


def test_conditions_of_all_kinds_are_finite_and_the_same_from_onnx_runtime(condition):
    _, runtime = condition

    expected, found = (each(collate(conditions()))[CONDITION] for each in condition)

    assert expected.shape == (3, 6)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    for row, sample in enumerate(conditions()):
        np.testing.assert_allclose(runtime(collate([sample]))[CONDITION][0], expected[row], atol=TOLERANCE)


def test_every_part_of_a_condition_is_heard(condition):
    network, _ = condition
    told, _, nothing = conditions()
    expected = network(collate([told]))[CONDITION]

    for name in told:
        found = network(collate([{**told, name: nothing[name]}]))[CONDITION]
        assert np.abs(found - expected).max() > 1e-3, name


@pytest.mark.parametrize(("kind", "shape"), [({"numbers": 2}, (4,)), ({"vector_size": 3}, (4,))], ids=str)
def test_numbers_and_vectors_that_are_not_told_add_nothing(kind, shape):
    network = NetworkRuntime(make_networks({"values": [], **kind})[CONDITION])
    [name] = [tensor.name for tensor in network.network.inputs]

    found = network({name: np.zeros((1, *shape), np.float32)})[CONDITION]

    np.testing.assert_array_equal(found, np.zeros((1, 6)))


@pytest.mark.parametrize("kind", [{"values": [3]}, {"numbers": 1}, {"vector_size": 3}, {"has_text": True}], ids=str)
def test_each_kind_of_condition_is_enough(kind):
    networks = build_networks({**SMALL, "values": [], **kind})

    assert len(networks[CONDITION].inputs) == 1
    assert networks[CONDITION].output[CONDITION].shape == (None, 6)


# ------------------------------------------------------------- trained


@pytest.mark.parametrize("settings", [CONFIGS["runs of characters, a projected condition"]], ids=["all kinds"])
def test_the_trained_network_is_both_one_behind_the_other(settings):
    settings = {**settings, **ALL_KINDS}
    networks = make_networks(settings)
    trained = build(from_mapping(NetworkConfig, {**SMALL, **settings}, "network"))
    for name, network in networks.items():
        trained.get_layer(name).set_weights(network.get_weights())
    inputs, told = make_inputs(settings, 3, 6), collate(conditions())

    found = NetworkRuntime(trained)({**told, "ids": inputs["ids"], "runs": inputs["runs"]})["characters"]

    vectors = NetworkRuntime(networks[CONDITION])(told)[CONDITION]
    expected = logits_of(NetworkRuntime(networks[DECODER]), {**inputs, CONDITION: vectors})
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.parametrize("values", [{"widht": 8}, {"width": "8"}, {"values": [1, "2"]}, {"is_rotary": 1}])
def test_a_setting_that_is_not_known_or_of_another_type_is_refused(values):
    with pytest.raises(KexueError, match="network"):
        build_networks({**SMALL, **values})
