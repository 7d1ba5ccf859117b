"""Words found in texts that a reader can check."""

import random

import pytest

from kexue_cli.errors import KexueError
from kexue_cli.segmentation import nlp_zero, word_discovery
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.discovery import EntropyConfig, discover
from kexue_cli.segmentation.ngrams import count_ngrams
from kexue_cli.segmentation.segmenter import Segmenter
from kexue_cli.segmentation.training import HAN_AND_ALPHANUMERIC, HAN_ONLY
from kexue_cli.segmentation.trie import build_trie, whole_weight

SUBJECTS = [
    "葡萄",
    "蝴蝶",
    "玻璃",
    "蜻蜓",
    "骆驼",
    "琵琶",
    "蚂蚁",
    "枇杷",
]  # each bound in itself
VERBS = ["看", "买", "卖", "画", "找", "要", "爱", "怕"]
PEOPLE = ["我", "你", "他", "她"]
MANNERS = ["也", "都", "还", "就", "才"]


@pytest.fixture
def orchard(tmp_path):
    """Four hundred sentences such as 我也看葡萄: anyone, any way, any verb, any thing."""
    choose = random.Random(0).choice
    sentences = [choose(PEOPLE) + choose(MANNERS) + choose(VERBS) + choose(SUBJECTS) for _ in range(400)]
    path = tmp_path / "orchard.txt"
    path.write_text("\n".join(sentences) + "\n", "utf-8")
    return Corpus([str(path)])


def test_characters_that_always_meet_are_words(orchard):
    discovery = discover(orchard, count_ngrams(orchard, accepted=HAN_ONLY), EntropyConfig())

    words = {word for word in discovery.lexicon().words if len(word) > 1}

    assert set(SUBJECTS) <= words
    assert not words & {subject + verb for subject in SUBJECTS for verb in VERBS}


def test_a_discovered_lexicon_segments(orchard):
    discovery = discover(orchard, count_ngrams(orchard, accepted=HAN_ONLY), EntropyConfig())
    lexicon = discovery.lexicon()
    weights = {word: whole_weight(weight) for word, weight in zip(lexicon.words, lexicon.weights, strict=True)}

    cutter = Segmenter(build_trie(weights), discovery.decoding)

    assert cutter.segment("她还画蝴蝶，")[-2:] == ["蝴蝶", "，"]


def test_counts_in_the_lexicon_are_those_of_the_last_cut(orchard):
    discovery = discover(orchard, count_ngrams(orchard, accepted=HAN_ONLY), EntropyConfig())
    lexicon = discovery.lexicon()
    text = "".join(block.data.decode() for block in orchard.blocks())

    counts = dict(zip(lexicon.words, lexicon.counts, strict=True))

    assert counts["葡萄"] == text.count("葡萄")


def test_a_corpus_without_han_characters_is_refused(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_text("no words here 123\n", "utf-8")
    corpus = Corpus([str(path)])

    with pytest.raises(KexueError, match="no Han characters"):
        discover(corpus, count_ngrams(corpus, accepted=HAN_ONLY), EntropyConfig())


def test_nlp_zero_glues_pairs_with_high_mutual_information(orchard):
    ngrams = count_ngrams(orchard, accepted=HAN_AND_ALPHANUMERIC, least=1)

    words = nlp_zero.find_words(orchard, ngrams, HAN_AND_ALPHANUMERIC, nlp_zero.NlpZeroConfig(min_pmi=2.5))

    assert set(SUBJECTS) <= set(words)
    assert {word for word in words if len(word) > 1} == set(SUBJECTS)


def test_nlp_zero_takes_redundant_words_apart():
    # p(天地) p(人和) = 1/4 * 1/4; 天地人和 at 1/2 is only ln 8 = 2.08 above that, less than its length less 1 = 3
    words = nlp_zero.without_redundant(nlp_zero.Counter({"天地人和": 2, "天地": 1, "人和": 1}))

    assert words == {"天地": 3, "人和": 3}


def test_nlp_zero_keeps_words_that_are_more_than_their_parts():
    words = nlp_zero.without_redundant(nlp_zero.Counter({"天地": 50, "天": 1, "地": 1}))

    assert words == {"天地": 50, "天": 1, "地": 1}  # ln p(天地) - ln p(天) - ln p(地) = 7.8 > 1


def test_word_discovery_never_cuts_a_solid_string(orchard):
    ngrams = count_ngrams(orchard, accepted=HAN_AND_ALPHANUMERIC, least=8)
    config = word_discovery.WordDiscoveryConfig(least=8, min_pmi=(0.0, 2.5, 4.0, 6.0))

    words = word_discovery.find_words(orchard, ngrams, HAN_AND_ALPHANUMERIC, config)

    assert {word for word in words if len(word) > 1} == set(SUBJECTS)


@pytest.mark.parametrize(
    ("word", "is_solid"),
    [("天地", True), ("天地人", True), ("地人和", False), ("天地人和", True), ("天地人和气", False)],
)
def test_word_discovery_checks_long_words_piece_by_piece(word, is_solid):
    assert word_discovery.is_solid(word, {"天地", "天地人", "天地人和"}) is is_solid
