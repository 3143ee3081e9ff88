"""NIfTI files are what nibabel writes of the same volume, gzipped or not."""

import gzip
import zlib

import nibabel as nib
import numpy as np
import pytest

from imaging.nifti import nifti_file
from imaging.volume import Volume

STRAIGHT = np.array([[-1.5, 0, 0, 15], [0, -2.0, 0, 20], [0, 0, 4.0, -30], [0, 0, 0, 1]])
SHEARED = STRAIGHT + np.array([[0, 0, 1.0, 0], *np.zeros((3, 4))])


def _volume(kind, affine):
    voxels = np.random.default_rng(3).integers(0, 200, (4, 5, 6)).astype(kind)
    return Volume(voxels.transpose(2, 1, 0), affine, "HU")


def _by_nibabel(volume, qform_code):
    image = nib.Nifti1Image(volume.voxels, volume.affine)
    image.header.set_xyzt_units(xyz="mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=qform_code)
    return image.to_bytes()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("affine", "qform_code"), [(STRAIGHT, 1), (SHEARED, 0)])
def test_a_file_is_nibabels_byte_for_byte(kind, affine, qform_code):
    volume = _volume(kind, affine)

    assert nifti_file(volume, compress=False) == _by_nibabel(volume, qform_code)


def test_a_gzipped_file_is_one_member_with_the_same_bytes():
    volume = _volume(np.int16, STRAIGHT)

    file = nifti_file(volume, compress=True)

    assert gzip.decompress(file) == nifti_file(volume, compress=False)
    first_member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    first_member.decompress(file)
    assert first_member.unused_data == b""
