"""Frames of a segmentation placed in space, and what of an image grid they cover."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import COSINE_TOLERANCE, LPS_TO_RAS, Grid, slice_affine
from imaging.regions.mask import Drawn, Mask
from imaging.regions.stacking import TIE, UnevenSlices, distinct, spans
from imaging.stacks.slices import FARTHEST_MM, SPACING_RANGE_MM, are_perpendicular_units

SAME_PLACE_MM = 0.01
"""Frames of several segments no further apart than this lie in one plane."""

ALIGNED = 0.01
"""Of a pixel: how far a grid may drift along an axis and still count as parallel to the frame."""

SAME_PIXEL = 0.1
"""Of a pixel: frames whose pixels lie this near the voxels' centres are not resampled."""

Box = tuple[tuple[int, int], ...]
"""From where until before where, along each axis of the grid."""


@dataclass(frozen=True)
class Frame:
    """One plane of a segment.

    affine: 4x4 float64, (column, row, mm along the normal, 1) to (x, y, z, 1) in mm, RAS+.
    step_mm: distance of planes as the object says it, 0 if it does not.
    inside: returns bool [row, column].
    """

    affine: NDArray[np.float64]
    step_mm: float
    inside: Callable[[], NDArray[np.bool_]]

    @classmethod
    def placed(
        cls,
        *,
        position_mm: Sequence[float],
        orientation: Sequence[float],
        pixel_spacing_mm: Sequence[float],
        step_mm: float,
        inside: Callable[[], NDArray[np.bool_]],
    ) -> "Frame":
        """Return the frame at a position in LPS+; refuse what is no plane in space (ValueError)."""
        lowest_mm, highest_mm = SPACING_RANGE_MM
        if not (
            are_perpendicular_units(orientation[:3], orientation[3:])
            and all(lowest_mm <= spacing_mm <= highest_mm for spacing_mm in pixel_spacing_mm)
            and all(abs(away_mm) <= FARTHEST_MM for away_mm in position_mm)
            and step_mm <= highest_mm
        ):
            raise ValueError("no plane in space")
        affine = slice_affine(
            orientation=orientation, position_mm=position_mm, pixel_spacing_mm=pixel_spacing_mm
        )
        return cls(LPS_TO_RAS @ affine, step_mm, inside)

    @property
    def normal(self) -> NDArray[np.float64]:
        """Its direction in RAS+, of length 1."""
        return self.affine[:3, 2]

    @cached_property
    def from_world(self) -> NDArray[np.float64]:
        return np.linalg.inv(self.affine)


def frames_on_grid(frames: Sequence[Frame], every: Sequence[Frame], grid: Grid) -> Drawn:
    """Return the voxels whose centres lie nearest to a set pixel of the frames.

    every: all frames of the object, also of other segments: they tell the distance of planes.
    Refuses frames that are not parallel, and regions without a voxel in the image.
    """
    reaches = _reaches_mm(frames, every, grid)
    whole = np.zeros(grid.shape, np.bool_)
    touched: list[Box] = []
    seen = total = 0
    for frame, reach_mm in zip(frames, reaches, strict=True):
        pixels = frame.inside()
        rows, columns = np.nonzero(pixels)
        if not len(rows):
            continue
        total += len(rows)
        seen += _count_inside(frame, rows, columns, grid=grid)
        extent = ((columns.min(), columns.max()), (rows.min(), rows.max()), tuple(reach_mm))
        box = _box(_to_frame(frame, grid), extent, grid)
        if all(start < stop for start, stop in box):
            _add(whole, frame, pixels, box=box, reach_mm=reach_mm, grid=grid)
            touched.append(box)
    if not total:
        raise InputError("empty_region", "none of its pixels is set")
    mask = _cropped(whole, touched)
    if mask is None and seen:
        raise InputError("empty_region", "it is too small: it holds no voxel's centre")
    if mask is None:
        raise InputError("region_outside_image", "none of its pixels lies inside the image")
    notes = ("resampled",) if _is_resampled(frames, reaches, grid) else ()
    return Drawn(mask, seen / total, notes)


def _cropped(whole: NDArray[np.bool_], touched: Sequence[Box]) -> Mask | None:
    """Return the mask of what is set, looking only where it may be."""
    if not touched:
        return None
    starts = np.array(touched)[:, :, 0].min(axis=0)
    stops = np.array(touched)[:, :, 1].max(axis=0)
    i, j, k = (int(start) for start in starts)
    return Mask.cropped(whole[i : stops[0], j : stops[1], k : stops[2]], (i, j, k))


def _reaches_mm(
    frames: Sequence[Frame], every: Sequence[Frame], grid: Grid
) -> list[NDArray[np.float64]]:
    """Return from where to where along its normal each frame is the nearest one, from itself."""
    normal = every[0].normal
    if not all(np.allclose(each.normal, normal, atol=10 * COSINE_TOLERANCE) for each in every):
        raise InputError("unreadable_regions", "its frames are not parallel to each other")
    positions_mm, _ = distinct(
        np.array([normal @ each.affine[:3, 3] for each in every]), SAME_PLACE_MM
    )
    edges_mm = _edges_mm(positions_mm, every[0], grid)
    own_mm = np.array([normal @ each.affine[:3, 3] for each in frames])
    plane = np.abs(own_mm[:, np.newaxis] - positions_mm).argmin(axis=1)
    return list(edges_mm[plane] - own_mm[:, np.newaxis])


def _edges_mm(positions_mm: NDArray[np.float64], frame: Frame, grid: Grid) -> NDArray[np.float64]:
    """Return from where to where along the frames' normal each plane is the nearest one."""
    uneven = UnevenSlices.along(frame.normal, grid)
    if uneven and uneven.hold(positions_mm):
        return uneven.edges(spans(uneven.numbers(positions_mm), 1.0))
    return spans(positions_mm, _step_mm(positions_mm, frame, grid))


def _step_mm(positions_mm: NDArray[np.float64], frame: Frame, grid: Grid) -> float:
    """Return the distance of planes: even gaps tell it, between sparse frames the object does."""
    gaps_mm = np.diff(positions_mm)
    if len(gaps_mm) >= 2 and np.ptp(gaps_mm) < 0.1 * gaps_mm.min():
        return float(gaps_mm.mean())
    along = np.abs(frame.normal @ grid.affine[:3, :3]).max()
    declared_mm = frame.step_mm or float(along)
    return float(min([declared_mm, *gaps_mm]))


def _to_frame(frame: Frame, grid: Grid) -> NDArray[np.float64]:
    """Return 4x4: index in the grid to (column, row, mm along the normal) of the frame."""
    return frame.from_world @ grid.affine


def _coordinates(
    matrix: NDArray[np.float64], axes: Sequence[NDArray[np.float64]], spread: float
) -> list[NDArray[np.float64]]:
    """Return three coordinates over an open mesh of indices.

    Terms that change a coordinate by less than `spread` over their axis are left out, so that a
    coordinate of a parallel frame needs one axis, not three.
    """
    mesh = np.ix_(*axes)
    coordinates = []
    for row in matrix[:3]:
        coordinate = np.full((1, 1, 1), row[3])
        for factor, axis in zip(row, mesh, strict=False):
            if abs(factor) * axis.size > spread:
                coordinate = coordinate + factor * axis
            else:
                coordinate = coordinate + factor * axis.mean()
        coordinates.append(coordinate)
    return coordinates


def _add(
    whole: NDArray[np.bool_],
    frame: Frame,
    pixels: NDArray[np.bool_],
    *,
    box: Box,
    reach_mm: NDArray[np.float64],
    grid: Grid,
) -> None:
    """Set the voxels of a box whose centres lie in set pixels and within the frame's reach."""
    matrix = _to_frame(frame, grid)
    axes = [np.arange(start, stop, dtype=float) for start, stop in box]
    column, row, away_mm = _coordinates(matrix, axes, ALIGNED)
    columns, rows = (np.floor(each + 0.5 + TIE).astype(np.intp) for each in (column, row))
    known = (columns >= 0) & (columns < pixels.shape[1]) & (rows >= 0) & (rows < pixels.shape[0])
    near = (away_mm >= reach_mm[0]) & (away_mm < reach_mm[1])
    picture = pixels[rows.clip(0, pixels.shape[0] - 1), columns.clip(0, pixels.shape[1] - 1)]
    whole[tuple(slice(*limits) for limits in box)] |= picture & known & near


def _box(matrix: NDArray[np.float64], extent: tuple[tuple[float, ...], ...], grid: Grid) -> Box:
    """Return the part of the grid that may lie within an extent of (column, row, mm)."""
    (left, right), (top, bottom), (near, far) = extent
    corners = np.array(
        [
            (column, row, away, 1.0)
            for column in (left - 1, right + 1)
            for row in (top - 1, bottom + 1)
            for away in (near, far)
        ]
    )
    indices = (corners @ np.linalg.inv(matrix).T)[:, :3]
    size = np.array(grid.shape)
    start = np.floor(indices.min(axis=0)).clip(0, size).astype(int)
    stop = (np.ceil(indices.max(axis=0)) + 1).clip(0, size).astype(int)
    return tuple((int(first), int(last)) for first, last in zip(start, stop, strict=True))


def _count_inside(
    frame: Frame, rows: NDArray[np.intp], columns: NDArray[np.intp], *, grid: Grid
) -> int:
    """Return how many pixels' centres lie inside the image, to the outer faces of its voxels."""
    matrix = np.linalg.inv(_to_frame(frame, grid))
    inside = np.ones(len(rows), np.bool_)
    for axis, length in enumerate(grid.shape):
        index = matrix[axis, 0] * columns + matrix[axis, 1] * rows + matrix[axis, 3]
        inside &= (index >= -0.5 - TIE) & (index <= length - 0.5 + TIE)
    return int(np.count_nonzero(inside))


def _is_resampled(
    frames: Sequence[Frame], reaches: Sequence[NDArray[np.float64]], grid: Grid
) -> bool:
    """Say whether a pixel is anything but one voxel: at another place, larger or turned."""
    matrices = [np.linalg.inv(_to_frame(frame, grid)) for frame in frames]
    origins = np.array([matrix[:3, 3] for matrix in matrices])
    reach_mm = max(far - near for near, far in reaches)
    steps = matrices[0][:3, :3] * (1, 1, reach_mm)
    # Frames of a tilted gantry slide sideways as its slices do: that is no other voxel.
    steps[:, 2] *= np.rint(steps[:, :2]).any(axis=1) == 0
    drift = np.abs(steps - np.rint(steps))[:, :2].max() * max(grid.shape)
    return bool(
        drift > 1
        or not np.array_equal(np.abs(np.rint(steps)).sum(axis=0), (1, 1, 1))
        or np.abs(origins - np.rint(origins)).max() > SAME_PIXEL
    )
