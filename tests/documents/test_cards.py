"""Every model and every sample set has a card that tells all one needs to trust it, and to make it again."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from pages import ROOT, arguments, blocks

from kexue_cli.commands.training import _set
from kexue_cli.zoo import CARD, METRICS

MODELS = sorted((ROOT / "models").iterdir())
SAMPLES = sorted((ROOT / "data").iterdir())


@dataclass(frozen=True)
class Card:
    """A model's card and what it speaks of."""

    folder: Path
    text: str
    config: dict
    metrics: dict

    def section(self, heading: str) -> str:
        """Return what stands under a heading; nothing if there is none."""
        return self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


@pytest.fixture(params=MODELS, ids=lambda folder: folder.name)
def card(request) -> Card:
    config, metrics = (json.loads((request.param / name).read_text("utf-8")) for name in ("config.json", METRICS))
    return Card(request.param, (request.param / CARD).read_text("utf-8"), config, metrics)


def trainings(card: Card, folder: Path) -> list[list[str]]:
    """Return the commands of a card that train."""
    calls = [call for block in blocks(card.folder / CARD, "sh") for call in arguments(block, folder)]
    return [call for call in calls if call[0] == "train"]


def test_a_card_says_what_the_model_is(card):
    title, _, rest = card.text.partition("\n")

    assert title == f"# {card.folder.name}"
    assert len(rest.partition("\n## ")[0].strip()) > 100


def test_a_card_says_what_was_learned_from_and_on_what_terms(card):
    training = card.section("Training")

    assert "may not be passed on" in training
    assert re.search(r"\$DATA is a folder with (those files|that file), which the reader must bring\.", training)


def test_a_card_has_the_command_that_made_the_model(card, tmp_path):
    commands = trainings(card, tmp_path)

    assert commands, "no command that trains"
    assert {call[1] for call in commands} == {card.config["task"]}
    assert f"models/{card.folder.name}" in commands[-1]


def test_the_settings_in_the_command_of_a_card_are_those_of_the_model(card, tmp_path):
    commands = trainings(card, tmp_path)
    for number, call in enumerate(commands, 1):
        is_part = number < len(commands)  # a model that the last command begins from: of its shape
        told: dict = {}
        for option, setting in pairwise(call):
            if option == "--set":
                _set(told, setting)
        for table, values in told.items():
            if isinstance(values, dict) and (table == "network" or not is_part):
                kept = {name: card.config[table].get(name) for name in values}
                assert kept == values, f"{table}: {kept} in config.json"


def test_a_card_says_when_the_model_was_made(card):
    assert f"Made on {card.metrics['date']}" in card.section("Training")


def test_a_card_has_scores_with_the_command_for_each(card):
    scores = card.section("Scores")

    assert re.search(r"\d+\.\d", scores)
    assert "kexue evaluate" in scores or "python benchmarks/" in scores or "metrics.json" in scores


def test_a_card_says_what_the_model_cannot_do_and_its_licence(card):
    assert len(card.section("Limits")) > 100
    assert card.text.rstrip().endswith("Licence of the model: Apache-2.0.")


def test_the_table_of_models_in_the_readme_says_what_the_card_and_the_files_say(card):
    row = re.search(rf"^\| \[`{card.folder.name}`\].*\|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert row, "the model has no row"
    _, _, _, size, scores, _ = row[0].split("|")

    assert float(size) == round(sum(file.stat().st_size for file in card.folder.iterdir()) / 1e6, 1)
    text = card.text + (ROOT / "docs" / "segmentation.md").read_text("utf-8")  # the speed beside jieba's is told there
    for figure in re.findall(r"\d+\.\d+ \[[^]]+\]|\d+\.\d+", scores):
        assert figure in text, figure


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_the_card_of_a_sample_says_whence_it_is_how_to_use_it_and_what_it_is_not(folder):
    text = (folder / CARD).read_text("utf-8")

    assert text.startswith(f"# {folder.name}\n")
    assert "from scratch for this" in text
    assert "Licence: Apache-2.0" in text
    for heading in ("Files", "Use", "Limits"):
        assert f"\n## {heading}\n" in text
    assert [file.name for file in folder.iterdir() if file.name != CARD and file.name not in text] == []


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_the_sizes_on_the_card_of_a_sample_are_those_of_its_files(folder):
    text = (folder / CARD).read_text("utf-8")

    for file in folder.iterdir():
        if file.name not in (CARD, "schema.jsonl"):
            assert f"{file.stat().st_size:,}" in text, file.name
