"""A CT in a NIfTI file gives the network what the DICOM that it was made of gives it."""

import nibabel as nib
import numpy as np
import pytest
from phantoms import AXIAL, FEET_FIRST, SAGITTAL, slices, thorax, zip_of
from test_network_input import PARAMETERS, inputs_of

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.nifti_source import nifti_source
from imaging.options import Options
from imaging.preprocess import nifti_files
from imaging.recipe import Recipe
from imaging.whole_input import whole_input

RECIPE = Recipe.from_parameters(PARAMETERS)
STRAIGHT = np.diag([1.5, 2.0, 4.0, 1.0])
CODES = slice(252, 256)
"""Where nifti1.h has qform_code and sform_code, two bytes each."""


def written(tmp_path, voxels, affine=STRAIGHT, *, placed=True):
    content = bytearray(nib.Nifti1Image(voxels, affine).to_bytes())
    if not placed:
        content[CODES] = bytes(4)
    file = tmp_path / "volume.nii"
    file.write_bytes(content)
    return file


def refused(file, pattern):
    with pytest.raises(InputError, match=pattern):
        nifti_source(file, RECIPE.windows["CT"])


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, FEET_FIRST])
@pytest.mark.parametrize(
    "mode", [{}, {"spatial_mode": "spacing", "spacing_mm": "1.1,0.9,2.3"}], ids=["whole", "spacing"]
)
def test_a_zip_and_its_conversion_give_the_same_input(tmp_path, compress, orientation, mode):
    study = zip_of(*slices(thorax(), orientation))
    options = Options(compress=compress)
    file = tmp_path / ("study.nii.gz" if compress else "study.nii")
    file.write_bytes(nifti_files(memoryview(study), options=options, limits=Limits()).files[0])
    recipe = Recipe.from_parameters(PARAMETERS | mode)

    seen = whole_input(nifti_source(file, recipe.windows["CT"]), recipe)

    expected = inputs_of(study, **mode)
    np.testing.assert_allclose(seen.voxels, expected.volumes[0], atol=1e-6)
    np.testing.assert_allclose(seen.voxel_mm, expected.labels[0]["network_voxel_mm"], atol=1e-5)


def test_stored_numbers_are_scaled_to_hu_as_the_header_says(tmp_path):
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    image = nib.Nifti1Image(voxels, STRAIGHT)
    image.header.set_slope_inter(2.0, -100.0)
    nib.save(image, tmp_path / "scaled.nii.gz")

    source = nifti_source(tmp_path / "scaled.nii.gz", RECIPE.windows["CT"])

    scaled = nib.load(tmp_path / "scaled.nii.gz").get_fdata()
    np.testing.assert_array_equal(source.plane(2).part(slice(None)), scaled[:, :, 2].T)


def test_a_file_that_is_no_nifti_is_refused(tmp_path):
    file = tmp_path / "note.nii"
    file.write_bytes(b"not an image" * 40)

    refused(file, "^unsupported_object: the file cannot be read as NIfTI")


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    file = written(tmp_path, np.zeros((4, 5, 6), np.int16))
    file.write_bytes(file.read_bytes()[:-20])

    refused(file, "^bad_pixels: the file ends before its voxels do")


def test_a_series_of_volumes_is_refused(tmp_path):
    refused(
        written(tmp_path, np.zeros((4, 5, 6, 3), np.int16)),
        r"^unsupported_object: the volume has the axes \(4, 5, 6, 3\); 3 are needed",
    )


def test_one_slice_is_refused(tmp_path):
    refused(written(tmp_path, np.zeros((4, 5, 1), np.int16)), r"^single_slice: .*\(4, 5, 1\)")


def test_the_sheared_axes_of_a_tilted_gantry_are_refused(tmp_path):
    sheared = STRAIGHT.copy()
    sheared[1, 2] = 1.0

    refused(written(tmp_path, np.zeros((4, 5, 6), np.int16), sheared), "^gantry_tilt: .* sheared")


def test_a_volume_that_is_not_placed_is_refused(tmp_path):
    file = written(tmp_path, np.zeros((4, 5, 6), np.int16), placed=False)

    refused(file, "^missing_attribute: .* sform and qform are 0")


def test_voxels_that_are_no_numbers_are_refused(tmp_path):
    voxels = np.zeros((4, 5, 6), np.float32)
    voxels[1, 2, 3] = np.nan

    refused(written(tmp_path, voxels), "^bad_pixels: voxels are NaN or infinite")
