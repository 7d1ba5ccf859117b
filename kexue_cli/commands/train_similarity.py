"""kexue train similarity: an encoder from labelled pairs and groups of texts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.scores import placed
from kexue_cli.errors import KexueError

if TYPE_CHECKING:
    from kexue_cli.tasks.similarity.records import Example


def train_similarity(
    data: options.TrainingData,
    output: options.ModelOutput,
    dev: options.DevelopmentFiles = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    resume: options.Resume = None,
    format: options.Format = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Learn which texts mean the same, from labelled pairs {"text_a", "text_b", "label"} and groups {"texts": [...]}.

    Files of both kinds may be given at once; the form of each is told from its beginning. A group is texts that mean
    the same, such as a standard question and what people asked instead of it.

    Example: kexue train similarity faq.jsonl pairs.tsv -o ./my-model && kexue predict similarity -m ./my-model --text
    """
    from kexue_cli.commands.training import parted, read_settings, train_network
    from kexue_cli.tasks.similarity.config import SimilarityConfig

    target = options.target_folder(output)
    similarity, training = read_settings(SimilarityConfig, config, settings, seed)
    examples = read_examples(data, format, encoding)
    if dev:
        development = read_examples(dev, format, encoding)
    else:
        examples, development = parted(examples, seed)
    _check_development(development)

    def make() -> Any:
        from kexue_cli.tasks.similarity.trainee import SentenceEncoder

        return SentenceEncoder(examples, development, similarity)

    train_network(
        "similarity", make, target, training, settings=similarity, records=[*examples, *development],
        data={"files": " ".join(Path(path).name for path in data), "examples": len(examples),
              "development examples": len(development)},
        is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip


def _check_development(examples: "Sequence[Example]") -> None:
    """Raise KexueError if no epoch could be scored with these examples."""
    from kexue_cli.tasks.similarity.records import Group

    if all(isinstance(example, Group) and len(example.texts) == 1 for example in examples):
        problem = "all records kept for development are groups of one text, which has no other one to find"
        raise KexueError(f"{problem}; give --dev FILE with labelled pairs, or groups of two and more")


def read_examples(paths: Sequence[str], format: str | None, encoding: str) -> "list[Example]":
    """Return the labelled pairs and the groups of files, and tell how many there are.

    Raises KexueError at the first record that is wrong, with its place.
    """
    from kexue_cli.datasets.reader import read_records
    from kexue_cli.tasks.similarity.records import Group, read_example

    left_out: Counter[str] = Counter()
    examples: list[Example] = []
    unlabelled = 0
    for where, record in read_records(paths, "similarity", format, encoding, left_out):
        example = placed(where, read_example, record)
        if isinstance(example, Group) or example.label is not None:
            examples.append(example)
        else:
            unlabelled += 1
    if not examples:
        raise KexueError(f"{', '.join(paths)}: there is neither a labelled pair nor a group")
    groups = [example for example in examples if isinstance(example, Group)]
    notes = [f"{len(examples) - len(groups):,} labelled pairs"] if len(examples) > len(groups) else []
    if groups:
        notes.append(f"{len(groups):,} groups of {sum(len(group.texts) for group in groups):,} texts")
    notes += [f"{unlabelled:,} left out (a pair without a label)"] if unlabelled else []
    notes += [f"{count:,} left out ({reason})" for reason, count in left_out.items()]
    console.say(f"{', '.join(Path(path).name for path in paths)}: {', '.join(notes)}")
    return examples
