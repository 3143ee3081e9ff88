"""`deepfeatures publish` and `models` as a person types them, without a running service."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import cli
from tools.engine.ports import free_ports

KERAS2 = Path(__file__).parent / "networks" / "keras2"


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    (port,) = free_ports(1)
    return ["--store", str(tmp_path_factory.mktemp("store")), "--url", f"127.0.0.1:{port}"]


def call(*words):
    call = [sys.executable, "-m", "tools.cli", *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_a_keras_2_file_is_published_listed_and_told_of(where, tmp_path):
    file = shutil.copy(KERAS2 / "example.h5", tmp_path)
    (tmp_path / "card.json").write_text('{"recipe": {"window_CT": "-160,240 HU"}, "seed": 7}')
    published = call("publish", file, "--name", "lungs", "--licence", "MIT", *where)

    last = published.stderr.splitlines()[-1]
    assert (published.returncode, last) == (
        0,
        "lungs is version 1, served when `deepfeatures serve` is started",
    )
    assert len(published.stderr.splitlines()) == 5  # nothing of TensorFlow's own
    listed = call("models", "list", *where).stdout
    assert [line.split()[:3] for line in listed.splitlines() if "lungs" in line] == [
        ["lungs", "1", "yes"]
    ]
    card = json.loads(call("models", "show", "lungs", *where).stdout)
    assert (card["licence"], card["format"], card["features"]) == ("MIT", "Keras 2 HDF5", 6)
    assert (card["seed"], card["parameters"]["window_CT"]) == (7, "-160,240 HU")
    refused = call("models", "remove", "lungs", "1", *where)
    assert (refused.returncode, refused.stderr.split(":")[0]) == (1, "lungs__v1 is served")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.keras", "--name", "x"], "none.keras cannot be read"),
        ([KERAS2 / "example.h5"], "'' is no name for a model"),
        ([KERAS2 / "example.h5", "--name", "x", "--layer", "dens"], "did you mean dense"),
        ([KERAS2 / "another", "--name", "x"], "name the layer whose output"),
        (["merlin"], "the weights of merlin cannot be downloaded: name them with --weights"),
        (["merlin", "--weights", KERAS2 / "example.h5"], "is no checkpoint that can be read"),
        ([KERAS2 / "example.h5", "--name", "x", "--set", "shape"], "--set takes KEY=VALUE"),
        (
            [KERAS2 / "example.h5", "--name", "x", "--set", "shape=1,2,3"],
            "the network takes volumes of 46,48,47, and the parameters say 1,2,3",
        ),
    ],
)
def test_what_cannot_be_published_is_refused_in_a_sentence(where, words, sentence, capsys):
    arguments = cli.parser().parse_args(["publish", *map(str, words), *where])

    assert arguments.run(arguments) == 1
    assert sentence in capsys.readouterr().err


def test_the_layers_are_listed():
    listed = call("publish", KERAS2 / "example.h5", "--list-layers")

    assert listed.returncode == 0
    assert "global_average_poo" in listed.stdout
    assert "default" in listed.stdout
