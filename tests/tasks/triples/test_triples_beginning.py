"""An extractor begins from another: which weights it takes over, and what must be the same."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

pytest.importorskip("keras")

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import VOCABULARY, digests
from kexue_cli.tasks.triples import SCHEMA, beginning
from kexue_cli.tasks.triples.config import NetworkConfig, PreprocessorConfig, TriplesConfig
from kexue_cli.tasks.triples.network import build, build_networks
from kexue_cli.tasks.triples.schema import Schema
from kexue_cli.text.vocabulary import Vocabulary

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

SMALL = NetworkConfig(vocabulary_size=5, predicates=2, width=8, rates=(1, 2), has_gates=True, dropout=0.3)
WORDLESS = TriplesConfig(preprocessor=PreprocessorConfig(words=""))
BOOKS, SHARES = Schema({"作者": (), "出版社": ()}), Schema({"持股": (), "收购": ()})
OF_PREDICATES = {"presence_pointer", "start_pointer", "end_pointer"}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The folder of an extractor with random weights, and these by network and place."""
    folder = tmp_path_factory.mktemp("first") / "extractor"
    folder.mkdir()
    preprocessor = replace(WORDLESS.preprocessor, digests=digests(WORDLESS.preprocessor))
    config = asdict(TriplesConfig(network=SMALL, preprocessor=preprocessor))
    write_json(folder / "config.json", {"format": FORMAT, "task": "triples", **config})
    Vocabulary(list("鲁迅呐")).write(folder / VOCABULARY)
    BOOKS.write(folder / SCHEMA)
    networks = build_networks(json.loads(json.dumps(asdict(SMALL))))
    generator = np.random.default_rng(0)
    for name, network in networks.items():
        for variable in network.weights:
            variable.assign(generator.normal(size=variable.shape))
        network.save_weights(folder / f"{name}.weights.h5")
    return folder, weights_of(networks)


def weights_of(networks):
    return {
        (name, place): (variable.path.split("/")[0], np.array(variable))
        for name, network in networks.items()
        for place, variable in enumerate(network.weights)
    }


@pytest.mark.parametrize(("schema", "left_out"), [(BOOKS, set()), (SHARES, OF_PREDICATES)])
def test_all_weights_are_taken_over_but_those_of_other_predicates(first, schema, left_out):
    folder, theirs = first
    then = build(SMALL)

    beginning.load(str(folder), WORDLESS, schema).copy_to(then)

    ours = weights_of({name: then.get_layer(name) for name in ("subjects", "objects")})
    taken = {place for place, (_, array) in ours.items() if np.array_equal(array, theirs[place][1])}
    assert taken == {place for place, (layer, _) in theirs.items() if layer not in left_out}
    assert left_out <= {layer for layer, _ in theirs.values()}


def test_the_shape_is_that_of_the_other_and_dropout_is_not(first):
    source = beginning.load(str(first[0]), WORDLESS, SHARES)

    assert source.shape(NetworkConfig(dropout=0.5, gate_dropout=0.2)) == replace(SMALL, dropout=0.5, gate_dropout=0.2)
    assert source.vocabulary.characters == tuple("鲁迅呐")


def test_another_shape_is_refused(first):
    source = beginning.load(str(first[0]), WORDLESS, SHARES)

    with pytest.raises(KexueError, match=rf"network.width is {SMALL.width} in .*; leave it out, or begin without --fr"):
        source.shape(NetworkConfig(width=99))


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("", {}, "{} was trained with preprocessor.words '', not 'word-vectors'; set the same"),
        ("", {"words": "", "has_prior": True},
         "{} was trained with preprocessor.has_prior False, not True; set the same"),
        ("dgcnn-qa", {}, "dgcnn-qa is a model for qa, not for triples; see: kexue models list"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_from_is_refused(first, name, settings, problem):
    config = TriplesConfig(preprocessor=PreprocessorConfig(**settings))

    with pytest.raises(KexueError) as error:
        beginning.load(name or str(first[0]), config, SHARES)

    assert str(error.value) == problem.format(first[0])
