"""One slice of a volume, be it a classic object, a frame of an enhanced one or a mosaic's tile."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance

UNIT_TOLERANCE = 1e-2
"""Direction cosines are written with few digits."""

SPACING_RANGE_MM = (1e-3, 1e3)
"""Pixels of patients are within; beyond it sizes of arrays and numbers get out of hand."""

FARTHEST_MM = 1e6
"""From the origin of the patient's frame, along each axis."""


@dataclass(frozen=True)
class Plane:
    """How the pixels of one slice lie: LPS+, in mm.

    size: rows, columns. spacing_mm: between rows, between columns (PS3.3 10.7.1.3).
    orientation: direction cosines of a row and of a column, float64 [6].
    """

    size: tuple[int, int]
    spacing_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    position_mm: tuple[float, ...]


@dataclass(frozen=True)
class Slice(Instance):
    """A slice, read like an Instance: its own values come before those of the whole object.

    own: attributes of this slice alone, by keyword: of a frame's functional groups, of a tile.
    pixels: returns the pixels as stored, indexed [row, column].
    """

    own: Mapping[str, Any]
    pixels: Callable[[], NDArray[np.generic]]

    def states(self, keyword: str) -> bool:
        """Say whether an attribute is there, of the slice or of the whole object, be it empty."""
        return keyword in self.own or super().states(keyword)

    def _value(self, keyword: str) -> Any:
        return self.own[keyword] if keyword in self.own else super()._value(keyword)

    def _decimals(self, keyword: str) -> tuple[float, ...] | None:
        return None if keyword in self.own else super()._decimals(keyword)

    def statement(self, keywords: Iterable[str]) -> Hashable:
        """Return the object's statement, unless the slice has values of its own."""
        return object() if self.own else super().statement(keywords)

    @cached_property
    def plane(self) -> Plane:
        """Where the slice lies, read once; refuses what is missing, no number or impossible."""
        plane = Plane(
            (self.count("Rows"), self.count("Columns")),
            self.numbers("PixelSpacing", 2),
            self.numbers("ImageOrientationPatient", 6),
            self.numbers("ImagePositionPatient", 3),
        )
        _refuse_impossible(plane, f"entry {self.entry.number}")
        return plane

    @cached_property
    def thickness_mm(self) -> float:
        """SliceThickness, 0 where it is missing or no number: nothing is placed by it."""
        try:
            return self.number("SliceThickness", 0.0)
        except InputError:
            return 0.0


def part_of(
    instance: Instance, own: Mapping[str, Any], pixels: Callable[[], NDArray[np.generic]]
) -> Slice:
    """Return the slice of an object that has values and pixels of its own."""
    return Slice(
        instance.entry, instance.header, instance.transfer_syntax, instance.pixels_at, own, pixels
    )


def _refuse_impossible(plane: Plane, where: str) -> None:
    """Refuse directions that are not two perpendicular unit vectors, odd lengths, empty planes."""
    lowest, highest = SPACING_RANGE_MM
    if not are_perpendicular_units(plane.orientation[:3], plane.orientation[3:]):
        raise InputError(
            "bad_attribute",
            f"ImageOrientationPatient of {where} is not two perpendicular directions of length 1",
        )
    if not all(lowest <= spacing_mm <= highest for spacing_mm in plane.spacing_mm):
        raise InputError(
            "bad_attribute",
            f"PixelSpacing of {where} is not between {lowest:g} and {highest:g} mm",
        )
    if max(map(abs, plane.position_mm)) > FARTHEST_MM:
        raise InputError(
            "bad_attribute",
            f"ImagePositionPatient of {where} is more than {FARTHEST_MM:g} mm from the origin",
        )
    if min(plane.size) < 2:
        raise InputError(
            "bad_pixels",
            f"{where} is {plane.size[1]} × {plane.size[0]} pixels; "
            "a slice needs two in each direction",
        )


def are_perpendicular_units(row: Sequence[float], column: Sequence[float]) -> bool:
    """Say whether the directions of rows and columns are that, but for their few digits."""
    products = (
        (sum(a * b for a, b in zip(one, other, strict=True)), wanted)
        for one, other, wanted in ((row, row, 1.0), (column, column, 1.0), (row, column, 0.0))
    )
    return all(abs(product - wanted) <= UNIT_TOLERANCE for product, wanted in products)
