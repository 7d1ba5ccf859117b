"""The reader: dilated gated convolutions over question and passage, and pointers to the answer's two ends.

Article: https://kexue.fm/archives/5409; layers as in the release of https://kexue.fm/archives/6906. Ours: features and
word vectors as inputs of their own, and the soft alignment of the passage to the question.
Letters: b batch, u positions of the question, t of the passage, d width, v width of the word vectors, f features.
"""

from typing import Any

import keras
from keras import ops

from kexue_cli.config import from_mapping
from kexue_cli.layers.alignment import Alignment
from kexue_cli.layers.attention_pooling import AttentionPooling
from kexue_cli.layers.dense import Dense
from kexue_cli.layers.embedding import Embedding
from kexue_cli.layers.gated_convolution import GatedConvolution
from kexue_cli.layers.position_embedding import PositionEmbedding
from kexue_cli.layers.text_encoder import TextEncoder, mask_of
from kexue_cli.tasks.qa.config import NETWORK, NetworkConfig

MEMBER = "reader_{}"  # what the names of a member's layers begin with


def build(config: NetworkConfig) -> keras.Model:
    """Return the network.

    Inputs: question (b, u) and passage (b, t), ids; question_words (b, u, v) and passage_words (b, t, v), the vector
    of each character's word; features (b, t, f). Outputs: start and end (b, t, n), the probabilities of the n members,
    0 at padding. Each member learns alone; prediction takes their mean.
    """
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("question", "passage")}
    if config.word_dimension:
        for name in ("question_words", "passage_words"):
            inputs[name] = keras.Input((None, config.word_dimension), name=name)
    if config.features:
        inputs["features"] = keras.Input((None, config.features), name="features")
    if config.sources:
        inputs["source"] = keras.Input((), dtype="int32", name="source")
    pointers = [_member(inputs, config, MEMBER.format(number)) for number in range(config.members)]
    outputs = {name: ops.stack([member[name] for member in pointers], axis=-1) for name in ("start", "end")}
    return keras.Model(inputs, outputs, name="readers")


def _member(inputs, config, prefix):
    """Return the start and end (b, t) of one reader; prefix: of the names of its layers."""
    size, width, rates, dropout = config.vocabulary_size, config.width, config.encoder_rates, config.dropout
    encode = TextEncoder(size, width, rates, dropout, dropout, name=f"{prefix}_encoder")

    def convolve(x, mask, rates, what):
        for number, rate in enumerate(rates):
            name = f"{prefix}_{what}_convolution_{number}"
            x = GatedConvolution(rate=rate, dropout=dropout, gate_noise=config.gate_noise, name=name)(x, mask)
        return x

    q_mask, p_mask = mask_of(inputs["question"]), mask_of(inputs["passage"])
    q = encode(inputs["question"], q_mask, inputs.get("question_words"))
    p = encode(inputs["passage"], p_mask, inputs.get("passage_words"))
    parts = [p]
    if config.has_alignment:
        aligned = Alignment(name=f"{prefix}_alignment")(p, q, q_mask)
        parts += [aligned, aligned * p]
    q = convolve(q, q_mask, config.question_rates, "question")
    q = AttentionPooling(name=f"{prefix}_question_pooling")(q, q_mask)
    if config.sources:
        is_known = ops.cast(ops.expand_dims(inputs["source"], -1) > 0, "float32")
        q = q + Embedding(config.sources + 1, config.width, name=f"{prefix}_sources")(inputs["source"]) * is_known
    everywhere = ops.expand_dims(q, 1) * p_mask  # (b, t, d)
    parts.append(everywhere)
    if config.features:
        parts.append(inputs["features"])
    p = Dense(config.width, use_bias=False, name=f"{prefix}_mixture")(ops.concatenate(parts, axis=-1))
    if config.has_positions:
        p = PositionEmbedding(name=f"{prefix}_positions")(p)
    p = convolve(p, p_mask, config.passage_rates, "passage")
    p = ops.concatenate([p, everywhere], axis=-1)  # (b, t, 2d)
    whole = AttentionPooling(name=f"{prefix}_passage_pooling")(p, p_mask)
    is_answered = Dense(1, activation="sigmoid", name=f"{prefix}_is_answered")(whole)  # (b, 1)
    mask = ops.squeeze(p_mask, -1)
    pointers = {}
    for name in ("start", "end"):
        pointer = Dense(1, activation="sigmoid", name=f"{prefix}_{name}_pointer")(p)
        pointers[name] = ops.squeeze(pointer, -1) * is_answered * mask
    return pointers


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the networks of a model folder by name; values: config.json's "network"."""
    return {NETWORK: build(from_mapping(NetworkConfig, values, "network"))}
