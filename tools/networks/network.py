"""What a network from a file can do, whatever kind of file it came from."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int | None, ...]

AS_SAVEDMODEL = (
    "save it as a SavedModel where it was trained (model.export; in Keras 2 model.save of a folder)"
)
"""The way that is open to networks that Keras cannot, or must not, make here."""

VOLUME_AXES = 5
"""[rows, x, y, z, 1]."""

NEAREST_NAMES = 3


class NetworkError(RuntimeError):
    """The file cannot be published; the sentence says why, and what to do."""


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    kind: the name of its class, as Keras has it, or "output".
    shape: of what it puts out, without rows; None where the file does not say, or where it puts out
    no single array.
    parameters: count of its weights; None where the file does not say.
    """

    name: str
    kind: str
    shape: Shape | None
    parameters: int | None

    @property
    def gives_a_vector(self) -> bool:
        """Whether there is one vector a row: what can be taken as features."""
        return self.shape is not None and len(self.shape) == 1


class Network(ABC):
    """A network whose features can be taken at one of its layers.

    format: the kind of file, in words.
    input_shape: of one volume, without rows: (x, y, z, 1).
    layers: in the order in which they are computed.
    source_sha256: of the file; of a SavedModel, as tools/weights_digest.py has it.
    """

    format: str
    input_shape: tuple[int, ...]
    layers: Sequence[Layer]
    source_sha256: str

    @abstractmethod
    def save(self, layer: str, directory: Path) -> None:
        """Write the network up to a layer as a SavedModel.

        Its signature is serving_default: volumes, float32 [rows, x, y, z, 1], to features, float32
        [rows, F]. Raises NetworkError if there is no such layer, if it gives no vector a row, or if
        the features are not finite.
        """

    @abstractmethod
    def features(self, layer: str, volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network, as it is in its file, gives at a layer: [rows, F].

        volumes: float32 [rows, x, y, z, 1]. It is what a saved network is compared with.
        """

    def default_layer(self) -> str | None:
        """Return the layer before the classifying ones, if the layers are the Keras example's."""
        from tools.ct3dcnn import CLASSIFYING_LAYERS, layer_kinds

        # Keras leaves the input out of the layers of a Sequential network.
        computed = [layer.kind for layer in self.layers if layer.kind != "InputLayer"]
        if computed != layer_kinds():
            return None
        return self.layers[-1 - CLASSIFYING_LAYERS].name

    def dropping(self, count: int) -> str:
        """Return the layer that is the last one if so many are dropped from the end.

        Raises NetworkError if there are not so many.
        """
        if not 0 <= count < len(self.layers):
            raise NetworkError(
                f"{count} layers are to be dropped, and the network has {len(self.layers)}: a "
                f"number from 0 to {len(self.layers) - 1} is needed"
            )
        return self.layers[-1 - count].name


def unknown_layer(name: str, known: Iterable[str]) -> NetworkError:
    """Return the error that there is no such layer, with the names that are most like it."""
    nearest = difflib.get_close_matches(name, list(known), NEAREST_NAMES, cutoff=0.3)
    meant = f"did you mean {' or '.join(nearest)}? " if nearest else ""
    return NetworkError(f"there is no layer {name!r}: {meant}--list-layers lists them")


def checked_input_shape(shapes: Sequence[Shape | None]) -> tuple[int, ...]:
    """Return the shape of one volume, (x, y, z, 1); refuse inputs that are no volumes.

    shapes: of all inputs, with rows; None where even the number of axes is not known.
    """
    if len(shapes) != 1:
        raise NetworkError(f"the network has {len(shapes)} inputs: one, of volumes, is needed")
    [shape] = shapes
    if shape is None or len(shape) != VOLUME_AXES or shape[-1] != 1:
        raise NetworkError(
            f"the network's input is {_written(shape)}: [rows, x, y, z, 1] is needed, volumes with "
            "one channel, the last axis"
        )
    rows, *lengths = shape
    if rows is not None:
        raise NetworkError(
            f"the network takes {rows} volumes at once: save it for any number of rows, that is "
            "with None as the first length of its input"
        )
    known = tuple(length for length in lengths if length is not None)
    if len(known) < len(lengths):
        raise NetworkError(
            f"the network's input is {_written(shape)}: all lengths but the first must be fixed, "
            "since every volume is resized to them"
        )
    return known


def checked_vector(layer: str, shape: Shape | None) -> None:
    """Refuse a layer that gives no vector a row; shape is that of its output, without rows."""
    if shape is None or len(shape) != 1:
        came = "no single array" if shape is None else _written(("rows", *shape))
        raise NetworkError(
            f"layer {layer!r} puts out {came}, and features are a vector a row: choose a layer of "
            "pooling over space, such as GlobalAveragePooling3D, or a flat one, such as Flatten or "
            "Dense"
        )
    if shape[0] == 0:
        raise NetworkError(f"layer {layer!r} puts out vectors without values: one needs a feature")


def _written(shape: Sequence[int | str | None] | None) -> str:
    if shape is None:
        return "of unknown shape"
    return f"[{', '.join('any' if length is None else str(length) for length in shape)}]"
