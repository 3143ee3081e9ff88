"""What the stored numbers of a series mean: Hounsfield units, MR signal, activity, SUV."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance
from imaging.mr_maps import map_kind
from imaging.real_world import UNKNOWN, maps_of
from imaging.series import ENHANCED_PET, PARAMETRIC_MAP
from imaging.suv.maps import suv_maps
from imaging.volume import has_float_pixels

HOUNSFIELD = ("", "HU", "US")
"""What RescaleType says of Hounsfield units: nothing, or "unspecified". Other CT objects are maps
of a material or of effective atomic numbers (PS3.3 C.8.2.1.1)."""

EXACT_IN_FLOAT32 = 1 << 24
"""Whole numbers up to this size are exact in float32."""

EXACT_IN_FLOAT64 = 1 << 53

TERM = re.compile(r"[A-Z0-9_]{1,16}", re.ASCII)
"""The form of all defined terms of RescaleType and Units (PS3.3 C.11.1.1.2, C.8.9.1.1.3)."""

DIMENSIONLESS = "1"
"""In UCUM. Philips writes maps to it that are another scaling of the same signal."""

AIR_HU = -1000.0
"""What a CT has where nothing was measured; other quantities have 0 there."""

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
    is_wide: whether they are whole numbers, but float64 is needed for that: 32 bits were stored.
    notes: codes for what was unusual on the way to the unit.
    uptake_minutes: from injection to scan, where SUV was computed and it is known.
    """

    unit: str
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    is_whole: bool
    is_wide: bool = False
    notes: tuple[str, ...] = ()
    uptake_minutes: float | None = None

    @property
    def outside(self) -> float:
        """What lies beside what was measured: padding, and the margins of a tilted volume."""
        return AIR_HU if self.unit == "HU" else 0.0

    def of(self, stored: NDArray[np.generic], k: int) -> NDArray[np.float32]:
        """Return stored numbers of slice k in the unit, rounded to float32 once.

        NaN is padding, and lies outside. Refuses values that float32 cannot hold.
        """
        values: NDArray[np.floating[Any]]
        values = stored.astype(np.float32 if self.is_whole else np.float64)
        with np.errstate(over="ignore"):  # which is refused below
            if self.slopes[k] != 1:
                values *= self.slopes[k]
            if self.intercepts[k] != 0:
                values += self.intercepts[k]
            rounded = values.astype(np.float32, copy=False)
        if stored.dtype.kind == "f":
            rounded[np.isnan(stored)] = self.outside
        if not self.is_whole and (lost := int(np.count_nonzero(~np.isfinite(rounded)))):
            raise InputError(
                "bad_pixels", f"slice {k + 1} has {lost} values that are too large for float32"
            )
        return rounded

    def whole(
        self, stored: NDArray[np.generic], k: int, kind: type[np.integer[Any]]
    ) -> NDArray[np.generic]:
        """Return stored numbers of slice k in the unit, all of which are whole and fit the type.

        The arithmetic is the type's own: what is carried beyond it on the way comes back.
        """
        slope, intercept = (
            np.array(int(of_slices[k])).astype(kind) for of_slices in (self.slopes, self.intercepts)
        )
        values = np.multiply(stored, slope, dtype=kind, casting="unsafe")
        values += intercept
        return values

    def whole_limits(self, stored: NDArray[np.generic], k: int) -> tuple[int, int]:
        """Return the lowest and the highest of stored numbers of slice k in the unit, exactly."""
        slope, intercept = int(self.slopes[k]), int(self.intercepts[k])
        first, second = (slope * int(end) + intercept for end in (stored.min(), stored.max()))
        return min(first, second), max(first, second)

    def wide(self, stored: NDArray[np.generic], k: int) -> NDArray[np.float64]:
        """Return stored numbers of slice k in the unit, exactly where that is_wide."""
        values = stored.astype(np.float64)
        values *= self.slopes[k]
        values += self.intercepts[k]
        return values


def stored_quantity(modality: str, slices: Sequence[Instance]) -> Quantity:
    """Return the quantity that the objects themselves declare (PS3.3 C.11.1.1.2, C.7.6.16.2.11).

    CT in Hounsfield units or its RescaleType, PET in its Units, MR without a unit. CT and PET need
    slope and intercept; MR has them in every slice, or in none. Parametric maps and floating-point
    pixels are in the unit of their real-world value map, if any, and so are maps of ADC, T1 and T2.
    """
    of_objects = {each.entry.number: each for each in slices}
    floats = {number for number, each in of_objects.items() if has_float_pixels(each)}
    default = None if _is_rescaled(modality, slices) else RAW
    lines = []
    for each in slices:
        sop_class = each.text("SOPClassUID")
        is_float = each.entry.number in floats
        if sop_class == PARAMETRIC_MAP or is_float or (modality == "MR" and _is_physical(each)):
            lines.append(_mapped_line(each, modality, default))
        elif sop_class == ENHANCED_PET:
            lines.append(_enhanced_pet_line(each))
        else:
            lines.append(_rescaled_line(each, modality, default))
    return _quantity(lines, slices, has_floats=bool(floats))


def _is_rescaled(modality: str, slices: Sequence[Instance]) -> bool:
    """Say whether slope and intercept are needed: always, but of MR that has none at all."""
    return modality != "MR" or any(
        each.text("RescaleSlope") or each.text("RescaleIntercept") for each in slices
    )


def _is_physical(one: Instance) -> bool:
    return bool(map_kind(one)) and any(each.unit != DIMENSIONLESS for each in maps_of(one)[:1])


def network_quantity(modality: str, slices: Sequence[Instance]) -> Quantity:
    """Return the quantity that networks are trained on: that of the objects, but SUVbw for PET.

    Refuses CT in other units than Hounsfield's, as of iodine or of an electron density.
    """
    if modality != "PT":
        quantity = stored_quantity(modality, slices)
        if modality == "CT" and quantity.unit != "HU":
            raise InputError(
                "unsupported_object", "it is a CT whose values are no Hounsfield units"
            )
        return quantity
    suv = suv_maps(slices)
    return Quantity(
        "SUVbw",
        suv.slopes,
        np.zeros(len(slices)),
        is_whole=False,
        notes=suv.path,
        uptake_minutes=suv.uptake_minutes,
    )


def _quantity(lines: Sequence[Line], slices: Sequence[Instance], *, has_floats: bool) -> Quantity:
    slopes = np.array([line.slope for line in lines])
    intercepts = np.array([line.intercept for line in lines])
    units = {line.unit for line in lines}
    if len(units) > 1:
        raise InputError("bad_attribute", f"its slices are in {len(units)} different units")
    for each, slope in zip(slices, slopes, strict=True):
        if slope == 0:
            raise InputError(
                "bad_attribute", f"entry {each.entry.number} has a slope of 0: no values are left"
            )
    largest = 1 << max(each.count("BitsAllocated") for each in slices)
    are_whole = not has_floats and bool(np.all(slopes % 1 == 0) and np.all(intercepts % 1 == 0))
    is_whole, is_wide = (
        are_whole and bool(np.abs(slopes).max() <= (exact - np.abs(intercepts).max()) / largest)
        for exact in (EXACT_IN_FLOAT32, EXACT_IN_FLOAT64)
    )
    return Quantity(units.pop(), slopes, intercepts, is_whole, is_wide and not is_whole)


Default = tuple[float, float] | None
"""Slope and intercept where none are stated; None: both are needed."""


def _rescaled_line(one: Instance, modality: str, default: Default) -> Line:
    return Line(*_rescale(one, default), _unit(one, modality))


def _unit(one: Instance, modality: str) -> str:
    if modality == "CT":
        stated = one.text("RescaleType")
        return "HU" if stated in HOUNSFIELD else _term(stated)
    return _term(one.text("Units")) if modality == "PT" else "arbitrary"


def _term(stated: str) -> str:
    """Return a unit that is stated by a term of the standard's form; any other text is none."""
    return stated if TERM.fullmatch(stated) else UNKNOWN


def _mapped_line(one: Instance, modality: str, default: Default) -> Line:
    """Return the line of the first map whose unit is given; the rescaling where there is no map."""
    maps = maps_of(one)
    if maps:
        return Line(*maps[0].line(), maps[0].unit)
    if one.items("RealWorldValueMappingSequence"):
        raise InputError(
            "missing_attribute",
            f"entry {one.entry.number} has a RealWorldValueMappingSequence without "
            "MeasurementUnitsCodeSequence",
        )
    return _rescaled_line(one, modality, default)


def _rescale(one: Instance, default: Default) -> tuple[float, float]:
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
