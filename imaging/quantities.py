"""What the stored numbers of a series mean: Hounsfield units, MR signal, activity, SUV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance
from imaging.series import ENHANCED_IMAGES
from imaging.suv.maps import suv_maps

EXACT_IN_FLOAT32 = 1 << 24
"""Whole numbers up to this size are exact in float32."""


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
    slope, intercept = (None, None) if modality == "CT" else (1.0, 0.0)
    slopes = np.array([each.number("RescaleSlope", slope) for each in slices])
    intercepts = np.array([each.number("RescaleIntercept", intercept) for each in slices])
    largest = 1 << max(each.count("BitsAllocated") for each in slices)
    is_whole = (
        bool(np.all(slopes % 1 == 0) and np.all(intercepts % 1 == 0))
        and largest * np.abs(slopes).max() + np.abs(intercepts).max() <= EXACT_IN_FLOAT32
    )
    unit = {"CT": "HU", "PT": slices[0].text("Units") or "unknown"}.get(modality, "arbitrary")
    return Quantity(unit, slopes, intercepts, is_whole)


def network_quantity(modality: str, slices: Sequence[Instance]) -> Quantity:
    """Return the quantity that networks are trained on: that of the objects, but SUVbw for PET."""
    if modality != "PT":
        return stored_quantity(modality, slices)
    if slices[0].text("SOPClassUID") in ENHANCED_IMAGES:
        # Its corrections and times are in modules of their own (PS3.3 C.8.22): not those of a slice
        raise InputError(
            "suv_impossible",
            "it is an enhanced PET object; SUV is computed of classic ones, a slice an object",
        )
    suv = suv_maps(slices)
    return Quantity(
        "SUVbw",
        suv.slopes,
        np.zeros(len(slices)),
        is_whole=False,
        notes=suv.path,
        uptake_minutes=suv.uptake_minutes,
    )
