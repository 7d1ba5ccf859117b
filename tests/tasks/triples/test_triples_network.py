"""The two networks: the same from ONNX Runtime as from Keras, whatever the batch and the padding."""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.batching import collate
from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.tasks.triples import object_sample
from kexue_cli.tasks.triples.config import OBJECTS, SUBJECTS, NetworkConfig
from kexue_cli.tasks.triples.decoding import Name
from kexue_cli.tasks.triples.network import build, build_networks
from kexue_cli.training.graph import write_graph
from kexue_cli.training.trainer import NetworkRuntime

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = {"vocabulary_size": 20, "predicates": 3, "width": 8}
SEED = {"rates": [1, 2, 5, 1, 2, 5, 1, 2, 5, 1, 1, 1], "has_gates": True, "has_recurrent_subject": True,
        "word_dimension": 4, "attention_heads": 2, "head_size": 4, "positions": 24, "distances": 6}  # fmt: skip
CHEAP = {"attention_heads": 0, "has_gates": False, "has_recurrent_subject": False, "positions": 0, "distances": 6,
         "rates": [1, 2]}  # fmt: skip
CONFIGS = {
    "as it comes, with all that the seed has": SEED,
    "cheap, two of them": {**CHEAP, "encoder_rates": [1], "members": 2},
    "cheap, with gates and convolutions behind the subject": {**CHEAP, "has_gates": True, "object_rates": [1, 2]},
}
TOLERANCE = 1e-5  # of probabilities; what training allows is 1e-4
NAMES = (Name(0, 2, 0.9), Name(1, 2, 0.8), Name(3, 9, 0.7), Name(2, 4, 0.6), Name(0, 1, 0.5))
LENGTHS = (9, 2, 40, 5, 1)  # of the texts with these names


def make_trained(settings):
    """The network that is trained."""
    return build(from_mapping(NetworkConfig, {**SMALL, **settings}, "network"))


def make_networks(settings):
    """Networks with random weights, so strong that every part is heard."""
    networks = build_networks({**SMALL, **settings})
    generator = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.trainable_variables:
            scale = 0.5 if "pointer" in variable.path or "table" in variable.path else 0.2
            variable.assign(generator.normal(0, scale, variable.shape))
    return networks


def make_texts(settings, lengths, *, seed=1):
    """Texts of random characters."""
    generator = np.random.default_rng(seed)
    samples = []
    for length in lengths:
        sample = {"text": generator.integers(1, 20, length).astype(np.int32)}
        sample["boundaries"] = generator.integers(0, 2, (length, 2)).astype(np.float32)
        if settings.get("word_dimension"):
            sample["words"] = generator.normal(size=(length, 4)).astype(np.float32)
        samples.append(sample)
    return samples


def alone(runtime, sample):
    """What a network says of one sample in a batch of its own."""
    return {name: array[0] for name, array in runtime(collate([sample])).items()}


def together(runtime, samples):
    """What a network says of samples in one batch."""
    outputs = runtime(collate(samples))
    return [{name: array[row] for name, array in outputs.items()} for row in range(len(samples))]


def asked(runtimes, settings, lengths=LENGTHS):
    """Samples of the second network: each text's, encoded by itself, with one of NAMES."""
    texts = make_texts(settings, lengths)
    return [object_sample(alone(runtimes[SUBJECTS], text), name) for text, name in zip(texts, NAMES, strict=False)]


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS)
def exported(request, tmp_path_factory):
    """Networks with random weights: their settings, as Keras has them, their files, both by name."""
    pytest.importorskip("tf2onnx")
    folder = tmp_path_factory.mktemp("networks")
    networks = make_networks(request.param)
    runtimes = {name: NetworkRuntime(network) for name, network in networks.items()}
    asked(runtimes, request.param)  # Keras exports only what has been called
    runtimes[OBJECTS](collate(asked(runtimes, request.param)))
    for name, network in networks.items():
        write_graph(network, folder / f"{name}.onnx")
    return request.param, runtimes, {name: folder / f"{name}.onnx" for name in networks}


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


@pytest.mark.parametrize("name", [SUBJECTS, OBJECTS])
def test_the_exported_graph_has_no_loop_and_no_branch(exported, name):
    onnx = pytest.importorskip("onnx")
    _, _, paths = exported

    kinds = set(node_types(onnx.load(paths[name]).graph))

    assert "MatMul" in kinds
    assert not kinds & {"Loop", "Scan", "If"}


def test_onnx_runtime_answers_as_keras_does(exported):
    settings, networks, paths = exported
    texts = make_texts(settings, LENGTHS)
    inputs = {SUBJECTS: texts, OBJECTS: asked(networks, settings)}

    for name, samples in inputs.items():
        runtime = OnnxRuntime(paths[name])
        for batch in (samples[:1], samples[-1:], samples[1:3], samples, samples[2:3] * 7):
            expected, found = networks[name](collate(batch)), runtime(collate(batch))

            assert found.keys() == expected.keys()
            for key, array in found.items():
                assert array.shape == expected[key].shape
                np.testing.assert_allclose(array, expected[key], atol=TOLERANCE, err_msg=f"{name}: {key}")


def test_pointers_have_their_shape(exported):
    settings, networks, _ = exported
    size, members = max(LENGTHS), settings.get("members", 1)

    subjects = networks[SUBJECTS](collate(make_texts(settings, LENGTHS)))
    objects = networks[OBJECTS](collate(asked(networks, settings)))

    assert subjects[SUBJECTS].shape == (5, size, 2 * members)
    assert {name: array.shape for name, array in objects.items()} == {OBJECTS: (5, size, 6 * members)}


def test_a_text_has_the_same_subjects_alone_and_in_a_padded_batch(exported):
    settings, networks, paths = exported
    texts = make_texts(settings, (*LENGTHS, 0))

    for runtime in (networks[SUBJECTS], OnnxRuntime(paths[SUBJECTS])):
        for sample, found in zip(texts, together(runtime, texts), strict=True):
            length = len(sample["text"])
            for key, array in alone(runtime, sample).items():
                same = found[key][:length] if key != "presence" else found[key]
                np.testing.assert_allclose(same, array[: len(same)], atol=TOLERANCE, err_msg=key)
            assert not found[SUBJECTS][length:].any()  # no probability at padding


def test_a_subject_has_the_same_objects_alone_and_in_a_padded_batch(exported):
    settings, networks, paths = exported

    for runtime in (networks[OBJECTS], OnnxRuntime(paths[OBJECTS])):
        samples = asked(networks, settings)
        for sample, found, length in zip(samples, together(runtime, samples), LENGTHS, strict=True):
            np.testing.assert_allclose(found[OBJECTS][:length], alone(runtime, sample)[OBJECTS], atol=TOLERANCE)
            assert not found[OBJECTS][length:].any()


def test_a_subject_has_the_same_objects_whether_its_text_was_encoded_alone_or_in_a_padded_batch(exported):
    settings, networks, _ = exported
    texts = make_texts(settings, LENGTHS)

    for text, encoded, name, length in zip(texts, together(networks[SUBJECTS], texts), NAMES, LENGTHS, strict=True):
        one, other = (
            alone(networks[OBJECTS], object_sample(states, name))[OBJECTS][:length]
            for states in (alone(networks[SUBJECTS], text), encoded)
        )
        np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_the_trained_network_says_what_both_say(exported):
    settings, networks, _ = exported
    trained = make_trained(settings)
    for name, runtime in networks.items():
        trained.get_layer(name).set_weights(runtime.network.get_weights())
    texts = make_texts(settings, LENGTHS)
    spans = [sample["span"] for sample in asked(networks, settings)]

    inputs = collate([{**text, "span": span} for text, span in zip(texts, spans, strict=True)])
    found = NetworkRuntime(trained)(inputs)

    encoded = together(networks[SUBJECTS], texts)
    objects = together(networks[OBJECTS], [object_sample(*pair) for pair in zip(encoded, NAMES, strict=True)])
    assert found.keys() == {SUBJECTS, OBJECTS}
    for name, rows in ((SUBJECTS, encoded), (OBJECTS, objects)):
        np.testing.assert_allclose(found[name], [row[name] for row in rows], atol=TOLERANCE)


def test_outputs_are_probabilities_that_depend_on_all_of_the_input(exported):
    settings, networks, _ = exported
    [text] = make_texts(settings, [30])
    [another] = make_texts(settings, [30], seed=2)
    found = alone(networks[SUBJECTS], text)
    subjects = found[SUBJECTS]
    objects, of_another_end, of_another_start = (
        alone(networks[OBJECTS], object_sample(found, Name(*span, 1.0)))[OBJECTS] for span in ((3, 6), (3, 11), (2, 6))
    )

    assert ((subjects > 0) & (subjects < 1)).all()
    assert ((objects > 0) & (objects < 1)).all()
    assert np.ptp(subjects, axis=0).min() > 1e-4
    assert np.ptp(objects, axis=0).min() > 1e-4
    for name in text:
        changed = alone(networks[SUBJECTS], {**text, name: another[name]})[SUBJECTS]
        assert np.abs(changed - subjects).max() > 1e-4, name
    assert np.abs(of_another_end - objects).max() > 1e-4
    assert np.abs(of_another_start - objects).max() > 1e-4


@pytest.mark.parametrize("settings", CONFIGS.values(), ids=CONFIGS)
def test_the_trained_network_is_both_networks_and_no_more(settings):
    networks = build_networks({**SMALL, **settings})

    assert networks.keys() == {SUBJECTS, OBJECTS}
    trained = make_trained(settings)
    assert trained.count_params() == sum(network.count_params() for network in networks.values())


@pytest.mark.parametrize("settings", CONFIGS.values(), ids=CONFIGS)
def test_the_inputs_are_those_of_the_samples(settings):
    networks = build_networks({**SMALL, **settings})
    trained = make_trained(settings)
    text = make_texts(settings, [1])[0].keys()

    assert {tensor.name for tensor in networks[SUBJECTS].inputs} == text
    assert {tensor.name for tensor in networks[OBJECTS].inputs} == networks[SUBJECTS].output.keys() - {SUBJECTS} | {
        "span"
    }
    assert {tensor.name for tensor in trained.inputs} == text | {"span"}


@pytest.mark.parametrize("values", [{"widht": 8}, {"width": "8"}, {"rates": [1, "2"]}, {"has_gates": 3}])
def test_a_setting_that_is_not_known_or_of_another_type_is_refused(values):
    with pytest.raises(KexueError, match="network"):
        build_networks({**SMALL, **values})


def test_new_networks_find_next_to_nothing():
    [text] = make_texts({}, [30])
    networks = {name: NetworkRuntime(network) for name, network in build_networks({**SMALL, **CHEAP}).items()}

    found = alone(networks[SUBJECTS], text)

    assert found[SUBJECTS].max() < 0.1
    assert alone(networks[OBJECTS], object_sample(found, Name(0, 2, 1.0)))[OBJECTS].max() < 0.1
