"""Where slices lie: their order, the grid they form, and its affine.

Positions and directions are read in DICOM's LPS+ frame; what leaves is RAS+, as NIfTI has it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imaging.errors import InputError
from imaging.stacks.gaps import Steps, even_steps
from imaging.stacks.slices import Plane, Slice
from imaging.stacks.tilt import Upright, tilt_of

COSINE_TOLERANCE = 1e-3
"""Direction cosines are written with few digits; 1e-3 is half a millimetre over 512 mm."""

SPACING_TOLERANCE = 0.05
"""Relative: reconstructed PET positions jitter by 3 %; a missing slice would be off by 1.0."""

PLACE_TOLERANCE = 0.1
"""Of the usual distance: how far a slice may lie from where even steps put it. Jitter stays within
0.02; distances that change along the series by less than the tolerance above add up."""

MOST_VOXELS = 1 << 31
"""8 GiB as float32: 8192 slices of 512 × 512."""

SAME_PLACE_MM = 1e-3
"""Slices closer than that lie at the same place."""

ROUNDING_PIXELS = 1e-6
"""Shifts of whole pixels need no further row or column for a rounding error."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# DICOM's x and y grow to the left and the back (PS3.3 C.7.6.2.1.1), NIfTI's to the right and the
# front (nifti1.h, "ORIENTATION AND LOCATION IN SPACE"): the first two rows change sign.


@dataclass(frozen=True)
class Grid:
    """A volume's voxels: the slices they are made of, and the affine that places them.

    slices: as acquired, in order along their normal.
    shape: (columns, rows, slices), the lengths of the axes i, j, k.
    affine: 4x4 float64, (i, j, k, 1) to (x, y, z, 1) in mm, RAS+; sheared if the gantry was tilted.
    spacing_spread: largest relative difference of a gap between slices from their median gap.
    steps: how slices at uneven distances become even ones; None if k simply counts the slices.
    tilt_degrees: between the slices' normal and the line on which they lie, 0 within tolerance.
    upright: set where planes of a tilted volume are shifted into right angles.
    """

    slices: tuple[Slice, ...]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    spacing_spread: float
    steps: Steps | None = None
    tilt_degrees: float = 0.0
    upright: Upright | None = None

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """The lengths of one step along i, j and k."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths

    @property
    def slice_mm(self) -> float:
        """The distance of slices along their normal; less than a step if that is sheared."""
        normal = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        return float(abs(self.affine[:3, 2] @ normal) / np.linalg.norm(normal))

    @property
    def gaps_mm(self) -> NDArray[np.float64]:
        """The distances of the slices as acquired, along their normal: float64 [slices - 1]."""
        cosines = np.reshape(self.slices[0].plane.orientation, (2, 3))
        positions_mm = np.array([each.plane.position_mm for each in self.slices])
        gaps_mm: NDArray[np.float64] = np.diff(positions_mm @ np.cross(*cosines))
        return gaps_mm

    @property
    def slices_at(self) -> NDArray[np.float64]:
        """Where along k the slices as acquired lie: float64 [slices]."""
        return np.concatenate([[0.0], np.cumsum(self.gaps_mm)]) / self.slice_mm

    @property
    def is_interpolated(self) -> bool:
        """Whether voxels are blends of stored pixels, not these themselves."""
        return self.steps is not None or self.upright is not None


def slice_affine(
    *, orientation: ArrayLike, position_mm: ArrayLike, pixel_spacing_mm: Sequence[float]
) -> NDArray[np.float64]:
    """Return the LPS+ affine of one slice: PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1.

    Its third column is the slice's normal, of length 1: a slice alone does not know the next.
    """
    row_cosine, column_cosine = np.reshape(np.asarray(orientation, float), (2, 3))
    row_spacing_mm, column_spacing_mm = pixel_spacing_mm  # PS3.3 10.7.1.3: rows first
    affine = np.eye(4)
    affine[:3, 0] = row_cosine * column_spacing_mm  # i walks along a row, across columns
    affine[:3, 1] = column_cosine * row_spacing_mm
    affine[:3, 2] = np.cross(row_cosine, column_cosine)
    affine[:3, 3] = position_mm
    return affine


def grid_of(slices: Sequence[Slice], *, lenient: bool = False) -> Grid:
    """Return the grid that the slices of one stack form, or say what stops that.

    lenient: set slices on even distances however many are missing.
    """
    if len(slices) < 2:
        raise InputError("single_slice", "it has one slice; a volume needs two or more")
    affine_lps = _common_affine(slices)
    normal = affine_lps[:3, 2].copy()
    slices, positions_mm = _sorted_along(normal, slices)
    gaps_mm = np.diff(positions_mm, axis=0) @ normal
    _refuse_same_place(slices, gaps_mm)
    tilt_degrees = tilt_of(normal, positions_mm)
    usual_mm = float(np.median(gaps_mm))
    spread = float((np.abs(gaps_mm - usual_mm) / usual_mm).max())
    steps = None
    if spread > SPACING_TOLERANCE or _off_place_mm(gaps_mm) > PLACE_TOLERANCE * usual_mm:
        thickness_mm = [each.thickness_mm for each in slices]
        steps = even_steps(gaps_mm, thickness_mm, tolerance=SPACING_TOLERANCE, lenient=lenient)
    count = len(slices) if steps is None else len(steps.at)
    affine_lps[:3, 2] = (positions_mm[-1] - positions_mm[0]) / (count - 1)
    affine_lps[:3, 3] = positions_mm[0]
    rows, columns = slices[0].plane.size
    shape = (columns, rows, count)
    _refuse_huge(shape)
    return Grid(slices, shape, LPS_TO_RAS @ affine_lps, spread, steps, tilt_degrees)


def untilted(grid: Grid) -> Grid:
    """Return the grid with its third axis along the slices' normal, wide enough for all of them.

    Planes of a tilted volume are shifted in their own plane; any other grid is returned as it is.
    """
    if not grid.tilt_degrees:
        return grid
    along_i, along_j, step = grid.affine[:3, :3].T
    slide = np.array([step @ axis / (axis @ axis) for axis in (along_i, along_j)])
    ends = slide * (grid.shape[2] - 1)
    first = np.floor(np.minimum(ends, 0) + ROUNDING_PIXELS).astype(int)
    last = np.ceil(np.maximum(ends, 0) - ROUNDING_PIXELS).astype(int)
    affine = grid.affine.copy()
    affine[:3, 2] = step - slide[0] * along_i - slide[1] * along_j
    affine[:3, 3] += first[0] * along_i + first[1] * along_j
    width, height = (int(each) for each in np.array(grid.shape[:2]) + last - first)
    shape = (width, height, grid.shape[2])
    _refuse_huge(shape)
    return replace(
        grid,
        shape=shape,
        affine=affine,
        upright=Upright((int(first[0]), int(first[1])), (float(slide[0]), float(slide[1]))),
    )


def same_lattice(first: Plane, other: Plane) -> bool:
    """Say whether two slices have one size, spacing and orientation, within rounding."""
    if (other.size, other.spacing_mm, other.orientation) == (
        first.size,
        first.spacing_mm,
        first.orientation,
    ):
        return True  # as nearly always: to compare numbers takes a hundred times as long
    return (
        other.size == first.size
        and np.allclose(other.spacing_mm, first.spacing_mm, rtol=1e-4)
        and np.allclose(other.orientation, first.orientation, atol=COSINE_TOLERANCE)
    )


def _common_affine(slices: Sequence[Slice]) -> NDArray[np.float64]:
    """Return the affine of the first slice; refuse slices of another geometry or frame."""
    first = slices[0]
    frame_uid = first.text("FrameOfReferenceUID")
    for other in slices[1:]:
        if other.text("FrameOfReferenceUID") != frame_uid:
            raise InputError(
                "mixed_geometry",
                f"entries {first.entry.number} and {other.entry.number} are slices of one series, "
                "but their positions are in different frames of reference",
            )
        if not same_lattice(first.plane, other.plane):
            raise InputError(
                "mixed_geometry",
                f"entries {first.entry.number} and {other.entry.number} are slices of one series, "
                "but differ in size, spacing or orientation",
            )
    return slice_affine(
        orientation=first.plane.orientation,
        position_mm=first.plane.position_mm,
        pixel_spacing_mm=first.plane.spacing_mm,
    )


def _sorted_along(
    normal: NDArray[np.float64], slices: Sequence[Slice]
) -> tuple[tuple[Slice, ...], NDArray[np.float64]]:
    """Return the slices and their positions [n, 3] in mm, LPS+, in order along the normal."""
    positions_mm = np.array([each.plane.position_mm for each in slices])
    order = np.argsort(positions_mm @ normal, kind="stable")
    return tuple(slices[index] for index in order), positions_mm[order]


def _off_place_mm(gaps_mm: NDArray[np.float64]) -> float:
    """Return how far any slice lies from its place on even steps from the first to the last."""
    heights_mm = np.concatenate([[0.0], np.cumsum(gaps_mm)])
    return float(np.abs(heights_mm - np.linspace(0.0, heights_mm[-1], len(heights_mm))).max())


def _refuse_same_place(slices: Sequence[Slice], gaps_mm: NDArray[np.float64]) -> None:
    if gaps_mm.min() >= SAME_PLACE_MM:
        return
    at = int(gaps_mm.argmin()) + 1
    first, other = (each.entry.number for each in slices[at - 1 : at + 1])
    ends = np.flatnonzero(np.append(gaps_mm, np.inf) >= SAME_PLACE_MM) + 1
    fewest, most = (int(count(np.diff(ends, prepend=0))) for count in (np.min, np.max))
    counts = f"; some places have {fewest}, others {most} slices" if fewest < most else ""
    raise InputError(
        "same_position",
        f"slices {at} and {at + 1} (entries {first} and {other}) lie at the same place, and no "
        f"contrast, time or number tells whole volumes apart{counts}",
    )


def _refuse_huge(shape: tuple[int, int, int]) -> None:
    if math.prod(shape) > MOST_VOXELS:
        extents = " × ".join(map(str, shape))
        raise InputError("too_large", f"it has {extents} voxels; at most {MOST_VOXELS} are read")
