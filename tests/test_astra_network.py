"""The graph of the residual network gives what the network written out plainly gives."""

import numpy as np
import plain_residual_network
import pytest
import tensorflow as tf
from checkpoints import random_weights, saved
from numpy.linalg import norm

from tools.astra.architecture import RESNET_152, Architecture
from tools.astra.checkpoint import read_checkpoint
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.saved_network import save_network
from tools.astra.weights import layer_weights

SMALL = Architecture((20, 26, 38), (2, 2, 2, 1), 4)


@pytest.fixture
def extractor(tmp_path):
    """Saves a network from a checkpoint's bytes, loads it, and returns what computes features."""

    def extractor(content, architecture):
        (tmp_path / "weights.pt").write_bytes(content)
        weights = layer_weights(read_checkpoint(tmp_path / "weights.pt"), architecture)
        save_network(weights, architecture, tmp_path / "saved")
        model = tf.saved_model.load(tmp_path / "saved")
        signature = model.signatures["serving_default"]
        return lambda volumes: signature(volumes=tf.constant(volumes))["features"].numpy()

    return extractor


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(SMALL, id="several slabs, and a part of one"),
        pytest.param(Architecture((20, 18, 64), (1, 1), 4), id="whole slabs"),
        pytest.param(Architecture((18, 22, 37), (3, 2), 4), id="an odd number of planes"),
        pytest.param(Architecture((16, 24, 9), (2, 3), 8), id="one slab"),
        pytest.param(Architecture((22, 18, 2), (2, 1), 4), id="two planes"),
        pytest.param(Architecture((16, 16, 70), (3,), 4), id="one stage"),
    ],
)
def test_the_features_are_those_of_the_plain_network(extractor, architecture):
    tensors = random_weights(architecture)
    volumes = np.random.default_rng(3).random((2, *architecture.shape, 1), np.float32)
    volumes[1, :, : architecture.shape[1] // 3] = 0

    found = extractor(saved(tensors), architecture)(volumes)

    for row, volume in zip(found, volumes[..., 0], strict=True):
        expected = plain_residual_network.features(volume, tensors, architecture.blocks)
        assert len(row) == architecture.features
        assert norm(row - expected) <= 2e-6 * norm(expected)


def test_weights_that_are_kept_as_bfloat16_give_the_same_features(extractor, tmp_path):
    tensors = random_weights(SMALL)
    volumes = np.random.default_rng(3).random((1, *SMALL.shape, 1), np.float32)

    whole = extractor(saved(tensors), SMALL)(volumes)
    bytes_whole = size_bytes(tmp_path / "saved")
    half = extractor(saved(tensors, "b"), SMALL)(volumes)

    np.testing.assert_array_equal(half, whole)
    kernels = sum(values.size for name, values in tensors.items() if values.ndim == 5)
    assert bytes_whole - size_bytes(tmp_path / "saved") > 1.8 * kernels


def size_bytes(directory):
    return (directory / "variables" / "variables.data-00000-of-00001").stat().st_size


def test_the_network_is_found_within_a_larger_model(extractor):
    tensors = random_weights(SMALL, prefix="encode_image.i3_resnet.")
    tensors["encode_text.conv1.weight"] = np.ones((2, 2))
    tensors["encode_image.i3_resnet.contrastive_head.weight"] = np.ones((2, 2))
    volumes = np.random.default_rng(3).random((1, *SMALL.shape, 1), np.float32)

    found = extractor(saved(tensors), SMALL)(volumes)

    expected = plain_residual_network.features(
        volumes[0, ..., 0], random_weights(SMALL), SMALL.blocks
    )
    assert norm(found - expected) <= 2e-6 * norm(expected)


def without(name):
    return {key: values for key, values in random_weights(SMALL).items() if key != name}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        pytest.param({"w": np.ones(2)}, "has 0 tensors called layer1.0.conv1", id="none"),
        pytest.param(
            random_weights(SMALL) | random_weights(SMALL, prefix="teacher."),
            "has 2 tensors called",
            id="two networks",
        ),
        pytest.param(without("layer3.1.bn2.bias"), "no tensor layer3.1.bn2.bias", id="one lacks"),
        pytest.param(
            random_weights(SMALL) | {"layer2.0.conv2.weight": np.ones((8, 8, 1, 3, 3))},
            r"layer2.0.conv2.weight has the shape \(8, 8, 1, 3, 3\); \(8, 8, 3, 3, 3\) is needed",
            id="another shape",
        ),
        pytest.param(
            random_weights(SMALL) | {"bn1.bias": np.array([0, 1, np.nan, 2])},
            "bn1.bias has numbers that are not finite",
            id="not finite",
        ),
        pytest.param(
            random_weights(SMALL) | {"bn1.running_var": np.array([1, 1, -1, 1])},
            "bn1 has variances below 0",
            id="a negative variance",
        ),
    ],
)
def test_another_checkpoint_is_refused(extractor, tensors, message):
    with pytest.raises(CheckpointError, match=message):
        extractor(saved(tensors), SMALL)


def test_the_large_network_has_the_numbers_that_were_published():
    """117.5 million, as the weights' package counts them, with four a channel for normalisation."""
    convolutions = list(RESNET_152.convolutions())

    total = sum(np.prod(each.shape) + 4 * each.shape[0] for each in convolutions)

    assert (total, len(convolutions), RESNET_152.features) == (117_517_632, 155, 2048)
