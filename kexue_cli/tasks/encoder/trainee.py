"""The text encoder as training sees it: samples of raw text with hidden words, the share of them that is guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, collate
from kexue_cli.errors import KexueError
from kexue_cli.tasks.encoder.config import ENCODER, LanguageModelConfig
from kexue_cli.tasks.encoding import VOCABULARY, digests, is_punctuation, make_encoder
from kexue_cli.text.normalization import normalize
from kexue_cli.text.vocabulary import PADDING, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    import keras
    import numpy.typing as npt

    from kexue_cli.tasks.task import OpenNetwork

BLOCK = 1 << 20  # characters that are put into arrays at once
EVALUATED = 64  # samples that are evaluated together


class LanguageModel:
    """An encoder to be trained on raw text."""

    monitor = "accuracy"
    longest = "text"

    def __init__(self, texts: Sequence[str], config: LanguageModelConfig) -> None:
        """Raises KexueError if there is too little text."""
        config = replace(config, preprocessor=replace(config.preprocessor, digests=digests(config.preprocessor)))
        self.vocabulary = Vocabulary.count(map(normalize, texts), config.pretraining.least_count)
        self.encoder = make_encoder(self.vocabulary, config.preprocessor)
        network = replace(config.network, vocabulary_size=len(self.vocabulary), word_dimension=self.encoder.dimension)
        self.config = replace(config, network=network)
        self.ids, self.rows, self.is_begin = self._arrays(texts)
        order = np.random.default_rng(0).permutation(len(self.ids))
        kept = min(config.pretraining.development, len(order) // 10)
        if not kept:
            raise KexueError(
                f"the text is too short: at least {10 * config.pretraining.length} characters are needed to learn from"
            )
        self.development, self.training = np.sort(order[:kept]), np.sort(order[kept:])

    def _arrays(self, texts: Iterable[str]) -> "tuple[npt.NDArray[Any], ...]":
        """Return ids, rows of word vectors and whether a word begins (n, length), with padding between texts."""
        blocks: list[list[npt.NDArray[Any]]] = []
        waiting: list[tuple[npt.NDArray[Any], ...]] = []
        size = 0
        generator = np.random.default_rng(0)
        for text in texts:
            encoded = self.encoder.encode(text)
            if generator.random() < self.config.pretraining.strip_punctuation:
                encoded = encoded.keep(~is_punctuation(encoded))
            begins = encoded.boundaries()[:, 0] > 0
            waiting.append((encoded.ids, encoded.rows[encoded.word_of], begins))
            waiting.append((np.array([PADDING], np.int32), np.zeros(1, np.int32), np.ones(1, np.bool_)))
            size += len(encoded.ids) + 1
            if size >= BLOCK:
                blocks.append(self._joined(waiting))
                waiting, size = [], 0
        if waiting:
            blocks.append(self._joined(waiting))
        return tuple(np.concatenate(column) for column in zip(*blocks, strict=True))

    def _joined(self, waiting: "list[tuple[npt.NDArray[Any], ...]]") -> "list[npt.NDArray[Any]]":
        """Return whole samples; what is left over at the end is shorter than one."""
        length = self.config.pretraining.length
        columns = [np.concatenate(column) for column in zip(*waiting, strict=True)]
        kept = len(columns[0]) // length * length
        ids, rows, begins = (column[:kept].reshape(-1, length) for column in columns)
        return [ids.astype(np.uint16), rows.astype(np.uint16), begins]

    def __len__(self) -> int:
        return len(self.training)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        """Return text (t,), words (t, v) and the hidden places (k,), and the characters there (k,)."""
        return self._sample(self.training[index], generator)

    def _sample(self, row: int, generator: np.random.Generator) -> tuple[Sample, Sample]:
        ids, rows = self.ids[row].astype(np.int32), self.rows[row].astype(np.int32)
        word_of = np.cumsum(self.is_begin[row])
        is_hidden = (generator.random(word_of[-1] + 1) < self.config.pretraining.hidden)[word_of] & (ids != PADDING)
        if not is_hidden.any():
            is_hidden[0] = True
        hidden = np.flatnonzero(is_hidden).astype(np.int32)
        inputs: Sample = {"text": np.where(is_hidden, UNKNOWN, ids).astype(np.int32), "hidden": hidden}
        if self.encoder.vectors is not None:
            inputs["words"] = self.encoder.vectors.vectors(np.where(is_hidden, 0, rows))
        return inputs, {"characters": ids[hidden]}

    def build(self) -> "keras.Model":
        """Return the language model, with new weights."""
        from kexue_cli.tasks.encoder.network import build

        return build(self.config.network)

    def networks(self, trained: "keras.Model") -> "dict[str, keras.Model]":
        """Return the encoder."""
        return {ENCODER: trained.get_layer(ENCODER)}

    def losses(self) -> dict[str, Any]:
        """Return the cross entropy of the hidden characters."""
        import keras

        return {"characters": keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)}

    def evaluate(self, open_network: "OpenNetwork") -> dict[str, float]:
        """Return the share of hidden characters that are guessed right."""
        network = open_network("")
        right = total = 0
        rows = iter(self.development.tolist())
        while group := list(islice(rows, EVALUATED)):
            samples = [self._sample(row, np.random.default_rng(row)) for row in group]
            labels = collate([labels for _, labels in samples])["characters"]
            guesses = network(collate([inputs for inputs, _ in samples]))["characters"].argmax(axis=-1)
            right += int(((guesses == labels) & (labels != PADDING)).sum())
            total += int((labels != PADDING).sum())
        return {"accuracy": right / total}

    def save(self, folder: Path, open_network: "OpenNetwork") -> dict[str, Any]:
        """Write the vocabulary and return the settings."""
        self.vocabulary.write(folder / VOCABULARY)
        return asdict(self.config)

    def compared_samples(self, open_network: "OpenNetwork") -> dict[str, Sequence[Sample]]:
        """Return nothing: an encoder alone is not run, and so not exported."""
        return {}
