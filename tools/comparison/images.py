"""Volumes in closest-canonical orientation: whoever wrote them, their axes run the same way."""

import hashlib
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Fingerprint:
    """What is known of voxels that are not there.

    sha256: of the values as int32, little endian, in C order; "" if they are not all whole.
    statistics: smallest, largest, mean.
    """

    sha256: str
    statistics: tuple[float, float, float]

    @classmethod
    def of(cls, values: NDArray[Any]) -> "Fingerprint":
        """Return the fingerprint of voxels in canonical orientation."""
        is_whole = values.dtype.kind in "iu" or bool(np.all(values == np.rint(values)))
        statistics = (float(values.min()), float(values.max()), float(values.mean(dtype=float)))
        return cls(sha256_of(values) if is_whole else "", statistics)


@dataclass(frozen=True)
class Image:
    """A volume, its axes towards right, front and head (RAS+).

    shape: of i, j, k, and of time if there are time points.
    affine: 4x4 float64, (i, j, k, 1) to (x, y, z, 1) in mm.
    values: voxels in the volume's unit; None if only their fingerprint is known.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    values: NDArray[Any] | None = None
    fingerprint: Fingerprint | None = None

    @classmethod
    def of_nifti(cls, nifti: Any) -> "Image":
        """Return a NIfTI file's volume; whole numbers stay so, scaled ones are float64."""
        canonical = nib.as_closest_canonical(nifti)
        return cls(canonical.shape, canonical.affine, np.asanyarray(canonical.dataobj))

    @property
    def voxel_mm(self) -> NDArray[np.float64]:
        """The lengths of one step along i, j and k."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths


def sha256_of(values: NDArray[Any]) -> str:
    """Return the hash that manifests have of whole numbers in canonical orientation."""
    whole = np.ascontiguousarray(np.rint(values).astype("<i4"))
    return hashlib.sha256(whole.tobytes()).hexdigest()
