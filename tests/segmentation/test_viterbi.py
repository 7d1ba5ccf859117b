"""The best cut, plain and compiled, against every cut there is."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.records import Block
from kexue_cli.segmentation import viterbi
from kexue_cli.segmentation.lattice import lattice
from kexue_cli.segmentation.segmenter import DecodingConfig, Segmenter, _Compiled
from kexue_cli.segmentation.trie import NO_TRIE, build_trie, whole_weight

PLAIN = DecodingConfig(-10.0, 0.0, 0.0, frequency_slope=1.0, frequency_intercept=0.0)
HAN_TEXT = st.text(alphabet="天地人和大小", max_size=9)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)
CHINESE_TEXT = st.text(alphabet="我爱北京天安门3.a年一二十 \t\r\n，。…é\u0301😀", max_size=60)
WORDS = st.dictionaries(st.text(alphabet="天地人和大小", min_size=1, max_size=4), st.integers(-9, 9), max_size=12)


def segmenter(weights: dict[str, float], user: dict[str, int] | None = None) -> Segmenter:
    trie = build_trie({word: whole_weight(weight) for word, weight in weights.items()})
    return Segmenter(trie, PLAIN, build_trie(user) if user else NO_TRIE)


def every_cut(text: str):
    for cuts in itertools.product([False, True], repeat=max(len(text) - 1, 0)):
        places = [0, *(index + 1 for index, is_cut in enumerate(cuts) if is_cut), len(text)]
        yield [text[start:end] for start, end in itertools.pairwise(places)]


def test_the_heaviest_cut_wins():
    cutter = segmenter({"研究": 3, "研究生": 4, "生命": 3, "命": 1, "起源": 2, "的": 1})

    # 研究 生命 weighs 3 + 3, 研究生 命 weighs 4 + 1
    assert cutter.segment("研究生命的起源") == ["研究", "生命", "的", "起源"]


@given(WORDS, HAN_TEXT)
def test_no_other_cut_weighs_more(weights, text):
    def weight(words):
        return sum(max(weights.get(word, -1e9), -10 if len(word) == 1 else -1e9) for word in words)

    best = max(map(weight, every_cut(text))) if text else 0

    assert weight(segmenter(weights).segment(text)) == best


@settings(deadline=None)
@given(st.one_of(CHINESE_TEXT, ANY_TEXT))
def test_plain_and_compiled_code_give_the_same(text):
    cutter = segmenter({"北京": 2, "天安门": 3, "我爱": 1, "爱": 1, "安": 0})
    data = text.encode()

    status, plain = cutter._plain_starts(data)
    compiled_status, compiled = COMPILED.starts(data)

    assert status == compiled_status == 0
    assert plain == compiled
    block = Block(data, 1)
    expected = cutter.write(block, "/")
    assert COMPILED.write(data, compiled, b"/", False) == expected


COMPILED = _Compiled(segmenter({"北京": 2, "天安门": 3, "我爱": 1, "爱": 1, "安": 0}))


@given(st.one_of(CHINESE_TEXT, ANY_TEXT))
def test_words_joined_are_the_text(text):
    assert "".join(segmenter({"北京": 2, "我爱": 1}).segment(text)) == text


@given(CHINESE_TEXT)
def test_offsets_are_code_points(text):
    for span in segmenter({"北京": 2, "天安门": 3}).spans(text):
        assert text[span.start : span.end] == span.word


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x80",
        b"\xc0\x80",  # overlong
        b"\xe0\x80\x80",  # overlong
        b"\xed\xa0\x80",  # a surrogate
        b"\xe4\xb8",  # cut off
        b"\xf4\x90\x80\x80",  # above U+10FFFF
        b"\xf0\x80\x80\x80",  # overlong
        b"\xe4\xb8\x41",
    ],
)
def test_bytes_that_are_not_utf8_are_found(data):
    text = "好\n".encode() + data + b"\n"

    status, _ = segmenter({"好": 1})._plain_starts(text)
    compiled_status, _ = COMPILED.starts(text)

    assert status == compiled_status == -1 - 4  # the offset behind 好 and the line feed


def test_a_word_never_ends_inside_a_run_of_letters_and_digits():
    cutter = segmenter({"股": 0}, {"A股": viterbi.FORCED_WEIGHT, "T恤": viterbi.FORCED_WEIGHT})

    assert cutter.segment("买A股和T恤") == ["买", "A股", "和", "T恤"]
    assert cutter.segment("买BA股") == ["买", "BA", "股"]


def test_a_users_word_without_frequency_beats_lexicon_and_rules():
    cutter = segmenter({"中国": 9, "国人": 9}, {"国": viterbi.FORCED_WEIGHT, "5月1日": viterbi.FORCED_WEIGHT})

    assert cutter.segment("中国人5月1日") == ["中", "国", "人", "5月1日"]


def test_of_overlapping_user_words_those_that_cover_most_win():
    forced = viterbi.FORCED_WEIGHT
    cutter = segmenter({"人": 0}, {"天地": forced, "地人和": forced, "天": forced})

    assert cutter.segment("天地人和") == ["天", "地人和"]


def test_a_stretch_without_certain_boundary_is_cut_at_the_window():
    text = "天地" * 6000  # 天地 and 地天 overlap everywhere, so no boundary is certain

    words = segmenter({"天地": 1, "地天": 1}).segment(text)

    assert "".join(words) == text
    assert set(words) == {"天地"}


def test_the_lattice_holds_the_chosen_words():
    cutter = segmenter({"研究": 3, "研究生": 4, "生命": 3, "命": 1})

    edges = lattice(cutter, "研究生命3")

    assert [edge.word for edge in edges if edge.is_chosen] == cutter.segment("研究生命3") == ["研究", "生命", "3"]
    assert ("研究生", 4.0, "lexicon") in {(edge.word, edge.weight, edge.source) for edge in edges}
    assert ("3", -10.0, "rule") in {(edge.word, edge.weight, edge.source) for edge in edges}


def test_traditional_text_meets_the_simplified_lexicon():
    cutter = segmenter({"北京": 2, "天安门": 3})

    assert cutter.segment("北京天安門") == ["北京", "天安門"]


def test_several_threads_may_share_a_segmenter():
    from concurrent.futures import ThreadPoolExecutor

    cutter = segmenter({"北京": 2, "天安门": 3})
    texts = [f"北京天安门{index}" for index in range(200)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(cutter.segment, texts))

    assert answers == [["北京", "天安门", str(index)] for index in range(200)]


def test_work_space_is_left_clean():
    cutter = segmenter({"天地": 1, "地人": 2})
    work = [[0] * 8 for _ in range(4)]
    data = "天地人天地人\n天地人".encode()

    tries = (cutter.trie.units, cutter.table, NO_TRIE.units, cutter.table)
    viterbi.segment_block(data, len(data), *tries, *cutter.settings, bytearray(len(data) + 1), *work)

    assert work[0] == [viterbi.UNREACHED] * 7 + [0]  # of the longest line, and nothing more
