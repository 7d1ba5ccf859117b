"""What characters and pairs of neighbours a text has, whatever they mean: a learned form of TF-IDF."""

import keras
from keras import ops

from kexue_cli.layers.embedding import Embedding


class CharacterPairs(keras.layers.Layer):
    """The weighted sum of a vector of each character and of each pair of neighbours; their order is not kept otherwise.

    Called with ids (b, t) and mask (b, t, 1), returns (b, size). The vector of a pair is the product of one vector of
    each of both, which begin as random signs: so all pairs are nearly orthogonal, those never seen in training too,
    and the cosine of two texts is near that of their n-gram counts. What a character weighs, alone and in pairs, is
    learned, as its inverse document frequency is counted in TF-IDF.
    """

    def __init__(self, vocabulary_size, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.signs = Embedding(vocabulary_size, size, embeddings_initializer=_signs, name="signs")
        self.weights_of = Embedding(vocabulary_size, 2, embeddings_initializer="zeros", name="weights")

    def build(self, ids_shape, mask_shape=None):
        """Make the tables."""
        self.signs.build(ids_shape)
        self.weights_of.build(ids_shape)

    def call(self, ids, mask):
        """Return the sums."""
        signs = self.signs(ids) * mask  # (b, t, size)
        weights = ops.exp(self.weights_of(ids))
        alone = ops.sum(signs * weights[:, :, :1], axis=1)
        turned = ops.roll(signs, self.size // 2, axis=-1)  # so that a pair is not its reverse
        pairs = signs[:, :-1] * turned[:, 1:] * weights[:, :-1, 1:] * weights[:, 1:, 1:]
        return alone + ops.sum(pairs, axis=1)


def _signs(shape, dtype=None):
    """Return random signs, so long that a row is a unit vector times the root of its length."""
    return ops.sign(keras.random.uniform(shape, -1, 1, dtype=dtype, seed=0))
