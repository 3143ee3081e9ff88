"""`deepfeatures train`: from a folder of studies to a network with its card, for real."""

import hashlib
import json
import subprocess
import sys

import keras
import nibabel as nib
import numpy as np
import pytest
from phantoms import thorax

from imaging.recipe import Recipe
from tools import cli
from tools.ct3dcnn import without_classifier

FILES = {"card.json", "card.md", "curve.png", "history.csv", "model.keras"}


@pytest.fixture
def folder(tmp_path):
    """Four studies a class, as NIfTI; the lungs of one class are half filled."""
    for number in range(8):
        label = ("clear", "filled")[number % 2]
        image = thorax(shape=(30 + number, 40, 20)).nifti()
        voxels = np.array(image.dataobj)
        if label == "filled":
            voxels[(voxels < -700) & (voxels > -900)] = -300
        (tmp_path / "data" / label).mkdir(parents=True, exist_ok=True)
        name = tmp_path / "data" / label / f"{number}.nii.gz"
        nib.save(nib.Nifti1Image(voxels, image.affine), name)
    return tmp_path / "data"


def train(*words):
    arguments = cli.parser().parse_args(["train", *map(str, words)])
    return arguments.run(arguments)


def test_a_folder_becomes_a_network_with_its_card(folder, tmp_path, capsys):
    out = tmp_path / "out"
    words = (folder, "--out", out, "--positive", "filled", "--epochs", 2, "--held-out", folder)

    code = train(*words, "--demonstration", "--about", "made for a test")

    assert code == 0
    assert {each.name for each in out.iterdir()} == FILES  # no inputs, which are patient data
    card = json.loads((out / "card.json").read_text())
    weights = (out / "model.keras").read_bytes()
    assert card["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert card["data"]["studies"] == {
        "training": {"clear": 3, "filled": 3},
        "validation": {"clear": 1, "filled": 1},
    }
    assert card["classes"] == {"negative": "clear", "positive": "filled"}
    assert card["metrics"]["held out"]["positives"] == 4
    assert card["training"]["epochs"] == 2
    network = keras.models.load_model(out / "model.keras")
    assert without_classifier(network).output_shape == (None, 256)
    assert "epoch 2: loss" in capsys.readouterr().err
    told = (out / "card.md").read_text()
    assert "Demonstration weights: for checking a pipeline, not for conclusions" in told


def test_the_recipe_of_a_card_is_one_that_a_model_is_served_with(folder, tmp_path):
    train(folder, "--out", tmp_path / "out", "--positive", "filled", "--epochs", 1)

    recipe = json.loads((tmp_path / "out" / "card.json").read_text())["recipe"]
    served = Recipe.from_parameters(recipe | {"weights_sha256": "", "feature_prefix": "test1"})

    # Columns are 2.5 mm: 30 to 37 of them on 128 samples; rows 1.75 mm, 40; slices 4 mm, 20 on 64.
    (low_down, high_down), (low_across, high_across), (low, high) = served.training.voxel_mm
    assert low_across <= 2.5 * 29 / 127 <= low_across + 0.01
    assert high_across - 0.01 <= 2.5 * 36 / 127 <= high_across
    assert low_down <= 1.75 * 39 / 127 <= high_down
    assert low <= 4 * 19 / 63 <= high
    assert served.training.least_coverage_mm == 80
    assert served.weights == "trained"


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("nowhere",), "there is no folder nowhere"),
        ((".", "--labels", "none.csv"), "there is no file none.csv"),
        ((".", "--epochs", "0"), "--epochs, --patience from 1"),
    ],
)
def test_a_call_that_cannot_be_right_exits_with_2(tmp_path, monkeypatch, capsys, words, pattern):
    monkeypatch.chdir(tmp_path)

    assert train(*words, "--out", tmp_path / "out") == 2
    assert pattern in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_trained_network_is_not_written_over(tmp_path, capsys):
    (tmp_path / "card.json").write_text("{}")

    assert train(tmp_path, "--out", tmp_path) == 2
    assert "holds a trained network: name another folder by --out" in capsys.readouterr().err


def test_the_command_line_does_not_import_tensorflow():
    code = "import sys; from tools import cli; cli.parser(); sys.exit('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
