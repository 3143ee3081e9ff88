"""The network `ct3dcnn`: the 3D CNN of the Keras example "3D image classification from CT scans".

Zunair, "3D image classification from CT scans", keras.io, 2020; the network is from Zunair et al.,
"Uniformizing techniques to process CT scans with 3D CNNs for tuberculosis prediction", 2020. Of its
17 layers the last three (dense, dropout, dense) classify; what goes into them is the features.
"""

from collections.abc import Sequence
from pathlib import Path

import keras

from tools.networks.keras_network import save_cut

SHAPE = (128, 128, 64, 1)
FILTERS = (64, 64, 128, 256)
UNITS = 512
CLASSIFYING_LAYERS = 3
SEED = 20230901
"""Of the network that nothing was trained on, which trained weights are compared with."""


def layer_kinds() -> list[str]:
    """Return the classes of the layers, after the input."""
    block = ["Conv3D", "MaxPooling3D", "BatchNormalization"]
    return [*block * len(FILTERS), "GlobalAveragePooling3D", "Dense", "Dropout", "Dense"]


def build(
    seed: int,
    *,
    shape: tuple[int, ...] = SHAPE,
    filters: Sequence[int] = FILTERS,
    units: int = UNITS,
) -> keras.Model:
    """Return the whole network, 17 layers as published, initialised from a seed.

    shape: of one volume; filters: of each block; units: of the first classifying layer.
    """
    seeds = iter(range(seed, seed + len(filters) + 2))

    def kernel() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    inputs = values = keras.Input(shape, name="volumes")
    for block, count in enumerate(filters):
        convolution = keras.layers.Conv3D(
            count,
            3,
            activation="relu",
            kernel_initializer=kernel(),
            name=_numbered("conv3d", block),
        )
        pooling = keras.layers.MaxPool3D(2, name=_numbered("max_pooling3d", block))
        normalisation = keras.layers.BatchNormalization(
            name=_numbered("batch_normalization", block)
        )
        values = normalisation(pooling(convolution(values)))
    values = keras.layers.GlobalAveragePooling3D(name="global_average_pooling3d")(values)
    values = keras.layers.Dense(
        units, activation="relu", kernel_initializer=kernel(), name="dense"
    )(values)
    values = keras.layers.Dropout(0.3, name="dropout")(values)
    outputs = keras.layers.Dense(
        1, activation="sigmoid", kernel_initializer=kernel(), name="dense_1"
    )(values)
    return keras.Model(inputs, outputs, name="ct3dcnn")


def _numbered(name: str, number: int) -> str:
    """Return the name that Keras gives the layers of a process's first network."""
    return f"{name}_{number}" if number else name


def without_classifier(model: keras.Model) -> keras.Model:
    """Return the network up to the features."""
    return keras.Model(model.input, model.layers[-1 - CLASSIFYING_LAYERS].output)


def save_extractor(model: keras.Model, directory: Path) -> None:
    """Write the network without its classifying layers as a SavedModel, volumes to features."""
    save_cut(without_classifier(model), directory)
