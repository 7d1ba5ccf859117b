"""The networks of entity linking: pointers to mentions, and the choice among the entities that a mention may mean.

Article: https://kexue.fm/archives/6919. As there, names of the base are marked for the network, text and entity are
compared by attention both ways, and both networks learn together. Ours: pretrained convolutions in place of LSTMs,
mentions that no name of the base tells, all candidates compared at once, and one more for "none of them".
Letters: b batch, t characters of the text, d width, m words of the text, c candidates, w words of an entity, v width
of the word vectors, h numbers in which words are compared.
"""

from typing import Any

import keras
from keras import ops

from kexue_cli.config import from_mapping
from kexue_cli.layers.bidirectional import BidirectionalLstm
from kexue_cli.layers.dense import Dense
from kexue_cli.layers.gated_convolution import GatedConvolution
from kexue_cli.layers.text_encoder import TextEncoder, mask_of
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

BOUNDARIES = 2  # columns: a word begins, a word ends
MENTION_BIAS = -2.0  # logit: most characters are no end of a mention
FAR = 1e9


def build(config: NetworkConfig) -> keras.Model:
    """Return the network that is trained: both networks of prediction, one mention for each text.

    Inputs: those of the first, span (b, t), which is 1 / length inside the mention and 0 elsewhere, and those of the
    second but its mention. Outputs: mentions (b, t, 2) and choice (b, c + 1).
    """
    mentions, entities = _mentions(config), _entities(config)
    inputs, asked = _text_inputs(config), _candidate_inputs(config)
    found = mentions(inputs)
    span = keras.Input((None,), name="span")
    mention = ops.squeeze(ops.matmul(ops.expand_dims(span, 1), found["states"]), 1)
    outputs = {MENTIONS: found[MENTIONS], CHOICE: entities({**asked, "mention": mention})[CHOICE]}
    return keras.Model({**inputs, **asked, "span": span}, outputs, name="linking")


def _text_inputs(config: NetworkConfig) -> dict[str, Any]:
    inputs = {"text": keras.Input((None,), dtype="int32", name="text")}
    inputs["boundaries"] = keras.Input((None, BOUNDARIES), name="boundaries")
    inputs["dictionary"] = keras.Input((None, DICTIONARY_FEATURES), name="dictionary")
    if config.word_dimension:
        inputs["words"] = keras.Input((None, config.word_dimension), name="words")
    return inputs


def _candidate_inputs(config: NetworkConfig) -> dict[str, Any]:
    return {
        "context": keras.Input((CONTEXT_WORDS, config.word_dimension), name="context"),
        "descriptions": keras.Input((None, ENTITY_WORDS, config.word_dimension), name="descriptions"),
        "candidates": keras.Input((None, CANDIDATE_FEATURES), name="candidates"),
    }


def _mentions(config: NetworkConfig) -> keras.Model:
    """Return the network from a text to its mentions.

    Inputs: text (b, t), ids; boundaries (b, t, 2) of words; dictionary (b, t, 12), names of the base; words (b, t, v).
    Outputs: mentions (b, t, 2), the probabilities that one starts and ends, 0 at padding; states (b, t, d).
    """
    inputs = _text_inputs(config)
    mask = mask_of(inputs["text"])
    size, width, rates = config.vocabulary_size, config.width, config.encoder_rates
    encode = TextEncoder(size, width, rates, config.dropout, config.gate_dropout, name="encoder")
    x = encode(inputs["text"], mask, inputs.get("words"))
    marks = ops.concatenate([inputs["boundaries"], inputs["dictionary"]], axis=-1)
    x = (x + Dense(width, use_bias=False, name="marks_projection")(marks)) * mask
    if config.recurrent:
        both = BidirectionalLstm(config.recurrent, name="recurrent")(x, mask)
        x = Dense(width, name="recurrent_projection")(both) * mask
    else:
        for rate in config.rates:
            x = GatedConvolution(rate=rate, dropout=config.gate_dropout)(x, mask)
    hidden = ops.concatenate([x, marks], axis=-1)
    hidden = keras.layers.Conv1D(width, 3, padding="same", activation="relu", name="mentions_hidden")(hidden)
    start = keras.initializers.Constant(MENTION_BIAS)
    found = Dense(2, activation="sigmoid", bias_initializer=start, name="mentions_pointer")(hidden) * mask
    return keras.Model(inputs, {MENTIONS: found, "states": x}, name=MENTIONS)


def _entities(config: NetworkConfig) -> keras.Model:
    """Return the network that chooses among candidates.

    Inputs: mention (b, d), the mean of the mention's states; context (b, m, v), word vectors of the text; descriptions
    (b, c, w, v), those of the entities; candidates (b, c, 11), what is known of them, all 0 for padding. Output: choice
    (b, c + 1), the probability of "none of them", then those of the candidates, 0 for padding.
    """
    inputs = {"mention": keras.Input((config.width,), name="mention"), **_candidate_inputs(config)}
    features, said, width = inputs["candidates"], inputs["descriptions"], config.compared
    compare = Dense(width, use_bias=False, name="comparison_projection")
    is_candidate = ops.cast(ops.any(features != 0, axis=-1), "float32")  # (b, c)
    flat = keras.layers.Reshape((-1, config.word_dimension))(said)  # (b, cw, v)
    text_mask, said_mask = _is_word(inputs["context"]), _is_word(flat)  # (b, m, 1), (b, cw, 1)
    both = said_mask * ops.transpose(text_mask, (0, 2, 1))  # (b, cw, m)
    text, entity = compare(inputs["context"]), compare(flat)  # (b, m, h), (b, cw, h)
    scores = ops.matmul(entity, ops.transpose(text, (0, 2, 1))) / width**0.5 - (1 - both) * FAR  # (b, cw, m)
    of_text = ops.matmul(ops.softmax(scores, axis=-1), text)  # (b, cw, h)
    of_entity = ops.matmul(ops.softmax(_turned(scores), axis=-1), _by_candidate(entity, width))  # (b, c, m, h)
    text = ops.expand_dims(text, 1) + ops.zeros_like(of_entity)  # (b, c, m, h)
    has_both = ops.max(_by_candidate(both, CONTEXT_WORDS), axis=(-2, -1))  # (b, c)
    pooled = [
        _by_candidate(_compared(entity, of_text, width, "entity") * said_mask, width),
        _compared_text(text, of_entity, width) * ops.expand_dims(text_mask, 1),
    ]
    pooled = [ops.max(part, axis=-2) * ops.expand_dims(has_both, -1) for part in pooled]  # (b, c, h)
    cosines = _by_candidate(_cosines(flat, inputs["context"]) * both, CONTEXT_WORDS)  # (b, c, w, m)
    pairs = ops.maximum(ops.sum(_by_candidate(both, CONTEXT_WORDS), axis=(-2, -1)), 1)
    likeness = ops.stack([ops.sum(cosines, axis=(-2, -1)) / pairs, ops.max(cosines, axis=(-2, -1))], axis=-1)
    mention = Dense(width, use_bias=False, name="mention_projection")(inputs["mention"])
    parts = [*pooled, ops.expand_dims(mention, 1) + ops.zeros_like(pooled[0]), likeness, features]
    hidden = Dense(2 * width, activation="relu", name="choice_hidden")(ops.concatenate(parts, axis=-1))
    hidden = keras.layers.Dropout(config.gate_dropout)(hidden)
    logits = ops.squeeze(Dense(1, name="choice_logit")(hidden), -1)  # (b, c)
    logits = logits + features[..., 0]  # begins as the prior
    none = Dense(1, name="none_logit")(Dense(width, activation="relu", name="none_hidden")(mention))
    logits = ops.concatenate([none, logits - (1 - is_candidate) * FAR], axis=-1)
    return keras.Model(inputs, {CHOICE: ops.softmax(logits, axis=-1)}, name=ENTITIES)


def _is_word(vectors):
    """Return 1 where there is a word vector (..., v), 0 where all its numbers are 0: (..., 1)."""
    return ops.cast(ops.any(vectors != 0, axis=-1, keepdims=True), "float32")


def _by_candidate(flat, size: int):
    """Return (b, cw, size), words of all candidates one behind the other, as (b, c, w, size)."""
    return keras.layers.Reshape((-1, ENTITY_WORDS, size))(flat)


def _turned(flat):
    """Return (b, cw, m) as (b, c, m, w)."""
    return ops.swapaxes(_by_candidate(flat, CONTEXT_WORDS), -1, -2)


def _cosines(said, context):
    """Return the cosine of each word of the entities (b, cw, v) and each of the text (b, m, v): (b, cw, m)."""
    unit = [x / ops.maximum(ops.norm(x, axis=-1, keepdims=True), 1e-6) for x in (said, context)]
    return ops.matmul(unit[0], ops.transpose(unit[1], (0, 2, 1)))


def _compared(own, other, width: int, name: str):
    """Return what is alike and unlike between vectors (b, n, h) and what they attend to (b, n, h)."""
    both = ops.concatenate([own, other, own * other], axis=-1)
    return Dense(width, activation="relu", name=f"{name}_comparison")(both)


def _compared_text(own, other, width: int):
    """Return the same for (b, c, m, h). TensorFlow's product of four axes with three has crashed here."""
    own, other = (keras.layers.Reshape((-1, width))(part) for part in (own, other))
    return keras.layers.Reshape((-1, CONTEXT_WORDS, width))(_compared(own, other, width, "text"))


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the networks of a model folder by name; values: config.json's "network"."""
    config = from_mapping(NetworkConfig, values, "network")
    return {MENTIONS: _mentions(config), ENTITIES: _entities(config)}
