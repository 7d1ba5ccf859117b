"""Characters and their words in context: the first layers of every task, which may be pretrained on raw text."""

import keras
from keras import ops

from kexue_cli.layers.dense import Dense
from kexue_cli.layers.embedding import Embedding
from kexue_cli.layers.gated_convolution import GatedConvolution


class TextEncoder(keras.layers.Layer):
    """The sum of each character's vector and its word's, projected, then dilated gated convolutions.

    Called with ids (b, t), mask (b, t, 1) and, if words are used, the vectors (b, t, v) of their words, returns
    (b, t, width), zero where the mask is. rates: of the convolutions; dropout: of the embeddings; gate_dropout: of the
    gates. Mixed embedding of characters and words: https://kexue.fm/archives/6671
    """

    def __init__(self, vocabulary_size, width, rates, dropout=0.0, gate_dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.characters = Embedding(vocabulary_size, width)
        self.words = Dense(width, use_bias=False)
        self.dropout = keras.layers.Dropout(dropout)
        self.convolutions = [GatedConvolution(rate=rate, dropout=gate_dropout) for rate in rates]

    def build(self, ids_shape, words_shape=None):
        """Make the tables and the convolutions."""
        self.characters.build(ids_shape)
        if words_shape is not None:
            self.words.build(words_shape)
        for convolution in self.convolutions:
            convolution.build((*ids_shape, self.characters.output_dim))

    def call(self, ids, mask, words=None, training=False):
        """Return the vectors."""
        x = self.characters(ids)
        if words is not None:
            x = x + self.words(words)
        x = self.dropout(x, training=training) * mask
        for convolution in self.convolutions:
            x = convolution(x, mask, training=training)
        return x


def mask_of(ids):
    """Return the mask (b, t, 1) of ids (b, t): 1 where there is a character, 0 at padding."""
    return ops.cast(ops.expand_dims(ids, -1) > 0, "float32")
