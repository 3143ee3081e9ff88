"""Weighted means of a stack of slices, where a network wants them smoothed as they get smaller.

As point samples, weighted means are separable: each slice is made small along its rows and columns
by two products of sparse matrices, and the small results along the third axis by a third.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_array

from imaging.sampling import stretched
from imaging.threads import each


@dataclass(frozen=True)
class AxisWeights:
    """Points along one axis, each a mean of voxels from `first` on: float32 [points, voxels]."""

    first: int
    weights: NDArray[np.float32]

    @property
    def end(self) -> int:
        """The index behind the last voxel."""
        return self.first + self.weights.shape[1]


def area_weights(length: int, count: int) -> NDArray[np.float32]:
    """Return the weights of adaptive averages: float32 [count, length].

    Cell i is the mean of the voxels from floor(i n / m) to before ceil((i + 1) n / m), n being the
    length and m the count, as in PyTorch's adaptive_avg_pool3d: neighbours may share a voxel.
    """
    weights = np.zeros((count, length), np.float32)
    for cell in range(count):
        start, end = cell * length // count, -(-(cell + 1) * length // count)
        weights[cell, start:end] = 1 / (end - start)
    return weights


def gaussian_weights(length: int, count: int) -> NDArray[np.float32]:
    """Return the weights of linear zoom after a Gaussian: float32 [count, length].

    The Gaussian's sigma is (n/m - 1) / 2 voxels, n being the length and m the count, as in
    scikit-image's resize; there is none where m is larger. The rest is as in scipy.ndimage:
    gaussian_filter with its defaults, then zoom of order 1.
    """
    sigma = max(length / count - 1, 0) / 2
    smoothed = np.eye(length)
    if sigma:
        smoothed = gaussian_filter1d(smoothed, sigma, axis=0)
    points = stretched(length, count, reverse=False)
    part = points.fraction.astype(np.float64)[:, np.newaxis]
    weights = smoothed[points.lower] * (1 - part) + smoothed[points.upper] * part
    return weights.astype(np.float32)


def averaged_stack(
    part_of: Callable[[int], NDArray[np.float32]],
    *,
    across: AxisWeights,
    down: AxisWeights,
    through: AxisWeights,
) -> NDArray[np.float32]:
    """Return the weighted means at all combinations of points, float32 [across, down, through].

    part_of: returns slice k's voxels that have weights, float32 [row, column]; called once for each
        slice that has one, by several threads.
    """
    planes = through.end - through.first
    # Few weights of a point are not 0; and threads of a BLAS would wait for each other in ours.
    of_columns, of_rows, of_planes = (csr_array(axis.weights) for axis in (across, down, through))
    small = np.empty((planes, of_rows.shape[0], of_columns.shape[0]), np.float32)

    def average(plane: int) -> None:
        lines = of_rows @ part_of(through.first + plane)
        small[plane] = (of_columns @ lines.T).T

    each(average, range(planes))
    means: NDArray[np.float32] = of_planes @ small.reshape(planes, -1)
    return means.reshape(-1, *small.shape[1:]).transpose(2, 1, 0)
