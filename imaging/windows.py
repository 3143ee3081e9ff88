"""Intensity windows: from a quantity to the 0 to 1 that networks are trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.histogram import Histogram

BACKGROUND_SHARE = 0.1
"""Of the brightest: air in magnitude images is noise of a few per cent of the tissues' signal, and
a threshold at the mean or Otsu's would take muscle and fluid for background in many sequences."""

BRIGHTEST = 99.5
"""Percentile that counts as the brightest: single voxels may be vessels or spikes."""

RELATIVE_UNITS = ("percentile", "z-score")


@dataclass(frozen=True)
class Window:
    """Two limits: in the quantity's unit, or relative to the series' foreground.

    unit: "percentile" of the foreground, "z-score" for its standard deviations from its mean.
    """

    low: float
    high: float
    unit: str

    @property
    def is_relative(self) -> bool:
        """Whether the limits depend on the series, and every voxel of it is needed."""
        return self.unit in RELATIVE_UNITS

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


def foreground_window(window: Window, histogram: Histogram, unit: str) -> Window:
    """Return a relative window in the unit of a volume's histogram, taken from its foreground.

    All voxels of the series count, whatever part of it a row shows. Refuses an image whose
    foreground is the same everywhere.
    """
    foreground = histogram.above(BACKGROUND_SHARE * histogram.percentile(BRIGHTEST))
    if not foreground.values.size:
        raise InputError("empty_image", "no pixel of it is brighter than its background")
    if window.unit == "percentile":
        low, high = (foreground.percentile(limit) for limit in (window.low, window.high))
    else:
        low, high = (foreground.mean + limit * foreground.sd for limit in (window.low, window.high))
    if not low < high:
        raise InputError("empty_image", "its foreground has one value only")
    return Window(low, high, unit)
