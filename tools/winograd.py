"""Winograd's F(4, 3) along the first axis of space: less arithmetic for kernels of three planes.

Six two-dimensional convolutions do the work of the twelve that four planes take the direct way
(Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, 4.2).
"""

from collections.abc import Sequence

import tensorflow as tf

KERNEL = 3
TILE = 4
KERNEL_TRANSFORM = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
"""The matrix G of F(4, 3): from the 3 planes of a kernel to those of the 6 convolutions."""


def kernels(kernel: tf.Tensor) -> list[tf.Tensor]:
    """Return the kernels of the 6 convolutions, [y, z, in, out] each, of one [3, y, z, in, out]."""
    transform = tf.constant(KERNEL_TRANSFORM)
    flat: list[tf.Tensor] = tf.unstack(tf.einsum("kx,xyzio->kyzio", transform, kernel))
    return flat


def transformed(values: tf.Tensor) -> list[tf.Tensor]:
    """Return B^T d of F(4, 3), what the 6 convolutions see; d: planes of tiles that overlap by two.

    values: [rows, x, y, z, channels], of which x - 2 is a multiple of 4.
    """
    tiles = (values.shape[1] - KERNEL + 1) // TILE
    shape = (-1, tiles, TILE, *values.shape[2:])
    d0, d1, d2, d3 = tf.unstack(tf.reshape(values[:, : -KERNEL + 1], shape), axis=2)
    *_, d4, d5 = tf.unstack(tf.reshape(values[:, KERNEL - 1 :], shape), axis=2)
    near, far = d4 - 4 * d2, d4 - d2
    odd_near, odd_far = d3 - 4 * d1, 2 * (d3 - d1)
    return [
        4 * (d0 - d2) + far,
        near + odd_near,
        near - odd_near,
        far + odd_far,
        far - odd_far,
        d5 - d3 - 2 * odd_far,
    ]


def planes(products: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Return A^T m of F(4, 3): the four planes of each tile, of what the 6 convolutions gave."""
    m0, m1, m2, m3, m4, m5 = products
    near, odd_near, far, odd_far = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + near + far, odd_near + 2 * odd_far, near + 4 * far, odd_near + 8 * odd_far + m5
