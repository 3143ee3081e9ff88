"""What a network sees of a region: a box of stated size in mm around a point, sampled linearly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid
from imaging.network_input import axes_of_network
from imaging.recipe import Recipe
from imaging.regions.mask import Mask
from imaging.sampling import AxisSamples, Points, nearest
from imaging.source import Sampled

EDGE_TOLERANCE = 1e-6
"""Of a voxel: points this near to the outermost voxels' centres are on them."""


@dataclass(frozen=True)
class BoxAxisSamples(AxisSamples):
    """Points along one axis of the grid, of which some may lie outside the image.

    inside: bool, whether the point lies between the centres of the first and the last voxel;
        for others, lower and upper are the nearest voxel's.
    """

    inside: NDArray[np.bool_]


@dataclass(frozen=True)
class BoxSamples(Points):
    """The points of a box; distances_mm: of neighbours along the network's axes."""

    axes: tuple[BoxAxisSamples, BoxAxisSamples, BoxAxisSamples]
    distances_mm: tuple[float, float, float]

    @property
    def fraction_outside(self) -> float:
        """The share of all points that lies outside the image, and is padded."""
        return 1.0 - float(np.prod([axis.inside.mean() for axis in self.axes]))


def box_samples(
    grid: Grid, recipe: Recipe, *, centre_ras_mm: NDArray[np.float64], extent_mm: Sequence[float]
) -> BoxSamples:
    """Return the points of a box around a centre, in the network's orientation and shape.

    Along each axis they lie at centre - E/2 + (n + 1/2) E/count: each in the middle of its cell.
    An oblique grid goes by its closest axes: the box is turned with it.
    extent_mm: E along each axis of the network, thus as recipe.shape counts them.
    """
    centre = np.linalg.inv(grid.affine)[:3] @ np.array([*centre_ras_mm, 1.0])
    axes = axes_of_network(grid, recipe)
    cells_mm = [extent / count for extent, count in zip(extent_mm, recipe.shape, strict=True)]
    samples: dict[int, BoxAxisSamples] = {}
    for (axis, reverse), cell_mm, count in zip(axes, cells_mm, recipe.shape, strict=True):
        away_mm = (np.arange(count) + 0.5 - count / 2) * cell_mm
        away = (-away_mm if reverse else away_mm) / grid.spacing_mm[axis]
        samples[axis] = along(centre[axis] + away, grid.shape[axis])
    first, second, third = (axis for axis, _ in axes)
    return BoxSamples(
        (samples[0], samples[1], samples[2]),
        (first, second, third),
        (cells_mm[0], cells_mm[1], cells_mm[2]),
    )


def along(points: NDArray[np.float64], length: int) -> BoxAxisSamples:
    """Return points, in voxels, with the voxels between which they lie."""
    inside = (points >= -EDGE_TOLERANCE) & (points <= length - 1 + EDGE_TOLERANCE)
    points = points.clip(0, length - 1)
    lower = np.clip(np.floor(points).astype(np.intp), 0, max(length - 2, 0))
    upper = np.minimum(lower + 1, length - 1)
    return BoxAxisSamples(lower, upper, (points - lower).astype(np.float32), inside)


def boxed(sampled: Sampled, points: BoxSamples) -> NDArray[np.float32]:
    """Return the box as the network sees it, float32 [a, b, c].

    Outside the image it is 0, which Window.scale makes of the window's lower end.
    """
    values = sampled.values
    across, down, through = points.axes
    values[~across.inside] = 0
    values[:, ~down.inside] = 0
    values[:, :, ~through.inside] = 0
    return np.ascontiguousarray(values.transpose(points.order))


def sample_mask(mask: Mask, points: Points) -> NDArray[np.bool_]:
    """Return which of a network's points have their nearest voxel in a region, bool [a, b, c]."""
    inside = mask.inside
    known = []
    for axis, (samples, first) in enumerate(zip(points.axes, mask.offset, strict=True)):
        at = nearest(samples) - first
        inside = inside.take(at.clip(0, mask.inside.shape[axis] - 1), axis)
        in_image = getattr(samples, "inside", True)  # points of whole volumes all are
        known.append(in_image & (at >= 0) & (at < mask.inside.shape[axis]))
    i, j, k = known
    sampled: NDArray[np.bool_] = inside & i[:, np.newaxis, np.newaxis] & j[:, np.newaxis] & k
    return sampled.transpose(points.order)
