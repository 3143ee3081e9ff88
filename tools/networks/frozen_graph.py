"""The graph of a SavedModel's signature with its functions put in place and its weights constant.

Then every tensor on the way from volumes to outputs has a name, and the graph can be cut at it.
"""

import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tools.networks.network import NetworkError, Shape

MOST_WEIGHTS_BYTES = (2 << 30) - (64 << 20)
"""A graph is one protobuf message, of 2 GiB at most, with its constants in it."""


class FrozenGraph:
    """One signature of a SavedModel, of one input, as a graph without variables."""

    def __init__(self, signature: Any) -> None:
        size_bytes = sum(
            each.dtype.size * each.shape.num_elements() for each in signature.variables
        )
        if size_bytes > MOST_WEIGHTS_BYTES:
            raise NetworkError(
                f"the SavedModel has weights of {size_bytes / 1e9:.1f} GB, and up to 2 GB can be "
                "cut out of a SavedModel: a Keras file (.keras) is needed"
            )
        self._function = convert_variables_to_constants_v2(signature, lower_control_flow=False)
        self._operations = {each.name: each for each in self._function.graph.get_operations()}
        # Outputs are in the order of their names, in the signature as in the frozen function.
        names = sorted(signature.structured_outputs)
        self.outputs = dict(zip(names, self._function.outputs, strict=True))

    @property
    def node_names(self) -> list[str]:
        """Names of all nodes that give arrays."""
        return [name for name, operation in self._operations.items() if operation.outputs]

    def tensor_of_node(self, name: str) -> Any:
        """Return the first output of a node, or the one that `name:number` says; None if none."""
        node, _, number = name.partition(":")
        outputs = self._operations[node].outputs if node in self._operations else []
        position = int(number) if number.isdecimal() else 0
        return outputs[position] if position < len(outputs) else None

    def tensor_of_layer(self, network: str, layer: str) -> Any:
        """Return what a layer of Keras puts out; None where the graph does not show it.

        Its nodes are called …/network/layer/…; its output is the one array that others take.
        """
        scope = re.compile(rf"(^|/){re.escape(network)}/{re.escape(layer)}/")
        inside = [each for name, each in self._operations.items() if scope.search(name)]
        taken = [each for operation in inside for each in operation.outputs if _leaves(each, scope)]
        return taken[0] if len(taken) == 1 else None

    def up_to(self, tensor: Any) -> Any:
        """Return the function from volumes to one tensor, with nothing but what that needs."""
        return self._function.prune(self._function.inputs, tensor)


def shape_without_rows(tensor: Any) -> Shape | None:
    """Return the lengths of a tensor but that of rows; None where it may have any axes."""
    return None if tensor.shape.rank is None else tuple(tensor.shape[1:])


def _leaves(tensor: Any, scope: re.Pattern[str]) -> bool:
    return any(not scope.search(name) for name in _takers(tensor))


def _takers(tensor: Any) -> Iterator[str]:
    for operation in tensor.consumers():
        yield operation.name


def as_features(function: Any) -> Any:
    """Return a pruned function as one of a tensor: it hands over lists otherwise."""
    return lambda volumes: tf.nest.flatten(function(volumes))[0]
