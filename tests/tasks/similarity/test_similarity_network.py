"""The encoder of texts: unit vectors, the same from ONNX Runtime as from Keras, whatever the batch and the padding.

Sizes: 4 numbers in a word vector, 8 in a state of a character, 6 in a vector of a text.
"""

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.batching import collate
from kexue_cli.config import from_mapping
from kexue_cli.errors import KexueError
from kexue_cli.runtimes import OnnxRuntime
from kexue_cli.tasks.similarity import dimension_of
from kexue_cli.tasks.similarity.config import NETWORK, VECTOR, NetworkConfig
from kexue_cli.tasks.similarity.network import build, build_networks
from kexue_cli.training.graph import write_graph
from kexue_cli.training.trainer import NetworkRuntime

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = {"vocabulary_size": 20, "word_dimension": 4, "width": 8, "vector": 6, "pairs": 0}
CONFIGS = {
    "convolutions, behind a pretrained encoder": {"encoder_rates": [1, 2], "rates": [1]},
    "characters as they stand beside": {"encoder_rates": [1], "pairs": 16},
    "attention": {"rates": [1], "attention_heads": 2},
    "the article's": {"word_dimension": 0, "recurrent": 6},
    "all at once": {"encoder_rates": [1], "rates": [2], "attention_heads": 2, "recurrent": 5, "pairs": 16},
}
TOLERANCE = 1e-5
LENGTHS = (9, 2, 40, 5, 1)


def config_of(settings):
    return from_mapping(NetworkConfig, {**SMALL, **settings}, "network")


def make_network(settings):
    """The network with random weights, so strong that every part is heard."""
    network = build_networks({**SMALL, **settings})[NETWORK]
    generator = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(generator.normal(0, 0.4, variable.shape))
    return network


def make_texts(settings=None, lengths=LENGTHS, *, seed=1):
    """Texts of random characters, with the vectors of their words if the network reads them."""
    dimension = {**SMALL, **(settings or {})}["word_dimension"]
    generator = np.random.default_rng(seed)
    texts = []
    for length in lengths:
        text = {"text": generator.integers(1, 20, length).astype(np.int32)}
        words = generator.normal(size=(length, 4)).astype(np.float32)
        texts.append({**text, "words": words} if dimension else text)
    return texts


def vectors_of(runtime, texts):
    """The vectors (b, d) of texts in one batch."""
    return runtime(collate(texts))[VECTOR]


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS)
def exported(request, tmp_path_factory):
    """A network with random weights: its settings, as Keras has it, its file."""
    pytest.importorskip("tf2onnx")
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    network = make_network(request.param)
    runtime = NetworkRuntime(network)
    vectors_of(runtime, make_texts(request.param))  # Keras exports only what has been called
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
    settings, _, path = exported

    kinds = list(node_types(onnx.load(path).graph))

    assert kinds.count("GRU") == ("recurrent" in settings)
    assert not set(kinds) & {"Loop", "Scan", "If"}


def test_onnx_runtime_answers_as_keras_does(exported):
    settings, network, path = exported
    runtime, texts = OnnxRuntime(path), make_texts(settings)

    for batch in (texts[:1], texts[-1:], texts[1:3], texts, texts[2:3] * 7):
        expected, found = vectors_of(network, batch), vectors_of(runtime, batch)

        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_vectors_are_as_long_as_told_and_of_length_one(exported):
    settings, network, path = exported

    for runtime in (network, OnnxRuntime(path)):
        vectors = vectors_of(runtime, make_texts(settings))

        assert vectors.shape == (len(LENGTHS), dimension_of(config_of(settings)))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=TOLERANCE)


def test_a_text_has_the_same_vector_alone_and_in_any_padded_batch(exported):
    settings, network, path = exported
    texts = make_texts(settings)

    for runtime in (network, OnnxRuntime(path)):
        together, turned = vectors_of(runtime, texts), vectors_of(runtime, texts[::-1])[::-1]
        for row, text in enumerate(texts):
            np.testing.assert_allclose(together[row], vectors_of(runtime, [text])[0], atol=TOLERANCE)
        np.testing.assert_allclose(together, turned, atol=TOLERANCE)


def test_a_text_without_a_character_has_a_finite_vector(exported):
    settings, network, path = exported

    for runtime in (network, OnnxRuntime(path)):
        found = vectors_of(runtime, make_texts(settings, (0, 3)))

        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[1], vectors_of(runtime, make_texts(settings, (0, 3))[1:])[0], atol=TOLERANCE)


def test_every_character_and_every_word_is_heard(exported):
    settings, network, _ = exported
    [text], [another] = make_texts(settings, [4]), make_texts(settings, [4], seed=2)
    text["text"], another["text"] = np.array([2, 3, 4, 5], "int32"), np.array([6, 7, 8, 9], "int32")
    vector = vectors_of(network, [text])[0]

    for name in text:
        for place in range(4):
            changed = {**text, name: text[name].copy()}
            changed[name][place] = another[name][place]
            assert np.abs(vectors_of(network, [changed])[0] - vector).max() > 1e-4, (name, place)


def test_the_order_of_characters_is_heard(exported):
    settings, network, _ = exported
    [text] = make_texts(settings, [6])
    turned = {name: array[::-1] for name, array in text.items()}

    assert np.abs(np.diff(vectors_of(network, [text, turned]), axis=0)).max() > 1e-3


# ------------------------------------------------------------- trained


@pytest.mark.parametrize("settings", CONFIGS.values(), ids=CONFIGS)
def test_the_trained_network_reads_two_texts_with_one_encoder(settings):
    encoder, trained = make_network(settings), build(config_of(settings), 7)
    trained.get_layer(NETWORK).set_weights(encoder.get_weights())
    ones, others = make_texts(settings), make_texts(settings, LENGTHS[::-1], seed=2)

    sides = [{f"{name}_{side}": array for name, array in collate(texts).items()} for side, texts in
             (("a", ones), ("b", others))]  # fmt: skip
    found = NetworkRuntime(trained)({**sides[0], **sides[1]})

    expected = [vectors_of(NetworkRuntime(encoder), texts) for texts in (ones, others)]
    np.testing.assert_allclose(found["vectors"], np.stack(expected, axis=1), atol=TOLERANCE)
    groups = trained.get_layer("groups").get_weights()[0]
    cosines = found["vectors"] @ (groups / np.linalg.norm(groups, axis=0))
    np.testing.assert_allclose(found["classes"], cosines, atol=TOLERANCE)
    assert found["classes"].shape == (len(LENGTHS), 2, 7)
    assert trained.count_params() == encoder.count_params() + 7 * dimension_of(config_of(settings))


def test_without_classes_there_are_no_vectors_of_groups():
    trained = build(config_of({}), 0)

    assert set(trained.output) == {"vectors"}
    assert trained.count_params() == build_networks(SMALL)[NETWORK].count_params()


def test_the_article_s_network_is_a_matter_of_settings():
    network = build_networks({"vocabulary_size": 1000, "width": 128, "recurrent": 128, "pairs": 0})[NETWORK]

    assert [tensor.name for tensor in network.inputs] == ["text"]
    assert network.output[VECTOR].shape == (None, 128)
    # embeddings, and three gates of the GRU with two biases: nothing else
    assert network.count_params() == 1000 * 128 + 3 * (128 * 128 + 128 * 128 + 2 * 128)


def test_the_encoder_has_the_inputs_that_prediction_gives_it():
    assert {tensor.name for tensor in build_networks(SMALL)[NETWORK].inputs} == {"text", "words"}
    trained = build(config_of({}), 0)
    assert {tensor.name for tensor in trained.inputs} == {"text_a", "text_b", "words_a", "words_b"}


def test_the_cosine_of_two_texts_is_a_weighted_mean_of_meaning_and_characters():
    settings = {"pairs": 16}
    network = make_network(settings)
    vectors = vectors_of(NetworkRuntime(network), make_texts(settings))
    meaning, standing = vectors[:, :6], vectors[:, 6:]

    share = 1 / (1 + np.exp(-network.get_layer("joined").get_weights()[0]))

    np.testing.assert_allclose((meaning**2).sum(-1), np.repeat(1 - share, len(LENGTHS)), atol=TOLERANCE)
    np.testing.assert_allclose((standing**2).sum(-1), np.repeat(share, len(LENGTHS)), atol=TOLERANCE)


@pytest.mark.parametrize("values", [{"widht": 8}, {"width": "8"}, {"rates": [1, "2"]}, {"recurrent": "3"}])
def test_a_setting_that_is_not_known_or_of_another_type_is_refused(values):
    with pytest.raises(KexueError, match="network"):
        build_networks({**SMALL, **values})
