"""Conditional text generation: texts of a kind that is told, by a language model with conditional normalization.

Article: https://kexue.fm/archives/7124
Data:    any JSON lines with a text and what it is conditioned on; see kexue_cli/tasks/generation/records.py
Score:   see models/cln-generation/metrics.json
Not here: facts. What is written is in the manner of what was learned, and need not be true.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kexue_cli.batching import by_length, collate, output_of
from kexue_cli.config import part_of
from kexue_cli.errors import KexueError
from kexue_cli.records import SCORE_DIGITS, Record, add_answer
from kexue_cli.tasks.encoding import VOCABULARY
from kexue_cli.tasks.generation.conditions import VALUES, Fields
from kexue_cli.tasks.generation.config import (
    CONDITION,
    DECODER,
    MARKS,
    DecodingConfig,
    FieldsConfig,
    NetworkConfig,
    past_names,
    state_names,
)
from kexue_cli.tasks.generation.decoding import Step, Written, guided, log_probabilities, search_beam, write_drawn
from kexue_cli.tasks.generation.form import Demands, Form, of_text
from kexue_cli.tasks.generation.preprocessor import Preprocessor, windows
from kexue_cli.tasks.generation.records import Condition, Request, Text, read_request
from kexue_cli.text.vocabulary import Vocabulary
from kexue_cli.zoo import read_config

if TYPE_CHECKING:
    from kexue_cli.runtimes import Runtime

TASK = "generation"
ROWS = 16  # texts that are written at once
EVALUATED = 2048  # characters that are evaluated at once
CONDITIONS = 256  # that are computed at once
OWN = ("form", "samples", "seed", "prefix", "watch")  # settings that are not of the decoding


class Draft(NamedTuple):
    """A text to be written: what is asked for, and which of several that are asked for it is, from 1."""

    request: Request
    number: int = 1


class Generation:
    """A generation model, ready to write."""

    def __init__(
        self,
        preprocessor: Preprocessor,
        networks: "dict[str, Runtime]",
        decoding: DecodingConfig,
        *,
        form: Form | None = None,
        samples: int = 1,
        seed: int = 0,
        prefix: str = "",
        watch: Callable[[str], None] | None = None,
    ) -> None:
        """form: of all texts; samples: texts of each record; seed: where their drawing starts.

        prefix: of texts whose record has none. watch: is given the characters of each text as they are written, and a
        line feed at its end; texts are then written one after another.
        """
        self.preprocessor = preprocessor
        self.networks = networks
        self.decoding = decoding
        self.form = form or Form()
        self.samples, self.seed = samples, seed
        self.prefix, self.watch = prefix, watch

    def with_settings(self, **settings: Any) -> "Generation":
        """Return the same model with some of its own settings, as the constructor has them, or of its decoding changed.

        Raises KexueError for settings out of their limits, and for what a beam cannot do.
        """
        own = {name: settings.pop(name, getattr(self, name)) for name in OWN}
        decoding = replace(self.decoding, **settings)
        if decoding.beam and own["samples"] > decoding.beam:
            raise KexueError(f"a beam of {decoding.beam} has no {own['samples']} texts; widen it, or ask for fewer")
        if decoding.beam and own["watch"]:
            raise KexueError("a beam search knows no character of a text before its end; draw it, with a beam of 0")
        return Generation(self.preprocessor, self.networks, decoding, **own)

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with "text", "sample" and "score" as often as samples are wanted.

        The score is the mean log-probability of a character, under demands and guidance. Raises KexueError for a
        condition that is not known, and for demands that cannot be met.
        """
        records = list(records)
        names = self.preprocessor.fields.names
        requests = [read_request(record, names, self.prefix) for record in records]
        numbers = range(1, self.samples + 1)
        drafts = [Draft(request, number) for request in requests for number in numbers]
        texts = self.write(drafts)
        repeated = (record for record in records for _ in numbers)
        for record, (request, number), text in zip(repeated, drafts, texts, strict=True):
            answer = {"text": self.text(request, text), "sample": number, "score": round(text.mean, SCORE_DIGITS)}
            yield add_answer(record, answer, TASK)

    def text(self, request: Request, written: Written) -> str:
        """Return what was written for a request, its prefix as it was given."""
        return request.prefix + self.preprocessor.text(written.ids[len(self.preprocessor.prefix(request.prefix)) :])

    def write(self, drafts: Sequence[Draft]) -> list[Written]:
        """Return the text of each draft. What is drawn depends on seed, request and number only."""
        if self.decoding.beam:
            texts = {
                key: self._search(request)
                for key, request in {_key(draft.request): draft.request for draft in drafts}.items()
            }
            return [self._nth(texts[_key(request)], number) for request, number in drafts]
        written: dict[int, Written] = {}
        for rows in self._batches(drafts):
            written |= dict(zip(rows, self._draw([drafts[row] for row in rows]), strict=True))
        return [written[row] for row in range(len(drafts))]

    def _batches(self, drafts: Sequence[Draft]) -> Iterator[list[int]]:
        """Yield the rows of drafts that are written at once: their prompts are of equal lengths."""

        def lengths(row: int) -> tuple[int, int]:
            request = drafts[row].request
            return len(self.preprocessor.lead(request.condition)), len(self.preprocessor.prefix(request.prefix))

        if self.watch:
            yield from ([row] for row in range(len(drafts)))
            return
        for _, alike in groupby(sorted(range(len(drafts)), key=lengths), key=lengths):
            while rows := list(islice(alike, ROWS)):
                yield rows

    def _draw(self, drafts: Sequence[Draft]) -> list[Written]:
        """Return the texts of drafts whose prompts are of equal lengths."""
        requests = [draft.request for draft in drafts]
        room = min(map(self._room, requests))
        texts = [self._begun(request) for request in requests]
        generators = [np.random.default_rng((self.seed, number, _hash(request))) for request, number in drafts]
        step, logits = self._start(requests)
        shown = ""
        for _ in write_drawn(step, logits, texts, generators, self.decoding, room):
            if self.watch:
                so_far = self.text(requests[0], texts[0])
                self.watch(so_far[len(shown) :])
                shown = so_far
        if self.watch:
            self.watch("\n")
        return texts

    def _search(self, request: Request) -> list[Written]:
        room, text = self._room(request), self._begun(request)
        return search_beam(*self._start([request]), text, self.decoding, room)

    def _nth(self, texts: Sequence[Written], number: int) -> Written:
        if number > len(texts):
            raise KexueError(f"the search found {len(texts)} texts only; ask for fewer with -n, or widen --beam")
        return texts[number - 1]

    def _begun(self, request: Request) -> Written:
        """Return a text as it begins, with what is demanded of it."""
        form = self.form
        source = self.preprocessor.fields.source(request.condition)
        if self.decoding.mirror and source and not form.slots:
            form = of_text(source, form.banned, form.required)
        network = self.preprocessor.network
        demands = Demands(self.preprocessor.vocabulary.numbers, network.begin, network.end, form)
        prefix = self.preprocessor.prefix(request.prefix)
        demands.check(prefix)
        wanted = max([len(form.slots), *(place + 1 for place in form.required or ())])
        if (more := wanted - len(prefix)) > (room := self._room(request)):
            raise KexueError(f"{more} more characters are demanded; at most {room} can be written")
        return Written(prefix, demands)

    def _room(self, request: Request) -> int:
        """Return how many characters may be written: those wanted at most, if the network sees as many.

        Raises KexueError if the prefix leaves no room.
        """
        longest = self.preprocessor.network.longest
        room = longest - len(self._prompt(request))
        if room < 1:
            raise KexueError(f"prefix is too long; the model sees {longest} characters at once")
        return min(self.decoding.max_length, room)

    def _prompt(self, request: Request) -> list[int]:
        """Return the ids of what stands before a text, and of how it begins."""
        return self.preprocessor.lead(request.condition) + self.preprocessor.prefix(request.prefix)

    def _start(self, requests: Sequence[Request]) -> tuple[Step, np.ndarray]:
        """Return what makes further logits, and the logits (n, V) of the first character behind each prompt."""
        asked = [requests]
        if self.decoding.guidance != 1:
            asked.append([replace(request, condition={}) for request in requests])
        writers = [Writer(self, self.conditions([request.condition for request in its])) for its in asked]
        prompts = [np.array(list(map(self._prompt, its))) for its in asked]

        def combined(logits: Sequence[np.ndarray]) -> np.ndarray:
            return logits[0] if len(logits) == 1 else guided(logits[0], logits[1], self.decoding.guidance)

        def step(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return combined([writer(ids[:, None], rows) for writer in writers])

        rows = np.arange(len(requests))
        return step, combined([writer(ids, rows) for writer, ids in zip(writers, prompts, strict=True)])

    def log_likelihoods(self, texts: Sequence[Text]) -> np.ndarray:
        """Return for each text the sum of the log-probabilities of its characters, and how many there are (n, 2).

        The end of a text counts as a character, one that is not known as what all of those are together. A text that
        is longer than what the network sees at once is read in windows, each character behind half a window at least.
        """
        longest = self.preprocessor.network.longest
        samples, counted = [], []
        for index, text in enumerate(texts):
            ids, lead = self.preprocessor.ids(text)
            for start, first in windows(len(ids) - 1, longest, longest // 2):
                samples.append(ids[start : start + longest + 1])
                counted.append((index, max(first, lead - 1) - start))
        conditions = self.conditions([text.condition for text in texts])
        sums = np.zeros((len(texts), 2))
        for batch in by_length([len(sample) for sample in samples], EVALUATED):
            owners = [counted[row][0] for row in batch]
            ids = collate([{"ids": samples[row]} for row in batch])["ids"]
            logits = Writer(self, conditions[owners]).logits(ids[:, :-1], np.arange(len(batch)))
            for row, owner, found in zip(batch, owners, logits, strict=True):
                labels, first = samples[row][1:], counted[row][1]
                scores = log_probabilities(found[first : len(labels)])
                sums[owner] += scores[np.arange(len(scores)), labels[first:]].sum(), len(scores)
        return sums

    def conditions(self, conditions: Sequence[Condition]) -> np.ndarray:
        """Return conditions as the network has them (n, c)."""
        samples = [self.preprocessor.condition(condition) for condition in conditions]
        parts = [samples[first : first + CONDITIONS] for first in range(0, len(samples), CONDITIONS)]
        size = self.preprocessor.network.condition
        outputs = [self.networks[CONDITION](collate(part)) for part in parts]
        return np.concatenate([output_of(output, CONDITION, None, size) for output in outputs])


class Writer:
    """The decoder with what it has seen: rows that go on from rows."""

    def __init__(self, model: Generation, conditions: np.ndarray) -> None:
        """conditions: (n, c)."""
        self.decoder = model.networks[DECODER]
        self.conditions = conditions
        self.preprocessor = model.preprocessor
        network = model.preprocessor.network
        self.kept = max(network.runs, default=1) - 1  # ids of the past that runs of characters reach back to
        self.recent = np.zeros((len(conditions), 0), np.int32)
        shape = (len(conditions), network.heads, 0, network.width // network.heads)
        self.past = [np.zeros(shape, np.float32) for _ in state_names(network.depth)]

    def __call__(self, ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the logits (m, V) of what follows ids (m, t), which follow what the rows (m,) have seen."""
        return self.logits(ids, rows)[:, -1]

    def logits(self, ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the logits (m, t, V) of what follows each of ids."""
        self.conditions = self.conditions[rows]
        length = ids.shape[1]
        ids = np.concatenate([self.recent[rows], ids], axis=1).astype(np.int32)
        self.recent = ids[:, max(0, ids.shape[1] - self.kept) :]
        seen = {name: array[:, -length:] for name, array in self.preprocessor.seen(ids).items()}
        inputs = {**seen, CONDITION: self.conditions, "parents": rows.astype(np.int32)}
        network = self.preprocessor.network
        outputs = self.decoder(inputs | dict(zip(past_names(network.depth), self.past, strict=True)))
        size = network.width // network.heads
        self.past = [
            output_of(outputs, name, len(rows), network.heads, None, size, is_checked=False)
            for name in state_names(network.depth)
        ]
        return output_of(outputs, "characters", len(rows), length, network.vocabulary_size, is_checked=False)


def _key(request: Request) -> str:
    return json.dumps(asdict(request), ensure_ascii=False, sort_keys=True)


def _hash(request: Request) -> int:
    """Return a number that depends on a request: what is drawn for one does not depend on those beside it."""
    return zlib.crc32(_key(request).encode())


def load(folder: str | Path, *, threads: int = 1, open_network: "Callable[[str], Runtime] | None" = None) -> Generation:
    """Return the model in a folder. open_network: opens a network of the folder by its name.

    Raises KexueError if the folder is damaged.
    """
    path = Path(folder)
    preprocessor = read_preprocessor(path)
    decoding = part_of(read_config(path), "decoding", DecodingConfig, path)
    assert open_network is not None
    networks = {name: open_network(name) for name in (CONDITION, DECODER)}
    return Generation(preprocessor, networks, decoding)


def read_preprocessor(folder: Path) -> Preprocessor:
    """Return what the model in a folder makes arrays with. Raises KexueError if the folder is damaged."""
    values = read_config(folder)
    network = part_of(values, "network", NetworkConfig, folder)
    fields = Fields.read(folder, part_of(values, "fields", FieldsConfig, folder))
    vocabulary = Vocabulary.read(folder / VOCABULARY)
    if len(vocabulary) + MARKS != network.vocabulary_size:
        found = f"{len(vocabulary):,} entries; the network knows {network.vocabulary_size - MARKS:,}"
        raise KexueError(f"{folder / VOCABULARY} has {found}; see: kexue models verify")
    if fields.shape(network) != network:
        raise KexueError(f"{folder / VALUES} does not fit {folder / 'config.json'}; see: kexue models verify")
    return Preprocessor(vocabulary, fields, network)
