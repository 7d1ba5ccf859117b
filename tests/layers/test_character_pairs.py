"""A learned TF-IDF: what characters and pairs of neighbours a text has, and nothing else.

The sums of so many signs are near their expectation to about a sixtieth: 4 / sqrt(SIZE) is hardly ever exceeded.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("keras")

from kexue_cli.layers.character_pairs import CharacterPairs

CHARACTERS = "怎么开通信用卡关闭蓝牙耳机"
SIZE = 4096  # numbers of a vector
NEARLY = 4 / SIZE**0.5


@pytest.fixture(scope="module")
def layer():
    layer = CharacterPairs(len(CHARACTERS) + 1, SIZE)
    layer.build((None, None))
    return layer


def ids_of(text):
    return [1 + CHARACTERS.index(character) for character in text]


def vectors_of(layer, *texts, padding=0, filler=0):
    """The vectors (b, size) of texts in one batch. padding: more positions; filler: the id that they hold."""
    length = max(map(len, texts)) + padding
    ids = np.full((len(texts), length), filler, "int32")
    mask = np.zeros((len(texts), length, 1), "float32")
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = ids_of(text), 1
    return np.asarray(layer(ids, mask))


def cosine(layer, one, other):
    a, b = vectors_of(layer, one)[0], vectors_of(layer, other)[0]
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_new_layer_counts_characters_and_pairs(layer):
    # 开通 and 开卡 share 开; each has two characters and a pair
    assert cosine(layer, "开通", "开卡") == pytest.approx(1 / 3, abs=NEARLY)
    # 信用卡 and 信用: 信, 用, 信用 of five and of three
    assert cosine(layer, "信用卡", "信用") == pytest.approx(3 / 15**0.5, abs=NEARLY)
    # 开开: 开 twice, and one pair; the square of the length is 2 * 2 + 1
    assert cosine(layer, "开开", "开") == pytest.approx(2 / 5**0.5, abs=NEARLY)


def test_texts_with_the_same_characters_and_pairs_are_equal(layer):
    # 开 three times, 通, 卡, and the pairs 开通, 通开, 开卡, 卡开
    one, other = "开通开卡开", "开卡开通开"

    assert one != other
    assert cosine(layer, one, other) == pytest.approx(1, abs=1e-5)


def test_the_order_of_a_pair_matters(layer):
    # 卡 and 信 are the same, the pairs 信卡 and 卡信 are not: 2 of 3
    assert cosine(layer, "信卡", "卡信") == pytest.approx(2 / 3, abs=NEARLY)


def test_texts_that_share_nothing_are_nearly_orthogonal(layer):
    assert cosine(layer, "怎么开通", "蓝牙耳机") == pytest.approx(0, abs=NEARLY)
    assert cosine(layer, "怎么开通", "信用卡") == pytest.approx(0, abs=NEARLY)


def test_all_pairs_are_nearly_orthogonal_those_of_one_character_too(layer):
    names = [one + other for one in CHARACTERS for other in CHARACTERS]
    alone = dict(zip(CHARACTERS, vectors_of(layer, *CHARACTERS), strict=True))
    pairs = np.stack([vectors_of(layer, name)[0] - alone[name[0]] - alone[name[1]] for name in names])

    cosines = pairs @ pairs.T / SIZE

    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert np.abs(cosines - np.eye(len(names))).max() < 2 * NEARLY  # the most of many thousands
    assert np.abs(pairs @ np.stack(list(alone.values())).T / SIZE).max() < 2 * NEARLY


@given(st.text(CHARACTERS, min_size=1, max_size=8), st.integers(0, 4), st.integers(0, len(CHARACTERS)))
def test_padding_changes_nothing_whatever_it_holds(layer, text, padding, filler):
    alone, padded = vectors_of(layer, text), vectors_of(layer, text, padding=padding, filler=filler)

    np.testing.assert_allclose(padded, alone, atol=1e-4)


def test_texts_of_one_batch_do_not_meet(layer):
    texts = ["怎么开通信用卡", "卡", "蓝牙"]

    together = vectors_of(layer, *texts)

    for row, text in enumerate(texts):
        np.testing.assert_allclose(together[row], vectors_of(layer, text)[0], atol=1e-4)


def test_an_empty_text_is_zero(layer):
    assert not vectors_of(layer, "", padding=1).any()


def test_what_a_character_weighs_alone_and_in_pairs_can_be_learned():
    layer = CharacterPairs(len(CHARACTERS) + 1, SIZE)
    layer.build((None, None))
    signs, weights = layer.get_weights()
    weights[ids_of("卡")] = np.log(3), np.log(2)
    layer.set_weights([signs, weights])

    # 开: 1, 卡: 3, 开卡: 1 * 2
    assert cosine(layer, "开卡", "卡") == pytest.approx(3 / 14**0.5, abs=NEARLY)
    assert cosine(layer, "开卡", "开") == pytest.approx(1 / 14**0.5, abs=NEARLY)


def test_signs_begin_as_signs_and_weights_as_one(layer):
    signs, weights = layer.get_weights()

    assert set(np.unique(signs)) == {-1, 1}
    assert not weights.any()  # logarithms
    assert len(layer.trainable_weights) == 2
