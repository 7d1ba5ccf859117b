"""The two networks: the same from ONNX Runtime as from Keras, whatever the batch and the padding.

Sizes: 4 numbers in a word vector, 8 in a state of a character. Word vectors of 0 are padding.
"""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.batching import collate
from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.tasks.linking.config import (
    CANDIDATE_FEATURES,
    CHOICE,
    CONTEXT_WORDS,
    DICTIONARY_FEATURES,
    ENTITIES,
    ENTITY_WORDS,
    MENTIONS,
    NetworkConfig,
)
from kexue_cli.tasks.linking.network import build, build_networks
from kexue_cli.training.graph import write_graph
from kexue_cli.training.trainer import NetworkRuntime

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = {"vocabulary_size": 20, "word_dimension": 4, "width": 8, "compared": 6}
CONFIGS = {
    "as it comes, behind a pretrained encoder": {"encoder_rates": [1, 2]},
    "recurrent, as in the article": {"recurrent": 3},
}
TOLERANCE = 1e-5  # of probabilities, and of states relative to their size; what training allows is 1e-4
SPANS = ((0, 2), (1, 2), (3, 9), (2, 4), (0, 1))
LENGTHS = (9, 2, 40, 5, 1)  # of the texts with these mentions
COUNTS = (2, 1, 5, 0, 3)  # of candidates of these mentions


def make_trained(settings):
    """The network that is trained."""
    return build(from_mapping(NetworkConfig, {**SMALL, **settings}, "network"))


def make_networks(settings):
    """Networks with random weights, so strong that every part is heard."""
    networks = build_networks({**SMALL, **settings})
    generator = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.trainable_variables:
            variable.assign(generator.normal(0, 0.4, variable.shape))
    return networks


def make_texts(lengths=LENGTHS, *, seed=1):
    """Texts of random characters."""
    generator = np.random.default_rng(seed)
    return [
        {
            "text": generator.integers(1, 20, length).astype(np.int32),
            "boundaries": generator.integers(0, 2, (length, 2)).astype(np.float32),
            "dictionary": generator.random((length, DICTIONARY_FEATURES)).astype(np.float32),
            "words": generator.normal(size=(length, 4)).astype(np.float32),
        }
        for length in lengths
    ]


def make_candidates(counts=COUNTS, *, seed=2):
    """The second network's inputs but the mention; the number of words varies, and one entity has none."""
    generator = np.random.default_rng(seed)
    samples = []
    for number, count in enumerate(counts):
        context = generator.normal(size=(CONTEXT_WORDS, 4)).astype(np.float32)
        descriptions = generator.normal(size=(count, ENTITY_WORDS, 4)).astype(np.float32)
        context[3 + 5 * number :] = 0
        for row, said in enumerate(descriptions):
            said[5 * row :] = 0
        features = generator.random((count, CANDIDATE_FEATURES)).astype(np.float32) + 0.1
        samples.append({"context": context, "descriptions": descriptions, "candidates": features})
    return samples


def alone(runtime, sample):
    """What a network says of one sample in a batch of its own."""
    return {name: array[0] for name, array in runtime(collate([sample])).items()}


def together(runtime, samples):
    """What a network says of samples in one batch."""
    outputs = runtime(collate(samples))
    return [{name: array[row] for name, array in outputs.items()} for row in range(len(samples))]


def asked(networks):
    """Samples of the second network: of each text, encoded by itself, one mention."""
    samples = zip(make_texts(), SPANS, make_candidates(), strict=True)
    return [
        {**rest, "mention": alone(networks[MENTIONS], text)["states"][slice(*span)].mean(axis=0)}
        for text, span, rest in samples
    ]


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS)
def exported(request, tmp_path_factory):
    """Networks with random weights: their settings, as Keras has them, their files, both by name."""
    pytest.importorskip("tf2onnx")
    folder = tmp_path_factory.mktemp("networks")
    networks = make_networks(request.param)
    runtimes = {name: NetworkRuntime(network) for name, network in networks.items()}
    runtimes[ENTITIES](collate(asked(runtimes)))  # Keras exports only what has been called
    for name, network in networks.items():
        write_graph(network, folder / f"{name}.onnx")
    return request.param, runtimes, {name: folder / f"{name}.onnx" for name in networks}


def node_types(graph):
    """The kinds of the nodes of a graph, and of those inside them."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from node_types(attribute.g)


def test_the_exported_graphs_have_no_loop_and_no_branch(exported):
    onnx = pytest.importorskip("onnx")
    settings, _, paths = exported

    mentions, entities = (set(node_types(onnx.load(paths[name]).graph)) for name in (MENTIONS, ENTITIES))

    assert ("LSTM" in mentions) == ("recurrent" in settings)
    assert "MatMul" in entities
    assert not (mentions | entities) & {"Loop", "Scan", "If"}


def test_onnx_runtime_answers_as_keras_does(exported):
    _, networks, paths = exported
    inputs = {MENTIONS: make_texts(), ENTITIES: asked(networks)}

    for name, samples in inputs.items():
        runtime = OnnxRuntime(paths[name])
        for batch in (samples[:1], samples[-1:], samples[1:3], samples, samples[2:3] * 7):
            expected, found = networks[name](collate(batch)), runtime(collate(batch))

            assert found.keys() == expected.keys()
            for key, array in found.items():
                assert array.shape == expected[key].shape
                np.testing.assert_allclose(array, expected[key], TOLERANCE, TOLERANCE, err_msg=f"{name}: {key}")


def test_outputs_have_their_shape(exported):
    _, networks, _ = exported

    mentions = networks[MENTIONS](collate(make_texts()))
    entities = networks[ENTITIES](collate(asked(networks)))

    assert {name: array.shape for name, array in mentions.items()} == {MENTIONS: (5, 40, 2), "states": (5, 40, 8)}
    assert {name: array.shape for name, array in entities.items()} == {CHOICE: (5, 1 + max(COUNTS))}


def test_a_text_has_the_same_mentions_alone_and_in_a_padded_batch(exported):
    _, networks, paths = exported
    texts = make_texts((*LENGTHS, 0))

    for runtime in (networks[MENTIONS], OnnxRuntime(paths[MENTIONS])):
        for sample, found in zip(texts, together(runtime, texts), strict=True):
            length = len(sample["text"])
            for key, array in alone(runtime, sample).items():
                np.testing.assert_allclose(found[key][:length], array[:length], TOLERANCE, TOLERANCE, err_msg=key)
            assert not found[MENTIONS][length:].any()  # no probability at padding


def test_a_mention_has_the_same_choice_alone_and_in_a_padded_batch(exported):
    _, networks, paths = exported

    for runtime in (networks[ENTITIES], OnnxRuntime(paths[ENTITIES])):
        samples = asked(networks)
        for sample, found, count in zip(samples, together(runtime, samples), COUNTS, strict=True):
            choice = found[CHOICE]
            np.testing.assert_allclose(choice[: count + 1], alone(runtime, sample)[CHOICE][: count + 1], atol=TOLERANCE)
            np.testing.assert_allclose(choice.sum(), 1, atol=TOLERANCE)
            assert not choice[count + 1 :].any()


def test_no_candidates_leave_none_of_them(exported):
    _, networks, _ = exported

    choices = [found[CHOICE] for found in together(networks[ENTITIES], asked(networks))]

    assert [bool(choice[0] > 1 - TOLERANCE) for choice in choices] == [count == 0 for count in COUNTS]


def test_the_order_of_candidates_does_not_change_their_probabilities(exported):
    _, networks, _ = exported
    sample = asked(networks)[2]
    turned = {**sample, **{name: sample[name][::-1] for name in ("descriptions", "candidates")}}

    one, other = (alone(networks[ENTITIES], each)[CHOICE] for each in (sample, turned))

    np.testing.assert_allclose(one[0], other[0], atol=TOLERANCE)
    np.testing.assert_allclose(one[1:], other[:0:-1], atol=TOLERANCE)
    assert np.ptp(one[1:]) > 1e-3


def test_the_order_of_words_does_not_change_a_choice(exported):
    _, networks, _ = exported
    sample = asked(networks)[0]

    one = alone(networks[ENTITIES], sample)[CHOICE]
    for name, axis in (("context", 0), ("descriptions", 1)):
        other = alone(networks[ENTITIES], {**sample, name: np.flip(sample[name], axis)})[CHOICE]
        np.testing.assert_allclose(one, other, atol=TOLERANCE, err_msg=name)


def test_the_trained_network_says_what_both_say(exported):
    settings, networks, _ = exported
    trained = make_trained(settings)
    for name, runtime in networks.items():
        trained.get_layer(name).set_weights(runtime.network.get_weights())
    texts, candidates = make_texts(), make_candidates()
    spans = [np.zeros(length, np.float32) for length in LENGTHS]
    for span, (start, end) in zip(spans, SPANS, strict=True):
        span[start:end] = 1 / (end - start)

    samples = zip(texts, candidates, spans, strict=True)
    found = NetworkRuntime(trained)(collate([{**text, **rest, "span": span} for text, rest, span in samples]))

    assert found.keys() == {MENTIONS, CHOICE}
    expected = {MENTIONS: together(networks[MENTIONS], texts), CHOICE: together(networks[ENTITIES], asked(networks))}
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], [row[name] for row in rows], atol=TOLERANCE)


def test_outputs_are_probabilities_that_depend_on_all_of_the_input(exported):
    _, networks, _ = exported
    for name, (sample, another), output in (
        (MENTIONS, (make_texts([30])[0], make_texts([30], seed=3)[0]), MENTIONS),
        (ENTITIES, (asked(networks)[2], {**make_candidates(seed=4)[2], "mention": np.ones(8, np.float32)}), CHOICE),
    ):
        found = alone(networks[name], sample)[output]
        assert ((found > 0) & (found < 1)).all()
        assert np.ptp(found, axis=0).min() > 1e-4
        for key in sample:
            changed = alone(networks[name], {**sample, key: another[key]})[output]
            assert np.abs(changed - found).max() > 1e-4, key


@pytest.mark.parametrize("settings", CONFIGS.values(), ids=CONFIGS)
def test_the_trained_network_is_both_networks_and_no_more(settings):
    networks = build_networks({**SMALL, **settings})
    trained = make_trained(settings)

    assert networks.keys() == {MENTIONS, ENTITIES}
    assert trained.count_params() == sum(network.count_params() for network in networks.values())
    text, rest = make_texts([1])[0].keys(), make_candidates([1])[0].keys()
    assert {tensor.name for tensor in networks[MENTIONS].inputs} == text
    assert {tensor.name for tensor in networks[ENTITIES].inputs} == rest | {"mention"}
    assert {tensor.name for tensor in trained.inputs} == text | rest | {"span"}


@pytest.mark.parametrize("values", [{"widht": 8}, {"width": "8"}, {"rates": [1, "2"]}, {"recurrent": "3"}])
def test_a_setting_that_is_not_known_or_of_another_type_is_refused(values):
    with pytest.raises(KexueError, match="network"):
        build_networks({**SMALL, **values})


def test_new_networks_find_next_to_nothing():
    network = NetworkRuntime(build_networks(SMALL)[MENTIONS])

    starts, ends = alone(network, make_texts([30])[0])[MENTIONS].T

    assert np.median(starts) * np.median(ends) < 0.1


def test_new_networks_lean_to_the_prior():
    network = NetworkRuntime(build_networks(SMALL)[ENTITIES])
    sample = {**make_candidates([2])[0], "mention": np.zeros(8, np.float32)}

    choices = []
    for priors in ((-0.1, -4.0), (-4.0, -0.1)):  # logarithms of their shares
        sample["candidates"][:, 0] = priors
        choices.append(alone(network, sample)[CHOICE])

    assert choices[0][1] > choices[1][1]
    assert choices[0][2] < choices[1][2]
