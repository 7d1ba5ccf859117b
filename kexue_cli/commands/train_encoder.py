"""kexue train encoder: layers that read characters in context, from raw text, for other tasks to begin with."""

from pathlib import Path
from typing import Any

from kexue_cli.commands import options


def train_encoder(
    corpus: options.Corpus,
    output: options.ModelOutput,
    field: options.TextField = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    resume: options.Resume = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    encoding: options.Encoding = "utf-8",
    quiet: options.Quiet = False,
) -> None:
    """Learn to guess hidden words of raw text; the networks of other tasks begin from these layers.

    kexue train qa and triples take the encoder named by their setting "encoder" (text-encoder by default). All text
    is held in memory, 5 bytes a character.

    Example: kexue train encoder news.txt novels/*.txt.xz -o ./my-encoder --set training.epochs=2
    """
    from kexue_cli.commands.training import read_settings, train_network
    from kexue_cli.segmentation.corpus import Corpus
    from kexue_cli.tasks.encoder.config import LanguageModelConfig

    target = options.target_folder(output)
    model, training = read_settings(LanguageModelConfig, config, settings, seed)
    source = Corpus(corpus, field, encoding=encoding, is_mixed=True)
    source.check()
    texts = [" ".join(line.split()) for block in source.stream() for line in block.data.decode().split("\n")]
    texts = [text for text in texts if text]

    def make() -> Any:
        from kexue_cli.tasks.encoder.trainee import LanguageModel

        return LanguageModel(texts, model)

    train_network(
        "encoder", make, target, training, settings=model, records=texts,
        data={"files": " ".join(Path(path).name for path in corpus), "characters": sum(map(len, texts))},
        is_resumed=resume, device=device, threads=threads,
    )  # fmt: skip
