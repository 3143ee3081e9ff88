"""Linear interpolation of a stack of slices at the few points that a network sees.

Linear interpolation is separable: each slice is sampled along its rows and columns, and the small
results are blended along the third axis. At most two slices are read for each plane of the output,
and nothing of the volume's full size is made.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.threads import each

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class AxisSamples:
    """Points along one axis: each `fraction` of the way from index `lower` to index `upper`."""

    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    fraction: NDArray[np.float32]

    def compact(self) -> "tuple[NDArray[np.intp], AxisSamples]":
        """Return the indices that occur, and the points in an array of just these."""
        indices = np.union1d(self.lower, self.upper)
        lower, upper = (np.searchsorted(indices, which) for which in (self.lower, self.upper))
        return indices, AxisSamples(lower, upper, self.fraction)

    def from_voxel(self, first: int) -> "AxisSamples":
        """Return the same points of an axis that has `first` more voxels before."""
        return AxisSamples(self.lower + first, self.upper + first, self.fraction)

    def blend(self, lower: Plane, upper: Plane, axis: int) -> Plane:
        """Return the values at the points, given those at both indices along `axis`."""
        shape = [1] * lower.ndim
        shape[axis] = -1
        return lower + self.fraction.reshape(shape) * (upper - lower)


@dataclass(frozen=True)
class Points:
    """The points of a network's input: all combinations of those along the grid's i, j and k.

    order: the grid's axis behind each axis of the network.
    """

    axes: tuple[AxisSamples, AxisSamples, AxisSamples]
    order: tuple[int, int, int]


def stretched(length: int, count: int, *, reverse: bool) -> AxisSamples:
    """Return `count` points from the first voxel's centre to the last one's, evenly spaced.

    That is where scipy.ndimage.zoom (grid_mode=False) takes its samples, and thus where networks
    trained on zoomed volumes have seen theirs.
    """
    points = np.arange(count) * ((length - 1) / (count - 1))
    return _between(points, length, reverse=reverse)


def cell_middles(length: int, count: int, *, reverse: bool) -> AxisSamples:
    """Return the middles of `count` cells that share the voxels of an axis, faces included."""
    points = (np.arange(count) + 0.5) * (length / count) - 0.5
    return _between(points.clip(0, length - 1), length, reverse=reverse)


def _between(points: NDArray[np.float64], length: int, *, reverse: bool) -> AxisSamples:
    if reverse:
        points = (length - 1) - points
    lower = np.clip(np.floor(points).astype(np.intp), 0, max(length - 2, 0))
    upper = np.minimum(lower + 1, length - 1)
    return AxisSamples(lower, upper, (points - lower).astype(np.float32))


def sample_stack(
    part_of: Callable[[int, NDArray[np.intp], NDArray[np.intp]], Plane],
    *,
    across: AxisSamples,
    down: AxisSamples,
    through: AxisSamples,
    prepare: Callable[[Plane], Plane],
) -> NDArray[np.float32]:
    """Return the stack at all combinations of points, float32 [across, down, through].

    part_of: returns the rows and columns of slice k that are asked for, indexed [row, column];
        called once for each slice that is needed, by several threads.
    prepare: applied to values before they are interpolated (clipping does not commute with it).
    """
    slices = np.union1d(through.lower, through.upper)
    rows, down = down.compact()
    columns, across = across.compact()
    sampled = np.empty((len(slices), len(down.lower), len(across.lower)), np.float32)

    def sample(index: int) -> None:
        values = prepare(part_of(int(slices[index]), rows, columns))
        lines = down.blend(values[down.lower], values[down.upper], axis=0)
        sampled[index] = across.blend(
            lines.take(across.lower, axis=1), lines.take(across.upper, axis=1), axis=1
        )

    each(sample, range(len(slices)))
    through = through.compact()[1]
    lower, upper = sampled[through.lower], sampled[through.upper]
    return through.blend(lower, upper, axis=0).transpose(2, 1, 0)


def nearest(samples: AxisSamples) -> NDArray[np.intp]:
    """Return the index that is nearest to each point."""
    return np.where(samples.fraction < 0.5, samples.lower, samples.upper)
