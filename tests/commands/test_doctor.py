"""kexue doctor: what is installed and what this machine offers."""

import json
import platform

import kexue_cli
from kexue_cli.commands.doctor import PACKAGES


def test_doctor_says_what_is_installed_and_what_for(kexue):
    facts = json.loads(kexue("doctor", "--json").stdout)

    assert facts["kexue"] == kexue_cli.__version__
    assert facts["python"] == platform.python_version()
    assert facts["threads"] >= 1
    assert facts["packages"].keys() == PACKAGES.keys()
    for name in ("typer", "numpy", "numba", "jieba", "orjson", "zstandard", "rich"):  # what the project depends on
        assert facts["packages"][name]["version"], name


def test_people_get_the_same_facts_as_lines(kexue):
    facts = json.loads(kexue("doctor", "--json").stdout)

    done = kexue("doctor")

    assert (done.returncode, done.err) == (0, b"")
    assert [line.split()[0] for line in done.lines] == [
        *(name for name in facts if name != "packages"),
        *facts["packages"],
    ]


def test_doctor_tells_a_cache_that_cannot_be_written(kexue):
    good = json.loads(kexue("doctor", "--json").stdout)
    bad = json.loads(kexue("doctor", "--json", env={"XDG_CACHE_HOME": "/dev/null/none"}).stdout)

    assert good["cache"].endswith("kexue")
    assert "XDG_CACHE_HOME" in bad["cache"]


def test_doctor_tells_where_models_and_data_are(kexue):
    facts = json.loads(kexue("doctor", "--json").stdout)

    paths = {entry.path for entry in kexue_cli.models()}
    assert paths
    assert all(path.startswith(facts["models"] + "/") for path in paths)
