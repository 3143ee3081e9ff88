"""Sizes, intensities, centres and parts of a region: what a deep feature may be a disguise of."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

from imaging.geometry import Grid
from imaging.regions.mask import Mask

CONNECTED = np.ones((3, 3, 3), np.bool_)
"""Voxels that share a face, an edge or a corner are one component (26 neighbours)."""

FEW_POINTS = 1000
"""Up to so many, all distances are cheaper than a convex hull."""


Values = Callable[[int, slice, slice], NDArray[np.float32]]
"""Returns a part of slice k of an image, given k and its rows and columns: [row, column]."""


@dataclass(frozen=True)
class Measures:
    """What is told of a region beside its features.

    volume_ml: voxels times the volume of one.
    maximum_diameter_mm: largest distance of two voxels' centres.
    extent_mm: the bounding box, voxels' faces included, along the grid axes that are closest to
        left–right, back–front and feet–head.
    mean, sd: of the voxels' values, in their unit; sd over n, not n - 1.
    components: how many parts it has (26 neighbours).
    """

    volume_ml: float
    maximum_diameter_mm: float
    extent_mm: tuple[float, float, float]
    mean: float
    sd: float
    components: int


def measures(mask: Mask, grid: Grid, values: Values) -> Measures:
    """Return the measures of a region; values: of the image, called for the region's slices."""
    mean, sd = intensity(mask, values)
    return Measures(
        volume_ml=volume_ml(mask, grid),
        maximum_diameter_mm=maximum_diameter_mm(mask, grid),
        extent_mm=extent_mm(mask, grid),
        mean=mean,
        sd=sd,
        components=component_count(mask),
    )


def volume_ml(mask: Mask, grid: Grid) -> float:
    """Return the volume of all voxels."""
    return mask.voxels * abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000


def extent_mm(mask: Mask, grid: Grid) -> tuple[float, float, float]:
    """Return the bounding box's lengths, closest to left–right, back–front and feet–head."""
    lengths_mm = np.array(mask.inside.shape) * grid.spacing_mm
    right, front, head = (float(lengths_mm[axis]) for axis in _axes_of_patient(grid))
    return right, front, head


def _axes_of_patient(grid: Grid) -> list[int]:
    """Return the grid's axes that are closest to x, y and z, each taken once."""
    cosines = np.abs(grid.affine[:3, :3] / grid.spacing_mm)
    axes = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(cosines.argmax()), cosines.shape)
        axes[int(world)] = int(axis)
        cosines[world, :] = cosines[:, axis] = -1
    return axes


def maximum_diameter_mm(mask: Mask, grid: Grid) -> float:
    """Return the largest distance between two voxels' centres; 0 for a single voxel."""
    points_mm = np.argwhere(_outermost(mask.inside)) @ grid.affine[:3, :3].T
    if len(points_mm) > FEW_POINTS:
        with suppress(QhullError):  # of points in one plane: then all of them are compared
            points_mm = points_mm[ConvexHull(points_mm).vertices]
    return max(
        float(cdist(points_mm[start : start + FEW_POINTS], points_mm).max())
        for start in range(0, len(points_mm), FEW_POINTS)
    )


def _outermost(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels that are first or last on each of their three lines.

    The two farthest voxels are corners of the convex hull, and no corner lies between two others.
    """
    outermost = inside.copy()
    for axis in range(3):
        ends = np.zeros_like(inside)
        lines = inside.any(axis=axis)
        where = list(np.nonzero(lines))
        length = inside.shape[axis]
        first = inside.argmax(axis=axis)[lines]
        last = length - 1 - np.flip(inside, axis).argmax(axis=axis)[lines]
        for end in (first, last):
            ends[(*where[:axis], end, *where[axis:])] = True
        outermost &= ends
    return outermost


def intensity(mask: Mask, values: Values) -> tuple[float, float]:
    """Return mean and standard deviation (over n) of the image inside, in float64."""
    columns, rows, slices = mask.box
    inside = np.concatenate(
        [
            values(k, rows, columns).T[mask.inside[:, :, k - slices.start]]
            for k in range(slices.start, slices.stop)
        ]
    ).astype(np.float64)
    return float(inside.mean()), float(inside.std())


def centre_index(mask: Mask, kind: str) -> NDArray[np.float64]:
    """Return the centre in index space (i, j, k).

    "bbox": the middle of the bounding box; "centroid": the mean of the voxels' centres.
    """
    if kind == "bbox":
        middle: NDArray[np.float64] = (np.array(mask.inside.shape) - 1) / 2
        return middle + mask.offset
    mean: NDArray[np.float64] = np.argwhere(mask.inside).mean(axis=0)
    return mean + mask.offset


def centre_ras_mm(mask: Mask, grid: Grid, kind: str) -> NDArray[np.float64]:
    """Return the centre in mm, RAS+."""
    centre: NDArray[np.float64] = grid.affine[:3, :3] @ centre_index(mask, kind)
    return centre + grid.affine[:3, 3]


def holds(mask: Mask, index: NDArray[np.float64]) -> bool:
    """Say whether the voxel nearest to an index (i, j, k) belongs to the region."""
    at = np.floor(index + 0.5).astype(int) - mask.offset
    if np.any(at < 0) or np.any(at >= mask.inside.shape):
        return False
    return bool(mask.inside[tuple(at)])


def component_count(mask: Mask) -> int:
    """Return of how many parts a region consists."""
    return int(ndimage.label(mask.inside, CONNECTED)[1])


def components(mask: Mask, kind: str) -> tuple[Mask, ...]:
    """Return the region whole ("union"), in parts ("each"), or its part of most voxels ("largest").

    Parts come in the order of their first voxel; of two largest ones the first is taken.
    """
    if kind == "union":
        return (mask,)
    labels, count = ndimage.label(mask.inside, CONNECTED)
    numbers = range(1, count + 1)
    if kind == "largest":
        numbers = range(best := int(np.bincount(labels.ravel())[1:].argmax()) + 1, best + 1)
    boxes = ndimage.find_objects(labels)
    return tuple(_part(mask, labels, boxes[number - 1], number=number) for number in numbers)


def _part(
    mask: Mask, labels: NDArray[np.int32], box: tuple[slice, slice, slice], *, number: int
) -> Mask:
    i, j, k = (offset + int(extent.start) for offset, extent in zip(mask.offset, box, strict=True))
    return Mask((i, j, k), labels[box] == number)


def dilated(mask: Mask, grid: Grid, distance_mm: float) -> Mask:
    """Return the region with all voxels of the grid whose centres are no farther from one of its.

    Distances are along the grid's axes, which are taken to be perpendicular.
    """
    margins = np.ceil(distance_mm / grid.spacing_mm).astype(int)
    start = np.maximum(np.array(mask.offset) - margins, 0)
    stop = np.minimum(np.array(mask.offset) + mask.inside.shape + margins, grid.shape)
    outside = np.ones(stop - start, np.bool_)
    box = tuple(
        slice(each.start - first, each.stop - first)
        for each, first in zip(mask.box, start, strict=True)
    )
    outside[box] = ~mask.inside
    away_mm = ndimage.distance_transform_edt(outside, sampling=grid.spacing_mm)
    i, j, k = (int(first) for first in start)
    grown = Mask.cropped(away_mm <= distance_mm, (i, j, k))
    return grown or mask
