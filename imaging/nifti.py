"""A volume as the bytes of a .nii.gz file."""

import nibabel as nib
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from imaging.volume import Volume

PERPENDICULAR_TOLERANCE = 1e-3
"""Of a cosine: directions are written with few digits in DICOM."""


def nifti_gz(volume: Volume) -> bytes:
    """Return a gzipped NIfTI-1 file, voxels in the volume's unit, lengths in mm.

    The affine is the sform, with code 1, "scanner anatomical" (nifti1.h); the qform, too, unless
    the affine is sheared, which a qform cannot be.
    """
    image = nib.Nifti1Image(volume.voxels, volume.affine)
    image.header.set_xyzt_units(xyz="mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=0 if _is_sheared(volume.affine) else 1)
    return igzip.compress(image.to_bytes(), compresslevel=1, mtime=0)


def _is_sheared(affine: NDArray[np.float64]) -> bool:
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return not np.allclose(directions.T @ directions, np.eye(3), atol=PERPENDICULAR_TOLERANCE)
