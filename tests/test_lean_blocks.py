"""The lean blocks give what the Keras layers give."""

import keras
import numpy as np
import pytest
from numpy.linalg import norm

from tools.lean_blocks import blocks_of, mean_of_blocks

RANDOM = np.random.default_rng(7)


def network(shape, filters):
    """A network of blocks whose normalisations do something."""
    inputs = values = keras.Input(shape)
    for number, count in enumerate(filters):
        initial = keras.initializers.RandomNormal(0, 0.2, seed=number)
        values = keras.layers.Conv3D(count, 3, activation="relu", bias_initializer=initial)(values)
        values = keras.layers.MaxPool3D(2)(values)
        values = keras.layers.BatchNormalization()(values)
    outputs = keras.layers.GlobalAveragePooling3D()(values)
    model = keras.Model(inputs, outputs)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            scales, offsets = RANDOM.uniform(-2, 2, (2, layer.gamma.shape[0]))
            variances = RANDOM.uniform(0.01, 1, scales.shape)
            layer.set_weights([scales, offsets, RANDOM.normal(0, 1, scales.shape), variances])
    return model


@pytest.mark.parametrize(
    ("shape", "filters"),
    [
        pytest.param((22, 22, 22, 1), (32, 16), id="tiles of four planes"),
        pytest.param((23, 24, 25, 1), (32, 16), id="planes that no window takes"),
        pytest.param((20, 22, 24, 1), (32, 16), id="planes that are no tiles"),
        pytest.param((22, 22, 22, 3), (8, 8), id="few channels"),
        pytest.param((14, 8, 10, 32), (16,), id="many channels at once"),
        pytest.param((46, 47, 49, 1), (16, 32, 16), id="three blocks"),
        pytest.param((4, 4, 4, 1), (4,), id="one window"),
    ],
)
def test_the_features_are_those_of_the_layers(shape, filters):
    model = network(shape, filters)
    volumes = RANDOM.normal(0, 1, (2, *shape)).astype(np.float32)
    volumes[0, : shape[0] // 2] = 0
    _input, *layers, _mean = model.layers

    features = mean_of_blocks(keras.ops.convert_to_tensor(volumes), blocks_of(layers)).numpy()

    expected = model(volumes, training=False).numpy()
    assert norm(features - expected) <= 5e-6 * norm(expected)
