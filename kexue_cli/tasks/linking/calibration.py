"""The thresholds of a linker, chosen on texts that it was not trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from kexue_cli.tasks.linking.config import DecodingConfig
from kexue_cli.tasks.linking.decoding import Span, surest
from kexue_cli.tasks.linking.metrics import Link, Scores
from kexue_cli.text.normalization import normalize

if TYPE_CHECKING:
    from kexue_cli.tasks.linking import EntityLinking
    from kexue_cli.tasks.linking import Link as Found
    from kexue_cli.tasks.linking.records import LabelledText

MENTIONS = tuple(step / 20 for step in range(2, 11))  # least scores of mentions, 0.1 to 0.5
ENTITIES = tuple(step / 20 for step in range(15))  # least probabilities of mentions of entities, 0 to 0.7


def score(task: "EntityLinking", texts: "Sequence[LabelledText]") -> dict[str, float]:
    """Return mention_f1, f1 and their mean, the score."""
    return _score(task, texts, task.link([labelled.text for labelled in texts]), task.decoding)


def _score(
    task: "EntityLinking", texts: "Sequence[LabelledText]", links: "Iterable[Sequence[Found]]", config: DecodingConfig
) -> dict[str, float]:
    scores = Scores()
    for labelled, found in zip(texts, links, strict=True):
        linked = []
        for link in found:
            place, _ = link.entity(config.entity)
            linked.append(Link(link.start, link.end, None if place is None else task.base.entity(place).id))
        unlinked = [(mention.start, mention.end) for mention in labelled.mentions if not mention.is_linked]
        scores.add(gold_links(task, labelled), linked, [], unlinked)
    rates = scores.rates()
    both = {name: rates[name] or 0.0 for name in ("mention_f1", "f1")}
    return {**both, "score": sum(both.values()) / 2}


def gold_links(task: "EntityLinking", labelled: "LabelledText") -> list[Link]:
    """Return the linked mentions of a text, by their ids in the base of a linker."""
    links = []
    for mention in labelled.mentions:
        if not mention.is_linked:
            continue
        id = mention.id
        if mention.name is not None:
            place = task.base.place_of_name(mention.name)
            id = None if place is None else task.base.entity(place).id
        links.append(Link(mention.start, mention.end, id))
    return links


def calibrated(task: "EntityLinking", texts: "Sequence[LabelledText]") -> DecodingConfig:
    """Return the decoding whose thresholds give the best score on these texts; where several do, the first."""
    possible = task.possible([labelled.text for labelled in texts])
    known = [{(match.start, match.end) for match in task.base.find(normalize(labelled.text))} for labelled in texts]
    by_place = [{(link.start, link.end): link for link in links} for links in possible]
    best, best_score = task.decoding, 0.0
    for mention, unknown in product(MENTIONS, MENTIONS):
        config = replace(task.decoding, mention=mention, unknown=unknown)
        kept = [
            [found[span.start, span.end] for span in surest((_span(link) for link in links), places, config)]
            for links, places, found in zip(possible, known, by_place, strict=True)
        ]
        for entity in ENTITIES:
            config = replace(config, entity=entity)
            found_score = _score(task, texts, kept, config)["score"]
            if found_score > best_score:
                best, best_score = config, found_score
    return best


def _span(link: "Found") -> Span:
    return Span(link.start, link.end, link.score)
