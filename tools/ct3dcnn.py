"""The network `ct3dcnn`: the 3D CNN of the Keras example "3D image classification from CT scans".

Zunair, "3D image classification from CT scans", keras.io, 2020; the network is from Zunair et al.,
"Uniformizing techniques to process CT scans with 3D CNNs for tuberculosis prediction", 2020. Of its
17 layers the last three (dense, dropout, dense) classify; what goes into them is the features.
"""

from pathlib import Path

import keras
import tensorflow as tf

from tools.lean_blocks import blocks_of, mean_of_blocks
from tools.weights_digest import write_digest

SHAPE = (128, 128, 64, 1)
FILTERS = (64, 64, 128, 256)
CLASSIFYING_LAYERS = 3
SEED = 20230901


def build(seed: int) -> keras.Model:
    """Return the whole network, 17 layers, initialised from a seed."""
    seeds = iter(range(seed, seed + len(FILTERS) + 2))

    def kernel() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    inputs = values = keras.Input(SHAPE)
    for filters in FILTERS:
        values = keras.layers.Conv3D(filters, 3, activation="relu", kernel_initializer=kernel())(
            values
        )
        values = keras.layers.MaxPool3D(2)(values)
        values = keras.layers.BatchNormalization()(values)
    values = keras.layers.GlobalAveragePooling3D()(values)
    values = keras.layers.Dense(512, activation="relu", kernel_initializer=kernel())(values)
    values = keras.layers.Dropout(0.3)(values)
    outputs = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=kernel())(values)
    return keras.Model(inputs, outputs, name="ct3dcnn")


def without_classifier(model: keras.Model) -> keras.Model:
    """Return the network up to the features."""
    return keras.Model(model.input, model.layers[-1 - CLASSIFYING_LAYERS].output)


def save_extractor(model: keras.Model, directory: Path) -> None:
    """Write the network without its classifying layers as a SavedModel, volumes to features.

    It computes what the Keras layers compute, faster (tools/lean_blocks.py), from their weights as
    they are. Through tf.Module: Keras' own export stores the weights twice.
    """
    cut = without_classifier(model)
    _input, *layers, _mean = cut.layers
    blocks = blocks_of(layers)

    class Extractor(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = [variable.value for variable in cut.variables]

        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32, name="volumes")])
        def features(self, volumes: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"features": mean_of_blocks(volumes, blocks)}

    extractor = Extractor()
    tf.saved_model.save(extractor, directory, signatures={"serving_default": extractor.features})


def main() -> None:
    """Write the shipped extractor with its seeded initialisation, and its digest."""
    repository = Path(__file__).parents[1] / "model_repository"
    directory = repository / "ct3dcnn__v1_extractor" / "1" / "model.savedmodel"
    save_extractor(build(SEED), directory)
    write_digest(directory, repository / "ct3dcnn__v1_preprocess" / "config.pbtxt")


if __name__ == "__main__":
    main()
