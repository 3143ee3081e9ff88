"""A volume that networks' inputs are sampled from: its planes, read when they are needed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from imaging.averaging import AxisWeights, averaged_stack
from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.histogram import histogram_of
from imaging.plausibility import LOWEST_HU, Plausibility
from imaging.quantities import Quantity
from imaging.sampling import AxisSamples, nearest, sample_stack
from imaging.stacks.planes import Plane, read_plane
from imaging.windows import Window, foreground_window

KEPT_BYTES = 64 << 20
"""Of planes as they are stored, where several rows may share them: 128 of 512 × 512."""

Range = tuple[float, float]
Axes = tuple[AxisSamples, AxisSamples, AxisSamples]
"""The samples along the grid's axes i, j and k."""

Weights = tuple[AxisWeights, AxisWeights, AxisWeights]
"""The same, of points that are means of voxels."""


@dataclass(frozen=True)
class Sampled:
    """What was sampled of a volume at all combinations of points.

    values: float32 [i, j, k], scaled to the window. slices: those that were read for it.
    padding: share of the points' nearest voxels that stand for no measurement.
    """

    values: NDArray[np.float32]
    slices: NDArray[np.intp]
    padding: float


@dataclass(frozen=True)
class Source:
    """A volume that is sampled: its grid, its planes, and the window in their unit.

    plane: returns slice k.
    padding: ranges of values that stand for no measurement.
    plausibility: counts the planes of a CT as they are sampled; None for other modalities.
    """

    grid: Grid
    plane: Callable[[int], Plane]
    window: Window
    padding: tuple[Range, ...]
    plausibility: Plausibility | None

    def sampled(self, axes: Axes, *, window_first: bool) -> Sampled:
        """Return the volume at all combinations of points; each plane is looked at once.

        window_first: whether values are scaled before they are interpolated, or after.
        """
        across, down, through = axes
        columns, rows, slices = map(_nearest_inside, axes)
        padding: dict[int, float] = {}

        def part_of(
            k: int, some_rows: NDArray[np.intp], some_columns: NDArray[np.intp]
        ) -> NDArray[np.float32]:
            plane = self._seen(k)
            padding[k] = self._padding_share(plane, rows, columns)
            return plane.at(some_rows, some_columns)

        values = sample_stack(
            part_of,
            across=across,
            down=down,
            through=through,
            prepare=self.window.scale if window_first else _as_they_are,
        )
        share = float(np.mean([padding[int(k)] for k in slices])) if len(slices) else 0.0
        return Sampled(
            values if window_first else self.window.scale(values),
            np.union1d(through.lower, through.upper),
            share,
        )

    def averaged(self, axes: Weights, *, window_first: bool) -> Sampled:
        """Return weighted means of voxels, scaled as above; each plane is looked at once.

        Planes are converted one at a time: no volume of floats is made but of the means.
        """
        across, down, through = axes
        rows, columns = (np.arange(axis.first, axis.end) for axis in (down, across))
        padding: dict[int, float] = {}

        def part_of(k: int) -> NDArray[np.float32]:
            plane = self._seen(k)
            padding[k] = self._padding_share(plane, rows, columns)
            values = plane.part(slice(down.first, down.end), slice(across.first, across.end))
            return self.window.scale(values) if window_first else values

        values = averaged_stack(part_of, across=across, down=down, through=through)
        return Sampled(
            values if window_first else self.window.scale(values),
            np.arange(through.first, through.end),
            float(np.mean(list(padding.values()))),
        )

    def _seen(self, k: int) -> Plane:
        """Return slice k, counted if it is that of a CT."""
        plane = self.plane(k)
        if self.plausibility is not None:
            self.plausibility.see(k, plane)
        return plane

    def values(self, k: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return a part of slice k in the unit, indexed [row, column]."""
        return self.plane(k).part(rows, columns)

    def _padding_share(
        self, plane: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> float:
        """Return the share of padding at all combinations of rows and columns."""
        lowest, highest = plane.limits
        reached = [each for each in self.padding if lowest <= each[1] and each[0] <= highest]
        if not (reached and len(rows) and len(columns)):
            return 0.0
        values = plane.at(rows, columns)
        found = [(low <= values) & (values <= high) for low, high in reached]
        return float(np.mean(np.logical_or.reduce(found)))


def source_of(grid: Grid, quantity: Quantity, window: Window, *, keeps_planes: bool) -> Source:
    """Return a volume to be sampled; a relative window looks at every plane of it.

    keeps_planes: whether it is worth it, since several rows are sampled from it.
    """
    read = partial(read_plane, grid, quantity)
    plane_bytes = grid.shape[0] * grid.shape[1] * grid.slices[0].count("BitsAllocated") // 8
    keeps_planes = keeps_planes or window.is_relative
    plane = lru_cache(KEPT_BYTES // plane_bytes)(read) if keeps_planes else read
    if window.is_relative:
        window = foreground_window(window, histogram_of(grid, quantity, plane), quantity.unit)
    is_ct = quantity.unit == "HU"
    padding = _padding(grid, quantity) + (((-np.inf, _below(LOWEST_HU)),) if is_ct else ())
    return Source(grid, plane, window, padding, Plausibility() if is_ct else None)


def _below(value: float) -> float:
    """Return the next number below that float32 has."""
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def _padding(grid: Grid, quantity: Quantity) -> tuple[Range, ...]:
    """Return the range of PixelPaddingValue in the quantity's unit (PS3.3 C.7.5.1.1.2), if stated.

    That of the first slice: scanners pad all slices alike.
    """
    first = grid.slices[0]
    try:
        stored = [
            first.number(keyword)
            for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
            if first.stated(keyword)
        ]
    except InputError:
        return ()
    if not stored:
        return ()
    limits = [float(quantity.slopes[0] * each + quantity.intercepts[0]) for each in stored]
    return ((min(limits), max(limits)),)


def _as_they_are(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values


def _nearest_inside(samples: AxisSamples) -> NDArray[np.intp]:
    """Return the voxels nearest to those points that lie inside the image."""
    return nearest(samples)[getattr(samples, "inside", slice(None))]
