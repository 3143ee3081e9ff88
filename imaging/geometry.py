"""Where slices lie: their order, the grid they form, and its affine.

Positions and directions are read in DICOM's LPS+ frame; what leaves is RAS+, as NIfTI has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imaging.errors import InputError
from imaging.instances import Instance

COSINE_TOLERANCE = 1e-3
"""Direction cosines are written with few digits; 1e-3 is half a millimetre over 512 mm."""

SPACING_TOLERANCE = 0.05
"""Relative: reconstructed PET positions jitter by 3 %; a missing slice would be off by 1.0."""

DRIFT_TOLERANCE = 0.01
"""Of the slice step: how far slices may slide sideways; 1 % is a tilt of half a degree."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# DICOM's x and y grow to the left and the back (PS3.3 C.7.6.2.1.1), NIfTI's to the right and the
# front (nifti1.h, "ORIENTATION AND LOCATION IN SPACE"): the first two rows change sign.


@dataclass(frozen=True)
class Grid:
    """Slices in order along their normal, and the affine that places their pixels.

    shape: (columns, rows, slices), the lengths of the axes i, j, k.
    affine: 4x4 float64, (i, j, k, 1) to (x, y, z, 1) in mm, RAS+.
    spacing_spread: largest relative difference of a gap between slices from their mean gap.
    """

    slices: tuple[Instance, ...]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    spacing_spread: float

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """The lengths of one step along i, j and k."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths


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


def grid_of(instances: Sequence[Instance]) -> Grid:
    """Return the grid that the instances of one series form, or say what stops that."""
    if len(instances) < 2:
        raise InputError("single_slice", "it has one slice; a volume needs two or more")
    affine_lps = _common_affine(instances)
    slices, positions_mm = _sorted_along(affine_lps[:3, 2], instances)
    spread = _check_steps(affine_lps[:3, 2], positions_mm)
    affine_lps[:3, 2] = (positions_mm[-1] - positions_mm[0]) / (len(slices) - 1)
    affine_lps[:3, 3] = positions_mm[0]
    shape = (slices[0].count("Columns"), slices[0].count("Rows"), len(slices))
    return Grid(slices, shape, LPS_TO_RAS @ affine_lps, spread)


def _common_affine(instances: Sequence[Instance]) -> NDArray[np.float64]:
    """Return the affine of the first slice; refuse slices of another size or orientation."""
    first = instances[0]
    orientation = np.array(first.numbers("ImageOrientationPatient", 6))
    spacing_mm = first.numbers("PixelSpacing", 2)
    size = (first.count("Rows"), first.count("Columns"))
    _check_plane(first, orientation, spacing_mm, size)
    for other in instances[1:]:
        same = (
            (other.count("Rows"), other.count("Columns")) == size
            and np.allclose(other.numbers("PixelSpacing", 2), spacing_mm, rtol=1e-4)
            and np.allclose(
                other.numbers("ImageOrientationPatient", 6), orientation, atol=COSINE_TOLERANCE
            )
        )
        if not same:
            raise InputError(
                "mixed_geometry",
                f"entries {first.entry.number} and {other.entry.number} are slices of one series, "
                "but differ in size, spacing or orientation",
            )
    return slice_affine(
        orientation=orientation,
        position_mm=first.numbers("ImagePositionPatient", 3),
        pixel_spacing_mm=spacing_mm,
    )


def _check_plane(
    instance: Instance,
    orientation: NDArray[np.float64],
    spacing_mm: tuple[float, ...],
    size: tuple[int, int],
) -> None:
    """Refuse directions that are not two perpendicular unit vectors, and empty planes."""
    cosines = orientation.reshape(2, 3)
    if not np.allclose(cosines @ cosines.T, np.eye(2), atol=10 * COSINE_TOLERANCE):
        raise InputError(
            "bad_attribute",
            f"ImageOrientationPatient of entry {instance.entry.number} "
            "is not two perpendicular directions of length 1",
        )
    if min(spacing_mm) <= 0:
        raise InputError(
            "bad_attribute", f"PixelSpacing of entry {instance.entry.number} is not above 0"
        )
    if min(size) < 2:
        raise InputError(
            "bad_pixels",
            f"entry {instance.entry.number} is {size[1]} × {size[0]} pixels; "
            "a slice needs two in each direction",
        )


def _sorted_along(
    normal: NDArray[np.float64], instances: Sequence[Instance]
) -> tuple[tuple[Instance, ...], NDArray[np.float64]]:
    """Return the instances and their positions [n, 3] in mm, LPS+, in order along the normal."""
    positions_mm = np.array([each.numbers("ImagePositionPatient", 3) for each in instances])
    order = np.argsort(positions_mm @ normal, kind="stable")
    return tuple(instances[index] for index in order), positions_mm[order]


def _check_steps(normal: NDArray[np.float64], positions_mm: NDArray[np.float64]) -> float:
    """Refuse slices that share a place, leave gaps or slide sideways; return the gaps' spread."""
    steps_mm = np.diff(positions_mm, axis=0)
    gaps_mm = steps_mm @ normal
    if gaps_mm.min() < 1e-3:
        at = int(gaps_mm.argmin()) + 1
        raise InputError("same_position", f"slices {at} and {at + 1} lie at the same place")
    usual_mm = float(np.median(gaps_mm))
    deviations = np.abs(gaps_mm - usual_mm) / usual_mm
    if deviations.max() > SPACING_TOLERANCE:
        at = int(deviations.argmax())
        raise InputError(
            "uneven_spacing",
            f"slices {at + 1} and {at + 2} are {gaps_mm[at]:.4g} mm apart, "
            f"the others {usual_mm:.4g} mm",
        )
    drift_mm = np.linalg.norm(steps_mm - np.outer(gaps_mm, normal), axis=1).max()
    if drift_mm > DRIFT_TOLERANCE * usual_mm:
        raise InputError(
            "gantry_tilt",
            f"each slice lies {drift_mm:.3g} mm sideways of the one before: the gantry was tilted",
        )
    return float(deviations.max())
