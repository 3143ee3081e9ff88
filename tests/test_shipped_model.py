"""The shipped network is what its parameters say it is."""

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from numpy.linalg import norm
from tritonclient.grpc import model_config_pb2

from imaging.recipe import Recipe
from tools.ct3dcnn import SEED, SHAPE, build, without_classifier
from tools.locations import data_folder
from tools.models.configs import parameters_of
from tools.parity_inputs import parity_inputs
from tools.weights_digest import weights_sha256

REPOSITORY = data_folder("model_repository")
EXTRACTOR = REPOSITORY / "ct3dcnn__v1_extractor" / "1" / "model.savedmodel"


def test_the_digest_in_the_configuration_is_that_of_the_weights():
    config = (REPOSITORY / "ct3dcnn__v1_preprocess" / "config.pbtxt").read_text()

    assert f'string_value: "{weights_sha256(EXTRACTOR)}"' in config


def test_the_weights_are_the_seeded_initialisation():
    shipped = tf.saved_model.load(EXTRACTOR)
    whole = build(SEED)
    volume = np.random.default_rng(3).random((1, *SHAPE), np.float32)
    expected = without_classifier(whole)(volume, training=False).numpy()

    found = shipped.signatures["serving_default"](volumes=volume)["features"]

    assert len(whole.layers) == 17
    assert norm(found - expected) <= 2e-6 * norm(expected)


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

    assert gpu.HasField("dynamic_batching")
    assert not usual.HasField("dynamic_batching")
    for each in (usual, gpu):
        each.ClearField("dynamic_batching")
    assert gpu == usual
