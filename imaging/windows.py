"""Intensity windows: from a quantity to the 0 to 1 that networks are trained on."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError


@dataclass(frozen=True)
class Window:
    """Two limits, in the quantity's unit or as percentiles of the series' foreground."""

    low: float
    high: float
    unit: str

    @property
    def is_relative(self) -> bool:
        """Whether the limits are percentiles, and every voxel of the series is needed."""
        return self.unit == "percentile"

    def scale(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values clipped to the window, 0 at its lower limit and 1 at its upper."""
        scaled = np.clip(values, np.float32(self.low), np.float32(self.high))
        scaled -= np.float32(self.low)
        scaled /= np.float32(self.high - self.low)
        return scaled


def parse_window(text: str) -> Window:
    """Return the window that a parameter like "-1000,400 HU" or "0.5,99.5 percentile" states."""
    limits, unit = text.split()
    low, high = (float(limit) for limit in limits.split(","))
    if not low < high:
        raise ValueError(f"window {text}: the lower limit is not below the upper")
    return Window(low, high, unit)


def foreground_window(window: Window, planes: Iterable[NDArray[np.float32]]) -> Window:
    """Return a relative window in the unit of the planes: percentiles of the foreground.

    The foreground is what lies above the series' mean, as in Nyúl and Udupa, "On standardizing the
    MR image intensity scale", Magnetic Resonance in Medicine 42 (1999). All planes count, whatever
    part of the series a row shows. Refuses an image that is the same everywhere.
    """
    values = np.concatenate([plane.ravel() for plane in planes])
    foreground = values[values > values.mean(dtype=np.float64)]
    if not foreground.size:
        raise InputError("empty_image", "all its pixels have the same value")
    low, high = np.percentile(foreground, [window.low, window.high])
    if not low < high:
        raise InputError("empty_image", "its foreground has one value only")
    return Window(float(low), float(high), "arbitrary")
