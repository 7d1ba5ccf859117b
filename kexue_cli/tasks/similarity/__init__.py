"""Sentence similarity and retrieval: texts as unit vectors whose cosine says how near their meanings are.

Article: https://kexue.fm/archives/5743 (GRU and am-softmax), https://kexue.fm/archives/8847 (CoSENT)
Data:    labelled pairs and groups of texts that mean the same; readers in kexue_cli/datasets/
Score:   see models/dgcnn-similarity/metrics.json
Not here: pairs are not read together, one text with the other in sight; that is slower by the number of candidates.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kexue_cli.batching import Sample, output_of
from kexue_cli.config import part_of
from kexue_cli.records import Record
from kexue_cli.tasks.encoding import EncodedText, Encoder, EncodingConfig, load_vocabulary, make_encoder
from kexue_cli.tasks.similarity.config import NETWORK, VECTOR, DecodingConfig, NetworkConfig
from kexue_cli.tasks.similarity.decoding import Answers, Comparison
from kexue_cli.zoo import read_config

if TYPE_CHECKING:
    import numpy.typing as npt

    from kexue_cli.runtimes import Runtime

    Vectors = npt.NDArray[np.float32]

TOKENS = 2048  # characters that the network reads at once
TEXTS = 1024  # that are held at once


class Similarity:
    """A similarity model, ready to compare."""

    def __init__(
        self,
        encoder: Encoder,
        runtime: "Runtime",
        decoding: DecodingConfig,
        dimension: int,
        *,
        folder: Path | None = None,
        answers: Answers | None = None,
    ) -> None:
        """dimension: of the vectors, d. answers: what records are answered with; None to compare their two texts."""
        self.encoder = encoder
        self.runtime = runtime
        self.decoding = decoding
        self.dimension = dimension
        self.folder = folder
        self.answers = answers or Comparison(decoding.threshold)

    def with_settings(self, *, answers: Answers | None = None, **settings: Any) -> "Similarity":
        """Return the same model with some settings of its decoding changed, or one that answers something else."""
        decoding = replace(self.decoding, **settings)
        return Similarity(self.encoder, self.runtime, decoding, self.dimension, folder=self.folder, answers=answers)

    def predict(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record with what it is to be answered with, "score" and "similar" unless set otherwise.

        Raises KexueError for a record without its texts.
        """
        return self.answers.answer(list(records), self.vectors)

    def vectors(self, texts: Sequence[str]) -> "Vectors":
        """Return the unit vectors (n, d) of texts. Raises KexueError if the network gives what is no number."""
        from kexue_cli.runtimes import run

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for first in range(0, len(texts), TEXTS):
            samples = [text_sample(self.encoder.encode(text), self.encoder) for text in texts[first : first + TEXTS]]
            for row, output in enumerate(run(self.runtime, samples, length="text", budget=TOKENS)):
                vectors[first + row] = output_of(output, VECTOR, self.dimension)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # that of a text without characters may be shorter
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


def text_sample(text: EncodedText, encoder: Encoder) -> Sample:
    """Return what the network reads of a text: text (t,), ids; words (t, v), vectors."""
    sample: Sample = {"text": text.ids}
    if encoder.dimension:
        sample["words"] = encoder.word_vectors(text)
    return sample


def dimension_of(network: NetworkConfig) -> int:
    """Return the numbers of a vector, d."""
    return (network.recurrent or network.vector) + network.pairs


def load(folder: str | Path, *, threads: int = 1, open_network: "Callable[[str], Runtime] | None" = None) -> Similarity:
    """Return the model in a folder. open_network: opens a network of the folder by its name.

    Raises KexueError if the folder is damaged, or a model it refers to is not the one it was trained with.
    """
    path = Path(folder)
    values = read_config(path)
    encoding = part_of(values, "preprocessor", EncodingConfig, path)
    decoding = part_of(values, "decoding", DecodingConfig, path)
    network = part_of(values, "network", NetworkConfig, path)
    vocabulary = load_vocabulary(path, encoding, network.vocabulary_size)
    assert open_network is not None
    with ThreadPoolExecutor(1) as pool:  # the runtime opens the network in code that needs no GIL
        runtime = pool.submit(open_network, NETWORK)
        encoder = make_encoder(vocabulary, encoding)
        return Similarity(encoder, runtime.result(), decoding, dimension_of(network), folder=path)
