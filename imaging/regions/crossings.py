"""Where lines of voxels cross the edges of closed contours: what lies between is inside or out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError

SNAP_DECIMALS = 6
"""Of a voxel: so that points meant to be at a voxel's centre or edge are, after all rounding."""


@dataclass(frozen=True)
class Edges:
    """The edges of closed contours: float64 [edges, 2] each, place along and across the lines.

    An edge holds its lower end and not its upper one, so that each line crosses a closed contour
    an even number of times.
    """

    begin: NDArray[np.float64]
    end: NDArray[np.float64]

    @classmethod
    def of(cls, contours: Sequence[NDArray[np.float64]]) -> "Edges":
        """Return the edges of contours [points, 2 or 3], closed from the last to the first."""
        return cls(
            np.concatenate([points[:, :2] for points in contours]),
            np.concatenate([np.roll(points[:, :2], -1, axis=0) for points in contours]),
        )

    @property
    def lower(self) -> NDArray[np.float64]:
        """The place across the lines where each edge begins to be crossed."""
        return np.minimum(self.begin[:, 1], self.end[:, 1])

    @property
    def upper(self) -> NDArray[np.float64]:
        """The place across the lines from which on it no longer is."""
        return np.maximum(self.begin[:, 1], self.end[:, 1])

    def first_voxels(
        self,
        edge: NDArray[np.intp],
        across: NDArray[np.intp] | NDArray[np.float64],
        origin: NDArray[np.float64] | float,
    ) -> NDArray[np.intp]:
        """Return for each crossing the first voxel of the line that lies behind it, or on it.

        edge: number of the edge that is crossed; across: where the line is.
        origin: where along the line its voxel 0 is.
        """
        begin, end = self.begin[edge], self.end[edge]
        part = (across - begin[:, 1]) / (end[:, 1] - begin[:, 1])
        along = begin[:, 0] + part * (end[:, 0] - begin[:, 0])
        voxel: NDArray[np.intp] = np.ceil(np.round(along - origin, SNAP_DECIMALS)).astype(np.intp)
        return voxel


def crossings(
    first: NDArray[np.intp], last: NDArray[np.intp], *, most: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of edge and line of each crossing; refuse more than `most` of them.

    first, last: each edge crosses the lines from `first` until before `last`.
    """
    count = last - first
    if count.sum() > most:
        raise InputError("unusable_contours", "its contours cross more rows than any image has")
    edge = np.repeat(np.arange(len(count)), count)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    return edge, line + first[edge]
