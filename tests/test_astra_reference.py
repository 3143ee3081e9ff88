"""The published weights give the features that PyTorch gave, where weights and references are."""

import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from chest_chains import chest, merlin
from numpy.linalg import norm
from test_chest_inputs import seen, study_of_example

from tools.astra.download import ASTRA, cache_folder, kept_checkpoint
from tools.astra.extractor import save_astra


@pytest.fixture(scope="module")
def references(shared_data):
    folder = shared_data / "reference" / "astra"
    if not folder.is_dir():
        pytest.skip("the reference features are not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """The features of one volume by the SavedModel of the published weights."""
    checkpoint = kept_checkpoint(ASTRA, cache_folder())
    if checkpoint is None:
        pytest.skip("the published weights are not in the account's cache")
    directory = tmp_path_factory.mktemp("astra") / "model.savedmodel"
    save_astra(checkpoint, directory)
    model = tf.saved_model.load(directory)

    def features(volume):
        rows = model.signatures["serving_default"](volumes=tf.constant(volume[None, ..., None]))
        return rows["features"].numpy()[0]

    return features


def noise(_references):
    return np.random.default_rng(0).random((224, 224, 160)).astype(np.float32)


def example(references):
    return nib.load(references / "totalsegmentator_example_ct.nii.gz")


@pytest.mark.parametrize(
    ("volume", "reference"),
    [
        pytest.param(noise, "synthetic", id="noise"),
        pytest.param(lambda folder: chest(example(folder)), "example_ct_chest", id="chest"),
        pytest.param(lambda folder: merlin(example(folder)), "example_ct_merlin", id="merlin"),
        pytest.param(
            lambda folder: seen(study_of_example(folder)[0], "chest")[0],
            "example_ct_chest",
            id="chest, from DICOM",
        ),
        pytest.param(
            lambda folder: seen(study_of_example(folder)[0], "merlin")[0],
            "example_ct_merlin",
            id="merlin, from DICOM",
        ),
    ],
)
def test_the_features_are_those_of_the_reference(references, features, volume, reference):
    with np.load(references / f"i3resnet152_ASTRA-weights_{reference}.npz") as stored:
        expected = stored["features"]

    found = features(volume(references))

    assert norm(found - expected) <= 1e-5 * norm(expected)
