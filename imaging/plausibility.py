"""Whether the numbers of a CT can be Hounsfield units of a body that lies inside the field of view.

Everything is counted on the planes that a row is sampled from, before they are clipped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from imaging.stacks.planes import Plane
from imaging.threads import each
from imaging.volume import Volume

METAL_HU = 3000.0
"""Enamel and cortical bone stay below; scanners without an extended scale end at 3071."""

LOWEST_HU = -1024.0
"""What is lower is padding: the lowest number that 12 bits with the usual intercept can hold."""

FAT_HU = -50.0
"""Every field of view has fat or air, which are below."""

TISSUE_HU = (-200.0, 300.0)
"""Fat, water, blood, organs and most of spongy bone, with noise."""

BODY_HU = -300.0
"""On the border of the field of view, what is above is neither air nor a table's foam."""

LEAST_TISSUE = 0.01
MOST_METAL = 0.01
LEAST_BORDER = 0.05
"""Of the border: tables and headrests cross less of it."""

STRIDE = 4
"""Shares of tissue are counted on every fourth pixel of every fourth row."""

RING_PIXELS = 3
"""How wide the border of a round field of view is taken, one pixel inside its edge."""


@dataclass(frozen=True)
class PlaneCounts:
    """Shares of one plane's pixels: metal, not below fat, tissue; of its border: body."""

    metal: float
    above_fat: float
    tissue: float
    border: float


def volume_quality(volume: Volume) -> dict[str, float]:
    """Return the number behind each code on all planes of a volume; none if it is no CT in HU."""
    if volume.unit != "HU":
        return {}
    counted = Plausibility()
    slices = range(volume.voxels.shape[2])
    each(lambda k: counted.see(k, Plane(volume.voxels[:, :, k].T, _as_float32)), slices)
    return counted.quality(slices)


def _as_float32(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return values.astype(np.float32)


class Plausibility:
    """Counts of the planes of one CT, for all rows that see some of them."""

    def __init__(self) -> None:
        self._counts: dict[int, PlaneCounts] = {}

    def see(self, k: int, plane: Plane) -> None:
        """Count plane k, unless that is done."""
        if k not in self._counts:
            self._counts[k] = _counts(plane)

    def quality(self, planes: Iterable[int]) -> dict[str, float]:
        """Return the number behind each code, for a row that is sampled from these planes."""
        counts = [self._counts[int(k)] for k in planes]
        metal, above_fat, tissue, border = np.mean(
            [(one.metal, one.above_fat, one.tissue, one.border) for one in counts], axis=0
        )
        implausible = (
            1.0 if above_fat == 1.0 else 0.0,
            1.0 - tissue if tissue < LEAST_TISSUE else 0.0,
            metal if metal > MOST_METAL else 0.0,
        )
        return {
            "FOV_TRUNCATED": border if border > LEAST_BORDER else 0.0,
            "HU_IMPLAUSIBLE": max(implausible),
            "METAL_SUSPECTED": metal,
        }


def _counts(plane: Plane) -> PlaneCounts:
    metal = 0.0
    if plane.limits[1] >= METAL_HU:
        metal = _share(plane.part(slice(None)) >= METAL_HU)
    some = plane.part(slice(None, None, STRIDE), slice(None, None, STRIDE))
    low, high = TISSUE_HU
    return PlaneCounts(
        metal=metal,
        above_fat=_share(some >= FAT_HU),
        tissue=_share((some > low) & (some < high)),
        border=_share(_border(plane) > BODY_HU),
    )


def _share(found: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(found) / found.size)


def _border(plane: Plane) -> NDArray[np.float32]:
    """Return the outermost pixels; of a round field of view, in padding, those along its edge."""
    ends = np.array([0, -1])
    if plane.part(*np.ix_(ends, ends)).max() < LOWEST_HU:
        return plane.part(*_ring(*plane.stored.shape))
    edges = (plane.stored[ends].ravel(), plane.stored[:, ends].ravel())
    return plane.convert(np.concatenate(edges))


@lru_cache(maxsize=8)
def _ring(rows: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    down, across = np.ogrid[:rows, :columns]
    away = np.hypot(down - (rows - 1) / 2, across - (columns - 1) / 2)
    edge = min(rows, columns) / 2 - 1
    where = np.nonzero((away < edge) & (away > edge - RING_PIXELS))
    return where[0], where[1]
