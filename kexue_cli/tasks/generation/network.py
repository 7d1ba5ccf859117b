"""A causal language model of characters whose every normalization depends on a condition.

Article: https://kexue.fm/archives/7124. Ours: the condition is categories, numbers, a vector, another text or all of
them, each of which may be left out; keys and values of what was written are kept from step to step.
Letters: b batch, t characters, p characters before them, d width, c numbers of the condition, h heads, s numbers of a
head, V characters known, u characters of the conditioning text, lengths those of runs of characters.
"""

from functools import partial
from typing import Any

import keras
from keras import ops

from kexue_cli.config import from_mapping
from kexue_cli.layers.causal_attention import CausalAttention
from kexue_cli.layers.conditional_normalization import ConditionalLayerNormalization
from kexue_cli.layers.dense import Dense
from kexue_cli.layers.embedding import Embedding
from kexue_cli.layers.gated_convolution import GatedConvolution
from kexue_cli.layers.pooling import MeanMaxPooling
from kexue_cli.layers.text_encoder import mask_of
from kexue_cli.tasks.generation.config import CONDITION, DECODER, STATES, NetworkConfig, past_names

TEXT_RATES = (1, 2, 1)  # of the convolutions that read the conditioning text


def build(config: NetworkConfig) -> keras.Model:
    """Return the network that is trained.

    Inputs: those of the condition network and ids (b, t), and runs (b, t, lengths) if they are read. Output: characters
    (b, t, V), logits of what follows each.
    """
    condition, decoder = _condition(config), _decoder(config)
    told, seen = _condition_inputs(config), _seen_inputs(config)
    found = condition(told)[CONDITION]
    nothing = Nothing(config.depth, config.heads, config.width // config.heads, name="nothing")(seen["ids"])
    logits = decoder({**seen, CONDITION: found, **nothing})["characters"]
    return keras.Model({**told, **seen}, {"characters": logits}, name="language_model")


class Nothing(keras.layers.Layer):
    """What a decoder has seen before a text. Called with ids (b, t), returns its inputs parents and past."""

    def __init__(self, depth, heads, size, **kwargs):
        super().__init__(**kwargs)
        self.names, self.heads, self.size = list(past_names(depth)), heads, size

    def call(self, ids):
        """Return parents (b,), each its own, and keys and values (b, h, 0, s)."""
        rows = ops.shape(ids)[0]
        past = {name: ops.zeros((rows, self.heads, 0, self.size)) for name in self.names}
        return {"parents": ops.arange(rows), **past}


def _condition_inputs(config: NetworkConfig) -> dict[str, Any]:
    inputs = {}
    if config.values:
        inputs["categories"] = keras.Input((len(config.values),), dtype="int32", name="categories")
    if config.numbers:
        inputs["numbers"] = keras.Input((2 * config.numbers,), name="numbers")
    if config.vector_size:
        inputs["vector"] = keras.Input((config.vector_size + 1,), name="vector")
    if config.has_text:
        inputs["source"] = keras.Input((None,), dtype="int32", name="source")
    return inputs


def _seen_inputs(config: NetworkConfig) -> dict[str, Any]:
    inputs = {"ids": keras.Input((None,), dtype="int32", name="ids")}
    if config.runs:
        inputs["runs"] = keras.Input((None, len(config.runs)), dtype="int32", name="runs")
    return inputs


def _small() -> Any:
    return keras.initializers.RandomNormal(0.0, 0.02)


def _condition(config: NetworkConfig) -> keras.Model:
    """Return the network from what is given with a text to its condition.

    Inputs, those that the configuration has: categories (b, fields), the number of the value of each field counted
    through all fields, 0 of a field being "not told"; numbers (b, 2 fields), each and 1 if it is told; vector
    (b, v + 1), likewise; source (b, u), ids of another text. Output: condition (b, c).
    """
    inputs = _condition_inputs(config)
    parts = []
    if "categories" in inputs:
        # large from the beginning: small ones change the normalizations, which begin as plain, too little to be learned
        table = Embedding(
            sum(config.values),
            config.condition,
            embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
            name="values",
        )
        parts.append(ops.sum(table(inputs["categories"]), axis=1))
    parts += [
        Dense(config.condition, use_bias=False, name=f"{name}_projection")(inputs[name])
        for name in ("numbers", "vector")
        if name in inputs
    ]
    if "source" in inputs:
        mask = mask_of(inputs["source"])
        x = Embedding(config.vocabulary_size, config.width, name="source_characters")(inputs["source"]) * mask
        for rate in TEXT_RATES:
            x = GatedConvolution(rate=rate, dropout=config.dropout)(x, mask)
        parts.append(Dense(config.condition, name="source_projection")(MeanMaxPooling(name="pooling")(x, mask)))
    total = parts[0] if len(parts) == 1 else ops.add(parts[0], sum(parts[1:]))
    return keras.Model(inputs, {CONDITION: total}, name=CONDITION)


def _decoder(config: NetworkConfig) -> keras.Model:
    """Return the network from characters, and what was seen before them, to what follows.

    Inputs: ids (n, t), and runs (n, t, lengths) if they are read; condition (n, c); parents (n,), the rows of the past
    that these rows go on from; past_key_i and past_value_i (b, h, p, s) of each layer i. Outputs: characters (n, t, V),
    logits; key_i and value_i (n, h, p + t, s).
    """
    seen = _seen_inputs(config)
    ids = seen["ids"]
    condition = keras.Input((config.condition,), name=CONDITION)
    parents = keras.Input((), dtype="int32", name="parents")
    shape = (config.heads, None, config.width // config.heads)
    past = {name: keras.Input(shape, name=name) for name in past_names(config.depth)}
    size, width = config.vocabulary_size, config.width
    characters = Embedding(size, width, embeddings_initializer=_small(), name="table")
    x = characters(ids)
    if config.runs:
        x = x + _read_runs(config, seen["runs"])
    places = Places(name="places")(ids, past["past_key_0"])
    if not config.is_rotary:
        x = x + TrainedPlaces(config.longest, name="trained_places")(places, x)
    if not config.is_conditional:
        x = x + ConditionAtBeginning(config.begin, width, name="condition_vector")(ids, condition)
    normalized = partial(_normalized, config, condition=condition)
    x = normalized(x, "embedding")
    x = keras.layers.Dropout(config.dropout)(x)
    outputs: dict[str, Any] = {}
    for layer in range(config.depth):
        own = [Parents(name=f"{kind}_parents_{layer}")(past[f"past_{kind}_{layer}"], parents) for kind in STATES]
        attend = CausalAttention(config.heads, config.is_rotary, config.dropout, name=f"attention_{layer}")
        attended, *states = attend(normalized(x, f"attention_{layer}"), places, *own)
        outputs |= {f"{kind}_{layer}": array for kind, array in zip(STATES, states, strict=True)}
        x = x + keras.layers.Dropout(config.dropout)(attended)
        hidden = Dense(4 * width, activation="swish", name=f"hidden_{layer}")(normalized(x, f"hidden_{layer}"))
        x = x + keras.layers.Dropout(config.dropout)(Dense(width, name=f"output_{layer}")(hidden))
    x = normalized(x, "last")
    outputs["characters"] = TiedLogits(characters, name="logits")(x)
    return keras.Model({**seen, CONDITION: condition, "parents": parents, **past}, outputs, name=DECODER)


def _read_runs(config: NetworkConfig, runs: Any) -> Any:
    """Return the vectors (n, t, d) of runs of characters (n, t, lengths)."""
    vectors = []
    for index, length in enumerate(config.runs):
        table = Embedding(config.buckets, config.run_size, embeddings_initializer=_small(), name=f"table_of_{length}")
        vectors.append(table(runs[:, :, index]))
    joined = vectors[0] if len(vectors) == 1 else ops.concatenate(vectors, axis=-1)
    return Dense(config.width, use_bias=False, name="runs_projection")(joined)


def _normalized(config: NetworkConfig, x: Any, name: str, *, condition: Any) -> Any:
    """Return x (b, t, d), normalised as the condition says, or plainly if the condition is elsewhere."""
    if config.is_conditional:
        return ConditionalLayerNormalization(config.hidden, name=f"{name}_normalization")(x, condition)
    return keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_normalization")(x)


class Parents(keras.layers.Layer):
    """Called with keys or values (b, h, p, s) and parents (n,), returns the rows that are gone on from (n, h, p, s)."""

    def call(self, past, parents):
        """Return the rows."""
        return ops.take(past, parents, axis=0)


class Places(keras.layers.Layer):
    """Called with ids (b, t) and keys (b, h, p, s) of the positions before, returns the places (t,) of ids."""

    def call(self, ids, past):
        """Return p, p + 1, ..."""
        return ops.shape(past)[2] + ops.arange(ops.shape(ids)[1])


class TrainedPlaces(keras.layers.Layer):
    """Called with places (t,) and x (b, t, d), returns a vector (t, d) of each place; those too far have the last's."""

    def __init__(self, longest, **kwargs):
        super().__init__(**kwargs)
        self.longest = longest

    def build(self, places_shape, x_shape):
        """Make the table."""
        self.table = self.add_weight(shape=(self.longest, x_shape[-1]), initializer="zeros", name="table")

    def call(self, places, x):
        """Return the vectors."""
        return ops.take(ops.convert_to_tensor(self.table) * 1.0, ops.minimum(places, self.longest - 1), axis=0)


class ConditionAtBeginning(keras.layers.Layer):
    """The condition in the mark that begins a text, as a prefix token, to compare with.

    Called with ids (b, t) and conditions (b, c), returns vectors (b, t, d) to be added: zeros but at the mark.
    """

    def __init__(self, begin, width, **kwargs):
        super().__init__(**kwargs)
        self.begin = begin
        self.projection = Dense(width, name="projection")

    def build(self, ids_shape, condition_shape):
        """Make the projection."""
        self.projection.build(condition_shape)

    def call(self, ids, condition):
        """Return the vectors."""
        vectors = ops.expand_dims(self.projection(condition), 1)
        return ops.where(ops.expand_dims(ops.equal(ids, self.begin), -1), vectors, 0.0)


class TiedLogits(keras.layers.Layer):
    """Called with x (b, t, d), returns its products (b, t, V) with the vectors of all characters, and a bias of each.

    table: the embedding whose vectors they are. Written table x^T, since a transposed table would be stored twice in
    the exported graph.
    """

    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = table

    def build(self, x_shape):
        """Make the bias."""
        self.bias = self.add_weight(shape=(self.table.input_dim,), initializer="zeros", name="bias")

    def call(self, x):
        """Return the logits."""
        width = x.shape[-1]
        flat = ops.reshape(x, (-1, width))  # (b t, d)
        logits = ops.transpose(ops.matmul(ops.convert_to_tensor(self.table.embeddings), ops.transpose(flat)))
        return ops.reshape(logits, (-1, ops.shape(x)[1], self.table.input_dim)) + self.bias


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the networks of a model folder by name; values: config.json's "network"."""
    config = from_mapping(NetworkConfig, values, "network")
    return {CONDITION: _condition(config), DECODER: _decoder(config)}
