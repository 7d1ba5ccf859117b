"""The losses of the table by hand, what a margin does, and what samples without a group or a label cost: nothing.

Two classes that are not the target are enough to see all of a loss: cosines .5, .25, -.5, of which the first is wanted.
"""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("keras")

import keras

from kexue_cli.errors import KexueError
from kexue_cli.tasks.similarity.config import MARGINS, LossConfig
from kexue_cli.tasks.similarity.losses import (
    LOGITS,
    NO_GROUP,
    NO_LABEL,
    class_loss,
    cosent,
    margin_crossentropy,
    vector_loss,
)

COSINES = [0.5, 0.25, -0.5]  # the first is that of the target, 60 degrees away
SEEDS = st.integers(0, 2**32 - 1)


def entropy(logits, target=0):
    """The cross entropy of logits, by the book."""
    return math.log(sum(map(math.exp, logits))) - logits[target]


def loss_of(name, cosines, target=0, dtype="float32", **settings):
    """The loss of cosines (n,) of one text."""
    is_target = np.eye(len(cosines), dtype=dtype)[[target]]
    config = LossConfig(groups=name, **settings)
    return float(margin_crossentropy(config)(np.array([cosines], dtype), is_target, np.ones(1, dtype)))


def logits_of(name, cosines, target, margin):
    is_target = np.eye(len(cosines), dtype="float32")[target]
    return np.asarray(LOGITS[name](np.array(cosines, "float32"), is_target, margin))


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def random_vectors(seed, count, size=4):
    """Unit vectors (count, 2, size) of two texts each."""
    return unit(np.random.default_rng(seed).normal(size=(count, 2, size))).astype("float32")


# ------------------------------------------------------------- the table


def test_each_loss_has_its_margin_and_its_logits():
    assert LOGITS.keys() == MARGINS.keys()


@pytest.mark.parametrize(
    ("name", "margin", "logits"),
    [
        ("softmax", 0, [0.5, 0.25, -0.5]),
        ("am-softmax", 0.35, [0.15, 0.25, -0.5]),
        ("simpler-a-softmax", 0, [math.cos(4 * math.pi / 3), 0.25, -0.5]),
        ("arcface", 0.3, [math.cos(math.pi / 3 + 0.3), 0.25, -0.5]),
        # weights 1 + .25 - .5, .25 + .25 and none for what is beyond -.25; distances to .75 and to .25
        ("circle", 0.25, [0.75 * (0.5 - 0.75), 0.5 * (0.25 - 0.25), 0]),
        ("circle", 0.4, [0.9 * (0.5 - 0.6), 0.65 * (0.25 - 0.4), 0]),
    ],
)
def test_by_hand(name, margin, logits):
    expected = entropy([2 * logit for logit in logits])

    assert loss_of(name, COSINES, scale=2, margin=margin) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", MARGINS)
def test_scale_and_margin_are_the_loss_s_own_unless_set(name):
    own = MARGINS[name]

    assert loss_of(name, COSINES) == pytest.approx(loss_of(name, COSINES, scale=own.scale, margin=own.margin))
    assert loss_of(name, COSINES) != pytest.approx(loss_of(name, COSINES, scale=own.scale / 2), rel=0.01)
    if own.margin:  # 0 is a margin too, not "its own"
        assert loss_of(name, COSINES) != pytest.approx(loss_of(name, COSINES, margin=0.0), rel=0.1)


def test_arcface_goes_on_falling_where_the_angle_would_be_more_than_half_a_turn():
    angles = np.linspace(0, math.pi, 200)

    logits = [logits_of("arcface", [math.cos(angle)], 0, 0.3)[0] for angle in angles]

    assert (np.diff(logits) < 0).all()
    assert logits[-1] == pytest.approx(-1 - 0.3 * math.sin(0.3), abs=1e-4)


def test_circle_weighs_what_is_far_from_its_goal_and_the_weight_has_no_gradient():
    network = keras.Sequential([keras.Input((1, 3))])  # whose vectors are the cosines themselves
    network.add(keras.layers.EinsumDense("bsn,n->bsn", (1, 3), kernel_initializer="ones"))
    network.compile(keras.optimizers.SGD(1.0), class_loss(LossConfig("circle", scale=2)), jit_compile=False)
    cosines = np.array([[COSINES]], "float32")

    network.train_on_batch(cosines, np.zeros(1, "int32"))

    step = (1 - network.get_weights()[0]) / cosines[0, 0]  # the gradient with respect to each cosine
    shares = np.exp(2 * np.array([-0.1875, 0, 0]))
    shares /= shares.sum()
    np.testing.assert_allclose(step, [2 * 0.75 * (shares[0] - 1), 2 * 0.5 * shares[1], 0], atol=1e-5)


# ------------------------------------------------------------- laws


@pytest.mark.parametrize("name", MARGINS)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=5), st.data())
def test_a_margin_makes_the_target_harder_and_nothing_else(name, cosines, data):
    target = data.draw(st.integers(0, len(cosines) - 1))

    found = logits_of(name, cosines, target, MARGINS[name].margin)

    assert found[target] <= cosines[target] + 2e-6
    if name != "circle":  # which weighs the others too
        np.testing.assert_allclose(np.delete(found, target), np.delete(cosines, target), atol=2e-6)


@pytest.mark.parametrize("name", MARGINS)
@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=5), st.permutations(range(5)))
def test_the_order_of_classes_does_not_matter(name, cosines, order):
    order = [place for place in order if place < len(cosines)]
    turned = [cosines[place] for place in order]

    assert loss_of(name, turned, order.index(0)) == pytest.approx(loss_of(name, cosines), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", MARGINS)
def test_gradients_are_finite_where_a_text_is_its_class_or_its_opposite(name):
    network = keras.Sequential([keras.Input((1, 2))])
    network.add(keras.layers.EinsumDense("bsn,n->bsn", (1, 2), kernel_initializer="ones"))
    network.compile(keras.optimizers.SGD(1.0), class_loss(LossConfig(name)), jit_compile=False)

    network.train_on_batch(np.array([[[1, -1]], [[-1, 1]], [[1, 1]]], "float32"), np.zeros(3, "int32"))

    assert np.isfinite(network.get_weights()[0]).all()


# ------------------------------------------------------------- half precision


def sparse_form(cosines, target, scale, margin):
    """am-softmax as the article writes it: the margin beside the logits, and the plain target taken out of the sum."""
    plain, dtype = cosines[target], cosines.dtype.type
    logits = dtype(scale) * np.append(cosines, plain - dtype(margin))
    total = logits.max() + np.log(np.exp(logits - logits.max()).sum())
    with np.errstate(all="ignore"):
        total = total + np.log(1 - np.exp(dtype(scale) * plain - total))
    return -logits[-1] + total


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6))
def test_am_softmax_is_the_article_s_sparse_form(cosines):
    expected = sparse_form(np.array(cosines, "float64"), 0, 30, 0.35)

    assert loss_of("am-softmax", cosines, dtype="float64") == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_half_precision_breaks_the_sparse_form_and_not_ours():
    cosines = [0.9, 0.1, -0.2]  # a text that is learned

    assert not np.isfinite(sparse_form(np.array(cosines, "float16"), 0, 30, 0.35))
    exact = loss_of("am-softmax", cosines, dtype="float64")
    assert loss_of("am-softmax", cosines, dtype="float16") == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("name", MARGINS)
@example([-0.9111328125, 1.0])
@given(st.lists(st.floats(-1, 1, width=16), min_size=2, max_size=6))
def test_all_losses_are_safe_in_half_precision(name, cosines):
    exact = loss_of(name, cosines, dtype="float64")

    unit = float(np.spacing(np.float16(max(exact, 128))))  # 1/8 up to 256, 1/4 above: circle reaches 300
    assert loss_of(name, cosines, dtype="float16") == pytest.approx(exact, abs=2 * unit)


def test_what_is_learned_against_a_batch_is_safe_in_half_precision():
    vectors = random_vectors(0, 4).astype("float16")
    labels = np.array([[NO_LABEL, 0], [NO_LABEL, 0], [1, NO_GROUP], [0, NO_GROUP]], "float16")

    found, exact = (
        float(vector_loss(LossConfig(), is_contrast=True)(labels.astype(dtype), vectors.astype(dtype)))
        for dtype in ("float16", "float64")
    )

    assert found == pytest.approx(exact, rel=0.02)


# ------------------------------------------------------------- against a vector of each group


def test_the_loss_of_classes_is_the_mean_over_both_texts_of_all_samples():
    cosines = np.array([[COSINES, [0.1, 0.2, 0.3]], [[-0.1, 0.4, 0], [1, 0, 0.6]]], "float32")

    found = float(class_loss(LossConfig("am-softmax"))(np.array([0, 2]), cosines))

    texts = [(COSINES, 0), ([0.1, 0.2, 0.3], 0), ([-0.1, 0.4, 0], 2), ([1, 0, 0.6], 2)]
    assert found == pytest.approx(sum(loss_of("am-softmax", *text) for text in texts) / 4, rel=1e-5)


def test_samples_without_a_group_cost_nothing():
    loss = class_loss(LossConfig("am-softmax"))
    cosines = np.random.default_rng(0).uniform(-1, 1, (4, 2, 3)).astype("float32")

    found = float(loss(np.array([0, NO_GROUP, 2, NO_GROUP]), cosines))

    assert found == pytest.approx(float(loss(np.array([0, 2]), cosines[[0, 2]])), rel=1e-6)
    assert float(loss(np.full(4, NO_GROUP), cosines)) == 0


def test_labels_of_groups_may_have_an_axis_more():
    """As Keras hands scalars over."""
    loss, cosines = class_loss(LossConfig()), np.random.default_rng(0).uniform(-1, 1, (4, 2, 3)).astype("float32")

    groups = np.array([0, 1, 2, NO_GROUP])

    assert float(loss(groups, cosines)) == float(loss(groups[:, None], cosines))


# ------------------------------------------------------------- against the others of the batch


def contrast(groups, vectors, labels=None, name="am-softmax"):
    """The loss of vectors (b, 2, d) told from the others of their batch."""
    labels = [NO_LABEL] * len(groups) if labels is None else labels
    columns = np.stack([labels, groups], axis=1).astype("float32")
    return float(vector_loss(LossConfig(name), is_contrast=True)(columns, np.asarray(vectors, "float32")))


def at(*angles):
    """Vectors (b, 2, 2) of two texts each, at angles in degrees."""
    return np.array([[[math.cos(math.radians(one)), math.sin(math.radians(one))] for one in pair] for pair in angles])


def test_in_batch_by_hand():
    # a's texts at 0 and 60 degrees, b's at 90 and 120
    found = contrast([0, 1], at((0, 60), (90, 120)), name="softmax")

    def cosines(*angles):
        return [30 * math.cos(math.radians(angle)) for angle in angles]

    from_first = entropy(cosines(60, 120)), entropy(cosines(30, 30))  # 0 to 60 and 120; 90 to 120 and 60
    from_second = entropy(cosines(60, 30)), entropy(cosines(30, 120))  # 60 to 0 and 90; 120 to 90 and 0
    assert found == pytest.approx(sum((*from_first, *from_second)) / 4, rel=1e-5)


def test_texts_of_the_same_group_are_left_out():
    angles = (0, 60), (90, 120), (10, 50)

    found = contrast([0, 1, 0], at(*angles))

    # the third sample is of the first one's group: both meet the second alone, and the second meets both
    vectors = at(*angles)
    expected = 0.0
    for one, other in ((vectors[:, 0], vectors[:, 1]), (vectors[:, 1], vectors[:, 0])):
        cosines = one @ other.T
        expected += loss_of("am-softmax", cosines[0, [0, 1]]) + loss_of("am-softmax", cosines[2, [2, 1]])
        expected += loss_of("am-softmax", cosines[1, [1, 0, 2]])
    assert found == pytest.approx(expected / 6, rel=1e-5)


def test_a_batch_of_one_group_has_nothing_to_tell_it_from():
    assert contrast([3, 3], random_vectors(0, 2)) == pytest.approx(0, abs=1e-5)


def test_labelled_pairs_are_others_to_the_groups_and_ask_nothing_themselves():
    vectors = random_vectors(1, 3)

    found = contrast([0, NO_GROUP, NO_GROUP], vectors, labels=[NO_LABEL, 1, 1])  # equal labels: CoSENT has no order

    rows = vectors[0, 0] @ vectors[:, 1].T, vectors[0, 1] @ vectors[:, 0].T
    assert found == pytest.approx(sum(loss_of("am-softmax", row) for row in rows) / 2, rel=1e-4)


def test_a_batch_without_groups_costs_what_its_pairs_cost():
    vectors, labels = random_vectors(2, 4), np.array([0, 1, 1, 0], "float32")

    found = contrast([NO_GROUP] * 4, vectors, labels)

    assert found == pytest.approx(float(cosent(np.sum(vectors[:, 0] * vectors[:, 1], -1), labels, 20.0)), rel=1e-5)


def test_without_contrast_groups_cost_nothing_here():
    labels = np.array([[NO_LABEL, 0], [NO_LABEL, 1]], "float32")

    assert float(vector_loss(LossConfig(), is_contrast=False)(labels, random_vectors(0, 2))) == 0


def test_pairs_have_their_scale_and_their_weight():
    labels = np.array([[1, NO_GROUP], [0, NO_GROUP]], "float32")
    vectors = at((0, 60), (0, 30)).astype("float32")

    found = float(vector_loss(LossConfig(pair_scale=2, pair_weight=3), is_contrast=False)(labels, vectors))

    assert found == pytest.approx(3 * math.log(1 + math.exp(2 * (math.sqrt(3) / 2 - 0.5))), rel=1e-5)


@given(SEEDS, st.lists(st.integers(NO_GROUP, 2), min_size=1, max_size=5), st.data())
def test_neither_the_order_of_samples_nor_that_of_their_texts_nor_a_turn_of_all_matters(seed, groups, data):
    order = data.draw(st.permutations(range(len(groups))))
    labels = [NO_LABEL if group != NO_GROUP else place % 3 for place, group in enumerate(groups)]
    vectors = random_vectors(seed, len(groups))
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))
    expected = pytest.approx(contrast(groups, vectors, labels), rel=1e-3, abs=1e-3)

    assert contrast([groups[one] for one in order], vectors[order], [labels[one] for one in order]) == expected
    assert contrast(groups, vectors[:, ::-1], labels) == expected
    assert contrast(groups, vectors @ turn, labels) == expected


# ------------------------------------------------------------- CoSENT


def cost(cosines, labels, scale=20.0):
    return float(cosent(np.array(cosines, "float32"), np.array(labels, "float32"), scale))


def test_cosent_by_hand():
    # 1 stands above 0 twice: .8 above .3, and .1 above .3, which is wrong
    expected = math.log(1 + math.exp(2 * (0.3 - 0.8)) + math.exp(2 * (0.3 - 0.1)))

    assert cost([0.3, 0.8, 0.1], [0, 1, 1], scale=2) == pytest.approx(expected, rel=1e-5)


def test_graded_labels_are_all_compared():
    # 5 above 2, 5 above 0 and 2 above 0; how far labels are apart does not matter
    gaps = 0.6 - 0.5, 0.2 - 0.5, 0.2 - 0.6
    expected = math.log(1 + sum(math.exp(2 * gap) for gap in gaps))

    assert cost([0.2, 0.6, 0.5], [0, 2, 5], scale=2) == pytest.approx(expected, rel=1e-5)
    assert cost([0.2, 0.6, 0.5], [0, 0.1, 0.2], scale=2) == pytest.approx(expected, rel=1e-5)


def test_where_the_order_is_right_cosent_is_nearly_nothing():
    assert cost([-1, 1], [0, 1]) == pytest.approx(math.log1p(math.exp(-40)), abs=1e-9)
    gaps = sum(map(math.exp, (-6, -10, -16)))
    assert cost([0.1, 0.4, 0.9], [0, 1, 2]) == pytest.approx(math.log1p(gaps), rel=1e-3)
    assert cost([1, -1], [0, 1]) == pytest.approx(40)


@pytest.mark.parametrize("labels", [[1, 1, 1], [NO_LABEL] * 3, [NO_LABEL, 0, NO_LABEL], [NO_LABEL, 1, NO_LABEL]])
def test_without_two_labels_that_differ_there_is_no_order(labels):
    assert cost([0.5, -0.5, 0.1], labels) == 0


@given(st.lists(st.tuples(st.floats(-0.5, 0.5, width=32), st.integers(0, 5)), min_size=1, max_size=6), SEEDS)
def test_cosent_counts_the_order_of_labels_and_the_distances_of_cosines(pairs, seed):
    cosines, labels = np.array(pairs).T
    order = np.random.default_rng(seed).permutation(len(pairs))
    expected = pytest.approx(cost(cosines, labels), rel=1e-3, abs=1e-4)

    assert cost(cosines[order], labels[order]) == expected
    assert cost(cosines, 3 * labels**3 + 1) == expected
    assert cost(cosines + 0.25, labels) == expected
    assert cost([*cosines, 0.9, -0.9], [*labels, NO_LABEL, NO_LABEL]) == expected


@given(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32))
def test_cosent_falls_as_the_pair_of_the_greater_label_comes_nearer(low, high):
    nearer = min(high + 0.125, 1)

    assert cost([low, nearer], [0, 1]) <= cost([low, high], [0, 1]) + 1e-6


# ------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": "am-softmx"}, r"loss\.groups: .*am-softmax"),
        ({"contrast": "pairs"}, r"loss\.contrast must be one of batch, classes, both; found 'pairs'"),
    ],
)
def test_a_loss_or_a_contrast_that_is_not_known_is_refused(settings, message):
    with pytest.raises(KexueError, match=message):
        LossConfig(**settings)
