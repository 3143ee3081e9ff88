"""The planes of a grid in their unit: slices as stored, or blended and shifted onto the grid."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid
from imaging.quantities import Quantity
from imaging.stacks.tilt import Upright
from imaging.threads import each
from imaging.volume import Volume

WHOLE_TYPES: tuple[type[np.integer[Any]], ...] = (np.int16, np.uint16, np.int32, np.uint32)
"""Types for volumes of whole numbers, the first that holds all of them is taken."""


@dataclass(frozen=True)
class Plane:
    """One plane of a grid: as it is stored, and in the unit what is asked for of it.

    stored: indexed [row, column]. convert: makes float32 in the unit of any part of it.
    """

    stored: NDArray[np.generic]
    convert: Callable[[NDArray[np.generic]], NDArray[np.float32]]

    def part(self, *where: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what NumPy's indexing by [row, column] gives, in the unit."""
        return self.convert(self.stored[where])

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the pixels at all combinations of rows and columns, in the unit."""
        return self.convert(self.stored[rows].take(columns, axis=1))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest value, in the unit."""
        ends = self.convert(np.array([self.stored.min(), self.stored.max()]))
        return float(ends.min()), float(ends.max())


def read_plane(grid: Grid, quantity: Quantity, k: int) -> Plane:
    """Return plane k of the grid; floating-point and interpolated ones are converted at once."""
    if grid.is_interpolated:
        return Plane(_values(grid, quantity, k), np.asarray)
    stored = grid.slices[k].pixels()
    if stored.dtype.kind == "f":
        return Plane(quantity.of(stored, k), np.asarray)
    return Plane(stored, partial(quantity.of, k=k))


def _values(grid: Grid, quantity: Quantity, k: int) -> NDArray[np.float32]:
    """Return plane k of the grid in the quantity's unit, indexed [row, column]."""
    if grid.steps is None:
        plane = quantity.of(grid.slices[k].pixels(), k)
    else:
        plane = _blended(grid, quantity, float(grid.steps.at[k]))
    if grid.upright is None:
        return plane
    return _shifted(plane, grid.upright, k, grid=grid, outside=quantity.outside)


def read_volume(grid: Grid, quantity: Quantity) -> Volume:
    """Return all voxels of a grid, each slice put where it belongs as soon as it is decoded."""
    if grid.is_interpolated or not (quantity.is_whole or quantity.is_wide):
        voxels = _filled(grid, np.float32, partial(_values, grid, quantity))
    else:
        voxels = _whole_numbers(grid, quantity)
    return Volume(voxels, grid.affine, quantity.unit)


def _filled(
    grid: Grid, kind: type[np.generic], plane: Callable[[int], NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Return the planes of a grid as voxels, indexed [i, j, k], k being the slowest in memory."""
    columns, rows, slices = grid.shape
    voxels = np.empty((slices, rows, columns), kind)

    def fill(k: int) -> None:
        voxels[k] = plane(k)

    each(fill, range(slices))
    return voxels.transpose(2, 1, 0)


def _whole_numbers(grid: Grid, quantity: Quantity) -> NDArray[np.generic]:
    """Return the voxels of a quantity of whole numbers, in the first type that holds all of them.

    Slices are read once if that is the first of all types, else once more.
    """
    limits: dict[int, tuple[int, int]] = {}

    def plane(k: int, kind: type[np.integer[Any]]) -> NDArray[np.generic]:
        stored = grid.slices[k].pixels()
        limits[k] = quantity.whole_limits(stored, k)
        return quantity.whole(stored, k, kind)

    first = WHOLE_TYPES[0]
    voxels = _filled(grid, first, partial(plane, kind=first))
    kind = _holding(
        min(low for low, _ in limits.values()), max(high for _, high in limits.values())
    )
    if kind is first:
        return voxels
    if kind is not None:
        return _filled(grid, kind, partial(plane, kind=kind))
    floats = np.float64 if quantity.is_wide else np.float32
    return _filled(grid, floats, lambda k: quantity.wide(grid.slices[k].pixels(), k))


def _holding(lowest: int, highest: int) -> type[np.integer[Any]] | None:
    """Return the first type of whole numbers that holds both, if any does."""
    for kind in WHOLE_TYPES:
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return kind
    return None


def _blended(grid: Grid, quantity: Quantity, at: float) -> NDArray[np.float32]:
    """Return the plane at a place between two slices, linearly interpolated."""
    lower = int(at)
    plane = quantity.of(grid.slices[lower].pixels(), lower)
    if fraction := at - lower:
        upper = quantity.of(grid.slices[lower + 1].pixels(), lower + 1)
        plane = plane + np.float32(fraction) * (upper - plane)
    return plane


def _shifted(
    plane: NDArray[np.float32], upright: Upright, k: int, *, grid: Grid, outside: float
) -> NDArray[np.float32]:
    """Return a plane of a tilted volume where it lies in the upright one."""
    for axis, which in ((0, 1), (1, 0)):  # rows run along j, columns along i
        start = upright.first[which] - k * upright.slide[which]
        plane = _moved(plane, axis, start=start, count=grid.shape[which], outside=outside)
    return plane


def _moved(
    plane: NDArray[np.float32], axis: int, *, start: float, count: int, outside: float
) -> NDArray[np.float32]:
    """Return the plane at indices start, start + 1, … of an axis, linearly interpolated."""
    length = plane.shape[axis]
    if start == 0 and count == length:
        return plane
    margins = [(0, 0), (0, 0)]
    margins[axis] = (1, 1)
    padded = np.pad(plane, margins, constant_values=outside)
    lower = math.floor(start) + np.arange(count)
    fraction = np.float32(start - math.floor(start))
    first = padded.take(np.clip(lower + 1, 0, length + 1), axis)
    second = padded.take(np.clip(lower + 2, 0, length + 1), axis)
    moved: NDArray[np.float32] = first + fraction * (second - first)
    return moved
