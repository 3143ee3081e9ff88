"""Slices at uneven distances: where even ones lie among them, and when too many are missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError

MOST_MISSING = 0.10
"""Share of the slices that may be interpolated unseen: 4 of 47 are, 1 of 4 is not."""

MOST_GAP = 4.0
"""Of the usual distance: up to three slices in a row may be missing."""

MOST_SLICES = 4
"""Times as many as there are, even leniently: beyond it almost nothing would be measured."""

ON_SLICE = 1e-3
"""Of a gap: closer to a slice than that, the slice itself is taken."""


@dataclass(frozen=True)
class Steps:
    """Even steps through uneven slices.

    at: float64, where each plane lies among the slices: 17.25 is a quarter of the way from slice
        17 to slice 18.
    largest_gap_mm: between two slices.
    missing: how many slices there should be in addition.
    beyond_limit: whether that is more than is accepted unless asked for leniently.
    """

    at: NDArray[np.float64]
    largest_gap_mm: float
    missing: int
    beyond_limit: bool


def even_steps(
    gaps_mm: NDArray[np.float64],
    thickness_mm: Sequence[float],
    *,
    tolerance: float,
    lenient: bool,
) -> Steps:
    """Return steps of about the median distance, from the first slice to the last.

    Refuses too many missing slices. A distance that the two slices' thickness fills is none: heads
    are scanned in thin slices below and thick ones above.
    """
    # Of two distances equally often, the larger is the one with slices missing.
    usual_mm = float(np.percentile(gaps_mm, 50, method="lower"))
    thick_mm = np.array(thickness_mm)
    filled_mm = np.maximum((thick_mm[:-1] + thick_mm[1:]) / 2, usual_mm) * (1 + tolerance)
    lacking = np.where(gaps_mm > filled_mm, np.rint(gaps_mm / usual_mm) - 1, 0)
    missing, largest = int(lacking.sum()), float(np.where(lacking > 0, gaps_mm, 0).max())
    total = len(gaps_mm) + 1 + missing
    is_beyond = missing > MOST_MISSING * total or largest > (MOST_GAP + tolerance) * usual_mm
    heights_mm = np.concatenate([[0.0], np.cumsum(gaps_mm)])
    count = round(heights_mm[-1] / usual_mm) + 1
    if (is_beyond and not lenient) or count > MOST_SLICES * len(heights_mm):
        raise _uneven(gaps_mm, usual_mm, missing=missing, total=total)
    wanted_mm = np.linspace(0.0, heights_mm[-1], max(count, 2))
    at = np.interp(wanted_mm, heights_mm, np.arange(len(heights_mm)))
    nearest = np.rint(at)
    return Steps(
        np.where(np.abs(at - nearest) < ON_SLICE, nearest, at),
        float(gaps_mm.max()),
        missing,
        is_beyond,
    )


def _uneven(
    gaps_mm: NDArray[np.float64], usual_mm: float, *, missing: int, total: int
) -> InputError:
    at = int(np.abs(gaps_mm - usual_mm).argmax())
    return InputError(
        "uneven_spacing",
        f"slices {at + 1} and {at + 2} are {gaps_mm[at]:.4g} mm apart, the others "
        f"{usual_mm:.4g} mm; {missing} of {total} slices are missing, and up to "
        f"{MOST_MISSING:.0%} and gaps of {MOST_GAP:.0f} times the usual distance are filled",
    )
