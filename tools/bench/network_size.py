"""How much arithmetic the network takes, from the shapes of its weights."""

from collections.abc import Sequence
from math import prod

INPUT = (128, 128, 64)
POOL = 2
CONVOLUTION_AXES = 5
"""Kernels of 3D convolutions: three of space, channels in, channels out."""


def operations(kernels: Sequence[Sequence[int]], space: Sequence[int] = INPUT) -> int:
    """Return the operations of one volume: two, a product and a sum, for each weight used.

    kernels: shapes of the weights, layer by layer. Convolutions are without padding, each with a
    pooling of two behind it, as in the Keras example; matrices are dense layers.
    """
    total = 0
    for kernel in kernels:
        if len(kernel) == CONVOLUTION_AXES:
            space = [length - size + 1 for length, size in zip(space, kernel[:3], strict=True)]
            total += 2 * prod(kernel) * prod(space)
            space = [length // POOL for length in space]
        else:
            total += 2 * prod(kernel)
    return total
