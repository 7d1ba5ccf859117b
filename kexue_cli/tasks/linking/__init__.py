"""Entity linking: the mentions of a text, and which entity of a knowledge base each is, if any.

Article: https://kexue.fm/archives/6919
Data:    CCKS2019, CCKS2020 and own records; readers in kexue_cli/datasets/
Score:   see models/dgcnn-linking/metrics.json
Not here: entities that the base does not have get no id; texts are not clustered by them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, output_of
from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.fields import member
from kexue_cli.records import SCORE_DIGITS, Record, add_answer
from kexue_cli.tasks.encoding import EncodedText, Encoder, load_vocabulary, make_encoder, windows
from kexue_cli.tasks.linking.config import (
    CHOICE,
    ENTITIES,
    MENTIONS,
    DecodingConfig,
    NetworkConfig,
    PreprocessorConfig,
)
from kexue_cli.tasks.linking.decoding import Span, spans_of, surest
from kexue_cli.tasks.linking.knowledge_base import KnowledgeBase, candidate
from kexue_cli.tasks.linking.metrics import Choice
from kexue_cli.tasks.linking.preprocessor import (
    Candidate,
    Name,
    choice_sample,
    context_of,
    text_sample,
)
from kexue_cli.tasks.linking.records import read_labelled_text
from kexue_cli.zoo import read_config

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime

_Spans = dict[tuple[int, int], tuple[int, Span]]  # by their places in a text: window, and span there
TOKENS = 4096  # characters of texts that a network reads at once
COMPARED = 256  # candidates that are compared at once
WINDOWS = 256  # that are held at once
BESIDE = 8  # words of an entity that are context for the other mentions of its text


@dataclass(frozen=True)
class Link:
    """A mention, text[start:end], and the entities that it may mean with their probabilities, the likeliest first."""

    start: int
    end: int
    score: float  # that it is a mention
    entities: tuple[tuple[int, float], ...] = ()  # places in the base; what is missing to 1 is that it is none of them

    def entity(self, least: float) -> tuple[int | None, float]:
        """Return the place of the likeliest entity and the score; None if it seems to be none of them.

        least: probability that it is a mention of any of them.
        """
        some = self.score * sum(probability for _, probability in self.entities)
        if not self.entities or some < least:
            return None, self.score - some
        place, probability = self.entities[0]
        return place, self.score * probability


@dataclass(frozen=True)
class Part:
    """A window of a text, encoded, with the names of the base in it."""

    text: int  # number of the text
    start: int  # where the window begins
    encoded: EncodedText
    names: tuple[Name, ...]

    def name_at(self, start: int, end: int) -> Name | None:
        """Return the name of the base at a place of the window."""
        return next((name for name in self.names if (name.start, name.end) == (start, end)), None)


class EntityLinking:
    """A linker, ready to read."""

    def __init__(
        self,
        encoder: Encoder,
        networks: "Mapping[str, Runtime]",
        base: KnowledgeBase,
        preprocessor: PreprocessorConfig,
        decoding: DecodingConfig,
    ) -> None:
        """networks: MENTIONS and ENTITIES."""
        self.encoder = encoder
        self.networks = networks
        self.base = base
        self.preprocessor = preprocessor
        self.decoding = decoding

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record {"text"} with its "mentions".

        Raises KexueError for a record without a text.
        """
        records = list(records)
        texts = [member(record, "text", str) for record in records]
        for record, text, links in zip(records, texts, self.link(texts), strict=True):
            yield add_answer(record, {"mentions": [self._mention(text, link) for link in links]})

    def choose(self, records: Iterable[Record]) -> Iterator[list[Choice]]:
        """Yield for each labelled record what is chosen for its linked mentions, whose places are given.

        Raises KexueError for a record that is no labelled text.
        """
        labelled = [read_labelled_text(record) for record in records]
        spans = [[Span(one.start, one.end, 1.0) for one in text.mentions if one.is_linked] for text in labelled]
        for text, links in zip(labelled, self.link([text.text for text in labelled], spans), strict=True):
            by_place = {(link.start, link.end): link for link in links}
            choices = []
            for mention in text.mentions:
                if mention.is_linked:
                    unseen = Link(mention.start, mention.end, 0.0)  # too long for two windows to share
                    link = by_place.get((mention.start, mention.end), unseen)
                    place = None if mention.name is None else self.base.place_of_name(mention.name)
                    gold = mention.id if mention.name is None else None if place is None else self.base.entity(place).id
                    chosen, _ = link.entity(self.decoding.entity)
                    ids = tuple(self.base.entity(place).id for place, _ in link.entities)
                    choices.append(Choice(gold, None if chosen is None else self.base.entity(chosen).id, ids))
            yield choices

    def with_settings(self, *, base: KnowledgeBase | None = None, **settings: Any) -> "EntityLinking":
        """Return the same linker with some settings of its decoding changed. base: another than its own."""
        decoding = replace(self.decoding, **{name: value for name, value in settings.items() if value is not None})
        return EntityLinking(self.encoder, self.networks, base or self.base, self.preprocessor, decoding)

    def _mention(self, text: str, link: Link) -> Record:
        place, score = link.entity(self.decoding.entity)
        entity = None if place is None else self.base.entity(place)
        told = [(self.base.entity(one), probability) for one, probability in link.entities[: self.decoding.candidates]]
        return {
            "mention": text[link.start : link.end],
            "start": link.start,
            "end": link.end,
            "id": entity.id if entity else None,
            "name": entity.name if entity else None,
            "score": round(score, SCORE_DIGITS),
            "candidates": [
                {"id": one.id, "name": one.name, "score": round(probability, SCORE_DIGITS)} for one, probability in told
            ],
        }

    def link(self, texts: Sequence[str], spans: Sequence[Sequence[Span]] | None = None) -> list[list[Link]]:
        """Return the links of each text, in their order there. spans: the mentions of each text, if they are known."""
        return self._link(texts, spans, self._surest if spans is None else None)

    def possible(self, texts: Sequence[str]) -> list[list[Link]]:
        """Return the links of all spans that may be mentions, overlapping ones too."""
        return self._link(texts, None, None)

    def _link(
        self,
        texts: Sequence[str],
        given: Sequence[Sequence[Span]] | None,
        settle: "Callable[[_Spans, Sequence[Part]], _Spans] | None",
    ) -> list[list[Link]]:
        """Return the links of each text. settle: keeps some of the spans of a text, all if None."""
        links: list[list[Link]] = [[] for _ in texts]
        for group in _groups(part for number, text in enumerate(texts) for part in self.parts(number, text)):
            outputs = self.read([text_sample(part.encoded, self.encoder, part.names) for part in group])
            asked = []
            for spans in self._spans(group, outputs, given).values():
                kept = spans if settle is None else settle(spans, group)
                asked += [kept[place] for place in sorted(kept)]
            for (row, _), link in zip(asked, self._links(group, outputs, asked), strict=True):
                by = group[row].start
                links[group[row].text].append(replace(link, start=link.start + by, end=link.end + by))
        return links

    def parts(self, number: int, text: str) -> Iterator[Part]:
        """Yield each window of a text."""
        encoded = self.encoder.encode(text)
        for window in windows(len(encoded.text), self.preprocessor):
            part = encoded[window]
            names = tuple(
                Name(match.start, match.end, *self.base.seen(match.name)) for match in self.base.find(part.text)
            )
            yield Part(number, window.start, part, names)

    def candidates(self, name: str) -> list[Candidate]:
        """Return the entities that a mention may mean, at most as many as are compared."""
        number = self.base.number(name)
        if number is None:
            return []
        found = self.base.candidates(number)
        parts = (found.entities.tolist(), found.counts.tolist(), found.is_own.tolist())
        return [
            candidate(self.base, place, count, is_own)
            for place, count, is_own in islice(zip(*parts, strict=True), self.preprocessor.most_candidates)
        ]

    def read(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return the outputs of the first network for each text."""
        from kexue_cli.runtimes import run

        return run(self.networks[MENTIONS], samples, length="text", budget=TOKENS)

    def _spans(
        self, group: Sequence[Part], outputs: Sequence[Sample], given: Sequence[Sequence[Span]] | None
    ) -> "dict[int, _Spans]":
        """Return the possible mentions of each text by their places; what two windows show, as the surer shows it."""
        found: dict[int, _Spans] = {}
        for row, (part, output) in enumerate(zip(group, outputs, strict=True)):
            size = len(part.encoded.text)
            if given is None:
                text = part.encoded.text
                found_here = spans_of(output_of(output, MENTIONS, None, 2)[:size], self.decoding)
                inside = [span for span in found_here if not text[span.start : span.end].isspace()]
            else:
                moved = (_moved(span, -part.start) for span in given[part.text])
                inside = [span for span in moved if span.start >= 0 and span.end <= size]
            spans = found.setdefault(part.text, {})
            for span in inside:
                place = (span.start + part.start, span.end + part.start)
                if place not in spans or span.score > spans[place][1].score:
                    spans[place] = (row, span)
        return found

    def _surest(self, spans: "_Spans", group: Sequence[Part]) -> "_Spans":
        """Return the spans of a text that do not overlap and are the surest together."""
        known = {place for place, (row, span) in spans.items() if group[row].name_at(span.start, span.end)}
        kept = surest((Span(*place, span.score) for place, (_, span) in spans.items()), known, self.decoding)
        return {(span.start, span.end): spans[span.start, span.end] for span in kept}

    def _links(
        self, group: Sequence[Part], outputs: Sequence[Sample], asked: Sequence[tuple[int, Span]]
    ) -> Iterator[Link]:
        """Yield the link of each mention."""
        candidates = [self.candidates(group[row].encoded.text[span.start : span.end]) for row, span in asked]
        likeliest: list[int | None] = [None] * len(asked)  # the entities of the pass before
        for _ in range(self.decoding.passes):
            around = self._beside([group[row].text for row, _ in asked], likeliest)
            chosen = self.choices(
                [
                    self.choice_sample(group[row], span, output_of(outputs[row], "states", None, None), found, beside)
                    for (row, span), found, beside in zip(asked, candidates, around, strict=True)
                ]
            )
            likeliest = [
                found[int(choice[1 : len(found) + 1].argmax())].place if found else None
                for found, choice in zip(candidates, chosen, strict=True)
            ]
        for (_, span), found, choice in zip(asked, candidates, chosen, strict=True):
            probabilities = [(one.place, float(score)) for one, score in zip(found, choice[1:], strict=False)]
            ordered = sorted(probabilities, key=lambda item: -item[1])
            yield Link(span.start, span.end, span.score, tuple(ordered))

    def _beside(self, texts: Sequence[int], entities: Sequence[int | None]) -> "list[np.ndarray]":
        """Return what is said of the entities of each mention's neighbours in its text, as rows of word vectors."""
        said: dict[int, list[tuple[int, np.ndarray]]] = {}
        for index, (text, place) in enumerate(zip(texts, entities, strict=True)):
            if place is not None:
                said.setdefault(text, []).append((index, self.base.words[place][:BESIDE]))
        return [
            np.array([row for other, rows in said.get(text, ()) if other != index for row in rows if row], np.int32)
            for index, text in enumerate(texts)
        ]

    def choice_sample(
        self,
        part: Part,
        span: Span,
        states: "np.ndarray",
        candidates: "Sequence[Candidate] | None" = None,
        beside: "np.ndarray | None" = None,
    ) -> Sample:
        """Return the inputs of the second network for a mention.

        states (t, d): of its window; candidates: those of its name if None; beside: rows of what else is the context.
        """
        name = part.name_at(span.start, span.end)
        context = context_of(part.encoded, span.start, span.end, () if beside is None else beside.tolist())
        if candidates is None:
            candidates = self.candidates(part.encoded.text[span.start : span.end])
        sample = choice_sample(candidates, context, name.ratio if name else 0.0, self.encoder)
        return {**sample, "mention": states[span.start : span.end].mean(axis=0)}

    def choices(self, samples: Sequence[Sample]) -> list["np.ndarray"]:
        """Return the probabilities (c + 1,) of no entity and of each candidate, for each mention."""
        from kexue_cli.runtimes import run

        asked = [index for index, sample in enumerate(samples) if len(sample["candidates"])]
        outputs = run(
            self.networks[ENTITIES], [samples[index] for index in asked], length="candidates", budget=COMPARED
        )
        results = [np.ones(1, np.float32)] * len(samples)
        for index, output in zip(asked, outputs, strict=True):
            results[index] = output_of(output, CHOICE, None)
            if len(results[index]) <= len(samples[index]["candidates"]):
                raise KexueError(f"the network gives too few {CHOICE!r}; it is another model's")
        return results


def _groups(parts: Iterator[Part]) -> Iterator[list[Part]]:
    """Yield windows in groups; those of one text stay together, for what two of them show is settled once."""
    group: list[Part] = []
    for part in parts:
        if len(group) >= WINDOWS and part.start == 0:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)


def load(
    folder: str | Path, *, threads: int = 1, open_network: "Callable[[str], Runtime] | None" = None
) -> EntityLinking:
    """Return the linker in a folder, with its own base. open_network: opens a network of the folder by its name.

    Raises KexueError if the folder is damaged, or a model it refers to is not the one it was trained with.
    """
    path = Path(folder)
    values = read_config(path)
    preprocessor = part_of(values, "preprocessor", PreprocessorConfig, path)
    decoding = part_of(values, "decoding", DecodingConfig, path)
    network = part_of(values, "network", NetworkConfig, path)
    vocabulary = load_vocabulary(path, preprocessor, network.vocabulary_size)
    assert open_network is not None
    with ThreadPoolExecutor(2) as pool:  # the runtime opens a network in code that needs no GIL
        opened = {name: pool.submit(open_network, name) for name in (MENTIONS, ENTITIES)}
        encoder = make_encoder(vocabulary, preprocessor)
        base = KnowledgeBase(path)
        networks = {name: future.result() for name, future in opened.items()}
    return EntityLinking(encoder, networks, base, preprocessor, decoding)
