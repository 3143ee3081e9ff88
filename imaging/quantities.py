"""What the stored numbers of a series mean: Hounsfield units, MR signal, activity, SUV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imaging.instances import Instance
from imaging.real_world import maps_of
from imaging.series import ENHANCED_PET
from imaging.suv.maps import suv_maps

EXACT_IN_FLOAT32 = 1 << 24
"""Whole numbers up to this size are exact in float32."""


UNKNOWN = "unknown"
"""The unit of PET that states none."""

RAW = (1.0, 0.0)
"""Slope and intercept of stored values that are not rescaled."""


class Line(NamedTuple):
    """What stored numbers of one slice mean: slope x number + intercept, in the unit."""

    slope: float
    intercept: float
    unit: str


@dataclass(frozen=True)
class Quantity:
    """A linear map from stored numbers to a unit, slice by slice.

    slopes, intercepts: float64 [slices]; PET series have another slope in every slice.
    is_whole: whether all values are whole numbers that float32 holds exactly.
    notes: codes for what was unusual on the way to the unit.
    uptake_minutes: from injection to scan, where SUV was computed and it is known.
    """

    unit: str
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    is_whole: bool
    notes: tuple[str, ...] = ()
    uptake_minutes: float | None = None

    def of(self, stored: NDArray[np.generic], k: int) -> NDArray[np.float32]:
        """Return stored numbers of slice k in the unit, rounded to float32 once."""
        values: NDArray[np.floating[Any]]
        values = stored.astype(np.float32 if self.is_whole else np.float64)
        values *= self.slopes[k]
        values += self.intercepts[k]
        return values.astype(np.float32, copy=False)


def stored_quantity(modality: str, slices: Sequence[Instance]) -> Quantity:
    """Return the quantity that the objects themselves declare (PS3.3 C.11.1.1.2).

    CT in Hounsfield units, which needs slope and intercept; PET in its Units; MR without a unit.
    """
    if slices[0].text("SOPClassUID") == ENHANCED_PET:
        return _quantity([_enhanced_pet_line(each) for each in slices], slices)
    unit = {"CT": "HU", "PT": slices[0].text("Units") or UNKNOWN}.get(modality, "arbitrary")
    default = None if modality == "CT" else RAW
    return _quantity([Line(*_rescale(each, default), unit) for each in slices], slices)


def network_quantity(modality: str, slices: Sequence[Instance]) -> Quantity:
    """Return the quantity that networks are trained on: that of the objects, but SUVbw for PET."""
    if modality != "PT":
        return stored_quantity(modality, slices)
    suv = suv_maps(slices)
    return Quantity(
        "SUVbw",
        suv.slopes,
        np.zeros(len(slices)),
        is_whole=False,
        notes=suv.path,
        uptake_minutes=suv.uptake_minutes,
    )


def _quantity(lines: Sequence[Line], slices: Sequence[Instance]) -> Quantity:
    slopes = np.array([line.slope for line in lines])
    intercepts = np.array([line.intercept for line in lines])
    units = {line.unit for line in lines}
    largest = 1 << max(each.count("BitsAllocated") for each in slices)
    is_whole = (
        bool(np.all(slopes % 1 == 0) and np.all(intercepts % 1 == 0))
        and largest * np.abs(slopes).max() + np.abs(intercepts).max() <= EXACT_IN_FLOAT32
    )
    return Quantity(units.pop() if len(units) == 1 else UNKNOWN, slopes, intercepts, is_whole)


def _rescale(one: Instance, default: tuple[float, float] | None) -> tuple[float, float]:
    """Return RescaleSlope and RescaleIntercept; without a default, both are needed."""
    slope, intercept = default or (None, None)
    return one.number("RescaleSlope", slope), one.number("RescaleIntercept", intercept)


def _enhanced_pet_line(frame: Instance) -> Line:
    """Return the frame's rescaling, with the unit of its first map if that is the same line.

    A frame without rescaling has that map itself.
    """
    stated = maps_of(frame)[:1]
    if not frame.text("RescaleSlope"):
        return Line(*stated[0].line(), stated[0].unit) if stated else Line(*RAW, UNKNOWN)
    rescale = _rescale(frame, RAW)
    is_same = bool(stated) and stated[0].is_line(*rescale)
    return Line(*rescale, stated[0].unit if is_same else UNKNOWN)
