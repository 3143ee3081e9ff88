"""Networks of SavedModels: of Keras 2, with its layers, or of any tf.function, with its outputs."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tools.networks.example_layers import example_with
from tools.networks.frozen_graph import FrozenGraph, as_features, shape_without_rows
from tools.networks.keras_metadata import KerasDescription, read_description
from tools.networks.keras_network import save_cut
from tools.networks.network import (
    Layer,
    Network,
    NetworkError,
    checked_input_shape,
    checked_vector,
    unknown_layer,
)
from tools.networks.operations import check_operations
from tools.networks.saving import Features, computed, probes, relative_l2, write_extractor
from tools.weights_digest import weights_sha256

SIGNATURE = "serving_default"

PARITY = 1e-5
"""Relative L2 by which the graph that is cut may differ from the SavedModel."""

LOADING_ERRORS = (tf.errors.OpError, ValueError, TypeError, KeyError, AttributeError, OSError)
"""What TensorFlow raises over SavedModels that it cannot load."""


def open_savedmodel(directory: Path, *, trust: bool) -> Network:
    """Return the network of a SavedModel; raises NetworkError."""
    check_operations(directory, trust=trust)
    description = read_description(directory)
    try:
        loaded = tf.saved_model.load(directory)
    except LOADING_ERRORS as error:
        first_line = str(error).partition("\n")[0]
        raise NetworkError(
            f"TensorFlow {tf.__version__} cannot load {directory.name}: {first_line}"
        ) from error
    return SavedModelNetwork(loaded, description, source_sha256=weights_sha256(directory))


class SavedModelNetwork(Network):
    """A network that is a graph: its layers are what Keras 2 told of it, or else its outputs."""

    def __init__(
        self, loaded: Any, description: KerasDescription | None, *, source_sha256: str
    ) -> None:
        if SIGNATURE not in loaded.signatures:
            raise NetworkError(
                f"the SavedModel has no signature {SIGNATURE}; it has "
                f"{', '.join(loaded.signatures) or 'none'}: save it with "
                f'signatures={{"{SIGNATURE}": …}}'
            )
        self._loaded = loaded  # holds the variables
        self._signature = loaded.signatures[SIGNATURE]
        self._description = description
        self.format = "SavedModel, Keras 2" if description else "SavedModel"
        self.source_sha256 = source_sha256
        self._input, self.input_shape = _checked_input(self._signature)
        self._frozen = FrozenGraph(self._signature)
        self.layers = self._listed_layers()

    def save(self, layer: str, directory: Path) -> None:
        tensor = self._tensor(layer)
        self._checked_frozen()
        compute = as_features(self._frozen.up_to(tensor))
        example = self._as_example(compute) if layer == self.default_layer() else None
        if example is not None:
            save_cut(example, directory)
            return
        # The weights are constants of the graph: there are no variables.
        write_extractor(compute, variables=(), input_shape=self.input_shape, directory=directory)

    def features(self, layer: str, volumes: NDArray[np.float32]) -> NDArray[np.float32]:
        tensor = self._tensor(layer)
        outputs = [name for name, each in self._frozen.outputs.items() if each is tensor]
        if outputs:
            return np.concatenate([self._output(each[None], outputs[0]) for each in volumes])
        self._checked_frozen()
        function = as_features(self._frozen.up_to(tensor))
        return np.concatenate([computed(function, each[None]) for each in volumes])

    def _as_example(self, features: Features) -> Any:
        """Return the Keras example's layers if they give these features; None if they do not."""
        cut = example_with(self._signature.variables, self.layers, input_shape=self.input_shape)
        if cut is None:
            return None
        body = probes(self.input_shape)[-1:]
        found, expected = (computed(each, body) for each in (cut, features))
        return cut if relative_l2(found, expected) <= PARITY else None

    def _output(self, volumes: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        return computed(lambda given: self._signature(**{self._input: given})[name], volumes)

    def _tensor(self, layer: str) -> Any:
        """Return the tensor of a layer, an output or a node; refuse what is no vector a row."""
        keras_layers = [name for name, _ in self._description.layers] if self._description else []
        tensor = self._found(layer, is_keras_layer=layer in keras_layers)
        if tensor is not None:
            checked_vector(layer, shape_without_rows(tensor))
            return tensor
        if layer in keras_layers:
            raise NetworkError(
                f"layer {layer!r} has no output of its own in the SavedModel's graph: a Keras file "
                "(.keras) of the network is needed to cut it there, or another layer"
            )
        names = [*keras_layers, *self._frozen.outputs, *self._frozen.node_names]
        raise unknown_layer(layer, names)

    def _found(self, layer: str, *, is_keras_layer: bool) -> Any:
        if is_keras_layer and self._description:
            return self._frozen.tensor_of_layer(self._description.name, layer)
        return self._frozen.outputs.get(layer, self._frozen.tensor_of_node(layer))

    @cached_property
    def _difference(self) -> float:
        """How far the graph that is cut is from the SavedModel, by its outputs: relative L2."""
        return max(
            _difference(
                computed(as_features(self._frozen.up_to(tensor)), volume[None]),
                self._output(volume[None], name),
            )
            for volume in probes(self.input_shape)
            for name, tensor in self._frozen.outputs.items()
            if tensor.dtype.is_floating
        )

    def _checked_frozen(self) -> None:
        if not self._difference <= PARITY:
            raise NetworkError(
                f"two runs of the SavedModel differ by {self._difference:.1e} of its outputs: they "
                "are random; a network in its state of inference is needed"
            )

    def _listed_layers(self) -> list[Layer]:
        if self._description is None:
            return [
                Layer(name, "output", shape_without_rows(tensor), None)
                for name, tensor in self._frozen.outputs.items()
            ]
        return [self._layer(name, kind) for name, kind in self._description.layers]

    def _layer(self, name: str, kind: str) -> Layer:
        if kind == "InputLayer":
            return Layer(name, kind, self.input_shape, 0)
        tensor = self._found(name, is_keras_layer=True)
        shape = None if tensor is None else shape_without_rows(tensor)
        weights = [each for each in self._signature.variables if _owner(each) == name]
        return Layer(name, kind, shape, sum(each.shape.num_elements() for each in weights))


def _difference(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the relative L2 of outputs, which need not be finite: another one may be taken."""
    if np.array_equal(found, expected, equal_nan=True):
        return 0.0
    return relative_l2(found, expected)


def _owner(variable: Any) -> str:
    """Return the layer of a variable, which Keras 2 calls `layer/kernel:0`."""
    return str(variable.name).rpartition("/")[0]


def _checked_input(signature: Any) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of the one input; refuse others than volumes of float32."""
    _, inputs = signature.structured_input_signature
    shapes = [
        None if spec.shape.rank is None else tuple(spec.shape.as_list()) for spec in inputs.values()
    ]
    shape = checked_input_shape(shapes)
    [(name, spec)] = inputs.items()
    if spec.dtype != tf.float32:
        raise NetworkError(f"the network's input is {spec.dtype.name}: float32 is needed")
    return name, shape
