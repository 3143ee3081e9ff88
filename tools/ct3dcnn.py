"""The network `ct3dcnn`: the 3D CNN of the Keras example "3D image classification from CT scans".

Zunair, "3D image classification from CT scans", keras.io, 2020; the network is from Zunair et al.,
"Uniformizing techniques to process CT scans with 3D CNNs for tuberculosis prediction", 2020. Of its
17 layers the last three (dense, dropout, dense) classify; what goes into them is the features.
"""

import argparse
import json
import shutil
from pathlib import Path

import keras
import tensorflow as tf

from tools.lean_blocks import blocks_of, mean_of_blocks
from tools.locations import CHECKOUT
from tools.model_parameters import state_parameters
from tools.weights_digest import write_digest

SHAPE = (128, 128, 64, 1)
FILTERS = (64, 64, 128, 256)
CLASSIFYING_LAYERS = 3
SEED = 20230901
"""Of the network that nothing was trained on, which trained weights are compared with."""

STATED_BY_CARD = ("least_coverage_mm", "trained_voxel_mm", "weights")


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


def ship(network: Path) -> None:
    """Write the extractor of a trained network and its card into the model repository.

    network: model.keras of `deepfeatures train`; card.json and card.md lie beside it. What the card
    says of the weights and of what they were trained on goes into the parameters of the rows.
    """
    repository = CHECKOUT / "model_repository"
    version = repository / "ct3dcnn__v1_extractor" / "1"
    config = repository / "ct3dcnn__v1_preprocess" / "config.pbtxt"
    card = json.loads(network.with_name("card.json").read_text())
    save_extractor(keras.models.load_model(network), version / "model.savedmodel")
    write_digest(version / "model.savedmodel", config)
    state_parameters(config, {name: card["recipe"][name] for name in STATED_BY_CARD})
    for name in ("card.json", "card.md"):
        shutil.copyfile(network.with_name(name), version / name)


def main() -> None:
    """Ship the network that the command line names: `python -m tools.ct3dcnn DIR/model.keras`."""
    parser = argparse.ArgumentParser("python -m tools.ct3dcnn", description=ship.__doc__)
    parser.add_argument("network", type=Path, metavar="KERAS")
    ship(parser.parse_args().network)


if __name__ == "__main__":
    main()
