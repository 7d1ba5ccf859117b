"""The masked language model: the text encoder, and a guess at the characters that are hidden.

Letters: b batch, t positions, k hidden positions, v width of the word vectors, d width, c characters known.
"""

from collections.abc import Iterator
from typing import Any

import keras

from kexue_cli.config import from_mapping
from kexue_cli.layers.span import SpanVectors
from kexue_cli.layers.text_encoder import TextEncoder, mask_of
from kexue_cli.tasks.encoder.config import ENCODER, EncoderConfig


def build(config: EncoderConfig) -> keras.Model:
    """Return the network that is trained.

    Inputs: text (b, t), ids; words (b, t, v), vectors; hidden (b, k), places. Output: characters (b, k, c), logits of
    what stands at the hidden places.
    """
    encoder = _encoder(config)
    hidden = keras.Input((None,), dtype="int32", name="hidden")
    x = SpanVectors(name="hidden_vectors")(encoder(encoder.input)["states"], hidden)
    x = keras.layers.Dense(config.width, activation="gelu", name="guess_hidden")(x)
    x = keras.layers.LayerNormalization(name="guess_normalization")(x)
    guess = keras.layers.Dense(config.vocabulary_size, name="guess")(x)
    return keras.Model({**encoder.input, "hidden": hidden}, {"characters": guess}, name="language_model")


def _encoder(config: EncoderConfig) -> keras.Model:
    """Return the encoder alone. Inputs: text and words, as above. Output: states (b, t, d)."""
    text = keras.Input((None,), dtype="int32", name="text")
    inputs = {"text": text}
    if config.word_dimension:
        inputs["words"] = keras.Input((None, config.word_dimension), name="words")
    encode = TextEncoder(
        config.vocabulary_size, config.width, config.rates, config.dropout, config.dropout, name="text_encoder"
    )
    states = encode(text, mask_of(text), inputs.get("words"))
    return keras.Model(inputs, {"states": states}, name=ENCODER)


def encoders(network: keras.Model) -> Iterator[TextEncoder]:
    """Yield the text encoders in a network and in the networks that it is made of."""
    for layer in network.layers:
        if isinstance(layer, TextEncoder):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from encoders(layer)


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the network of a model folder by its name; values: config.json's "network"."""
    return {ENCODER: _encoder(from_mapping(EncoderConfig, values, "network"))}
