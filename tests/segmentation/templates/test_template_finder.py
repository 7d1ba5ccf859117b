"""Templates are found with the counts that listing all paths would give."""

import importlib.util
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kexue_cli.errors import KexueError
from kexue_cli.segmentation.corpus import Corpus
from kexue_cli.segmentation.templates.clauses import read_clauses
from kexue_cli.segmentation.templates.finder import FinderConfig, find_templates, saved_bits

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "templates.py"
FREQUENT = FinderConfig(min_probability=0.1, min_pmi=0.5)
ALL = FinderConfig(min_probability=1e-9, min_pmi=-9, min_count=1, keep_trivial=True)


def listed(clauses, config):
    """The templates by the literal enumeration of the benchmark."""
    if not BENCHMARK.is_file():
        pytest.skip("benchmarks are not installed")
    spec = importlib.util.spec_from_file_location("templates_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.list_templates(clauses, config)


@pytest.fixture(scope="module")
def find(tmp_path_factory):
    """Find the templates of clauses of words."""
    folder = tmp_path_factory.mktemp("finder")

    def run(clauses, config):
        (folder / "corpus.txt").write_text("".join(" ".join(clause) + "\n" for clause in clauses), "utf-8")
        corpus = read_clauses(Corpus([str(folder / "corpus.txt")]), None, folder / "clauses")
        return find_templates(corpus, config, folder)

    return run


def counts(found):
    return {template.words: template.count for template in found.templates}


CLAUSES = st.lists(st.lists(st.sampled_from("天地玄黄宇宙洪荒"), min_size=1, max_size=8), min_size=1, max_size=10)
CONFIGS = st.builds(
    FinderConfig,
    window=st.integers(1, 6),
    min_probability=st.sampled_from([1e-5, 0.01, 0.04]),
    min_pmi=st.sampled_from([-5.0, 0.0, 0.5, 1.0]),
    min_count=st.integers(1, 3),
    keep_trivial=st.just(True),
)


@settings(max_examples=60)
@given(clauses=CLAUSES, config=CONFIGS)
def test_the_counts_are_those_of_all_paths(find, clauses, config):
    assert counts(find(clauses, config)) == listed(clauses, config)


def test_words_that_attract_each_other_make_a_template_and_others_its_placeholders(find):
    clauses = [[word, "是", "什么", "意思"] for word in "天地玄黄"] + [["我", "在"], ["你", "在"]]

    found = find(clauses, FinderConfig(min_probability=0.05, min_pmi=0.5))  # 天 and 是 are 1 of 26 pairs

    assert counts(found)[None, "是", "什么", "意思"] == 4


def test_a_word_between_placeholders_is_trivial_and_left_out_unless_it_is_asked_for(find):
    clauses = [["天", "的", "地"], ["玄", "的", "黄"], ["宇", "的", "宙"]]

    assert (None, "的", None) not in counts(find(clauses, FinderConfig()))
    assert counts(find(clauses, FinderConfig(keep_trivial=True)))[None, "的", None] == 3


def test_a_clause_of_18_linked_words_has_52656_paths_which_are_not_listed(find):
    clause = [chr(ord("一") + number) for number in range(18)]
    least = 6 / (5 * 52656)  # more than five of the paths

    found = find([clause] * 5, FinderConfig(min_probability=least, min_pmi=0.1, max_paths=10**9))

    assert (found.paths, found.largest, found.templates) == (5 * 52656, 52656, [])


def test_a_hundred_linked_words_have_more_paths_than_could_ever_be_listed(find):
    clause = [chr(ord("一") + number) for number in range(100)]

    found = find([clause] * 2, FinderConfig(min_pmi=0.1, max_paths=10**99))

    assert found.paths > 1e28
    assert found.templates == []


def test_a_clause_with_too_many_paths_is_left_out_and_counted(find):
    clause = [chr(ord("一") + number) for number in range(18)]

    found = find([clause] * 5 + [["如何", "评价"]] * 3, FinderConfig(min_probability=1e-3, min_pmi=0.1, max_paths=1000))

    assert (found.left_out, found.clauses) == (5, 3)
    assert counts(found) == {("如何", "评价"): 3}


def test_repeated_words_make_the_same_template_several_times(find):
    # 天 is linked to both 地: 天地 (which ends at the second 地), 天 X 地, and 天地地 is the path over both
    found = find([["天", "地", "地"]], ALL)

    assert counts(found) == listed([["天", "地", "地"]], ALL) == {("天", "地", "地"): 1, ("天", None, "地"): 1}


def test_saved_bits_are_those_of_joining_the_words():
    # p = 4/16, p(如何) = p(评价) = 1/4: 4 * (log2(1/4 / (1/16)) - log2 e)
    bits = saved_bits(("如何", "评价", None), 4, {"如何": 0.25, "评价": 0.25}, 16)

    assert bits == pytest.approx(4 * (2 - 1 / math.log(2)))


def test_templates_that_save_most_come_first(find):
    found = find([["如何", "评价", word] for word in "天地玄黄"] + [["宇", "在"], ["宙", "在"]], FREQUENT)

    bits = [template.bits for template in found.templates]
    assert bits == sorted(bits, reverse=True)
    assert found.templates[0].words == ("如何", "评价", None)


def test_marks_and_ends_of_lines_part_clauses_and_what_reads_as_a_placeholder_does_too(tmp_path):
    (tmp_path / "corpus.txt").write_text("天 ， 地\u3000玄\n\n黄 [X] 天\r\n", "utf-8")

    clauses = read_clauses(Corpus([str(tmp_path / "corpus.txt")]), None, tmp_path / "clauses")

    text = "".join(clauses.words[number] or "|" for number in clauses.ids)
    assert [part for part in text.split("|") if part] == ["天", "地玄", "黄", "天"]
    assert dict(zip(clauses.words, clauses.counts.tolist(), strict=True)) == {"": 0, "天": 2, "地": 1, "玄": 1, "黄": 1}


def test_all_white_space_that_str_split_knows_separates_words(tmp_path):
    spaces = [chr(code) for code in range(0x3100) if chr(code).isspace()]
    text = "".join(f"天{space}\u2010地ê{space}" for space in spaces) + "天\u200b\u2030地、ᚁ"
    (tmp_path / "corpus.txt").write_text(text, "utf-8", newline="")

    clauses = read_clauses(Corpus([str(tmp_path / "corpus.txt")]), None, tmp_path / "clauses")

    assert [clauses.words[number] for number in clauses.ids if number] == text.split()


@given(st.lists(st.text("天地玄黄ab𠀀，\x08", min_size=1, max_size=12), max_size=30))
def test_words_get_numbers_of_their_own(tmp_path_factory, tokens):
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "corpus.txt").write_text(" ".join(tokens), "utf-8")

    clauses = read_clauses(Corpus([str(folder / "corpus.txt")]), None, folder / "clauses")

    words = [token for token in tokens if any(map(str.isalnum, token))]
    assert [clauses.words[number] for number in clauses.ids if number] == words


def test_a_bad_template_file_is_named_by_line(tmp_path):
    from kexue_cli.segmentation.templates.template import read_templates

    (tmp_path / "templates.tsv").write_text("template\tcount\tbits\n[X] 的 [X]\t3\n[X] [X]\t2\n", "utf-8")

    with pytest.raises(KexueError, match=r"templates.tsv:3: expected a template such as .* found '\[X\] \[X\]"):
        read_templates(tmp_path / "templates.tsv")
