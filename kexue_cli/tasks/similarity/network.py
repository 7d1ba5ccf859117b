"""The encoder of texts: a unit vector for each, near those of texts that mean the same.

Article: https://kexue.fm/archives/5743, whose GRU is a setting (recurrent). Ours: pretrained gated convolutions with
word vectors, mean and maximum of their states, and beside them the characters and pairs of characters as they stand.
Letters: b batch, t positions, v width of the word vectors, d numbers of a vector, n groups.
"""

from typing import Any

import keras
from keras import ops

from kexue_cli.config import from_mapping
from kexue_cli.layers.attention import SelfAttention
from kexue_cli.layers.character_pairs import CharacterPairs
from kexue_cli.layers.cosine_classes import CosineClasses
from kexue_cli.layers.dense import Dense
from kexue_cli.layers.gated_convolution import GatedConvolution
from kexue_cli.layers.pooling import LastState, MeanMaxPooling
from kexue_cli.layers.recurrent import Gru
from kexue_cli.layers.text_encoder import TextEncoder, mask_of
from kexue_cli.tasks.similarity.config import NETWORK, VECTOR, NetworkConfig

SIDES = ("a", "b")


def build(config: NetworkConfig, classes: int) -> keras.Model:
    """Return the network that is trained. classes: groups that have a vector each, n; 0 for none.

    Inputs: text_a, text_b (b, t), ids; words_a, words_b (b, t, v), vectors. Outputs: vectors (b, 2, d) of both texts,
    and classes (b, 2, n), their cosines to the vectors of the groups.
    """
    encode = _encoder(config)
    inputs = {f"{name}_{side}": array for side in SIDES for name, array in _inputs(config, f"_{side}").items()}
    found = [encode({name: inputs[f"{name}_{side}"] for name in _inputs(config)})[VECTOR] for side in SIDES]
    outputs = {"vectors": ops.stack(found, axis=1)}
    if classes:
        outputs["classes"] = CosineClasses(classes, name="groups")(outputs["vectors"])
    return keras.Model(inputs, outputs, name="similarity")


def _inputs(config: NetworkConfig, suffix: str = "") -> dict[str, Any]:
    inputs = {"text": keras.Input((None,), dtype="int32", name=f"text{suffix}")}
    if config.word_dimension:
        inputs["words"] = keras.Input((None, config.word_dimension), name=f"words{suffix}")
    return inputs


def _encoder(config: NetworkConfig) -> keras.Model:
    """Return the network from a text to its vector.

    Inputs: text (b, t), ids; words (b, t, v), vectors. Output: vector (b, d) of length 1.
    """
    inputs = _inputs(config)
    mask = mask_of(inputs["text"])
    size, width, rates = config.vocabulary_size, config.width, config.encoder_rates
    encode = TextEncoder(size, width, rates, config.dropout, config.gate_dropout, name="encoder")
    x = encode(inputs["text"], mask, inputs.get("words"))
    for rate in config.rates:
        x = GatedConvolution(rate=rate, dropout=config.gate_dropout)(x, mask)
    if config.attention_heads:
        attend = SelfAttention(config.attention_heads, width // config.attention_heads, name="attention")
        x = (x + Dense(width, name="attended")(attend(x, mask))) * mask
    if config.recurrent:
        x = LastState(name="last")(Gru(config.recurrent, return_sequences=True, name="recurrent")(x), mask)
    else:
        x = Dense(config.vector, name="vector_projection")(MeanMaxPooling(name="pooling")(x, mask))
    vector = ops.normalize(x, axis=-1)
    if config.pairs:
        standing = CharacterPairs(size, config.pairs, name="pairs")(inputs["text"], mask)
        vector = Joined(name="joined")(vector, ops.normalize(standing, axis=-1))
    return keras.Model(inputs, {VECTOR: vector}, name=NETWORK)


class Joined(keras.layers.Layer):
    """Two unit vectors as one, whose cosine is a weighted mean of theirs; the weight is learned.

    Called with (b, m) and (b, n), returns (b, m + n).
    """

    def build(self, *shapes):
        """Make the weight: of the second, through a sigmoid."""
        self.weight = self.add_weight(shape=(1,), initializer=keras.initializers.Constant(-1.0), name="weight")

    def call(self, first, second):
        """Return the vector."""
        share = ops.sigmoid(ops.convert_to_tensor(self.weight))
        return ops.concatenate([first * ops.sqrt(1 - share), second * ops.sqrt(share)], axis=-1)


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the network of a model folder by its name; values: config.json's "network"."""
    return {NETWORK: _encoder(from_mapping(NetworkConfig, values, "network"))}
