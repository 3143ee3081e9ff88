"""Which part of space each plane of a stack stands for: contours and frames have no thickness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid

NEIGHBOUR = 1.5
"""Planes nearer than this many steps follow each other; between others one or more are absent."""

THICKEST_STEP_MM = 10.0
"""Contours drawn at regular gaps stand for what is between them, if the gaps are no wider."""

TIE = 1e-3
"""Of a step: what lies in the middle of two planes to within this belongs to the later one."""


def distinct(
    positions: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the planes of a stack in order, and for each position the number of its plane."""
    order = np.argsort(positions, kind="stable")
    begins = np.diff(positions[order], prepend=-np.inf) > tolerance
    plane = np.empty(len(positions), np.intp)
    plane[order] = np.cumsum(begins) - 1
    return positions[order][begins], plane


def spans(positions: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Return from where to where each plane is the nearest one: float64 [planes, 2].

    A plane reaches to the middle of the gap to its neighbour, and half a step where it has none.
    positions: in order.
    """
    gaps = np.diff(positions)
    reach = np.where(gaps < NEIGHBOUR * step, gaps, step) / 2
    below = np.concatenate(([step / 2], reach))
    above = np.concatenate((reach, [step / 2]))
    edges: NDArray[np.float64] = np.stack((positions - below, positions + above), axis=1)
    return edges - TIE * step


ON_SLICE = 0.1
"""Of a distance of slices: planes nearer to a slice than this were drawn on it."""

PARALLEL_MM = 0.01
"""How far a pixel may rise along a normal that the slices share."""

BEYOND = 1e6
"""Slices before the first and behind the last, counted by the usual distance."""


@dataclass(frozen=True)
class UnevenSlices:
    """Slices as acquired, among the even planes that were made of them.

    A region drawn on slices at uneven distances has planes as uneven, though none is absent: they
    follow each other if their slices do. Heights are along any scale that grows by one `step` a
    plane, and run upwards.
    """

    heights: NDArray[np.float64]
    step: float

    @classmethod
    def along(cls, normal: NDArray[np.float64], grid: Grid) -> "UnevenSlices | None":
        """Return heights in mm along a normal in RAS+; None if slices are even, or turned to it."""
        along_i, along_j, step = grid.affine[:3, :3].T
        if not grid.steps or max(abs(normal @ along_i), abs(normal @ along_j)) > PARALLEL_MM:
            return None
        step_mm = float(normal @ step)
        heights_mm = normal @ grid.affine[:3, 3] + grid.slices_at * step_mm
        return cls(heights_mm[:: 1 if step_mm > 0 else -1], abs(step_mm))

    def numbers(self, heights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return heights as numbers of slices, with fractions between them."""
        return np.interp(heights, *self._scale)

    def edges(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of slices as heights."""
        heights, counted = self._scale
        return np.interp(numbers, counted, heights)

    def hold(self, heights: NDArray[np.float64]) -> bool:
        """Say whether each plane lies on a slice."""
        numbers = self.numbers(heights)
        return bool(np.abs(numbers - np.rint(numbers)).max() < ON_SLICE)

    @property
    def _scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        beyond = BEYOND * self.step
        heights = np.concatenate(
            ([self.heights[0] - beyond], self.heights, [self.heights[-1] + beyond])
        )
        last = len(self.heights) - 1
        counted = np.concatenate(([-BEYOND], np.arange(last + 1), [last + BEYOND]))
        return heights, counted
