"""A volume as the bytes of a .nii.gz file."""

import nibabel as nib
from isal import igzip

from imaging.volume import Volume


def nifti_gz(volume: Volume) -> bytes:
    """Return a gzipped NIfTI-1 file, voxels in the volume's unit, lengths in mm.

    The affine is written as sform and qform with code 1, "scanner anatomical" (nifti1.h).
    """
    image = nib.Nifti1Image(volume.voxels, volume.affine)
    image.header.set_xyzt_units(xyz="mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1)
    return igzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
