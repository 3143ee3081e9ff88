"""Which part of space each plane of a stack stands for: contours and frames have no thickness."""

import numpy as np
from numpy.typing import NDArray

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
