"""Networks of Keras layers: from `.keras` and HDF5 files."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tools.networks.keras_graph import cut_at, is_graph, listed_layers
from tools.networks.lean import quickest
from tools.networks.network import (
    Network,
    NetworkError,
    checked_input_shape,
    checked_vector,
    unknown_layer,
)
from tools.networks.saving import write_extractor


class KerasNetwork(Network):
    """A network whose layers Keras has made again."""

    def __init__(self, model: keras.Model, *, form: str, source_sha256: str) -> None:
        if not is_graph(model) or not model.built:
            raise NetworkError(
                f"the network is a {type(model).__name__}, whose layers cannot be told apart: a "
                "functional or sequential network is needed, or a SavedModel of its features"
            )
        self.model = model
        self.format = form
        self.source_sha256 = source_sha256
        self.input_shape = checked_input_shape([tuple(each.shape) for each in model.inputs])
        self.layers = listed_layers(model)

    def save(self, layer: str, directory: Path) -> None:
        save_cut(self._cut(layer), directory)

    def features(self, layer: str, volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        cut = self._cut(layer)
        # One by one: the first layer's output is large, 252 MB a volume of ct3dcnn.
        rows = [cut(volume[None], training=False) for volume in np.asarray(volumes, np.float32)]
        return np.concatenate([np.asarray(row, np.float32) for row in rows])

    def _cut(self, layer: str) -> keras.Model:
        found = next((each for each in self.layers if each.name == layer), None)
        if found is None:
            raise unknown_layer(layer, [each.name for each in self.layers])
        if found.shape is not None:
            checked_vector(layer, found.shape)
        return cut_at(self.model, layer)


def save_cut(cut: keras.Model, directory: Path) -> None:
    """Write a network from volumes to features as a SavedModel.

    It computes what the layers compute, faster where tools/networks/lean.py knows how. Raises
    NetworkError if the features are not finite.
    """
    write_extractor(
        quickest(cut),
        variables=[variable.value for variable in cut.variables],
        input_shape=tuple(cut.inputs[0].shape[1:]),
        directory=directory,
    )
