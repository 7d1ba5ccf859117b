"""Whatever bytes, settings or numbers there are: an answer or one of our errors, and nothing else.

benchmarks/fuzz.py looks farther, for as long as one wishes, along the branches of the code.
"""

import contextlib
import importlib
import json
import math
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kexue_cli import records
from kexue_cli.batching import output_of
from kexue_cli.config import from_mapping, read_toml
from kexue_cli.datasets import DATASETS
from kexue_cli.datasets.checks import CHECKS
from kexue_cli.datasets.reader import read_records
from kexue_cli.errors import KexueError
from kexue_cli.main import LONGEST_MESSAGE, one_line
from kexue_cli.onnx_file import check_network
from kexue_cli.segmentation.lexicon import read_weights
from kexue_cli.segmentation.trie import read_trie
from kexue_cli.segmentation.user_dictionary import read_user_dictionary
from kexue_cli.tasks.linking.entities import read_entity
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.zoo import read_config, read_sums

SOME = settings(max_examples=40)
FEW = settings(max_examples=10)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = sorted(
    {"text", "question", "passages", "answers", "answer", "triples", "subject", "predicate", "object", "mentions",
     "mention", "start", "id", "name", "aliases", "count", "occurrences", "types", "facts", "description", "text_a",
     "text_b", "label", "texts", "standard", "queries", "condition", "prefix", "words", "word", "gold", "url", "tags",
     "paragraphs", "context", "qas", "data", "spo_list", "subject_type", "object_type", "subject_id", "alias",
     "annotation", "begin", "entity", "mention_data", "kb_id", "offset", "evidences", "evidence", "passage",
     "query", "@value", "base", "desc", "type", "is_impossible", "version", "score"}
)  # fmt: skip
LIKELY = st.recursive(  # with the names of fields that readers look for
    st.none()
    | st.integers(-2, 10)
    | st.floats()
    | st.sampled_from(["", "鲁迅", "呐喊", "鲁迅写了《呐喊》。", "\ud800", " "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=20,
)


def check_told(error: KexueError) -> None:
    """Fail unless an error is one line that can be shown, and says something."""
    assert str(error)
    assert one_line(str(error)).isprintable()
    assert len(one_line(str(error))) < 20 * LONGEST_MESSAGE


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


LINES = st.lists(
    st.one_of(
        LIKELY.map(dumped),
        st.text(max_size=20),
        st.lists(st.sampled_from(["鲁迅", "1", "", "呐喊", '"', "a,b", "《"]), max_size=5).map("\t".join),
        st.lists(st.sampled_from(["鲁迅", "1", "", "呐喊", '"', "kb_id", "mention", "offset", "text"])).map(",".join),
    ),
    max_size=4,
).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


# ------------------------------------------------------------- data


@pytest.mark.parametrize("form", [None, *DATASETS])
@given(data=LINES | LIKELY.map(lambda value: dumped(value).encode()) | st.binary(max_size=40))
@FEW
def test_any_data_are_records_or_an_error(place, form, data):
    place.write_bytes(data)
    task = "qa" if form is None else DATASETS[form].task
    try:
        for _, record in read_records([str(place)], task, form):
            assert isinstance(record, dict)
            records.dump(record)
    except KexueError as error:
        check_told(error)


@pytest.mark.parametrize("task", CHECKS)
@given(record=st.dictionaries(st.sampled_from(FIELDS), LIKELY, max_size=6))
@FEW
def test_any_record_can_be_checked(task, record):
    module = importlib.import_module(CHECKS[task].module)

    module.sizes(record)
    for problem in module.problems(record):
        assert problem.text


@given(
    text=LIKELY.map(dumped) | st.text(max_size=30) | st.integers(1, 6000).map(lambda size: '{"a": ' + "9" * size + "}")
)
@SOME
def test_any_line_is_a_record_that_can_be_written_or_an_error(text):
    try:
        record = records.parse_record(text, "a", 1)
    except KexueError:
        return
    written = records.dump(record)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1


@pytest.mark.parametrize("depth", [199, 201, 990, 1_000, 1_100, 100_000])
@pytest.mark.parametrize("inner", ["1", "12345678901234567890123", '"[[["'])
def test_a_record_of_any_depth_can_be_written_or_is_an_error(depth, inner):
    text = '{"a":' * depth + inner + "}" * depth
    if depth < 200:
        assert records.dump(records.parse_record(text, "a", 1)).decode() == text + "\n"
        return

    with pytest.raises(KexueError, match=r"^a:1: (lists and objects stand in one another|not JSON at column)") as error:
        records.parse_record(text, "a", 1)
    check_told(error.value)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, 'a = "\xff"', "a = 1\na = 2", "= ="])
def test_any_toml_is_settings_or_an_error(place, text):
    place.write_bytes(text.encode("latin-1"))

    with pytest.raises(KexueError, match="is not TOML"):
        read_toml(place)


@given(value=LIKELY)
@SOME
def test_any_entity_is_read_or_an_error(value):
    with contextlib.suppress(KexueError):
        read_entity({"id": "E1", "name": "鲁迅", "facts": value, "aliases": value})
        read_entity(value)


# ------------------------------------------------------------- files of a model


READERS = {
    "lexicon": read_weights,
    "user dictionary": lambda path: read_user_dictionary(str(path)),
    "vocabulary": Vocabulary.read,
    "trie": read_trie,
    "network": check_network,
}


@pytest.mark.parametrize("reader", READERS)
@given(
    data=LINES
    | st.binary(max_size=100)
    | st.lists(st.sampled_from(["北京\t1", "北京\t-1e400", "\t", "a\tnan", "<padding>"])).map(
        lambda lines: "\n".join(lines).encode()
    )
)
@SOME
def test_any_file_is_read_or_an_error(place, reader, data):
    place.write_bytes(data)
    try:
        READERS[reader](place)
    except KexueError as error:
        check_told(error)


@given(data=st.binary(max_size=60) | LIKELY.map(lambda value: dumped(value).encode()))
@SOME
def test_any_settings_and_sums_are_read_or_an_error(place, data):
    for name, read in (("config.json", read_config), ("SHA256SUMS", read_sums)):
        (place.parent / name).write_bytes(data)
        try:
            read(place.parent)
        except KexueError as error:
            check_told(error)


CONFIGS = [
    ("kexue_cli.tasks.qa.config", "ReaderConfig"),
    ("kexue_cli.tasks.triples.config", "TriplesConfig"),
    ("kexue_cli.tasks.linking.config", "LinkingConfig"),
    ("kexue_cli.tasks.similarity.config", "SimilarityConfig"),
    ("kexue_cli.tasks.generation.config", "GenerationConfig"),
]


@pytest.mark.parametrize(("module", "name"), CONFIGS)
@given(data=st.data())
@SOME
def test_any_value_of_a_setting_is_taken_or_an_error(module, name, data):
    kind = getattr(importlib.import_module(module), name)
    values = json.loads(json.dumps(asdict(kind())))
    table = data.draw(st.sampled_from(sorted(values)))
    value = data.draw(JSON)
    if isinstance(values[table], dict) and values[table]:
        values[table][data.draw(st.sampled_from(sorted(values[table])))] = value
    else:
        values[table] = value
    try:
        assert isinstance(from_mapping(kind, values, "config"), kind)
    except KexueError as error:
        check_told(error)


# ------------------------------------------------------------- decoders: any numbers that a network may give

ANY = {"allow_nan": True, "allow_infinity": True, "width": 32}
TEXT = "鲁迅的《呐喊》，小说。"


def pointers(*columns: int):
    return st.integers(0, len(TEXT)).flatmap(
        lambda length: arrays.arrays(np.float32, (length, *columns), elements=st.floats(**ANY))
    )


@given(start=pointers(), end=pointers())
@SOME
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_pointers_are_answers_within_the_text(start, end):
    from kexue_cli.tasks.qa.config import DecodingConfig
    from kexue_cli.tasks.qa.decoding import spans_of, vote

    size = min(len(start), len(end))
    spans = spans_of(start[:size], end[:size], TEXT[:size], passage=0, offset=0, config=DecodingConfig())
    finite = [span for span in spans if math.isfinite(span.score) and span.score < 2]
    for candidate in vote(finite, [TEXT], DecodingConfig(), question="谁？"):
        assert TEXT[candidate.start : candidate.end] == candidate.answer
        assert 0 <= candidate.score <= 1


@given(subjects=pointers(2), objects=pointers(4))
@SOME
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_pointers_are_triples_within_the_text(subjects, objects):
    from kexue_cli.tasks.triples.config import DecodingConfig
    from kexue_cli.tasks.triples.decoding import points_of, subjects_of, triples_of, without_repeats

    found = []
    for subject in subjects_of(subjects, DecodingConfig()):
        assert 0 <= subject.start < subject.end <= len(subjects)
        points_of(subject.start, subject.end)
        found += triples_of(subject, objects, ["作者", "主演"], DecodingConfig())
    for triple in without_repeats(found, TEXT):
        assert 0 <= triple.object_start < triple.object_end <= len(objects)


@given(mentions=pointers(2))
@SOME
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_pointers_are_mentions_that_do_not_overlap(mentions):
    from kexue_cli.tasks.linking.config import DecodingConfig
    from kexue_cli.tasks.linking.decoding import spans_of, surest

    kept = surest(spans_of(mentions, DecodingConfig()), set(), DecodingConfig())
    assert all(0 <= span.start < span.end <= len(mentions) for span in kept)
    assert all(one.end <= other.start for one, other in pairwise(kept))


@given(
    logits=arrays.arrays(np.float32, (2, 6), elements=st.floats(**ANY)),
    beam=st.integers(0, 3),
    temperature=st.floats(0, 2),
)
@SOME
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_logits_are_texts_or_an_error(logits, beam, temperature):
    from kexue_cli.tasks.generation.config import DecodingConfig
    from kexue_cli.tasks.generation.decoding import Written, search_beam, write_drawn
    from kexue_cli.tasks.generation.form import Demands, Form

    config = replace(DecodingConfig(), beam=beam, temperature=temperature)
    demands = Demands({"甲": 2, "乙": 3}, 4, 5, Form())
    texts = [Written([], demands), Written([], demands)]

    def step(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return logits[[0] * len(ids)]

    try:
        if beam:
            texts = search_beam(step, logits[:1], texts[0], config, 4)
        else:
            list(write_drawn(step, logits, texts, [np.random.default_rng(row) for row in (0, 1)], config, 4))
    except KexueError as error:
        check_told(error)
        return
    assert all(0 <= one < 4 for text in texts for one in text.ids)
    assert all(math.isfinite(text.mean) for text in texts)


@given(
    array=arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, min_side=0, max_side=3), elements=st.floats(**ANY))
)
@SOME
def test_any_output_of_a_network_is_of_its_shape_and_finite_or_an_error(array):
    try:
        assert output_of({"start": array}, "start", None, 2).shape[1] == 2
        assert np.isfinite(array).all()
    except KexueError as error:
        check_told(error)


# ------------------------------------------------------------- text


@given(text=st.text(max_size=60))
@SOME
def test_any_message_is_one_line_that_can_be_shown(text):
    assert one_line(text).isprintable()
    assert len(one_line(text * 1000)) < 20 * 2001
