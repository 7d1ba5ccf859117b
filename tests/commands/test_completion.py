"""What a shell offers after TAB."""

import shutil
import sys
from pathlib import Path

import pytest

KEXUE = str(Path(sys.executable).with_name("kexue"))


@pytest.mark.skipif(not shutil.which(KEXUE), reason="the script kexue is not installed here")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("kexue predict tri", ["triples"]),
        ("kexue predict qa -m ", ["dgcnn-qa"]),
        ("kexue evaluate similarity --model gru", ["gru-similarity"]),
        ("kexue train triples data.jsonl --from ", ["dgcnn-triples"]),
        ("kexue segment -m ", ["entropy-segmentation", "entropy-segmentation-jieba"]),
        ("kexue models show text", ["text-encoder", "text-encoder-web"]),
        ("kexue predict qa -m gru", []),  # of another task
        ("kexue predict qa -m ./", []),  # paths are the shell's own
    ],
)
def test_commands_and_models_are_offered(line, offered, kexue):
    words = line.split(" ")

    done = kexue(
        command=(KEXUE,),
        env={"_KEXUE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
    )

    assert (done.returncode, done.stdout.split()) == (0, offered)
