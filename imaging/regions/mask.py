"""The voxels of a region, kept only where the region is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mask:
    """The voxels of one region on a grid, in the smallest box that holds them.

    offset: index (i, j, k) in the grid of the box's first voxel.
    inside: bool [i, j, k] over the box; at least one voxel is set, and one on each face.
    """

    offset: tuple[int, int, int]
    inside: NDArray[np.bool_]

    @classmethod
    def cropped(
        cls, inside: NDArray[np.bool_], offset: tuple[int, int, int] = (0, 0, 0)
    ) -> "Mask | None":
        """Return the mask of what is set in a larger box, or None if nothing is."""
        starts, stops = [], []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            at = np.flatnonzero(inside.any(axis=others))
            if not len(at):
                return None
            starts.append(int(at[0]))
            stops.append(int(at[-1]) + 1)
        box = tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))
        i, j, k = (start + first for start, first in zip(starts, offset, strict=True))
        return cls((i, j, k), np.ascontiguousarray(inside[box]))

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the box lies: `array[mask.box][mask.inside]` are the region's voxels."""
        i, j, k = (
            slice(first, first + length)
            for first, length in zip(self.offset, self.inside.shape, strict=True)
        )
        return i, j, k

    @property
    def voxels(self) -> int:
        """How many voxels are set."""
        return int(np.count_nonzero(self.inside))

    def on(self, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
        """Return the mask over a whole grid of this shape, bool [i, j, k]."""
        whole = np.zeros(shape, np.bool_)
        whole[self.box] = self.inside
        return whole


@dataclass(frozen=True)
class Drawn:
    """A region as it falls on one grid.

    fraction_inside: share of the region's volume that lies inside the image.
    notes: codes of imaging.regions.NOTES.
    """

    mask: Mask
    fraction_inside: float
    notes: tuple[str, ...]
