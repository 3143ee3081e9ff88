"""Blocks of convolution, ReLU, pooling and normalisation, with less arithmetic and memory.

The features are those of the Keras layers but for rounding, 1e-6 of them. What is left out:

- what no pooling window takes, an odd last plane, row or column, and all that only it looks at;
- the normalisation's passes over a block's output: scale and shift go into the next kernel;
- half the products of convolutions with many channels (tools/winograd.py);
- the whole of the first convolution, the largest array by far: it is computed in slabs, each pooled
  while the processor has it at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from tools import winograd
from tools.winograd import TILE

KERNEL, POOL = winograd.KERNEL, 2

SLAB = 4
"""Planes that the direct way computes together; an even number."""

FEWEST_CHANNELS = 16
"""With fewer, the transforms of the values cost more than the products that they spare."""


@dataclass(frozen=True)
class Block:
    """Layers in a row: Conv3D 3x3x3, valid, with ReLU; MaxPool3D 2; BatchNormalization."""

    convolution: keras.layers.Conv3D
    normalisation: keras.layers.BatchNormalization

    def kernel_after(self, scale: tf.Tensor, shift: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return kernel and bias for values that are still to be scaled and shifted."""
        kernel, bias = (variable.value for variable in self.convolution.weights)
        return kernel * scale[:, None], bias + tf.einsum("xyzio,i->o", kernel, shift)

    def scale_and_shift(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what the normalisation multiplies each channel by, and what it adds then."""
        gamma, beta, mean, variance = (variable.value for variable in self.normalisation.weights)
        scale = gamma * tf.math.rsqrt(variance + self.normalisation.epsilon)
        return scale, beta - mean * scale


def blocks_of(layers: Sequence[Any]) -> list[Block]:
    """Return the blocks that the layers are, three by three."""
    return [Block(layers[start], layers[start + 2]) for start in range(0, len(layers), 3)]


def mean_of_blocks(volumes: tf.Tensor, blocks: Sequence[Block]) -> tf.Tensor:
    """Return the mean over space of what the last block puts out, [rows, channels].

    volumes: [rows, x, y, z, channels], float32, all lengths but that of rows known.
    """
    values, scale, shift = volumes, tf.ones(volumes.shape[-1]), tf.zeros(volumes.shape[-1])
    lengths_needed = _lengths_needed(volumes.shape[1:4], len(blocks))
    for block, (x, y, z) in zip(blocks, lengths_needed, strict=True):
        kernel, bias = block.kernel_after(scale, shift)
        pooled = _winograd if _suits_winograd(kernel, x) else _direct
        values = pooled(values[:, :x, :y, :z], kernel, bias)
        scale, shift = block.scale_and_shift()
    return tf.reduce_mean(values, [1, 2, 3]) * scale + shift


def _lengths_needed(shape: Sequence[int], blocks: int) -> list[list[int]]:
    """Return for each block the lengths of its input that reach the last block's output."""
    last = list(shape)
    for _ in range(blocks):
        last = [(length - KERNEL + 1) // POOL for length in last]
    needed: list[list[int]] = []
    for _ in range(blocks):
        last = [length * POOL + KERNEL - 1 for length in last]
        needed.insert(0, last)
    return needed


def _direct(values: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    planes = values.shape[1] - KERNEL + 1
    slabs = []
    for start in range(0, planes, SLAB):
        slab = values[:, start : min(start + SLAB, planes) + KERNEL - 1]
        slabs.append(_pooled(tf.nn.relu(_convolved(slab, kernel) + bias), POOL))
    return tf.concat(slabs, 1)


def _suits_winograd(kernel: tf.Tensor, planes: int) -> bool:
    return kernel.shape[3] >= FEWEST_CHANNELS and (planes - KERNEL + 1) % TILE == 0


def _winograd(values: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    products = [
        _convolved(plane, flat[None])
        for plane, flat in zip(winograd.transformed(values), winograd.kernels(kernel), strict=True)
    ]
    first, second, third, fourth = winograd.planes(products)
    pairs = tf.stack([tf.maximum(first, second), tf.maximum(third, fourth)], 2)
    maxima = tf.reshape(pairs, (-1, TILE // POOL * pairs.shape[1], *pairs.shape[3:]))
    return tf.nn.relu(_pooled(maxima, (1, POOL, POOL)) + bias)


def _convolved(values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv3d(values, kernel, [1] * 5, "VALID")


def _pooled(values: tf.Tensor, window: int | tuple[int, int, int]) -> tf.Tensor:
    return tf.nn.max_pool3d(values, window, window, "VALID")
