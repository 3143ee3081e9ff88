"""The shipped network is what its parameters say it is."""

import numpy as np
import tensorflow as tf

from tools.ct3dcnn import SEED, SHAPE, build
from tools.locations import data_folder
from tools.weights_digest import weights_sha256

REPOSITORY = data_folder("model_repository")
EXTRACTOR = REPOSITORY / "ct3dcnn__v1_extractor" / "1" / "model.savedmodel"


def test_the_digest_in_the_configuration_is_that_of_the_weights():
    config = (REPOSITORY / "ct3dcnn__v1_preprocess" / "config.pbtxt").read_text()

    assert f'string_value: "{weights_sha256(EXTRACTOR)}"' in config


def test_the_weights_are_the_seeded_initialisation():
    shipped = tf.saved_model.load(EXTRACTOR)
    whole = build(SEED)
    cut = tf.keras.Model(whole.input, whole.layers[-4].output)
    volume = np.random.default_rng(3).random((1, *SHAPE), np.float32)

    found = shipped.signatures["serving_default"](volumes=volume)["features"]

    assert len(whole.layers) == 17
    np.testing.assert_allclose(found, cut(volume, training=False), rtol=1e-5)
