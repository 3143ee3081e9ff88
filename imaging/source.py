"""A volume that networks' inputs are sampled from: its planes in their unit, read when needed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.plausibility import LOWEST_HU, Plausibility
from imaging.quantities import Quantity
from imaging.stacks.planes import read_plane
from imaging.windows import Window, foreground_window

PLANES_KEPT = 128
"""Regions of one series share planes; 128 of 512 x 512 are 128 MiB."""

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """A volume that is sampled: its grid, its planes in their unit, and the window in that unit.

    plane: returns slice k, float32 [row, column].
    is_padding: says of values which of them stand for no measurement.
    plausibility: counts the planes of a CT; None for other modalities.
    """

    grid: Grid
    plane: Callable[[int], Plane]
    window: Window
    is_padding: Callable[[Plane], NDArray[np.bool_]]
    plausibility: Plausibility | None


def source_of(grid: Grid, quantity: Quantity, window: Window) -> Source:
    """Return a volume to be sampled; a relative window needs every plane, and keeps them."""
    plane: Callable[[int], Plane] = partial(read_plane, grid, quantity)
    if window.is_relative:
        stack = [plane(k) for k in range(grid.shape[2])]
        plane, window = stack.__getitem__, foreground_window(window, stack, quantity.unit)
    else:
        plane = lru_cache(PLANES_KEPT)(plane)
    return Source(
        grid,
        plane,
        window,
        partial(_is_padding, padding=_padding(grid, quantity), in_hu=quantity.unit == "HU"),
        Plausibility(plane) if quantity.unit == "HU" else None,
    )


def _padding(grid: Grid, quantity: Quantity) -> tuple[float, float] | None:
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
        return None
    if not stored:
        return None
    limits = [float(quantity.slopes[0] * each + quantity.intercepts[0]) for each in stored]
    return min(limits), max(limits)


def _is_padding(
    values: Plane, *, padding: tuple[float, float] | None, in_hu: bool
) -> NDArray[np.bool_]:
    """Say which values are padding: as the object declares them, or no Hounsfield units at all."""
    found = values < LOWEST_HU if in_hu else np.zeros(values.shape, np.bool_)
    if padding is not None:
        found |= (values >= padding[0]) & (values <= padding[1])
    return found
