"""Small networks of Keras 3, and the files of older versions with what they gave then."""

from pathlib import Path

import keras
import numpy as np

from tools.ct3dcnn import build

KERAS_2 = Path(__file__).with_name("networks") / "keras2"
SHAPE = (9, 10, 11, 1)

MINIATURE = {"shape": (46, 48, 47, 1), "filters": (4, 4, 4, 6), "units": 16}
"""What tests/networks/make_keras2.py made of ct3dcnn's architecture."""


def miniature(seed=1):
    """The 17 layers of ct3dcnn, narrow."""
    return build(seed, **MINIATURE)


def stored(name):
    """Return volumes, the features that a network of Keras 2 gave of them, and the layer."""
    with np.load(KERAS_2 / f"{name}.npz") as file:
        volumes = file["volumes"].astype(np.float32) / 255
        return volumes, file["features"], str(file["layer"])


def volumes(shape=SHAPE, rows=2):
    return np.random.default_rng(9).random((rows, *shape), np.float32)


def functional(*layers, shape=SHAPE, batch_size=None):
    """A network of layers, one after the other."""
    inputs = values = keras.Input(shape, batch_size=batch_size, name="ct")
    for layer in layers:
        values = layer(values)
    return keras.Model(inputs, values)


def small(*last):
    """A convolution, a mean over space and two features; then other layers."""
    return functional(
        keras.layers.Conv3D(4, 3, strides=2, activation="relu", name="maps"),
        keras.layers.GlobalAveragePooling3D(name="mean"),
        keras.layers.Dense(2, name="embedding"),
        *last,
    )


def saved(model, path):
    """Return the path of a file that Keras 3 wrote."""
    model.save(path)
    return path
