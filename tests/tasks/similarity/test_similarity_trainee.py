"""What an encoder of texts learns from: two texts of a group, two noisy copies of one alone, or a labelled pair."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from kexue_cli.config import FORMAT, write_json
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoding import EncodingConfig
from kexue_cli.tasks.similarity import load
from kexue_cli.tasks.similarity.config import (
    NETWORK,
    VECTOR,
    AugmentationConfig,
    LossConfig,
    NetworkConfig,
    SimilarityConfig,
)
from kexue_cli.tasks.similarity.losses import NO_GROUP, NO_LABEL
from kexue_cli.tasks.similarity.records import Group, Pair
from kexue_cli.tasks.similarity.trainee import SentenceEncoder
from kexue_cli.text.vocabulary import UNKNOWN
from kexue_cli.training.config import TrainingConfig
from kexue_cli.training.trainer import Reports, Trainer
from kexue_cli.zoo import CONFIG

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # inside Keras

BLUETOOTH = "怎么开通蓝牙", "如何打开蓝牙", "启用蓝牙"
REFUND = "退款多久到账"
SAME, DIFFERENT = Pair("怎么退款", "如何退款", 1.0), Pair("怎么退款", "怎么启用", 0.0)
KNOWN = "怎么如何开通打启用关闭停取消蓝牙花呗漫游闪付退款多久到账短信"
VOCABULARY = Pair(KNOWN, KNOWN)  # without a label nothing is learned from it, but its characters are known
GROUPS = [Group(BLUETOOTH), Group((REFUND,))]
EXAMPLES = [SAME, *GROUPS, VOCABULARY, DIFFERENT]  # samples: the two pairs, then three texts and one
PAIRS, FIRST, ALONE = range(2), range(2, 5), 5


def make(examples=EXAMPLES, development=(), *, words="", loss=None, network=None, **augmentation):
    """What is trained; samples are varied as is told, and not at all without it."""
    settings = {"delete_characters": 0.0, **augmentation}
    config = SimilarityConfig(
        encoder="",
        network=NetworkConfig(width=8, vector=6, pairs=0, **(network or {})),
        preprocessor=EncodingConfig(words=words),
        augmentation=AugmentationConfig(**settings),
        loss=LossConfig(**(loss or {})),
    )
    return SentenceEncoder(examples, development, config)


def sample_of(encoder, index, seed=0):
    """Both texts of a sample as they can be read, ? for unknown, and its labels."""
    inputs, labels = encoder.sample(index, np.random.default_rng(seed))
    characters = "|?" + "".join(encoder.encoder.vocabulary.characters)
    texts = tuple("".join(characters[one] for one in inputs[f"text_{side}"]) for side in "ab")
    return texts, labels


# ------------------------------------------------------------- samples


def test_there_is_a_sample_of_each_labelled_pair_and_of_each_text_of_a_group():
    assert len(make()) == 2 + 3 + 1
    assert len(make(repeat_groups=4)) == 2 + 4 * (3 + 1)


@pytest.mark.parametrize(("index", "pair"), [(0, SAME), (1, DIFFERENT)])
def test_a_labelled_pair_comes_in_both_orders_with_its_label(index, pair):
    encoder = make()

    found = [sample_of(encoder, index, seed) for seed in range(20)]

    assert {texts for texts, _ in found} == {(pair.text_a, pair.text_b), (pair.text_b, pair.text_a)}
    for _, labels in found:
        assert labels["vectors"][0] == pair.label


def test_a_pair_of_the_highest_label_is_a_group_of_its_own():
    pairs = [Pair("退款", "到账", label) for label in (0.0, 5.0, 2.5, 5.0)]
    encoder = make([*pairs, *GROUPS])

    of_pairs = [sample_of(encoder, index)[1]["vectors"].tolist() for index in range(4)]

    assert [label for label, _ in of_pairs] == [0, 5, 2.5, 5]
    first, highest, middle, another = (group for _, group in of_pairs)
    assert first == middle == NO_GROUP
    assert len({highest, another, 0, 1}) == 4  # 0 and 1 are the groups


def test_pairs_have_no_group_if_so_told():
    encoder = make(loss={"contrast_pairs": False})

    assert [sample_of(encoder, index)[1]["vectors"].tolist() for index in PAIRS] == [[1, NO_GROUP], [0, NO_GROUP]]


def test_a_pair_is_of_none_of_the_classes():
    encoder = make(loss={"contrast": "classes"})

    for index in PAIRS:
        assert sample_of(encoder, index)[1]["classes"] not in range(encoder.classes)


def test_each_text_of_a_group_meets_each_other_one_and_never_itself():
    encoder = make(loss={"contrast": "classes"})

    for index, text in zip(FIRST, BLUETOOTH, strict=True):
        met = set()
        for seed in range(40):
            texts, labels = sample_of(encoder, index, seed)
            assert labels["vectors"].tolist() == [NO_LABEL, NO_GROUP]
            assert labels["classes"] == 0
            met.add(texts)
        others = set(BLUETOOTH) - {text}
        assert met == {(text, other) for other in others} | {(other, text) for other in others}


def test_a_text_alone_meets_itself_and_is_told_from_its_batch_for_it_has_no_vector():
    texts, labels = sample_of(make(loss={"contrast": "classes"}), ALONE)

    assert texts == (REFUND, REFUND)
    assert labels["vectors"].tolist() == [NO_LABEL, 1]
    assert labels["classes"] == NO_GROUP


def test_a_text_alone_meets_a_noisy_copy_of_itself():
    encoder = make(delete_characters=0.3)

    found = [sample_of(encoder, ALONE, seed)[0] for seed in range(50)]

    assert sum(one != other for one, other in found) > 25
    kept = sum(len(text) for texts in found for text in texts)
    assert kept / (100 * len(REFUND)) == pytest.approx(0.7, abs=0.1)
    for texts in found:
        for text in texts:
            left = iter(REFUND)
            assert text
            assert all(character in left for character in text)  # in the order of the text


def test_at_least_one_character_stays():
    assert sample_of(make(delete_characters=1.0), ALONE)[0] == (REFUND, REFUND)


def test_words_may_be_hidden():
    assert set("".join(sample_of(make(drop_words=1.0), 0)[0])) == {"?"}
    assert "|?".index("?") == UNKNOWN


def test_a_long_text_is_learned_from_its_beginning():
    assert sample_of(make(longest_text=3), ALONE)[0] == (REFUND[:3],) * 2


def test_a_sample_depends_on_the_generator_only():
    encoder = make(delete_characters=0.3, drop_words=0.3)

    for index in range(len(encoder)):
        one, other = (sample_of(encoder, index, seed=3) for _ in range(2))
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1]["vectors"], other[1]["vectors"])


def test_words_have_their_vectors():
    encoder = make(words="word-vectors")

    inputs, _ = encoder.sample(0, np.random.default_rng(0))

    assert inputs.keys() == {"text_a", "text_b", "words_a", "words_b"}
    for side in "ab":
        assert inputs[f"words_{side}"].shape == (4, encoder.config.network.word_dimension)
        assert inputs[f"words_{side}"].any()


# ------------------------------------------------------------- classes or batch


@pytest.mark.parametrize(("contrast", "classes"), [("batch", 0), ("classes", 1), ("both", 1)])
def test_groups_have_a_vector_each_or_are_told_from_the_others_of_their_batch(contrast, classes):
    encoder = make(loss={"contrast": contrast})

    assert encoder.classes == classes
    outputs = {"vectors", "classes"} if classes else {"vectors"}
    assert sample_of(encoder, 0)[1].keys() == encoder.losses().keys() == set(encoder.build().output) == outputs


def test_without_groups_there_are_no_classes():
    encoder = make([SAME, DIFFERENT], loss={"contrast": "classes"})

    assert (encoder.classes, len(encoder)) == (0, 2)
    assert encoder.losses().keys() == {"vectors"}


@pytest.mark.parametrize("examples", [[], [VOCABULARY]])
def test_nothing_to_learn_from_is_an_error(examples):
    with pytest.raises(KexueError, match="neither a labelled pair nor a group"):
        make(examples)


# ------------------------------------------------------------- training

OPEN, CLOSE = ("开通", "打开", "启用"), ("关闭", "停用", "取消")  # 启用 and 停用 share a character, and differ


def asked(verbs, things):
    return tuple(f"怎么{verb}{thing}" for verb in verbs for thing in things)


TRAINED = "蓝牙", "花呗", "漫游", "闪付"
AS_GROUPS = [Group(asked(verbs, TRAINED)) for verbs in (OPEN, CLOSE)]
AS_PAIRS = [
    Pair(f"怎么{one}{thing}", f"怎么{other}{thing}", float((one in OPEN) == (other in OPEN)))
    for thing in TRAINED
    for one in OPEN + CLOSE
    for other in OPEN + CLOSE
    if one < other
]
DEVELOPMENT = [Group(asked(verbs, ["短信"])) for verbs in (OPEN, CLOSE)]  # 怎么启用短信 is spelt most like 怎么停用短信


@pytest.mark.parametrize(
    ("examples", "contrast"),
    [(AS_GROUPS, "classes"), (AS_GROUPS, "batch"), (AS_PAIRS, "batch"), (AS_GROUPS + AS_PAIRS, "batch")],
    ids=["groups and their vectors", "groups of a batch", "pairs", "groups and pairs"],
)
def test_it_learns_to_tell_opening_from_closing(examples, contrast, tmp_path):
    plain = {"dropout": 0.0, "gate_dropout": 0.0}
    encoder = make([*examples, VOCABULARY], DEVELOPMENT, loss={"contrast": contrast}, network=plain)
    config = TrainingConfig(epochs=8, batch_size=12, learning_rate=0.02, ema_momentum=0.5)
    trainer = Trainer(encoder, config, tmp_path, "mark")
    before = encoder.evaluate(trainer.open_network)

    trainer.train(Reports())

    after = encoder.evaluate(trainer.open_network)
    assert before["top1"] < 1
    assert after == {"top1": 1, "mrr": 1, "score": 1}


def test_what_is_saved_is_the_encoder_with_the_best_threshold(tmp_path):
    encoder = make(EXAMPLES, [Pair(REFUND, REFUND, 1.0), DIFFERENT])
    trainer = Trainer(encoder, TrainingConfig(), tmp_path / "work", "mark")
    folder = tmp_path / "model"
    folder.mkdir()

    settings = encoder.save(folder, trainer.open_network)

    write_json(folder / CONFIG, {"format": FORMAT, "task": "similarity", **settings})
    model = load(folder, open_network=trainer.open_network)
    one, other = model.vectors([DIFFERENT.text_a, DIFFERENT.text_b])
    assert model.decoding.threshold == pytest.approx((1 + one @ other) / 2, abs=1e-5)  # equal texts have cosine 1
    assert one.shape == (6,)
    assert model.folder == folder


def test_texts_for_development_are_compared_before_and_after_export():
    encoder = make(EXAMPLES, [SAME, Group(BLUETOOTH)])

    samples = encoder.compared_samples(lambda name: None)

    ids = encoder.encoder.vocabulary.ids
    assert samples.keys() == {NETWORK}
    expected = [ids(text).tolist() for text in (SAME.text_a, SAME.text_b, *BLUETOOTH)]
    assert [sample["text"].tolist() for sample in samples[NETWORK]] == expected


def test_the_encoder_alone_is_kept():
    encoder = make()

    networks = encoder.networks(encoder.build())

    assert networks.keys() == {NETWORK}
    assert set(networks[NETWORK].output) == {VECTOR}


def test_pairs_that_are_all_different_are_not_made_alike():
    group = Group(("怎么开通", "开通"))
    encoder = make([Pair("怎么开通", "怎么关闭", 0.0), Pair("买票", "退票", 0.0), group])

    assert [sample_of(encoder, index)[1]["vectors"].tolist() for index in (0, 1)] == [[0, NO_GROUP], [0, NO_GROUP]]


def test_pairs_that_are_all_the_same_are_learned_as_groups_of_two():
    encoder = make([Pair("怎么开通", "开通", 1.0), Pair("退票", "怎么退票", 1.0)])

    assert [sample_of(encoder, index)[1]["vectors"].tolist() for index in (0, 1)] == [[1, 0], [1, 1]]


@pytest.mark.parametrize(("label", "loss"), [(0.0, {}), (1.0, {"contrast_pairs": False})])
def test_pairs_of_one_label_teach_nothing_if_none_is_contrasted(label, loss):
    with pytest.raises(KexueError, match=f"all pairs have the label {label:g}; give pairs of another label too"):
        make([Pair("怎么开通", "怎么关闭", label), Pair("买票", "退票", label)], loss=loss)


def test_a_group_of_one_text_has_no_vector():
    encoder = make([Group(("怎么开通",)), Group(("退票", "怎么退票"))], loss={"contrast": "classes"})

    assert encoder.classes == 1
    assert [sample_of(encoder, index)[1]["classes"].tolist() for index in range(3)] == [NO_GROUP, 0, 0]


def test_too_many_groups_for_a_vector_each_are_an_error(monkeypatch):
    monkeypatch.setattr("kexue_cli.tasks.similarity.trainee.MOST_CLASSES", 1)
    groups = [Group(("怎么开通", "开通")), Group(("退票", "怎么退票"))]

    with pytest.raises(KexueError, match=r"2 groups are too many .*; give --set loss\.contrast=batch"):
        make(groups)
    assert make(groups, loss={"contrast": "batch"}).classes == 0
