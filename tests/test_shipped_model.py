"""The shipped network is what its parameters say it is."""

import json

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from rich.console import Console
from tritonclient.grpc import model_config_pb2

from imaging.recipe import Recipe
from tools.ct3dcnn import SEED, build, without_classifier
from tools.locations import data_folder
from tools.logistic import auc, fit
from tools.models.configs import parameters_of
from tools.parity_inputs import parity_inputs
from tools.phantom_chest.evidence import made
from tools.shipping import card_text
from tools.weights_digest import weights_sha256

REPOSITORY = data_folder("model_repository")
EXTRACTOR = REPOSITORY / "ct3dcnn__v1_extractor" / "1" / "model.savedmodel"


def test_the_digest_in_the_configuration_is_that_of_the_weights():
    config = (REPOSITORY / "ct3dcnn__v1_preprocess" / "config.pbtxt").read_text()

    assert f'string_value: "{weights_sha256(EXTRACTOR)}"' in config


def test_the_configuration_says_of_the_weights_what_their_card_says():
    card = json.loads((EXTRACTOR.with_name("card.json")).read_text())
    stated = parameters_of(REPOSITORY / "ct3dcnn__v1_preprocess")

    assert stated["weights"] == card["purpose"] == "demonstration"
    for name, value in card["recipe"].items():
        assert stated[name] == value, name
    assert card["served_sha256"] == card["stability"]["weights_sha256"] == stated["weights_sha256"]
    assert EXTRACTOR.with_name("card.md").read_text() == card_text(card)
    assert "not for conclusions about patients" in card_text(card)


def test_the_card_tells_what_the_weights_are_good_for():
    card = json.loads((EXTRACTOR.with_name("card.json")).read_text())
    area = {name: each["value"] for name, each in card["evidence"]["auc"].items()}

    assert card["metrics"]["held out"]["auc"]["value"] >= 0.95
    assert area["network"] >= 0.95
    assert area["HU histogram, logistic regression"] < 0.7
    trained, untrained = (
        area[f"features of {weights} weights, linear probe"] for weights in ("trained", "untrained")
    )
    assert trained > untrained
    assert {line["group"] for line in card["stability"]["summary"]}


def test_the_features_tell_apart_what_those_of_untrained_weights_do_not():
    shipped = tf.saved_model.load(EXTRACTOR).signatures["serving_default"]
    untrained = without_classifier(build(SEED))
    fitted, held_out = (made(4, first, Console(quiet=True)) for first in (50_000, 60_000))
    labels = np.arange(8) % 2

    def area(features_of):
        known, new = (
            np.concatenate([features_of(np.float32(each[None, ..., None])) for each in volumes])
            for volumes in (fitted, held_out)
        )
        return auc(fit(known, labels, penalty=10.0).scores(new), labels)

    of_shipped = area(lambda volume: shipped(volumes=volume)["features"].numpy())

    assert of_shipped > 0.9
    assert of_shipped > area(lambda volume: untrained(volume).numpy())
    assert len(build(SEED).layers) == 17


def test_the_inputs_that_engines_are_compared_on_are_those_of_the_pipeline():
    file = EXTRACTOR.with_name("parity.npz")
    recipe = Recipe.from_parameters(parameters_of(REPOSITORY / "ct3dcnn__v1_preprocess"))

    with np.load(file) as stored:
        # One step of 255, as another processor may round a value to the next.
        np.testing.assert_allclose(stored["volumes"], parity_inputs(recipe), atol=1.01 / 255)
    assert file.stat().st_size < 500_000


def test_what_a_gpu_is_configured_with_differs_in_batching_alone():
    folder = REPOSITORY / "ct3dcnn__v1_extractor"
    usual, gpu = (
        text_format.Parse((folder / name).read_text(), model_config_pb2.ModelConfig())
        for name in ("config.pbtxt", "configs/gpu.pbtxt")
    )

    # Compared by presence: an empty message equals an absent one.
    assert (usual.HasField("dynamic_batching"), gpu.HasField("dynamic_batching")) == (False, True)
    for each in (usual, gpu):
        each.ClearField("dynamic_batching")
    assert gpu == usual
