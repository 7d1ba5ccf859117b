"""Texts from next-character logits: drawing and beam search. NumPy only.

Letters: n rows, hypotheses or samples that are written at once; V characters known.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexue_cli.errors import KexueError
from kexue_cli.tasks.generation.config import DecodingConfig
from kexue_cli.tasks.generation.form import NEVER, Demands

COLD = 1e-6  # a temperature below which nothing but the likeliest is drawn
REPEATED = 3  # characters in a row that a text should not hold twice
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]  # last ids (n,), rows they go on from (n,) -> logits (n, V)


@dataclass
class Written:
    """A text as it is written: ids, its prefix the first, and the sum of the log-probabilities of those behind."""

    ids: list[int]
    demands: Demands
    score: float = 0.0
    count: int = 0  # of those that are scored; the end is one
    is_ended: bool = False

    def add(self, one: int, score: float) -> None:
        """Put a character, or the end, behind it."""
        self.score += score
        self.count += 1
        self.is_ended = one == self.demands.end
        if not self.is_ended:
            self.ids.append(one)

    @property
    def mean(self) -> float:
        """Mean log-probability of a character that was written, the end counted as one."""
        return self.score / max(1, self.count)


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the log-probabilities (n, V) of logits (n, V)."""
    scores: np.ndarray = logits - logits.max(axis=-1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return scores


def guided(conditioned: np.ndarray, plain: np.ndarray, guidance: float) -> np.ndarray:
    """Return logits (n, V) that go on from the ones without the condition through those with it.

    guidance: 0 for the first, 1 for the second, more for more of the condition. Classifier-free guidance:
    https://arxiv.org/abs/2207.12598, on log-probabilities.
    """
    scores = log_probabilities(plain)
    scores += guidance * (log_probabilities(conditioned) - scores)
    return scores


def truncated(scores: np.ndarray, config: DecodingConfig) -> np.ndarray:
    """Return log-probabilities (n, V) at the temperature, NEVER where they are outside of top_k and top_p.

    The character that crosses top_p is kept, as https://arxiv.org/abs/1904.09751 has it.
    """
    if config.temperature:  # the greatest is 0 first, so that a very low temperature leaves it finite
        scores = log_probabilities((scores - scores.max(axis=1, keepdims=True)) / config.temperature)
    if not 0 < config.top_k < scores.shape[1] and config.top_p == 1:
        return scores
    order = np.argsort(-scores, axis=1, kind="stable")
    shares = np.exp(np.take_along_axis(scores, order, axis=1))
    if config.top_k:
        shares[:, config.top_k :] = 0
    is_out = (np.cumsum(shares, axis=1) - shares >= config.top_p * shares.sum(axis=1, keepdims=True)) | (shares == 0)
    is_out[:, 0] = False
    np.put_along_axis(scores, order, np.where(is_out, NEVER, np.take_along_axis(scores, order, axis=1)), axis=1)
    return scores


def draw(scores: np.ndarray, generators: Sequence[np.random.Generator], config: DecodingConfig) -> np.ndarray:
    """Return an id drawn for each row of log-probabilities (n, V), each by its own generator.

    Each row has one, so that a text does not depend on what is written beside it.
    """
    chosen: np.ndarray
    if config.temperature < COLD:
        chosen = scores.argmax(axis=1)
        return chosen
    shares = np.exp(truncated(scores, config).astype(np.float64)).cumsum(axis=1)
    points = np.array([generator.random() for generator in generators]) * shares[:, -1]
    chosen = np.minimum((shares <= points[:, None]).sum(axis=1), shares.shape[1] - 1)
    return chosen


def demanded(logits: np.ndarray, texts: Sequence[Written], config: DecodingConfig) -> np.ndarray:
    """Return the log-probabilities (n, V) of what may follow each text, NEVER where nothing may.

    Raises KexueError for logits that are no numbers.
    """
    if not np.isfinite(logits).all():
        raise KexueError("the network gives no numbers for this condition; are its values like those of the training?")
    logits = logits.copy()
    for row, text in zip(logits, texts, strict=True):
        _discourage(row, text.ids, config.repetition)
        text.demands.apply(row, text.ids)
    is_dead = logits.max(axis=1) <= NEVER
    scores = log_probabilities(logits)
    scores[is_dead] = NEVER
    return scores


def _discourage(row: np.ndarray, text: Sequence[int], repetition: float) -> None:
    """Lower the logits (V,) of what followed the last two characters of a text before."""
    if not repetition or len(text) < REPEATED:
        return
    last = tuple(text[1 - REPEATED :])
    for place in range(len(text) - REPEATED + 1):
        if tuple(text[place : place + REPEATED - 1]) == last:
            row[text[place + REPEATED - 1]] -= repetition


def write_drawn(
    step: Step,
    logits: np.ndarray,
    texts: Sequence[Written],
    generators: Sequence[np.random.Generator],
    config: DecodingConfig,
    room: int,
) -> Iterator[None]:
    """Write texts to their ends; yield after each character of all of them.

    logits: (n, V) of what follows the texts so far; generators: of each; room: characters that may be written. Raises
    KexueError where nothing may stand that is demanded.
    """  # fmt: skip
    going = list(range(len(texts)))  # rows that have not ended; the others are computed no further
    for _ in range(room):
        scores = demanded(logits, [texts[row] for row in going], config)
        chosen = draw(scores, [generators[row] for row in going], config)
        for row, its_scores, one in zip(going, scores, chosen.tolist(), strict=True):
            if its_scores[one] <= NEVER / 2:
                raise _contradiction(texts[row])
            texts[row].add(one, float(its_scores[one]))
        yield
        kept = [place for place, row in enumerate(going) if not texts[row].is_ended]
        if not kept:
            return
        going = [going[place] for place in kept]
        logits = step(chosen[kept], np.array(kept))


def likeliest(totals: np.ndarray, count: int) -> Iterator[tuple[int, int]]:
    """Yield the places of the greatest of totals (n, V), the greatest first, of equal ones the first; totals change."""
    for _ in range(min(count, totals.size)):  # a sort of all would cost more than a step of the network
        place = int(totals.argmax())
        yield divmod(place, totals.shape[1])
        totals.flat[place] = -np.inf


def search_beam(step: Step, logits: np.ndarray, text: Written, config: DecodingConfig, room: int) -> list[Written]:
    """Return the best ways to write a text on, by mean log-probability of a character, the best first.

    logits: (1, V) of what follows the text so far. room: characters that may be written. Hypotheses that ended are
    kept beside those that go on, and the search ends when as many as the beam has are better than the best that goes
    on is so far. Raises KexueError where nothing may stand that is demanded.
    """
    texts, ended = [text], list[Written]()
    for _ in range(room):
        scores = demanded(logits, texts, config)
        totals = scores + np.array([text.score for text in texts], scores.dtype)[:, None]
        going: list[Written] = []
        rows: list[int] = []
        for rank, (row, one) in enumerate(likeliest(totals, 2 * config.beam)):
            if totals[row, one] <= NEVER / 2:
                break
            if one == texts[row].demands.end and rank >= config.beam:
                continue  # an end is taken for as good as what goes on, not for better
            longer = replace(texts[row], ids=list(texts[row].ids))
            longer.add(one, float(scores[row, one]))
            if longer.is_ended:
                ended.append(longer)
            elif len(going) < config.beam:
                going.append(longer)
                rows.append(row)
        if not going and not ended:
            raise _contradiction(texts[0])
        texts = going
        ended = sorted(ended, key=lambda text: -text.mean)[: config.beam]
        if not texts or (len(ended) == config.beam and ended[-1].mean >= texts[0].mean):
            break
        logits = step(np.array([text.ids[-1] for text in texts]), np.array(rows))
    return sorted([*ended, *texts], key=lambda text: (not text.is_ended, -text.mean))[: config.beam]


def _contradiction(text: Written) -> KexueError:
    return KexueError(f"nothing may stand at place {len(text.ids) + 1} of the text: the demands exclude one another")
