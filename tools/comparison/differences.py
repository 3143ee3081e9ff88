"""How far two volumes of one shape are apart, in voxels and in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.comparison.images import Fingerprint, Image

AFFINE_MM = 1e-4
"""Of every entry, with no relative term: half a metre away single precision has steps of 3e-5."""

RELATIVE = 1e-6
"""Of every voxel: what single precision loses of a scaled value."""

NOT_ONE = 0.5
"""Whole numbers differ by 1 or not at all, however large they are."""

SCALED = 1e-4
"""Of the range: what is left beside a factor and an offset where files round to 16 bits."""

CLEARLY = 0.01
"""Of the difference: a factor that leaves more than that of it does not explain it."""


@dataclass(frozen=True)
class Scaling:
    """The reference is factor times ours plus offset."""

    factor: float
    offset: float


@dataclass(frozen=True)
class Difference:
    """Ours less the reference.

    largest: of all voxels; None where only a fingerprint of the reference is known and it differs.
    differing, voxels: how many voxels differ by more than rounding, 0 if equal; how many there are.
    affine_mm: the largest of all 16 entries.
    by: "voxels", or the "hash" or "statistics" of a fingerprint.
    """

    largest: float | None
    differing: int
    voxels: int
    affine_mm: float
    by: str = "voxels"
    scaling: Scaling | None = None

    @property
    def is_equal(self) -> bool:
        return self.differing == 0

    @property
    def is_same_place(self) -> bool:
        return self.affine_mm <= AFFINE_MM


def difference(ours: Image, reference: Image) -> Difference:
    """Return how two volumes of one shape differ; ours has its values."""
    affine_mm = float(np.abs(ours.affine - reference.affine).max())
    if reference.values is None:
        return _by_fingerprint(ours, reference, affine_mm)
    largest, differing = _of_voxels(ours.values, reference.values)
    return Difference(
        largest,
        differing,
        reference.values.size,
        affine_mm,
        scaling=_scaling(ours.values, reference.values, largest) if differing else None,
    )


def same_grid(one: Image, other: Image) -> bool:
    """Say whether two volumes have their voxels at the same places."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(one.affine - other.affine).max() <= AFFINE_MM)


def _planes(ours: Any, reference: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the planes of one k in float64: whole volumes would take several times the memory."""
    for k in range(reference.shape[2]):
        yield ours[:, :, k].astype(float), reference[:, :, k].astype(float)


def _of_voxels(ours: Any, reference: Any) -> tuple[float, int]:
    largest, differing = 0.0, 0
    most = NOT_ONE if ours.dtype.kind in "iu" else np.inf
    for plane, wanted in _planes(ours, reference):
        apart = np.abs(plane - wanted)
        largest = max(largest, float(apart.max()))
        differing += int(np.count_nonzero(~(apart <= np.minimum(RELATIVE * np.abs(wanted), most))))
    return largest, differing


def _scaling(ours: Any, reference: Any, largest: float) -> Scaling | None:
    """Return the factor and offset that fit best, if they explain all voxels."""
    mean, wanted_mean = float(ours.mean(dtype=float)), float(reference.mean(dtype=float))
    products = squares = rest = 0.0
    for plane, wanted in _planes(ours, reference):
        products += float(((plane - mean) * (wanted - wanted_mean)).sum())
        squares += float(((plane - mean) ** 2).sum())
    if not squares or not products:
        return None
    factor = products / squares
    offset = wanted_mean - factor * mean
    for plane, wanted in _planes(ours, reference):
        rest = max(rest, float(np.abs(factor * plane + offset - wanted).max()))
    explains = rest <= min(SCALED * float(np.ptp(reference)), CLEARLY * largest)
    return Scaling(factor, offset) if explains else None


def _by_fingerprint(ours: Image, reference: Image, affine_mm: float) -> Difference:
    found, wanted = Fingerprint.of(np.asarray(ours.values)), reference.fingerprint
    if wanted is None:
        raise ValueError("a volume without voxels has a fingerprint")
    if wanted.sha256:
        is_equal, largest, by = found.sha256 == wanted.sha256, 0.0, "hash"
    else:
        is_equal = bool(np.allclose(found.statistics, wanted.statistics, RELATIVE, 0))
        largest, by = None, "statistics"
    voxels = int(np.prod(reference.shape))
    if is_equal:
        return Difference(largest, 0, voxels, affine_mm, by)
    return Difference(None, voxels, voxels, affine_mm, by)
