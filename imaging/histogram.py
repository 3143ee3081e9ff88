"""How often each value occurs in a volume: what relative windows are taken from."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid
from imaging.quantities import Quantity
from imaging.stacks.planes import Plane
from imaging.threads import each


@dataclass(frozen=True)
class Histogram:
    """Values of a volume, float32 and rising, with how many voxels have each."""

    values: NDArray[np.float32]
    counts: NDArray[np.int64]

    def above(self, value: float) -> "Histogram":
        """Return the part of voxels that are brighter."""
        return Histogram(self.values[self.values > value], self.counts[self.values > value])

    def percentile(self, percent: float) -> float:
        """Return what numpy.percentile gives of the voxels: linear between two of them."""
        up_to = np.cumsum(self.counts)
        at = percent / 100 * (int(up_to[-1]) - 1)
        lower = int(np.floor(at))
        first, second = (
            float(self.values[np.searchsorted(up_to, place, side="right")])
            for place in (lower, min(lower + 1, int(up_to[-1]) - 1))
        )
        return first + (second - first) * (at - lower)

    @property
    def mean(self) -> float:
        return float(np.average(self.values.astype(np.float64), weights=self.counts))

    @property
    def sd(self) -> float:
        """Over n, not n - 1."""
        away = self.values.astype(np.float64) - self.mean
        return float(np.sqrt(np.average(away**2, weights=self.counts)))


def histogram_of(grid: Grid, quantity: Quantity, plane: Callable[[int], Plane]) -> Histogram:
    """Return the histogram of a whole volume, in the quantity's unit.

    Numbers of 8 or 16 bits are counted as they are stored, if they mean the same in all slices: no
    volume of floats is made for it.
    """
    slices = range(grid.shape[2])
    if not _is_countable(plane(0), quantity):
        values = np.concatenate([plane(k).part(slice(None)).ravel() for k in slices])
        return Histogram(*np.unique(values, return_counts=True))
    counts: dict[np.dtype[Any], NDArray[np.int64]] = {}
    one_at_a_time = threading.Lock()

    def count(k: int) -> None:
        stored = plane(k).stored
        of_plane = np.bincount(stored.view(f"u{stored.itemsize}").ravel(), minlength=1 << 16)
        with one_at_a_time:
            counts[stored.dtype] = counts.get(stored.dtype, np.int64(0)) + of_plane

    each(count, slices)
    return _in_unit(counts, quantity)


def _is_countable(plane: Plane, quantity: Quantity) -> bool:
    is_same = np.all(quantity.slopes == quantity.slopes[0]) and np.all(
        quantity.intercepts == quantity.intercepts[0]
    )
    return plane.stored.dtype.kind in "iu" and plane.stored.itemsize <= 2 and bool(is_same)


def _in_unit(counts: Mapping[np.dtype[Any], NDArray[np.int64]], quantity: Quantity) -> Histogram:
    """Return the histogram of what stored numbers mean; counts: of all numbers of a type."""
    values, numbers = [], []
    for dtype, of_type in counts.items():
        stored = np.flatnonzero(of_type)
        values.append(quantity.of(stored.astype(f"u{dtype.itemsize}").view(dtype), 0))
        numbers.append(of_type[stored])
    order = np.argsort(np.concatenate(values))
    return Histogram(np.concatenate(values)[order], np.concatenate(numbers)[order])
