"""One slice of a volume, be it a classic object, a frame of an enhanced one or a mosaic's tile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance


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

    @cached_property
    def plane(self) -> Plane:
        """Where the slice lies, read once; refuses what is missing or no number."""
        return Plane(
            (self.count("Rows"), self.count("Columns")),
            self.numbers("PixelSpacing", 2),
            self.numbers("ImageOrientationPatient", 6),
            self.numbers("ImagePositionPatient", 3),
        )

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
