"""A volume as the bytes of a NIfTI file, gzipped or not."""

import io

import nibabel as nib
import numpy as np
from isal import igzip_threaded
from numpy.typing import NDArray

from imaging.cores import usable_cores
from imaging.volume import Volume

PERPENDICULAR_TOLERANCE = 1e-3
"""Of a cosine: directions are written with few digits in DICOM."""


def nifti_file(volume: Volume, *, compress: bool) -> bytes:
    """Return a NIfTI-1 file, voxels in the volume's unit, lengths in mm; as .nii or as .nii.gz.

    The affine is the sform, with code 1, "scanner anatomical" (nifti1.h); the qform, too, unless
    the affine is sheared, which a qform cannot be.
    """
    parts = (_header(volume), np.ascontiguousarray(volume.voxels.T).data.cast("B"))
    return _gzipped(parts) if compress else b"".join(parts)


def _header(volume: Volume) -> bytes:
    """Return what stands before the voxels: the header, and that nothing extends it (nifti1.h)."""
    voxels = np.broadcast_to(volume.voxels.dtype.type(), volume.voxels.shape)  # takes no memory
    image = nib.Nifti1Image(voxels, volume.affine)
    image.header.set_xyzt_units(xyz="mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=0 if _is_sheared(volume.affine) else 1)
    image.header.set_slope_inter(1, 0)
    image.header["vox_offset"] = image.header.single_vox_offset
    image.header["magic"] = image.header.single_magic
    return bytes(image.header.binaryblock) + b"\0\0\0\0"


def _gzipped(parts: tuple[bytes | memoryview, ...]) -> bytes:
    file = io.BytesIO()
    with igzip_threaded.open(file, "wb", compresslevel=1, threads=usable_cores()) as stream:
        for part in parts:
            stream.write(part)
    return file.getvalue()


def _is_sheared(affine: NDArray[np.float64]) -> bool:
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return not np.allclose(directions.T @ directions, np.eye(3), atol=PERPENDICULAR_TOLERANCE)
