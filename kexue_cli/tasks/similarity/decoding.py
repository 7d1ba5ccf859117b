"""What a similarity model is asked for: how near two texts are, the nearest of many, or the vectors themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kexue_cli.fields import member
from kexue_cli.records import SCORE_DIGITS, Record, add_answer

if TYPE_CHECKING:
    import numpy.typing as npt

    from kexue_cli.tasks.similarity.index import Graph, Index

    Vectors = npt.NDArray[np.float32]

TASK = "similarity"
TOP = 5  # matches of a text


class Encode(Protocol):
    """Gives the unit vectors (n, d) of texts."""

    def __call__(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors."""
        ...


class Answers(Protocol):
    """What records are answered with."""

    def answer(self, records: Sequence[Record], encode: Encode) -> Iterator[Record]:
        """Yield each record with its answer. Raises KexueError for a record without its texts."""
        ...


class Comparison:
    """Compares the two texts of a record: "score", their cosine, and "similar", whether it reaches the threshold."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def answer(self, records: Sequence[Record], encode: Encode) -> Iterator[Record]:
        """Yield each record {"text_a", "text_b"} with both."""
        texts = [member(record, name, str) for record in records for name in ("text_a", "text_b")]
        for record, score in zip(records, cosines(encode(texts)), strict=True):
            yield add_answer(record, {"score": score, "similar": score >= self.threshold}, TASK)


def cosines(vectors: "Vectors") -> list[float]:
    """Return the cosine of each of n pairs, as it is told. vectors: (2n, d) unit vectors, those of a pair together."""
    return [round(score, SCORE_DIGITS) for score in np.einsum("nd,nd->n", vectors[::2], vectors[1::2]).tolist()]


class Retrieval:
    """Finds the nearest of many texts: "matches"."""

    def __init__(
        self,
        index: "Index | Graph",
        texts: Sequence[str],
        lines: Sequence[int],
        *,
        top: int = TOP,
        threshold: float = -1.0,
        is_self: bool = False,
    ) -> None:
        """lines: of the texts in their file; top: matches at most; threshold: least cosine of a match.

        is_self: what is asked are these texts, in their order, and none matches itself.
        """
        self.index, self.texts, self.lines = index, texts, lines
        self.top, self.threshold = top, threshold
        self._rows: dict[str, list[int]] = defaultdict(list)  # of texts that are still to be asked
        if is_self:
            for row, text in enumerate(texts):
                self._rows[text].append(row)

    def answer(self, records: Sequence[Record], encode: Encode) -> Iterator[Record]:
        """Yield each record {"text"} with its matches, the nearest first; a blank text has none."""
        asked = [member(record, "text", str) for record in records]
        own, times = self._own(asked)
        vectors = np.zeros((len(asked), self.index.vectors.shape[1]), np.float32)
        vectors[own >= 0] = self.index.vectors[own[own >= 0]]
        others = np.flatnonzero(own < 0)
        if len(others):
            vectors[others] = encode([asked[place] for place in others])
        scores, rows = self.index.search(vectors, self.top, without=own)
        answers = []
        for record, text, its_scores, its_rows in zip(records, asked, scores.tolist(), rows.tolist(), strict=True):
            found = zip(its_scores, its_rows, strict=True) if text.strip() else ()
            matches = [self._match(score, row) for score, row in found if score >= self.threshold]
            answers.append(add_answer(record, {"matches": matches}))
        for text, count in times.items():  # now that all are answered: after an error they are asked again
            del self._rows[text][:count]
        yield from answers

    def _own(self, asked: Sequence[str]) -> "tuple[npt.NDArray[np.int64], Counter[str]]":
        """Return the row (n,) of each text that is asked, -1 for none, and how often each text is asked."""
        times: Counter[str] = Counter()
        own = np.full(len(asked), -1, np.int64)
        for place, text in enumerate(asked):
            rows = self._rows.get(text, ())
            if times[text] < len(rows):
                own[place] = rows[times[text]]
                times[text] += 1
        return own, +times

    def _match(self, score: float, row: int) -> dict[str, Any]:
        return {"text": self.texts[row], "score": round(score, SCORE_DIGITS), "line": self.lines[row]}


class Representation:
    """Tells the vector of a text: "vector"."""

    def answer(self, records: Sequence[Record], encode: Encode) -> Iterator[Record]:
        """Yield each record {"text"} with its unit vector (d,), an array of float32."""
        texts = [member(record, "text", str) for record in records]
        for record, vector in zip(records, encode(texts), strict=True):
            yield add_answer(record, {"vector": vector})
