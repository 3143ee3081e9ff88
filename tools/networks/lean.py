"""The quickest way that is known to compute a network of Keras layers, held against the layers."""

import logging
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tools.lean_blocks import KERNEL, POOL, Block, blocks_of, mean_of_blocks
from tools.networks.keras_graph import is_chain
from tools.networks.saving import Features, probes, relative_l2

PARITY = 1e-5
"""Relative L2 by which features may differ from the layers'."""

log = logging.getLogger(__name__)


def quickest(cut: keras.Model) -> Features:
    """Return the function that computes a network: by lean blocks, or by the layers.

    Blocks are taken where the network is a chain of them and their features are the layers'.
    """

    def by_layers(volumes: tf.Tensor) -> tf.Tensor:
        return cut(volumes, training=False)

    blocks = blocks_in(cut)
    if not blocks:
        return by_layers

    def by_blocks(volumes: tf.Tensor) -> tf.Tensor:
        return mean_of_blocks(volumes, blocks)

    difference = _difference(by_blocks, by_layers, tuple(cut.inputs[0].shape[1:]))
    if difference <= PARITY:
        return by_blocks
    log.warning(
        "computed in blocks, features differ from the layers' by %.1e of them, and %.0e is "
        "allowed: the layers are saved as they are, which takes longer",
        difference,
        PARITY,
    )
    return by_layers


def blocks_in(cut: keras.Model) -> list[Block]:
    """Return the blocks that a network is, before a mean over space; none if it is not."""
    layers = [layer for layer in cut.layers if not isinstance(layer, keras.layers.InputLayer)]
    *body, last = layers
    triples = [body[start : start + 3] for start in range(0, len(body), 3)]
    if is_chain(cut) and _is_mean(last) and all(map(_is_block, triples)) and _is_float32(layers):
        return blocks_of(body)
    return []


def _is_block(layers: list[Any]) -> bool:
    if len(layers) != 3:
        return False
    convolution, pooling, normalisation = layers
    return (
        _is_convolution(convolution) and _is_pooling(pooling) and _is_normalisation(normalisation)
    )


def _is_convolution(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv3D
        and tuple(layer.kernel_size) == (KERNEL,) * 3
        and tuple(layer.strides) == tuple(layer.dilation_rate) == (1, 1, 1)
        and (layer.padding, layer.data_format, layer.groups) == ("valid", "channels_last", 1)
        and layer.activation is keras.activations.relu
        and layer.use_bias
    )


def _is_pooling(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.MaxPooling3D
        and tuple(layer.pool_size) == tuple(layer.strides) == (POOL,) * 3
        and (layer.padding, layer.data_format) == ("valid", "channels_last")
    )


def _is_normalisation(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.axis in (-1, 4)
        and layer.center
        and layer.scale
    )


def _is_mean(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.GlobalAveragePooling3D
        and layer.data_format == "channels_last"
        and not layer.keepdims
    )


def _is_float32(layers: list[Any]) -> bool:
    return all(layer.compute_dtype == layer.variable_dtype == "float32" for layer in layers)


def _difference(found: Features, expected: Features, input_shape: tuple[int, ...]) -> float:
    """Return the larger relative L2 between two functions of a body and of plain noise."""
    body = probes(input_shape)[-1]
    noise = np.random.default_rng(2).random(input_shape, np.float32)
    compiled = tf.function(found)
    return max(
        relative_l2(np.asarray(compiled(volume)), np.asarray(expected(volume)))
        for volume in (tf.constant(each[None]) for each in (body, noise))
    )
