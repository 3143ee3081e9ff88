"""The tilt of a gantry: slices that slide sideways from one to the next, along one line."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError

DRIFT_TOLERANCE = 0.01
"""Of the slice step: how far slices may slide sideways; 1 % is a tilt of half a degree."""

ROUNDED_POSITION_MM = 0.1
"""How far off their line slices of a tilted gantry may lie: positions are written as coarsely."""

MOST_TILT_DEGREES = 45.0
"""CT gantries tilt by 30 degrees at most."""


@dataclass(frozen=True)
class Upright:
    """How planes are shifted sideways: index (i, j) of plane k shows (i, j) + first - k · slide.

    first, slide: pixels along i and j.
    """

    first: tuple[int, int]
    slide: tuple[float, float]


def tilt_of(normal: NDArray[np.float64], positions_mm: NDArray[np.float64]) -> float:
    """Return the angle between the normal and the line of the slices, 0 within tolerance.

    The positions tell, not GantryDetectorTilt, which is often absent or 0. Refuses slices that
    slide sideways, but not along one line.
    """
    steps_mm = np.diff(positions_mm, axis=0)
    gaps_mm = steps_mm @ normal
    allowed_mm = DRIFT_TOLERANCE * float(np.median(gaps_mm))
    drift_mm = np.linalg.norm(steps_mm - np.outer(gaps_mm, normal), axis=1).max()
    if drift_mm <= allowed_mm:
        return 0.0
    whole_mm = positions_mm[-1] - positions_mm[0]
    heights_mm = (positions_mm - positions_mm[0]) @ normal
    line_mm = np.outer(heights_mm / heights_mm[-1], whole_mm)
    off_line_mm = np.linalg.norm(positions_mm - positions_mm[0] - line_mm, axis=1).max()
    tilt_degrees = math.degrees(math.acos(min(heights_mm[-1] / np.linalg.norm(whole_mm), 1.0)))
    if off_line_mm > max(allowed_mm, ROUNDED_POSITION_MM) or tilt_degrees > MOST_TILT_DEGREES:
        raise InputError(
            "gantry_tilt",
            f"a slice lies {drift_mm:.3g} mm sideways of the one before: the slices do not lie on "
            f"one line within {MOST_TILT_DEGREES:.0f} degrees of their normal",
        )
    return tilt_degrees
