"""The box of a volume that holds all that is above a threshold: what lies beside it is air."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.source import Source
from imaging.stacks.planes import Plane
from imaging.threads import each

KEPT_BYTES = 512 << 20
"""Of planes as they are stored, since all are looked at before they are sampled: 1024 slices of
512 × 512 in 16 bits. Those beyond are read twice."""

Range = tuple[int, int]
"""The first index along an axis, and how many there are."""


def box_above(source: Source, threshold: float) -> tuple[Range, Range, Range]:
    """Return the smallest box of all voxels above a threshold, along i, j and k.

    Refuses a volume without any.
    """

    def look(k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        above = source.plane(k).part(slice(None)) > threshold
        return above.any(axis=0), above.any(axis=1)

    columns, rows = zip(*each(look, range(source.grid.shape[2])), strict=True)
    planes = np.any(rows, axis=1)
    if not planes.any():
        raise InputError(
            "empty_image", f"no voxel of it is above {threshold:g} {source.window.unit}"
        )
    return _range(np.any(columns, axis=0)), _range(np.any(rows, axis=0)), _range(planes)


def keeping_planes(source: Source) -> Source:
    """Return the same volume with its planes kept once they were read, up to a limit."""
    kept: dict[int, Plane] = {}

    def plane(k: int) -> Plane:
        if k in kept:
            return kept[k]
        read = source.plane(k)
        if (len(kept) + 1) * read.stored.nbytes <= KEPT_BYTES:
            kept[k] = read
        return read

    return replace(source, plane=plane)


def _range(found: NDArray[np.bool_]) -> Range:
    at = np.flatnonzero(found)
    return int(at[0]), int(at[-1] - at[0] + 1)
