"""The layers of a Keras network: where each one's output is, and the network up to it."""

from typing import Any

import keras

from tools.networks.network import Layer, NetworkError, Shape


def listed_layers(model: keras.Model) -> list[Layer]:
    """Return the layers of a network, in the order in which Keras computes them."""
    return [
        Layer(layer.name, type(layer).__name__, _shape(model, layer), layer.count_params())
        for layer in model.layers
    ]


def cut_at(model: keras.Model, layer: str) -> keras.Model:
    """Return the network up to a layer; it shares the layers.

    Raises NetworkError if the layer is used more than once, or has several outputs.
    """
    output = output_of(model, model.get_layer(layer))
    if output is None:
        raise NetworkError(
            f"layer {layer!r} has several outputs, or is used more than once: a layer with one "
            "output is needed"
        )
    return keras.Model(model.inputs[0], output)


def is_graph(model: keras.Model) -> bool:
    """Whether a network is a graph of layers, which can be cut, and not a class of its own."""
    return isinstance(model, keras.Sequential) or hasattr(model, "_nodes_by_depth")


def output_of(model: keras.Model, layer: keras.layers.Layer) -> Any:
    """Return what a layer puts out in this network, as a symbolic tensor; None if it is not one.

    Keras' layer.output is another one where the layer is a network of its own, or is used in a
    second network, too.
    """
    outputs = [
        tensor
        for node in _nodes(model)
        if node.operation is layer
        for tensor in node.output_tensors
    ]
    return outputs[0] if len(outputs) == 1 else None


def is_chain(model: keras.Model) -> bool:
    """Whether no layer is used twice, and nothing but layers is computed.

    Then layers that each have one input are one after the other.
    """
    used = [node.operation for node in _nodes(model)]
    return len(used) == len(model.layers) and all(layer in used for layer in model.layers)


def _nodes(model: keras.Model) -> list[Any]:
    """Return the uses of layers, which a Sequential network keeps in a functional one inside."""
    graph = getattr(model, "_functional", None) or model
    return [node for nodes in graph._nodes_by_depth.values() for node in nodes]


def _shape(model: keras.Model, layer: keras.layers.Layer) -> Shape | None:
    output = output_of(model, layer)
    return None if output is None else tuple(output.shape[1:])
